from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.betas import daily
from factor_pipeline.compute.betas.daily import DAILY_MODELS, betas_of_every_day, daily_betas
from factor_pipeline.compute.betas.market import market_betas
from factor_pipeline.compute.betas.output import COLLINEAR, NO_FACTORS, OVERFLOW, TOO_FEW
from factor_pipeline.errors import SettingsError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.risk import DAILY_BETA, MARKET_BETA
from tests.unit.daily_market import (
    CLOSED,
    factors_of,
    laid_out,
    month_range,
    random_returns,
    returns_of,
    stock_months,
)

CAPM, FF3 = DAILY_MODELS
# A few operations in double precision on numbers near 1.
ROUNDING = 1e-13
FEW = settings(max_examples=12, deadline=None)


def betas(returns, factors, months, stocks=1, **options) -> pl.DataFrame:
    rows = options.pop("rows", stock_months(stocks, months))
    return daily_betas(laid_out(returns, factors, months), factors, rows, months, **options)


def figures(returns, factors, months, stocks=1, **options) -> pl.DataFrame:
    rows = options.pop("rows", stock_months(stocks, months))
    return market_betas(laid_out(returns, factors, months), factors, rows, months, **options)


def test_a_window_with_four_returns_equals_the_regression_worked_out_by_hand():
    # As in the monthly test: beta 1.4, alpha .9, R2 .7, s2 2.1.
    factors = factors_of(4).with_columns(rf=pl.lit(0.5), mkt=pl.lit(0.0))
    days = factors.height
    market = [0.0] * (days - 3) + [1.0, 2.0, 3.0]
    returns = returns_of({0: [None] * (days - 4) + [1.5, 3.5, 2.5, 6.5]}, factors)
    factors = factors.with_columns(mkt=pl.Series(market))
    result = betas(returns, factors, month_range(3, 1), models=[CAPM], window_days=28, min_days=3)
    row = result.row(0, named=True)
    by_hand = {
        "alpha": 0.9,
        "beta_mkt": 1.4,
        "se_mkt": (2.1 / 5) ** 0.5,
        "t_mkt": 1.4 / (2.1 / 5) ** 0.5,
        "r2": 0.7,
        "residual_volatility": 2.1**0.5,
    }
    assert {name: row[name] for name in by_hand} == pytest.approx(by_hand, abs=ROUNDING)
    assert (row["n"], row["reason"], row["beta_smb"]) == (4, None, None)
    assert row["month_end"] == date(1997, 4, 30)


@pytest.mark.parametrize(("returns", "reason"), [(119, TOO_FEW), (120, None)])
def test_a_hundred_and_twenty_returns_are_enough(returns, reason):
    factors = factors_of(12)
    values = np.random.default_rng(1).normal(0, 0.02, returns).tolist()
    sample = returns_of({0: [None] * (factors.height - returns) + values}, factors)
    for row in betas(sample, factors, month_range(11, 1)).rows(named=True):
        assert (row["n"], row["reason"]) == (returns, reason)
        assert (row["beta_mkt"] is None) == (reason is not None)


def test_the_window_is_252_market_days_and_a_gap_only_lowers_the_count():
    factors = factors_of(70)
    values = np.random.default_rng(2).normal(0, 0.02, factors.height).tolist()
    month = MonthRange.of_months(date(2002, 3, 1), date(2002, 3, 1))
    ends_at = factors["date"].to_list().index(date(2002, 3, 28)) + 1
    full = betas(returns_of({0: values}, factors), factors, month)
    assert full["n"].to_list() == [252, 252]
    values[ends_at - 200 : ends_at - 190] = [None] * 10
    values[ends_at - 253] = None  # the day before the window
    gap = betas(returns_of({0: values}, factors), factors, month)
    assert gap["n"].to_list() == [242, 242]
    # The market was closed on these days: they take no place in the window.
    assert factors["date"].to_list()[ends_at - 252] < CLOSED[0]


def test_a_stock_without_returns_has_rows_with_a_reason():
    factors = factors_of(13)
    months = month_range(11, 2)
    returns = random_returns(factors, 1, 3).clear()
    result, others = betas(returns, factors, months, 2), figures(returns, factors, months, 2)
    assert result.select("n", "reason").unique().rows() == [(0, TOO_FEW)]
    assert result.height == 8
    reasons = others.select("reason_dimson", "reason_frazzini_pedersen", "reason_volatility")
    assert reasons.unique().rows() == [(TOO_FEW,) * 3]
    unknown = returns_of({0: [float("nan")] * factors.height}, factors)
    missing = pl.col("security_id") == 0
    assert_frame_equal(betas(unknown, factors, months, 2), result, check_exact=True)
    assert figures(unknown, factors, months, 2).filter(missing).height == 2


def test_windows_without_factors_say_so_and_still_have_a_volatility():
    factors = factors_of(20)
    values = np.random.default_rng(2).normal(0, 0.02, factors.height).tolist()
    returns = returns_of({0: values}, factors)
    month = month_range(19, 1)
    absent = factors.with_columns(mkt=pl.lit(None, dtype=pl.Float64))
    for known in (absent, factors.clear()):
        result, others = (of(returns, known, month) for of in (betas, figures))
        assert result.select("n", "reason").rows() == [(0, NO_FACTORS)] * 2
        row = others.row(0, named=True)
        assert row["reason_dimson"] == row["reason_frazzini_pedersen"] == NO_FACTORS
        assert (row["n_volatility"], row["reason_volatility"]) == (252, None)
    without_size = factors.with_columns(smb=pl.lit(None, dtype=pl.Float64))
    reasons = betas(returns, without_size, month)["reason"].to_list()
    assert reasons == [None, NO_FACTORS]


def test_days_after_the_newest_factors_are_no_observations_but_days():
    factors = factors_of(30)
    values = np.random.default_rng(2).normal(0, 0.02, factors.height).tolist()
    returns = returns_of({0: values}, factors)
    month = month_range(29, 1)
    known = factors.filter(pl.col("date") < month.start)
    days_of_month = factors.height - known.height
    row = betas(returns, known, month, models=[CAPM]).row(0, named=True)
    assert (row["n"], row["reason"]) == (252 - days_of_month, None)


def test_collinear_factors_and_overflows_give_no_numbers_but_a_reason():
    factors = factors_of(15)
    values = np.random.default_rng(4).normal(0, 0.02, factors.height).tolist()
    month = month_range(14, 1)
    same = factors.with_columns(hml=2 * pl.col("smb") - pl.col("mkt"))
    capm, ff3 = betas(returns_of({0: values}, factors), same, month).rows(named=True)
    assert (capm["reason"], ff3["reason"], ff3["r2"]) == (None, COLLINEAR, None)
    flat = factors.with_columns(mkt=pl.lit(0.001), rf=pl.lit(0.0))
    still = figures(returns_of({0: values}, factors), flat, month).row(0, named=True)
    assert (still["reason_dimson"], still["beta_dimson"]) == (COLLINEAR, None)
    values[-20] = 1e200
    absurd = returns_of({0: values}, factors)
    assert betas(absurd, factors, month)["reason"].to_list() == [OVERFLOW] * 2
    row = figures(absurd, factors, month).row(0, named=True)
    assert (row["reason_dimson"], row["reason_volatility"]) == (OVERFLOW, OVERFLOW)
    assert (row["beta_dimson"], row["volatility_252d"]) == (None, None)


def test_an_absurd_return_leaves_no_trace_once_its_windows_are_over():
    factors = factors_of(80)
    values = np.random.default_rng(6).normal(0, 0.02, factors.height).tolist()
    spiked = [*values[:30], 10_000.0, *values[31:]]
    months = month_range(2, 78)
    for of, last in ((betas, date(1998, 3, 31)), (figures, date(2002, 4, 30))):
        clean, dirty = (of(returns_of({0: v}, factors), factors, months) for v in (values, spiked))
        after = pl.col("month_end") > last
        assert clean.filter(after).height >= 16
        assert_frame_equal(clean.filter(after), dirty.filter(after), check_exact=True)
        assert not clean.equals(dirty)


def test_the_dimson_beta_explains_up_to_the_day_before_the_last():
    factors = factors_of(16).with_columns(rf=pl.lit(0.0))
    month = month_range(15, 1)
    market = factors["mkt"].to_numpy()
    # Half of the news comes a day late, some is known a day before.
    values = 0.7 * market
    values[1:] += 0.4 * market[:-1]
    values[:-1] += 0.1 * market[1:]

    def of(changed_return=None, changed_market=None) -> tuple[float, int]:
        ret, moved = values.copy(), market.copy()
        if changed_return is not None:
            ret[changed_return] += 0.05
        if changed_market is not None:
            moved[changed_market] += 0.05
        known = factors.with_columns(mkt=pl.Series(moved))
        row = figures(returns_of({0: ret.tolist()}, factors), known, month).row(0, named=True)
        return row["beta_dimson"], row["n_dimson"]

    exact = of()
    assert exact == (pytest.approx(1.2, abs=ROUNDING), 252)
    # Returns explained: 252 of them up to the last day but one.
    assert of(changed_return=-1) == of(changed_return=-254) == exact
    assert of(changed_return=-2) != exact
    assert of(changed_return=-253) != exact
    # The market up to the last day, and two days before the first one explained.
    assert of(changed_market=-1) != exact
    assert of(changed_market=-254) != exact
    assert of(changed_market=-255) == exact


def test_a_stock_that_moves_twice_as_much_has_a_frazzini_pedersen_beta_of_1_point_6():
    factors = factors_of(64)
    market = factors["mkt"].to_numpy() + factors["rf"].to_numpy()
    values = np.expm1(2 * np.log1p(market)).tolist()
    row = figures(returns_of({0: values}, factors), factors, month_range(63, 1)).row(0, named=True)
    assert row["correlation"] == pytest.approx(1, abs=ROUNDING)
    assert row["beta_frazzini_pedersen"] == pytest.approx(0.6 * 2 + 0.4, abs=ROUNDING)
    assert row["n_correlation"] == 1260


@pytest.mark.parametrize(("returns", "reason"), [(751, TOO_FEW), (752, None)])
def test_a_correlation_needs_750_three_day_returns(returns, reason):
    factors = factors_of(40)
    values = np.random.default_rng(1).normal(0, 0.02, returns).tolist()
    sample = returns_of({0: [None] * (factors.height - returns) + values}, factors)
    row = figures(sample, factors, month_range(39, 1)).row(0, named=True)
    # The first two days have no three-day return.
    assert (row["n_correlation"], row["reason_frazzini_pedersen"]) == (returns - 2, reason)
    assert (row["beta_frazzini_pedersen"] is None) == (reason is not None)


def test_a_stock_that_does_not_move_has_no_correlation_and_no_volatility_but_zero():
    factors = factors_of(40)
    values = returns_of({0: [0.001] * factors.height}, factors)
    row = figures(values, factors, month_range(39, 1)).row(0, named=True)
    assert row["reason_frazzini_pedersen"] == "no_variation"
    assert (row["correlation"], row["beta_frazzini_pedersen"]) == (None, None)
    assert (row["volatility_252d"], row["reason_volatility"]) == (0, None)
    assert row["beta_dimson"] == pytest.approx(0, abs=ROUNDING)


def test_volatility_is_that_of_simple_returns_over_a_year():
    factors = factors_of(8)
    values = [0.01 if day % 2 else -0.01 for day in range(120)]
    sample = returns_of({0: [None] * (factors.height - 120) + values}, factors)
    row = figures(sample, factors, month_range(7, 1)).row(0, named=True)
    by_hand = (252 * 0.01**2 * 120 / 119) ** 0.5
    assert row["volatility_252d"] == pytest.approx(by_hand, rel=ROUNDING)
    assert row["n_volatility"] == 120


def test_windows_and_minima_that_make_no_sense_are_refused():
    factors, month = factors_of(3), month_range(2, 1)
    returns = random_returns(factors, 2, 1)
    with pytest.raises(SettingsError, match="choose at least 28"):
        betas(returns, factors, month, window_days=27, min_days=10)
    with pytest.raises(SettingsError, match="FF3 has 4 coefficients; choose at least 5"):
        betas(returns, factors, month, min_days=4)
    with pytest.raises(SettingsError, match="Dimson regression has 4"):
        figures(returns, factors, month, min_days=4)


def test_rows_come_in_the_declared_columns_and_in_order():
    factors, months = factors_of(16), month_range(13, 3)
    returns = random_returns(factors, 4, 3)
    result = betas(returns, factors, months, 4)
    assert (*result.columns, "beta_mkt_shrunk") == DAILY_BETA.column_names
    assert result.sort("model", "month_end", "security_id").equals(result)
    others = figures(returns, factors, months, 4)
    assert tuple(others.columns) == MARKET_BETA.column_names
    assert others.schema == MARKET_BETA.polars_schema


markets = st.builds(
    lambda months, stocks, seed: (months, stocks, seed),
    st.integers(1, 75),
    st.integers(1, 4),
    st.integers(0, 10_000),
)


@FEW
@given(market=markets, data=st.data())
def test_a_month_alone_or_without_what_lies_outside_its_windows_gives_the_same_bits(market, data):
    months, stocks, seed = market
    factors = factors_of(months)
    returns = random_returns(factors, stocks, seed)
    number = data.draw(st.integers(0, months - 1))
    month = month_range(number, 1)
    in_month = pl.col("month_end").is_between(month.start, month.end, "left")
    past = pl.col("date") < month.end
    dates = factors.filter(past)["date"].to_list()
    for of, reach in ((betas, 254), (figures, 1262)):
        full = of(returns, factors, month_range(0, months), stocks).filter(in_month)
        assert not any(full[c].is_nan().any() for c in full.columns if full[c].dtype == pl.Float64)
        truncated = of(returns.filter(past), factors.filter(past), month, stocks)
        assert_frame_equal(truncated, full, check_exact=True)
        needed = past & (pl.col("date") >= dates[-min(reach, len(dates))])
        window = of(returns.filter(needed), factors, month, stocks)
        assert_frame_equal(window, full, check_exact=True)
        known = of(returns.filter(needed), factors.filter(needed), month, stocks)
        assert_frame_equal(known, full, check_exact=True)


@FEW
@given(market=markets, cut=st.integers(1, 74))
def test_what_happens_later_changes_nothing_before(market, cut):
    months, stocks, seed = market
    factors = factors_of(months)
    returns = random_returns(factors, stocks, seed)
    end = month_range(min(cut, months), 1).start
    past = pl.col("date") < end
    changed = returns.with_columns(ret=pl.when(past).then("ret").otherwise(pl.col("ret") * 3 + 1))
    revised = factors.with_columns(
        pl.when(past).then(name).otherwise(pl.col(name) - 0.1).alias(name)
        for name in ("mkt", "smb", "hml", "rf")
    )
    before = pl.col("month_end") < end
    for of in (betas, figures):
        truth = of(returns, factors, month_range(0, months), stocks).filter(before)
        other = of(changed, revised, month_range(0, months), stocks).filter(before)
        assert_frame_equal(other, truth, check_exact=True)


@FEW
@given(market=markets, seed=st.integers(0, 99))
def test_neither_the_order_of_rows_nor_other_stocks_nor_other_models_change_a_bit(market, seed):
    count, stocks, own_seed = market
    months, factors = month_range(0, count), factors_of(count)
    returns = random_returns(factors, stocks, own_seed)
    first = pl.col("security_id") == 0
    rows = stock_months(stocks, months)
    for of in (betas, figures):
        full = of(returns, factors, months, stocks)
        shuffled = of(
            returns.sample(fraction=1, shuffle=True, seed=seed),
            factors.sample(fraction=1, shuffle=True, seed=seed),
            months,
            rows=rows.sample(fraction=1, shuffle=True, seed=seed),
        )
        assert_frame_equal(shuffled, full, check_exact=True)
        alone = of(returns.filter(first), factors, months)
        assert_frame_equal(alone, full.filter(first), check_exact=True)
    for model in DAILY_MODELS:
        one = betas(returns, factors, months, stocks, models=[model])
        both = betas(returns, factors, months, stocks)
        assert_frame_equal(one, both.filter(pl.col("model") == model.name), check_exact=True)


@FEW
@given(market=markets)
def test_the_last_day_of_a_month_has_the_bits_of_its_row(market):
    count, stocks, seed = market
    months, factors = month_range(0, count), factors_of(count)
    returns = random_returns(factors, stocks, seed)
    grid = laid_out(returns, factors, months)
    every = betas_of_every_day(grid, factors, months)
    shown = returns.filter(pl.col("ret").is_finite(), pl.col("date") < months.end)
    assert every.height == 2 * shown.height
    ends = factors.group_by(month_end=pl.col("date").dt.month_end()).agg(pl.col("date").max())
    last = every.join(ends, on="date").drop("date")
    monthly = betas(returns, factors, months, stocks)
    same = monthly.join(
        last.select("security_id", "month_end", "model"),
        on=["security_id", "month_end", "model"],
        how="semi",
    )
    order = ["model", "month_end", "security_id"]
    assert_frame_equal(
        last.sort(order), same.sort(order), check_exact=True, check_column_order=False
    )


def test_more_stocks_than_are_summed_at_once_change_no_bit(monkeypatch):
    factors, months = factors_of(20), month_range(12, 8)
    returns = random_returns(factors, 9, 4)
    full = betas(returns, factors, months, 9)
    monkeypatch.setattr(daily, "_STOCKS_AT_ONCE", 2)
    assert_frame_equal(betas(returns, factors, months, 9), full, check_exact=True)
