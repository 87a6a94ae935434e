"""Random numbers that are the same on every platform, addressed rather than consumed.

A draw depends on nothing but the seed, the name of a stream, an entity and a time. So more years
or more stocks leave the other draws as they are, and nothing depends on the order of drawing.
Integers come from SplitMix64; everything else is made from them by additions, multiplications
and tables of rounded numbers, which IEEE 754 makes exact: NumPy's own normal variates may change
between versions, and logarithms differ in the last bit between processors.
"""

import hashlib
import math
from functools import cache
from itertools import pairwise
from statistics import NormalDist
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

_GAMMA: Final = np.uint64(0x9E3779B97F4A7C15)
_BINS_LOG2: Final = 12
_BINS: Final = 2**_BINS_LOG2
_TABLE_DECIMALS: Final = 6


def splitmix64(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Output of SplitMix64 for the states given, which must be advanced already.

    References
    ----------
    Steele, Lea and Flood (2014), *Fast splittable pseudorandom number generators*, OOPSLA.
    """
    z = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Draws:
    """Draws of one market.

    Entities and times are non-negative integers that broadcast against each other; the result
    has their common shape.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def bits(self, stream: str, entity: Integers, time: Integers | int = 0) -> NDArray[np.uint64]:
        """Draw uniform 64-bit integers."""
        digest = hashlib.sha256(f"{self._seed}/{stream}".encode()).digest()
        key = np.array([int.from_bytes(digest[:8], "big")], dtype=np.uint64)
        start = splitmix64(key + np.atleast_1d(entity).astype(np.uint64) * _GAMMA)
        steps = np.atleast_1d(np.asarray(time)).astype(np.uint64) + np.uint64(1)
        return splitmix64(start + steps * _GAMMA)

    def uniform(self, stream: str, entity: Integers, time: Integers | int = 0) -> Floats:
        """Draw uniform numbers in [0, 1)."""
        mantissa = (self.bits(stream, entity, time) >> np.uint64(11)).astype(np.float64)
        return mantissa * 2.0**-53

    def integers(
        self, stream: str, entity: Integers, time: Integers | int = 0, *, below: int
    ) -> Integers:
        """Draw uniform integers from 0 to ``below`` - 1."""
        return (self.uniform(stream, entity, time) * below).astype(np.int64)

    def normal(self, stream: str, entity: Integers, time: Integers | int = 0) -> Floats:
        """Draw normal variates of mean 0 and variance 1, cut off near 4."""
        return interpolate(normal_quantiles(), self.uniform(stream, entity, time))

    def fat_tailed(self, stream: str, entity: Integers, time: Integers | int = 0) -> Floats:
        """Draw Student variates of 4 degrees of freedom, scaled to variance 1, cut off near 11."""
        return interpolate(student_quantiles(), self.uniform(stream, entity, time))


def interpolate(quantiles: Floats, probability: Floats) -> Floats:
    """Quantile function given by its values at ``0, 1/4096, ... 1``, linear in between."""
    position = probability * _BINS
    low = position.astype(np.int64)
    left = quantiles.take(low)
    return left + (position - low) * (quantiles.take(low + 1) - left)


@cache
def normal_quantiles() -> Floats:
    """Quantiles of the standard normal distribution for ``interpolate``."""
    return _unit_variance([NormalDist().inv_cdf(p) for p in _probabilities()])


@cache
def student_quantiles() -> Floats:
    """Quantiles of the Student distribution with 4 degrees of freedom, at variance 1.

    References
    ----------
    Shaw (2006), *Sampling Student's T distribution*, Journal of Computational Finance 9(4).
    """
    return _unit_variance([_student_quantile(p) for p in _probabilities()])


def _probabilities() -> list[float]:
    outermost = 1 / (4 * _BINS)
    return [outermost, *(i / _BINS for i in range(1, _BINS)), 1 - outermost]


def _student_quantile(p: float) -> float:
    root = math.sqrt(4 * p * (1 - p))
    q = math.cos(math.acos(min(root, 1.0)) / 3) / root
    return math.copysign(2 * math.sqrt(max(q - 1, 0.0)), p - 0.5)


def _unit_variance(values: list[float]) -> Floats:
    squares = ((a * a + a * b + b * b) / 3 for a, b in pairwise(values))
    variance = math.fsum(squares) / _BINS
    return np.round(np.array(values) / math.sqrt(variance), _TABLE_DECIMALS)
