"""Tests of several portfolios together: Gibbons-Ross-Shanken and the two-pass regression."""

from dataclasses import dataclass

import numpy as np

from factor_pipeline.compute.statistics.regression import Floats
from factor_pipeline.compute.statistics.series import MIN_MONTHS


def complete_months(returns: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """Rows in which all columns of both are known."""
    known = np.isfinite(returns).all(axis=1) & np.isfinite(factors).all(axis=1)
    return returns[known], factors[known]


@dataclass(frozen=True, slots=True)
class TimeSeries:
    """Regressions of N portfolios on the same K factors over T months.

    Attributes
    ----------
    alphas
        Shape (N,).
    betas
        Shape (N, K).
    residuals
        Shape (T, N).
    """

    alphas: Floats
    betas: Floats
    residuals: Floats


def time_series(returns: Floats, factors: Floats) -> TimeSeries:
    """Least squares of each column of ``returns`` on an intercept and all ``factors``.

    Parameters
    ----------
    returns, factors
        Shapes (T, N) and (T, K), without missing values.
    """
    mean_return, mean_factor = returns.mean(axis=0), factors.mean(axis=0)
    deviation = factors - mean_factor
    slopes = np.linalg.solve(
        _crossed(deviation, deviation), _crossed(deviation, returns - mean_return)
    ).T
    alphas = mean_return - np.einsum("nk,k->n", slopes, mean_factor)
    residuals = returns - alphas - np.einsum("tk,nk->tn", factors, slopes)
    return TimeSeries(alphas, slopes.astype(np.float64), residuals)


def grs(returns: Floats, factors: Floats) -> dict[str, object]:
    r"""Test whether the alphas of all portfolios are zero.

    Parameters
    ----------
    returns
        Excess returns of N portfolios, shape (T, N); NaN where missing.
    factors
        Excess returns of K factors, shape (T, K); NaN where missing.

    Returns
    -------
    dict
        ``statistic`` with its ``p_value`` (F with N and T - N - K degrees of freedom),
        ``portfolios`` N, ``months`` T, ``factors`` K, ``mean_absolute_alpha`` and ``mean_r2``.
        Without more than N + K months, or with fewer than 24, and for singular factors or
        residuals, only the counts.

    Notes
    -----
    .. math::
        F = \frac{T - N - K}{N} \,
            \frac{\hat\alpha' \hat\Sigma^{-1} \hat\alpha}{1 + \bar f' \hat\Omega^{-1} \bar f}

    with covariances over T.

    References
    ----------
    Gibbons, Ross and Shanken (1989), *Econometrica* 57(5).
    """
    # Imported late: every command loads this module, and SciPy takes a while.
    from scipy.special import fdtrc  # type: ignore[import-untyped]  # noqa: PLC0415

    returns, factors = complete_months(returns, factors)
    months, portfolios, width = len(returns), returns.shape[1], factors.shape[1]
    counts: dict[str, object] = {"portfolios": portfolios, "months": months, "factors": width}
    freedom = months - portfolios - width
    if months < MIN_MONTHS or freedom < 1:
        return counts
    deviation = factors - factors.mean(axis=0)
    try:
        fit = time_series(returns, factors)
        mispricing = _form(fit.alphas, _crossed(fit.residuals, fit.residuals) / months)
        sharpe2 = _form(factors.mean(axis=0), _crossed(deviation, deviation) / months)
    except np.linalg.LinAlgError:
        return counts
    statistic = freedom / portfolios * mispricing / (1.0 + sharpe2)
    if not 0.0 <= statistic < np.inf:
        return counts
    total = ((returns - returns.mean(axis=0)) ** 2).sum(axis=0)
    return counts | {
        "statistic": statistic,
        "p_value": float(fdtrc(portfolios, freedom, statistic)),
        "mean_absolute_alpha": float(np.abs(fit.alphas).mean()),
        "mean_r2": float((1.0 - (fit.residuals**2).sum(axis=0) / total).mean()),
    }


@dataclass(frozen=True, slots=True)
class TwoPass:
    """Prices of risk from the cross-section of average returns; terms are intercept and factors.

    Attributes
    ----------
    monthly
        Estimates of each month, shape (T, 1 + K); their means are the prices.
    shanken
        Standard errors of the means that allow for betas being estimated, shape (1 + K,).
    r2
        R-squared of each month's cross-section, shape (T,).
    """

    monthly: Floats
    shanken: Floats
    r2: Floats


def two_pass(returns: Floats, factors: Floats) -> TwoPass | None:
    r"""Regress returns month by month on betas estimated over all months.

    Parameters
    ----------
    returns
        Excess returns of N portfolios, shape (T, N); NaN where missing.
    factors
        Returns of K factors, shape (T, K); NaN where missing.

    Returns
    -------
    TwoPass or None
        Null unless N is above K + 1 and the complete months are at least 24 and above N + K, or
        when betas or factors are collinear.

    Notes
    -----
    With Z = (1, B), :math:`\hat\lambda_t = (Z'Z)^{-1} Z' r_t`, errors of their mean are

    .. math::
        \frac{1}{T - 1} \left[ (Z'Z)^{-1} Z' \Sigma Z (Z'Z)^{-1}
            (1 + \lambda_f' \Sigma_f^{-1} \lambda_f) + \Sigma_f^* \right]

    where the starred matrix has a row and column of zeros for the intercept.

    References
    ----------
    Fama and MacBeth (1973), *Journal of Political Economy* 81(3); Shanken (1992), *Review of
    Financial Studies* 5(1); Cochrane (2005), *Asset Pricing*, section 12.2.
    """
    returns, factors = complete_months(returns, factors)
    months, portfolios, width = len(returns), returns.shape[1], factors.shape[1]
    if portfolios <= width + 1 or months < MIN_MONTHS or months <= portfolios + width:
        return None
    deviation = factors - factors.mean(axis=0)
    factor_covariance = _crossed(deviation, deviation) / months
    try:
        fit = time_series(returns, factors)
        design = np.column_stack([np.ones(portfolios), fit.betas])
        projection = np.linalg.solve(_crossed(design, design), design.T)
        monthly = np.einsum("kn,tn->tk", projection, returns)
        prices = monthly.mean(axis=0)
        correction = 1.0 + _form(prices[1:], factor_covariance)
    except np.linalg.LinAlgError:
        return None
    residual_covariance = _crossed(fit.residuals, fit.residuals) / months
    covariance = correction * np.einsum("in,nm,jm->ij", projection, residual_covariance, projection)
    covariance[1:, 1:] += factor_covariance
    left = returns - np.einsum("nk,tk->tn", design, monthly)
    total = ((returns - returns.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return TwoPass(
        monthly=monthly,
        # Divided by T - 1, as the plain error is: the correction never makes it smaller.
        shanken=np.sqrt(np.diagonal(covariance) / (months - 1)),
        r2=1.0 - (left**2).sum(axis=1) / np.where(total > 0, total, np.nan),
    )


# Not the product of matrices: BLAS chooses the order of its sums by the number of threads.


def _crossed(left: Floats, right: Floats) -> Floats:
    """Sum of outer products over the first axis."""
    crossed: Floats = np.einsum("ti,tj->ij", left, right)
    return crossed


def _form(vector: Floats, matrix: Floats) -> float:
    """``v' M^-1 v``."""
    return float((vector * np.linalg.solve(matrix, vector)).sum())
