"""Two series with the same prices: one company in two files, or a file under a wrong name."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.quality.days import Integers, PriceDays
from factor_pipeline.compute.quality.found import FOUND

# A month with fewer prices of its own could be that of any series.
_OWN_CLOSES: Final = 5
_MIX: Final = np.int64(-7046029254386353131)  # 2**64 over the golden ratio, as signed


def month_prints(days: PriceDays) -> pl.DataFrame:
    """One number per series and calendar month that only the same closes on the same days have.

    Returns
    -------
    pl.DataFrame
        ``vendor_id, month`` (months since 1970-01), ``print``; sums of hashes, which two different
        months share with a probability of about 2**-64. Months with few different closes are left
        out.
    """
    month = days.day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    begins = np.diff(month, prepend=-1) != 0
    begins[days.starts[:-1]] = True
    starts = np.flatnonzero(begins)
    if not len(starts):
        return pl.DataFrame(schema={"vendor_id": pl.String, "month": pl.Int64, "print": pl.Int64})
    with np.errstate(over="ignore"):
        hashed = (days.close.view(np.int64) ^ (days.day * _MIX)) * _MIX
        hashed ^= hashed >> np.int64(29)
        hashed *= _MIX
        prints = np.add.reduceat(hashed, starts)
    changes = np.add.reduceat((np.diff(days.close, prepend=0.0) != 0).astype(np.int64), starts)
    own = changes > _OWN_CLOSES
    names = pl.Series(days.names).gather(pl.Series(days.series[starts[own]]))
    return pl.DataFrame({"vendor_id": names, "month": month[starts[own]], "print": prints[own]})


def pairs_of(prints: pl.DataFrame) -> list[tuple[str, str]]:
    """Series that share a month of ``month_prints``, the earlier name first; sorted."""
    shared = prints.filter(pl.struct("month", "print").is_duplicated()).sort("vendor_id", "month")
    both = shared.join(shared, on=["month", "print"], suffix="_other").filter(
        pl.col("vendor_id") < pl.col("vendor_id_other")
    )
    return both.select("vendor_id", "vendor_id_other").unique().sort(pl.all()).rows()


def same_prices_as_another(
    days: PriceDays, pairs: Iterable[tuple[str, str]], threshold: float
) -> pl.DataFrame:
    """Find runs of ``threshold`` common days or more with the same close, known on that day.

    Parameters
    ----------
    days
        Rows of the series of ``pairs``.
    pairs
        Series that may be the same. A run of a quarter holds a whole month at least, so that
        `pairs_of` finds them all.
    threshold
        Common trading days.

    Returns
    -------
    pl.DataFrame
        Columns of a flag, subject the later name of the pair; one flag a day and subject.
    """
    place = {name: at for at, name in enumerate(days.names)}
    flags = []
    for one, other in pairs:
        rows = [np.arange(*days.starts[place[name] : place[name] + 2]) for name in (one, other)]
        common, first, second = np.intersect1d(
            days.day[rows[0]], days.day[rows[1]], assume_unique=True, return_indices=True
        )
        same = days.close[rows[0][first]] == days.close[rows[1][second]]
        flags += [
            {
                "rule": "same_prices_as_another",
                "subject": other,
                "fault_date": int(common[begin]),
                "known_date": int(common[begin + int(threshold) - 1]),
                "figure": threshold,
                "expected": 0.0,
                "detail": f"days in a row with the closes of {one}",
            }
            for begin, length in _runs_of(same)
            if length >= threshold
        ]
    days_as_numbers = pl.Schema({**FOUND, "fault_date": pl.Int32(), "known_date": pl.Int32()})
    frame = pl.DataFrame(flags, schema=days_as_numbers).cast(FOUND)
    return frame.unique(["subject", "fault_date"], keep="first", maintain_order=True)


def _runs_of(holds: np.ndarray) -> list[tuple[int, int]]:
    edges: Integers = np.flatnonzero(np.diff(holds.astype(np.int8), prepend=0, append=0))
    begins, ends = edges[::2].tolist(), edges[1::2].tolist()
    return [(begin, end - begin) for begin, end in zip(begins, ends, strict=True)]
