"""Cells: which stock-month is in which cell of a sort, as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.sorts import JULY, Dimension, Sort
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months, formation_july

NO_CELL = -1


@dataclass(frozen=True, slots=True)
class SortedStocks:
    """Stocks of some months and the Julys that June sorts were formed in.

    Attributes
    ----------
    current
        Stock-months of the months asked for.
    formed
        Those of the Julys on or before them.
    july_row
        Row of ``formed`` that June sorts go by, for each row of ``current``; -1 for a stock that
        had no row in that July.
    """

    current: StockMonths
    formed: StockMonths
    july_row: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        stocks: pl.DataFrame,
        sorts: Sequence[Sort],
        months: MonthRange,
        columns: Sequence[str] = (),
    ) -> Self:
        """Take what ``sorts`` need, and ``columns``, from ``stocks``; see `assignments`.

        Raises
        ------
        SchemaError
            When ``stocks`` lacks a column.
        DataError
            When a security has two rows in a month.
        """
        month = pl.col("month_end")
        signals = [dimension.signal for sort in sorts for dimension in sort.dimensions]
        of_june = [d.signal for s in sorts for d in s.dimensions if s.rebalance == "june"]
        current = StockMonths.of(
            stocks.filter(month.is_between(months.start, months.end, closed="left")),
            [*signals, *columns],
        )
        formed = StockMonths.of(
            stocks.filter(
                month.is_between(formation_july(months.start), months.end, closed="left"),
                month.dt.month() == JULY,
            ),
            of_june,
        )
        julys = [add_months(formation_july(end), 1) - timedelta(days=1) for end in current.months]
        return cls(current, formed, formed.rows_in(julys, current))

    def cells(self, sort: Sort, breakpoints: pl.DataFrame) -> NDArray[np.int16]:
        """Index of the cell of each row of ``current`` in ``sort.cells``; -1 where it has none.

        Raises
        ------
        DataError
            When ``breakpoints`` do not cover each formation month once.
        """
        if sort.rebalance == "monthly":
            return _cells(self.current, breakpoints, sort)
        known = self.july_row >= 0
        cells = np.full(len(known), NO_CELL, dtype=np.int16)
        cells[known] = _cells(self.formed, breakpoints, sort)[self.july_row[known]]
        return cells


def _cells(rows: StockMonths, breakpoints: pl.DataFrame, sort: Sort) -> NDArray[np.int16]:
    cells = np.zeros(rows.frame.height, dtype=np.int16)
    has_cell = np.ones(len(cells), dtype=np.bool_)
    for dimension in sort.dimensions:
        values = rows.values(dimension.signal)
        edges = _edges(rows, breakpoints, sort, dimension)
        cells *= len(dimension.labels)
        for month, segment in enumerate(rows.segments()):
            # Counts the breakpoints below a value: an equal one belongs to the lower group.
            cells[segment] += np.searchsorted(edges[month], values[segment]).astype(np.int16)
        has_cell &= ~np.isnan(values) & ~np.repeat(np.isnan(edges).any(axis=1), rows.counts)
    cells[~has_cell] = NO_CELL
    return cells


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
