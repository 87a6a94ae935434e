"""Statistics of every strategy, as formulas."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from factor_pipeline.compute.performance import MIN_MONTHS
from factor_pipeline.reporting.workbook.figures import Accounts, Figures
from factor_pipeline.reporting.workbook.grid import FIRST_COLUMN, HEADER_ROW, Grid

# Risk that is rounding only; the same bound as in compute.performance.
_NO_RISK = "1E-12"


@dataclass(frozen=True, slots=True)
class Statistic:
    """A column of the summary.

    Attributes
    ----------
    header
        Name as people read it.
    metric
        Its name in ``backtest.summary``.
    formula
        Formula with {net}, {excess}, {traded}, {drawdown}, {wealth} (last month) in place of the
        addresses of a strategy.
    style
        How it is shown.
    counted
        What must have twelve months for it: ``net`` or ``excess``; empty for none.
    """

    header: str
    metric: str
    formula: str
    style: str
    counted: str = "net"


def _per_risk(series: str) -> str:
    return (
        f"IF(STDEV({series})>{_NO_RISK}*MAX(MAX({series}),-MIN({series})),"
        f'AVERAGE({series})/STDEV({series})*SQRT(12),"")'
    )


STATISTICS = (
    Statistic("Months", "months", "COUNT({net})", "count", counted=""),
    Statistic("CAGR", "cagr", "{wealth}^(12/COUNT({net}))-1", "percent"),
    Statistic("Arithmetic mean", "annual_return", "12*AVERAGE({net})", "percent"),
    Statistic("Volatility", "volatility", "STDEV({net})*SQRT(12)", "percent"),
    Statistic("Sharpe", "sharpe", _per_risk("{excess}"), "ratio", counted="excess"),
    Statistic("Return to risk", "return_to_risk", _per_risk("{net}"), "ratio"),
    Statistic("Max drawdown", "max_drawdown", "MIN({drawdown})", "percent"),
    Statistic("Best month", "best_month", "MAX({net})", "percent"),
    Statistic("Worst month", "worst_month", "MIN({net})", "percent"),
    Statistic("Hit rate", "hit_rate", 'COUNTIF({net},">0")/COUNT({net})', "percent"),
    Statistic(
        "Turnover per month",
        "average_turnover",
        "SUMPRODUCT(ISNUMBER({net})*{traded})/2/COUNT({net})",
        "percent",
    ),
)
"""Statistics of the summary, those of ``compute.performance`` by the same definitions."""


def fill_summary(grid: Grid, accounts: Accounts, figures: Figures) -> None:
    """Write a row per strategy: months and statistics, all formulas."""
    sheet = grid.sheets["Summary"]
    headers = ["Strategy", "First month", "Last month", *(one.header for one in STATISTICS)]
    sheet.header(HEADER_ROW, headers, texts=1)
    sheet.widths(max(map(len, [*grid.strategies, "Strategy"])) + 2, 12)
    sheet.page.freeze_panes(HEADER_ROW + 1, 1)
    for place, name in enumerate(grid.strategies):
        row = HEADER_ROW + 1 + place
        cells = {
            "net": grid.of_strategy("Net", place),
            "excess": grid.of_strategy("Excess", place),
            "traded": grid.of_strategy("Traded", place),
            "drawdown": grid.of_strategy("Drawdown", place),
            "wealth": grid.sheets["Wealth"].cell(grid.last_row, FIRST_COLUMN + place),
        }
        sheet.put(row, 0, name)
        counted = np.flatnonzero(~np.isnan(figures.net[:, place]))
        ends: tuple[date | None, date | None] = (None, None)
        if counted.size:
            ends = accounts.months[counted[0]], accounts.months[counted[-1]]
        for column, (function, end) in enumerate(zip(("MINIFS", "MAXIFS"), ends, strict=True)):
            # Returns are at least -1, and text in their place is not.
            found = f'_xlfn.{function}({grid.months()},{cells["net"]},">=-1")'
            formula = f'IF(COUNT({cells["net"]})=0,"",{found})'
            sheet.formula(row, 1 + column, formula, end, "date")
        for column, one in enumerate(STATISTICS):
            formula = one.formula.format(**cells)
            if one.counted:
                formula = f'IF(COUNT({cells[one.counted]})<{MIN_MONTHS},"",{formula})'
            value = figures.summary[name].get(one.metric, 0 if one.metric == "months" else None)
            sheet.formula(row, 3 + column, formula, value, one.style)
    note = HEADER_ROW + 2 + len(grid.strategies)
    sheet.put(
        note,
        0,
        "Each strategy over its own months within those chosen on sheet Inputs; empty with fewer "
        f"than {MIN_MONTHS}. Definitions are on sheet Notes.",
    )
