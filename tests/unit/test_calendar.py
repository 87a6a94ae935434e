from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    GoodFriday,
    USLaborDay,
    USMemorialDay,
    USThanksgivingDay,
)

from factor_pipeline.compute.calendar import last_complete_month, last_trading_day
from factor_pipeline.months import add_months

days = st.dates(date(1971, 1, 1), date(2199, 12, 31))


class Exchange(AbstractHolidayCalendar):
    """Holidays of pandas that come near the end of a month."""

    rules = [GoodFriday, USMemorialDay, USLaborDay, USThanksgivingDay]  # noqa: RUF012


@pytest.mark.parametrize(
    "last",
    [
        date(1999, 5, 28),  # Memorial Day on Monday 31 May
        date(2002, 3, 28),  # Good Friday on 29 March
        date(2010, 5, 28),
        date(2013, 3, 28),
        date(2018, 3, 29),  # Good Friday on 30 March, then a weekend
        date(2021, 5, 28),
        date(2024, 3, 28),
        date(2019, 11, 29),  # the day after Thanksgiving is a trading day
        date(2021, 12, 31),  # 1 January 2022 is a Saturday and not kept
        date(2020, 5, 29),
        date(2021, 1, 29),
        date(2020, 2, 28),
    ],
)
def test_last_trading_days_of_the_record(last):
    assert last_trading_day(last.replace(day=1)) == last


def test_the_rule_agrees_with_the_holidays_of_pandas_for_two_centuries():
    month_end = pd.offsets.CustomBusinessMonthEnd(calendar=Exchange())
    expected = pd.date_range("1971-01-01", "2170-12-31", freq=month_end)
    assert len(expected) == 2400
    wrong = [day for day in expected if last_trading_day(day.date()) != day.date()]
    assert wrong == []


@given(days)
def test_every_day_of_a_month_has_the_same_last_trading_day(day):
    assert last_trading_day(day) == last_trading_day(add_months(day, 0))


@given(days)
def test_a_month_is_complete_from_its_last_trading_day_on(day):
    last = last_trading_day(day)
    assert last_complete_month(last) == add_months(day, 0)
    assert last_complete_month(last - timedelta(days=1)) == add_months(day, -1)


@given(days)
def test_what_is_complete_never_becomes_incomplete(day):
    assert last_complete_month(day) <= last_complete_month(day + timedelta(days=1))


def test_data_to_a_friday_complete_a_month_that_ends_on_sunday():
    assert last_complete_month(date(2021, 1, 29)) == date(2021, 1, 1)
    assert last_complete_month(date(2021, 1, 28)) == date(2020, 12, 1)
    assert last_complete_month(date(2021, 4, 21)) == date(2021, 3, 1)
