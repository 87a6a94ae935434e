"""Sheets as the workbook needs them: text is never a formula, formulas carry their value."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import xlsxwriter  # type: ignore[import-untyped]
from xlsxwriter.utility import xl_col_to_name, xl_rowcol_to_cell  # type: ignore[import-untyped]

Value = str | float | date | bool | None

_FONT: Final = {"font_name": "Calibri", "font_size": 10}
_NUMBER: Final = {"align": "right"}
_HEADER_HEIGHT = 28
"""Points: two lines."""
_HEADER: Final = {
    "bold": True,
    "bottom": 1,
    "bg_color": "#DDE6EE",
    "text_wrap": True,
    "valign": "top",
}
STYLES: Final[dict[str, dict[str, Any]]] = {
    "text": {},
    "title": {"bold": True, "font_size": 14},
    "notice": {"bold": True, "font_color": "#9C0006"},
    "indented": {"indent": 1},
    "note": {"text_wrap": True, "valign": "top", "indent": 1},
    "label": {"bold": True, "valign": "top"},
    "header": _HEADER,
    "header_note": {**_HEADER, "indent": 1},
    "header_number": {**_HEADER, **_NUMBER},
    "percent": {**_NUMBER, "num_format": "0.00%"},
    "ratio": {**_NUMBER, "num_format": "0.00"},
    "number": {**_NUMBER, "num_format": "0.0000"},
    "money": {**_NUMBER, "num_format": "#,##0"},
    "count": {**_NUMBER, "num_format": "0"},
    "date": {**_NUMBER, "num_format": "yyyy-mm-dd"},
    "missing": {"font_color": "#BFBFBF"},
    "input_percent": {**_NUMBER, "num_format": "0.000%"},
    "input_text": {**_NUMBER},
    "input_date": {**_NUMBER, "num_format": "yyyy-mm-dd"},
}
_INPUT: Final = {"bg_color": "#FFF2CC", "font_color": "#0000FF", "border": 1, "locked": False}


class Workbook:
    """A workbook in the making.

    Parameters
    ----------
    path
        File to write.
    properties
        Document properties; with ``created`` among them, equal content gives equal bytes.
    """

    def __init__(self, path: str, properties: dict[str, Any]) -> None:
        # A ticker such as =CMD or a name that looks like an address stays text.
        options = {"strings_to_formulas": False, "strings_to_urls": False}
        self._book = xlsxwriter.Workbook(path, options)
        self._book.set_properties(properties)
        self._styles = {
            name: self._book.add_format(
                _FONT | look | (_INPUT if name.startswith("input_") else {})
            )
            for name, look in STYLES.items()
        }

    def sheet(self, name: str) -> "Sheet":
        """Add a sheet, printed on A4 as wide as the page."""
        page = self._book.add_worksheet(name)
        page.set_landscape()
        page.set_paper(9)
        page.fit_to_pages(1, 0)
        page.hide_gridlines(2)
        return Sheet(name, page, self._styles)

    def define(self, name: str, sheet: "Sheet", row: int, column: int) -> None:
        """Give a cell a name that formulas use."""
        self._book.define_name(name, f"={sheet.cell(row, column)}")

    def line_chart(self, title: str, axis_format: str) -> Any:  # noqa: ANN401 - untyped library
        """Line chart over months, to be filled with series and inserted."""
        chart = self._book.add_chart({"type": "line"})
        chart.set_title({"name": title, "name_font": {"size": 12}})
        chart.set_x_axis(
            {
                "date_axis": True,
                "num_format": "yyyy",
                "major_unit": 2,
                "major_unit_type": "years",
                "label_position": "low",
            }
        )
        grid = {"visible": True, "line": {"width": 0.5, "color": "#D9D9D9"}}
        chart.set_y_axis({"num_format": axis_format, "major_gridlines": grid})
        chart.set_legend({"position": "bottom"})
        # Else LibreOffice draws a missing month as 0.
        chart.show_blanks_as("span")
        chart.show_na_as_empty_cell()
        chart.set_size({"width": 900, "height": 320})
        return chart

    def close(self) -> None:
        """Write the file."""
        self._book.close()


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet; rows and columns count from 0."""

    name: str
    page: Any
    styles: dict[str, Any] = field(repr=False)

    def put(self, row: int, column: int, value: Value, style: str = "text") -> None:
        """Write a value; None leaves the cell empty."""
        look = self.styles[style]
        if isinstance(value, str):
            self.page.write_string(row, column, value, look)
        elif isinstance(value, bool):
            self.page.write_string(row, column, "yes" if value else "no", look)
        elif isinstance(value, date):
            self.page.write_datetime(row, column, value, look)
        elif value is not None:
            self.page.write_number(row, column, value, look)

    def formula(self, row: int, column: int, formula: str, value: Value, style: str) -> None:
        """Write a formula and the value it has; None stands for empty text."""
        stored = (value - _FIRST_DAY).days if isinstance(value, date) else value
        shown = "" if stored is None else stored
        self.page.write_formula(row, column, f"={formula}", self.styles[style], shown)

    def header(self, row: int, names: Sequence[str], *, texts: int = 0, column: int = 0) -> None:
        """Write column names, the first ``texts`` of them over text."""
        self.page.set_row(row, _HEADER_HEIGHT)
        for place, name in enumerate(names):
            self.put(row, column + place, name, "header" if place < texts else "header_number")

    def widths(self, *widths: float) -> None:
        """Set the widths of the first columns, in characters; the last one holds for the rest."""
        for column, width in enumerate(widths):
            self.page.set_column(column, column, width)
        self.page.set_column(len(widths), 255, widths[-1])

    def cell(self, row: int, column: int) -> str:
        """Absolute address of a cell, for formulas of any sheet."""
        return f"'{self.name}'!{xl_rowcol_to_cell(row, column, row_abs=True, col_abs=True)}"

    def beside(self, row: int, column: int) -> str:
        """Relative address, for formulas that differ from row to row."""
        return f"'{self.name}'!{xl_rowcol_to_cell(row, column)}"

    def column(self, column: int, first: int, last: int) -> str:
        """Absolute address of rows ``first`` to ``last`` of a column."""
        letter = xl_col_to_name(column, col_abs=True)
        return f"'{self.name}'!{letter}${first + 1}:{letter}${last + 1}"

    def row(self, row: int, first: int, last: int) -> str:
        """Absolute address of columns ``first`` to ``last`` of a row."""
        end = xl_rowcol_to_cell(row, last, row_abs=True, col_abs=True)
        return f"{self.cell(row, first)}:{end}"


# Spreadsheets count days from here (1900 is a leap year to them).
_FIRST_DAY = date(1899, 12, 30)
