"""Sums of products over rolling windows of market days, without subtraction."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.compute.betas.windows import (
    Flags,
    Floats,
    Integers,
    Moments,
    regressors,
    terms,
)
from factor_pipeline.errors import SettingsError

SHORTEST_WINDOW_DAYS: Final = 28
"""More days than a calendar month has market days (27, when Saturdays were)."""

# Enough for the overhead of an array operation not to matter.
_WINDOWS_AT_ONCE: Final = 4096


def day_window_moments(  # noqa: PLR0913, PLR0917 - what a sum is taken over
    y: Floats,
    observed: Flags,
    factors: Floats,
    names: Sequence[str],
    bounds: Integers,
    ends: Integers,
    window_days: int,
) -> Iterator[tuple[slice, Moments]]:
    """Moments of the windows of ``window_days`` days that end at some positions.

    A window is the tail of a calendar month, whole months, and the head of its last month. Heads
    are summed forwards; tails, and whole months as the longest of them, backwards; and whole
    months from the newest to the oldest. So every sum depends on the days of its own window and
    their dates only: an outlier that has left leaves no residue, and it does not matter where the
    data or the computed range begin or end.

    Parameters
    ----------
    y
        Dependent variable by day and stock, shape (D, S); finite where ``observed``.
    observed
        Which of them count, same shape; not set on days a factor is missing.
    factors
        Regressors by day, shape (D, K); finite on days with observations. K may be 0.
    names
        Names of the K regressors.
    bounds
        Position of the first day of each calendar month, and D.
    ends
        Positions of the windows' last days, ascending.
    window_days
        Length of a window, at least ``SHORTEST_WINDOW_DAYS``; a window that begins before the
        first day has fewer days.

    Yields
    ------
    tuple of slice and Moments
        Some of ``ends``, in order, and the moments of their windows: one column per end and
        stock, stocks vary fastest.

    Raises
    ------
    SettingsError
        When windows are shorter than that.
    """
    if window_days < SHORTEST_WINDOW_DAYS:
        raise SettingsError(
            f"a window of {window_days} days is too short; choose at least {SHORTEST_WINDOW_DAYS}"
        )
    if not len(ends):
        return
    starts = np.maximum(ends - window_days + 1, 0)
    last_month = np.searchsorted(bounds, ends, side="right") - 1
    first_month = np.searchsorted(bounds, starts, side="right") - 1
    multipliers = regressors(factors)
    kept = _Kept({}, {})
    done, pending = 0, list[Floats]()
    for month in range(int(first_month[0]), int(last_month[-1]) + 1):
        days = slice(bounds[month], bounds[month + 1])
        # Of all stocks a market ever had, half are listed in a month.
        shown = np.flatnonzero(observed[days].any(axis=0))
        weights = observed[days].take(shown, axis=1).astype(np.float64)
        values = np.where(weights > 0, y[days].take(shown, axis=1), 0.0)
        added = terms(multipliers[:, days], 1 + len(names), weights, values)

        def of_all(sums: Floats, shown: Integers = shown) -> Floats:
            everything = np.zeros((len(sums), y.shape[1]))
            everything[:, shown] = sums
            return everything

        first_days = set((starts[first_month == month] - days.start).tolist())
        tails, total = _tails(added, first_days)
        kept.months[month] = of_all(total)
        kept.tails.update({days.start + day: of_all(sums) for day, sums in tails.items()})
        within = np.flatnonzero(last_month == month)
        if len(within):
            heads = _heads(added, (ends[within] - days.start).tolist())
            heads = [of_all(head) for head in heads]
            windows = list(zip(starts[within].tolist(), first_month[within].tolist(), strict=True))
            pending += kept.joined(month, windows, heads)
            kept.forget(*windows[-1])
        if pending and (month == last_month[-1] or len(pending) * y.shape[1] >= _WINDOWS_AT_ONCE):
            sums = np.stack(pending, axis=1)
            some = slice(done, done + len(pending))
            yield some, Moments(tuple(names), sums.reshape(len(sums), -1))
            done, pending = some.stop, []


@dataclass(frozen=True, slots=True)
class _Kept:
    """Sums that later windows need, each of shape (rows, S): tails by first day, months."""

    tails: dict[int, Floats]
    months: dict[int, Floats]

    def joined(
        self, month: int, windows: list[tuple[int, int]], heads: list[Floats]
    ) -> list[Floats]:
        """Complete the ``heads`` of windows that end in ``month``: by first day and its month."""
        sums = list[Floats]()
        between, oldest = np.zeros(heads[0].shape), month
        # The window that ends last has the fewest months between.
        for (start, first_month), head in zip(reversed(windows), reversed(heads), strict=True):
            while oldest - 1 > first_month:
                oldest -= 1
                between += self.months[oldest]
            before = first_month < month
            sums.append(between + self.tails[start] + head if before else head)
        return sums[::-1]

    def forget(self, start: int, month: int) -> None:
        """Drop what no window needs that begins on day ``start``, in ``month``, or later."""
        for sums, first in ((self.tails, start), (self.months, month)):
            for old in [position for position in sums if position < first]:
                del sums[old]


def _tails(added: Floats, starts: set[int]) -> tuple[dict[int, Floats], Floats]:
    """Sum a month backwards: the tails that begin on its days ``starts``, and all of it."""
    total, tails = np.zeros(added[:, 0].shape), dict[int, Floats]()
    for day in range(added.shape[1] - 1, -1, -1):
        total += added[:, day]
        if day in starts:
            tails[day] = total.copy()
    return tails, total


def _heads(added: Floats, ends: list[int]) -> list[Floats]:
    """Sum a month forwards, up to each of its days ``ends``."""
    total, heads = np.zeros(added[:, 0].shape), list[Floats]()
    for day in range(ends[-1] + 1):
        total += added[:, day]
        if day in ends:
            heads.append(total.copy())
    return heads
