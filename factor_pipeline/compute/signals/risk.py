"""Signals from daily returns, estimated in windows that end with the month before."""

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.signals.registry import signal

Floats = NDArray[np.float64]


@signal
def beta(known: Known) -> Floats:
    """Market beta from separate correlation and volatilities, shrunk towards 1.

    References
    ----------
    Frazzini and Pedersen (2014), *Journal of Financial Economics* 111(1).
    """
    return known.column("beta")


@signal
def volatility_252d(known: Known) -> Floats:
    """Volatility: the annualised standard deviation of daily returns over 252 days.

    References
    ----------
    Ang, Hodrick, Xing and Zhang (2006), *Journal of Finance* 61(1).
    """
    return known.column("volatility_252d")


@signal
def idiosyncratic_volatility(known: Known) -> Floats:
    """Volatility of the daily residuals of the three-factor model over 252 days.

    References
    ----------
    Ang, Hodrick, Xing and Zhang (2006), *Journal of Finance* 61(1).
    """
    return known.column("idiosyncratic_volatility")
