"""Spread of a column by year, and how far two builds of it are apart."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

PERCENTILES = {"p01": 0.01, "p25": 0.25, "median": 0.5, "p75": 0.75, "p99": 0.99}

_SCHEMA: dict[str, pl.DataType] = {
    "column_name": pl.String(),
    "year": pl.Int32(),
    "months": pl.Int32(),
    "last_month": pl.Date(),
    "rows": pl.Int64(),
    "null_share": pl.Float64(),
    "mean": pl.Float64(),
    "standard_deviation": pl.Float64(),
    **dict.fromkeys(PERCENTILES, pl.Float64()),
}
_KEY = ("table_name", "column_name", "year")
_QUARTILES = slice(1, 4)

Floats = npt.NDArray[np.float64]


def distributions(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Moments and percentiles of ``columns`` by calendar year, whatever the order of the rows.

    Parameters
    ----------
    frame
        ``month_end`` and ``columns``; nulls are counted and left out.

    Returns
    -------
    pl.DataFrame
        ``column_name, year, months, last_month, rows, null_share, mean, standard_deviation, p01,
        p25, median, p75, p99``; one row per column and year that has rows, in that order. Moments
        and percentiles are null where a year has no value.
    """
    rows = frame.sort("month_end")
    days = rows["month_end"]
    years = days.dt.year().to_numpy()
    firsts = np.flatnonzero(np.diff(years, prepend=-1))
    ends = np.flatnonzero(np.diff(years, append=-1)) + 1
    bounds = list(zip(firsts, ends, strict=True))
    spans = [
        (int(years[i]), days[int(i) : int(j)].n_unique(), days[int(j) - 1], int(j - i))
        for i, j in bounds
    ]
    found = []
    for column in columns:
        values = rows[column].cast(pl.Float64).to_numpy()
        for (i, j), span in zip(bounds, spans, strict=True):
            found.append((column, *span, *_spread(values[i:j])))
    return pl.DataFrame(found, schema=_SCHEMA, orient="row")


def _spread(values: Floats) -> list[float | None]:
    # Sorted, so that sums do not depend on the order of the rows.
    known = np.sort(values[~np.isnan(values)])
    null_share = 1 - len(known) / len(values)
    if not len(known):
        return [null_share] + [None] * (2 + len(PERCENTILES))
    quantiles = np.quantile(known, list(PERCENTILES.values()))
    return [null_share, float(known.mean()), float(known.std()), *map(float, quantiles)]


def distances(current: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """How far each year of a build is from the same year of the build before.

    The distance is a share of rows, and so comparable between columns of any unit and spread: the
    largest of the share of rows that came or went, of the difference in ``null_share``, and of the
    distance of Kolmogorov and Smirnov between the distributions, told from their percentiles at
    the quartiles. Where all values moved out of the range they had, as in another unit, that is
    3/4.

    Parameters
    ----------
    current, before
        ``table_name`` and the columns of ``distributions``.

    Returns
    -------
    pl.DataFrame
        ``current`` with ``distance``, in its order; null where ``before`` has no such year, or
        other months of it.
    """
    both = current.join(
        before.select(*_KEY, *(name for name in _SCHEMA if name not in _KEY)),
        on=list(_KEY),
        how="left",
        suffix="_before",
        maintain_order="left",
    )
    same_months = (pl.col("months") == pl.col("months_before")) & (
        pl.col("last_month") == pl.col("last_month_before")
    )
    fewer = pl.min_horizontal("rows", "rows_before") / pl.max_horizontal("rows", "rows_before")
    moved = pl.Series("moved", _moved(both), dtype=pl.Float64)
    return both.select(
        *current.columns,
        distance=pl.when(same_months).then(
            pl.max_horizontal(
                1 - fewer, (pl.col("null_share") - pl.col("null_share_before")).abs(), moved
            )
        ),
    )


def _moved(both: pl.DataFrame) -> list[float]:
    """Distance between the distributions of each row; 0 where one of them has no values."""
    now = both.select(*PERCENTILES).to_numpy()
    then = both.select(f"{name}_before" for name in PERCENTILES).to_numpy()
    return [
        max(_misplaced(a, b), _misplaced(b, a)) if np.isfinite([a, b]).all() else 0.0
        for a, b in zip(now, then, strict=True)
    ]


def _misplaced(of: Floats, among: Floats) -> float:
    """Most that a quartile of one distribution is off among the percentiles of the other."""
    shares = np.array(list(PERCENTILES.values()))
    # Between two percentiles as on a line; beyond the outer ones there is nothing. Tails are left
    # out: a line through one outlier would misplace what is below it.
    below = np.interp(of, among, shares, left=0.0, right=1.0)
    # Where percentiles coincide, any share between theirs is right.
    return float(np.where(of == among, 0.0, np.abs(below - shares))[_QUARTILES].max())
