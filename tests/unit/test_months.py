from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.months import MonthRange, add_months, formation_july

days = st.dates(date(1900, 1, 1), date(2200, 12, 31))
counts = st.integers(-1200, 1200)
ranges = st.builds(
    lambda first, count: MonthRange.of_months(first, add_months(first, count)),
    days,
    st.integers(0, 600),
)


@pytest.mark.parametrize(
    ("day", "count", "expected"),
    [
        (date(2020, 1, 31), 1, date(2020, 2, 1)),
        (date(2020, 1, 31), -1, date(2019, 12, 1)),
        (date(2020, 12, 1), 1, date(2021, 1, 1)),
        (date(2020, 6, 30), 0, date(2020, 6, 1)),
        (date(2020, 6, 30), -18, date(2018, 12, 1)),
    ],
)
def test_months_are_counted_by_the_calendar(day, count, expected):
    assert add_months(day, count) == expected


@given(days, counts, counts)
def test_adding_months_in_two_steps_is_adding_their_sum(day, first, second):
    assert add_months(add_months(day, first), second) == add_months(day, first + second)


@given(days)
def test_the_next_month_starts_the_day_after_this_one_ends(day):
    last = add_months(day, 1) - timedelta(days=1)
    assert (last.year, last.month) == (day.year, day.month)


@pytest.mark.parametrize(
    ("month", "july"),
    [
        (date(2020, 7, 1), date(2020, 7, 1)),
        (date(2020, 12, 31), date(2020, 7, 1)),
        (date(2021, 6, 30), date(2020, 7, 1)),
        (date(2020, 6, 30), date(2019, 7, 1)),
    ],
)
def test_the_june_sort_holds_from_july_to_the_june_after(month, july):
    assert formation_july(month) == july


@given(days)
def test_the_formation_july_is_never_ahead_and_less_than_a_year_back(month):
    july = formation_july(month)
    assert (july.month, july.day) == (7, 1)
    assert july <= add_months(month, 0) < add_months(july, 12)


def test_a_range_holds_its_first_and_its_last_month():
    months = MonthRange.of_months(date(1999, 11, 15), date(2021, 4, 2))
    assert (months.start, months.end) == (date(1999, 11, 1), date(2021, 5, 1))
    assert len(months) == 258
    assert str(months) == "1999-11 to 2021-04"
    assert months.as_params() == {"month_start": date(1999, 11, 1), "month_end": date(2021, 5, 1)}


def test_a_range_of_no_months_is_false():
    assert not MonthRange(date(2020, 1, 1), date(2020, 1, 1))


@given(ranges, st.integers(0, 60), st.integers(0, 60))
def test_widening_adds_months_on_both_sides(months, back, ahead):
    wide = months.widened(back=back, ahead=ahead)
    assert len(wide) == len(months) + back + ahead
    assert wide.widened(back=-back, ahead=-ahead) == months


@given(ranges, st.integers(0, 60))
def test_an_earlier_start_keeps_the_end(months, back):
    earlier = add_months(months.start, -back)
    assert months.since(earlier) == months.widened(back=back)


@pytest.mark.parametrize(
    ("months", "sizes"), [(5, [5, 5, 2]), (12, [12]), (60, [12]), (1, [1] * 12)]
)
def test_blocks_make_up_the_range(months, sizes):
    year = MonthRange(date(2019, 7, 1), date(2020, 7, 1))
    blocks = list(year.blocks(months))
    assert [len(block) for block in blocks] == sizes
    assert blocks[0].start == year.start
    assert blocks[-1].end == year.end
    assert all(a.end == b.start for a, b in pairwise(blocks))


def test_an_empty_range_is_one_empty_block():
    empty = MonthRange(date(2020, 1, 1), date(2020, 1, 1))
    assert list(empty.blocks(12)) == [empty]
