"""Monthly cross-sectional regressions of returns on signals, after Fama and MacBeth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.statistics.information import MIN_STOCKS
from factor_pipeline.compute.statistics.ranks import doubled_ranks, known_counts
from factor_pipeline.compute.statistics.regression import Counts, Floats
from factor_pipeline.compute.stock_months import StockMonths

# Smallest over largest eigenvalue of the cross-products: below, slopes are rounding.
_COLLINEAR: Final = 1e-10


@dataclass(frozen=True, slots=True)
class CrossSections:
    """Least squares with an intercept in each of M months; NaN where there is no regression.

    Attributes
    ----------
    slopes
        Intercept and slopes, shape (M, 1 + K).
    r2
        R-squared, shape (M,).
    stocks
        Stocks with the return and all regressors, shape (M,).
    """

    slopes: Floats
    r2: Floats
    stocks: Counts


def cross_sections(ret: Floats, regressors: Floats, counts: Counts) -> CrossSections:
    r"""Regress the returns of each month on an intercept and ``regressors``.

    Parameters
    ----------
    ret
        Returns, month after month, shape (n,); NaN where missing.
    regressors
        Shape (n, K); NaN where missing.
    counts
        Rows of each month, shape (M,), adding up to n.

    Returns
    -------
    CrossSections
        A month is NaN with fewer than 10 stocks, without more than K + 1 of them, or when the
        regressors are collinear in it. It has the same bits whatever months are beside it.

    Notes
    -----
    .. math:: r_{it} = \gamma_{0t} + \sum_k \gamma_{kt} x_{ikt} + e_{it}

    References
    ----------
    Fama and MacBeth (1973), *Journal of Political Economy* 81(3).
    """
    width = regressors.shape[1] + 1
    crosses = np.zeros((len(counts), width + 1, width + 1))
    stocks = np.zeros(len(counts), dtype=np.int64)
    known = np.isfinite(ret) & np.isfinite(regressors).all(axis=1)
    ends = np.cumsum(counts)
    for month, (start, end) in enumerate(zip(ends - counts, ends, strict=True)):
        rows = start + np.flatnonzero(known[start:end])
        stocks[month] = len(rows)
        if len(rows):
            table = np.column_stack([np.ones(len(rows)), regressors[rows], ret[rows]])
            # Not the product of matrices: BLAS orders its sums by the number of threads.
            crosses[month] = np.einsum("ni,nj->ij", table, table)
    return _solved(crosses, stocks)


def _solved(crosses: Floats, stocks: Counts) -> CrossSections:
    width = crosses.shape[1] - 1
    left, right, squares = crosses[:, :width, :width], crosses[:, :width, width], crosses[:, -1, -1]
    eigenvalues = np.linalg.eigvalsh(left)
    is_regular = eigenvalues[:, 0] > _COLLINEAR * eigenvalues[:, -1]
    is_regular &= (stocks >= MIN_STOCKS) & (stocks > width)
    regular = np.where(is_regular[:, None, None], left, np.eye(width))
    slopes = np.linalg.solve(regular, right[:, :, None])[:, :, 0].astype(np.float64)
    slopes[~is_regular] = np.nan
    variation = squares - right[:, 0] ** 2 / np.maximum(stocks, 1)
    explained = np.einsum("mk,mk->m", slopes, right) - right[:, 0] ** 2 / np.maximum(stocks, 1)
    varies = is_regular & (variation > 0)
    r2: Floats = np.clip(explained / np.where(varies, variation, np.nan), 0.0, 1.0)
    return CrossSections(slopes, r2, stocks)


def signal_ranks(rows: StockMonths, signal: str) -> Floats:
    """Rank of a signal in its month, from -1/2 (lowest) to 1/2; NaN where it is missing.

    Ranks have the same unit for every signal, and no outliers: the slope on them is the difference
    in return between the highest and the lowest stock. A month with one stock has 0.

    References
    ----------
    Gu, Kelly and Xiu (2020), *Review of Financial Studies* 33(5).
    """
    values = rows.values(signal)
    known = np.isfinite(values)
    counts = known_counts(known, rows.counts)
    ranks = (doubled_ranks(values[known], counts) - 2.0) / 2.0
    others = np.repeat(counts - 1.0, counts)
    scaled = np.full(len(values), np.nan)
    scaled[known] = np.where(others > 0, ranks / np.maximum(others, 1.0) - 0.5, 0.0)
    return scaled


def stock_cross_sections(
    stocks: pl.DataFrame, specifications: Mapping[str, Sequence[str]]
) -> dict[str, CrossSections]:
    """Regress returns on the ranks of signals, for several choices of signals.

    Parameters
    ----------
    stocks
        Unique ``month_end`` (last day of the month), ``security_id`` with ``ret`` (return of the
        month, decimal) and the signals (known before the month begins); null, NaN and infinite
        values count as missing. Rows in any order.
    specifications
        Signals of each regression by its name. Stocks without one of them are left out.

    Returns
    -------
    dict
        The regressions by name, over all months of ``stocks``, ascending.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.
    """
    signals = list(dict.fromkeys(name for names in specifications.values() for name in names))
    rows = StockMonths.of(stocks, ["ret", *signals])
    ret = rows.values("ret")
    ranks = {signal: signal_ranks(rows, signal) for signal in signals}
    return {
        name: cross_sections(ret, np.column_stack([ranks[s] for s in chosen]), rows.counts)
        for name, chosen in specifications.items()
    }
