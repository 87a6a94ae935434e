from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints
from factor_pipeline.compute.sorts import (
    MARKET,
    Dimension,
    Sort,
    default_sorts,
    tercile_sort,
    two_by_three,
)
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange

SIGNALS = ("size", "book_to_market", "momentum_12_2")
ANY_COUNT = BreakpointRule(min_stocks=1)
MONTHLY = Sort("monthly", (Dimension("size", (0.5,), ("S", "B")),))
JUNE = Sort("june", (Dimension("size", (0.5,), ("S", "B")),), "june")

# Each example sorts a whole market; a busy machine may take its time.
few_examples = settings(max_examples=20, deadline=None)


def panel(values: dict[date, dict[int, float | None]], signal: str = "size") -> pl.DataFrame:
    rows = [(end, i, "NYSE", v) for end, by_id in values.items() for i, v in by_id.items()]
    schema = {
        "month_end": pl.Date,
        "security_id": pl.Int64,
        "exchange": pl.String,
        signal: pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def assigned(stocks, sorts, first, last=None, rule=ANY_COUNT):
    months = MonthRange.of_months(first, last or first)
    return assignments(stocks, breakpoints(stocks, sorts, rule), sorts, months)


def cells(frame: pl.DataFrame) -> dict[tuple[date, int], str]:
    return {(end, i): cell for end, i, cell in frame["month_end", "security_id", "cell"].rows()}


def market(stocks: int, months: int, *, seed: int = 1, start: date = date(2000, 1, 1)):
    """Random stocks with entries, gaps, exchanges and every signal sometimes missing."""
    rng = np.random.default_rng(seed)
    ends = pl.date_range(start, pl.lit(start).dt.offset_by(f"{months - 1}mo"), "1mo", eager=True)
    rows = stocks * months
    columns = {}
    for signal in SIGNALS:
        values = np.exp(rng.normal(size=rows)).round(3)
        columns[signal] = np.where(rng.random(rows) < 0.05, np.nan, values)
    listed = pl.Series(["NYSE", "AMEX", "NASDAQ", None]).gather(rng.integers(0, 4, stocks))
    return (
        pl.DataFrame(columns, nan_to_null=True)
        .with_columns(
            month_end=ends.dt.month_end().gather(np.repeat(np.arange(months), stocks)),
            security_id=pl.Series(np.tile(np.arange(stocks), months)),
            exchange=listed.gather(np.tile(np.arange(stocks), months)),
            present=pl.Series(rng.random(rows) < 0.97),
        )
        .filter(pl.col("present"))
        .drop("present")
    )


def test_a_value_equal_to_a_breakpoint_is_in_the_lower_cell():
    july = date(2000, 7, 31)
    stocks = panel({july: {1: 1.0, 2: 2.0, 3: 2.0, 4: 2.0, 5: 3.0}})
    assert cells(assigned(stocks, [MONTHLY], july)) == {
        (july, 1): "S",
        (july, 2): "S",
        (july, 3): "S",
        (july, 4): "S",
        (july, 5): "B",
    }


def test_cells_of_a_two_by_three_by_hand():
    july = date(2000, 7, 31)
    size = {i: float(i % 2) + i / 100 for i in range(1, 12)}
    value = {i: float(i) for i in range(1, 12)}  # 30 % is 4, 70 % is 8
    stocks = panel({july: size}).join(
        panel({july: value}, "book_to_market").drop("exchange"), on=["month_end", "security_id"]
    )
    sort = two_by_three("book_to_market", "june")
    found = [cell for _, cell in sorted(cells(assigned(stocks, [sort], july)).items())]
    # The median size is that of stock 1 (1.01): six odd stocks, five even ones below.
    assert found == ["SG", "SG", "BG", "SG", "BN", "SN", "BN", "SN", "BV", "SV", "BV"]


def test_every_stock_is_in_the_market():
    july = date(2000, 7, 31)
    stocks = panel({july: {1: 1.0, 2: None}})
    assert cells(assigned(stocks, [MARKET], july)) == {(july, 1): "All", (july, 2): "All"}


def test_june_cells_stay_from_july_to_june():
    ends = [date(2000, 7, 31), date(2000, 12, 31), date(2001, 6, 30), date(2001, 7, 31)]
    stocks = panel(
        {
            ends[0]: {1: 1.0, 2: 2.0},
            ends[1]: {1: 9.0, 2: 2.0},
            ends[2]: {1: 9.0, 2: 2.0},
            ends[3]: {1: 9.0, 2: 2.0},
        }
    )
    june = cells(assigned(stocks, [JUNE], ends[0], ends[3]))
    assert [june[end, 1] for end in ends] == ["S", "S", "S", "B"]
    monthly = cells(assigned(stocks, [MONTHLY], ends[0], ends[3]))
    assert [monthly[end, 1] for end in ends] == ["S", "B", "B", "B"]


def test_a_stock_without_a_value_in_july_waits_for_the_next_one():
    ends = [date(2000, 7, 31), date(2000, 8, 31), date(2001, 7, 31)]
    stocks = panel(
        {
            ends[0]: {1: 1.0, 2: 2.0, 3: None},
            ends[1]: {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0},
            ends[2]: {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0},
        }
    )
    june = cells(assigned(stocks, [JUNE], ends[0], ends[2]))
    assert {key for key in june if key[1] >= 3} == {(ends[2], 3), (ends[2], 4)}


def test_a_stock_that_left_has_no_cell_in_months_without_a_row():
    ends = [date(2000, 7, 31), date(2000, 8, 31), date(2000, 9, 30)]
    stocks = panel(
        {ends[0]: {1: 1.0, 2: 2.0}, ends[1]: {2: 2.0}, ends[2]: {1: 1.0, 2: 2.0}},
    )
    june = cells(assigned(stocks, [JUNE], ends[0], ends[2]))
    assert set(june) == {(ends[0], 1), (ends[0], 2), (ends[1], 2), (ends[2], 1), (ends[2], 2)}


def test_june_sorts_have_no_cells_before_the_first_july_of_the_data():
    ends = [date(2000, 5, 31), date(2000, 6, 30), date(2000, 7, 31)]
    stocks = panel({end: {1: 1.0, 2: 2.0} for end in ends})
    assert {end for end, _ in cells(assigned(stocks, [JUNE], ends[0], ends[2]))} == {ends[2]}


def test_too_few_stocks_for_a_breakpoint_leave_all_without_a_cell():
    july = date(2000, 7, 31)
    nine = panel({july: {i: float(i) for i in range(9)}})
    assert assigned(nine, [MONTHLY], july, rule=BreakpointRule()).is_empty()


def test_coinciding_breakpoints_leave_the_groups_between_them_empty():
    july = date(2000, 7, 31)
    values = dict.fromkeys(range(8), 0.0) | {8: 1.0, 9: 2.0}
    found = assigned(panel({july: values}), [tercile_sort("size", "monthly")], july)
    assert found["cell"].value_counts(sort=True).rows() == [("Low", 8), ("High", 2)]


def test_every_stock_with_a_value_is_in_exactly_one_cell():
    stocks = market(80, 3)
    march = date(2000, 3, 31)
    for signal in SIGNALS:
        found = assigned(stocks, [tercile_sort(signal, "monthly")], march)
        expected = stocks.filter(pl.col("month_end") == march, pl.col(signal).is_not_null())
        assert sorted(found["security_id"]) == sorted(expected["security_id"])


def test_breakpoints_of_other_months_are_refused():
    july, august = date(2000, 7, 31), date(2000, 8, 31)
    stocks = panel({july: {1: 1.0, 2: 2.0}, august: {1: 1.0, 2: 2.0}})
    of_july = breakpoints(stocks, [MONTHLY], ANY_COUNT).filter(pl.col("month_end") == july)
    with pytest.raises(DataError, match="'monthly' on 'size' do not cover each formation month"):
        assignments(stocks, of_july, [MONTHLY], MonthRange.of_months(july, august))


def test_no_stocks_have_no_cells():
    empty = panel({})
    for sort in (MONTHLY, JUNE, MARKET):
        found = assigned(empty, [sort], date(2000, 7, 31))
        assert found.is_empty()
        assert found.columns == ["sort", "security_id", "month_end", "cell"]


def test_a_range_of_months_equals_month_by_month():
    stocks, sorts = market(60, 30), default_sorts(SIGNALS)
    at_once = assigned(stocks, sorts, date(2000, 1, 1), date(2002, 6, 1))
    one_by_one = []
    for index in range(30):
        end = date(2000 + index // 12, index % 12 + 1, 1)
        since_july = stocks.filter(
            pl.col("month_end") < pl.lit(end).dt.offset_by("1mo"),
            pl.col("month_end") >= pl.lit(end).dt.offset_by("-11mo"),
        )
        one_by_one.append(assigned(since_july, sorts, end))
    key = ["sort", "month_end", "security_id"]
    assert pl.concat(one_by_one).sort(key).equals(at_once.sort(key))
    assert at_once["sort"].n_unique() == len(sorts)


@few_examples
@given(cut=st.integers(0, 17), seed=st.integers(0, 3))
def test_what_comes_later_changes_no_cell(cut, seed):
    stocks, sorts = market(30, 18, seed=seed), default_sorts(SIGNALS)
    last = date(2000 + cut // 12, cut % 12 + 1, 1)
    is_past = pl.col("month_end") < pl.lit(last).dt.offset_by("1mo")
    later_changed = stocks.with_columns(
        pl.when(is_past).then(pl.col(signal)).otherwise(100 - pl.col(signal)) for signal in SIGNALS
    )
    expected = assigned(stocks.filter(is_past), sorts, date(2000, 1, 1), last)
    assert assigned(later_changed, sorts, date(2000, 1, 1), last).equals(expected)


@few_examples
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_nothing(seed):
    stocks, sorts = market(20, 14), default_sorts(SIGNALS)
    shuffled = stocks.sample(fraction=1, shuffle=True, seed=seed)
    months = date(2000, 1, 1), date(2001, 2, 1)
    assert assigned(shuffled, sorts, *months).equals(assigned(stocks, sorts, *months))
