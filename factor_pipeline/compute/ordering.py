"""Row order: what makes results the same bit for bit, whatever was computed beside them."""

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.errors import DataError

# A table may have so many places per integer looked up.
_DENSE = 4


def sorted_by_key(frame: pl.DataFrame, key: Sequence[str], *, what: str) -> pl.DataFrame:
    """Sort by ``key`` and make sure that it is one: with ties, the order would be chance.

    Parameters
    ----------
    frame
        Rows in any order.
    key
        Columns that tell one row from another.
    what
        Plural of what a row is, for the message.

    Raises
    ------
    DataError
        When two rows have the same key, or a part of a key is null.
    """
    rows = frame.sort(key)
    if sum(rows.select(key).null_count().row(0)):
        raise DataError(f"one of the {what} has no {' or no '.join(key)}; remove the row")
    repeats = rows.select(key).filter(
        pl.all_horizontal(pl.col(name) == pl.col(name).shift() for name in key)
    )
    if not repeats.is_empty():
        named = ", ".join(f"{name} {value}" for name, value in repeats.row(0, named=True).items())
        raise DataError(f"two {what} have the same {named}; keep one of them")
    return rows


def reduce_runs(operation: np.ufunc, values: pl.Series, lengths: NDArray[np.integer]) -> pl.Series:
    """Reduce consecutive runs of ``values`` in row order.

    Engines choose the order of a sum by the size of their input, so that a month computed alone
    and in a range would differ in the last bit; here it depends on the run's own rows only.

    Parameters
    ----------
    operation
        ``np.add``, ``np.multiply`` or ``np.fmax``.
    values
        Numbers, shape (n,). Nulls are left out; a run of nulls only is null.
    lengths
        Rows of each run, shape (k,), each at least 1, adding up to n.

    Returns
    -------
    pl.Series
        One number per run, shape (k,); null where it overflows.
    """
    if not len(lengths):
        return pl.Series([], dtype=pl.Float64)
    starts = np.cumsum(lengths, dtype=np.int64) - lengths
    known = values.is_not_null().to_numpy()
    neutral = -np.inf if operation.identity is None else float(operation.identity)
    filled = values.fill_null(neutral).to_numpy()
    with np.errstate(over="ignore"):
        reduced = operation.reduceat(filled, starts)
    is_number = np.logical_or.reduceat(known, starts) & np.isfinite(reduced)
    return pl.select(pl.when(pl.Series(is_number)).then(pl.Series(reduced))).to_series()


def finite(number: pl.Expr) -> pl.Expr:
    """Return ``number``, null where it is NaN or infinite: an overflow is no value."""
    return pl.when(number.is_finite()).then(number)


def codes_in(known: pl.Series, values: pl.Series) -> NDArray[np.int64]:
    """Place of each value in ``known``.

    Parameters
    ----------
    known
        Distinct integers, ascending.
    values
        Integers that are in ``known``, shape (n,).

    Returns
    -------
    ndarray
        Shape (n,). By a table where the integers lie close together, which looks a panel up many
        times faster than a search.
    """
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    keys, wanted = known.to_numpy(), values.to_numpy()
    span = int(keys[-1]) - int(keys[0]) + 1
    if span > _DENSE * (keys.size + wanted.size):
        return np.searchsorted(keys, wanted).astype(np.int64)
    table = np.zeros(span, dtype=np.int64)
    table[keys - keys[0]] = np.arange(keys.size)
    codes: NDArray[np.int64] = table[wanted - keys[0]]
    return codes
