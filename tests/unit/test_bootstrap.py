import math

import numpy as np
import pytest

from factor_pipeline.compute.bootstrap import Bootstrap, drawdown_interval, sharpe_interval

RETURNS = np.random.default_rng(7).normal(0.008, 0.04, 240)


def test_draws_are_blocks_of_the_series_that_go_on_over_its_end():
    places = Bootstrap(draws=400, block_months=12).places(60)
    assert places.shape == (400, 60)
    goes_on = np.diff(places, axis=1) % 60 == 1
    # A block ends with probability 1/12, and 1 of 60 new ones begins where the last one stopped:
    # 11/12 + 1/12/60 = 0.918; 23,600 steps have a standard error of 0.0018.
    assert goes_on.mean() == pytest.approx(0.918, abs=0.006)
    # Every month is drawn as often as any other: 400 times, with a deviation of about
    # sqrt(400 x 2 x 12), blocks being drawn as a whole.
    counts = np.bincount(places.ravel(), minlength=60)
    assert np.abs(counts - 400).max() < 4 * math.sqrt(400 * 2 * 12)


def test_blocks_of_one_month_are_independent_draws():
    places = Bootstrap(draws=500, block_months=1).places(50)
    assert (np.diff(places, axis=1) % 50 == 1).mean() == pytest.approx(1 / 50, abs=0.004)


def test_the_same_seed_draws_the_same_and_another_one_does_not():
    assert np.array_equal(Bootstrap(seed=3).places(36), Bootstrap(seed=3).places(36))
    assert not np.array_equal(Bootstrap(seed=3).places(36), Bootstrap(seed=4).places(36))


def test_intervals_equal_those_of_draws_made_one_by_one():
    places = Bootstrap(draws=200).places(RETURNS.size)
    ratios, depths = [], []
    for draw in places:
        drawn = RETURNS[draw]
        ratios.append(drawn.mean() / np.std(drawn, ddof=1) * math.sqrt(12))
        wealth, high, depth = 1.0, 1.0, 0.0
        for ret in drawn:
            wealth *= 1 + ret
            high = max(high, wealth)
            depth = min(depth, wealth / high - 1)
        depths.append(depth)
    assert sharpe_interval(RETURNS, places) == pytest.approx(np.quantile(ratios, [0.025, 0.975]))
    assert drawdown_interval(RETURNS, places) == pytest.approx(np.quantile(depths, [0.025, 0.975]))


def test_the_interval_of_independent_returns_has_the_width_of_theory():
    low, high = sharpe_interval(RETURNS, Bootstrap(draws=4000, block_months=1).places(240))
    ratio = RETURNS.mean() / RETURNS.std(ddof=1)
    # Lo (2002): sqrt((1 + SR^2 / 2) / T), annualised; tails of 4,000 draws are known to 5 %.
    error = math.sqrt((1 + ratio**2 / 2) / 240 * 12)
    assert (high - low) / (2 * 1.96 * error) == pytest.approx(1.0, abs=0.10)


def test_returns_that_do_not_vary_have_no_interval():
    assert sharpe_interval(np.full(24, 0.01), Bootstrap(draws=5).places(24)) is None
