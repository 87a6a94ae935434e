"""Assignments: which stock is in which cell of which sort, month by month."""

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.cells import NO_CELL, SortedStocks
from factor_pipeline.compute.sorts import Sort
from factor_pipeline.months import MonthRange

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
    sorted_stocks = SortedStocks.of(stocks, sorts, months)
    return assigned(sorted_stocks, {sort: sorted_stocks.cells(sort, breakpoints) for sort in sorts})


def assigned(stocks: SortedStocks, cells: Mapping[Sort, NDArray[np.int16]]) -> pl.DataFrame:
    """Rows of `assignments` for the ``cells`` of each sort, as ``stocks.cells`` gives them."""
    keys = stocks.current.frame.select("security_id", "month_end")
    parts = [pl.DataFrame(schema=ASSIGNMENT_SCHEMA)]
    for sort, of_sort in cells.items():
        has_cell = of_sort != NO_CELL
        held = keys if has_cell.all() else keys.filter(pl.Series(has_cell))
        name = pl.Series("cell", sort.cells).gather(pl.Series(of_sort[has_cell].astype(np.uint32)))
        parts.append(
            held.with_columns(name, sort=pl.lit(sort.name)).select(ASSIGNMENT_SCHEMA.names())
        )
    return pl.concat(parts)
