import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.signals.ranks import mean_score, rank_scores

MONTH = pl.Series([1, 1, 1, 2, 2, 2])

# A mean and a standard deviation of up to forty scores, each off by a few 1.1e-16.
ROUNDING = 1e-12


def test_ranks_are_standardised_within_a_month():
    found = rank_scores(MONTH, np.array([3.0, 1.0, 2.0, 10.0, 30.0, 20.0]))
    assert found.tolist() == [1.0, -1.0, 0.0, -1.0, 1.0, 0.0]


def test_equal_values_share_the_mean_of_their_ranks():
    # Ranks 1.5, 1.5, 3: deviations -0.5, -0.5, 1 over the square root of 0.75.
    found = rank_scores(MONTH[:3], np.array([7.0, 7.0, 9.0]))
    assert found == pytest.approx(np.array([-0.5, -0.5, 1.0]) / math.sqrt(0.75))


def test_missing_values_have_no_rank_and_move_no_other():
    values = np.array([np.nan, 1.0, 2.0, np.inf, 5.0, 4.0])
    found = rank_scores(MONTH, values)
    assert np.isnan(found[[0, 3]]).all()
    half = math.sqrt(0.5)
    assert found[[1, 2, 4, 5]] == pytest.approx(np.array([-half, half, half, -half]))


def test_where_all_are_equal_nobody_stands_out():
    scores = rank_scores(MONTH, np.array([4.0, 4.0, 4.0, 1.0, np.nan, np.nan]))
    assert scores[:3].tolist() == [0.0, 0.0, 0.0]
    # A single one cannot be compared with anyone.
    assert math.isnan(scores[3])
    assert math.isnan(rank_scores(MONTH, np.full(6, np.nan))[0])


def test_minus_zero_is_zero():
    assert rank_scores(MONTH[:3], np.array([0.0, -0.0, 0.0])).tolist() == [0.0, 0.0, 0.0]


@given(st.lists(st.floats(), min_size=2, max_size=40), st.integers(0, 99))
def test_scores_have_mean_0_and_deviation_1_in_any_order(values, seed):
    array = np.array(values)
    month = pl.Series([1] * len(values))
    found = rank_scores(month, array)
    known = np.isfinite(array)
    assert np.isnan(found[~known]).all()
    if len(set(array[known].tolist())) > 1:
        assert abs(found[known].mean()) < ROUNDING
        assert abs(found[known].std(ddof=1) - 1) < ROUNDING
    order = np.random.default_rng(seed).permutation(len(values))
    assert np.array_equal(rank_scores(month, array[order]), found[order], equal_nan=True)


def test_a_mean_is_of_the_scores_there_are():
    scores = [np.array([1.0, 1.0, np.nan]), np.array([2.0, np.nan, np.nan])]
    assert mean_score(scores, at_least=1)[:2].tolist() == [1.5, 1.0]
    assert np.isnan(mean_score(scores, at_least=1)[2])
    assert np.isnan(mean_score(scores, at_least=2)[1:]).all()


def test_means_that_are_equal_on_paper_are_equal():
    scores = [np.array([0.1, 0.3]), np.array([0.2, 0.1]), np.array([0.3, 0.2])]
    first, second = mean_score(scores, at_least=3).tolist()
    assert first == second
