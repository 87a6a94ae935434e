import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata, zscore

from factor_pipeline.compute.formation import targets
from factor_pipeline.compute.strategies import Strategy, default_strategies
from factor_pipeline.errors import DataError, SettingsError

APRIL = date(2020, 4, 30)
MAY = date(2020, 5, 31)


def stock_month(security_id, month_end=APRIL, **values):
    row = {"member": True, "lagged_market_equity": 1.0, "signal": 0.0, "other": 0.0}
    return {"security_id": security_id, "month_end": month_end} | row | values


def frame(*rows):
    schema = {
        "security_id": pl.Int64,
        "month_end": pl.Date,
        "member": pl.Boolean,
        "lagged_market_equity": pl.Float64,
        "signal": pl.Float64,
        "other": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema)


def ranked(signals, **values):
    """Securities 1, 2, ... with these signals."""
    return frame(*(stock_month(i, signal=s, **values) for i, s in enumerate(signals, 1)))


def strategy(**changes):
    basis = {"name": "test", "signals": {"signal": 1.0}, "min_names": 1}
    return Strategy(**basis | changes)


def weights(candidates, chosen):
    result = targets(candidates, [chosen])
    return dict(result.select("security_id", "weight").iter_rows())


def random_candidates(*, seed, months, stocks):
    draw = np.random.default_rng(seed)
    ends = pl.date_range(date(2019, 12, 1), date(2030, 1, 1), "1mo", eager=True).dt.month_end()
    size = months * stocks
    # Few distinct values make ties common.
    return pl.DataFrame(
        {
            "security_id": np.tile(np.arange(stocks, dtype=np.int64), months),
            "month_end": ends.gather(np.repeat(np.arange(months), stocks)),
            "member": draw.random(size) < 0.9,
            "lagged_market_equity": draw.lognormal(size=size),
            "book_to_market": draw.integers(0, 12, size).astype(float),
            "momentum_12_2": draw.normal(size=size),
        }
    ).with_columns(
        book_to_market=pl.when(pl.col("book_to_market") > 0).then("book_to_market"),
    )


def test_the_best_fifth_is_held_in_equal_parts():
    assert weights(ranked([5, 1, 9, 3, 7, 2, 8, 4, 6, 0]), strategy()) == {3: 0.5, 7: 0.5}


def test_a_negative_weight_prefers_low_values():
    chosen = strategy(signals={"signal": -1.0})
    assert weights(ranked([5, 1, 9, 3, 7, 2, 8, 4, 6, 0]), chosen) == {2: 0.5, 10: 0.5}


def test_long_short_sells_as_many_of_the_worst():
    chosen = strategy(kind="long_short")
    result = weights(ranked([5, 1, 9, 3, 7, 2, 8, 4, 6, 0]), chosen)
    assert result == {3: 0.5, 7: 0.5, 2: -0.5, 10: -0.5}


@pytest.mark.parametrize(
    ("names", "share", "held"), [(14, 0.2, 2), (15, 0.2, 3), (100, 0.29, 29), (9, 1.0, 9)]
)
def test_a_leg_holds_the_share_of_the_names_rounded_down(names, share, held):
    assert len(weights(ranked(range(names)), strategy(top_share=share))) == held


def test_equal_scores_are_ordered_by_security():
    chosen = strategy(kind="long_short")
    assert weights(ranked([1.0] * 10), chosen) == {1: 0.5, 2: 0.5, 9: -0.5, 10: -0.5}


@pytest.mark.parametrize("names", [7, 10, 23, 50])
def test_scores_equal_on_paper_are_ties_whatever_their_last_bits(names):
    # Each rank of one signal is undone by that of the other: every score is 0 but for rounding.
    order = np.random.default_rng(names).permutation(names)
    rows = [stock_month(i, signal=float(r), other=float(-r)) for i, r in enumerate(order, 1)]
    mixed = strategy(signals={"signal": 1.0, "other": 1.0}, top_share=0.3)
    assert sorted(weights(frame(*rows), mixed)) == list(range(1, int(0.3 * names) + 1))


def test_value_weights_follow_market_equity_within_the_leg():
    equity = [1.0, 3.0, 50.0, 50.0]
    rows = [stock_month(i, signal=-i, lagged_market_equity=e) for i, e in enumerate(equity)]
    chosen = strategy(top_share=0.5, weighting="value")
    assert weights(frame(*rows), chosen) == {0: 0.25, 1: 0.75}


@pytest.mark.parametrize("equity", [None, 0.0, -1.0, float("nan"), float("inf")])
def test_without_market_equity_a_security_cannot_be_value_weighted(equity):
    rows = [stock_month(1, signal=9.0, lagged_market_equity=equity), stock_month(2), stock_month(3)]
    by_value = strategy(top_share=0.5, weighting="value")
    assert weights(frame(*rows), by_value) == {2: 1.0}
    assert weights(frame(*rows), strategy(top_share=0.5)) == {1: 1.0}


@pytest.mark.parametrize("unfit", [{"member": False}, {"member": None}, {"signal": None}])
def test_only_members_with_the_signal_are_ranked(unfit):
    best = {"signal": 100.0} | unfit
    rows = [stock_month(1, **best), *(stock_month(i, signal=-i) for i in range(2, 7))]
    assert weights(frame(*rows), strategy()) == {2: 1.0}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_signal_that_is_not_a_number_is_missing_rather_than_the_best(value):
    rows = [stock_month(1, signal=value), *(stock_month(i, signal=-i) for i in range(2, 7))]
    assert weights(frame(*rows), strategy()) == {2: 1.0}


def test_a_combination_needs_every_signal():
    both = strategy(signals={"signal": 1.0, "other": 1.0}, top_share=0.5)
    rows = [stock_month(1, signal=9.0, other=None), stock_month(2), stock_month(3)]
    assert weights(frame(*rows), both) == {2: 1.0}


def test_a_combination_adds_ranks_in_units_of_their_deviation():
    """Tied ranks spread less, so that a rank of them counts for more.

    ============  =================  ===================  ======
    security      rank of signal, z  rank of other, z     sum
    ============  =================  ===================  ======
    1             1.5      -0.866    3         0.387      -0.479
    2             1.5      -0.866    2        -0.387      -1.253
    3             3.5       0.866    1        -1.162      -0.296
    4             3.5       0.866    4         1.162       2.028
    ============  =================  ===================  ======

    With plain ranks 1 and 3 would be equal, and 1 be chosen.
    """
    rows = [
        stock_month(i, signal=s, other=o)
        for i, s, o in [(1, 0.0, 30.0), (2, 0.0, 20.0), (3, 1.0, 10.0), (4, 1.0, 40.0)]
    ]
    both = strategy(signals={"signal": 1.0, "other": 1.0}, top_share=0.5)
    assert weights(frame(*rows), both) == {3: 0.5, 4: 0.5}


@pytest.mark.parametrize("seed", range(5))
def test_the_ranking_equals_that_of_scipy(seed):
    draw = np.random.default_rng(seed)
    values = np.column_stack([draw.integers(0, 4, 60), draw.normal(size=60)]).astype(float)
    # No two sums are equal with a weight that is no ratio of ranks.
    z = zscore(rankdata(values, axis=0), axis=0, ddof=1)
    order = np.argsort(-(math.pi * z[:, 0] - z[:, 1]))
    rows = [stock_month(i, signal=x, other=y) for i, (x, y) in enumerate(values.tolist())]
    chosen = strategy(signals={"signal": math.pi, "other": -1.0}, top_share=0.25)
    assert set(weights(frame(*rows), chosen)) == set(order[:15].tolist())


def test_a_signal_equal_for_all_adds_nothing_to_the_other():
    chosen = strategy(signals={"signal": 1.0, "other": 1.0})
    rows = [stock_month(i, signal=7.0, other=float(i)) for i in range(5)]
    assert weights(frame(*rows), chosen) == {4: 1.0}


def test_with_too_few_names_there_is_no_rebalance():
    few, enough = ranked(range(49)), ranked(range(50))
    chosen = strategy(min_names=10)
    assert targets(few, [chosen]).is_empty()
    assert len(weights(enough, chosen)) == 10


def test_targets_are_formed_in_rebalance_months_only():
    rows = [stock_month(i, end, signal=i) for i in range(5) for end in (APRIL, MAY)]
    quarterly = targets(frame(*rows), [strategy()])
    assert quarterly["month_end"].to_list() == [APRIL]
    monthly = targets(frame(*rows), [strategy(rebalance_months=1)])
    assert monthly["month_end"].to_list() == [APRIL, MAY]


def test_legs_of_the_default_strategies_sum_to_one_and_minus_one():
    result = targets(random_candidates(seed=1, months=13, stocks=200), default_strategies())
    legs = result.group_by("strategy", "month_end", long=pl.col("weight") > 0).agg(
        pl.col("weight").sum(), pl.len()
    )
    # Three long-only legs and three times two, at four rebalances from December to December.
    assert legs.height == 9 * 4
    # A leg has about 35 names of equal weight: its sum is off by at most 35 roundings.
    assert legs.select(((pl.col("weight").abs() - 1).abs() < 35 * 2**-53).all()).item()
    sizes = legs.pivot("long", index=["strategy", "month_end"], values="len").drop_nulls()
    assert sizes.select((pl.col("true") == pl.col("false")).all()).item()


def test_strategies_formed_together_equal_each_formed_alone():
    candidates = random_candidates(seed=2, months=13, stocks=100)
    chosen = [
        *default_strategies(min_names=3),
        strategy(name="a", signals={"book_to_market": -1.0}, weighting="value"),
        strategy(name="b", signals={"book_to_market": 1.0}, rebalance_months=2, top_share=0.1),
    ]
    together = targets(candidates, chosen)
    for one in chosen:
        alone = targets(candidates, [one])
        assert not alone.is_empty()
        assert together.filter(pl.col("strategy") == one.name).equals(alone)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_neither_the_order_of_rows_nor_other_months_change_a_bit(seed):
    candidates = random_candidates(seed=seed, months=8, stocks=30)
    chosen = [
        strategy(name="a", signals={"book_to_market": 1.0, "momentum_12_2": 2.0}, min_names=2),
        strategy(name="b", signals={"book_to_market": 1.0}, weighting="value", kind="long_short"),
    ]
    whole = targets(candidates, chosen)
    shuffled = candidates.sample(fraction=1, shuffle=True, seed=seed % 2**31)
    assert targets(shuffled, chosen).equals(whole)
    by_month = [targets(month, chosen) for month in candidates.partition_by("month_end")]
    assert pl.concat(by_month).sort("strategy", "month_end", "security_id").equals(whole)


def test_a_repeated_security_is_refused():
    with pytest.raises(DataError, match=r"repeat \(1, .*keep one row"):
        targets(frame(stock_month(1), stock_month(2), stock_month(1)), [strategy()])


def test_a_strategy_on_an_unknown_signal_is_refused():
    with pytest.raises(SettingsError, match="no signal 'momentun'; choose from"):
        targets(frame(stock_month(1)), [strategy(signals={"momentun": 1.0})])


def test_two_strategies_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="two strategies are named 'test'; rename one"):
        targets(frame(stock_month(1)), [strategy(), strategy(top_share=0.5)])


def test_no_candidates_give_no_targets():
    result = targets(frame(), default_strategies()[:0])
    assert result.is_empty()
    assert targets(frame(), [strategy()]).schema == result.schema
