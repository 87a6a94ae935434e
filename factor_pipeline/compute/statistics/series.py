"""Monthly series side by side: one row per calendar month, one column per series."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl

from factor_pipeline.compute.statistics.regression import Floats
from factor_pipeline.errors import DataError

MIN_MONTHS = 24
"""Fewest months a statistic is given for."""


def number(value: float) -> float | None:
    """Return ``value`` as a plain float, None where it is NaN or infinite."""
    return float(value) if np.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class MonthlySeries:
    """Series of one unit on one calendar.

    Attributes
    ----------
    names
        What tells the series apart, one row per series, in order.
    month_ends
        Every calendar month from the first to the last of any series; length T.
    values
        Shape (T, series); NaN where a series has no value.
    """

    names: pl.DataFrame
    month_ends: pl.Series
    values: Floats

    @classmethod
    def of(cls, frame: pl.DataFrame, key: Sequence[str], value: str = "ret") -> Self:
        """Put the series of a long frame side by side.

        Parameters
        ----------
        frame
            Unique ``key`` and ``month_end`` (last day of the month) with ``value`` (null, NaN and
            infinite values count as missing), in any order. Parts of the key may be null.
        key
            Columns that tell the series apart.

        Raises
        ------
        DataError
            When a series has two rows for a month.
        """
        rows = frame.select(*key, "month_end", value).sort(*key, "month_end")
        if rows.select(*key, "month_end").is_duplicated().any():
            raise DataError(
                f"two rows have the same {', '.join(key)} and month_end; keep one of them"
            )
        names = rows.select(key).unique(maintain_order=True)
        if rows.is_empty():
            return cls(names, rows["month_end"], np.empty((0, 0)))
        count = pl.col("month_end").dt.year().cast(pl.Int64) * 12 + pl.col("month_end").dt.month()
        month = rows.select(count).to_series().to_numpy()
        first = int(month.min())
        starts = rows["month_end"].min(), rows["month_end"].max()
        month_ends = pl.select(
            pl.date_range(pl.lit(starts[0]).dt.month_start(), pl.lit(starts[1]), "1mo")
            .dt.month_end()
            .alias("month_end")
        ).to_series()
        column = rows.select(pl.struct(key).rle_id()).to_series().to_numpy()
        values = np.full((len(month_ends), names.height), np.nan)
        given = rows[value].cast(pl.Float64).to_numpy()
        values[month - first, column] = np.where(np.isfinite(given), given, np.nan)
        return cls(names, month_ends, values)

    def column(self, **name: str | None) -> Floats:
        """Values of the series so named, shape (T,); all NaN when there is none."""
        wanted = pl.all_horizontal(pl.col(part).eq_missing(value) for part, value in name.items())
        found = self.names.select(wanted.arg_true()).to_series()
        if found.is_empty():
            return np.full(len(self.month_ends), np.nan)
        return self.values[:, int(found[0])]
