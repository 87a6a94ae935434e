"""How factors move together."""

from collections.abc import Sequence
from itertools import combinations
from math import sqrt

import numpy as np
import polars as pl

from factor_pipeline.compute.statistics.regression import Floats
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries

CORRELATION_SCHEMA = pl.Schema(
    {
        "source": pl.String(),
        "vintage": pl.String(),
        "factor_a": pl.String(),
        "factor_b": pl.String(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "months": pl.Int64(),
        "correlation": pl.Float64(),
    }
)

GROUP: Sequence[str] = ("source", "vintage")
"""Factors are set beside each other within a source and vintage, never across."""


def correlations(returns: pl.DataFrame) -> pl.DataFrame:
    """Pairwise correlations of the factors of each source and vintage.

    Parameters
    ----------
    returns
        Unique ``source``, ``vintage``, ``factor``, ``month_end`` with ``ret`` (decimal; null, NaN
        and infinite values count as missing), in any order.

    Returns
    -------
    pl.DataFrame
        Columns of ``CORRELATION_SCHEMA``; one row per pair, ``factor_a`` before ``factor_b`` in the
        alphabet, over the months both have. ``correlation`` is null with fewer than 24 of them or
        when a factor does not vary, ``first_month`` and ``last_month`` when there are none.

    Raises
    ------
    DataError
        When a factor has two rows for a month.
    """
    rows = []
    for group in returns.sort(*GROUP).partition_by(GROUP, maintain_order=True):
        series = MonthlySeries.of(group, (*GROUP, "factor"))
        for a, b in combinations(range(series.names.height), 2):
            both = np.flatnonzero(np.isfinite(series.values[:, [a, b]]).all(axis=1))
            source, vintage, factor_a = series.names.row(a)
            rows.append(
                {
                    "source": source,
                    "vintage": vintage,
                    "factor_a": factor_a,
                    "factor_b": series.names.row(b)[-1],
                    "first_month": series.month_ends[int(both[0])] if len(both) else None,
                    "last_month": series.month_ends[int(both[-1])] if len(both) else None,
                    "months": len(both),
                    "correlation": _correlation(series.values[both, a], series.values[both, b]),
                }
            )
    return pl.DataFrame(rows, schema=CORRELATION_SCHEMA)


def _correlation(left: Floats, right: Floats) -> float | None:
    if len(left) < MIN_MONTHS or np.ptp(left) == 0 or np.ptp(right) == 0:
        return None
    left, right = left - left.mean(), right - right.mean()
    scale = sqrt(float((left * left).sum())) * sqrt(float((right * right).sum()))
    # Rounding can carry two equal series a bit beyond 1.
    return max(-1.0, min(1.0, float((left * right).sum()) / scale))
