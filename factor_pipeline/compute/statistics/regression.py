"""Least squares with Newey-West errors for many monthly series at once."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.hac import newey_west_lag

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]

# Smallest over largest eigenvalue of the scaled cross-products: below, slopes are rounding.
_COLLINEAR: Final = 1e-10
# Residuals that are rounding, as a share of the dependent variable's sum of squares.
_EXACT_FIT: Final = 1e-20
# Series at a time: their designs stay in the processor's cache, and memory stays small.
_BLOCK: Final = 256


@dataclass(frozen=True, slots=True)
class Regression:
    """Ordinary least squares with an intercept; one entry per series, NaN where unknown.

    Attributes
    ----------
    coefficients
        Intercept and slopes, shape (series, 1 + K).
    errors
        Their Newey-West standard errors, same shape; NaN for a fit without residuals.
    r2
        Share of the variation around the mean that is explained; NaN when there is none.
    months
        Months with the series and all regressors.
    lag
        Lags of the errors, ``floor(4 (T / 100)^(2/9))``, or the one that was asked for.
    """

    coefficients: Floats
    errors: Floats
    r2: Floats
    months: Counts
    lag: Counts

    @property
    def t(self) -> Floats:
        """Coefficients over their errors, shape (series, 1 + K)."""
        return self.coefficients / self.errors


@dataclass(frozen=True, slots=True)
class _Sample:
    """Known months of a block of series, moved up to the top; 0 below.

    ``y`` has shape (months, series), ``design`` (months, 1 + K, series), ``scale`` (1 + K, series):
    what the columns of the design were divided by, so that rates and ones are of one size.
    """

    y: Floats
    design: Floats
    scale: Floats
    months: Counts

    @classmethod
    def of(cls, y: Floats, x: Floats) -> Self:
        known = np.isfinite(y) & np.isfinite(x).all(axis=1)
        order = np.argsort(~known, axis=0, kind="stable")
        months = known.sum(axis=0)
        order = order[: max(months.max(initial=0), 1)]
        is_used = np.take_along_axis(known, order, axis=0)
        y = np.where(is_used, np.take_along_axis(y, order, axis=0), 0.0)
        x = np.take_along_axis(x, order[:, None, :], axis=0)
        ones = np.ones((len(y), 1, y.shape[1]))
        design = np.where(is_used[:, None, :], np.concatenate([ones, x], axis=1), 0.0)
        size = np.sqrt(_summed(design, design) / np.maximum(months, 1))
        scale = np.where(size > 0, size, 1.0)
        return cls(y, design / scale, scale, months)


def newey_west(y: Floats, x: Floats | None = None, lag: int | None = None) -> Regression:
    r"""Regress every series on an intercept and its own regressors.

    Parameters
    ----------
    y
        Monthly values in time order, shape (T, series); NaN where missing.
    x
        Regressors, shape (T, K) when all series have the same, else (T, series, K); NaN where
        missing. Without any, the intercept is the mean of the series.
    lag
        Lags of the errors; by default chosen for each series by its number of months.

    Returns
    -------
    Regression
        NaN for series with fewer than K + 2 months or collinear regressors. A month without the
        series or a regressor is left out, and its neighbours count as next to each other.
        A series has the same bits whatever series are beside it.

    Notes
    -----
    .. math::
        V = (X'X)^{-1} \left( \Gamma_0 + \sum_{l=1}^{L} \left(1 - \tfrac{l}{L + 1}\right)
            (\Gamma_l + \Gamma_l') \right) (X'X)^{-1},
        \quad \Gamma_l = \sum_t e_t e_{t-l} x_t x_{t-l}'

    without a small-sample correction, as statsmodels computes it (``cov_type="HAC"``). The alphas
    of all portfolios and the windows of all factors are tens of thousands of series, for each of
    which statsmodels takes 0.4 ms and this 0.1 ms or less (240 months, five regressors). So they
    are computed here, and statsmodels is what they are checked against.

    References
    ----------
    Newey and West (1987), *Econometrica* 55(3); (1994), *Review of Economic Studies* 61(4).
    """
    regressors = np.empty((*y.shape, 0)) if x is None else x
    if regressors.ndim == y.ndim:
        regressors = np.broadcast_to(regressors[:, None, :], (*y.shape, regressors.shape[1]))
    regressors = regressors.transpose(0, 2, 1)
    parts = [
        _block(_Sample.of(y[:, at : at + _BLOCK], regressors[:, :, at : at + _BLOCK]), lag)
        for at in range(0, max(y.shape[1], 1), _BLOCK)
    ]
    return Regression(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("coefficients", "errors", "r2", "months", "lag")
        )
    )


def _block(sample: _Sample, lag: int | None) -> Regression:
    width = sample.design.shape[1]
    cross = _crossed(sample.design, sample.design).transpose(2, 0, 1)
    eigenvalues = np.linalg.eigvalsh(cross)
    is_regular = (sample.months > width) & (eigenvalues[:, 0] > _COLLINEAR * eigenvalues[:, -1])
    regular = np.where(is_regular[:, None, None], cross, np.eye(width))
    inverse = np.ascontiguousarray(np.linalg.inv(regular).transpose(1, 2, 0))
    coefficients = np.zeros_like(sample.scale)
    residuals = sample.y
    # The second round takes back what the first one rounded away.
    for _ in range(2):
        projected = _summed(sample.design, residuals[:, None, :])
        coefficients = coefficients + _summed(inverse, projected[:, None, :])
        residuals = sample.y - _summed(sample.design.transpose(1, 0, 2), coefficients[:, None, :])
    lags = _lags(sample.months, lag)
    variance = _variances(inverse, sample.design * residuals[:, None, :], lags)
    unexplained = _summed(residuals, residuals)
    has_errors = is_regular & (unexplained > _EXACT_FIT * _summed(sample.y, sample.y))
    errors = np.sqrt(np.where(has_errors & (variance > 0), variance, np.nan))
    return Regression(
        coefficients=(np.where(is_regular, coefficients, np.nan) / sample.scale).T,
        errors=(errors / sample.scale).T,
        r2=np.where(is_regular, _r2(sample, unexplained), np.nan),
        months=sample.months,
        lag=lags,
    )


def _lags(months: Counts, lag: int | None) -> Counts:
    if lag is not None:
        return np.full_like(months, lag)
    return np.array([newey_west_lag(int(count)) for count in months], dtype=np.int64)


def _variances(inverse: Floats, scores: Floats, lags: Counts) -> Floats:
    """Newey-West variances of the coefficients, shape (1 + K, series)."""
    middle = _crossed(scores, scores)
    for lag in range(1, int(lags.max(initial=0)) + 1):
        weight = np.maximum(0.0, 1.0 - lag / (lags + 1.0))
        lagged = _crossed(scores[lag:], scores[:-lag])
        middle += weight * (lagged + lagged.transpose(1, 0, 2))
    # The diagonal of inverse x middle x inverse, all three symmetric.
    half = _summed(inverse[:, :, None, :], middle[:, None, :, :])
    return _summed(half.transpose(1, 0, 2), inverse)


def _r2(sample: _Sample, unexplained: Floats) -> Floats:
    mean = _summed(sample.y, np.ones_like(sample.y)) / np.maximum(sample.months, 1)
    is_used = np.arange(len(sample.y))[:, None] < sample.months
    deviation = np.where(is_used, sample.y - mean, 0.0)
    variation = _summed(deviation, deviation)
    has_variation = variation > _EXACT_FIT * _summed(sample.y, sample.y)
    r2: Floats = 1.0 - unexplained / np.where(has_variation, variation, np.nan)
    return np.maximum(r2, 0.0)


# Sums run term after term, element by element: NumPy's own sums and products of matrices choose
# their order by the shape of the whole array, so that a series would depend on its neighbours.


def _summed(left: Floats, right: Floats) -> Floats:
    """Sum of products over the first axis."""
    total = np.zeros(np.broadcast_shapes(left.shape[1:], right.shape[1:]))
    for a, b in zip(left, right, strict=True):
        total += a * b
    return total


def _crossed(left: Floats, right: Floats) -> Floats:
    """Sum of outer products over the first axis, shape (1 + K, 1 + K, series)."""
    return _summed(left[:, :, None, :], right[:, None, :, :])
