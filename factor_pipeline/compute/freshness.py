"""How old data are, as of a day that the caller names."""

from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the data of a data set end.

    Attributes
    ----------
    last_day
        Newest valid day of all files; null when there is none.
    behind_file, behind_day
        Of data sets in which every file goes on, the one that ended first, and when; else null.
    """

    last_day: date | None
    behind_file: str | None
    behind_day: date | None


def ends(files: pl.DataFrame, *, every_file: bool) -> Ends:
    """Say where data end.

    Parameters
    ----------
    files
        ``file, last_day``, one row per file; ``last_day`` null where a file has no dated row.
    every_file
        Whether each file is a series of its own that should go on, as those of funds are. Stocks
        leave the market and editions of a library are replaced: there the newest day counts.
    """
    known = files.drop_nulls("last_day").sort("last_day", "file")
    if known.is_empty():
        return Ends(None, None, None)
    newest: date = known["last_day"][-1]
    if not every_file:
        return Ends(newest, None, None)
    return Ends(newest, known["file"][0], known["last_day"][0])


def aged(rows: pl.DataFrame, today: date) -> pl.DataFrame:
    """State how old data are on a day.

    Parameters
    ----------
    rows
        Rows of ``quality.freshness``: ``last_day``, ``behind_day`` and ``max_age_days`` are read.
    today
        The day.

    Returns
    -------
    polars.DataFrame
        The rows with ``age_days`` (since ``behind_day``, else ``last_day``; null without either;
        0 for days to come) and ``is_stale`` (whether that is more than ``max_age_days``; false
        where any age will do) as of that day. Data that are judged and have no day are stale.
    """
    judged = pl.coalesce("behind_day", "last_day")
    age = (pl.lit(today, pl.Date) - judged).dt.total_days().clip(lower_bound=0)
    too_old = (age > pl.col("max_age_days")) | age.is_null()
    return rows.with_columns(
        age_days=age,
        is_stale=too_old & pl.col("max_age_days").is_not_null(),
    )
