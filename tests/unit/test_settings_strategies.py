import re
import tomllib
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from factor_pipeline.compute.strategies import HalfSpread, default_strategies
from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.signal_definitions import SIGNAL_COLUMNS
from factor_pipeline.settings import parse_settings

CHEAP = {"name": "cheap", "signals": {"book_to_market": 1}}


def strategy_set(**document):
    return parse_settings(document, base=Path()).strategy_set


def complaint(**document):
    with pytest.raises(SettingsError) as caught:
        parse_settings(document, base=Path(), name="my.toml")
    text = str(caught.value)
    assert "\n" not in text
    return text.removeprefix("my.toml: ")


def test_without_strategies_the_default_ones_are_run():
    assert strategy_set().strategies == default_strategies()
    assert strategy_set().sweeps == ()


def test_the_backtest_section_has_the_defaults_of_all_strategies():
    chosen = {
        "universe": "all",
        "top_share": 0.3,
        "weighting": "value",
        "rebalance_months": 1,
        "cost_per_traded": 0.002,
        "borrow_cost": 0.01,
        "min_names": 5,
    }
    for document in ({}, {"strategies": [CHEAP]}):
        for one in strategy_set(backtest=chosen, **document).strategies:
            assert {key: getattr(one, key) for key in chosen} == chosen


def test_a_strategy_says_what_is_its_own():
    own = {
        "universe": "all",
        "kind": "long_short",
        "names": 40,
        "weighting": "capped",
        "rebalance_months": 12,
        "lag_months": 2,
        "sector_cap": 0.25,
        "turnover_buffer": 0.5,
        "cost_per_traded": 0.0,
        "borrow_cost": 0.02,
        "benchmark": "SPY",
        "min_names": 7,
    }
    spreads = [{"up_to": 0.2, "half_spread": 0.005}, {"up_to": 0.5, "half_spread": 0.002}]
    window = {"start": "2005-03", "end": "2010-02"}
    (one,) = strategy_set(
        strategies=[CHEAP | own | window | {"spread_by_size": spreads}]
    ).strategies
    assert {key: getattr(one, key) for key in own} == own
    assert one.top_share is None
    assert (one.start, one.end) == (date(2005, 3, 1), date(2010, 2, 1))
    assert one.spread_by_size == (HalfSpread(0.2, 0.005), HalfSpread(0.5, 0.002))


def test_fewer_names_than_the_default_minimum_lower_it():
    (one,) = strategy_set(strategies=[CHEAP | {"names": 4}]).strategies
    assert one.min_names == 4


def test_a_sweep_runs_every_combination_with_a_name_that_says_it():
    result = strategy_set(
        sweeps=[{"base": "value", "rebalance_months": [1, 12], "top_share": [0.1, 0.2, 0.3]}]
    )
    (names,) = result.sweeps
    assert len(names) == 6
    by_name = {one.name: one for one in result.strategies}
    variant = by_name["value/top_share=0.2/rebalance_months=12"]
    assert variant == replace(by_name["value"], name=variant.name, rebalance_months=12)
    assert len(by_name) == 6 + 6


def test_a_sweep_can_count_names_where_its_base_has_a_share_and_back():
    counted = strategy_set(sweeps=[{"base": "value", "names": [3, 50]}])
    sizes = [(one.names, one.top_share, one.min_names) for one in counted.strategies[6:]]
    assert sizes == [(3, None, 3), (50, None, 10)]
    shared = strategy_set(
        strategies=[CHEAP | {"names": 30}], sweeps=[{"base": "cheap", "top_share": [0.5]}]
    )
    assert (shared.strategies[1].names, shared.strategies[1].top_share) == (None, 0.5)


def test_every_number_of_the_characteristics_is_a_signal():
    assert set(SIGNAL_COLUMNS) == set(CHARACTERISTIC.column_names) - {
        "security_id",
        "month_end",
        "value_class",
    } - {c.name for c in CHARACTERISTIC.columns if c.sql_type == "varchar"}
    for signal in SIGNAL_COLUMNS:
        assert strategy_set(strategies=[{"name": "one", "signals": {signal: -2.5}}])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"signals": {"momentun": 1}}, 'strategies[0].signals: "momentun" is no signal; write one'),
        ({"signals": {"size": 0}}, "strategies[0].signals: size has the weight 0; write a number"),
        ({"signals": {"size": True}}, "strategies[0].signals: size has the weight True"),
        ({"signals": {}}, "strategies[0].signals: name at least one signal and its weight, such"),
        ({"signals": 3}, "strategies[0].signals: name at least one signal"),
        ({"name": "benchmark"}, 'strategies[0].name: "benchmark" cannot be a name'),
        ({"name": "a/b"}, 'strategies[0].name: "a/b" cannot be a name'),
        ({"top_share": 0.2, "names": 5}, "strategies[0]: top_share and names both say how many"),
        (
            {"top_share": 1.5},
            "strategies[0].top_share: 1.5 is not accepted; write a number above 0",
        ),
        (
            {"top_share": 0.6, "kind": "long_short"},
            "strategies[0]: top_share 0.6 is not accepted with long_short; write a number above 0 ",
        ),
        ({"names": 5, "min_names": 6}, "strategies[0]: min_names 6 is more than names 5"),
        ({"kind": "short"}, 'strategies[0].kind: "short" is not accepted; write "long_only" or '),
        (
            {"weighting": "cap"},
            'strategies[0].weighting: "cap" is not accepted; write "equal", "value", "capped" or ',
        ),
        (
            {"rebalance_months": 5},
            "strategies[0].rebalance_months: 5 is not accepted; write 1, 2, 3, 4, 6 or 12",
        ),
        (
            {"lag_months": 13},
            "strategies[0].lag_months: 13 is not accepted; write a whole number from 0 to 12",
        ),
        (
            {"spread_by_size": [{"up_to": 0.5}]},
            "strategies[0].spread_by_size[0].half_spread: is missing; write a number from 0 to 0.1",
        ),
        (
            {"spread_by_size": [{"up_to": u, "half_spread": 0.01} for u in (0.5, 0.2)]},
            "strategies[0]: spread_by_size must have up_to ascending, each once",
        ),
        ({"start": "2010-02", "end": "2010-01"}, "strategies[0]: end 2010-01 is before start"),
        ({"nmae": 1}, "unknown key strategies[0].nmae; did you mean name? accepted here: "),
    ],
)
def test_a_wrong_strategy_is_named_with_what_is_accepted(change, said):
    assert complaint(strategies=[CHEAP | change]).startswith(said)


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"base": "value"}, "sweeps[0]: nothing varies; give at least one list, such as "),
        ({"base": "vlue", "names": [20]}, "sweeps: there is no strategy 'vlue'; base is one of va"),
        (
            {"base": "value", "top_share": 0.2},
            "sweeps[0].top_share: 0.2 is not accepted; write a list with each item a number above",
        ),
        (
            {"base": "value", "rebalance_months": [5]},
            "sweeps[0].rebalance_months[0]: 5 is not accepted; write a list of 1, 2, 3, 4, 6 or 12",
        ),
        ({"base": "value", "names": [5, 5]}, "sweeps[0]: names repeats a value; name each once"),
        (
            {"base": "value", "top_share": [0.1], "names": [5]},
            "sweeps[0]: top_share and names both say how many are held; leave one out",
        ),
        (
            {"base": "value", "names": list(range(1, 1002))},
            "sweeps[0]: the lists make 1001 strategies, at most 1000 are accepted",
        ),
        (
            {"base": "value_long_short", "top_share": [0.9]},
            "strategy 'value_long_short/top_share=0.9': top_share must be above 0 and at most 0.5",
        ),
    ],
)
def test_a_wrong_sweep_is_named_with_what_is_accepted(sweep, said):
    assert complaint(sweeps=[sweep]).startswith(said)


def test_names_are_unique_over_strategies_and_sweeps():
    assert complaint(strategies=[CHEAP, CHEAP]) == "two strategies are named 'cheap'; rename one"
    twice = [{"base": "value", "names": [20]}] * 2
    assert "two strategies are named 'value/names=20'" in complaint(sweeps=twice)


def test_what_needs_other_data_asks_for_them():
    vendor = {
        "first_month": "1999-11",
        "prices": {"source": "alphavantage", "path": "."},
        "library": {"source": "ken_french", "path": "."},
        "backtest": {"universe": "all"},
    }
    assert complaint(**vendor, strategies=[CHEAP | {"universe": "index"}]) == (
        'strategies: universe is "index" but membership.source is "none": '
        'give a membership file or set universe to "all"'
    )
    assert complaint(**vendor, strategies=[CHEAP | {"sector_cap": 0.3}]).startswith(
        'sector_cap is set but listing.source is "none": give a listing file'
    )


def test_the_strategy_and_the_sweep_of_the_example_are_valid():
    text = (Path(__file__).parents[2] / "examples" / "vendor_files.toml").read_text()
    shown = text[text.index("# [[strategies]]") : text.index("# ---- Operation")]
    code = re.findall(r"^# (\[\[\w+\]\]|\w+ = .*)$", shown, re.MULTILINE)
    document = tomllib.loads("\n".join(code))
    # Each shows both ways to say how many are held.
    document["strategies"][0].pop("names")
    document["sweeps"][0] |= {"base": "cheap_winners"}
    document["sweeps"][0].pop("names")
    result = strategy_set(**document)
    assert len(result.sweeps[0]) == 3 * 2 * 3 * 2 * 2 * 2 * 2
