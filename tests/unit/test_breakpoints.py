from datetime import date
from fractions import Fraction
from math import ceil, floor

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints, quantiles
from factor_pipeline.compute.sorts import MARKET, Dimension, Sort, decile_sort, two_by_three

JUNE, JULY, AUGUST = date(2000, 6, 30), date(2000, 7, 31), date(2000, 8, 31)
MEDIAN = Sort("median", (Dimension("size", (0.5,), ("S", "B")),))
METHODS = ("linear", "lower", "higher", "nearest", "midpoint")

# NumPy's rank may be off by an ulp of 30, its result by that times a gap of at most 6.
RANK_NOISE = 1e-13

# Few enough values that ties are common.
tied_values = st.lists(st.integers(-3, 3).map(float), min_size=1, max_size=30)

# A busy machine may take its time.
unhurried = settings(deadline=None)


def month(
    values: list[float | None], exchanges: list[str | None] | str | None, end: date = JULY
) -> pl.DataFrame:
    listed = exchanges if isinstance(exchanges, list) else [exchanges] * len(values)
    schema = {"exchange": pl.String, "size": pl.Float64}
    return pl.DataFrame({"exchange": listed, "size": values}, schema=schema).with_columns(
        month_end=pl.lit(end), security_id=pl.int_range(pl.len(), dtype=pl.Int64)
    )


def only(frame: pl.DataFrame) -> dict[str, object]:
    assert frame.height == 1
    return frame.row(0, named=True)


def test_linear_quantiles_of_eleven_stocks_by_hand():
    values = [10.0 * i for i in range(11)]
    sort = Sort("s", (Dimension("size", (0.25, 0.3, 0.5), ("a", "b", "c", "d")),))
    found = breakpoints(month(values, "NYSE"), [sort])
    assert found["value"].to_list() == [25.0, 30.0, 50.0]
    assert found["probability"].to_list() == [0.25, 0.3, 0.5]


@unhurried
@given(values=tied_values, percent=st.integers(1, 99))
def test_linear_quantiles_are_numpys(values, percent):
    ascending = np.sort(values)
    expected = np.quantile(ascending, percent / 100, method="linear")
    assert quantiles(ascending, [percent / 100], "linear")[0] == pytest.approx(
        expected, abs=RANK_NOISE
    )


@unhurried
@given(values=tied_values, percent=st.integers(1, 99))
def test_quantiles_without_interpolation_are_the_stocks_at_the_exact_rank(values, percent):
    ascending = sorted(values)
    rank = Fraction((len(values) - 1) * percent, 100)
    low, high = ascending[floor(rank)], ascending[ceil(rank)]
    found = {
        method: quantiles(np.array(ascending), [percent / 100], method)[0] for method in METHODS
    }
    assert (found["lower"], found["higher"]) == (low, high)
    assert found["midpoint"] == (low + high) / 2
    assert found["nearest"] == ascending[floor(rank + Fraction(1, 2))]


def test_the_nearest_stock_is_the_higher_of_two_equally_near():
    ascending = np.array([0.0, 1.0, 2.0, 3.0])
    assert quantiles(ascending, [0.4, 0.5, 0.6], "nearest").tolist() == [1.0, 2.0, 2.0]


def test_a_rank_that_is_a_stock_on_paper_is_that_stock():
    assert 0.7 * 90 < 63  # what a rank computed in binary would be
    ascending = np.arange(91.0)
    for method in METHODS:
        assert quantiles(ascending, [0.7], method).tolist() == [63.0]


def test_the_share_between_two_stocks_is_the_one_on_paper():
    assert 0.7 * 48 - 33 != 0.6
    ascending = np.repeat([0.0, 1.0], [34, 15])
    assert quantiles(ascending, [0.7], "linear").tolist() == [0.6]


@unhurried
@given(values=tied_values, method=st.sampled_from(METHODS))
def test_quantiles_ascend_within_the_range_of_the_values(values, method):
    ascending = np.sort(values)
    found = quantiles(ascending, [i / 20 for i in range(1, 20)], method)
    assert (np.diff(found) >= 0).all()
    assert found[0] >= ascending[0]
    assert found[-1] <= ascending[-1]


@unhurried
@given(a=st.floats(-1e300, 1e300), b=st.floats(-1e300, 1e300), percent=st.integers(1, 99))
def test_interpolation_never_leaves_the_two_stocks_between(a, b, percent):
    low, high = min(a, b), max(a, b)
    found = quantiles(np.array([low, high]), [percent / 100], "linear")[0]
    assert low <= found <= high


def test_nine_stocks_are_too_few_for_a_breakpoint():
    values: list[float | None] = [float(i) for i in range(9)]
    nine = only(breakpoints(month([*values, None], "NYSE"), [MEDIAN]))
    ten = only(breakpoints(month([*values, 9.0], "NYSE"), [MEDIAN]))
    assert (nine["value"], nine["stocks"]) == (None, 9)
    assert (ten["value"], ten["stocks"]) == (4.5, 10)


def test_the_fewest_stocks_are_a_setting():
    frame = month([1.0, 3.0], "NYSE")
    assert only(breakpoints(frame, [MEDIAN], BreakpointRule(min_stocks=2)))["value"] == 2.0
    assert only(breakpoints(frame, [MEDIAN], BreakpointRule(min_stocks=3)))["value"] is None


def test_stocks_of_other_exchanges_move_no_nyse_breakpoint():
    nyse = [float(i) for i in range(11)]
    frame = month(nyse + [1e6] * 5, ["NYSE"] * 11 + ["AMEX", "NASDAQ", None, "NASDAQ", None])
    found = only(breakpoints(frame, [MEDIAN]))
    assert (found["value"], found["stocks"], found["basis"]) == (5.0, 11, "nyse")
    everyone = only(breakpoints(frame, [MEDIAN], BreakpointRule(basis="all")))
    assert (everyone["value"], everyone["stocks"], everyone["basis"]) == (7.5, 16, "all")


def test_a_month_without_known_exchanges_uses_all_stocks_and_says_so():
    frame = pl.concat([month([1.0] * 11, None, JULY), month([2.0] * 11, "NYSE", AUGUST)])
    found = breakpoints(frame, [MEDIAN])
    assert found["basis"].to_list() == ["all", "nyse"]
    assert found["stocks"].to_list() == [11, 11]


def test_known_exchanges_without_a_nyse_stock_give_no_breakpoint():
    found = only(breakpoints(month([1.0] * 20, "NASDAQ"), [MEDIAN]))
    assert (found["value"], found["stocks"], found["basis"]) == (None, 0, "nyse")


def test_values_that_are_not_numbers_do_not_count():
    values = [float(i) for i in range(11)]
    frame = month([*values, float("nan"), float("inf"), float("-inf"), None], "NYSE")
    found = only(breakpoints(frame, [MEDIAN]))
    assert (found["value"], found["stocks"]) == (5.0, 11)


def test_sorts_that_rebalance_in_june_take_only_july_rows():
    frame = pl.concat([month([1.0] * 11, "NYSE", end) for end in (JUNE, JULY, AUGUST)])
    frame = frame.with_columns(book_to_market=pl.col("size"))
    june = two_by_three("book_to_market", "june")
    found = breakpoints(frame, [june, MEDIAN])
    assert found.filter(pl.col("sort") == june.name)["month_end"].unique().to_list() == [JULY]
    assert found.filter(pl.col("sort") == "median")["month_end"].to_list() == [JUNE, JULY, AUGUST]
    assert found["month_end"].is_sorted()


def test_sorts_on_one_signal_agree_on_shared_probabilities():
    frame = month([float(i**2) for i in range(57)], "NYSE")
    found = breakpoints(frame, [decile_sort("size", "monthly"), MEDIAN])
    at_median = found.filter(pl.col("probability") == 0.5)
    assert at_median["sort"].to_list() == ["size_decile", "median"]
    assert at_median["value"].n_unique() == 1
    assert found.height == 9 + 1


def test_a_sort_may_have_another_basis_than_the_rule():
    nyse = month([float(i) for i in range(20)], "NYSE")
    others = month([100.0] * 30, "NASDAQ").with_columns(pl.col("security_id") + 1_000)
    frame = pl.concat([nyse, others])
    own = MEDIAN.renamed("own", basis="all")
    found = breakpoints(frame, [MEDIAN, own])
    assert found["sort", "value", "stocks", "basis"].rows() == [
        ("median", 9.5, 20, "nyse"),
        ("own", 100.0, 50, "all"),
    ]


def test_a_sort_without_dimensions_has_no_breakpoints():
    found = breakpoints(month([1.0] * 11, "NYSE"), [MARKET])
    assert found.is_empty()
    assert found.schema == breakpoints(month([1.0] * 11, "NYSE"), [MEDIAN]).schema


def test_no_stocks_have_no_breakpoints():
    assert breakpoints(month([], "NYSE"), [MEDIAN]).is_empty()


@unhurried
@given(values=tied_values, seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_no_bit(values, seed):
    frame = month(values, "NYSE")
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    rule = BreakpointRule(min_stocks=1)
    sorts = [decile_sort("size", "monthly")]
    assert breakpoints(shuffled, sorts, rule).equals(breakpoints(frame, sorts, rule))


@pytest.mark.parametrize("method", METHODS)
def test_negative_zero_leaves_as_zero(method):
    # Which of 0.0 and -0.0 comes first in a sort is chance.
    assert str(quantiles(np.array([-0.0, -0.0, -0.0]), [0.5], method)[0]) == "0.0"
