import pytest
from dagster._utils.schedules import is_valid_cron_string
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.cron import cron_line

number = st.integers(0, 62).map(str)
span = st.tuples(number, number).map("-".join)
step = st.tuples(st.one_of(st.just("*"), span), st.integers(0, 99).map(str)).map("/".join)
field = st.one_of(
    st.just("*"), st.lists(st.one_of(number, span, step), min_size=1, max_size=3).map(",".join)
)


@given(st.tuples(field, field, field, field, field).map(" ".join))
def test_what_is_accepted_the_scheduler_accepts_too(line):
    try:
        cron_line(line)
    except ValueError:
        return
    assert is_valid_cron_string(line)


@pytest.mark.parametrize(
    "line",
    [
        "30 2 * * *",
        "*/15 0-6 1,15 * 1-5",
        "0 0 29 2 *",
        "0 0 30 1-3 0",
        "59 23 31 12 6",
        "5/20 * * * *",
    ],
)
def test_usual_lines_are_accepted(line):
    assert cron_line(line) == line
    assert is_valid_cron_string(line)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "not a cron line of five fields"),
        ("30 2 * *", "not a cron line of five fields"),
        ("0 30 2 * * *", "not a cron line of five fields"),
        ("30  2 * * *", "not a cron line of five fields"),
        ("60 2 * * *", "'60' is not a minute: write \"\\*\" or numbers from 0 to 59"),
        ("0 24 * * *", "'24' is not a hour"),
        ("0 0 0 * *", "'0' is not a day of month"),
        ("0 0 * 13 *", "'13' is not a month"),
        ("0 0 * * 7", "'7' is not a day of week"),
        ("5-1 * * * *", "'5-1' is not a minute"),
        ("*/0 * * * *", r"'\*/0' is not a minute"),
        ("x * * * *", "'x' is not a minute"),
        ("0 0 30 2 *", "never comes"),
        ("0 0 31 2,4,6 *", "never comes"),
    ],
)
def test_other_lines_are_refused_with_a_reason(line, said):
    with pytest.raises(ValueError, match=said):
        cron_line(line)
