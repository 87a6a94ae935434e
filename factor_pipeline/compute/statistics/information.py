"""Information coefficients: how well a signal ranks the returns that follow it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import sqrt
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.statistics.ranks import (
    doubled_ranks,
    known_counts,
    monthly_order,
    order_among,
)
from factor_pipeline.compute.statistics.regression import Counts, Floats, newey_west
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries, number
from factor_pipeline.compute.statistics.verdicts import with_verdicts
from factor_pipeline.compute.stock_months import StockMonths

MIN_STOCKS: Final = 10
"""Fewest stocks a month's cross-section is made of."""

COEFFICIENT_SCHEMA = pl.Schema(
    {
        "signal": pl.String(),
        "month_end": pl.Date(),
        "coefficient": pl.Float64(),
        "stocks": pl.Int64(),
    }
)
SUMMARY_SCHEMA = pl.Schema(
    {
        "signal": pl.String(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "months": pl.Int64(),
        "average_stocks": pl.Float64(),
        "mean": pl.Float64(),
        "deviation": pl.Float64(),
        "t_newey_west": pl.Float64(),
        "nw_lag": pl.Int64(),
        "information_ratio": pl.Float64(),
        "share_positive": pl.Float64(),
    }
)
_YEAR = 12
_THREADS = 2


def information_coefficients(stocks: pl.DataFrame, signals: Sequence[str]) -> pl.DataFrame:
    r"""Rank correlation of each signal with the returns of its month, month by month.

    Parameters
    ----------
    stocks
        Unique ``month_end`` (last day of the month), ``security_id`` with ``ret`` (return of the
        month, decimal) and the ``signals`` (known before the month begins); null, NaN and infinite
        values count as missing. Rows in any order.
    signals
        Columns to judge.

    Returns
    -------
    pl.DataFrame
        ``signal``, ``month_end``, ``coefficient`` (Spearman's, ties at their mean rank),
        ``stocks`` (with both the signal and a return); one row per signal and month in which any
        stock has both, ordered by signal as given and month. ``coefficient`` is null with fewer
        than 10 stocks, or when all have the same signal or return. Each month depends on its own
        rows alone, to the last bit.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.

    Notes
    -----
    .. math:: IC_t = corr(rank(s_{it}), rank(r_{it}))

    References
    ----------
    Grinold and Kahn (2000), *Active Portfolio Management*, chapter 6.
    """
    rows = StockMonths.of(stocks, ["ret", *signals])
    ret = rows.values("ret")
    # Sorted once: the order among the stocks with a signal follows from that of all.
    order = monthly_order(ret, rows.counts)

    def of_signal(signal: str) -> pl.DataFrame:
        values = rows.values(signal)
        known = np.isfinite(values) & np.isfinite(ret)
        counts = known_counts(known, rows.counts)
        of_months = counts[counts > 0]
        ranks = doubled_ranks(ret[known], of_months, order_among(order, known))
        return pl.DataFrame(
            {
                "month_end": rows.months.filter(pl.Series(counts > 0)),
                "coefficient": _rank_correlations(values[known], ranks, of_months),
                "stocks": of_months,
            },
            nan_to_null=True,
        ).select(pl.lit(signal).alias("signal"), "month_end", "coefficient", "stocks")

    # NumPy sorts without the interpreter's lock; signals do not touch each other.
    with ThreadPoolExecutor(_THREADS) as pool:
        return pl.concat([pl.DataFrame(schema=COEFFICIENT_SCHEMA), *pool.map(of_signal, signals)])


def _rank_correlations(values: Floats, y: Floats, counts: Counts) -> Floats:
    """Spearman's correlation of each month with what has the doubled ranks ``y``; else NaN."""
    if not len(counts):
        return np.empty(0)
    x = doubled_ranks(values, counts)
    starts = np.cumsum(counts) - counts
    # Ranks are doubled, so their mean is n + 1; all these numbers are whole.
    shift = counts * (counts + 1.0) ** 2
    xy, xx, yy = (np.add.reduceat(product, starts) - shift for product in (x * y, x * x, y * y))
    varies = (counts >= MIN_STOCKS) & (xx > 0) & (yy > 0)
    scale = np.sqrt(np.where(varies, xx, np.nan)) * np.sqrt(np.where(varies, yy, np.nan))
    correlations: Floats = np.clip(xy / scale, -1.0, 1.0)
    return correlations


def information_summary(coefficients: pl.DataFrame) -> pl.DataFrame:
    r"""Mean information coefficient of each signal and whether it is more than chance.

    Parameters
    ----------
    coefficients
        As `information_coefficients` returns them.

    Returns
    -------
    pl.DataFrame
        Columns of ``SUMMARY_SCHEMA``, then those of `with_verdicts` (the signals are one family);
        one row per signal, ordered by name. ``months`` counts months with a coefficient, the first
        and last of which are stated; ``average_stocks`` is of these. ``deviation`` is the standard
        deviation over months (n - 1), ``information_ratio`` is mean / deviation x sqrt(12),
        ``share_positive`` the share of months above 0. With fewer than 24 months the statistics
        are null.

    References
    ----------
    Grinold (1989), *Journal of Portfolio Management* 15(3).
    """
    series = MonthlySeries.of(coefficients, ["signal"], "coefficient")
    fit = newey_west(series.values)
    months = pl.col("month_end").filter(pl.col("coefficient").is_not_null())
    windows = coefficients.group_by("signal").agg(
        first_month=months.min(),
        last_month=months.max(),
        average_stocks=pl.col("stocks").filter(pl.col("coefficient").is_not_null()).mean(),
    )
    rows = [
        {"signal": signal, "months": int(fit.months[at])}
        | (
            _summary(series.values[np.isfinite(series.values[:, at]), at])
            | {"nw_lag": int(fit.lag[at]), "t_newey_west": number(fit.t[at, 0])}
            if fit.months[at] >= MIN_MONTHS
            else {}
        )
        for at, signal in enumerate(series.names["signal"])
    ]
    schema = {name: SUMMARY_SCHEMA[name] for name in SUMMARY_SCHEMA if name not in windows.columns}
    summary = pl.DataFrame(rows, schema={"signal": pl.String(), **schema}).join(
        windows, on="signal", how="left", maintain_order="left"
    )
    return with_verdicts(summary.select(SUMMARY_SCHEMA.names()), [])


def _summary(coefficients: Floats) -> dict[str, object]:
    mean = float(coefficients.mean())
    deviation = float(coefficients.std(ddof=1))
    return {
        "mean": mean,
        "deviation": deviation,
        "information_ratio": mean / deviation * sqrt(_YEAR) if deviation > 0 else None,
        "share_positive": float((coefficients > 0).mean()),
    }
