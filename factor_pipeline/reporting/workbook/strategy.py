"""The strategy shown, beside the benchmark, and the charts."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from factor_pipeline.compute.strategies import BENCHMARK
from factor_pipeline.reporting.workbook.figures import Accounts, Figures, Floats, InputCells
from factor_pipeline.reporting.workbook.grid import (
    FIRST_COLUMN,
    FIRST_ROW,
    HEADER_ROW,
    START_ROW,
    Grid,
)
from factor_pipeline.reporting.workbook.inputs import SHOWN
from factor_pipeline.reporting.workbook.returns import fill_month_column
from factor_pipeline.reporting.workbook.sheets import Workbook

_NET, _WEALTH, _DRAWDOWN = 3, 4, 5
_BENCHMARK_NET, _BENCHMARK_WEALTH, _BENCHMARK_DRAWDOWN, _BENCHMARK_BEFORE = 6, 7, 8, 9
_CHARTED_STRATEGIES = 10
_CHART_ROWS = 17
_SHOWN_COLOUR, _BENCHMARK_COLOUR = "#1F5A96", "#8C8C8C"
_DRAWN: Final = frozenset({"Wealth", "Drawdown"})


@dataclass(frozen=True, slots=True)
class _Series:
    """A column: what is taken from which sheet, in which months, shape (T,).

    ``place`` is the number of the strategy there, or a formula for it; ``divisor`` a cell.
    """

    header: str
    sheet: str
    place: str
    values: Floats
    is_shown: npt.NDArray[np.bool_]
    divisor: str = ""

    @property
    def style(self) -> str:
        return "number" if self.sheet == "Wealth" else "percent"


def fill_strategy(grid: Grid, accounts: Accounts, figures: Figures, inputs: InputCells) -> None:
    """Write the strategy shown and, from its first month on, the benchmark if there is one.

    The benchmark's wealth is that of 1 invested when the strategy starts.
    """
    sheet = grid.sheets["Strategy"]
    fill_month_column(grid, sheet)
    sheet.widths(12, 15)
    sheet.formula(START_ROW, _NET, SHOWN, inputs.strategy, "header_number")
    shown = accounts.strategies.index(inputs.strategy)
    is_known = ~np.isnan(figures.net[:, shown])
    place = f"MATCH({SHOWN},{grid.across('Gross', HEADER_ROW)},0)"
    sources = {
        "Gross": accounts.gross,
        "Traded": accounts.traded,
        "Net": figures.net,
        "Wealth": figures.wealth,
        "Drawdown": figures.drawdown,
    }
    _fill(
        grid,
        1,
        [
            _Series(name, name, place, values[:, shown], is_known)
            for name, values in sources.items()
        ],
    )
    if BENCHMARK in accounts.strategies:
        benchmark = accounts.strategies.index(BENCHMARK)
        before = _fill_benchmark_before(grid, figures, benchmark, is_known)
        has_both = np.logical_or.accumulate(is_known) & ~np.isnan(figures.net[:, benchmark])
        number = str(benchmark + 1)
        wealth = figures.wealth[:, benchmark] / before
        divisor = sheet.cell(START_ROW, _BENCHMARK_BEFORE)
        of_benchmark = [
            _Series("Benchmark net", "Net", number, figures.net[:, benchmark], has_both),
            _Series("Benchmark wealth", "Wealth", number, wealth, has_both, divisor),
            _Series(
                "Benchmark drawdown",
                "Drawdown",
                number,
                figures.drawdown[:, benchmark],
                has_both,
            ),
        ]
        _fill(grid, _BENCHMARK_NET, of_benchmark)
    grey = {"type": "errors", "format": sheet.styles["missing"]}
    sheet.page.conditional_format(FIRST_ROW, 1, grid.last_row, _BENCHMARK_BEFORE, grey)


def _fill_benchmark_before(
    grid: Grid, figures: Figures, benchmark: int, is_known: npt.NDArray[np.bool_]
) -> float:
    """Write the benchmark's wealth before the first month of the strategy shown; return it."""
    sheet = grid.sheets["Strategy"]
    sheet.header(HEADER_ROW, ["Benchmark before"], column=_BENCHMARK_BEFORE)
    net = sheet.column(_NET, FIRST_ROW, grid.last_row)
    # Starts a row earlier than the months do, so that a month's place is that of the row before.
    wealth = grid.sheets["Wealth"].column(FIRST_COLUMN + benchmark, START_ROW, grid.last_row)
    first = f'MATCH(_xlfn.MINIFS({grid.months()},{net},">=-1"),{grid.months()},0)'
    value = 1.0
    if is_known.any() and (start := int(np.argmax(is_known))):
        value = float(figures.wealth[start - 1, benchmark])
    formula = f"IF(COUNT({net})=0,1,INDEX({wealth},{first}))"
    sheet.formula(START_ROW, _BENCHMARK_BEFORE, formula, value, "number")
    return value


def _fill(grid: Grid, first_column: int, columns: list[_Series]) -> None:
    sheet = grid.sheets["Strategy"]
    sheet.header(HEADER_ROW, [one.header for one in columns], column=first_column)
    for column, one in enumerate(columns, start=first_column):
        # A chart leaves out #N/A, and draws empty text as 0.
        nothing, shown_nothing = ("NA()", "#N/A") if one.sheet in _DRAWN else ('""', None)
        for month, value in enumerate(one.values):
            row = FIRST_ROW + month
            condition = f"ISNUMBER(INDEX({grid.across('Net', row)},{one.place}))"
            if first_column == _BENCHMARK_NET:
                condition = f"AND(COUNT({sheet.column(_NET, FIRST_ROW, row)})>0,{condition})"
            found = f"INDEX({grid.across(one.sheet, row)},{one.place})"
            if one.divisor:
                found = f"{found}/{one.divisor}"
            sheet.formula(
                row,
                column,
                f"IF({condition},{found},{nothing})",
                float(value) if one.is_shown[month] else shown_nothing,
                one.style,
            )


def fill_charts(book: Workbook, grid: Grid) -> None:
    """Draw growth of 1 and drawdown of the strategy shown, and growth of 1 of all."""
    page, strategy = grid.sheets["Charts"].page, grid.sheets["Strategy"]
    row = HEADER_ROW
    for title, axis, shown, benchmark in (
        ("Growth of 1, net of costs", "0.0", _WEALTH, _BENCHMARK_WEALTH),
        ("Drawdown", "0%", _DRAWDOWN, _BENCHMARK_DRAWDOWN),
    ):
        chart = book.line_chart(title, axis)
        lines = [(f"={strategy.cell(START_ROW, _NET)}", shown, 1.75, _SHOWN_COLOUR)]
        if BENCHMARK in grid.strategies:
            lines.append((BENCHMARK, benchmark, 1.25, _BENCHMARK_COLOUR))
        for name, column, width, colour in lines:
            chart.add_series(
                {
                    "name": name,
                    "categories": f"={strategy.column(0, FIRST_ROW, grid.last_row)}",
                    "values": f"={strategy.column(column, FIRST_ROW, grid.last_row)}",
                    "line": {"width": width, "color": colour},
                }
            )
        page.insert_chart(row, 0, chart)
        row += _CHART_ROWS
    chart = book.line_chart("Growth of 1, all strategies (flat where there is no return)", "0.0")
    wealth = grid.sheets["Wealth"]
    for place in range(min(len(grid.strategies), _CHARTED_STRATEGIES)):
        chart.add_series(
            {
                "name": f"={wealth.cell(HEADER_ROW, FIRST_COLUMN + place)}",
                "categories": f"={wealth.column(0, FIRST_ROW, grid.last_row)}",
                "values": f"={grid.of_strategy('Wealth', place)}",
                "line": {"width": 1.25},
            }
        )
    page.insert_chart(row, 0, chart)
    page.set_portrait()
    page.fit_to_pages(1, 1)
