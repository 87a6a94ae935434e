import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.sources.simulated import FACTORS, Premia, SimulationParameters

PREMIUM = st.floats(-0.5, 0.5)


@given(
    stocks=st.integers(20, 50_000),
    years=st.integers(3, 100),
    start=st.builds(date, st.integers(1900, 2200), st.integers(1, 12), st.just(1)),
    seed=st.integers(0, 2**63 - 1),
    premia=st.builds(Premia, **dict.fromkeys(FACTORS, PREMIUM)),
    constant_betas=st.booleans(),
)
def test_json_gives_back_the_parameters(**values):
    parameters = SimulationParameters(**values)
    content = parameters.to_json()
    assert SimulationParameters.from_json(content) == parameters
    assert SimulationParameters.from_json(content).to_json() == content


def test_the_default_market_has_this_text():
    assert SimulationParameters().to_json().decode() == (
        "{\n"
        '  "constant_betas": false,\n'
        '  "premia": {\n'
        '    "cma": 0.025,\n'
        '    "hml": 0.04,\n'
        '    "mkt": 0.07,\n'
        '    "rmw": 0.03,\n'
        '    "smb": 0.02,\n'
        '    "umd": 0.07\n'
        "  },\n"
        '  "seed": 1,\n'
        '  "start": "2004-01-01",\n'
        '  "stocks": 1000,\n'
        '  "years": 20\n'
        "}\n"
    )


def test_a_premium_of_zero_is_the_same_text_as_a_whole_number_or_a_float():
    whole = SimulationParameters(premia=Premia(mkt=0))
    assert whole.to_json() == SimulationParameters(premia=Premia(mkt=0.0)).to_json()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"stocks": 19}, "stocks is 19; choose a number from 20 to 50,000"),
        ({"stocks": 50_001}, "stocks is 50,001"),
        ({"years": 2}, "years is 2; choose a number from 3 to 100"),
        ({"years": 101}, "years is 101"),
        ({"seed": -1}, "seed is -1"),
        ({"start": date(2004, 1, 2)}, "give the first day of a month"),
        ({"start": date(1899, 1, 1)}, "year of start is 1,899"),
    ],
)
def test_values_out_of_range_are_refused_with_what_to_choose(values, message):
    with pytest.raises(SettingsError, match=message):
        SimulationParameters(**values)


@pytest.mark.parametrize("premium", [0.51, -0.51, float("nan"), float("inf")])
def test_impossible_premia_are_refused(premium):
    with pytest.raises(SettingsError, match="premium of hml"):
        Premia(hml=premium)


def test_zero_premia_are_all_zero():
    assert set(dataclasses.astuple(Premia.zero())) == {0.0}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"1000", b'"1000"'),
        (b"1000", b"1000.5"),
        (b"1000", b"5"),
        (b"1000", b"true"),
        (b'"seed"', b'"seeds"'),
        (b'"stocks": 1000', b'"stocks": 1000,\n  "more": 1'),
        (b"false", b"0"),
        (b"2004-01-01", b"2004-1-1"),
        (b"2004-01-01", b"2004-13-01"),
        (b"0.025", b"null"),
        (b"0.025", b"NaN"),
        (b'"cma"', b'"bab"'),
        (b"}\n", b"\n"),
        (
            b"{",
            b"[",
        ),
    ],
)
def test_a_damaged_file_is_bad_parameters(old, new):
    content = SimulationParameters().to_json().replace(old, new, 1)
    with pytest.raises(BadFileError, match="bad_parameters"):
        SimulationParameters.from_json(content)


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"12", b"\xff", b"{}"])
def test_anything_else_is_bad_parameters(content):
    with pytest.raises(BadFileError, match="bad_parameters"):
        SimulationParameters.from_json(content)
