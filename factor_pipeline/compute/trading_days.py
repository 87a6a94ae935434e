"""Days on which the New York Stock Exchange opens, by rule."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from dateutil.easter import easter

_MONDAY: Final = 0
_THURSDAY: Final = 3
_SATURDAY: Final = 5
_SUNDAY: Final = 6
_MARTIN_LUTHER_KING_SINCE: Final = 1998
_JUNETEENTH_SINCE: Final = 2022


def trading_days(start: date, end: date) -> list[date]:
    """Weekdays from ``start`` until the day before ``end`` without the regular holidays.

    Today's rules hold in all years, but for the holidays introduced since 1998 [1]_. Half days
    count as days; closings for other reasons, as in September 2001, are left out.

    References
    ----------
    .. [1] NYSE rule 7.2: a holiday on a Saturday is kept on Friday, but for New Year, which is
       then not kept; one on a Sunday is kept on Monday.
    """
    closed = {day for year in range(start.year, end.year + 1) for day in _holidays(year)}
    span = (start + timedelta(days=i) for i in range((end - start).days))
    return [day for day in span if day.weekday() < _SATURDAY and day not in closed]


def _holidays(year: int) -> Iterator[date]:
    new_year = date(year, 1, 1)
    yield new_year if new_year.weekday() == _SATURDAY else _observed(new_year)
    yield _nth_weekday(3, _MONDAY, year, 2)
    yield easter(year) - timedelta(days=2)
    yield _nth_weekday(1, _MONDAY, year, 6) - timedelta(days=7)
    yield _observed(date(year, 7, 4))
    yield _nth_weekday(1, _MONDAY, year, 9)
    yield _nth_weekday(4, _THURSDAY, year, 11)
    yield _observed(date(year, 12, 25))
    if year >= _MARTIN_LUTHER_KING_SINCE:
        yield _nth_weekday(3, _MONDAY, year, 1)
    if year >= _JUNETEENTH_SINCE:
        yield _observed(date(year, 6, 19))


def _nth_weekday(nth: int, weekday: int, year: int, month: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day
