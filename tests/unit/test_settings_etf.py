from pathlib import Path

import pytest

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.errors import SettingsError
from factor_pipeline.settings import parse_settings
from factor_pipeline.settings_etf import PUBLIC_PROMISES, SIMULATED_PROMISES
from factor_pipeline.sources.simulated.benchmarks import FUNDS

VALUE = {"ticker": "VTV", "promise": "value", "factor": "HML"}


def promises(section):
    return parse_settings({"etf": section}, base=Path()).etf.promises


def real(section):
    document = {
        "first_month": "1999-11",
        "prices": {"source": "alphavantage", "path": "."},
        "library": {"source": "ken_french", "path": "."},
        "backtest": {"universe": "all"},
        "etf": section,
    }
    return parse_settings(document, base=Path()).etf.promises


def test_promises_are_those_of_the_funds_the_source_has():
    assert promises({}) == SIMULATED_PROMISES
    assert real({"source": "yahoo", "path": "."}) == PUBLIC_PROMISES
    assert real({"source": "none"}) == ()
    assert real({"source": "yahoo", "path": ".", "promises": []}) == ()
    (given,) = real({"source": "yahoo", "path": ".", "promises": [VALUE]})
    assert (given.model, given.relation, given.level) == ("FF3", "above", 0.0)


def test_the_simulated_promises_are_about_exposures_the_funds_are_made_with():
    assert {promise.ticker for promise in SIMULATED_PROMISES} == set(FUNDS)
    for promise in SIMULATED_PROMISES:
        exposure = FUNDS[promise.ticker][promise.factor.lower()]
        kept = {
            "above": exposure > promise.level,
            "below": exposure < promise.level,
            "near": exposure == promise.level,
        }
        assert kept[promise.relation], promise


def test_default_promises_name_factors_of_their_models():
    factors = {model.name: model.factor_names for model in MODELS}
    for promise in (*PUBLIC_PROMISES, *SIMULATED_PROMISES):
        assert promise.factor in factors[promise.model]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (VALUE, "etf.promises: "),
        ([{**VALUE, "factor": "RMW"}], 'etf.promises[0]: model "FF3" has no factor RMW; its '),
        ([{**VALUE, "factor": "QMJ"}], 'etf.promises[0].factor: "QMJ" is not accepted; write '),
        ([{**VALUE, "model": "FF6"}], 'etf.promises[0].model: "FF6" is not accepted; write '),
        ([{**VALUE, "relation": "over"}], 'etf.promises[0].relation: "over" is not accepted; '),
        ([{**VALUE, "level": "1"}], 'etf.promises[0].level: "1" is not accepted; write a number '),
        ([{**VALUE, "level": 9}], "etf.promises[0].level: 9 is not accepted; write a number from "),
        ([{**VALUE, "ticker": ""}], 'etf.promises[0].ticker: "" is not accepted; write a text in '),
        ([{**VALUE, "tikcer": 1}], "unknown key etf.promises[0].tikcer; did you mean ticker? "),
        ([{"ticker": "VTV"}], "etf.promises[0].promise: is missing; write a text in quotes"),
        ([VALUE, VALUE], "etf: promises has VTV FF3 HML twice; keep one of them"),
    ],
)
def test_a_wrong_promise_is_refused_in_one_line(given, said):
    with pytest.raises(SettingsError) as caught:
        promises({"promises": given})
    text = str(caught.value).removeprefix("settings: ")
    assert text.startswith(said)
    assert "\n" not in text
