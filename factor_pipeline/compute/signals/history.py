"""Months of the panel before a row's own, found by position instead of by join."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

# Months from one security to the next, more than any history has.
_APART = 12 * 10_000


@dataclass(frozen=True, slots=True)
class MonthlyHistory:
    """The panel as seen from rows of later months.

    Attributes
    ----------
    panel
        Sorted by security and month.
    position
        Index in ``panel`` of the month before each row, shape (rows,).
    unbroken
        How many months right before each of ``position`` the security has without a gap.
    number
        Month of each row of ``panel`` on one ascending scale, on which the months of two
        securities are `_APART`.
    """

    panel: pl.DataFrame
    position: NDArray[np.int64]
    unbroken: NDArray[np.int64]
    number: NDArray[np.int64]

    @classmethod
    def of(cls, panel: pl.DataFrame, position: NDArray[np.int64]) -> Self:
        """See the class."""
        month = pl.col("month_end")
        number = month.dt.year().cast(pl.Int64) * 12 + month.dt.month()
        frame = panel.select("security_id", number=number)
        index = np.arange(frame.height)
        security, months = frame["security_id"].to_numpy(), frame["number"].to_numpy()
        begins = np.ones(frame.height, dtype=np.bool_)
        begins[1:] = (security[1:] != security[:-1]) | (months[1:] != months[:-1] + 1)
        first = np.maximum.accumulate(np.where(begins, index, 0))
        order = np.cumsum(np.append(False, security[1:] != security[:-1]))[: frame.height]
        return cls(panel, position, (index - first)[position], order * _APART + months)

    def months_ago(self, name: str, months: int) -> NDArray[np.float64]:
        """Column ``name`` in the month t - ``months``; NaN where null, and without a row then."""
        values = self.panel[name].cast(pl.Float64).to_numpy()
        back = months - 1
        reaches = self.unbroken >= back
        found = values[np.where(reaches, self.position - back, 0)] if len(values) else np.empty(0)
        found = np.where(reaches, found, np.nan)
        # Few rows have a gap: only they are worth a search.
        beyond = np.flatnonzero(~reaches)
        wanted = self.number[self.position[beyond]] - back
        place = np.searchsorted(self.number, wanted)
        there = self.number[np.minimum(place, len(self.number) - 1)] == wanted
        found[beyond[there]] = values[place[there]]
        return found
