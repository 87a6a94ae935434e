"""The trading calendar, as far as month ends need it."""

from datetime import date, timedelta

from dateutil.easter import easter

from factor_pipeline.months import add_months

_SATURDAY = 5


def last_trading_day(month: date) -> date:
    """Last day the US exchanges are open in the month of ``month``, by rule.

    Besides weekends only two holidays can fall on the end of a month: Memorial Day (31 May) and
    Good Friday (as on 29 March 2024). When 1 January is a Saturday the exchanges do trade on
    31 December. Source: NYSE rule 7.2. The rules are those since 1971, for any year; before,
    Memorial Day was 30 May, and exchanges closed on more days.
    """
    day = add_months(month, 1) - timedelta(days=1)
    while day.weekday() >= _SATURDAY or _is_holiday(day):
        day -= timedelta(days=1)
    return day


def _is_holiday(day: date) -> bool:
    memorial_day = day.month == 5 and day.weekday() == 0 and day.day > 24  # noqa: PLR2004
    good_friday = day == easter(day.year) - timedelta(days=2)
    return memorial_day or good_friday


def last_complete_month(data_end: date) -> date:
    """First day of the last month whose trading days all lie on or before ``data_end``."""
    this_month = add_months(data_end, 0)
    return this_month if data_end >= last_trading_day(data_end) else add_months(this_month, -1)
