"""Sums of products over rolling calendar windows, without subtraction."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Moments:
    """Sums over the observations of windows; one column per window.

    Attributes
    ----------
    names
        Regressors, length K.
    sums
        Shape (rows, windows), in the order of ``_positions``: the count, the K sums of the
        regressors and the K (K + 1) / 2 of their products; then the sum of the dependent
        variable, the K of its products with the regressors, and that of its square.
    """

    names: tuple[str, ...]
    sums: Floats

    @property
    def count(self) -> Floats:
        """Observations, shape (windows,)."""
        count: Floats = self.sums[0]
        return count

    @property
    def y(self) -> Floats:
        """Sum of the dependent variable, shape (windows,)."""
        y: Floats = self.sums[_positions(self.names)["y"]]
        return y

    @property
    def yy(self) -> Floats:
        """Sum of its squares, shape (windows,)."""
        yy: Floats = self.sums[-1]
        return yy

    def x(self, name: str) -> Floats:
        """Sum of a regressor, shape (windows,)."""
        x: Floats = self.sums[1 + self.names.index(name)]
        return x

    def xy(self, name: str) -> Floats:
        """Sum of a regressor times the dependent variable, shape (windows,)."""
        xy: Floats = self.sums[_positions(self.names)["y"] + 1 + self.names.index(name)]
        return xy

    def xx(self, left: str, right: str) -> Floats:
        """Sum of the product of two regressors, shape (windows,)."""
        pair = sorted((left, right), key=self.names.index)
        xx: Floats = self.sums[_positions(self.names)[(pair[0], pair[1])]]
        return xx

    def of(self, windows: Integers) -> "Moments":
        """Return the moments of some of the windows, by their positions."""
        return Moments(self.names, self.sums.take(windows, axis=1))


def window_moments(
    y: Floats, observed: Flags, factors: Floats, names: Sequence[str], ends: range
) -> Moments:
    """Moments of the windows that end in some months of the later of two blocks.

    A block is as long as a window and begins at an absolute multiple of that length, so a window
    is the tail of one block and the head of the next. Tails are summed backwards and heads
    forwards, once for all windows: every sum depends on the months of its own window only, an
    outlier that has left leaves no residue, and nothing depends on where a computation starts.

    Parameters
    ----------
    y
        Dependent variable by month and stock, shape (2 W, stocks), of two consecutive blocks of W
        months each; finite where ``observed``.
    observed
        Which of them count, same shape; not set in months a factor is missing.
    factors
        Regressors by month, shape (2 W, K); finite in months with observations.
    names
        Names of the K regressors.
    ends
        Positions in the later block (0 to W - 1) in which the windows end, ascending.

    Returns
    -------
    Moments
        One column per end and stock: stocks vary fastest.
    """
    size = len(y) // 2
    weights = observed.astype(np.float64)
    values = np.where(observed, y, 0.0)
    multipliers = regressors(factors)
    with_y = 1 + len(names)
    earlier = slice(ends.start + 1, size)
    later = slice(size, size + ends.stop)
    tails, heads = (
        terms(multipliers[:, months], with_y, weights[months], values[months])
        for months in (earlier, later)
    )
    for month in range(heads.shape[1] - 1):
        heads[:, month + 1] += heads[:, month]
    for month in range(tails.shape[1] - 1, 0, -1):
        tails[:, month - 1] += tails[:, month]
    sums = heads[:, ends.start :]
    # The window that ends with the later block is that block: it has no tail.
    with_tail = min(len(ends), tails.shape[1])
    sums[:, :with_tail] += tails[:, :with_tail]
    return Moments(tuple(names), sums.reshape(len(sums), -1))


def _positions(names: Sequence[str]) -> dict[str | tuple[str, str], int]:
    """Row of each sum whose place is not plain."""
    pairs = list(combinations_with_replacement(names, 2))
    first = 1 + len(names)
    return {**{pair: first + i for i, pair in enumerate(pairs)}, "y": first + len(pairs)}


def regressors(factors: Floats) -> Floats:
    """One, the factors and their products, shape (1 + K + K (K + 1) / 2, periods).

    Parameters
    ----------
    factors
        By period, shape (periods, K); NaN counts as 0.
    """
    columns = list(np.nan_to_num(factors, nan=0.0).T)
    products = [a * b for a, b in combinations_with_replacement(columns, 2)]
    return np.array([np.ones(len(factors)), *columns, *products])


def terms(multipliers: Floats, with_y: int, weights: Floats, values: Floats) -> Floats:
    """Return what each period adds to the sums, shape (rows, periods, stocks).

    Parameters
    ----------
    multipliers
        Result of ``regressors``.
    with_y
        How many of its rows, from the first on, the dependent variable is multiplied with.
    weights
        1 where there is an observation, else 0, shape (periods, stocks).
    values
        Dependent variable, 0 where there is none, same shape.
    """
    count = len(multipliers)
    products = np.empty((count + with_y + 1, *weights.shape))
    np.multiply(multipliers[:, :, None], weights, out=products[:count])
    np.multiply(multipliers[:with_y, :, None], values, out=products[count:-1])
    np.multiply(values, values, out=products[-1])
    return products
