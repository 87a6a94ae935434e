"""What a series of monthly strategy returns amounts to."""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.bootstrap import Bootstrap, drawdown_interval, sharpe_interval
from factor_pipeline.compute.deflation import deflated_sharpe, expected_maximum
from factor_pipeline.compute.drawdown import daily_drawdowns, drawdowns
from factor_pipeline.compute.metrics import METRICS
from factor_pipeline.compute.series_statistics import (
    deviation,
    of_active,
    of_excess,
    of_regression,
    of_returns,
)
from factor_pipeline.compute.strategies import BENCHMARK
from factor_pipeline.errors import DataError

SUMMARY_SCHEMA = pl.Schema({"strategy": pl.String(), "metric": pl.String(), "value": pl.Float64()})
MIN_MONTHS = 12
"""Fewest months a statistic is given for."""

_YEAR = 12
_NO_NAMES: Mapping[str, str] = MappingProxyType({})
_Floats = npt.NDArray[np.float64]


def summary(  # noqa: PLR0913 - all but the first are optional
    returns: pl.DataFrame,
    cash_returns: pl.DataFrame | None = None,
    *,
    daily: pl.DataFrame | None = None,
    benchmarks: Mapping[str, str] = _NO_NAMES,
    sweeps: Sequence[Sequence[str]] = (),
    bootstrap: Bootstrap | None = None,
) -> pl.DataFrame:
    """Statistics of net monthly returns, one row per strategy and metric.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``gross``, ``net``, ``turnover`` (decimals) and,
        where known, ``capacity`` as in ``Backtest.returns``, all months of each strategy. The rows
        of strategy ``benchmark``, if any, are what the others are compared with.
    cash_returns
        Unique ``month_end`` with ``rf`` (decimal), the same the strategies were run with. Without a
        rate in at least 12 months what needs one is null.
    daily
        Values within the months, as from `daily_values.daily_values`.
    benchmarks
        Strategy to the name of its benchmark, where that is not ``benchmark``.
    sweeps
        Names of the variants of each sweep.
    bootstrap
        How intervals are drawn; without it there are none.

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``metric``, ``value``: every metric of ``METRICS`` for every strategy, null
        with fewer than 12 months to compute it from, where risk is 0 in a denominator, and for a
        benchmark against itself. Drawdown dates are in `drawdown.drawdowns`.

    Raises
    ------
    DataError
        When a strategy has two rows for a month.

    Notes
    -----
    The Newey-West covariance has Bartlett weights and no small-sample correction. Alpha, its t and
    beta have ten significant digits, as their last bits depend on the machine.

    References
    ----------
    Newey and West (1987), *Econometrica* 55(3); Sortino and Price (1994), *Journal of Investing*
    3(3).
    """
    if returns.select("strategy", "month_end").is_duplicated().any():
        raise DataError("returns repeat a strategy and month; keep one row of each")
    rates = pl.DataFrame(schema={"month_end": pl.Date, "rf": pl.Float64})
    if cash_returns is not None:
        rates = cash_returns.select("month_end", "rf")
    compared = pl.col("strategy").replace_strict(
        {**benchmarks, "": ""}, default=BENCHMARK, return_dtype=pl.String
    )
    table = (
        returns.sort("strategy", "month_end")
        .with_columns(against=compared)
        .join(rates, on="month_end", how="left", maintain_order="left")
        .join(
            returns.select("month_end", against="strategy", benchmark="net"),
            on=["month_end", "against"],
            how="left",
            maintain_order="left",
        )
    )
    deepest = _deepest(drawdowns(returns))
    daily_deepest = {} if daily is None else _deepest(daily_drawdowns(daily))
    with_days = set() if daily is None else set(daily["strategy"].unique())
    values = {}
    for (name,), one in table.group_by("strategy", maintain_order=True):
        mine = _values(one, str(name), deepest.get(str(name), 0.0))
        if name in with_days and "max_drawdown" in mine:
            mine["max_drawdown_daily"] = daily_deepest.get(str(name), 0.0)
        if bootstrap and bootstrap.draws:
            mine |= _of_draws(one, bootstrap)
        values[str(name)] = mine
    for sweep in sweeps:
        _deflate(values, table, sweep)
    rows = [
        (name, metric.name, mine.get(metric.name))
        for name, mine in values.items()
        for metric in METRICS
    ]
    return pl.DataFrame(rows, schema=SUMMARY_SCHEMA, orient="row")


def _deepest(spells: pl.DataFrame) -> dict[str, float]:
    return dict(spells.group_by("strategy").agg(pl.col("depth").min()).iter_rows())


def _excess(months: pl.DataFrame) -> _Floats:
    """Return over the risk-free rate in the months that have both."""
    known = months.filter(pl.col("net").is_finite() & pl.col("rf").is_finite())
    return (known["net"] - known["rf"]).to_numpy()


def _of_draws(months: pl.DataFrame, bootstrap: Bootstrap) -> dict[str, float | None]:
    """Intervals of a strategy, and what they were drawn with."""
    net = months["net"].drop_nulls().drop_nans().to_numpy()
    if net.size < MIN_MONTHS:
        return {}
    low, high = drawdown_interval(net, bootstrap.places(net.size))
    values: dict[str, float | None] = {
        "max_drawdown_low": low,
        "max_drawdown_high": high,
        "bootstrap_draws": bootstrap.draws,
        "bootstrap_block_months": bootstrap.block_months,
        "bootstrap_seed": bootstrap.seed,
    }
    excess = _excess(months)
    if excess.size >= MIN_MONTHS and deviation(excess) > 0:
        interval = sharpe_interval(excess, bootstrap.places(excess.size))
        values["sharpe_low"], values["sharpe_high"] = interval or (None, None)
    return values


def _deflate(
    values: dict[str, dict[str, float | None]], table: pl.DataFrame, sweep: Sequence[str]
) -> None:
    """Add to the variants of a sweep what is left of each once all are counted."""
    ratios = [ratio for name in sweep if (ratio := values.get(name, {}).get("sharpe")) is not None]
    threshold = expected_maximum([ratio / math.sqrt(_YEAR) for ratio in ratios], len(sweep))
    for name in sweep:
        mine = values.get(name, {})
        mine["trials"] = len(sweep)
        if threshold is not None and mine.get("sharpe") is not None:
            excess = _excess(table.filter(pl.col("strategy") == name))
            mine["deflated_sharpe"] = deflated_sharpe(excess, threshold)


def _values(months: pl.DataFrame, name: str, max_drawdown: float) -> dict[str, float | None]:
    known = months.filter(pl.col("net").is_finite())
    excess = _excess(months)
    paired = known.filter(pl.col("benchmark").is_finite())
    values: dict[str, float | None] = {
        "months": known.height,
        "missing_months": months.height - known.height,
        "rf_months": excess.size,
        "benchmark_months": paired.height,
    }
    if known.height >= MIN_MONTHS:
        values |= of_returns(known, max_drawdown)
    if excess.size >= MIN_MONTHS:
        values |= of_excess(excess)
    if name == months["against"][0] or name.startswith(f"{BENCHMARK}_") or name == BENCHMARK:
        return values
    if paired.height >= MIN_MONTHS:
        values |= of_active((paired["net"] - paired["benchmark"]).to_numpy())
    both = paired.filter(pl.col("rf").is_finite())
    if both.height >= MIN_MONTHS:
        values |= of_regression(
            (both["net"] - both["rf"]).to_numpy(),
            (both["benchmark"] - both["rf"]).to_numpy(),
        )
    return values
