"""Betas of strategies: from holdings by hand, from returns against Newey and West's formula."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.strategy_exposures import (
    STRATEGY_EXPOSURE_SCHEMA,
    strategy_exposures,
)
from factor_pipeline.compute.strategy_loadings import LOADING_SCHEMA, strategy_loadings
from factor_pipeline.errors import DataError

CAPM, FF3, CARHART, FF5 = MODELS
JAN, FEB = date(2020, 1, 31), date(2020, 2, 29)
SERIES = ("mkt", "smb", "smb_ff5", "hml", "umd", "rmw", "cma")

# Rounding of sums of a few dozen terms.
ROUNDING = 1e-12
# Of a regression through a pseudo-inverse, relative to what normal equations give.
AGREEMENT = 1e-9


def held(*rows: tuple[str, int, float, float | None], end: date = JAN) -> pl.DataFrame:
    """Strategy, security, weight and market beta of some holdings."""
    schema = {"strategy": pl.String, "security_id": pl.Int64, "weight": pl.Float64}
    return pl.DataFrame(rows, schema=schema | {"beta_mkt": pl.Float64}, orient="row").with_columns(
        month_end=pl.lit(end)
    )


def only(frame: pl.DataFrame, column: str = "beta_mkt") -> object:
    assert frame.height == 1
    return frame[column][0]


def test_a_long_only_strategy_has_the_weighted_mean_of_its_betas():
    found = strategy_exposures(held(("value", 1, 0.25, 2.0), ("value", 2, 0.75, 1.0)), CAPM)
    assert only(found) == 1.25
    assert found.select("holdings", "covered", "model").row(0) == (2, 1.0, "CAPM")
    assert only(found, "beta_hml") is None
    assert found.schema == STRATEGY_EXPOSURE_SCHEMA


def test_cash_has_no_beta():
    assert only(strategy_exposures(held(("value", 1, 0.5, 2.0)), CAPM)) == 1.0


def test_shorts_subtract():
    found = strategy_exposures(
        held(("ls", 1, 0.5, 1.0), ("ls", 2, 0.5, 3.0), ("ls", 3, -1.0, 0.5)), CAPM
    )
    assert only(found) == 2.0 - 0.5


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_a_holding_without_a_beta_counts_as_the_mean_of_its_leg(missing):
    found = strategy_exposures(
        held(
            ("ls", 1, 0.25, 1.0),
            ("ls", 2, 0.25, 3.0),
            ("ls", 3, 0.5, missing),
            ("ls", 4, -0.5, 0.5),
            ("ls", 5, -0.5, missing),
        ),
        CAPM,
    )
    assert only(found) == 2.0 - 0.5
    assert only(found, "covered") == 0.5
    assert only(found, "holdings") == 5


def test_a_leg_without_any_beta_makes_the_strategy_s_unknown():
    found = strategy_exposures(held(("ls", 1, 1.0, 1.0), ("ls", 2, -1.0, None)), CAPM)
    assert only(found) is None
    assert only(found, "covered") == 0.5


def test_a_holding_needs_every_beta_of_the_model():
    rows = held(("value", 1, 0.5, 2.0), ("value", 2, 0.5, 1.0)).with_columns(
        beta_smb=pl.Series([0.5, None], dtype=pl.Float64), beta_hml=pl.lit(1.0)
    )
    found = strategy_exposures(rows, FF3)
    assert found.select("beta_mkt", "beta_smb", "beta_hml", "covered").row(0) == (2.0, 0.5, 1, 0.5)


def test_what_was_sold_is_not_held_and_repeats_are_refused():
    assert strategy_exposures(held(("value", 1, 0.0, 2.0)), CAPM).is_empty()
    with pytest.raises(DataError, match="two holdings have the same strategy value"):
        strategy_exposures(held(("value", 1, 0.5, 2.0), ("value", 1, 0.5, 2.0)), CAPM)


books = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.sampled_from([JAN, FEB]),
        st.floats(-1, 1),
        st.floats(-3, 3) | st.none(),
    ),
    max_size=20,
)


@given(books, st.randoms(use_true_random=False))
def test_months_alone_and_rows_in_any_order_give_the_same_bits(book, random):
    rows = [
        {"strategy": name, "security_id": i, "month_end": end, "weight": weight, "beta_mkt": beta}
        for i, (name, end, weight, beta) in enumerate(book)
    ]
    random.shuffle(rows)
    schema = held().schema
    frame = pl.DataFrame(rows, schema=schema)
    whole = strategy_exposures(frame, CAPM)
    parts = [
        strategy_exposures(frame.filter(pl.col("month_end") == end), CAPM) for end in (JAN, FEB)
    ]
    assert_frame_equal(whole, pl.concat(parts).sort("strategy", "month_end"), check_exact=True)
    assert whole["covered"].is_between(0, 1).all()


def factors(months: int, seed: int = 2) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    ends = pl.date_range(date(2000, 1, 1), date(2060, 1, 1), "1mo", eager=True).dt.month_end()
    drawn = {name: 0.005 + 0.04 * rng.standard_normal(months) for name in SERIES}
    return pl.DataFrame({"month_end": ends[:months], "rf": np.full(months, 0.002)} | drawn)


def returns(net: np.ndarray, months: pl.DataFrame, name: str = "value") -> pl.DataFrame:
    return pl.DataFrame({"month_end": months["month_end"], "net": net}).with_columns(
        strategy=pl.lit(name)
    )


def newey_west(y: np.ndarray, x: np.ndarray, lag: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients and standard errors, written out from Newey and West (1987)."""
    bread = np.linalg.inv(x.T @ x)
    beta = bread @ x.T @ y
    scores = x * (y - x @ beta)[:, None]
    meat = scores.T @ scores
    for k in range(1, lag + 1):
        lagged = scores[k:].T @ scores[:-k]
        meat += (1 - k / (lag + 1)) * (lagged + lagged.T)
    return beta, np.sqrt(np.diag(bread @ meat @ bread))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_estimates_errors_and_t_are_those_of_the_formula(model):
    months = factors(150)
    noise = np.convolve(np.random.default_rng(3).normal(0, 0.02, 152), [1, 0.5, 0.3], "valid")
    net = 0.003 + 0.8 * months["mkt"].to_numpy() + 0.4 * months["hml"].to_numpy() + noise
    found = strategy_loadings(returns(net, months), months, [model])
    x = np.column_stack([np.ones(150), *(months[series].to_numpy() for series in model.series)])
    # floor(4 * 1.5 ** (2 / 9)) = floor(4.377)
    beta, error = newey_west(net - 0.002, x, 4)
    assert set(found["lag"]) == {4}
    assert found["coefficient"].to_list() == ["alpha", *(f"beta_{k}" for k in model.loadings)]
    np.testing.assert_allclose(found["estimate"], beta, rtol=AGREEMENT)
    np.testing.assert_allclose(found["standard_error"], error, rtol=AGREEMENT)
    np.testing.assert_allclose(found["t"], beta / error, rtol=AGREEMENT)
    excess = net - 0.002
    residual = excess - x @ beta
    r2 = 1 - (residual**2).sum() / ((excess - excess.mean()) ** 2).sum()
    np.testing.assert_allclose(found["r2"], r2, rtol=AGREEMENT)


def test_known_loadings_are_found_and_an_exact_fit_has_no_t():
    months = factors(60)
    net = 0.002 + 0.001 + months.select(pl.col("mkt") * 1.2 - pl.col("smb") * 0.5).to_series()
    found = strategy_loadings(returns(net.to_numpy(), months), months, [FF3])
    np.testing.assert_allclose(found["estimate"], [0.001, 1.2, -0.5, 0.0], atol=ROUNDING)
    assert found["t"].null_count() == found["standard_error"].null_count() == 4
    np.testing.assert_allclose(found["r2"], 1.0, atol=ROUNDING)


def test_months_without_a_return_or_a_factor_are_left_out_and_counted():
    months = factors(40).with_columns(
        hml=pl.when(pl.col("month_end") == date(2000, 1, 31)).then(None).otherwise("hml")
    )
    net = 0.002 + 0.9 * months["mkt"].to_numpy() + np.random.default_rng(1).normal(0, 0.01, 40)
    net[-1] = np.nan
    found = strategy_loadings(returns(net, months), months, [CAPM, FF3])
    sample = found.group_by("model", maintain_order=True).first()
    assert sample.select("model", "months", "first_month", "last_month").rows() == [
        ("CAPM", 39, date(2000, 1, 31), date(2003, 3, 31)),
        ("FF3", 38, date(2000, 2, 29), date(2003, 3, 31)),
    ]


@pytest.mark.parametrize("count", [0, 23])
def test_too_few_months_give_rows_without_estimates(count):
    months = factors(count)
    net = months["mkt"].to_numpy() if count else np.empty(0)
    known = pl.concat([returns(net, months), returns(np.array([0.1]), factors(1), "other")])
    found = strategy_loadings(known, months, [CAPM]).filter(pl.col("strategy") == "other")
    assert found["estimate"].null_count() == found.height == 2
    assert found["months"].to_list() == [min(count, 1)] * 2


def test_collinear_factors_and_returns_that_do_not_vary_give_nulls():
    months = factors(60).with_columns(hml=2 * pl.col("smb"))
    found = strategy_loadings(returns(months["mkt"].to_numpy(), months), months, [FF3])
    assert found["estimate"].null_count() == 4
    flat = strategy_loadings(returns(np.full(60, 0.004), months), months, [CAPM])
    assert flat["r2"].null_count() == 2
    assert flat["estimate"][0] == pytest.approx(0.002, abs=ROUNDING)


def test_the_order_of_rows_changes_no_bit_and_repeats_are_refused():
    months = factors(100)
    net = 0.5 * months["mkt"].to_numpy() + np.random.default_rng(1).normal(0, 0.01, 100)
    known = pl.concat([returns(net, months, name) for name in ("b", "a")])
    found = strategy_loadings(known, months)
    shuffled = strategy_loadings(
        known.sample(fraction=1, shuffle=True, seed=1), months.sample(fraction=1, shuffle=True)
    )
    assert_frame_equal(found, shuffled, check_exact=True)
    assert found["strategy"].unique(maintain_order=True).to_list() == ["a", "b"]
    assert strategy_loadings(known.clear(), months).schema == LOADING_SCHEMA
    with pytest.raises(DataError, match="two strategy returns have the same strategy"):
        strategy_loadings(pl.concat([known, known]), months)
