"""Sums over the positions of each strategy, which lie one strategy after the other.

The positions of a strategy are reduced on their own, so its numbers are the same bit for bit alone
or among others. ``lengths`` counts the positions of each strategy, shape (S,).
"""

import numpy as np
import numpy.typing as npt

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


def totals(values: _Floats, lengths: _Integers) -> _Floats:
    """Sum the values of each strategy, shape (S,); 0 without positions."""
    return reduced(np.add, values, lengths, 0.0)


def counts(mask: npt.NDArray[np.bool_], lengths: _Integers) -> _Integers:
    """How many are true of each strategy, shape (S,)."""
    ends = np.concatenate([[0], np.cumsum(mask)])
    edges = np.concatenate([[0], np.cumsum(lengths)])
    found: _Integers = np.diff(ends[edges])
    return found


def reduced(operation: np.ufunc, values: _Floats, lengths: _Integers, nothing: float) -> _Floats:
    """Reduce the values of each strategy, shape (S,); one without positions gives ``nothing``."""
    result = np.full(lengths.size, nothing)
    some = lengths > 0
    if some.any():
        starts = np.cumsum(lengths) - lengths
        result[some] = operation.reduceat(values, starts[some])
    return result
