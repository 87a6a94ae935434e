"""Breakpoints: the signal values at which sorts cut the cross-section."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.sorts import JULY, Basis, Rebalance, Sort
from factor_pipeline.compute.stock_months import StockMonths

Quantile = Literal["linear", "lower", "higher", "nearest", "midpoint"]

BREAKPOINT_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "month_end": pl.Date(),
        "dimension": pl.String(),
        "probability": pl.Float64(),
        "value": pl.Float64(),
        "stocks": pl.Int64(),
        "basis": pl.String(),
    }
)

# 0.7 * 90 is 62.99999999999999 in binary; no rank is meant to nine digits.
_RANK_DIGITS = 9


@dataclass(frozen=True, slots=True)
class BreakpointRule:
    """How breakpoints are drawn.

    Attributes
    ----------
    basis
        Of sorts that choose none. ``nyse``: from NYSE stocks only, so that the many small stocks
        of other exchanges do not fill the low groups. A month in which no stock has a known
        exchange uses all stocks. ``all``: from all stocks.
    quantile
        What a quantile between two stocks is: ``linear``ly interpolated, the ``lower`` or
        ``higher`` stock, the ``nearest`` (the higher of two equally near), or the ``midpoint``.
    min_stocks
        Fewest stocks a breakpoint is drawn from; with fewer it is null.

    References
    ----------
    Hyndman and Fan (1996), *The American Statistician* 50(4); ``linear`` is their type 7.
    """

    basis: Basis = "nyse"
    quantile: Quantile = "linear"
    min_stocks: int = 10


DEFAULT_BREAKPOINT_RULE = BreakpointRule()


def breakpoints(
    stocks: pl.DataFrame, sorts: Sequence[Sort], rule: BreakpointRule = DEFAULT_BREAKPOINT_RULE
) -> pl.DataFrame:
    """Breakpoints of all sorts in all their formation months.

    Parameters
    ----------
    stocks
        Unique ``month_end`` (last day of the month), ``security_id``, with ``exchange`` (String,
        nullable) and every signal of ``sorts`` (Float64, known before the month begins; null, NaN
        and infinite values count as missing).
    sorts
        Names are unique.
    rule
        By default NYSE stocks, linear quantiles, at least ten stocks.

    Returns
    -------
    pl.DataFrame
        ``sort``, ``month_end``, ``dimension`` (the signal), ``probability``, ``value`` (unit of
        the signal; null when drawn from fewer than ``rule.min_stocks``), ``stocks`` (how many it
        is drawn from) and ``basis`` (``nyse`` or ``all``: whose). One row per sort, dimension,
        probability and month of ``stocks``, for sorts that rebalance in June only of its Julys.
        Ordered by month, then as declared. Each month depends on its own rows alone.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.
    """
    wanted: defaultdict[tuple[str, Rebalance, Basis], set[float]] = defaultdict(set)
    for sort in sorts:
        for dimension in sort.dimensions:
            key = dimension.signal, sort.rebalance, sort.basis or rule.basis
            wanted[key].update(dimension.probabilities)
    rows = StockMonths.of(stocks, ["exchange", *(signal for signal, _, _ in wanted)])
    universes = {basis: _universe(rows, basis) for basis in {basis for _, _, basis in wanted}}
    tables = {
        (signal, rebalance, basis): _signal_breakpoints(
            rows,
            np.where(universes[basis][0], rows.values(signal), np.nan),
            _is_formation(rows.months, rebalance),
            sorted(probabilities),
            rule,
        ).join(universes[basis][1], on="month_end", maintain_order="left")
        for (signal, rebalance, basis), probabilities in wanted.items()
    }
    parts = [
        tables[dimension.signal, sort.rebalance, sort.basis or rule.basis]
        .filter(pl.col("probability").is_in(dimension.probabilities))
        .with_columns(sort=pl.lit(sort.name), dimension=pl.lit(dimension.signal))
        .select(BREAKPOINT_SCHEMA.names())
        for sort in sorts
        for dimension in sort.dimensions
    ]
    empty = pl.DataFrame(schema=BREAKPOINT_SCHEMA)
    return pl.concat([empty, *parts]).sort("month_end", maintain_order=True)


def quantiles(
    ascending: NDArray[np.float64], probabilities: Sequence[float], method: Quantile
) -> NDArray[np.float64]:
    r"""Quantiles of values in ascending order.

    Parameters
    ----------
    ascending
        Finite values, shape (n,), n at least 1.
    probabilities
        In [0, 1], shape (k,).
    method
        As in `BreakpointRule`.

    Returns
    -------
    ndarray
        Shape (k,), in the unit of the values.

    Notes
    -----
    The quantile sits at rank :math:`h = (n - 1) p`, counted from 0. Engines compute h in binary,
    where 0.7 * 90 is just below 63, and then cut off the very stock that is the quantile; here h is
    rounded to nine decimals first. So are ties with a breakpoint what they are on paper.
    """
    rank = np.round((len(ascending) - 1) * np.asarray(probabilities), _RANK_DIGITS)
    low, high = np.floor(rank).astype(np.int64), np.ceil(rank).astype(np.int64)
    if method == "lower":
        high = low
    elif method == "higher":
        low = high
    elif method == "nearest":
        low = high = np.floor(rank + 0.5).astype(np.int64)
    share = 0.5 if method == "midpoint" else np.round(rank - np.floor(rank), _RANK_DIGITS)
    below, above = ascending[low], ascending[high]
    return below + (above - below) * share


def _is_formation(months: pl.Series, rebalance: Rebalance) -> NDArray[np.bool_]:
    month = months.dt.month().to_numpy()
    return np.asarray(month == JULY) if rebalance == "june" else np.ones(len(month), np.bool_)


def _universe(rows: StockMonths, wanted: Basis) -> tuple[NDArray[np.bool_], pl.DataFrame]:
    """Which rows breakpoints are drawn from, and the basis of each month."""
    exchange = rows.frame["exchange"]
    known = np.array(
        [bool(exchange[segment].count()) for segment in rows.segments()], dtype=np.bool_
    )
    by_nyse = known if wanted == "nyse" else np.zeros_like(known)
    on_nyse = (exchange == "NYSE").fill_null(value=False).to_numpy()
    basis = pl.DataFrame(
        {"month_end": rows.months, "basis": np.where(by_nyse, "nyse", "all")},
        schema_overrides={"basis": pl.String},
    )
    return on_nyse | ~np.repeat(by_nyse, rows.counts), basis


def _signal_breakpoints(
    rows: StockMonths,
    values: NDArray[np.float64],
    is_formation: NDArray[np.bool_],
    probabilities: Sequence[float],
    rule: BreakpointRule,
) -> pl.DataFrame:
    """``month_end``, ``probability``, ``value``, ``stocks`` of the formation months."""
    found, counts = [], []
    for segment, forms in zip(rows.segments(), is_formation, strict=True):
        if forms:
            month = values[segment]
            ascending = np.sort(month[~np.isnan(month)])
            enough = len(ascending) >= max(rule.min_stocks, 1)
            found.append(
                quantiles(ascending, probabilities, rule.quantile)
                if enough
                else np.full(len(probabilities), np.nan)
            )
            counts.append(len(ascending))
    months = rows.months.filter(pl.Series(is_formation))
    return pl.DataFrame(
        {
            "month_end": months.gather(np.repeat(np.arange(len(months)), len(probabilities))),
            "probability": np.tile(probabilities, len(months)),
            "value": np.concatenate([np.empty(0), *found]),
            "stocks": np.repeat(np.array(counts, dtype=np.int64), len(probabilities)),
        }
    ).with_columns(pl.col("value").fill_nan(None))
