"""Rules of what is booked beside a price: splits, dividends, the vendor's adjusted close."""

from collections.abc import Iterable
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.quality.days import Flags, Floats, Integers, PriceDays
from factor_pipeline.compute.quality.found import found

# A split of less (a stock dividend of 20 % or so) drowns in what a day may earn.
_LEAST_SPLIT: Final = 0.2
# The price has not moved with a split when what is left of the return is more than half of it.
_NOT_MOVED: Final = 0.5
# The move a split belongs to is that of its ratio, up to a quarter.
_OWN_RETURN: Final = 0.25


def split_without_price_move(days: PriceDays, threshold: float, window: int) -> pl.DataFrame:
    """Find splits with which the price did not move: most of them is left in the return.

    Those whose move came up to ``window`` rows before are `split_on_wrong_day`; days with a
    dividend are left to ``dividend_and_split_same_day``.
    """
    rows = _unfollowed(days, threshold)
    rows = rows[days.dividend[rows] == 0]
    factor = np.log(days.split[rows])
    before = range(-1, -window - 1, -1)
    early = [_move(days, row, ln, before) for row, ln in zip(rows, factor, strict=True)]
    kept = rows[np.array([move is None for move in early], dtype=np.bool_)]
    return found(
        "split_without_price_move",
        days,
        kept,
        figure=days.close[kept] / days.close[kept - 1],
        expected=1 / days.split[kept],
        detail="close over the close before; the booked split makes it as expected",
    )


def split_on_wrong_day(days: PriceDays, threshold: float) -> pl.DataFrame:
    """Find splits that the price made up to ``threshold`` rows before or after they were booked.

    Booked in the column of splits, or in the adjusted close alone.
    """
    window = int(threshold)
    # What came before first: a later move must not change what was known without it.
    around = [*range(-1, -window - 1, -1), *range(1, window + 1)]
    in_column = _unfollowed(days, np.exp(_LEAST_SPLIT))
    with np.errstate(all="ignore"):
        implied = np.log(_vendor_growth(days) / days.total)
    in_adjusted = np.flatnonzero((np.abs(implied) >= _LEAST_SPLIT) & (days.split == 1))
    rows = np.concatenate([in_column, in_adjusted])
    factor = np.concatenate([np.log(days.split[in_column]), implied[in_adjusted]])
    moves = [_move(days, row, ln, around) for row, ln in zip(rows, factor, strict=True)]
    matched = np.array([move is not None for move in moves], dtype=np.bool_)
    kept, moved = rows[matched], np.array([move for move in moves if move], dtype=np.int64)
    order = np.argsort(kept, kind="stable")
    kept, moved = kept[order], moved[order]
    return found(
        "split_on_wrong_day",
        days,
        kept,
        known_day=np.maximum(days.day[kept], days.day[moved]),
        figure=np.exp(factor[matched][order]),
        expected=1.0,
        detail="factor booked on a day on which the price did not make it, but near it did",
    )


def dividend_like_spin_off(days: PriceDays, threshold: float) -> pl.DataFrame:
    """Dividends of a share of ``threshold`` of the close before, or more."""
    paid = np.flatnonzero(days.dividend > 0)
    # On the first day of a series its own close is the only one there is.
    before = days.close[np.where(paid > days.starts[days.series[paid]], paid - 1, paid)]
    share = days.dividend[paid] / before
    kept = share >= threshold
    return found(
        "dividend_like_spin_off",
        days,
        paid[kept],
        figure=share[kept],
        expected=threshold,
        detail="dividend over the close before",
    )


def adjusted_close_disagrees(days: PriceDays, threshold: float) -> pl.DataFrame:
    """Days whose return differs from that of the adjusted close by more than ``threshold``.

    The days of ``panel.price_check``: none follows a calendar month without a price.
    """
    close = days.close * days.split + days.dividend
    with np.errstate(all="ignore"):
        ours = close / np.roll(days.close, 1) - 1
        theirs = days.adjusted / np.roll(days.adjusted, 1) - 1
        rows = np.flatnonzero((np.abs(ours - theirs) > threshold) & (days.gap > 0))
    rows = rows[months_between(days, rows) <= 1]
    return found(
        "adjusted_close_disagrees",
        days,
        rows,
        figure=ours[rows],
        expected=theirs[rows],
        detail="return from close, split and dividend against that of the adjusted close",
    )


def months_between(days: PriceDays, rows: Integers) -> Integers:
    """Calendar months from that of the row before to that of each row, shape (R,)."""
    now, before = (days.day[at].astype("datetime64[D]") for at in (rows, rows - 1))
    months: Integers = (now.astype("datetime64[M]") - before.astype("datetime64[M]")).astype(
        np.int64
    )
    return months


def _vendor_growth(days: PriceDays) -> Floats:
    growth: Floats = days.adjusted / np.roll(days.adjusted, 1)
    return growth


def _unfollowed(days: PriceDays, least: float) -> Integers:
    """Rows of splits by a factor of ``least`` or more that the price did not follow."""
    rows = np.flatnonzero((days.split != 1) & ~np.isnan(days.total))
    factor, left = np.log(days.split[rows]), np.log(days.total[rows])
    large: Flags = np.abs(factor) >= np.log(least)
    return rows[large & (np.abs(left) > _NOT_MOVED * np.abs(factor))]


def _move(days: PriceDays, row: int, factor: float, offsets: Iterable[int]) -> int | None:
    """Row whose price made a split of ``exp(factor)`` that is not booked there; the first named."""
    begin, end = days.begin_of(row), days.end_of(row)
    for at in (row + offset for offset in offsets):
        if not begin < at < end or days.split[at] != 1:
            continue
        if abs(np.log(days.total[at]) + factor) <= _OWN_RETURN * abs(factor):
            return at
    return None
