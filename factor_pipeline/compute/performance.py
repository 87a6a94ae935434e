"""What a series of monthly strategy returns amounts to."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.drawdown import drawdowns
from factor_pipeline.compute.rounding import reproducible
from factor_pipeline.compute.strategies import BENCHMARK
from factor_pipeline.errors import DataError

SUMMARY_SCHEMA = pl.Schema({"strategy": pl.String(), "metric": pl.String(), "value": pl.Float64()})
MIN_MONTHS = 12
"""Fewest months a statistic is given for."""

_YEAR = 12
# Standard deviations and residuals that are rounding, not risk.
_ZERO_DEVIATION = 1e-12
_ZERO_RESIDUAL = 1e-20

_Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the summary: its name, its unit, what it means."""

    name: str
    unit: str
    description: str


METRICS = (
    Metric("months", "count", "Months with a return."),
    Metric("missing_months", "count", "Months without a return, left out everywhere."),
    Metric("rf_months", "count", "Months with a return and a risk-free rate."),
    Metric("benchmark_months", "count", "Months with a return and a benchmark return."),
    Metric("annual_return", "decimal", "12 x mean net return."),
    Metric("gross_annual_return", "decimal", "12 x mean return before costs, same months."),
    Metric("cagr", "decimal", "Compound net return per year, prod(1 + r)^(12 / months) - 1."),
    Metric("volatility", "decimal", "sd(r) x sqrt(12), with n - 1."),
    Metric("sharpe", "ratio", "mean(r - rf) / sd(r - rf) x sqrt(12)."),
    Metric("return_to_risk", "ratio", "mean(r) / sd(r) x sqrt(12): a Sharpe ratio with rf = 0."),
    Metric(
        "sortino",
        "ratio",
        "mean(r - rf) / sqrt(mean(min(r - rf, 0)^2)) x sqrt(12), all rf_months in the mean.",
    ),
    Metric("max_drawdown", "decimal", "Deepest fall of wealth from its high, at most 0."),
    Metric("calmar", "ratio", "cagr / -max_drawdown."),
    Metric("best_month", "decimal", "Largest net return."),
    Metric("worst_month", "decimal", "Smallest net return."),
    Metric("hit_rate", "decimal", "Share of months with a net return above 0."),
    Metric("tracking_error", "decimal", "sd(r - benchmark) x sqrt(12)."),
    Metric("information_ratio", "ratio", "mean(r - benchmark) / sd(r - benchmark) x sqrt(12)."),
    Metric("beta", "ratio", "Slope of r - rf on benchmark - rf."),
    Metric("alpha", "decimal", "12 x intercept of the same regression."),
    Metric("alpha_t", "ratio", "t of alpha, Newey-West with alpha_lag lags."),
    Metric("alpha_lag", "months", "Lags of alpha_t, floor(4 (T / 100)^(2/9)) for T months."),
    Metric("average_turnover", "decimal", "Mean one-way turnover per month."),
)
"""All figures of the summary, in order."""


def newey_west_lag(months: int) -> int:
    """Lags for ``months`` observations, ``floor(4 (T / 100)^(2/9))``.

    References
    ----------
    Newey and West (1994), *Review of Economic Studies* 61(4).
    """
    return math.floor(4.0 * math.pow(months / 100.0, 2.0 / 9.0))


def summary(returns: pl.DataFrame, cash_returns: pl.DataFrame | None = None) -> pl.DataFrame:
    """Statistics of net monthly returns, one row per strategy and metric.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``gross``, ``net``, ``turnover`` (decimals) as in
        ``Backtest.returns``, all months of each strategy. The rows of strategy ``benchmark``, if
        any, are what the others are compared with.
    cash_returns
        Unique ``month_end`` with ``rf`` (decimal), the same the strategies were run with. Without a
        rate in at least 12 months what needs one is null.

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``metric``, ``value``: every metric of ``METRICS`` for every strategy, null
        with fewer than 12 months to compute it from, where risk is 0 in a denominator, and for the
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
    of_benchmark = returns.filter(pl.col("strategy") == BENCHMARK)
    table = (
        returns.sort("strategy", "month_end")
        .join(rates, on="month_end", how="left", maintain_order="left")
        .join(
            of_benchmark.select("month_end", benchmark="net"),
            on="month_end",
            how="left",
            maintain_order="left",
        )
    )
    deepest = dict(drawdowns(returns).group_by("strategy").agg(pl.col("depth").min()).iter_rows())
    rows = [
        (name, metric.name, values.get(metric.name))
        for (name,), one in table.group_by("strategy", maintain_order=True)
        for values in [_values(one, name, deepest.get(name, 0.0))]
        for metric in METRICS
    ]
    return pl.DataFrame(rows, schema=SUMMARY_SCHEMA, orient="row")


def _values(months: pl.DataFrame, name: str, max_drawdown: float) -> dict[str, float | None]:
    known = months.filter(pl.col("net").is_finite())
    over_cash = known.filter(pl.col("rf").is_finite())
    paired = known.filter(pl.col("benchmark").is_finite())
    values: dict[str, float | None] = {
        "months": known.height,
        "missing_months": months.height - known.height,
        "rf_months": over_cash.height,
        "benchmark_months": paired.height,
    }
    if known.height >= MIN_MONTHS:
        values |= _of_returns(known, max_drawdown)
    if over_cash.height >= MIN_MONTHS:
        values |= _of_excess((over_cash["net"] - over_cash["rf"]).to_numpy())
    if name == BENCHMARK:
        return values
    if paired.height >= MIN_MONTHS:
        values |= _of_active((paired["net"] - paired["benchmark"]).to_numpy())
    both = paired.filter(pl.col("rf").is_finite())
    if both.height >= MIN_MONTHS:
        values |= _of_regression(
            (both["net"] - both["rf"]).to_numpy(), (both["benchmark"] - both["rf"]).to_numpy()
        )
    return values


def _of_returns(months: pl.DataFrame, max_drawdown: float) -> dict[str, float | None]:
    ret = months["net"].to_numpy()
    gross = _mean(months["gross"])
    cagr = float(np.prod(1.0 + ret)) ** (_YEAR / ret.size) - 1.0
    return {
        "annual_return": _YEAR * float(ret.mean()),
        "gross_annual_return": None if gross is None else _YEAR * gross,
        "cagr": cagr,
        "volatility": _deviation(ret) * math.sqrt(_YEAR),
        "return_to_risk": _per_risk(ret),
        "max_drawdown": max_drawdown,
        "calmar": cagr / -max_drawdown if max_drawdown < 0 else None,
        "best_month": float(ret.max()),
        "worst_month": float(ret.min()),
        "hit_rate": float((ret > 0).mean()),
        "average_turnover": _mean(months["turnover"]),
    }


def _of_excess(excess: _Floats) -> dict[str, float | None]:
    downside = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    return {
        "sharpe": _per_risk(excess),
        "sortino": float(excess.mean()) / downside * math.sqrt(_YEAR) if downside > 0 else None,
    }


def _of_active(active: _Floats) -> dict[str, float | None]:
    return {
        "tracking_error": _deviation(active) * math.sqrt(_YEAR),
        "information_ratio": _per_risk(active),
    }


def _of_regression(excess: _Floats, market: _Floats) -> dict[str, float | None]:
    if _deviation(market) == 0:
        return {}
    # Statsmodels takes seconds to import, which commands that compute nothing need not wait for.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # noqa: PLC0415

    lag = newey_west_lag(excess.size)
    design = np.column_stack([np.ones(market.size), market])
    fit = OLS(excess, design).fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    has_risk = fit.ssr > _ZERO_RESIDUAL * float((excess**2).sum())
    return {
        "beta": reproducible(fit.params[1]),
        "alpha": reproducible(_YEAR * fit.params[0]),
        "alpha_t": reproducible(fit.tvalues[0]) if has_risk else None,
        "alpha_lag": lag,
    }


def _mean(column: pl.Series) -> float | None:
    """Mean of a column, unless a value is missing."""
    return None if column.null_count() else float(column.to_numpy().mean())


def _deviation(values: _Floats) -> float:
    """Sample standard deviation, 0 when it is rounding only."""
    deviation = float(values.std(ddof=1))
    return deviation if deviation > _ZERO_DEVIATION * float(np.abs(values).max()) else 0.0


def _per_risk(values: _Floats) -> float | None:
    """Annualised mean over standard deviation."""
    deviation = _deviation(values)
    return float(values.mean()) / deviation * math.sqrt(_YEAR) if deviation > 0 else None
