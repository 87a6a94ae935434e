import hashlib
from importlib import import_module

import pytest

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.sources.protocol import Offer, Source
from factor_pipeline.sources.simulated import (
    Simulated,
    SimulationParameters,
    release,
    source,
    truth,
    truth_behind,
)

# The package exports the function of that name in the module's place.
truth_module = import_module("factor_pipeline.sources.simulated.truth")
SMALL = SimulationParameters(stocks=20, years=3)


@pytest.fixture
def generations(monkeypatch):
    """Parameters of the markets generated in a test."""
    release()
    seen = []
    original = source.simulate_market

    def counted(parameters):
        seen.append(parameters)
        return original(parameters)

    monkeypatch.setattr(source, "simulate_market", counted)
    monkeypatch.setattr(truth_module, "simulate_market", counted)
    yield seen
    release()


def parsed(data_set, parameters=SMALL):
    market: Source = Simulated(data_set, parameters)
    file: Offer
    (file,) = market.files()
    return market.parse(file, file.read()).frame


def test_the_one_file_holds_the_parameters_and_its_hash_is_that_of_the_market():
    (file,) = Simulated("prices", SMALL).files()
    (same,) = Simulated("macro", SimulationParameters(stocks=20, years=3)).files()
    (other,) = Simulated("prices", SimulationParameters(stocks=20, years=3, seed=2)).files()
    assert (file.name, file.vintage) == ("market.json", None)
    digests = [hashlib.sha256(f.read()).hexdigest() for f in (file, same, other)]
    assert digests[0] == digests[1] != digests[2]


def test_nine_data_sets_take_one_generation_and_leave_nothing_behind(generations):
    for name in DATA_SETS:
        assert parsed(name).height > 0 or name == "delisting"
    assert generations == [SMALL]
    assert parsed("macro").height > 0
    assert generations == [SMALL, SMALL]


def same(one, other):
    return list(one) == list(other) and all(one[name].equals(other[name]) for name in one)


def test_truth_waits_beside_the_data_sets_for_one_taker(generations):
    for name in DATA_SETS:
        parsed(name)
    waited = truth_behind(SMALL.to_json())
    assert generations == [SMALL]
    again = truth_behind(SMALL.to_json())
    assert generations == [SMALL, SMALL]
    assert same(waited, again)


def test_truth_is_that_of_the_market_asked_for_and_leaves_data_sets_waiting(generations):
    other = SimulationParameters(stocks=20, years=3, seed=2)
    parsed("benchmark")
    assert not same(truth_behind(other.to_json()), truth_behind(SMALL.to_json()))
    assert generations == [SMALL, other]
    parsed("macro")
    assert generations == [SMALL, other]


def test_released_truth_is_generated_again(generations):
    parsed("benchmark")
    release()
    assert same(truth_behind(SMALL.to_json()), truth(SMALL))
    assert generations == [SMALL, SMALL, SMALL]


def test_another_market_replaces_the_one_that_waits(generations):
    other = SimulationParameters(stocks=20, years=3, seed=2)
    first = parsed("benchmark")
    assert not parsed("benchmark", other).equals(first)
    assert parsed("macro", other).height > 0
    assert generations == [SMALL, other]


def test_released_data_sets_are_generated_again_and_equal(generations):
    first = parsed("benchmark")
    release()
    assert parsed("benchmark").equals(first)
    assert generations == [SMALL, SMALL]


def test_the_market_generated_is_that_of_the_bytes_not_of_the_source(generations):
    market = Simulated("benchmark", SimulationParameters(stocks=20, years=4))
    (file,) = market.files()
    frame = market.parse(file, SMALL.to_json()).frame
    assert generations == [SMALL]
    assert frame["date"].max() < SMALL.end


def test_rows_are_never_rejected(generations):
    market = Simulated("listing", SMALL)
    (file,) = market.files()
    result = market.parse(file, file.read())
    assert result.rejected.is_empty()
    assert result.vintage is None
    assert generations == [SMALL]


def test_an_unknown_data_set_is_refused_with_the_known_ones():
    with pytest.raises(SettingsError, match="no data set 'news'; choose one of prices, fund"):
        Simulated("news", SMALL)


def test_bytes_of_something_else_are_a_bad_file():
    market = Simulated("prices", SMALL)
    (file,) = market.files()
    with pytest.raises(BadFileError, match="bad_parameters"):
        market.parse(file, b"<html>")
