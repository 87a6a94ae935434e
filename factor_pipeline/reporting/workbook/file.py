"""From the published file to an Excel workbook whose formulas follow its input cells."""

import os
from pathlib import Path
from typing import Final

from xlsxwriter.exceptions import XlsxWriterException  # type: ignore[import-untyped]

from factor_pipeline.errors import SettingsError
from factor_pipeline.reporting.workbook.data import WorkbookData, read_workbook_data
from factor_pipeline.reporting.workbook.figures import (
    Accounts,
    Figures,
    InputCells,
    Inputs,
    figures,
    input_cells,
)
from factor_pipeline.reporting.workbook.grid import lay_out
from factor_pipeline.reporting.workbook.inputs import fill_inputs
from factor_pipeline.reporting.workbook.returns import fill_months, fill_returns
from factor_pipeline.reporting.workbook.sheets import Workbook
from factor_pipeline.reporting.workbook.strategy import fill_charts, fill_strategy
from factor_pipeline.reporting.workbook.summary import fill_summary
from factor_pipeline.reporting.workbook.tables import (
    fill_factors,
    fill_files,
    fill_holdings,
    fill_notes,
    fill_signals,
)

FILE_NAME: Final = "factor_workbook.xlsx"

_AS_PUBLISHED: Final = Inputs()


def write_workbook(published: Path, target: Path, inputs: Inputs = _AS_PUBLISHED) -> None:
    """Write the published results as a workbook that recomputes when an input cell changes.

    Net returns, wealth, drawdowns and the summary are formulas of Excel and LibreOffice on the
    published gross returns and traded notionals; each cell also carries its value, for viewers
    that do not compute.

    Parameters
    ----------
    published
        The published file.
    target
        The workbook (.xlsx); a file that is there is replaced whole.
    inputs
        Values of the input cells; by default what the warehouse used, with which the summary is
        that of ``backtest.summary``.

    Raises
    ------
    QueryError
        When nothing is published yet, or no strategy has returns.
    SettingsError
        When ``inputs`` name a strategy that is not published or a value out of range, or the file
        cannot be written.

    Notes
    -----
    The same published file and inputs give the same bytes.
    """
    data = read_workbook_data(published)
    accounts = Accounts.of(data)
    values = input_cells(inputs, accounts)
    partial = target.with_suffix(".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _fill(partial, data, accounts, values)
        partial.replace(target)
    except (OSError, XlsxWriterException) as error:
        reason = str(error)
        if isinstance(error, OSError):
            reason = error.strerror or os.strerror(error.errno or 0)
        raise SettingsError(
            f"cannot write the workbook to {target}: {reason}; name another folder"
        ) from error


def _fill(path: Path, data: WorkbookData, accounts: Accounts, inputs: InputCells) -> None:
    result: Figures = figures(accounts, inputs)
    build = data.build
    book = Workbook(
        str(path),
        {
            "title": "Factor workbook",
            "comments": f"run {build.run_id}",
            "created": build.finished_at,
        },
    )
    costs = {"Further cost": accounts.further_cost, "Holding cost": accounts.holding_cost}
    grid = lay_out(
        book,
        accounts.strategies,
        accounts.months,
        simulated=build.simulated,
        # Without such costs in any month the sheet would be all zeros.
        without=frozenset(name for name, cost in costs.items() if not (cost > 0).any()),
    )
    fill_inputs(book, grid, accounts, result, inputs)
    fill_summary(grid, accounts, result)
    fill_charts(book, grid)
    fill_strategy(grid, accounts, result, inputs)
    fill_holdings(grid, data)
    fill_signals(grid, data)
    fill_factors(grid, data, result)
    fill_months(grid, accounts, result)
    fill_returns(grid, accounts, result)
    fill_notes(grid, build, inputs)
    fill_files(grid, data)
    book.close()
