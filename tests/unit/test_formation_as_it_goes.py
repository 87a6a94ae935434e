"""Formation that knows what is held: one pass, month by month, alone and among others."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.backtest import Backtest, run
from factor_pipeline.compute.formation import Formation
from factor_pipeline.compute.strategies import HalfSpread, Strategy
from factor_pipeline.months import MonthRange, add_months

FIRST = date(2009, 11, 1)
COUNT = 8
ENDS = (
    pl.date_range(FIRST, add_months(FIRST, COUNT), "1mo", closed="left", eager=True)
    .dt.month_end()
    .to_list()
)
MONTHS = MonthRange(FIRST, add_months(FIRST, COUNT))


def strategy(name, **changes):
    return Strategy(**{"name": name, "signals": {"a": 1.0}, "min_names": 2} | changes)


STRATEGIES = [
    strategy("buffer", turnover_buffer=2.0, rebalance_months=1),
    strategy("plain", rebalance_months=1),
    strategy("late", start=date(2010, 2, 1), end=date(2010, 4, 1)),
    strategy(
        "all_of_it",
        signals={"a": 1.0, "b": -0.5},
        kind="long_short",
        top_share=None,
        names=4,
        weighting="capped",
        sector_cap=0.5,
        turnover_buffer=1.0,
        rebalance_months=2,
        borrow_cost=0.05,
        spread_by_size=(HalfSpread(0.4, 0.003),),
    ),
    strategy("lagged", lag_months=2, weighting="value", universe="all", rebalance_months=1),
]


def case(seed):
    draw = np.random.default_rng(seed)
    rows = [
        {"security_id": i, "month_end": end, "member": bool(draw.random() < 0.9)}
        | {"lagged_market_equity": float(draw.lognormal()), "exchange": "NYSE"}
        | {"lagged_dollar_volume": float(draw.lognormal()), "sector": "xyz"[i % 3]}
        | {"a": float(draw.integers(0, 9)), "b": float(draw.normal())}
        for end in ENDS
        for i in range(25)
        if draw.random() < 0.95
    ]
    returns = [
        (i, end, max(float(draw.normal(0.01, 0.2)), -1.0))
        for end in ENDS
        for i in range(25)
        if draw.random() < 0.95
    ]
    schema = {"security_id": pl.Int64, "month_end": pl.Date, "ret": pl.Float64}
    return pl.DataFrame(rows), pl.DataFrame(returns, schema=schema, orient="row")


def taken(strategies, months, stocks, returns, opening=None):
    formation = Formation.of(stocks, strategies)
    return run(strategies, months, returns, formation, opening, stocks=stocks)


def assert_same(one, other):
    for name in Backtest.__slots__:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def within(result, keep):
    return Backtest(*(getattr(result, name).filter(keep) for name in Backtest.__slots__))


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_one_pass_equals_month_by_month_bit_for_bit(seed):
    stocks, returns = case(seed)
    parts, held = [], None
    for offset in range(COUNT):
        start = add_months(FIRST, offset)
        month = MonthRange(start, add_months(start, 1))
        # Only what a nightly run reads: the months that lagged signals come from.
        known = stocks.filter(
            pl.col("month_end").is_between(add_months(start, -2), month.end, closed="left")
        )
        parts.append(taken(STRATEGIES, month, known, returns, held))
        held = parts[-1].holdings.reverse()
    joined = Backtest(*(pl.concat([getattr(p, n) for p in parts]) for n in Backtest.__slots__))
    # Signals of two months before the first are not there in either.
    assert_same(joined, taken(STRATEGIES, MONTHS, stocks, returns))


@settings(max_examples=10, deadline=None)
@given(seed=seeds)
def test_order_company_and_future_change_no_bit(seed):
    stocks, returns = case(seed)
    whole = taken(STRATEGIES, MONTHS, stocks, returns)
    mixed = [frame.sample(fraction=1, shuffle=True, seed=seed % 89) for frame in (stocks, returns)]
    assert_same(taken(STRATEGIES[::-1], MONTHS, *mixed), whole)
    for one in STRATEGIES:
        alone = taken([one], MONTHS, stocks, returns)
        assert_same(alone, within(whole, pl.col("strategy") == one.name))
    end = add_months(FIRST, 5)
    past, (other, later) = pl.col("month_end") < end, case(seed + 1)
    changed = [
        pl.concat([frame.filter(past), new.filter(~past)])
        for frame, new in ((stocks, other), (returns, later))
    ]
    assert_same(
        within(taken(STRATEGIES, MONTHS, *changed), past),
        taken(STRATEGIES, MonthRange(FIRST, end), stocks, returns),
    )


@pytest.mark.parametrize("seed", range(3))
def test_a_buffer_trades_less_and_a_cap_is_kept(seed):
    stocks, returns = case(seed)
    result = taken(STRATEGIES, MONTHS, stocks, returns)
    traded = dict(result.returns.group_by("strategy").agg(pl.col("traded").sum()).iter_rows())
    assert traded["buffer"] < traded["plain"]
    sectors = (
        result.holdings.filter(strategy="all_of_it")
        .join(result.returns.filter("rebalanced"), on=["strategy", "month_end"])
        .filter(pl.col("weight") > 0)
        .group_by("month_end", pl.col("security_id") % 3)
        .agg(pl.col("weight").sum(), pl.len())
    )
    assert not sectors.is_empty()
    assert sectors["len"].max() == 2
    assert sectors["weight"].max() <= 0.5 * (1 + 2e-9)  # the cap is known to nine digits


def test_a_strategy_trades_as_soon_as_it_starts_and_stops_with_its_end():
    result = taken(STRATEGIES, MONTHS, *case(1))
    late = result.returns.filter(strategy="late")
    assert late["month_end"].to_list() == [ENDS[3], ENDS[4], ENDS[5]]
    assert late["rebalanced"].to_list() == [True, False, True]
