"""What a monthly return series amounts to, over all its months and parts of them."""

from collections.abc import Iterator, Sequence
from math import sqrt

import numpy as np
import polars as pl

from factor_pipeline.compute.drawdown import drawdowns
from factor_pipeline.compute.statistics.regression import Counts, Floats, Regression, newey_west
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries, number
from factor_pipeline.compute.statistics.verdicts import with_verdicts

FULL, FIRST_HALF, SECOND_HALF = "full", "first_half", "second_half"

DESCRIPTION_SCHEMA = pl.Schema(
    {
        "period": pl.String(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "months": pl.Int64(),
        "mean": pl.Float64(),
        "t_iid": pl.Float64(),
        "t_newey_west": pl.Float64(),
        "nw_lag": pl.Int64(),
        "annual_return": pl.Float64(),
        "cagr": pl.Float64(),
        "volatility": pl.Float64(),
        "sharpe": pl.Float64(),
        "skewness": pl.Float64(),
        "excess_kurtosis": pl.Float64(),
        "autocorrelation": pl.Float64(),
        "hit_rate": pl.Float64(),
        "best_month": pl.Float64(),
        "worst_month": pl.Float64(),
        "max_drawdown": pl.Float64(),
        "drawdown_peak": pl.Date(),
        "drawdown_trough": pl.Date(),
        "drawdown_recovery": pl.Date(),
    }
)

_YEAR = 12
# A standard deviation this small beside the largest value is rounding, not risk.
_ZERO_DEVIATION = 1e-12


def describe(returns: pl.DataFrame, key: Sequence[str], family: Sequence[str]) -> pl.DataFrame:
    r"""Statistics of every series over all its months, each half of them, and each decade.

    Parameters
    ----------
    returns
        Unique ``key`` and ``month_end`` with ``ret`` (decimal; null, NaN and infinite values count
        as missing), in any order. Self-financing: excess returns, or differences of two returns.
    key
        Columns that tell the series apart.
    family
        Columns of ``key`` whose equal values, with the period, make one family of tests.

    Returns
    -------
    pl.DataFrame
        ``key``, the columns of ``DESCRIPTION_SCHEMA``, then those of `with_verdicts`; one row per
        series and period, in their order. ``period`` is ``full``, ``first_half``, ``second_half``
        (the longer one where the months are odd) or a decade such as ``1990s`` with at least one
        month. ``months`` counts months with a return, the first and last of which are stated.
        With fewer than 24 all else is null. What divides by a standard deviation of 0 is null.

    Raises
    ------
    DataError
        When a series has two rows for a month.

    Notes
    -----
    ``mean`` and its t-values are per month: ``t_iid`` is mean / (sd / sqrt(n)), ``t_newey_west``
    takes ``nw_lag`` lags. ``annual_return`` is 12 x mean; ``cagr`` compounds; ``volatility`` is
    sd x sqrt(12), with n - 1; ``sharpe`` is mean / sd x sqrt(12), which is the Sharpe ratio as the
    returns are self-financing. ``skewness`` and ``excess_kurtosis`` are those of the sample, with
    moments over n; ``autocorrelation`` is of first order. ``max_drawdown`` is that of the wealth
    of one who compounds the returns; its dates are as in `drawdowns`.

    .. math::
        t = \bar r / \sqrt{(\gamma_0 + 2 \sum_{l=1}^{L} (1 - \tfrac{l}{L + 1}) \gamma_l) / n}
    """
    series = MonthlySeries.of(returns, key)
    parts = list(_parts(series))
    schema = pl.Schema({**series.names.schema, **DESCRIPTION_SCHEMA})
    if not parts:
        return with_verdicts(pl.DataFrame(schema=schema), family)
    values = np.full((len(series.month_ends), len(parts)), np.nan)
    for at, (column, _, rows) in enumerate(parts):
        values[rows, at] = series.values[rows, column]
    fit = newey_west(values)
    depths = _deepest(series, values)
    rows_out = [
        series.names.row(column, named=True)
        | {"period": period}
        | _window(series.month_ends, rows)
        | (_statistics(values[rows, at], fit, at) | depths[at] if len(rows) >= MIN_MONTHS else {})
        for at, (column, period, rows) in enumerate(parts)
    ]
    return with_verdicts(pl.DataFrame(rows_out, schema=schema), [*family, "period"])


def _parts(series: MonthlySeries) -> Iterator[tuple[int, str, Counts]]:
    """Series, period and rows with a value, of each part that has any."""
    decades = (series.month_ends.dt.year() // 10 * 10).to_numpy()
    for column, values in enumerate(series.values.T):
        known = np.flatnonzero(np.isfinite(values))
        half = len(known) // 2
        periods = {FULL: known, FIRST_HALF: known[:half], SECOND_HALF: known[half:]}
        periods |= {f"{d}s": known[decades[known] == d] for d in np.unique(decades[known])}
        yield from ((column, period, rows) for period, rows in periods.items() if len(rows))


def _window(month_ends: pl.Series, rows: Counts) -> dict[str, object]:
    return {
        "first_month": month_ends[int(rows[0])],
        "last_month": month_ends[int(rows[-1])],
        "months": len(rows),
    }


def _statistics(ret: Floats, fit: Regression, at: int) -> dict[str, object]:
    mean = float(fit.coefficients[at, 0])
    deviation = ret - mean
    squares = deviation**2
    spread = sqrt(float(squares.sum()) / (len(ret) - 1))
    statistics: dict[str, object] = {
        "mean": mean,
        "annual_return": _YEAR * mean,
        "cagr": float(np.prod(1.0 + ret)) ** (_YEAR / len(ret)) - 1.0 if ret.min() > -1 else -1.0,
        "volatility": spread * sqrt(_YEAR),
        "hit_rate": float((ret > 0).mean()),
        "best_month": float(ret.max()),
        "worst_month": float(ret.min()),
        "nw_lag": int(fit.lag[at]),
    }
    if spread <= _ZERO_DEVIATION * float(np.abs(ret).max()):
        return statistics | {"volatility": 0.0}
    variance = float(squares.mean())
    return statistics | {
        "t_iid": mean / spread * sqrt(len(ret)),
        "t_newey_west": number(fit.t[at, 0]),
        "sharpe": mean / spread * sqrt(_YEAR),
        "skewness": float((deviation**3).mean()) / variance**1.5,
        "excess_kurtosis": float((squares**2).mean()) / variance**2 - 3.0,
        "autocorrelation": float((deviation[1:] * deviation[:-1]).sum()) / float(squares.sum()),
    }


def _deepest(series: MonthlySeries, values: Floats) -> list[dict[str, object]]:
    """Deepest drawdown of each column of ``values``."""
    month, column = np.nonzero(np.isfinite(values))
    long = pl.DataFrame(
        {
            "strategy": pl.Series(column).cast(pl.String).str.zfill(len(str(values.shape[1]))),
            "month_end": series.month_ends.gather(month),
            "net": values[month, column],
        }
    )
    deepest: list[dict[str, object]] = [{"max_drawdown": 0.0} for _ in range(values.shape[1])]
    spells = drawdowns(long).sort("strategy", "depth", "peak").unique("strategy", keep="first")
    for name, depth, peak, trough, recovery in spells.iter_rows():
        deepest[int(name)] = {
            "max_drawdown": depth,
            "drawdown_peak": peak,
            "drawdown_trough": trough,
            "drawdown_recovery": recovery,
        }
    return deepest
