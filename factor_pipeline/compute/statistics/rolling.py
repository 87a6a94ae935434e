"""Means of factor returns over moving windows."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.lib.stride_tricks import sliding_window_view

from factor_pipeline.compute.statistics.regression import newey_west
from factor_pipeline.compute.statistics.series import MonthlySeries

ROLLING_MONTHS: Final = 36
"""Months of a window."""

_FIGURES: Final = {
    "month_end": pl.Date(),
    "mean": pl.Float64(),
    "t_newey_west": pl.Float64(),
    "nw_lag": pl.Int64(),
}


def rolling_means(returns: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Mean of every window of 36 months, with its t-value.

    Parameters
    ----------
    returns
        Unique ``key`` and ``month_end`` with ``ret`` (decimal; null, NaN and infinite values count
        as missing), in any order.
    key
        Columns that tell the series apart.

    Returns
    -------
    pl.DataFrame
        ``key``, ``month_end`` (last month of the window), ``mean`` (decimal per month),
        ``t_newey_west`` (null for a window without variation), ``nw_lag``; only windows without a
        missing month. A window has the same bits whatever comes before or after it. Windows next
        to each other share 35 months: a smooth line is no evidence.

    Raises
    ------
    DataError
        When a series has two rows for a month.
    """
    series = MonthlySeries.of(returns, key)
    if len(series.month_ends) < ROLLING_MONTHS:
        return pl.DataFrame(schema=pl.Schema({**series.names.schema, **_FIGURES}))
    # Series vary slowest, so that rows come out by series and month.
    windows = sliding_window_view(series.values, ROLLING_MONTHS, axis=0).transpose(1, 0, 2)
    column, last = np.nonzero(np.isfinite(windows).all(axis=2))
    fit = newey_west(np.ascontiguousarray(windows[column, last].T))
    return pl.concat(
        [
            series.names.select(pl.all().gather(column)),
            pl.DataFrame(
                {
                    "month_end": series.month_ends.gather(last + ROLLING_MONTHS - 1),
                    "mean": fit.coefficients[:, 0],
                    "t_newey_west": fit.t[:, 0],
                    "nw_lag": fit.lag,
                },
                nan_to_null=True,
            ),
        ],
        how="horizontal",
    )
