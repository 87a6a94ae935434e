from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints
from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.cells import SortedStocks
from factor_pipeline.compute.portfolios import cell_portfolio_returns, portfolio_returns
from factor_pipeline.compute.sorts import (
    MARKET,
    Dimension,
    Sort,
    decile_sort,
    default_sorts,
)
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months, formation_july

JULY, AUGUST = date(2000, 7, 31), date(2000, 8, 31)
HALVES = Sort("halves", (Dimension("size", (0.5,), ("S", "B")),))

# Weighted means of up to a few hundred returns: sums in another order differ by this at most.
SUM_NOISE = 1e-13


def stocks_of(*rows: tuple[float | None, float | None], end: date = JULY) -> pl.DataFrame:
    """Stocks 1, 2, ... of one month, each with its return and lagged market equity."""
    schema = {"ret": pl.Float64, "lagged_market_equity": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        month_end=pl.lit(end),
        security_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64),
        exchange=pl.lit("NYSE"),
    )


def held(cells: dict[int, str], sort: str = "halves", end: date = JULY) -> pl.DataFrame:
    schema = {"security_id": pl.Int64, "cell": pl.String}
    return pl.DataFrame(list(cells.items()), schema=schema, orient="row").with_columns(
        sort=pl.lit(sort), month_end=pl.lit(end)
    )


def rule(weighting, min_stocks=1, min_cap_stocks=1):
    cap = BreakpointRule(min_stocks=min_cap_stocks)
    return PortfolioRule(weightings=(weighting,), min_stocks=min_stocks, cap=cap)


def by_cell(frame: pl.DataFrame, column: str = "ret") -> dict[str, object]:
    return dict(frame["cell", column].rows())


def market(stocks: int, months: int, *, seed: int = 1) -> pl.DataFrame:
    """Random stocks with missing returns, values and exchanges."""
    rng = np.random.default_rng(seed)
    ends = pl.date_range(date(2000, 7, 1), date(2020, 6, 1), "1mo", eager=True).dt.month_end()
    rows = stocks * months
    listed = pl.Series(["NYSE", "AMEX", "NASDAQ", None]).gather(rng.integers(0, 4, stocks))
    equity = np.exp(rng.normal(12, 2, rows))
    return pl.DataFrame(
        {
            "ret": np.where(rng.random(rows) < 0.03, np.nan, rng.normal(0.01, 0.1, rows)),
            "lagged_market_equity": np.where(rng.random(rows) < 0.02, np.nan, equity),
            "size": equity,
            "book_to_market": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows)),
            "momentum_12_2": rng.normal(size=rows),
        },
        nan_to_null=True,
    ).with_columns(
        month_end=ends.gather(np.repeat(np.arange(months), stocks)),
        security_id=pl.Series(np.tile(np.arange(stocks), months)),
        exchange=listed.gather(np.tile(np.arange(stocks), months)),
    )


def test_value_weights_by_hand():
    stocks = stocks_of((0.10, 1.0), (-0.20, 3.0), (0.30, 5.0))
    found = portfolio_returns(stocks, held({1: "S", 2: "S", 3: "B"}), [HALVES], rule("value"))
    small = (0.10 * 1 - 0.20 * 3) / 4
    assert by_cell(found) == {"S": small, "B": 0.30, "B-S": 0.30 - small}
    assert by_cell(found, "stocks") == {"S": 2, "B": 1, "B-S": 3}
    assert by_cell(found, "market_equity") == {"S": 4.0, "B": 5.0, "B-S": 9.0}


def test_equal_weights_need_no_market_equity():
    stocks = stocks_of((0.10, None), (-0.20, 3.0))
    found = portfolio_returns(stocks, held({1: "S", 2: "S"}), [HALVES], rule("equal"))
    assert by_cell(found)["S"] == pytest.approx(-0.05, abs=SUM_NOISE)
    assert by_cell(found, "stocks")["S"] == 2
    assert by_cell(found, "market_equity")["S"] == 3.0


def test_capped_weights_stop_at_the_eightieth_nyse_percentile():
    # Six NYSE stocks: the percentile is at rank 4 of 0..5, which is 5.0; AMEX does not count.
    nyse = stocks_of(*((0.0, float(i)) for i in range(1, 6)), (0.12, 600.0))
    amex = pl.DataFrame({"ret": [0.0], "lagged_market_equity": [9e9]}).with_columns(
        month_end=pl.lit(JULY), security_id=pl.lit(7, pl.Int64), exchange=pl.lit("AMEX")
    )
    stocks = pl.concat([nyse, amex], how="diagonal")
    cells = held({5: "S", 6: "S", 7: "B"})
    found = portfolio_returns(stocks, cells, [HALVES], rule("capped"))
    assert by_cell(found)["S"] == pytest.approx(0.12 * 5 / (5 + 5), abs=SUM_NOISE)
    assert by_cell(found, "market_equity")["S"] == 605.0


def test_a_month_without_a_cap_has_no_capped_return_but_its_counts():
    stocks = stocks_of(*[(0.1, 1.0)] * 9)
    cells = held(dict.fromkeys(range(1, 10), "S"))
    found = portfolio_returns(stocks, cells, [HALVES], rule("capped", min_cap_stocks=10))
    assert by_cell(found)["S"] is None
    assert by_cell(found, "stocks")["S"] == 9


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_a_stock_without_a_return_is_left_out_and_counted(missing):
    stocks = stocks_of((0.10, 1.0), (missing, 3.0))
    for weighting in ("value", "equal", "capped"):
        found = portfolio_returns(stocks, held({1: "S", 2: "S"}), [HALVES], rule(weighting))
        assert by_cell(found)["S"] == 0.10
        assert (by_cell(found, "stocks")["S"], by_cell(found, "missing")["S"]) == (1, 1)
        assert by_cell(found, "market_equity")["S"] == 1.0


@pytest.mark.parametrize("equity", [None, 0.0, -5.0, float("nan"), float("inf")])
def test_a_stock_without_a_positive_market_equity_has_no_value_weight(equity):
    stocks = stocks_of((0.10, 1.0), (0.90, equity))
    for weighting in ("value", "capped"):
        found = portfolio_returns(stocks, held({1: "S", 2: "S"}), [HALVES], rule(weighting))
        assert by_cell(found)["S"] == 0.10
        assert (by_cell(found, "stocks")["S"], by_cell(found, "missing")["S"]) == (1, 1)


def test_two_stocks_are_too_few_for_a_return_but_are_counted():
    stocks = stocks_of((0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.1, 1.0), (0.1, 1.0))
    cells = held({1: "S", 2: "S", 3: "B", 4: "B", 5: "B"})
    found = portfolio_returns(stocks, cells, [HALVES], PortfolioRule(weightings=("equal",)))
    assert by_cell(found)["S"] is None
    assert by_cell(found)["B"] == pytest.approx(0.1, abs=SUM_NOISE)
    assert by_cell(found)["B-S"] is None
    assert by_cell(found, "stocks") == {"S": 2, "B": 3, "B-S": 5}


def test_empty_cells_have_rows():
    found = portfolio_returns(stocks_of((0.1, 1.0)), held({}), [HALVES, MARKET])
    assert found.height == 3 * (2 + 1) + 3
    assert found["ret"].null_count() == found.height
    assert found["stocks"].to_list() == found["missing"].to_list() == [0] * found.height
    assert found["market_equity"].to_list() == [0.0] * found.height


def test_a_spread_is_the_highest_decile_minus_the_lowest():
    sort = decile_sort("size", "monthly")
    stocks = stocks_of(*((i / 100, 1.0) for i in range(1, 11)))
    cells = held({i: sort.cells[i - 1] for i in range(1, 11)}, sort.name)
    found = portfolio_returns(stocks, cells, [sort], rule("equal"))
    assert found["cell"].to_list() == [*sort.cells, "D10-D01"]
    assert by_cell(found)["D10-D01"] == 0.10 - 0.01


def test_assignments_of_other_months_and_sorts_are_ignored():
    stocks = stocks_of((0.10, 1.0))
    cells = pl.concat([held({1: "S"}), held({1: "B"}, end=AUGUST), held({1: "All"}, "market")])
    found = portfolio_returns(stocks, cells, [HALVES], rule("value"))
    assert by_cell(found, "stocks") == {"S": 1, "B": 0, "B-S": 1}


def test_a_stock_in_two_cells_is_refused():
    cells = pl.concat([held({1: "S"}), held({1: "B"})])
    with pytest.raises(DataError, match="two rows in one month"):
        portfolio_returns(stocks_of((0.10, 1.0)), cells, [HALVES])


def test_an_assigned_stock_without_a_row_is_refused():
    with pytest.raises(DataError, match="assigned in 2000-07-31 has no row in that month"):
        portfolio_returns(stocks_of((0.10, 1.0)), held({2: "S"}), [HALVES])


def test_an_unknown_cell_is_refused():
    with pytest.raises(DataError, match="'halves' is assigned to other cells than"):
        portfolio_returns(stocks_of((0.10, 1.0)), held({1: "XL"}), [HALVES])


def test_no_stocks_have_no_returns():
    assert portfolio_returns(stocks_of(), held({}), [HALVES]).is_empty()


def sorted_market(stocks: pl.DataFrame):
    """All default sorts of a market: assignments and what is needed for returns."""
    sorts = default_sorts(("size", "book_to_market", "momentum_12_2"))
    months = MonthRange(date(2000, 7, 1), date(2020, 7, 1))
    cells = assignments(stocks, breakpoints(stocks, sorts), sorts, months)
    return cells, sorts


def computed(stocks: pl.DataFrame, months: MonthRange) -> list[pl.DataFrame]:
    """Everything from breakpoints to returns in ``months``, from the July before them on."""
    sorts = default_sorts(("size", "book_to_market", "momentum_12_2"))
    in_months = pl.col("month_end").is_between(months.start, months.end, closed="left")
    known = stocks.filter(
        pl.col("month_end").is_between(formation_july(months.start), months.end, closed="left")
    )
    edges = breakpoints(known, sorts)
    cells = assignments(known, edges, sorts, months)
    returns = portfolio_returns(known.filter(in_months), cells, sorts)
    return [edges.filter(in_months), cells, returns]


def test_cells_as_numbers_give_the_returns_of_assignments_to_the_last_bit():
    stocks, sorts = market(300, 30), default_sorts(("size", "book_to_market", "momentum_12_2"))
    months = MonthRange(date(2001, 3, 1), date(2003, 1, 1))
    cuts = breakpoints(stocks, sorts)
    in_months = pl.col("month_end").is_between(months.start, months.end, closed="left")
    cells = assignments(stocks, cuts, sorts, months)
    by_rows = portfolio_returns(stocks.filter(in_months), cells, sorts)
    columns = ("ret", "lagged_market_equity", "exchange")
    known = SortedStocks.of(stocks, sorts, months, columns)
    by_numbers = ((sort, known.cells(sort, cuts)) for sort in sorts)
    assert cell_portfolio_returns(known.current, by_numbers).equals(by_rows)


def test_a_range_of_months_equals_month_by_month_to_the_last_bit():
    stocks = market(5_000, 60)
    months = MonthRange(date(2000, 7, 1), date(2005, 7, 1))
    at_once = computed(stocks, months)
    starts = [add_months(months.start, count) for count in range(len(months))]
    alone = [computed(stocks, MonthRange.of_months(start, start)) for start in starts]
    edges, cells, returns = (pl.concat(frames) for frames in zip(*alone, strict=True))
    assert edges.equals(at_once[0])
    assert cells.sort("sort", "month_end", "security_id").equals(
        at_once[1].sort("sort", "month_end", "security_id")
    )
    assert returns.equals(at_once[2])
    assert returns["ret"].null_count() == 0
    assert returns["missing"].sum() > 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_no_bit(seed):
    stocks = market(40, 13)
    cells, sorts = sorted_market(stocks)
    shuffled = portfolio_returns(
        stocks.sample(fraction=1, shuffle=True, seed=seed),
        cells.sample(fraction=1, shuffle=True, seed=seed),
        sorts,
    )
    assert shuffled.equals(portfolio_returns(stocks, cells, sorts))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), power=st.integers(-20, 20))
def test_the_currency_of_market_equity_does_not_matter(seed, power):
    stocks = market(40, 2, seed=seed)
    cells, sorts = sorted_market(stocks)
    other = stocks.with_columns(pl.col("lagged_market_equity") * 2.0**power)
    expected = portfolio_returns(stocks, cells, sorts)
    found = portfolio_returns(other, cells, sorts)
    # A power of two rounds nothing.
    assert found.drop("market_equity").equals(expected.drop("market_equity"))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000))
def test_a_return_lies_within_those_of_its_stocks_and_all_stocks_are_counted(seed):
    stocks = market(60, 2, seed=seed)
    cells, sorts = sorted_market(stocks)
    found = portfolio_returns(stocks, cells, sorts).filter(~pl.col("cell").str.contains("-"))
    members = cells.join(stocks, on=["security_id", "month_end"]).group_by(
        "sort", "cell", "month_end"
    )
    bounds = members.agg(
        low=pl.col("ret").min(), high=pl.col("ret").max(), members=pl.len().cast(pl.Int64)
    )
    joined = found.join(bounds, on=["sort", "cell", "month_end"], how="left")
    assert (joined["stocks"] + joined["missing"]).equals(
        joined["members"].fill_null(0), check_names=False
    )
    known = joined.drop_nulls("ret")
    assert known.height > 0
    assert (known["ret"] >= known["low"] - SUM_NOISE).all()
    assert (known["ret"] <= known["high"] + SUM_NOISE).all()


def test_without_exchanges_the_cap_is_the_percentile_of_all_stocks():
    stocks = stocks_of(*((0.0, float(i)) for i in range(1, 6)), (0.12, 600.0)).with_columns(
        exchange=pl.lit(None, pl.String)
    )
    found = portfolio_returns(stocks, held({5: "S", 6: "S"}), [HALVES], rule("capped"))
    assert by_cell(found)["S"] == pytest.approx(0.12 * 5 / (5 + 5), abs=SUM_NOISE)
