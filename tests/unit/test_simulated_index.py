from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest

from factor_pipeline.sources.simulated.index_committee import IndexCommittee

STOCKS = 20  # so the index has ten firms, and members rank two places higher
DAYS = tuple(date(2010, 1, 4) + timedelta(days=i) for i in range(3))
ROUNDING = 1e-7  # index returns have seven decimals


def month(number, equity, *, growth=None, leaves=(), last_row=2):
    """Outcome of a month as the committee sees it; firms have their slots' numbers."""
    equity = np.asarray(equity, dtype=float)
    gone = np.isin(np.arange(STOCKS), leaves)
    return SimpleNamespace(
        month=number,
        entity=np.arange(STOCKS) + 100,
        listed=np.ones(STOCKS, dtype=bool),
        equity=equity,
        known=SimpleNamespace(market_equity=equity),
        growth=np.ones((3, STOCKS)) if growth is None else np.asarray(growth),
        departures=SimpleNamespace(leaves=gone, last_row=np.where(gone, last_row, 2)),
    )


def falling():
    """Equity of 20, 19, ... 1: the firms of slots 0 to 9 are the large half."""
    return np.arange(STOCKS, 0, -1.0)


def members(committee):
    return {entity - 100 for entity, _ in committee.open_spells()}


def test_the_large_half_is_chosen_first():
    committee = IndexCommittee(STOCKS)
    committee.take_month(month(0, falling()), DAYS)
    assert members(committee) == set(range(10))


def test_a_member_stays_until_it_ranks_below_the_buffer():
    committee = IndexCommittee(STOCKS)
    committee.take_month(month(0, falling()), DAYS)
    equity = falling()
    equity[9] = 9.5  # now eleventh: within the buffer of two places
    committee.take_month(month(3, equity), DAYS)
    assert members(committee) == set(range(10))
    equity[9] = 7.5  # thirteenth
    later = tuple(day + timedelta(days=181) for day in DAYS)
    committee.take_month(month(6, equity), later)
    assert members(committee) == {*range(9), 10}
    assert committee.spells == [(109, DAYS[0], later[0])]
    assert (110, later[0]) in committee.open_spells()


def test_reviews_are_every_third_month():
    committee = IndexCommittee(STOCKS)
    committee.take_month(month(0, falling()), DAYS)
    for number in (1, 2):
        committee.take_month(month(number, falling()[::-1]), DAYS)
        assert members(committee) == set(range(10))
    committee.take_month(month(3, falling()[::-1]), DAYS)
    # The member that is eleventh now stays; the firm on the tenth place has to wait.
    assert members(committee) == {9, *range(11, 20)}


def test_a_firm_that_leaves_the_exchange_leaves_the_index_the_day_after():
    committee = IndexCommittee(STOCKS)
    committee.take_month(month(0, falling(), leaves=[4, 15], last_row=1), DAYS)
    assert members(committee) == set(range(10)) - {4}
    assert committee.spells == [(104, DAYS[0], DAYS[1] + timedelta(days=1))]


def test_returns_are_weighted_by_value_and_drift_by_hand():
    committee = IndexCommittee(STOCKS)
    equity = np.zeros(STOCKS) + 1e-9
    equity[0], equity[1] = 300.0, 100.0
    growth = np.ones((3, STOCKS))
    growth[:, 0] = [1.10, 1.21, 1.21]
    growth[:, 1] = [1.00, 0.50, 0.75]
    returns = committee.take_month(month(0, equity, growth=growth), DAYS)
    # 400 -> 330 + 100 -> 363 + 50 -> 363 + 75
    assert returns == pytest.approx([430 / 400 - 1, 413 / 430 - 1, 438 / 413 - 1], abs=ROUNDING)


def test_a_firm_that_left_moves_the_index_no_more():
    committee = IndexCommittee(STOCKS)
    equity = np.zeros(STOCKS) + 1e-9
    equity[0], equity[1] = 300.0, 100.0
    growth = np.ones((3, STOCKS))
    growth[:, 0] = [1.10, 9.9, 9.9]
    growth[:, 1] = [1.00, 0.50, 0.75]
    outcome = month(0, equity, growth=growth, leaves=[0], last_row=0)
    returns = committee.take_month(outcome, DAYS)
    assert returns == pytest.approx([430 / 400 - 1, -0.5, 0.5], abs=ROUNDING)
