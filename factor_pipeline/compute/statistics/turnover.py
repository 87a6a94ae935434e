"""Turnover of sorted portfolios: what has to be traded to hold them month after month."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.cell_returns import (
    DEFAULT_PORTFOLIO_RULE,
    PortfolioRule,
    portfolio_weights,
)
from factor_pipeline.compute.cells import NO_CELL
from factor_pipeline.compute.portfolios import assigned_cells
from factor_pipeline.compute.sorts import Sort
from factor_pipeline.compute.statistics.regression import Counts, Flags, Floats
from factor_pipeline.compute.stock_months import StockMonths

TURNOVER_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "cell": pl.String(),
        "weighting": pl.String(),
        "month_end": pl.Date(),
        "turnover": pl.Float64(),
    }
)


def turnovers(
    stocks: pl.DataFrame,
    assignments: pl.DataFrame,
    sorts: Sequence[Sort],
    rule: PortfolioRule = DEFAULT_PORTFOLIO_RULE,
) -> pl.DataFrame:
    r"""One-way turnover of every cell at the start of each month of ``stocks``.

    Parameters
    ----------
    stocks, assignments, sorts, rule
        As in `compute.portfolios.portfolio_returns`, with the month before the first one wanted.

    Returns
    -------
    pl.DataFrame
        Columns of ``TURNOVER_SCHEMA``; one row per sort, cell, weighting and month, spreads
        included, ordered by sort and weighting as given, month and cell. ``turnover`` is a share
        of the portfolio's capital: 0 when nothing is traded, 1 when all of it is replaced. That of
        a spread is the sum of its two sides'. It is null without the month before in ``stocks``,
        and with fewer than ``rule.min_stocks`` members that can be weighted in one of the months.
        Members are weighted by what is known before the month, with or without a return in it; one
        without keeps its value while the others' drift. Each month depends on its own rows and
        those of the month before alone.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month, or an assigned one has none.

    Notes
    -----
    .. math::
        turnover_{pt} = \tfrac{1}{2} \sum_i \left| w_{it} -
            \frac{w_{i,t-1} (1 + r_{i,t-1})}{\sum_j w_{j,t-1} (1 + r_{j,t-1})} \right|
    """
    rows = StockMonths.of(stocks, ["ret", "lagged_market_equity", "exchange"])
    return cell_turnovers(rows, assigned_cells(rows, assignments, sorts), rule)


def cell_turnovers(
    rows: StockMonths, cells: Iterable[tuple[Sort, NDArray[np.int16]]], rule: PortfolioRule
) -> pl.DataFrame:
    """Compute what `turnovers` does from the index of the cell of each row in each sort."""
    links = _Links.of(rows)
    weights = portfolio_weights(rows, rule)
    growth = 1.0 + np.nan_to_num(rows.values("ret"))
    parts = [pl.DataFrame(schema=TURNOVER_SCHEMA)]
    for sort, of_rows in cells:
        members = _Cells.of(links, of_rows, sort)
        for weighting, weight in weights.items():
            turnover = members.turnover(weight, growth, rule.min_stocks)
            parts.append(_as_frame(rows.months, sort, weighting, turnover))
    return pl.concat(parts)


@dataclass(frozen=True, slots=True)
class _Links:
    """Where the neighbours in time of stock-months are; -1 where there is none.

    ``before`` and ``after`` are the rows of the same security in the calendar months beside, shape
    (rows,), ``month`` is the place of the row's month, and ``follows`` (months,) tells whether the
    month before it in the calendar is there.
    """

    before: Counts
    after: Counts
    month: Counts
    follows: Flags

    @classmethod
    def of(cls, rows: StockMonths) -> Self:
        calendar = (rows.months.dt.year().cast(pl.Int64) * 12 + rows.months.dt.month()).to_numpy()
        month = np.repeat(np.arange(len(calendar)), rows.counts)
        securities, column = np.unique(rows.frame["security_id"].to_numpy(), return_inverse=True)
        table = np.full((len(calendar), len(securities)), -1, dtype=np.int64)
        table[month, column] = np.arange(len(month))
        follows = np.diff(calendar, prepend=0) == 1
        before = np.where(follows[month], table[month - 1, column], -1)
        after = np.full(len(month), -1, dtype=np.int64)
        is_next = before >= 0
        after[before[is_next]] = np.flatnonzero(is_next)
        return cls(before, after, month, follows)


@dataclass(frozen=True, slots=True)
class _Cells:
    """Members of the cells of one sort.

    ``row`` is the stock-month of each member, ``key`` the flat index of its place in ``shape``
    (months, cells); ``stays`` and ``stayed`` tell whether it is in the same cell the month after
    and was in it the month before.
    """

    row: Counts
    key: Counts
    stays: Flags
    stayed: Flags
    links: _Links
    shape: tuple[int, int]

    @classmethod
    def of(cls, links: _Links, cells: NDArray[np.int16], sort: Sort) -> Self:
        # One place more than there are rows: what has no neighbour looks there.
        cell = np.append(cells.astype(np.int64), NO_CELL)
        row = np.flatnonzero(cell >= 0)
        own = cell[row]
        return cls(
            row=row,
            key=links.month[row] * len(sort.cells) + own,
            stays=cell[links.after[row]] == own,
            stayed=cell[links.before[row]] == own,
            links=links,
            shape=(len(links.follows), len(sort.cells)),
        )

    def turnover(self, weight: Floats, growth: Floats, min_stocks: int) -> Floats:
        """Turnover of each cell, shape (months, cells); NaN where unknown."""
        own = weight[self.row]
        is_held = np.isfinite(own)
        with np.errstate(invalid="ignore", divide="ignore"):
            own = np.where(is_held, own, 0.0)
            target = own / self._sums(own).ravel()[self.key]
            grown = target * growth[self.row]
            drifted = grown / self._sums(grown).ravel()[self.key]
        of_row = np.zeros(len(weight) + 1)
        of_row[self.row] = drifted
        held_before = np.where(self.stayed, of_row[self.links.before[self.row]], 0.0)
        traded = self._sums(np.abs(target - held_before))
        # What left the cell was sold at the start of the next month.
        traded[1:] += self._sums(np.where(self.stays, 0.0, drifted))[:-1]
        is_known = self._sums(is_held.astype(np.float64)) >= max(min_stocks, 1)
        is_known[1:] &= is_known[:-1].copy()
        is_known &= self.links.follows[:, None]
        return np.where(is_known, traded / 2.0, np.nan)

    def _sums(self, amounts: Floats) -> Floats:
        # bincount adds one row after the other, whatever else it adds.
        sums = np.bincount(self.key, amounts, self.shape[0] * self.shape[1])
        return sums.astype(np.float64).reshape(self.shape)


def _as_frame(months: pl.Series, sort: Sort, weighting: str, turnover: Floats) -> pl.DataFrame:
    names = list(_names(sort))
    if sort.has_spread:
        turnover = np.column_stack([turnover, turnover[:, -1] + turnover[:, 0]])
    return pl.DataFrame(
        {
            "month_end": months.gather(np.repeat(np.arange(len(months)), len(names))),
            "cell": names * len(months),
            "turnover": turnover.ravel(),
        },
        nan_to_null=True,
    ).select(
        pl.lit(sort.name).alias("sort"),
        "cell",
        pl.lit(weighting).alias("weighting"),
        "month_end",
        "turnover",
    )


def _names(sort: Sort) -> Iterator[str]:
    yield from sort.cells
    if sort.has_spread:
        yield sort.spread
