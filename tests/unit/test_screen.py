import polars as pl
import pytest

from factor_pipeline.sources.protocol import REJECT_SCHEMA
from factor_pipeline.sources.screen import Rule, Screen

NEGATIVE = Rule("negative", "x is below 0", pl.col("x") < 0, pl.col("x"))
LARGE = Rule("large", "x is far from 0", pl.col("x").abs() > 100, pl.col("x"))


def screen_of(**columns) -> Screen:
    height = len(next(iter(columns.values())))
    return Screen(pl.DataFrame({"row": range(2, 2 + height), **columns}))


def test_rows_that_break_a_rule_are_set_aside_and_null_breaks_none():
    screen = screen_of(x=[1.0, -1.0, None])
    screen.reject(NEGATIVE)
    assert screen.rows["x"].to_list() == [1.0, None]
    assert screen.rejected.rows() == [(3, "negative", "x is below 0", "-1.0")]
    assert screen.rejected.schema == REJECT_SCHEMA


def test_a_row_that_breaks_two_rules_is_rejected_once_for_the_first():
    screen = screen_of(x=[-200.0, 200.0])
    screen.reject(NEGATIVE, LARGE)
    assert screen.rejected.select("row", "rule").rows() == [(2, "negative"), (3, "large")]


def test_a_null_value_does_not_take_that_of_another_rule():
    screen = screen_of(x=[None, -1.0], y=["a", "b"])
    always = Rule("always", "", pl.lit(value=True), pl.col("y"))
    screen.reject(Rule.missing("x"), always)
    assert screen.rejected.select("rule", "value").rows() == [("missing_x", None), ("always", "b")]


def test_rejected_rows_come_in_the_order_of_the_file_whatever_the_order_of_rules():
    screen = screen_of(x=[200.0, -1.0, 1.0])
    screen.reject(NEGATIVE)
    screen.reject(LARGE)
    assert screen.rejected["row"].to_list() == [2, 3]


def test_a_screen_without_faults_has_no_rejected_rows():
    screen = screen_of(x=[1.0])
    screen.reject()
    screen.reject(NEGATIVE, LARGE)
    assert screen.rejected.equals(pl.DataFrame(schema=REJECT_SCHEMA))


def test_a_long_offending_value_is_shortened():
    screen = screen_of(x=["9" * 1000 + "x"])
    screen.parse_numbers("x")
    assert screen.rejected["value"].to_list() == ["9" * 80]


def test_the_missing_rule_is_named_after_the_column():
    assert Rule.missing("Shares (Basic)").name == "missing_shares_basic"


@pytest.mark.parametrize("x", ["1,234", "12 3", "nan", "inf", "1e999", "--1", "٣", "0x10", "1_0"])
def test_text_that_is_no_finite_number_is_rejected(x):
    screen = screen_of(x=[x, "5"])
    screen.parse_numbers("x")
    assert screen.rows["x"].to_list() == [5.0]
    assert screen.rejected["rule"].to_list() == ["not_a_number"]


@pytest.mark.parametrize(
    "x",
    [
        "2021-02-29",
        "2020-00-10",
        "2020-1-2",
        "20200102",
        "02/01/2020",
        "2020-01-02T00:00",
        "٢٠٢٠-01-02",
    ],
)
def test_text_that_is_no_day_is_rejected(x):
    screen = screen_of(x=[x, "2020-02-29"])
    screen.parse_dates("x")
    assert screen.rows["x"].dt.to_string("%d.%m.%Y").to_list() == ["29.02.2020"]
    assert screen.rejected["rule"].to_list() == ["not_a_date"]


def test_of_equal_rows_the_first_stays_and_of_different_ones_none():
    screen = screen_of(key=["a", "b", "a", "b", "c"], x=[1.0, 2.0, 1.0, 3.0, None])
    screen.reject_repeats("key", noun="item")
    assert screen.rows.rows() == [(2, "a", 1.0), (6, "c", None)]
    assert screen.rejected.select("row", "rule", "value").rows() == [
        (3, "conflicting_item", "b"),
        (4, "duplicate_item", "a"),
        (5, "conflicting_item", "b"),
    ]


def test_two_equal_rows_and_a_third_that_differs_contradict_each_other():
    screen = screen_of(key=["a", "a", "a"], x=[1.0, 1.0, 2.0])
    screen.reject_repeats("key", noun="item")
    assert screen.rows.is_empty()
    assert set(screen.rejected["rule"]) == {"conflicting_item"}


def test_null_keys_are_equal_to_each_other():
    screen = screen_of(key=["a", "a"], day=[None, None], x=[None, None])
    screen.reject_repeats("key", "day", noun="item")
    assert screen.rows.height == 1
    assert screen.rejected["value"].to_list() == ["a"]
