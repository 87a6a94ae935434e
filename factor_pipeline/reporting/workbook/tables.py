"""Sheets of values: holdings, signals, factors, files, notes."""

import math
from collections.abc import Mapping
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.metrics import METRICS
from factor_pipeline.reporting.workbook.data import Build, WorkbookData
from factor_pipeline.reporting.workbook.figures import Figures, InputCells
from factor_pipeline.reporting.workbook.grid import (
    FIRST_COLUMN,
    FIRST_ROW,
    HEADER_ROW,
    SIMULATED,
    Grid,
)
from factor_pipeline.reporting.workbook.returns import COUNTED, fill_month_column
from factor_pipeline.reporting.workbook.sheets import Sheet
from factor_pipeline.reporting.workbook.summary import STATISTICS
from factor_pipeline.schemas.signal import CHARACTERISTIC

_HOLDINGS: Final[Mapping[str, tuple[str, str]]] = {
    "strategy": ("Strategy", "text"),
    "ticker": ("Ticker", "text"),
    "company": ("Name", "text"),
    "sector": ("Sector", "text"),
    "status": ("Status", "text"),
    "drifted_weight": ("Weight before trading", "percent"),
    "weight": ("Weight", "percent"),
    "traded": ("Traded", "percent"),
    "ret": ("Return", "percent"),
    "closing_weight": ("Closing weight", "percent"),
    "month_end": ("Month end", "date"),
    "security_id": ("security_id", "text"),
}
_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "data_set": ("Data set", "text"),
    "source": ("Source", "text"),
    "file": ("File", "text"),
    "vintage": ("Vintage", "text"),
    "status": ("Status", "text"),
    "sha256": ("SHA-256", "text"),
    "rows": ("Rows", "money"),
}
# Characters: up to trillions of dollars; hashes need not be read in full.
_NARROWEST: Final = {"money": 17}
_WIDEST = 40


def fill_holdings(grid: Grid, data: WorkbookData) -> None:
    """Write what each strategy holds."""
    _table(grid.sheets["Holdings"], data.holdings, _HOLDINGS, fixed=2)


def fill_signals(grid: Grid, data: WorkbookData) -> None:
    """Write all signals of the newest month."""
    # A file published by another release may have other signals: its columns count.
    units = {column.name: column.unit for column in CHARACTERISTIC.columns}
    columns = {name: _HOLDINGS[name] for name in ("ticker", "company", "sector")}
    for name, dtype in data.signals.schema.items():
        if name not in columns:
            columns[name] = (name, _style(dtype, units.get(name, "")))
    _table(grid.sheets["Signals"], data.signals, columns, fixed=1)


def _style(dtype: pl.DataType, unit: str) -> str:
    if dtype == pl.Date:
        return "date"
    if dtype != pl.Float64:
        return "text"
    return "percent" if unit.startswith("decimal") else "money" if unit == "USD" else "number"


def fill_files(grid: Grid, data: WorkbookData) -> None:
    """Write the files with their hashes."""
    _table(grid.sheets["Files"], data.files, _FILES, fixed=0)


def fill_factors(grid: Grid, data: WorkbookData, figures: Figures) -> None:
    """Write factor returns, and formulas of their means and volatilities over the months chosen."""
    sheet = grid.sheets["Factors"]
    fill_month_column(grid, sheet)
    sheet.widths(18, 13)
    below = grid.last_row + 2
    for place, label in enumerate(("Months counted", "Mean per year", "Volatility per year")):
        sheet.put(below + place, 0, label, "label")
    place_of = {month: place for place, month in enumerate(grid.month_ends)}
    counts = grid.sheets["Months"].column(COUNTED, FIRST_ROW, grid.last_row)
    series = data.factors.partition_by("edition", "factor", maintain_order=True, as_dict=True)
    for column, ((edition, factor), frame) in enumerate(series.items(), start=FIRST_COLUMN):
        sheet.put(HEADER_ROW, column, f"{factor} {edition}", "header_number")
        returns = np.full(len(place_of), np.nan)
        for month, ret in frame.select("month_end", "ret").iter_rows():
            if month in place_of:
                returns[place_of[month]] = ret
                sheet.put(FIRST_ROW + place_of[month], column, ret, "percent")
        own = sheet.column(column, FIRST_ROW, grid.last_row)
        number, mean = sheet.cell(below, column), sheet.cell(below + 1, column)
        counted = returns[figures.in_window & ~np.isnan(returns)]
        has_risk = counted.size > 1
        sheet.formula(
            below, column, f"SUMPRODUCT({counts}*ISNUMBER({own}))", float(counted.size), "count"
        )
        sheet.formula(
            below + 1,
            column,
            f'IF({number}=0,"",12*SUMPRODUCT({counts}*{own})/{number})',
            12 * float(counted.mean()) if counted.size else None,
            "percent",
        )
        sheet.formula(
            below + 2,
            column,
            f'IF({number}<2,"",SQRT(12*SUMPRODUCT({counts}*ISNUMBER({own})*({own}-{mean}/12)^2)'
            f"/({number}-1)))",
            float(counted.std(ddof=1)) * math.sqrt(12) if has_risk else None,
            "percent",
        )


def fill_notes(grid: Grid, build: Build, inputs: InputCells) -> None:
    """Write definitions, and what the numbers were made of."""
    sheet = grid.sheets["Notes"]
    sheet.widths(26, 110)
    description = {metric.name: metric.description for metric in METRICS}
    risk_free = "the library's series"
    if inputs.risk_free_rate is not None:
        risk_free = f"{inputs.risk_free_rate:.3%} a year"
    blocks: dict[str, list[tuple[str, str]]] = {
        "Made of": [
            ("Data", SIMULATED if build.simulated else "Files of vendors; see sheet Files."),
            ("Months", f"{build.first_day:%Y-%m} to {build.last_day:%Y-%m}"),
            ("Run", build.run_id),
            ("Inputs", f"{build.inputs} (hash over the hashes on sheet Files)"),
            ("Code version", build.code_version),
            ("Built", f"{build.finished_at:%Y-%m-%d %H:%M} UTC"),
        ],
        "How to use it": [
            (
                "Inputs",
                "Change a yellow cell of sheet Inputs: everything but published values follows.",
            ),
            ("Cost as written", f"{inputs.cost_per_traded:.3%} of the notional traded"),
            ("Risk-free rate as written", risk_free),
            (
                "What does not follow",
                (
                    "Holdings and gross returns are those of the warehouse: a cost changes what is "
                    "paid, not what is traded."
                ),
            ),
            ("Missing values", "An empty cell is a missing value, never 0."),
        ],
        "Definitions": [
            (
                "Timing",
                (
                    "Holdings of a month were chosen by what was known before it began; weights "
                    "are shares of the capital, negative for shorts."
                ),
            ),
            ("Net return", "(1 - cost)(1 + gross - other costs) - 1, per month."),
            ("Cost", "Cost per traded notional x traded, at most 1, paid at the month's start."),
            ("Traded", "Sum of the absolute changes of weights, a first purchase included."),
            ("Wealth", "Growth of 1; a month without a return leaves it as it is."),
            (
                "Benchmark wealth",
                "In the charts it is 1 when the strategy shown starts; its drawdown is its own.",
            ),
            ("Drawdown", "Wealth over its highest value so far, the 1 at the start included, - 1."),
            (
                "Long-short",
                (
                    "Both legs are as large as the capital, which earns the risk-free rate: its "
                    "return is that of the collateral plus the spread."
                ),
            ),
            *((one.header, description[one.metric]) for one in STATISTICS),
        ],
    }
    row = HEADER_ROW
    for title, lines in blocks.items():
        sheet.put(row, 0, title, "header")
        sheet.put(row, 1, "", "header")
        for label, text in lines:
            row += 1
            sheet.put(row, 0, label, "label")
            sheet.put(row, 1, text, "note")
        row += 2


def _table(
    sheet: Sheet, frame: pl.DataFrame, columns: Mapping[str, tuple[str, str]], *, fixed: int
) -> None:
    """Write a frame with filters; the first ``fixed`` columns stay in sight."""
    first = HEADER_ROW + 1
    sheet.header(HEADER_ROW, ())
    for place, (name, (header, style)) in enumerate(columns.items()):
        values = frame[name]
        widest = max(len(header), _NARROWEST.get(style, 10))
        look, heading = style, "header_number"
        if style == "text":
            # An identifier is no quantity, and too long for a spreadsheet's numbers.
            values = values.cast(pl.String)
            widest = max([widest, *values.drop_nulls().str.len_chars()])
            look, heading = ("indented", "header_note") if place else ("text", "header")
        sheet.page.set_column(place, place, min(widest + 2, _WIDEST))
        sheet.put(HEADER_ROW, place, header, heading)
        for row, value in enumerate(values.to_list(), start=first):
            sheet.put(row, place, value, look)
    sheet.page.freeze_panes(first, fixed)
    if frame.height:
        sheet.page.autofilter(HEADER_ROW, 0, HEADER_ROW + frame.height, len(columns) - 1)
