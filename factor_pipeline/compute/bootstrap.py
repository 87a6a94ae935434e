"""Stationary block bootstrap: how far chance could have moved a Sharpe ratio or a drawdown."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_YEAR = 12
_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How returns are drawn again.

    Attributes
    ----------
    draws
        Series to draw; 0 is none.
    block_months
        Mean length of a block.
    seed
        Of the random numbers, 0 or more.
    """

    draws: int = 1_000
    block_months: int = 12
    seed: int = 1

    def places(self, months: int) -> npt.NDArray[np.int64]:
        r"""Months that the draws are made of.

        Parameters
        ----------
        months
            Length of the series, at least 1.

        Returns
        -------
        ndarray
            Places in the series, shape (draws, months). Blocks start anywhere, go on over the end
            to the beginning, and have geometric lengths; the same for all series of a length.

        References
        ----------
        Politis and Romano (1994), *Journal of the American Statistical Association* 89(428).
        """
        return _places(self, months)


@lru_cache(maxsize=4)
def _places(bootstrap: Bootstrap, months: int) -> npt.NDArray[np.int64]:
    """Places of the draws, kept for the next series of the same length."""
    shape = (bootstrap.draws, months)
    generator = np.random.default_rng([bootstrap.seed, months])
    start = generator.integers(0, months, size=shape)
    is_new = generator.random(shape) < 1.0 / bootstrap.block_months
    is_new[:, 0] = True
    place = np.arange(months)
    began = np.maximum.accumulate(np.where(is_new, place, 0), axis=1)
    drawn: npt.NDArray[np.int64] = (
        np.take_along_axis(start, began, axis=1) + place - began
    ) % months
    drawn.flags.writeable = False
    return drawn


def sharpe_interval(excess: Floats, places: npt.NDArray[np.int64]) -> tuple[float, float] | None:
    """95 % interval of the annualised Sharpe ratio.

    Parameters
    ----------
    excess
        Monthly returns over the risk-free rate, decimal, shape (months,).
    places
        As from `Bootstrap.places`.

    Returns
    -------
    tuple of float, or None
        The 2.5th and 97.5th percentile of the draws; none where a draw has no risk.
    """
    drawn = excess[places]
    deviation = drawn.std(axis=1, ddof=1)
    if not (deviation > 0).all():
        return None
    ratio = drawn.mean(axis=1) / deviation * math.sqrt(_YEAR)
    return _interval(ratio)


def drawdown_interval(returns: Floats, places: npt.NDArray[np.int64]) -> tuple[float, float]:
    """95 % interval of the maximum drawdown of month-end wealth.

    Parameters
    ----------
    returns
        Monthly returns, decimal, shape (months,).
    places
        As from `Bootstrap.places`.

    Returns
    -------
    tuple of float
        The 2.5th (deepest) and 97.5th percentile of the draws, at most 0.
    """
    wealth = np.cumprod(1.0 + returns[places], axis=1)
    high = np.maximum(np.maximum.accumulate(wealth, axis=1), 1.0)
    return _interval((wealth / high - 1.0).min(axis=1))


def _interval(values: Floats) -> tuple[float, float]:
    low, high = np.quantile(values, _TAILS)
    return float(low), float(high)
