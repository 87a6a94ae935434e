"""Returns of the cells of sorts, weighted by value, equally, or by capped value."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.breakpoints import DEFAULT_BREAKPOINT_RULE, BreakpointRule, breakpoints
from factor_pipeline.compute.sorts import Dimension, Sort
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError

Weighting = Literal["value", "equal", "capped"]
Floats = NDArray[np.float64]

WEIGHTINGS: tuple[Weighting, ...] = ("value", "equal", "capped")

PORTFOLIO_RETURN_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "cell": pl.String(),
        "weighting": pl.String(),
        "month_end": pl.Date(),
        "ret": pl.Float64(),
        "stocks": pl.Int64(),
        "missing": pl.Int64(),
        "market_equity": pl.Float64(),
    }
)

CAP = Sort("cap", (Dimension("lagged_market_equity", (0.8,), ("uncapped", "capped")),))


@dataclass(frozen=True, slots=True)
class PortfolioRule:
    """How stocks of a cell become one return.

    Attributes
    ----------
    weightings
        ``value``: by market equity at the end of the month before. ``equal``. ``capped``: by
        value, but no more than the 80th percentile of that market equity, so that a few giants
        do not become the portfolio.
    min_stocks
        Fewest stocks a return is made of; with fewer it is null.
    cap
        Whose percentile the cap is and how it is drawn; by default NYSE stocks'.

    References
    ----------
    Jensen, Kelly and Pedersen (2023), *Journal of Finance* 78(5), for the capped weights.
    """

    weightings: tuple[Weighting, ...] = WEIGHTINGS
    min_stocks: int = 3
    cap: BreakpointRule = DEFAULT_BREAKPOINT_RULE


DEFAULT_PORTFOLIO_RULE = PortfolioRule()


def portfolio_returns(
    stocks: pl.DataFrame,
    assignments: pl.DataFrame,
    sorts: Sequence[Sort],
    rule: PortfolioRule = DEFAULT_PORTFOLIO_RULE,
) -> pl.DataFrame:
    r"""Compute the returns of all cells in all months of ``stocks``.

    Parameters
    ----------
    stocks
        Every stock of the months to compute: unique ``month_end`` (last day of the month),
        ``security_id``, with ``ret`` (decimal), ``lagged_market_equity`` (currency, end of the
        month before; both Float64; null, NaN and infinite values count as missing) and
        ``exchange`` (String, nullable).
    assignments
        As `compute.assignments.assignments` returns them; other months and sorts are ignored.
    sorts
        Names are unique.
    rule
        By default all weightings and at least three stocks.

    Returns
    -------
    pl.DataFrame
        ``sort``, ``cell``, ``weighting``, ``month_end``, ``ret`` (decimal), ``stocks`` (whose
        returns enter), ``missing`` (members left out: without a return that month or, unless
        weighted equally, without a positive market equity) and ``market_equity`` (sum of the
        ``stocks``' at the end of the month before, in its unit). One row per sort, cell,
        weighting and month, empty cells included; a sort of one dimension has a further cell such
        as ``D10-D01``, the return of the highest minus that of the lowest, with the counts and
        market equity of both together.
        ``ret`` is null with fewer than ``rule.min_stocks`` stocks, for a spread when either cell's
        is null, and if capped in a month without a cap. Ordered by month, then as declared.
        Each month depends on its own rows alone.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month or two cells of a sort, when an assigned one has
        no row in ``stocks``, or when a cell is unknown to its sort.

    Notes
    -----
    .. math:: r_{pt} = \sum_{i \in p} w_{i,t-1} r_{it} \Big/ \sum_{i \in p} w_{i,t-1}

    over the stocks that have both. Sums run in order of ``security_id``.
    """
    rows = StockMonths.of(stocks, ["ret", "lagged_market_equity", "exchange"])
    holdings = _holdings(rows, rule)
    parts = [pl.DataFrame(schema=PORTFOLIO_RETURN_SCHEMA)]
    # Taken apart once: with two sorts for each signal, looking for each among all rows adds up.
    members = assignments.partition_by("sort", as_dict=True, include_key=False)
    nobody = assignments.clear()
    for sort in sorts:
        grid = _Grid.of(rows, members.get((sort.name,), nobody), sort)
        parts += [
            _as_frame(rows.months, sort, weighting, _cell_columns(grid, holding, rule.min_stocks))
            for weighting, holding in holdings.items()
        ]
    return pl.concat(parts).sort("month_end", maintain_order=True)


def portfolio_weights(rows: StockMonths, rule: PortfolioRule) -> dict[Weighting, Floats]:
    """Weight of each stock-month in any portfolio that holds it, before division by their sum.

    Returns
    -------
    dict
        Shape (rows,) for each weighting of ``rule``; NaN where a stock cannot be weighted.
    """
    return {name: holding.weight for name, holding in _holdings(rows, rule).items()}


@dataclass(frozen=True, slots=True)
class _Holding:
    """What each stock-month adds to a portfolio that holds it; arrays of shape (rows,)."""

    is_usable: NDArray[np.bool_]
    weight: NDArray[np.float64]
    weighted_return: NDArray[np.float64]
    market_equity: NDArray[np.float64]


def _holdings(rows: StockMonths, rule: PortfolioRule) -> dict[Weighting, _Holding]:
    """Prepare each weighting once for all sorts."""
    ret, equity = rows.values("ret"), rows.values("lagged_market_equity")
    equity = np.where(equity > 0, equity, np.nan)
    has_return, has_equity = ~np.isnan(ret), ~np.isnan(equity)
    known_equity = np.where(has_equity, equity, 0.0)
    holdings: dict[Weighting, _Holding] = {}
    for weighting in rule.weightings:
        weight = np.ones_like(ret) if weighting == "equal" else equity
        if weighting == "capped":
            cap = _monthly_cap(rows, equity, rule.cap)
            weight = np.minimum(equity, np.repeat(cap, rows.counts))
        is_usable = has_return if weighting == "equal" else has_return & has_equity
        holdings[weighting] = _Holding(is_usable, weight, weight * ret, known_equity)
    return holdings


def _monthly_cap(
    rows: StockMonths, equity: NDArray[np.float64], rule: BreakpointRule
) -> NDArray[np.float64]:
    """Largest weight of each month, shape (months,); NaN in a month of too few stocks."""
    weighable = rows.frame.with_columns(pl.Series("lagged_market_equity", equity, nan_to_null=True))
    return breakpoints(weighable, (CAP,), rule)["value"].to_numpy()


@dataclass(frozen=True, slots=True)
class _Grid:
    """Months times cells, and where in it the members of the cells belong.

    ``row`` and ``key`` have one entry per member: its stock-month, and the flat index of its place
    in ``shape``.
    """

    row: NDArray[np.int64]
    key: NDArray[np.int64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: StockMonths, assignments: pl.DataFrame, sort: Sort) -> Self:
        """Find the members of all cells of ``sort``, whose ``assignments`` are, among ``rows``."""
        assigned = StockMonths.of(
            assignments.filter(pl.col("month_end").is_in(rows.months.implode())), ["cell"]
        )
        try:
            cell = assigned.frame["cell"].cast(pl.Enum(sort.cells)).to_physical().to_numpy()
        except pl.exceptions.InvalidOperationError as error:
            raise DataError(
                f"sort {sort.name!r} is assigned to other cells than {sort.cells}; "
                "make the assignments anew"
            ) from error
        row = rows.positions(assigned)
        month = np.repeat(np.arange(len(rows.months)), rows.counts)
        return cls(row, month[row] * len(sort.cells) + cell, (len(rows.months), len(sort.cells)))

    def only(self, chosen: NDArray[np.bool_]) -> Self:
        """Keep the members that are ``chosen``, one entry per member."""
        return replace(self, row=self.row[chosen], key=self.key[chosen])

    def counts(self) -> NDArray[np.float64]:
        """Count the members of each cell, shape (months, cells)."""
        return self._added(None)

    def sums(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Add up the members' ``amounts`` (one per stock-month), shape (months, cells)."""
        return self._added(amounts[self.row])

    def _added(self, amounts: NDArray[np.float64] | None) -> NDArray[np.float64]:
        # bincount adds one row after the other; engines' grouped sums and NumPy's pairwise ones
        # choose their order by how much else they add.
        flat = np.bincount(self.key, amounts, prod(self.shape))
        return flat.astype(np.float64).reshape(self.shape)


def _cell_columns(
    grid: _Grid, holding: _Holding, min_stocks: int
) -> dict[str, NDArray[np.float64]]:
    """Return, counts and market equity of each cell, shape (months, cells)."""
    used = grid.only(holding.is_usable[grid.row])
    stocks = used.counts()
    with np.errstate(invalid="ignore"):
        ret = used.sums(holding.weighted_return) / used.sums(holding.weight)
    return {
        "ret": np.where(stocks >= min_stocks, ret, np.nan),
        "stocks": stocks,
        "missing": grid.counts() - stocks,
        "market_equity": used.sums(holding.market_equity),
    }


def _with_spread(name: str, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Append highest minus lowest return, or what both cells hold together."""
    combine = np.subtract if name == "ret" else np.add
    return np.column_stack([cells, combine(cells[:, -1], cells[:, 0])])


def _as_frame(
    months: pl.Series, sort: Sort, weighting: Weighting, cells: dict[str, NDArray[np.float64]]
) -> pl.DataFrame:
    """Turn months times cells into rows, months varying slowest."""
    names = sort.cells
    if sort.has_spread:
        names += (sort.spread,)
        cells = {name: _with_spread(name, values) for name, values in cells.items()}
    return pl.DataFrame(
        {
            "month_end": months.gather(np.repeat(np.arange(len(months)), len(names))),
            "cell": list(names) * len(months),
        }
        | {name: values.ravel() for name, values in cells.items()},
        nan_to_null=True,
    ).select(
        pl.lit(sort.name).alias("sort"),
        "cell",
        pl.lit(weighting).alias("weighting"),
        "month_end",
        "ret",
        pl.col("stocks", "missing").cast(pl.Int64),
        "market_equity",
    )
