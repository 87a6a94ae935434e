from pathlib import Path

import pytest

from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.signal import SIGNALS
from factor_pipeline.settings import parse_settings


def sorts_of(*sorts: dict[str, str]):
    settings = parse_settings({"portfolios": {"sorts": sorts}}, base=Path())
    return settings.portfolios.all_sorts()


def message(*sorts: object) -> str:
    with pytest.raises(SettingsError) as error:
        parse_settings({"portfolios": {"sorts": sorts}}, base=Path())
    return str(error.value)


def test_every_signal_and_every_factor_has_its_sorts_without_being_asked():
    names = [sort.name for sort in sorts_of()]
    assert len(names) == len(set(names)) == 7 + 3 + len(SIGNALS)
    assert {"size_quality_2x3", "size_value_5x5", "volatility_252d_tercile"} <= set(names)


@pytest.mark.parametrize(
    ("given", "name", "rebalance", "cells"),
    [
        ({"signal": "accruals", "scheme": "quintile"}, "accruals_quintile", "june", 5),
        ({"signal": "beta", "scheme": "quintile"}, "beta_quintile", "monthly", 5),
        ({"signal": "beta", "scheme": "2x3"}, "size_beta_2x3", "monthly", 6),
        ({"signal": "quality", "scheme": "5x5"}, "size_quality_5x5", "monthly", 25),
        (
            {"signal": "investment", "scheme": "decile", "rebalance": "monthly"},
            "investment_decile_monthly",
            "monthly",
            10,
        ),
    ],
)
def test_a_sort_of_the_settings_comes_after_the_others(given, name, rebalance, cells):
    *others, added = sorts_of(given)
    assert others == list(sorts_of())
    assert (added.name, added.rebalance, len(added.cells)) == (name, rebalance, cells)
    assert added.basis is None


def test_breakpoints_of_a_sort_are_in_its_name():
    *_, added = sorts_of({"signal": "size", "scheme": "decile", "breakpoints": "all"})
    assert (added.name, added.basis) == ("size_decile_all", "all")


def test_a_sort_that_is_made_already_is_refused():
    said = message({"signal": "beta", "scheme": "decile"})
    assert said.startswith("settings: portfolios: sorts: beta_decile is made already; leave it")
    twice = {"signal": "beta", "scheme": "quintile"}
    assert "sorts: beta_quintile is made already" in message(twice, twice)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"signal": "momentum", "scheme": "decile"},
            'portfolios.sorts[0].signal: "momentum" is not a signal; write "size", ',
        ),
        (
            {"signal": "beta", "scheme": "halves"},
            '"halves" is not accepted; write "decile", "quintile", "tercile", "2x3" or "5x5"',
        ),
        ({"signal": "beta"}, 'portfolios.sorts[0].scheme: is missing; write "decile", "quintile"'),
        (
            {"signal": "beta", "scheme": "2x3", "breakpoints": "amex"},
            'portfolios.sorts[0].breakpoints: "amex" is not accepted; write "nyse" or "all"',
        ),
        (
            {"signal": "beta", "scheme": "2x3", "weights": "equal"},
            "sorts[0].weights; accepted here: breakpoints, rebalance, scheme, signal",
        ),
        ({"signal": "size", "scheme": "5x5"}, 'scheme "5x5" crosses a signal with size'),
    ],
)
def test_a_wrong_sort_is_one_line_with_what_is_accepted(given, said):
    found = message(given)
    assert said in found
    assert "\n" not in found
