import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.legs import chosen, leg_size, leg_weights
from factor_pipeline.compute.strategies import Strategy

# Sums of at most some tens of weights.
ROUNDING = 1e-14


def strategy(**changes):
    return Strategy(**{"name": "test", "signals": {"signal": 1.0}, "min_names": 1} | changes)


def names(position, size, rule, **more):
    return np.flatnonzero(chosen(np.array(position), size, rule, **more)).tolist()


def test_a_leg_is_counted_by_share_or_by_names():
    assert leg_size(strategy(top_share=0.29), 100) == 29
    assert leg_size(strategy(top_share=None, names=7), 100) == 7
    assert leg_size(strategy(top_share=None, names=7), 5) == 5
    assert leg_size(strategy(top_share=None, names=7, kind="long_short"), 9) == 4


def test_a_holding_stays_within_the_buffer_and_goes_beyond_it():
    # Wanted 4 of 12; with a buffer of a half a holding stays down to the sixth place.
    rule = strategy(turnover_buffer=0.5)
    position = list(range(12))
    held = np.isin(position, [3, 5, 6])
    assert names(position, 4, rule, held=held) == [0, 1, 3, 5]


def test_of_more_holdings_than_wanted_the_best_stay():
    held = np.ones(8, dtype=bool)
    assert names(range(8), 3, strategy(turnover_buffer=1.0), held=held) == [0, 1, 2]


def test_a_full_sector_is_passed_over():
    # At most half of four names in a sector: the third of sector 0 makes way for one of sector 1.
    sector = np.array([0, 0, 0, 1, 0, 2])
    assert names(range(6), 4, strategy(sector_cap=0.5), sector=sector) == [0, 1, 3, 5]


def test_a_sector_has_room_for_one_name_whatever_the_cap():
    sector = np.array([0, 0, 1, 1])
    assert names(range(4), 2, strategy(sector_cap=0.1), sector=sector) == [0, 2]


def test_what_cannot_be_chosen_is_not():
    held = np.array([True, False, False, True])
    rule = strategy(turnover_buffer=3.0)
    assert names([4, 0, 1, 2], 3, rule, held=held) == [1, 2, 3]
    assert names([4, 0, 4, 4], 3, rule, held=held) == [1]


def test_the_weight_above_a_cap_goes_to_the_other_sectors_in_proportion():
    mass, sector = np.array([6.0, 2.0, 1.0, 1.0]), np.array([0, 1, 1, 2])
    weights = leg_weights(mass, sector, strategy(sector_cap=0.5))
    # Sector 0 is cut from 0.6 to 0.5; 1 and 2 share the other half as 0.3 to 0.1.
    assert weights.tolist() == pytest.approx([0.5, 0.25, 0.125, 0.125], rel=ROUNDING)


def test_with_too_few_sectors_the_rest_is_cash():
    weights = leg_weights(np.ones(4), np.array([0, 0, 0, 1]), strategy(sector_cap=0.3))
    assert weights.tolist() == pytest.approx([0.1, 0.1, 0.1, 0.3], rel=ROUNDING)


@settings(max_examples=100, deadline=None)
@given(
    stocks=st.lists(st.tuples(st.floats(0.01, 100), st.integers(0, 5)), min_size=1, max_size=30),
    cap=st.floats(0.05, 1.0),
)
def test_no_sector_is_above_the_cap_and_nothing_is_lost_that_fits(stocks, cap):
    mass, sector = (np.array(values) for values in zip(*stocks, strict=True))
    weights = leg_weights(mass, sector, strategy(sector_cap=cap))
    shares = np.bincount(sector, weights=weights)
    assert (shares <= cap * (1 + 2e-9)).all()  # the cap is known to nine digits
    assert weights.sum() == pytest.approx(min(1.0, cap * np.unique(sector).size), rel=1e-8)
    # Within a sector nothing is shifted.
    for code in np.unique(sector):
        mine = sector == code
        ratio = weights[mine] / mass[mine]
        assert ratio.tolist() == pytest.approx([ratio[0]] * ratio.size, rel=ROUNDING)
