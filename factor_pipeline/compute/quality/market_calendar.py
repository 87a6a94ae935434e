"""Rules of days: which days the market traded, and which a series has or lacks."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.calendar import last_complete_month
from factor_pipeline.compute.quality.actions import months_between
from factor_pipeline.compute.quality.days import Flags, Floats, Integers, PriceDays
from factor_pipeline.compute.quality.found import FOUND, found
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.months import add_months

# The usual number of prices is the median of a month of trading days before.
_USUAL_DAYS: Final = 21
# A day on which the exchange is closed by rule is off the calendar already when half trade.
_CLOSED_SHARE: Final = 0.5
_PARTIAL_RANGE: Final = 0.6

_SHORTEST_MONTH: Final = 28

_EPOCH: Final = date(1970, 1, 1)
EVERY_SERIES: Final = "every series"
"""Subject of a flag that is of no series in particular."""


@dataclass(frozen=True, slots=True)
class MarketCalendar:
    """Days from the first to the last price; arrays of shape (D,), one item per calendar day.

    Attributes
    ----------
    first_day
        Days since 1970-01-01 of the first.
    opened
        Trading days up to and with each day: those on which nearly all series have a price.
    prices
        Prices of each day.
    usual
        Prices of a usual day before; 0 where none is.
    off
        Whether hardly any series has a price.
    """

    first_day: int
    opened: Integers
    prices: Floats
    usual: Floats
    off: Flags

    @classmethod
    def of(cls, counts: pl.DataFrame, *, nearly_all: float, hardly_any: float) -> Self:
        """Judge each day by the prices of the days before it alone.

        Parameters
        ----------
        counts
            ``date`` and ``prices``, the number of prices of the day; at least one row, unique.
        nearly_all, hardly_any
            Shares of the usual number.
        """
        rows = counts.sort("date")
        day = rows["date"].to_physical().cast(pl.Int64).to_numpy()
        prices = rows["prices"].cast(pl.Int64).to_numpy()
        usual = _usual(prices)
        closed = np.isin(day, _exchange_days(day), invert=True)
        few = (prices < hardly_any * usual) | (closed & (prices < _CLOSED_SHARE * usual))
        place = day - day[0]
        size = int(place[-1]) + 1
        return cls(
            first_day=int(day[0]),
            opened=np.cumsum(_spread(place, prices >= nearly_all * usual, size)).astype(np.int64),
            prices=_spread(place, prices, size),
            usual=_spread(place, usual, size),
            off=_spread(place, few, size) > 0,
        )


def missing_day(days: PriceDays, calendar: MarketCalendar) -> pl.DataFrame:
    """Trading days without a row between two rows of a series, up to a calendar month of them."""
    rows = np.flatnonzero(days.gap > 1)
    missed = _missed(days, rows, calendar)
    rows, missed = rows[missed > 0], missed[missed > 0]
    within = months_between(days, rows) <= 1
    rows, missed = rows[within], missed[within]
    return found(
        "missing_day",
        days,
        rows,
        fault_day=_first_missed(days, rows, calendar),
        known_day=days.day[rows],
        figure=missed.astype(np.float64),
        expected=0.0,
        detail="trading days without a price",
    )


def price_gap_months(days: PriceDays) -> pl.DataFrame:
    """Calendar months without a row between two rows of a series."""
    rows, months = _months_missed(days, 1)
    begin = days.day[rows - 1].astype("datetime64[D]").astype("datetime64[M]") + 1
    return found(
        "price_gap_months",
        days,
        rows,
        fault_day=begin.astype("datetime64[D]").astype(np.int64),
        known_day=days.day[rows],
        figure=months.astype(np.float64),
        expected=0.0,
        detail="calendar months without a price",
    )


def long_gap(days: PriceDays, fewest_months: int) -> pl.DataFrame:
    """Rows after a gap of calendar months: the ticker may be another company's now."""
    rows, months = _months_missed(days, fewest_months)
    detail = "calendar months without a price before"
    return found("ticker_splice", days, rows, figure=months.astype(np.float64), detail=detail)


def day_off_calendar(days: PriceDays, calendar: MarketCalendar) -> pl.DataFrame:
    """Rows of days on which hardly any other series has one."""
    rows = np.flatnonzero(calendar.off[days.day - calendar.first_day])
    place = days.day[rows] - calendar.first_day
    return found(
        "day_off_calendar",
        days,
        rows,
        figure=calendar.prices[place],
        expected=calendar.usual[place],
        detail="series with a price that day, against a usual day",
    )


def partial_last_bar(days: PriceDays, data_end: date, threshold: float) -> pl.DataFrame:
    """Rows of the last day with a volume and a range far below those of the month before."""
    last = days.starts[1:] - 1
    last = last[days.day[last] == (data_end - _EPOCH).days]
    volume, spread = (np.full(len(last), np.nan) for _ in range(2))
    for place, row in enumerate(last.tolist()):
        before = slice(max(days.begin_of(row), row - _USUAL_DAYS), row)
        if row - before.start < _USUAL_DAYS:
            continue
        with np.errstate(all="ignore"):
            volume[place] = days.volume[row] / np.median(days.volume[before])
            usual = np.median((days.high[before] - days.low[before]) / days.close[before])
            spread[place] = (days.high[row] - days.low[row]) / days.close[row] / usual
    kept = (volume < threshold) & ~(spread >= _PARTIAL_RANGE)
    return found(
        "partial_last_bar",
        days,
        last[kept],
        figure=volume[kept],
        expected=1.0,
        detail="volume over that of a usual day before",
    )


def partial_last_month(data_end: date) -> pl.DataFrame:
    """Flag the month of the last price unless its last trading day has one."""
    month = add_months(data_end, 0)
    flag = {
        "rule": "partial_last_month",
        "subject": EVERY_SERIES,
        "fault_date": data_end,
        "known_date": data_end,
        "figure": float(data_end.day),
        "expected": float((add_months(month, 1) - timedelta(days=1)).day),
        "detail": "last day of the month with a price, against the last day of the month",
    }
    return pl.DataFrame([] if last_complete_month(data_end) == month else [flag], schema=FOUND)


def _usual(prices: Integers) -> Floats:
    """Median of the counts of the days before, as far as there are any."""
    usual = np.zeros(len(prices))
    for place in range(1, min(_USUAL_DAYS, len(prices))):
        usual[place] = np.median(prices[:place])
    if len(prices) > _USUAL_DAYS:
        months = np.lib.stride_tricks.sliding_window_view(prices[:-1], _USUAL_DAYS)
        usual[_USUAL_DAYS:] = np.median(months, axis=1)
    return usual


def _exchange_days(day: Integers) -> list[int]:
    first, last = (_EPOCH + timedelta(days=int(one)) for one in (day[0], day[-1]))
    return [(one - _EPOCH).days for one in trading_days(first, last + timedelta(days=1))]


def _spread(place: Integers, values: NDArray[np.generic], size: int) -> Floats:
    """One number per calendar day, 0 where ``values`` have none."""
    spread = np.zeros(size)
    spread[place] = values
    return spread


def _months_missed(days: PriceDays, fewest: int) -> tuple[Integers, Integers]:
    """Rows before which whole calendar months have none, and how many."""
    rows = np.flatnonzero(days.gap > _SHORTEST_MONTH)
    months = months_between(days, rows) - 1
    return rows[months >= fewest], months[months >= fewest]


def _missed(days: PriceDays, rows: Integers, calendar: MarketCalendar) -> Integers:
    """Trading days between each of ``rows`` and the row before it."""
    place = days.day[rows] - calendar.first_day
    missed: Integers = calendar.opened[place - 1] - calendar.opened[place - days.gap[rows]]
    return missed


def _first_missed(days: PriceDays, rows: Integers, calendar: MarketCalendar) -> Integers:
    before = calendar.opened[days.day[rows - 1] - calendar.first_day]
    first: Integers = np.searchsorted(calendar.opened, before + 1) + calendar.first_day
    return first
