from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.betas.market_days import MONTHS_BEFORE, DailyReturns, MarketDays
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.errors import DataError, SchemaError
from factor_pipeline.months import MonthRange, add_months
from tests.unit.daily_market import CLOSED, factors_of, month_range

SEPTEMBER = MonthRange.of_months(date(2001, 9, 1), date(2001, 9, 1))


def dates(days: MarketDays, positions) -> list[date]:
    return pl.Series(days.days[positions]).cast(pl.Int32).cast(pl.Date).to_list()


def test_the_calendar_is_that_of_the_factors_where_they_have_the_month():
    factors = factors_of(100)
    september = dates(days := MarketDays.of(factors, SEPTEMBER), days.of_months(SEPTEMBER))
    assert september == [d for d in trading_days(*_bounds(SEPTEMBER)) if d not in CLOSED]


def test_months_without_factors_have_the_days_of_the_exchanges_rules():
    none = factors_of(1).clear()
    days = MarketDays.of(none, SEPTEMBER)
    assert dates(days, days.of_months(SEPTEMBER)) == trading_days(*_bounds(SEPTEMBER))
    # A month the factors begin in is theirs, however few of its days they have.
    some = factors_of(100).filter(pl.col("date") >= date(2001, 9, 25))
    begun = MarketDays.of(some, SEPTEMBER)
    assert dates(begun, begun.of_months(SEPTEMBER))[0] == date(2001, 9, 25)


def test_positions_count_days_whatever_range_they_are_taken_for():
    factors = factors_of(100)
    wide, narrow = (MarketDays.of(factors, months) for months in (month_range(0, 90), SEPTEMBER))
    ends = [days.last_of_months(SEPTEMBER) for days in (wide, narrow)]
    assert dates(wide, ends[0]) == dates(narrow, ends[1]) == [date(2001, 9, 28)]
    window = range(-1261, 1)
    assert dates(wide, ends[0] + window) == dates(narrow, ends[1] + window)


def test_the_longest_window_fits_before_every_month_of_a_century():
    none = factors_of(1).clear()
    for year in range(1930, 2030, 7):
        first = date(year, 1, 1)
        days = MarketDays.of(none, MonthRange.of_months(first, first))
        assert days.last_of_months(MonthRange.of_months(first, first))[0] >= 1262


def test_months_to_read_begin_with_the_first_day_of_the_first_window():
    factors = factors_of(100)
    month = month_range(80, 1)
    days = MarketDays.of(factors, month)
    for window in (252, 1260):
        read = days.months_of_windows(month, window)
        first = dates(days, days.last_of_months(month) - window - 1)[0]
        assert read == MonthRange(date(first.year, first.month, 1), month.end)


def test_factors_and_returns_land_on_their_days_in_any_order():
    factors = factors_of(3).with_columns(mkt=pl.when(pl.col("date").dt.day() != 7).then("mkt"))
    month = month_range(2, 1)
    days = MarketDays.of(factors, month)
    shuffled = factors.sample(fraction=1, shuffle=True, seed=1)
    values = days.values(shuffled, ["mkt", "rf"])
    tail = values[-factors.height :]
    assert pl.Series(tail[:, 0], nan_to_null=True).equals(factors["mkt"])
    assert pl.Series(tail[:, 1]).equals(factors["rf"])
    day = factors["date"].to_list()[-1]
    rows = [(7, day, 0.5), (3, day, None), (7, date(1997, 3, 29), 9.0), (3, date(1980, 1, 2), 9.0)]
    returns = pl.DataFrame(rows, schema=["security_id", "date", "ret"], orient="row")
    grid = DailyReturns.of(returns, days)
    assert grid.securities.tolist() == [3, 7]
    assert grid.values[-1, 1] == 0.5
    # The missing one, and those on a Saturday and before the calendar, are nowhere.
    assert pl.Series(grid.values.ravel()).is_finite().sum() == 1


def test_repeated_days_and_absent_series_are_refused():
    factors = factors_of(2)
    month = month_range(1, 1)
    with pytest.raises(DataError, match="two rows on one day"):
        MarketDays.of(pl.concat([factors, factors.head(1)]), month)
    days = MarketDays.of(factors, month)
    with pytest.raises(SchemaError, match="lack the columns \\['umd'\\]"):
        days.values(factors, ["umd"])
    twice = pl.DataFrame({"security_id": [1, 1], "date": [date(1997, 2, 3)] * 2, "ret": [0.1, 0.2]})
    with pytest.raises(DataError, match="two returns on one day"):
        DailyReturns.of(twice, days)


def test_the_calendar_reaches_far_enough_back():
    factors = factors_of(100)
    days = MarketDays.of(factors, SEPTEMBER)
    assert days.first_month == add_months(SEPTEMBER.start, -MONTHS_BEFORE)


def _bounds(months: MonthRange) -> tuple[date, date]:
    return months.start, months.end
