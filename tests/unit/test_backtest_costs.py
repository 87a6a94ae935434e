"""Costs, fees, exposures and capacity of three stocks, by hand."""

from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.accounting import Book
from factor_pipeline.compute.backtest import run
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.formation import Formation, targets
from factor_pipeline.compute.strategies import HalfSpread, Strategy
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange

ENDS = [date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)]
# A handful of roundings of numbers near 1.
ROUNDING = 1e-15


def strategy(**changes):
    return Strategy(**{"name": "test", "signals": {"signal": 1.0}, "min_names": 1} | changes)


def table(columns, *rows):
    return pl.DataFrame(rows, schema=columns.split(), orient="row")


STOCKS = table(
    "security_id month_end lagged_market_equity lagged_dollar_volume",
    *((i, end, 10.0**i, 1000.0 * i) for end in ENDS for i in (1, 2, 3)),
)
RETURNS = table(
    "security_id month_end ret",
    (1, ENDS[0], 0.10),
    (2, ENDS[0], 0.0),
    (3, ENDS[0], -0.20),
    *((i, end, 0.0) for end in ENDS[1:] for i in (1, 2, 3)),
)


def wanted(*weights):
    return table("strategy security_id month_end weight", *(("test", *row) for row in weights))


def first_month(rule, weights, **inputs):
    months = MonthRange.of_months(ENDS[0], ENDS[0])
    result = run([rule], months, RETURNS, weights, stocks=STOCKS, **inputs)
    return result.returns.row(0, named=True)


def close(value):
    return pytest.approx(value, abs=ROUNDING)


def test_small_stocks_cost_a_half_spread_on_top():
    # Sizes are 1/3, 2/3, 1: the first pays 0.4 %, the second 0.1 %, the third nothing more.
    rule = strategy(
        cost_per_traded=0.001,
        spread_by_size=(HalfSpread(0.5, 0.004), HalfSpread(0.7, 0.001)),
    )
    weights = wanted((1, ENDS[0], 0.5), (2, ENDS[0], 0.3), (3, ENDS[0], 0.2))
    month = first_month(rule, weights)
    assert month["cost"] == close(0.001 + 0.5 * 0.004 + 0.3 * 0.001)
    assert month["traded"] == close(1.0)
    assert month["turnover"] == close(0.5)


def test_a_bound_of_the_table_belongs_to_the_smaller_stocks():
    rule = strategy(cost_per_traded=0.0, spread_by_size=(HalfSpread(1 / 3, 0.01),))
    weights = wanted((1, ENDS[0], 0.5), (2, ENDS[0], 0.5))
    assert first_month(rule, weights)["cost"] == close(0.005)


def test_a_stock_of_unknown_size_pays_the_largest_spread():
    rule = strategy(
        cost_per_traded=0.0, spread_by_size=(HalfSpread(0.5, 0.002), HalfSpread(0.7, 0.01))
    )
    unknown = STOCKS.filter(pl.col("security_id") != 1)
    months = MonthRange.of_months(ENDS[0], ENDS[0])
    result = run([rule], months, RETURNS, wanted((1, ENDS[0], 1.0)), stocks=unknown)
    assert result.returns["cost"].to_list() == [close(0.01)]


def test_strategies_with_and_without_spreads_are_charged_each_its_own():
    rules = [
        strategy(name="a", cost_per_traded=0.001),
        strategy(name="b", cost_per_traded=0.001, spread_by_size=(HalfSpread(1.0, 0.002),)),
    ]
    weights = table(
        "strategy security_id month_end weight", *((n, 1, ENDS[0], 1.0) for n in ("a", "b"))
    )
    months = MonthRange.of_months(ENDS[0], ENDS[0])
    result = run(rules, months, RETURNS, weights, stocks=STOCKS)
    assert result.returns["cost"].to_list() == [close(0.001), close(0.003)]


def test_shorts_cost_a_twelfth_of_the_fee_each_month_and_drift_with_what_is_left():
    rule = strategy(kind="long_short", cost_per_traded=0.0, borrow_cost=0.12)
    weights = wanted((1, ENDS[0], 1.0), (3, ENDS[0], -1.0))
    months = MonthRange.of_months(ENDS[0], ENDS[1])
    result = run([rule], months, RETURNS, weights, stocks=STOCKS)
    january, february = result.returns.iter_rows(named=True)
    assert january["gross"] == close(0.30)
    assert january["borrow_cost"] == close(0.01)
    assert january["net"] == close(0.29)
    assert (january["gross_exposure"], january["net_exposure"]) == (2.0, 0.0)
    # Of a capital of 1.29: 1.10 long, 0.80 short.
    assert february["borrow_cost"] == close(0.01 * 0.80 / 1.29)
    assert february["gross_exposure"] == close(1.90 / 1.29)
    assert february["net_exposure"] == close(0.30 / 1.29)
    assert february["cash_weight"] == close(0.99 / 1.29)


def test_a_short_without_a_return_is_borrowed_on():
    rule = strategy(kind="long_short", cost_per_traded=0.0, borrow_cost=0.12)
    weights = wanted((1, ENDS[0], 1.0), (3, ENDS[0], -1.0))
    gone = RETURNS.filter(pl.col("security_id") != 3)
    months = MonthRange.of_months(ENDS[0], ENDS[0])
    assert run([rule], months, gone, weights).returns["borrow_cost"].to_list() == [0.01]


def test_the_capacity_is_set_by_the_stock_that_trades_least():
    # A tenth of the volume is 100, 200, 300: 100 / 0.2, 200 / 0.5, 300 / 0.3.
    weights = wanted((1, ENDS[0], 0.2), (2, ENDS[0], 0.5), (3, ENDS[0], 0.3))
    assert first_month(strategy(), weights)["capacity"] == close(400.0)
    half = first_month(strategy(), weights, max_volume_share=0.05)
    assert half["capacity"] == close(200.0)


def test_without_trades_or_volumes_there_is_no_capacity():
    months = MonthRange.of_months(ENDS[0], ENDS[1])
    weights = wanted((1, ENDS[0], 1.0))
    result = run([strategy()], months, RETURNS, weights, stocks=STOCKS)
    assert result.returns["capacity"].to_list() == [close(100.0), None]
    blind = run([strategy()], months, RETURNS, weights, stocks=STOCKS.drop("lagged_dollar_volume"))
    assert blind.returns["capacity"].to_list() == [None, None]


def test_spreads_by_size_need_sizes():
    rule = strategy(spread_by_size=(HalfSpread(0.5, 0.01),))
    months = MonthRange.of_months(ENDS[0], ENDS[0])
    with pytest.raises(DataError, match="pay by size: give stocks"):
        run([rule], months, RETURNS, wanted((1, ENDS[0], 1.0)))


def candidates(*rows):
    """Rows of security, place of the month, signal."""
    return pl.DataFrame(
        [
            {"security_id": i, "month_end": ENDS[m], "member": True, "signal": s}
            | {"lagged_market_equity": 1.0}
            for i, m, s in rows
        ]
    )


def test_a_strategy_runs_from_its_start_to_its_end_only():
    rule = strategy(start=date(2020, 2, 1), end=date(2020, 2, 1), top_share=1.0)
    frame = candidates(*((i, m, float(i)) for i in (1, 2) for m in range(3)))
    months = MonthRange.of_months(ENDS[0], ENDS[2])
    result = run([rule], months, RETURNS, Formation.of(frame, [rule]))
    # February is no quarter's first month: the start is a rebalance too.
    assert result.returns.select("month_end", "rebalanced").rows() == [(ENDS[1], True)]
    assert set(result.holdings["month_end"]) == {ENDS[1]}
    march = MonthRange.of_months(ENDS[2], ENDS[2])
    after = run([rule], march, RETURNS, Formation.of(frame, [rule]), result.holdings)
    assert after.returns.is_empty()
    assert after.holdings.is_empty()


def test_lagged_signals_rank_the_stocks_of_today():
    rule = strategy(lag_months=1, rebalance_months=1, top_share=0.5)
    frame = candidates(
        (1, 0, 9.0), (2, 0, 1.0), (3, 0, 99.0), (1, 1, 1.0), (2, 1, 9.0), (4, 1, 99.0)
    )
    formed = targets(frame, [rule])
    # Stock 3 has left, stock 4 had no signal a month ago.
    assert formed.select("security_id", "month_end").rows() == [(1, ENDS[1])]


def test_weights_by_inverse_volatility():
    rule = strategy(weighting="inverse_volatility", top_share=1.0)
    frame = candidates((1, 0, 1.0), (2, 0, 2.0), (3, 0, 3.0)).with_columns(
        volatility_252d=pl.Series([0.1, 0.3, None])
    )
    assert targets(frame, [rule])["weight"].to_list() == [close(0.75), close(0.25)]


def test_weights_are_of_the_formation_date_where_a_lagged_signal_is_what_they_depend_on():
    rule = strategy(
        signals={"volatility_252d": -1.0},
        weighting="inverse_volatility",
        top_share=None,
        names=2,
        lag_months=1,
        rebalance_months=1,
    )
    then = ((1, 0, 0.0), (2, 0, 0.0), (3, 0, 0.0))
    now = ((1, 1, 0.0), (2, 1, 0.0), (3, 1, 0.0))
    frame = candidates(*then, *now).with_columns(
        volatility_252d=pl.Series([0.1, 0.2, 0.3, 0.3, 0.1, 0.05])
    )
    formed = targets(frame, [rule]).filter(pl.col("month_end") == ENDS[1])
    # The two calmest of a month ago, by what they are now.
    assert formed["security_id"].to_list() == [1, 2]
    assert formed["weight"].to_list() == [close(0.25), close(0.75)]


def test_capped_weights_stop_at_the_eightieth_percentile_of_nyse_stocks():
    # NYSE: 1 to 11, whose 80th percentile is 9; the giant of 1000 is not on it.
    frame = pl.DataFrame(
        {
            "security_id": range(12),
            "month_end": [ENDS[0]] * 12,
            "member": [True] * 12,
            "signal": [float(i) for i in range(12)],
            "lagged_market_equity": [*(float(i) for i in range(1, 12)), 1000.0],
            "exchange": [*["NYSE"] * 11, "NASDAQ"],
        }
    )
    rule = strategy(weighting="capped", top_share=None, names=4)
    assert targets(frame, [rule])["weight"].to_list() == [close(0.25)] * 4
    by_value = strategy(weighting="value", top_share=None, names=4)
    assert targets(frame, [by_value])["weight"].to_list()[-1] == close(1000 / 1030)


def test_the_cap_follows_the_breakpoint_rule_it_is_given():
    # All twelve: the 80th percentile lies between 9 and 10, nearest 10. On the NYSE it is 9.
    frame = pl.DataFrame(
        {
            "security_id": range(12),
            "month_end": [ENDS[0]] * 12,
            "member": [True] * 12,
            "signal": [float(i) for i in range(12)],
            "lagged_market_equity": [*(float(i) for i in range(1, 12)), 1000.0],
            "exchange": [*["NYSE"] * 11, "NASDAQ"],
        }
    )
    rule = strategy(weighting="capped", top_share=1.0)
    form = Formation.of(
        frame, [rule], cap_rule=BreakpointRule(basis="all", quantile="nearest", min_stocks=12)
    ).former([rule], frame["security_id"])
    weights = form(ENDS[0], Book.empty(1)).weight
    assert weights.tolist() == [close(min(i, 10) / 75) for i in range(1, 13)]
    few = Formation.of(frame, [rule], cap_rule=BreakpointRule(min_stocks=12))
    assert few.former([rule], frame["security_id"])(ENDS[0], Book.empty(1)).weight.size == 0


def test_a_universe_of_all_needs_no_membership():
    frame = candidates((1, 0, 1.0), (2, 0, 2.0)).with_columns(member=pl.Series([True, None]))
    everyone = strategy(universe="all", top_share=1.0)
    assert targets(frame, [everyone]).height == 2
    assert targets(frame, [strategy(top_share=1.0)]).height == 1
