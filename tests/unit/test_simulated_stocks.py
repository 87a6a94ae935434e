import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from factor_pipeline.sources.simulated.actions import Actions, price_path
from factor_pipeline.sources.simulated.draws import Draws
from factor_pipeline.sources.simulated.firms import close_year, newcomers, years_before
from factor_pipeline.sources.simulated.loadings import (
    Characteristics,
    loadings,
    normal_scores,
)

ALL = np.ones(5, dtype=bool)
# Sums of a few doubles.
ROUNDING = 1e-12


def actions(dividend, dividend_row, split, split_row):
    return Actions(*(np.atleast_1d(x) for x in (dividend, dividend_row, split, split_row)))


def test_prices_follow_returns_dividend_and_split_by_hand():
    growth = np.array([[1.10], [1.10 * 1.00], [1.10 * 0.95], [1.10 * 0.95 * 1.02]])
    path = price_path(np.array([50.0]), growth, actions(0.5, 1, 2.0, 2))
    # 50 * 1.1 = 55; 55 - 0.50 = 54.50; 54.50 * 0.95 / 2 = 25.8875; * 1.02 = 26.40525
    np.testing.assert_allclose(path[:, 0], [55.0, 54.5, 25.8875, 26.40525], rtol=ROUNDING)


@given(
    returns=st.lists(st.floats(-0.3, 0.3), min_size=2, max_size=23),
    price=st.floats(2, 500),
    payout=st.floats(0, 0.01),
    split=st.sampled_from([1.0, 2.0, 3.0, 1.5, 0.1]),
    data=st.data(),
)
def test_total_returns_come_back_from_price_dividend_and_split(returns, price, payout, split, data):
    rows = st.integers(0, len(returns) - 1)
    dividend_row, split_row = data.draw(rows), data.draw(rows)
    if dividend_row == split_row:
        split = 1.0
    growth = np.cumprod(1 + np.array(returns))[:, None]
    dividend = min(payout * price, float(growth[dividend_row, 0]) * price / 5)
    path = price_path(np.array([price]), growth, actions(dividend, dividend_row, split, split_row))[
        :, 0
    ]
    before = np.concatenate([[price], path[:-1]])
    row = np.arange(len(path))
    # A dividend after the split is paid per new share, so it is divided like the price.
    paid = np.where(row == dividend_row, dividend, 0.0)
    paid /= split if split_row < dividend_row else 1.0
    total = (path * np.where(row == split_row, split, 1.0) + paid) / before - 1
    np.testing.assert_allclose(total, returns, atol=1e-9)


def test_scores_are_normal_quantiles_of_ranks():
    values = np.array([3.0, 1.0, np.nan, 2.0, 9.0])
    among = np.array([True, True, True, True, False])
    expected = stats.norm.ppf([2.5 / 3, 0.5 / 3, 0.5, 1.5 / 3, 0.5])
    # The table has steps of 1/4096 and a variance forced to 1.
    np.testing.assert_allclose(normal_scores(values, among), expected, atol=2e-3)


def test_scores_of_nobody_are_zero():
    assert normal_scores(np.array([1.0, 2.0]), np.zeros(2, dtype=bool)).tolist() == [0, 0]


def test_the_weighted_market_has_beta_one_and_nothing_else():
    known = Characteristics(*np.random.default_rng(1).lognormal(size=(5, 5)))
    own = np.random.default_rng(2).normal(size=(6, 5))
    weight = np.array([1.0, 2.0, 3.0, 0.0, 4.0])
    beta = loadings(own, known, weight, ALL)
    # The centre is rounded to nine decimals.
    np.testing.assert_allclose(beta @ weight / weight.sum(), [1, 0, 0, 0, 0, 0], atol=1e-9)


def test_loadings_follow_characteristics_as_in_the_literature():
    order = np.arange(1.0, 6.0)
    known = Characteristics(order, order, order, order, order)
    beta = loadings(np.zeros((6, 5)), known, np.ones(5), ALL)
    signs = np.sign(np.diff(beta, axis=1))
    assert signs[0].tolist() == [0] * 4  # no characteristic drives the market beta
    for factor, sign in ((1, -1), (2, 1), (3, 1), (4, -1), (5, 1)):
        assert signs[factor].tolist() == [sign] * 4


def test_firms_without_a_year_of_returns_have_an_average_momentum_loading():
    order = np.arange(1.0, 6.0)
    momentum = np.array([np.nan, -0.2, 0.0, 0.3, np.nan])
    known = Characteristics(order, order, order, order, momentum)
    beta = loadings(np.zeros((6, 5)), known, np.ones(5), ALL)
    assert beta[5, 0] == beta[5, 4]
    assert beta[5, 1] < beta[5, 0] < beta[5, 3]


def test_books_balance_over_a_fiscal_year():
    count = 200
    start = {
        "price": np.full(count, 20.0),
        "shares": np.full(count, 1e7),
        "book": np.full(count, 1e8),
        "leverage": np.full(count, 2.0),
        "own_profitability": np.zeros(count),
        "dividends": np.full(count, 3e6),
    }
    year = close_year(Draws(1), np.arange(count), 12, **start)
    issued = (year.shares - 1e7) * 20.0
    np.testing.assert_allclose(year.book, 1e8 + year.net_income - 3e6 + issued, rtol=ROUNDING)
    growth = year.book * year.leverage / (1e8 * 2.0) - 1
    np.testing.assert_allclose(year.investment, growth, atol=ROUNDING)
    assert np.all(year.shares == np.rint(year.shares))


def test_years_before_a_listing_lead_up_to_its_book_equity():
    firms = newcomers(Draws(1), np.arange(50), entrant=True, level=1.0)
    latest, before, earliest = years_before(firms)
    assert np.array_equal(latest.book, firms.book)
    np.testing.assert_allclose(before.book * (1 + firms.past_growth[0]), latest.book)
    np.testing.assert_allclose(earliest.book * (1 + firms.past_growth[1]), before.book)
    assert np.all(earliest.book > 0)


def test_entrants_are_smaller_and_cheaper_by_book():
    entity = np.arange(5000)
    old = newcomers(Draws(1), entity, entrant=False, level=1.0)
    new = newcomers(Draws(1), entity, entrant=True, level=1.0)

    def median(firms):
        equity = firms.price * firms.shares
        return np.median(equity), np.median(firms.book / equity)

    assert median(new)[0] < 0.5 * median(old)[0]
    assert median(new)[1] < median(old)[1]


@pytest.mark.parametrize("level", [0.25, 8.0])
def test_entrants_grow_with_the_market(level):
    entity = np.arange(5000)
    base = newcomers(Draws(1), entity, entrant=True, level=1.0)
    grown = newcomers(Draws(1), entity, entrant=True, level=level)
    ratio = np.median(grown.shares) / np.median(base.shares)
    # Shares come in lots of a thousand and at least a hundred of them.
    assert ratio == pytest.approx(level, rel=0.01)
