"""Least squares for many windows at once, from their moments."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.betas.windows import Flags, Floats, Moments

COLLINEAR: Final = 1e-8
"""A regressor is collinear when the intercept and the regressors before it leave less than this
share of its sum of squares unexplained: its standard error would be ten thousand times larger."""

# Sums of squares are rounded at this share of their terms; what is smaller is noise around zero.
_NOISE: Final = 64 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Estimates:
    """Ordinary least squares with an intercept; one entry per window, NaN where unknown.

    Attributes
    ----------
    coefficients
        Intercept and slopes, shape (1 + K, windows).
    errors
        Their standard errors (homoscedastic), same shape.
    r2
        Share of the variation around the mean that is explained; NaN when there is none.
    residual_volatility
        Square root of the squared residuals' sum over n - K - 1.
    collinear
        Where the regressors are collinear; all else is NaN there.
    """

    coefficients: Floats
    errors: Floats
    r2: Floats
    residual_volatility: Floats
    collinear: Flags


def least_squares(moments: Moments, regressors: tuple[str, ...]) -> Estimates:
    r"""Regress on an intercept and ``regressors``, each window on its own.

    Regressors are centred on their means in the window and their cross-products factored by
    Cholesky, one array operation per element of the triangle for all windows together.

    Parameters
    ----------
    moments
        Sums of windows with more than K + 1 observations each.
    regressors
        Names of K of the regressors.

    Returns
    -------
    Estimates
        Where the dependent variable is fitted to rounding, the standard errors are 0.

    Notes
    -----
    .. math:: y_t = a + \sum_k b_k x_{kt} + e_t
    """
    count = moments.count
    means = [moments.x(name) / count for name in regressors]
    y_mean = moments.y / count
    lower, collinear = _cholesky(moments, regressors, means)
    scaled = _forward(lower, [moments.xy(name) - moments.x(name) * y_mean for name in regressors])
    slopes = _backward(lower, scaled)
    variation = _y_variation(moments)
    explained = _squares(scaled)
    unexplained = _above_noise(variation - explained, variation)
    variance = unexplained / (count - (1 + len(regressors)))
    intercept = y_mean - _products(slopes, means)
    intercept_variance = 1 / count + _squares(_forward(lower, means))
    inverses = [intercept_variance, *_inverse_diagonal(lower)]
    estimates = Estimates(
        coefficients=np.array([intercept, *slopes]),
        errors=np.array([np.sqrt(variance * inverse) for inverse in inverses]),
        r2=1 - unexplained / np.where(variation > 0, variation, np.nan),
        residual_volatility=np.sqrt(variance),
        collinear=collinear,
    )
    for values in (estimates.coefficients, estimates.errors):
        values[:, collinear] = np.nan
    for values in (estimates.r2, estimates.residual_volatility):
        values[collinear] = np.nan
    return estimates


def correlation(moments: Moments, name: str) -> tuple[Floats, Flags]:
    """Correlation of the dependent variable with a regressor, and where one does not vary.

    Parameters
    ----------
    moments
        Sums of windows with two observations or more.
    name
        The regressor.

    Returns
    -------
    tuple of Floats and Flags
        Shape (windows,) each; NaN where sums overflow.
    """
    x_variation, y_variation = _variations(moments, name)
    product = moments.xy(name) - moments.x(name) * (moments.y / moments.count)
    still = (x_variation == 0) | (y_variation == 0)
    scale = np.sqrt(x_variation) * np.sqrt(y_variation)
    return np.clip(product / np.where(still, np.nan, scale), -1.0, 1.0), still


def deviation_ratio(moments: Moments, name: str) -> tuple[Floats, Flags]:
    """Ratio of the standard deviation of the dependent variable to that of a regressor.

    Parameters and shapes are those of ``correlation``; the regressor must vary.
    """
    x_variation, y_variation = _variations(moments, name)
    still = x_variation == 0
    return np.sqrt(y_variation / np.where(still, np.nan, x_variation)), still


def standard_deviation(moments: Moments) -> Floats:
    """Return the standard deviation (n - 1) of the dependent variable, shape (windows,)."""
    return np.sqrt(_y_variation(moments) / (moments.count - 1))


def _variations(moments: Moments, name: str) -> tuple[Floats, Floats]:
    """Sum squares around the mean, of a regressor and of the dependent variable."""
    total = moments.xx(name, name)
    around = total - moments.x(name) * (moments.x(name) / moments.count)
    return _above_noise(around, total), _y_variation(moments)


def _y_variation(moments: Moments) -> Floats:
    return _above_noise(moments.yy - moments.y * (moments.y / moments.count), moments.yy)


def _cholesky(
    moments: Moments, regressors: tuple[str, ...], means: list[Floats]
) -> tuple[list[list[Floats]], NDArray[np.bool_]]:
    """Lower triangle of the centred cross-products, and where a pivot vanishes."""
    lower: list[list[Floats]] = []
    collinear = np.zeros(len(moments.count), dtype=np.bool_)
    for i, name in enumerate(regressors):
        row: list[Floats] = []
        for j in range(i):
            product = moments.xx(name, regressors[j]) - moments.x(name) * means[j]
            row.append((product - _products(row, lower[j][:j])) / lower[j][j])
        total = moments.xx(name, name)
        pivot = total - moments.x(name) * means[i] - _squares(row)
        vanishes = ~(pivot > COLLINEAR * total)
        collinear |= vanishes
        # Any number does: what is made of it becomes NaN at the end.
        row.append(np.sqrt(np.where(vanishes, 1.0, pivot)))
        lower.append(row)
    return lower, collinear


def _forward(lower: list[list[Floats]], right: list[Floats]) -> list[Floats]:
    """Solve ``L z = right``."""
    solution: list[Floats] = []
    for row, value in zip(lower, right, strict=True):
        solution.append((value - _products(row[:-1], solution)) / row[-1])
    return solution


def _backward(lower: list[list[Floats]], right: list[Floats]) -> list[Floats]:
    """Solve ``L' b = right``."""
    solution: list[Floats] = []
    for i in range(len(lower) - 1, -1, -1):
        column = [lower[j][i] for j in range(i + 1, len(lower))]
        solution.insert(0, (right[i] - _products(column, solution)) / lower[i][i])
    return solution


def _inverse_diagonal(lower: list[list[Floats]]) -> list[Floats]:
    """Diagonal of the inverse of ``L L'``: squared norms of the columns of the inverse of L."""
    inverses = []
    for i in range(len(lower)):
        column = [1 / lower[i][i]]
        for row in lower[i + 1 :]:
            column.append(-_products(row[i:-1], column) / row[-1])
        inverses.append(_squares(column))
    return inverses


def _products(left: list[Floats], right: list[Floats]) -> Floats:
    """Sum of products, in order; 0 when there are none."""
    if not left:
        return np.zeros(1)
    total = left[0] * right[0]
    for a, b in zip(left[1:], right[1:], strict=True):
        total += a * b
    return total


def _squares(values: list[Floats]) -> Floats:
    return _products(values, values)


def _above_noise(value: Floats, scale: Floats) -> Floats:
    """Return ``value``, or 0 where rounding can have made it out of terms of size ``scale``."""
    return np.where(value < _NOISE * scale, 0.0, value)
