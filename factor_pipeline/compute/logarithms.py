"""Logarithms with the same bits on every machine."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_LOG_2: Final = 0.6931471805599453
_ROOT_HALF: Final = 0.7071067811865476
# Odd powers up to 21 leave less than a rounding error for mantissas between 0.71 and 1.41.
_DIVISORS: Final = tuple(range(19, 1, -2))
# So many numbers and what is made of them stay in the processor's cache.
_AT_ONCE: Final = 16_384


def log_growth(returns: Floats) -> Floats:
    r"""Return the logarithm of one plus each return.

    Libraries of vector functions differ in the last bit from processor to processor; sums, products
    and quotients do not, and nothing else is used here.

    Parameters
    ----------
    returns
        Decimals of any shape; NaN where missing.

    Returns
    -------
    ndarray
        Log returns of the same shape, off by a few units in the last place; NaN where missing and
        for returns of -1 or less.

    Notes
    -----
    .. math:: \ln(2^e m) = e \ln 2 + 2 \operatorname{artanh} \frac{m - 1}{m + 1}
    """
    flat = np.ascontiguousarray(returns).ravel()
    logs = np.full(flat.shape, np.nan)
    known = np.flatnonzero(flat > -1)
    for first in range(0, len(known), _AT_ONCE):
        part = known[first : first + _AT_ONCE]
        logs[part] = _logs(flat[part])
    return logs.reshape(returns.shape)


def _logs(returns: Floats) -> Floats:
    mantissa, exponent = np.frexp(1 + returns)
    low = mantissa < _ROOT_HALF
    exponent = exponent - low
    # A return near 0 keeps the bits that one plus it has not got.
    excess = np.where(exponent == 0, returns, np.where(low, 2 * mantissa, mantissa) - 1)
    ratio = excess / (2 + excess)
    square = ratio * ratio
    series = np.full(returns.shape, 1 / 21)
    for divisor in _DIVISORS:
        series *= square
        series += 1 / divisor
    logs: Floats = exponent * _LOG_2 + 2 * (ratio + ratio * (square * series))
    return logs
