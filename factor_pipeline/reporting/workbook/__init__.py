"""The published results as an Excel workbook whose formulas follow its input cells."""

from factor_pipeline.reporting.workbook.file import FILE_NAME, write_workbook

__all__ = ["FILE_NAME", "write_workbook"]
