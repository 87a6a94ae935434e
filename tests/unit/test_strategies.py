from dataclasses import FrozenInstanceError
from datetime import date
from itertools import pairwise

import pytest

from factor_pipeline.compute.strategies import BENCHMARK, Strategy, default_strategies
from factor_pipeline.errors import SettingsError


def momentum(**changes):
    return Strategy(**{"name": "momentum", "signals": {"momentum_12_2": 1.0}} | changes)


def rebalance_months(strategy, year):
    return [month for month in range(1, 13) if strategy.rebalances_in(date(year, month, 28))]


@pytest.mark.parametrize("year", [1963, 2000, 2021])
def test_quarterly_holdings_start_in_january_april_july_and_october(year):
    assert rebalance_months(momentum(), year) == [1, 4, 7, 10]


@pytest.mark.parametrize(
    ("every", "months"), [(1, [*range(1, 13)]), (2, [1, 3, 5, 7, 9, 11]), (6, [1, 7]), (12, [1])]
)
def test_rebalances_are_anchored_in_the_calendar(every, months):
    assert rebalance_months(momentum(rebalance_months=every), 2020) == months


def test_a_period_that_does_not_divide_the_year_runs_on_over_new_year():
    strategy = momentum(rebalance_months=5)
    dates = [date(y, m, 1) for y in range(2000, 2010) for m in range(1, 13)]
    chosen = [12 * day.year + day.month for day in dates if strategy.rebalances_in(day)]
    assert {later - earlier for earlier, later in pairwise(chosen)} == {5}


def test_default_strategies_are_value_momentum_and_both_in_two_forms():
    assert [(s.name, dict(s.signals), s.kind) for s in default_strategies()] == [
        ("value", {"book_to_market": 1.0}, "long_only"),
        ("momentum", {"momentum_12_2": 1.0}, "long_only"),
        ("value_momentum", {"book_to_market": 1.0, "momentum_12_2": 1.0}, "long_only"),
        ("value_long_short", {"book_to_market": 1.0}, "long_short"),
        ("momentum_long_short", {"momentum_12_2": 1.0}, "long_short"),
        ("value_momentum_long_short", {"book_to_market": 1.0, "momentum_12_2": 1.0}, "long_short"),
    ]


def test_parameters_reach_every_default_strategy():
    chosen = {
        "top_share": 0.3,
        "rebalance_months": 1,
        "cost_per_traded": 0.002,
        "min_names": 5,
    }
    for strategy in default_strategies(**chosen):
        assert {name: getattr(strategy, name) for name in chosen} == chosen


def test_published_parameters_are_the_defaults():
    strategy = momentum()
    assert strategy.top_share == 0.2
    assert strategy.weighting == "equal"
    assert strategy.cost_per_traded == 0.001
    assert strategy.min_names == 10


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"name": ""}, "name must be neither empty"),
        ({"name": BENCHMARK}, "name must be neither empty nor 'benchmark'"),
        ({"signals": {}}, "at least one column"),
        ({"signals": {"size": 0.0}}, "finite weights other than 0"),
        ({"signals": {"size": float("nan")}}, "finite weights other than 0"),
        ({"top_share": 0.0}, "top_share must be above 0 and at most 1.0"),
        ({"top_share": 0.6, "kind": "long_short"}, "at most 0.5 for long_short"),
        ({"rebalance_months": 0}, "rebalance_months must be at least 1"),
        ({"cost_per_traded": -0.001}, "cost_per_traded must be from 0 to 0.1"),
        ({"cost_per_traded": 0.11}, "cost_per_traded must be from 0 to 0.1"),
        ({"min_names": 0}, "min_names must be at least 1"),
    ],
)
def test_a_strategy_that_cannot_be_traded_is_refused_with_the_rule_it_breaks(changes, message):
    with pytest.raises(SettingsError, match=message):
        momentum(**changes)


def test_a_strategy_cannot_be_changed_not_even_its_signals():
    signals = {"size": -1.0}
    strategy = momentum(signals=signals)
    signals["book_to_market"] = 1.0
    assert dict(strategy.signals) == {"size": -1.0}
    with pytest.raises(TypeError):
        strategy.signals["size"] = 2.0
    with pytest.raises(FrozenInstanceError):
        strategy.name = "other"


def test_the_order_in_which_signals_are_written_does_not_matter():
    one, other = momentum(signals={"a": 1, "b": 2}), momentum(signals={"b": 2, "a": 1})
    assert one == other
    assert hash(one) == hash(other)
    assert list(one.signals) == list(other.signals)
