"""Returns of cells on arrays: what each stock adds to a portfolio, and the sums of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Literal, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.breakpoints import DEFAULT_BREAKPOINT_RULE, BreakpointRule, breakpoints
from factor_pipeline.compute.cells import NO_CELL
from factor_pipeline.compute.sorts import Dimension, Sort
from factor_pipeline.compute.stock_months import StockMonths

Floats = NDArray[np.float64]
Weighting = Literal["value", "equal", "capped"]

WEIGHTINGS: tuple[Weighting, ...] = ("value", "equal", "capped")

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


@dataclass(frozen=True, slots=True)
class Holding:
    """What each stock-month adds to a portfolio that holds it; arrays of shape (rows,).

    All are 0 where a stock cannot be held for want of a return or a weight. Holdings share the
    arrays that are the same for them, whose sums are then taken once.
    """

    is_usable: Floats
    weight: Floats
    weighted_return: Floats
    market_equity: Floats


def holdings(
    rows: StockMonths, rule: PortfolioRule, *, ret: str = "ret"
) -> dict[Weighting, Holding]:
    """Prepare each weighting once for all sorts.

    Parameters
    ----------
    rows
        With ``lagged_market_equity`` (NaN and anything not positive is missing), ``exchange`` and
        the column ``ret`` names.
    rule
        Which weightings.
    ret
        Column with the returns, decimals.

    Returns
    -------
    dict
        In the order of ``rule.weightings``.
    """
    returns, equity = rows.values(ret), rows.values("lagged_market_equity")
    has_return, has_equity = ~np.isnan(returns), equity > 0
    usable = {"equal": has_return.astype(np.float64)}
    usable["value"] = usable["capped"] = (has_return & has_equity).astype(np.float64)
    known_equity = np.where(usable["value"] > 0, equity, 0.0)
    held: dict[Weighting, Holding] = {}
    for weighting in rule.weightings:
        is_usable = usable[weighting]
        weight = is_usable if weighting == "equal" else known_equity
        if weighting == "capped":
            cap = _monthly_cap(rows, equity, rule.cap)
            weight = np.minimum(known_equity, np.repeat(cap, rows.counts))
        weighted = np.where(is_usable > 0, weight * returns, 0.0)
        held[weighting] = Holding(is_usable, weight, weighted, known_equity)
    return held


def portfolio_weights(rows: StockMonths, rule: PortfolioRule) -> dict[Weighting, Floats]:
    """Weight of each stock-month in any portfolio that holds it, before division by their sum.

    Unlike in `holdings` a stock without a return has one: it is held until the return is missed.

    Returns
    -------
    dict
        Shape (rows,) for each weighting of ``rule``; NaN where a stock cannot be weighted.
    """
    equity = rows.values("lagged_market_equity")
    value = np.where(equity > 0, equity, np.nan)
    weights: dict[Weighting, Floats] = {}
    for weighting in rule.weightings:
        weights[weighting] = np.ones_like(value) if weighting == "equal" else value
        if weighting == "capped":
            cap = _monthly_cap(rows, equity, rule.cap)
            weights[weighting] = np.minimum(value, np.repeat(cap, rows.counts))
    return weights


def _monthly_cap(rows: StockMonths, equity: Floats, rule: BreakpointRule) -> Floats:
    """Largest weight of each month, shape (months,); NaN in a month of too few stocks."""
    known = np.where(equity > 0, equity, np.nan)
    weighable = rows.frame.with_columns(pl.Series("lagged_market_equity", known, nan_to_null=True))
    return breakpoints(weighable, (CAP,), rule)["value"].to_numpy()


@dataclass(frozen=True, slots=True)
class Grid:
    """Months times cells, and where in it the members of the cells belong.

    ``row`` and ``key`` have one entry per member: its stock-month (all of them where ``row`` is
    null), and the flat index of its place in ``shape``.
    """

    row: NDArray[np.int64] | None
    key: NDArray[np.int64]
    shape: tuple[int, int]

    @classmethod
    def of(cls, rows: StockMonths, cells: NDArray[np.int16], sort: Sort) -> Self:
        """Place the stock-months whose ``cells`` of ``sort`` are known, one entry per row."""
        shape = (len(rows.months), len(sort.cells))
        key = np.repeat(np.arange(shape[0]) * shape[1], rows.counts) + cells
        has_cell = cells != NO_CELL
        if has_cell.all():
            return cls(None, key, shape)
        row = np.flatnonzero(has_cell)
        return cls(row, key[row], shape)

    def sums(self, amounts: Floats | None = None) -> Floats:
        """Add up the members' ``amounts`` (one per stock-month), shape (months, cells).

        Without amounts, count the members.
        """
        of_members = amounts if amounts is None or self.row is None else amounts[self.row]
        # bincount adds one row after the other; engines' grouped sums and NumPy's pairwise ones
        # choose their order by how much else they add.
        flat = np.bincount(self.key, of_members, prod(self.shape))
        return flat.astype(np.float64).reshape(self.shape)


def cell_returns(
    grid: Grid, held: Iterable[Holding], *, min_stocks: int
) -> list[dict[str, Floats]]:
    """Return, counts and market equity of each cell.

    Parameters
    ----------
    grid
        Who is in which cell.
    held
        As `holdings` gives them.
    min_stocks
        Fewest stocks a return is made of; with fewer it is NaN.

    Returns
    -------
    list of dict
        For each holding ``ret`` (decimal), ``stocks`` (whose returns enter), ``missing`` (members
        that cannot be held) and ``market_equity`` (sum of the stocks'), each of shape (months,
        cells).
    """
    members = grid.sums()
    taken: dict[int, Floats] = {}

    def sums(amounts: Floats) -> Floats:
        if id(amounts) not in taken:
            taken[id(amounts)] = grid.sums(amounts)
        return taken[id(amounts)]

    columns = []
    for holding in held:
        stocks = sums(holding.is_usable)
        with np.errstate(invalid="ignore"):
            ret = grid.sums(holding.weighted_return) / sums(holding.weight)
        columns.append(
            {
                "ret": np.where(stocks >= min_stocks, ret, np.nan),
                "stocks": stocks,
                "missing": members - stocks,
                "market_equity": sums(holding.market_equity),
            }
        )
    return columns
