"""Where things are: the sheets, and one row per month, one column per strategy on each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from factor_pipeline.reporting.workbook.sheets import Sheet, Workbook

SHEETS: Final = {
    "Inputs": "Inputs",
    "Summary": "Statistics of net returns, over the months chosen on sheet Inputs",
    "Charts": "Charts",
    "Strategy": "The strategy chosen on sheet Inputs, month by month",
    "Holdings": "Holdings of the newest month of the backtest",
    "Signals": "Signals of the newest month, known before it began",
    "Factors": "Monthly factor returns: own, and those of the library by vintage",
    "Net": "Net returns: (1 - cost)(1 + gross - other costs) - 1",
    "Wealth": "Growth of 1, net of costs; flat where there is no return",
    "Drawdown": "Wealth over its highest value so far, less 1",
    "Excess": "Net returns over the risk-free rate",
    "Gross": "Returns before costs, as published",
    "Traded": "Notional bought and sold at the start of the month, as a share of the capital",
    "Further cost": "Cost of trading beyond the cost per traded notional, as of wider spreads",
    "Holding cost": "Cost at the end of the month whatever is traded, such as fees on shorts",
    "Months": "Months and the risk-free rate",
    "Notes": "Notes",
    "Files": "Files the numbers stem from",
}
"""Sheets in their order, each with its title."""

TITLE_ROW: Final = 0
NOTICE_ROW: Final = 1
HEADER_ROW: Final = 2
START_ROW: Final = 3
"""Row before the first month, in which wealth is 1."""
FIRST_ROW: Final = 4
FIRST_COLUMN: Final = 1

SIMULATED: Final = "SIMULATED MARKET: these are not real prices and no evidence on any strategy."


@dataclass(frozen=True, slots=True)
class Grid:
    """The sheets, and the cells of months and strategies.

    Attributes
    ----------
    sheets
        Sheets by name.
    strategies
        Strategies in the order of the columns.
    month_ends
        Months in the order of the rows.
    """

    sheets: dict[str, Sheet]
    strategies: Sequence[str]
    month_ends: Sequence[date]

    @property
    def last_row(self) -> int:
        """Row of the last month."""
        return FIRST_ROW + len(self.month_ends) - 1

    def months(self) -> str:
        """Address of all month ends."""
        return self.sheets["Months"].column(0, FIRST_ROW, self.last_row)

    def of_strategy(self, sheet: str, strategy: int) -> str:
        """Address of all months of a strategy on ``sheet``."""
        return self.sheets[sheet].column(FIRST_COLUMN + strategy, FIRST_ROW, self.last_row)

    def across(self, sheet: str, row: int) -> str:
        """Address of all strategies in a row of ``sheet``."""
        last = FIRST_COLUMN + len(self.strategies) - 1
        return self.sheets[sheet].row(row, FIRST_COLUMN, last)


def lay_out(
    book: Workbook,
    strategies: Sequence[str],
    month_ends: Sequence[date],
    *,
    simulated: bool,
    without: frozenset[str],
) -> Grid:
    """Add all sheets but those of ``without``, with titles and, if so, the notice of simulation."""
    sheets = {}
    for name, title in SHEETS.items():
        if name in without:
            continue
        sheet = book.sheet(name)
        sheet.put(TITLE_ROW, 0, title, "title")
        if simulated:
            sheet.put(NOTICE_ROW, 0, SIMULATED, "notice")
        sheets[name] = sheet
    return Grid(sheets, strategies, month_ends)
