"""Least squares with errors that allow for heteroskedasticity and autocorrelation."""

from dataclasses import dataclass
from math import floor, sqrt

import numpy as np
from numpy.typing import NDArray

# Residuals that are rounding, not risk, as a share of the squares they are left of.
_ZERO_RESIDUAL = 1e-20

_Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HacFit:
    """A regression of n observations on k regressors.

    Attributes
    ----------
    coefficients
        Shape (k,).
    covariance
        Newey-West covariance of them, shape (k, k); null when the residuals are rounding only.
    r2
        R-squared; null when the dependent variable does not vary.
    lag
        Lags of the covariance.
    """

    coefficients: _Floats
    covariance: _Floats | None
    r2: float | None
    lag: int

    def standard_error(self, *contrast: float) -> float | None:
        """Error of the sum of the coefficients times ``contrast``; null without a covariance."""
        if self.covariance is None:
            return None
        weights = np.array(contrast)
        variance = float(weights @ self.covariance @ weights)
        return sqrt(variance) if variance > 0 else None


def newey_west_lag(months: int) -> int:
    """Lags for ``months`` observations, ``floor(4 (T / 100)^(2/9))``.

    References
    ----------
    Newey and West (1994), *Review of Economic Studies* 61(4).
    """
    return floor(4.0 * float((months / 100.0) ** (2.0 / 9.0)))


def hac_fit(y: _Floats, regressors: _Floats) -> HacFit | None:
    """Regress ``y`` on ``regressors`` by least squares, with a Newey-West covariance.

    Parameters
    ----------
    y
        Shape (n,), in the order of time, without missing values.
    regressors
        Shape (n, k), a constant among them where there should be one.

    Returns
    -------
    HacFit or None
        With ``newey_west_lag(n)`` lags, Bartlett weights and no small-sample correction. Null when
        the regressors are collinear or there are no more observations than regressors.

    References
    ----------
    Newey and West (1987), *Econometrica* 55(3).
    """
    observations, columns = regressors.shape
    if observations <= columns or np.linalg.matrix_rank(regressors) < columns:
        return None
    # Statsmodels takes seconds to import, which commands that compute nothing need not wait for.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # noqa: PLC0415

    lag = newey_west_lag(observations)
    fit = OLS(y, regressors).fit(cov_type="HAC", cov_kwds={"maxlags": lag})
    has_risk = fit.ssr > _ZERO_RESIDUAL * float((y**2).sum())
    varies = float(np.ptp(y)) > 0
    return HacFit(
        coefficients=np.asarray(fit.params, dtype=np.float64),
        covariance=np.asarray(fit.cov_params(), dtype=np.float64) if has_risk else None,
        r2=float(fit.rsquared) if varies else None,
        lag=lag,
    )
