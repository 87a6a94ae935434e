import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from factor_pipeline.sources.simulated.draws import (
    Draws,
    interpolate,
    normal_quantiles,
    splitmix64,
    student_quantiles,
)

GAMMA = 0x9E3779B97F4A7C15
# Mean, deviation and correlation of n independent draws lie within five standard errors.
FIVE_SIGMA = 5


def test_splitmix64_gives_the_published_numbers_of_seed_1234567():
    states = [(1234567 + GAMMA * i) % 2**64 for i in range(1, 6)]
    assert splitmix64(np.array(states, dtype=np.uint64)).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@pytest.mark.parametrize(
    ("table", "law"),
    [(normal_quantiles, stats.norm()), (student_quantiles, stats.t(4))],
    ids=["normal", "student"],
)
def test_quantile_tables_are_those_of_scipy_up_to_their_scale(table, law):
    probability = np.arange(1, 4096) / 4096
    expected = law.ppf(probability)
    scale = table()[1:-1] @ expected / (expected @ expected)
    # Tables are rounded to six decimals.
    np.testing.assert_allclose(table()[1:-1], expected * scale, atol=0.6e-6)
    assert 0.68 < scale < 1.01


@pytest.mark.parametrize("table", [normal_quantiles, student_quantiles])
def test_interpolated_variates_have_variance_one_and_mean_zero(table):
    # The mean of a fine grid of quantiles is their integral.
    grid = (np.arange(2**20) + 0.5) / 2**20
    values = interpolate(table(), grid)
    assert values.mean() == pytest.approx(0, abs=1e-6)
    assert values.var() == pytest.approx(1, abs=1e-5)
    assert np.all(np.diff(values) >= 0)


def test_student_variates_have_fat_tails_and_normal_ones_have_not():
    draws, entity, time = Draws(3), np.arange(500), np.arange(400)[:, None]
    normal = draws.normal("x", entity, time)
    fat = draws.fat_tailed("x", entity, time)
    assert stats.kurtosis(normal, axis=None) == pytest.approx(0, abs=0.05)
    assert stats.kurtosis(fat, axis=None) > 3


def test_draws_depend_on_their_address_only():
    draws = Draws(5)
    block = draws.uniform("x", np.arange(10), np.arange(20)[:, None])
    assert block.shape == (20, 10)
    assert np.array_equal(draws.uniform("x", np.arange(3, 7), 11)[0:4], block[11, 3:7])
    assert np.array_equal(Draws(5).uniform("x", np.array([9]), 19), block[19, 9:])


@pytest.mark.parametrize("other", ["seed", "stream", "entity", "time"])
def test_draws_of_another_address_are_uncorrelated(other):
    n = 20_000
    at = {"seed": 1, "stream": "x", "entity": 0, "time": 0}
    step = {"seed": 2, "stream": "y", "entity": 10**6, "time": 1}

    def drawn(address):
        entity = np.arange(n) + address["entity"]
        return Draws(address["seed"]).uniform(address["stream"], entity, address["time"])

    correlation = np.corrcoef(drawn(at), drawn(at | {other: step[other]}))[0, 1]
    assert abs(correlation) < FIVE_SIGMA / np.sqrt(n)


def test_consecutive_times_and_entities_fill_the_unit_square_evenly():
    values = Draws(1).uniform("x", np.arange(1000), np.arange(1000)[:, None])
    for pair in ((values[1:], values[:-1]), (values[:, 1:], values[:, :-1])):
        cells = np.histogram2d(pair[0].ravel(), pair[1].ravel(), bins=16)[0].ravel()
        assert stats.chisquare(cells).pvalue > 1e-4


@settings(max_examples=50)
@given(
    seed=st.integers(0, 2**63 - 1),
    entity=st.integers(0, 2**40),
    time=st.integers(0, 2**20),
    below=st.integers(1, 1000),
)
def test_every_address_gives_numbers_in_range(seed, entity, time, below):
    draws, at = Draws(seed), np.array([entity])
    assert 0 <= draws.uniform("x", at, time)[0] < 1
    assert 0 <= draws.integers("x", at, time, below=below)[0] < below
    assert abs(draws.normal("x", at, time)[0]) < 4
    assert abs(draws.fat_tailed("x", at, time)[0]) < 11
