"""Sheets of a row per month and a column per strategy: what was published, and what follows."""

from collections.abc import Callable

import numpy as np

from factor_pipeline.reporting.workbook import inputs as names
from factor_pipeline.reporting.workbook.figures import Accounts, Figures, Floats
from factor_pipeline.reporting.workbook.grid import (
    FIRST_COLUMN,
    FIRST_ROW,
    HEADER_ROW,
    START_ROW,
    Grid,
)
from factor_pipeline.reporting.workbook.inputs import rate_cell
from factor_pipeline.reporting.workbook.sheets import Sheet

MONTH, LIBRARY_RATE, RATE, COUNTED = range(4)
"""Columns of sheet Months."""

Formula = Callable[[int, int], str]


def fill_months(grid: Grid, accounts: Accounts, figures: Figures) -> None:
    """Write month ends, the library's and the used risk-free rate, and which months count."""
    sheet = grid.sheets["Months"]
    sheet.header(HEADER_ROW, ["Month end", "Library rate", "Rate in use", "Counted"])
    sheet.widths(12, 14)
    sheet.page.freeze_panes(FIRST_ROW, 1)
    for place, month in enumerate(accounts.months):
        row = FIRST_ROW + place
        library, month_end = sheet.beside(row, LIBRARY_RATE), sheet.beside(row, MONTH)
        sheet.put(row, MONTH, month, "date")
        sheet.put(row, LIBRARY_RATE, known(accounts.risk_free[place]), "number")
        sheet.formula(
            row,
            RATE,
            f'IF({names.RISK_FREE_SOURCE}="{names.CONSTANT}",(1+{names.RISK_FREE_RATE})^(1/12)-1,'
            f'IF(ISNUMBER({library}),{library},""))',
            known(figures.risk_free[place]),
            "number",
        )
        sheet.formula(
            row,
            COUNTED,
            f"IF(AND({month_end}>={names.FIRST_MONTH},{month_end}<={names.LAST_MONTH}),1,0)",
            float(figures.in_window[place]),
            "count",
        )


def fill_returns(grid: Grid, accounts: Accounts, figures: Figures) -> None:
    """Write published returns and costs, and the formulas of net returns, wealth and drawdown."""
    _values(grid, "Gross", accounts.gross)
    _values(grid, "Traded", accounts.traded)
    for name, cost in (
        ("Further cost", accounts.further_cost),
        ("Holding cost", accounts.holding_cost),
    ):
        if name in grid.sheets:
            _values(grid, name, cost)

    def at(sheet: str, row: int, strategy: int) -> str:
        return grid.sheets[sheet].beside(row, FIRST_COLUMN + strategy)

    def net(row: int, strategy: int) -> str:
        gross, counted = at("Gross", row, strategy), grid.sheets["Months"].beside(row, COUNTED)
        further = f"+{at('Further cost', row, strategy)}" if "Further cost" in grid.sheets else ""
        held = f"-{at('Holding cost', row, strategy)}" if "Holding cost" in grid.sheets else ""
        cost = f"MIN(1,{rate_cell(grid, strategy)}*{at('Traded', row, strategy)}{further})"
        return f'IF(AND({counted}=1,ISNUMBER({gross})),(1-{cost})*MAX(0,1+{gross}{held})-1,"")'

    def wealth(row: int, strategy: int) -> str:
        before, ret = at("Wealth", row - 1, strategy), at("Net", row, strategy)
        return f"IF(ISNUMBER({ret}),{before}*(1+{ret}),{before})"

    def drawdown(row: int, strategy: int) -> str:
        high = grid.sheets["Wealth"].column(FIRST_COLUMN + strategy, START_ROW, row)
        return f"{at('Wealth', row, strategy)}/MAX({high})-1"

    def excess(row: int, strategy: int) -> str:
        ret, rate = at("Net", row, strategy), grid.sheets["Months"].beside(row, RATE)
        return f'IF(AND(ISNUMBER({ret}),ISNUMBER({rate})),{ret}-{rate},"")'

    _formulas(grid, "Net", net, figures.net, "percent")
    _formulas(grid, "Wealth", wealth, figures.wealth, "number")
    _formulas(grid, "Drawdown", drawdown, figures.drawdown, "percent")
    _formulas(grid, "Excess", excess, figures.excess, "percent")
    for place in range(len(grid.strategies)):
        grid.sheets["Wealth"].put(START_ROW, FIRST_COLUMN + place, 1.0, "number")
        grid.sheets["Drawdown"].put(START_ROW, FIRST_COLUMN + place, 0.0, "percent")


def fill_month_column(grid: Grid, sheet: Sheet) -> None:
    """Write the month ends into the first column, and keep it and the header in sight."""
    sheet.header(HEADER_ROW, ["Month end"])
    for place, month in enumerate(grid.month_ends):
        sheet.put(FIRST_ROW + place, 0, month, "date")
    sheet.page.freeze_panes(FIRST_ROW, 1)


def known(value: float) -> float | None:
    """Return the number, None for NaN."""
    return None if np.isnan(value) else float(value)


def _sheet(grid: Grid, name: str) -> Sheet:
    sheet = grid.sheets[name]
    fill_month_column(grid, sheet)
    sheet.header(HEADER_ROW, grid.strategies, column=FIRST_COLUMN)
    sheet.widths(12, 15)
    return sheet


def _values(grid: Grid, name: str, values: Floats) -> None:
    sheet = _sheet(grid, name)
    for (place, strategy), value in np.ndenumerate(values):
        sheet.put(FIRST_ROW + place, FIRST_COLUMN + strategy, known(value), "percent")


def _formulas(grid: Grid, name: str, formula: Formula, values: Floats, style: str) -> None:
    sheet = _sheet(grid, name)
    for (place, strategy), value in np.ndenumerate(values):
        row = FIRST_ROW + place
        sheet.formula(row, FIRST_COLUMN + strategy, formula(row, strategy), known(value), style)
