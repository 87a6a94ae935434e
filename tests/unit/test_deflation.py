import numpy as np
import pytest
from scipy.stats import kurtosis, norm, skew

from factor_pipeline.compute.deflation import deflated_sharpe, expected_maximum

DAYS = 250


def test_the_example_of_the_paper():
    """Bailey and Lopez de Prado (2014), section "A numerical example".

    100 trials, a variance of 1/2 of annualised Sharpe ratios, the best 2.5 over 1,250 days with
    skewness -3 and kurtosis 10: the threshold is 0.1132 per day and the probability 0.9004.
    """
    trials = np.sqrt(0.5 / DAYS) * np.tile([1.0, -1.0], 50) * np.sqrt(99 / 100)
    assert np.var(trials, ddof=1) == pytest.approx(0.5 / DAYS)
    threshold = expected_maximum(trials.tolist(), len(trials))
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    ratio = 2.5 / np.sqrt(DAYS)
    denominator = np.sqrt(1 + 3 * ratio + (10 - 1) / 4 * ratio**2)
    probability = norm.cdf((ratio - threshold) * np.sqrt(1249) / denominator)
    assert probability == pytest.approx(0.9004, abs=5e-5)


def test_the_probability_is_that_of_the_formula_with_moments_of_scipy():
    excess = np.random.default_rng(1).gamma(2.0, 0.01, 300) - 0.017
    ratio = excess.mean() / excess.std(ddof=1)
    variance = 1 - skew(excess) * ratio + (kurtosis(excess, fisher=False) - 1) / 4 * ratio**2
    expected = norm.cdf((ratio - 0.05) * np.sqrt(299 / variance))
    assert deflated_sharpe(excess, 0.05) == pytest.approx(expected, rel=1e-9)


def test_the_expected_maximum_is_near_that_of_normal_draws():
    draws = np.random.default_rng(2).normal(0.0, 0.1, (20_000, 50))
    # The approximation is good to about 1 % from 50 trials on.
    trials = draws[0] / draws[0].std(ddof=1) * 0.1
    assert expected_maximum(trials.tolist(), len(trials)) == pytest.approx(
        draws.max(axis=1).mean(), rel=0.02
    )


def test_one_trial_has_no_variance_and_a_constant_no_probability():
    assert expected_maximum([0.3], 1) is None
    assert deflated_sharpe(np.full(24, 0.01), 0.0) is None
