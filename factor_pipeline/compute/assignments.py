"""Assignments: which stock is in which cell of which sort, month by month."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.sorts import JULY, Dimension, Sort
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, formation_july

ASSIGNMENT_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "cell": pl.String(),
    }
)


def assignments(
    stocks: pl.DataFrame,
    breakpoints: pl.DataFrame,
    sorts: Sequence[Sort],
    months: MonthRange,
) -> pl.DataFrame:
    """Cells of all stocks in ``months``.

    A value equal to a breakpoint belongs to the lower group; where breakpoints coincide, the
    groups between them are empty. A stock with a missing signal, and every stock of a month with a
    missing breakpoint, is in no cell of that sort. In a sort that rebalances in June the July row
    decides for twelve months: a stock that has no value or no row in July, or enters later, is in
    no cell until the next July; one that leaves keeps its cell for as long as it has rows.

    Parameters
    ----------
    stocks
        Unique ``month_end`` (last day of the month), ``security_id`` with every signal of
        ``sorts`` (Float64, known before the month begins; null, NaN and infinite values count as
        missing). Reaches back to the July on or before ``months``: without that July, June sorts
        have no cells until the next one.
    breakpoints
        As `compute.breakpoints.breakpoints` returns them, at least for the formation months.
    sorts
        Names are unique.
    months
        Months to give cells for.

    Returns
    -------
    pl.DataFrame
        ``sort``, ``security_id``, ``month_end``, ``cell``, ordered by sort as given, month and
        security; one row per sort, month and stock with a cell. About 40 bytes a row: a large
        market is best taken in blocks of months, whose rows are the same.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month, or ``breakpoints`` miss a formation month.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """
    signals = [dimension.signal for sort in sorts for dimension in sort.dimensions]
    month = pl.col("month_end")
    current = StockMonths.of(
        stocks.filter(month.is_between(months.start, months.end, closed="left")), signals
    )
    formed = StockMonths.of(
        stocks.filter(
            month.is_between(formation_july(months.start), months.end, closed="left"),
            month.dt.month() == JULY,
        ),
        signals,
    )
    held = current.frame.select("security_id", "month_end", formation=_formation_year())
    parts = [pl.DataFrame(schema=ASSIGNMENT_SCHEMA)]
    for sort in sorts:
        cells = _cells(formed if sort.rebalance == "june" else current, breakpoints, sort)
        if sort.rebalance == "june":
            cells = held.join(
                cells.select("security_id", "cell", formation=_formation_year()),
                on=("security_id", "formation"),
                maintain_order="left",
            )
        parts.append(cells.with_columns(sort=pl.lit(sort.name)).select(ASSIGNMENT_SCHEMA.names()))
    return pl.concat(parts)


def _formation_year() -> pl.Expr:
    month = pl.col("month_end")
    return month.dt.year() - (month.dt.month() < JULY).cast(pl.Int32)


def _cells(rows: StockMonths, breakpoints: pl.DataFrame, sort: Sort) -> pl.DataFrame:
    """``security_id``, ``month_end``, ``cell`` of the rows that have one."""
    cell = np.zeros(rows.frame.height, dtype=np.int64)
    has_cell = np.ones(rows.frame.height, dtype=np.bool_)
    for dimension in sort.dimensions:
        values = rows.values(dimension.signal)
        edges = _edges(rows, breakpoints, sort, dimension)
        group = np.zeros_like(cell)
        for edge in edges.T:
            group += values > np.repeat(edge, rows.counts)
        cell = cell * len(dimension.labels) + group
        has_cell &= ~np.isnan(values) & ~np.repeat(np.isnan(edges).any(axis=1), rows.counts)
    named = rows.frame.select(
        "security_id", "month_end", pl.Series("cell", sort.cells).gather(pl.Series(cell))
    )
    return named if has_cell.all() else named.filter(pl.Series(has_cell))


def _edges(
    rows: StockMonths, breakpoints: pl.DataFrame, sort: Sort, dimension: Dimension
) -> NDArray[np.float64]:
    """Breakpoints of each month of ``rows``, shape (months, probabilities); NaN where null."""
    found = (
        breakpoints.filter(
            pl.col("sort") == sort.name,
            pl.col("dimension") == dimension.signal,
            pl.col("month_end").is_in(rows.months.implode()),
        )
        .sort("month_end", "probability")
        .select("probability", "value")
    )
    if found["probability"].to_list() != [*dimension.probabilities] * len(rows.months):
        raise DataError(
            f"breakpoints of sort {sort.name!r} on {dimension.signal!r} do not cover each "
            "formation month once; compute them from the same stocks"
        )
    return found["value"].to_numpy().reshape(len(rows.months), len(dimension.probabilities))
