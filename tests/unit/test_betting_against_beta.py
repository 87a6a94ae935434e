from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.betting_against_beta import betting_against_beta
from factor_pipeline.errors import DataError

JAN, FEB = date(2000, 1, 31), date(2000, 2, 29)

# A few operations on numbers of order 1.
ROUNDING = 1e-15
# Sums over a hundred stocks, divided by betas of order 1.
SUM_NOISE = 1e-13


def stocks_of(*rows: tuple[float | None, float | None], end: date = JAN) -> pl.DataFrame:
    """Stocks 1, 2, ... of one month, each with its beta and return."""
    schema = {"beta": pl.Float64, "ret": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        month_end=pl.lit(end), security_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64)
    )


def rf(rate: float | None, end: date = JAN) -> pl.DataFrame:
    return pl.DataFrame({"month_end": [end], "rf": [rate]}, schema_overrides={"rf": pl.Float64})


def only(stocks: pl.DataFrame, rates: pl.DataFrame, min_stocks: int = 1) -> dict[str, object]:
    return betting_against_beta(stocks, rates, min_stocks=min_stocks).row(0, named=True)


def test_both_legs_are_levered_to_a_beta_of_one_by_hand():
    """Ranks 1 to 4, mean 2.5: the extremes weigh 1.5 / 2 of their leg, the others 0.5 / 2."""
    stocks = stocks_of((0.4, 0.02), (0.8, 0.06), (1.2, 0.01), (2.0, -0.03))
    low_beta, high_beta = 0.75 * 0.4 + 0.25 * 0.8, 0.25 * 1.2 + 0.75 * 2.0
    low, high = 0.75 * 0.02 + 0.25 * 0.06, 0.25 * 0.01 - 0.75 * 0.03
    found = only(stocks, rf(0.002))
    assert found["factor"] == "BAB"
    assert found["low_beta"] == pytest.approx(low_beta, abs=ROUNDING)
    assert found["high_beta"] == pytest.approx(high_beta, abs=ROUNDING)
    expected = (low - 0.002) / low_beta - (high - 0.002) / high_beta
    assert found["ret"] == pytest.approx(expected, abs=ROUNDING)
    assert found["stocks"] == 4


def test_the_stock_of_the_mean_rank_is_in_neither_leg():
    found = only(stocks_of((0.5, 0.01), (1.0, 9.0), (2.0, 0.02)), rf(0.0))
    assert found["ret"] == pytest.approx(0.01 / 0.5 - 0.02 / 2.0, abs=ROUNDING)
    assert found["stocks"] == 2


def test_equal_betas_share_their_ranks():
    """Ranks 1.5, 1.5, 3.5, 3.5: equal weights in each leg."""
    stocks = stocks_of((0.5, 0.01), (0.5, 0.03), (1.0, 0.02), (1.0, 0.06))
    assert only(stocks, rf(0.0))["ret"] == pytest.approx(0.02 / 0.5 - 0.04, abs=ROUNDING)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), market=st.floats(-0.3, 0.3), rate=st.floats(0, 0.02))
def test_nothing_is_earned_where_returns_follow_betas_alone(seed, market, rate):
    beta = np.random.default_rng(seed).uniform(0.2, 3, 100)
    stocks = stocks_of(*zip(beta, rate + beta * market, strict=True))
    assert only(stocks, rf(rate))["ret"] == pytest.approx(0, abs=SUM_NOISE)


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_a_missing_return_changes_the_return_of_its_leg_but_not_weights_nor_betas(missing):
    rows = [(0.4, 0.02), (0.8, missing), (1.2, 0.01), (2.0, -0.03)]
    found = only(stocks_of(*rows), rf(0.0))
    whole = only(stocks_of(*((beta, 0.0) for beta, _ in rows)), rf(0.0))
    assert (found["low_beta"], found["high_beta"]) == (whole["low_beta"], whole["high_beta"])
    high = 0.25 * 0.01 - 0.75 * 0.03
    assert found["ret"] == pytest.approx(0.02 / 0.5 - high / 1.8, abs=ROUNDING)
    assert found["stocks"] == 3


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_a_stock_without_beta_is_not_there(missing):
    rows = [(0.5, 0.01), (1.0, 0.02)]
    assert only(stocks_of(*rows, (missing, 5.0)), rf(0.0)) == only(stocks_of(*rows), rf(0.0))


def test_too_few_stocks_no_rate_or_a_leg_without_risk_are_no_return():
    stocks = stocks_of((0.5, 0.01), (1.0, 0.02))
    assert only(stocks, rf(0.0))["ret"] is not None
    assert only(stocks, rf(0.0), min_stocks=2)["ret"] is None
    assert only(stocks, rf(None))["ret"] is None
    assert only(stocks, rf(0.0, FEB))["ret"] is None
    assert only(stocks_of((-0.5, 0.01), (1.0, 0.02)), rf(0.0))["ret"] is None
    assert only(stocks_of((None, 0.01)), rf(0.0))["ret"] is None


def test_a_second_rate_of_a_month_is_refused():
    with pytest.raises(DataError, match="two risk-free rates"):
        betting_against_beta(stocks_of((0.5, 0.01)), pl.concat([rf(0.0), rf(0.0)]), min_stocks=1)


def test_a_month_alone_and_rows_in_another_order_give_the_same_bits():
    rng = np.random.default_rng(3)
    january, february = (
        stocks_of(*zip(rng.normal(1, 0.4, 301), rng.normal(0.01, 0.1, 301), strict=True), end=end)
        for end in (JAN, FEB)
    )
    both, rates = pl.concat([january, february]), pl.concat([rf(0.001), rf(0.002, FEB)])
    together = betting_against_beta(both, rates, min_stocks=3)
    shuffled = both.sample(fraction=1, shuffle=True, seed=1)
    assert betting_against_beta(shuffled, rates, min_stocks=3).equals(together)
    alone = betting_against_beta(february, rates, min_stocks=3)
    assert alone.equals(together[1:])
