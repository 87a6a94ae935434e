"""Rules of daily prices that jump: splits nobody booked, wrong prices, another company."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from factor_pipeline.compute.quality.days import Flags, Floats, Integers, PriceDays
from factor_pipeline.compute.quality.found import found

# A day whose range is under a tenth of its jump: the price was never traded in between. Of the 117
# days of 504 real series that move by half or a third (a factor of 1.5), all that are so quiet are
# faults or unbooked spin-offs; true crashes trade through a range of an eighth of them at least.
_QUIET: Final = 0.1
# A spike so high counts whatever its range: no true day of 2.4 million went up or down by half and
# back to within a fifth of the way on the next.
_CERTAIN_SPIKE: Final = float(np.log(1.5))
_WAY_BACK: Final = 0.2
_RATIOS: Final = np.log([1.25, 1.5, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20, 25, 30, 40, 50, 100])
# What the day itself earned beside the split.
_OWN_RETURN: Final = 0.08
_POWERS: Final = (1, 2, 3, 4, 5, 6)
_SHIFT_TOLERANCE: Final = 0.05
_SHIFT_BACK_ROWS: Final = 10
# The vendor's own return says that nothing happened.
_VENDOR_STANDS_STILL: Final = 0.25


@dataclass(frozen=True, slots=True)
class Jumps:
    """Days with a large total return; arrays of shape (J,), ascending by row.

    Attributes
    ----------
    days
        Where they are.
    row
        Their rows.
    size
        Logarithm of the total return plus 1, booked split and dividend included.
    quiet
        Whether the day's range is small beside the jump; false without high and low.
    has_next
        Whether the series goes on.
    reverts
        Whether the next day takes it back.
    undoes
        Whether it takes back the day before.
    """

    days: PriceDays
    row: Integers
    size: Floats
    quiet: Flags
    has_next: Flags
    reverts: Flags
    undoes: Flags

    @classmethod
    def of(cls, days: PriceDays, least: float) -> Self:
        """Days that move by a factor of ``least`` (above 1) or more, up or down."""
        with np.errstate(invalid="ignore"):
            row = np.flatnonzero((days.total >= least) | (days.total <= 1 / least))
        size = np.log(days.total[row])
        last = len(days.day) - 1
        has_next = row + 1 < days.starts[days.series[row] + 1]
        after, before = np.minimum(row + 1, last), np.maximum(row - 1, 0)
        with np.errstate(all="ignore"):
            spread = (days.high[row] - days.low[row]) / days.close[row]
            following = np.where(has_next, np.log(days.total[after]), np.nan)
            preceding = np.where(days.gap[row] > 0, np.log(days.total[before]), np.nan)
            limit = _WAY_BACK * np.abs(size)
            return cls(
                days=days,
                row=row,
                size=size,
                quiet=spread < _QUIET * np.abs(size),
                has_next=has_next,
                reverts=np.abs(size + following) < limit,
                undoes=np.abs(size + preceding) < limit,
            )

    @property
    def next_day(self) -> Integers:
        """Day of the row after; their own where there is none."""
        return self.days.day[self.row + self.has_next]

    @property
    def unbooked(self) -> Flags:
        """Whether no split is booked on the day."""
        unbooked: Flags = self.days.split[self.row] == 1
        return unbooked

    @property
    def of_ratio(self) -> Flags:
        """Whether the jump is that of a usual split, up to what a day may earn beside it."""
        off = np.abs(np.abs(self.size)[:, None] - _RATIOS)
        near: Flags = off.min(axis=1) <= _OWN_RETURN
        return near

    @property
    def stays(self) -> Flags:
        """Whether the new level stays for a day at least, and is not the way back to an old one."""
        return self.has_next & ~self.reverts & ~self.undoes


def extreme_return(jumps: Jumps, threshold: float) -> pl.DataFrame:
    """Days on which the price rises or falls by a factor of ``threshold``."""
    kept = np.abs(jumps.size) >= np.log(threshold)
    return _of(jumps, "extreme_return", kept, detail="total return of the day")


def spike_reversal(jumps: Jumps, threshold: float) -> pl.DataFrame:
    """Days on which the price jumps by a factor of ``threshold`` and is back on the next."""
    rows = jumps.row
    booked = (jumps.days.split[rows] != 1) | (jumps.days.split[rows + jumps.has_next] != 1)
    high = np.abs(jumps.size) >= np.log(threshold)
    certain = np.abs(jumps.size) >= _CERTAIN_SPIKE
    kept = jumps.reverts & ~jumps.undoes & ~booked & ((high & jumps.quiet) | certain)
    detail = "return of a day that the next takes back"
    return _of(jumps, "spike_reversal", kept, known_day=jumps.next_day, detail=detail)


def unbooked_split(jumps: Jumps, threshold: float) -> pl.DataFrame:
    """Days that move by the ratio of a split of ``threshold`` or more, with none booked.

    The day must be quiet. Where the adjusted close does not follow, any split counts.
    """
    days, rows = jumps.days, jumps.row
    with np.errstate(all="ignore"):
        vendor = np.abs(np.log(days.adjusted[rows] / days.adjusted[rows - 1]))
    still = vendor < _VENDOR_STANDS_STILL * np.abs(jumps.size)
    large = np.abs(jumps.size) >= np.log(threshold) - _OWN_RETURN
    kept = jumps.unbooked & jumps.stays & jumps.of_ratio & ((large & jumps.quiet) | still)
    detail = "return of a day like that of a split, none is booked"
    return _of(jumps, "unbooked_split", kept, known_day=jumps.next_day, detail=detail)


def level_break(jumps: Jumps, threshold: float) -> pl.DataFrame:
    """Quiet days that move by a factor of ``threshold`` and no split explains: another company."""
    large = np.abs(jumps.size) >= np.log(threshold)
    kept = jumps.unbooked & jumps.stays & ~jumps.of_ratio & large & jumps.quiet
    detail = "return of a quiet day that nothing booked explains"
    return _of(jumps, "ticker_splice", kept, known_day=jumps.next_day, detail=detail)


def decimal_shift(jumps: Jumps, threshold: float) -> pl.DataFrame:
    """Days on which the price is that of the day before times or over a power of ten.

    The way back is not flagged again.
    """
    size = jumps.size / np.log(10)
    power = np.round(size)
    near = np.abs(size - power) <= threshold
    shifted = jumps.unbooked & near & np.isin(np.abs(power), _POWERS)
    open_shifts: dict[int, tuple[int, float]] = {}
    kept = np.zeros(len(size), dtype=np.bool_)
    for place in np.flatnonzero(shifted).tolist():
        row, series = int(jumps.row[place]), int(jumps.days.series[jumps.row[place]])
        since, shift = open_shifts.pop(series, (row, 0.0))
        if shift == -power[place] and row - since <= _SHIFT_BACK_ROWS:
            continue
        kept[place] = True
        open_shifts[series] = (row, float(power[place]))
    return _of(jumps, "decimal_shift", kept, detail="return of the day near a power of ten")


def _of(
    jumps: Jumps, rule: str, kept: Flags, *, detail: str, known_day: Integers | None = None
) -> pl.DataFrame:
    return found(
        rule,
        jumps.days,
        jumps.row[kept],
        known_day=None if known_day is None else known_day[kept],
        figure=jumps.days.total[jumps.row[kept]] - 1,
        expected=0.0,
        detail=detail,
    )
