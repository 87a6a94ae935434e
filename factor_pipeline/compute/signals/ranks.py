"""Ranks across stocks, the common scale of signals that are combined."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# Means of scores that are equal on paper differ in the last bits of their sums.
_SCORE_DIGITS = 12


def rank_scores(month: pl.Series, values: Floats) -> Floats:
    r"""Z-scores of the ranks of ``values`` among the stocks of each month that have one.

    Parameters
    ----------
    month
        Month of each value, shape (n,).
    values
        Shape (n,); NaN and infinite values count as missing.

    Returns
    -------
    ndarray
        Shape (n,), mean 0 and standard deviation 1 in each month; NaN where ``values`` are
        missing and in a month with one value, 0 in a month in which all are equal.

    Notes
    -----
    With average ranks :math:`R_i` among n stocks,
    :math:`z_i = (R_i - (n + 1) / 2) / \operatorname{sd}(R)`, the standard deviation with n - 1.
    Ranks are multiples of one half, so that all sums are exact and the order of rows changes no
    bit.

    References
    ----------
    Asness, Moskowitz and Pedersen (2013), *Journal of Finance* 68(3).
    """
    known = pl.Series("value", np.where(np.isfinite(values), values, np.nan), nan_to_null=True)
    value = pl.col("value")
    frame = pl.DataFrame([month.alias("month"), known])
    ranked = frame.select(
        rank=value.rank("average").over("month"), count=value.count().over("month")
    ).with_columns(deviation=pl.col("rank") - (pl.col("count") + 1) / 2, month=frame["month"])
    squares = ranked.select((pl.col("deviation") ** 2).sum().over("month")).to_series().to_numpy()
    deviation, count = ranked["deviation"].to_numpy(), ranked["count"].to_numpy()
    # Divided here: Polars multiplies by the reciprocal of what is the same for a group.
    scale = np.sqrt(squares / np.maximum(count - 1.0, 1.0))
    scores = np.divide(deviation, scale, out=deviation.copy(), where=squares > 0)
    return np.where(count > 1, scores, np.nan)


def mean_score(scores: Sequence[Floats], *, at_least: int) -> Floats:
    """Mean of the scores a stock has.

    Parameters
    ----------
    scores
        Arrays of one shape; NaN is missing.
    at_least
        Fewest scores of a mean; with fewer it is NaN.

    Returns
    -------
    ndarray
        Of that shape, rounded to twelve decimals so that equal means are equal.
    """
    count = np.zeros(len(scores[0]))
    total = np.zeros(len(scores[0]))
    for score in scores:
        is_known = ~np.isnan(score)
        count += is_known
        total += np.where(is_known, score, 0.0)
    enough = count >= at_least
    mean = np.divide(total, count, out=np.full(len(total), np.nan), where=enough)
    return np.asarray(np.round(mean, _SCORE_DIGITS))
