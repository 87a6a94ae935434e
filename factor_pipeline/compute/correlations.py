"""Correlations between strategies."""

import math
from itertools import combinations

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.performance import MIN_MONTHS
from factor_pipeline.compute.series_statistics import deviation

CORRELATION_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "other": pl.String(),
        "months": pl.Int64(),
        "correlation": pl.Float64(),
    }
)

_Floats = npt.NDArray[np.float64]


def correlations(returns: pl.DataFrame) -> pl.DataFrame:
    """Correlation of every pair of strategies over the months both have.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``net`` (decimal).

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``other`` (later in the alphabet), ``months``, ``correlation`` (null with
        fewer than 12 months or a constant series).
    """
    wide = (
        returns.select("strategy", "month_end", "net")
        .sort("strategy", "month_end")
        .pivot("strategy", index="month_end", values="net")
        .sort("month_end")
    )
    series = {
        name: wide[name].cast(pl.Float64) for name in sorted(set(wide.columns) - {"month_end"})
    }
    arrays = {name: values.fill_null(np.nan).to_numpy() for name, values in series.items()}
    rows = [
        (one, other, *_correlation(arrays[one], arrays[other]))
        for one, other in combinations(arrays, 2)
    ]
    return pl.DataFrame(rows, schema=CORRELATION_SCHEMA, orient="row")


def _correlation(x: _Floats, y: _Floats) -> tuple[int, float | None]:
    both = np.isfinite(x) & np.isfinite(y)
    count = int(np.count_nonzero(both))
    if count < MIN_MONTHS:
        return count, None
    x, y = x[both], y[both]
    if not deviation(x) or not deviation(y):
        return count, None
    x, y = x - x.mean(), y - y.mean()
    ratio = float((x * y).sum()) / math.sqrt(float((x * x).sum()) * float((y * y).sum()))
    return count, min(max(ratio, -1.0), 1.0)
