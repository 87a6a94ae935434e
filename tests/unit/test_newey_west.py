"""The regression kernel against statsmodels, hand cases, and itself in other company."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.regression.linear_model import OLS

from factor_pipeline.compute.hac import newey_west_lag
from factor_pipeline.compute.statistics.regression import newey_west

# Both solve equations of condition up to 1e3 in double precision: rounding of 1e-13.
RELATIVE, ABSOLUTE = 1e-12, 1e-12


def market(months=240, series=30, factors=5, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(0.005, 0.04, (months, factors))
    noise = rng.standard_t(4, (months, series)) * 0.02
    y = x @ rng.normal(0.5, 0.7, (factors, series)) + noise
    y[rng.random(y.shape) < 0.05] = np.nan
    y[: months // 3, : series // 2] = np.nan
    x[5, 0] = np.nan
    return y, x


def hac(y, x, lag):
    known = np.isfinite(y) & np.isfinite(x).all(axis=1)
    design = np.column_stack([np.ones(known.sum()), x[known]])
    return OLS(y[known], design).fit(cov_type="HAC", cov_kwds={"maxlags": lag})


@pytest.mark.parametrize("factors", [0, 1, 3, 5])
def test_estimates_equal_those_of_statsmodels(factors):
    y, x = market(factors=factors) if factors else (market()[0], np.empty((240, 0)))
    fit = newey_west(y, x)
    for at in range(y.shape[1]):
        expected = hac(y[:, at], x, newey_west_lag(int(fit.months[at])))
        assert fit.months[at] == expected.nobs
        assert fit.coefficients[at] == pytest.approx(expected.params, rel=RELATIVE, abs=ABSOLUTE)
        assert fit.errors[at] == pytest.approx(expected.bse, rel=RELATIVE)
        if factors:
            assert fit.r2[at] == pytest.approx(expected.rsquared, abs=ABSOLUTE)


@pytest.mark.parametrize("lag", [0, 1, 12])
def test_the_lag_can_be_chosen(lag):
    y, x = market()
    fit = newey_west(y, x, lag=lag)
    assert set(fit.lag) == {lag}
    expected = hac(y[:, 20], x, lag)
    assert fit.errors[20] == pytest.approx(expected.bse, rel=RELATIVE)


def test_regressors_can_differ_from_series_to_series():
    y, x = market(series=4)
    each = np.stack([x, x[:, ::-1], x + x**2, -x], axis=1)
    together = newey_west(y, each)
    for at in range(4):
        alone = newey_west(y[:, at : at + 1], each[:, at])
        assert np.array_equal(together.errors[at], alone.errors[0])


@given(st.lists(st.integers(0, 299), min_size=1, max_size=300), st.integers(0, 5))
def test_a_series_has_the_same_bits_in_any_company(chosen, factors):
    y, x = market(months=60, series=300, factors=5)
    x = x[:, :factors]
    every, some = newey_west(y, x), newey_west(y[:, chosen], x)
    for name in ("coefficients", "errors", "r2"):
        assert np.array_equal(getattr(every, name)[chosen], getattr(some, name), equal_nan=True)


def test_the_error_of_a_mean_by_hand():
    # Deviations -1, 1, 1, -1: gamma 0 = 4/4, gamma 1 = (-1 + 1 - 1) / 4; half of twice that counts.
    fit = newey_west(np.array([[1.0], [3.0], [3.0], [1.0]]), lag=1)
    assert fit.coefficients[0, 0] == 2.0
    assert fit.errors[0, 0] == pytest.approx(np.sqrt((1.0 - 0.25) / 4), rel=RELATIVE)


def test_what_cannot_be_estimated_is_not_a_number():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 2))
    y = rng.normal(size=(40, 3))
    y[3:, 0] = np.nan
    fit = newey_west(y, x)
    assert np.isnan(fit.coefficients[0]).all()
    assert fit.months[0] == 3
    assert np.isfinite(fit.coefficients[1:]).all()
    collinear = newey_west(y, np.column_stack([x[:, 0], x[:, 0] * 2]))
    assert np.isnan(collinear.coefficients).all()
    assert np.isnan(newey_west(y, np.ones((40, 1))).coefficients).all()


def test_a_perfect_fit_has_coefficients_and_no_errors():
    x = np.linspace(-1, 1, 50)[:, None]
    fit = newey_west(0.5 + 2 * x, x)
    assert fit.coefficients[0] == pytest.approx([0.5, 2.0])
    assert np.isnan(fit.errors).all()
    flat = newey_west(np.full((50, 1), 0.01))
    assert flat.coefficients[0, 0] == pytest.approx(0.01)
    assert np.isnan(flat.t).all()
