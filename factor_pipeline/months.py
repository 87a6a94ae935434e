"""A range of calendar months, the unit everything is computed and replaced in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Self


def add_months(month: date, count: int) -> date:
    """First day of the month ``count`` months after that of ``month``."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def formation_july(month: date) -> date:
    """First July on or before ``month``: when the June sort that holds in it takes effect."""
    return date(month.year if month.month >= 7 else month.year - 1, 7, 1)  # noqa: PLR2004 - July


@dataclass(frozen=True, slots=True)
class MonthRange:
    """Half-open range of months, ``[start, end)``, both first days of a month."""

    start: date
    end: date

    @classmethod
    def of_months(cls, first: date, last: date) -> Self:
        """All months from that of ``first`` to that of ``last``, both included."""
        return cls(add_months(first, 0), add_months(last, 1))

    def widened(self, *, back: int = 0, ahead: int = 0) -> "MonthRange":
        """Return the range with ``back`` months more before and ``ahead`` more after it."""
        return MonthRange(add_months(self.start, -back), add_months(self.end, ahead))

    def since(self, start: date) -> "MonthRange":
        """Return the range that begins in ``start`` and ends where this one ends."""
        return MonthRange(start, self.end)

    def blocks(self, months: int) -> "Iterator[MonthRange]":
        """Cut the range into ranges of at most ``months`` months; an empty one stays as it is."""
        for first in range(0, max(len(self), 1), months):
            start = add_months(self.start, first)
            yield MonthRange(start, min(add_months(start, months), self.end))

    def __len__(self) -> int:
        """Count of months."""
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    def __str__(self) -> str:
        """``1999-11 to 2021-04``."""
        return f"{self.start:%Y-%m} to {add_months(self.end, -1):%Y-%m}"

    def as_params(self) -> dict[str, date]:
        """Named parameters shared by every SQL model."""
        return {"month_start": self.start, "month_end": self.end}
