"""Alphas, the test of Gibbons, Ross and Shanken, and prices of risk, against other computations."""

import numpy as np
import polars as pl
import pytest
import scipy.stats
from linearmodels.asset_pricing import LinearFactorModel
from polars.testing import assert_frame_equal
from statsmodels.regression.linear_model import OLS

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.alphas import alphas, excess_series, grs_tests
from factor_pipeline.compute.statistics.fama_macbeth import risk_premia
from factor_pipeline.compute.statistics.joint import grs, two_pass
from tests.unit.test_factor_statistics import months

# Two ways to solve well-conditioned equations in double precision.
AGREEMENT = 1e-10


def market(length=300, portfolios=10, seed=0):
    """Returns of portfolios with alphas, and of three factors."""
    rng = np.random.default_rng(seed)
    factors = rng.normal([0.006, 0.002, 0.003], [0.045, 0.03, 0.03], (length, 3))
    betas = rng.normal([1.0, 0.4, 0.2], [0.1, 0.4, 0.4], (portfolios, 3))
    alpha = rng.normal(0, 0.001, portfolios)
    return alpha + factors @ betas.T + rng.normal(0, 0.015, (length, portfolios)), factors


def test_grs_equals_the_formula_written_as_an_f_test_of_restrictions():
    """The statistic is that of a likelihood ratio: |S0| and |S1| with and without intercepts."""
    returns, factors = market()
    found = grs(returns, factors)
    designs = [factors, np.column_stack([np.ones(300), factors])]
    residuals = [returns - x @ np.linalg.lstsq(x, returns, rcond=None)[0] for x in designs]
    restricted, free = (np.linalg.slogdet(e.T @ e)[1] for e in residuals)
    expected = (300 - 10 - 3) / 10 * (np.exp(restricted - free) - 1)
    assert found["statistic"] == pytest.approx(expected, rel=AGREEMENT)
    assert found["p_value"] == pytest.approx(scipy.stats.f.sf(expected, 10, 287), rel=AGREEMENT)
    assert (found["portfolios"], found["months"], found["factors"]) == (10, 300, 3)
    fits = [OLS(y, designs[1]).fit() for y in returns.T]
    mean_alpha = np.mean([abs(fit.params[0]) for fit in fits])
    assert found["mean_absolute_alpha"] == pytest.approx(mean_alpha, rel=AGREEMENT)
    assert found["mean_r2"] == pytest.approx(np.mean([fit.rsquared for fit in fits]), rel=AGREEMENT)


def test_grs_of_one_portfolio_is_the_square_of_its_plain_t():
    returns, factors = market(portfolios=1)
    fit = OLS(returns[:, 0], np.column_stack([np.ones(300), factors])).fit()
    found = grs(returns, factors)
    assert found["statistic"] == pytest.approx(fit.tvalues[0] ** 2, rel=AGREEMENT)
    assert found["p_value"] == pytest.approx(fit.pvalues[0], rel=1e-8)


def test_grs_rejects_a_true_model_as_often_as_it_says():
    rng = np.random.default_rng(2)
    p_values = []
    for _ in range(400):
        factors = rng.normal(0.005, 0.04, (60, 1))
        returns = factors + rng.normal(0, 0.02, (60, 5))
        p_values.append(grs(returns, factors)["p_value"])
    # Exact under normality, so p is uniform: a test of that at 1 in 10,000.
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 1e-4


def test_grs_needs_months_and_leaves_out_incomplete_ones():
    returns, factors = market()
    returns[40:60, 3] = np.nan
    assert grs(returns, factors)["months"] == 280
    assert "statistic" not in grs(returns[:23], factors[:23])
    assert "statistic" not in grs(np.hstack([returns] * 3)[:30], factors[:30])
    assert "statistic" not in grs(returns, factors[:, [0, 0]])


def test_prices_of_risk_equal_those_of_linearmodels():
    returns, factors = market(portfolios=25)
    found = two_pass(returns, factors)
    model = LinearFactorModel(returns, factors, risk_free=True).fit(cov_type="robust")
    prices = found.monthly.mean(axis=0)
    assert prices == pytest.approx(model.risk_premia.to_numpy(), abs=AGREEMENT)
    # Its errors come from one system of moments without assuming homoscedastic residuals, so they
    # are near Shanken's, not equal.
    assert found.shanken == pytest.approx(np.asarray(model.risk_premia_se), rel=0.1)


def test_shankens_errors_are_the_formula():
    returns, factors = market(portfolios=25, seed=4)
    found = two_pass(returns, factors)
    x = np.column_stack([np.ones(300), factors])
    coefficients, *_ = np.linalg.lstsq(x, returns, rcond=None)
    residuals = returns - x @ coefficients
    z = np.column_stack([np.ones(25), coefficients[1:].T])
    prices, *_ = np.linalg.lstsq(z, returns.mean(axis=0), rcond=None)
    omega = np.cov(factors.T, ddof=0)
    projection = np.linalg.pinv(z)
    variance = projection @ (residuals.T @ residuals / 300) @ projection.T
    variance *= 1 + prices[1:] @ np.linalg.inv(omega) @ prices[1:]
    variance[1:, 1:] += omega
    assert found.monthly.mean(axis=0) == pytest.approx(prices, abs=AGREEMENT)
    assert found.shanken == pytest.approx(np.sqrt(np.diag(variance) / 299), rel=AGREEMENT)


def test_prices_of_risk_are_those_the_market_was_made_with():
    """Without alphas the price of a factor is its mean: within three errors of it."""
    rng = np.random.default_rng(6)
    factors = rng.normal([0.006, 0.003], [0.04, 0.03], (600, 2))
    betas = np.column_stack([rng.normal(1, 0.3, 30), rng.normal(0, 0.6, 30)])
    found = two_pass(factors @ betas.T + rng.normal(0, 0.02, (600, 30)), factors)
    off = (found.monthly.mean(axis=0) - [0, *factors.mean(axis=0)]) / found.shanken
    assert np.abs(off).max() < 3


def test_more_terms_than_cells_have_no_prices():
    returns, factors = market(portfolios=4)
    assert two_pass(returns, factors) is None
    assert two_pass(*(a[:25] for a in market(portfolios=25))) is None
    same = np.repeat(returns[:, :1], 6, axis=1)
    assert two_pass(same, factors[:, :1]) is None


def published(length=120, seed=8):
    """Portfolios and factors as the warehouse keeps them."""
    rng = np.random.default_rng(seed)
    ends = months(length)
    names = ("mkt", "smb", "smb_ff5", "hml", "umd", "rmw", "cma")
    factors = pl.DataFrame(
        {"month_end": ends, "rf": rng.uniform(0.001, 0.004, length)}
        | {name: rng.normal(0.004, 0.03, length) for name in names}
    )
    cells = {
        "Low": factors["mkt"] * 0.8,
        "Mid": factors["mkt"],
        "High": factors["mkt"] * 1.2,
    }
    rows = [
        pl.DataFrame({"month_end": ends, "ret": mean + rng.normal(0.003, 0.01, length)})
        .with_columns(pl.lit(cell).alias("cell"))
        .with_columns(sort=pl.lit("size_tercile"), weighting=pl.lit("value"))
        for cell, mean in cells.items()
    ]
    spread = rows[2].with_columns(ret=rows[2]["ret"] - rows[0]["ret"], cell=pl.lit("High-Low"))
    return pl.concat([*rows, spread]), factors


def test_cells_are_regressed_in_excess_of_cash_and_spreads_as_they_are():
    portfolios, factors = published()
    found = alphas(excess_series(portfolios, factors), factors)
    assert found.height == 4 * len(MODELS)
    for cell, cash in (("Low", 1.0), ("High-Low", 0.0)):
        row = found.filter(cell=cell, model="FF5").row(0, named=True)
        y = portfolios.filter(cell=cell)["ret"] - cash * factors["rf"]
        x = factors.select(pl.lit(1.0), "mkt", "smb_ff5", "hml", "rmw", "cma").to_numpy()
        fit = OLS(y.to_numpy(), x).fit(cov_type="HAC", cov_kwds={"maxlags": row["nw_lag"]})
        names = ("alpha", *(f"beta_{name}" for name in ("mkt", "smb", "hml", "rmw", "cma")))
        assert [row[name] for name in names] == pytest.approx(fit.params, abs=AGREEMENT)
        assert row["t_alpha"] == pytest.approx(fit.tvalues[0], abs=AGREEMENT)
        assert (row["beta_umd"], row["months"], row["nw_lag"]) == (None, 120, 4)


def test_alphas_of_too_few_months_or_without_a_factor_are_unknown():
    portfolios, factors = published(30)
    short = alphas(excess_series(portfolios, factors.head(23)), factors)
    assert short.filter(cell="Low")["alpha"].null_count() == len(MODELS)
    assert short.filter(cell="High-Low")["alpha"].null_count() == 0
    missing = factors.with_columns(rmw=pl.lit(None, pl.Float64))
    found = alphas(excess_series(portfolios, missing), missing)
    assert found.filter(pl.col("alpha").is_null())["model"].unique().to_list() == ["FF5"]


def test_a_sort_is_tested_on_its_cells_alone():
    portfolios, factors = published()
    series = excess_series(portfolios, factors)
    found = grs_tests(series, factors)
    assert found["model"].to_list() == [model.name for model in MODELS]
    assert set(found["portfolios"]) == {3}
    prices = risk_premia(series, factors)
    # Three cells can tell no more than an intercept and one price.
    assert prices["specification"].to_list() == ["CAPM", "CAPM"]
    assert prices["term"].to_list() == ["intercept", "mkt"]
    assert (prices["t_shanken"].abs() < prices["t_iid"].abs() + AGREEMENT).all()


def test_the_order_of_rows_changes_no_bit():
    portfolios, factors = published()
    series = excess_series(portfolios, factors)
    mixed = excess_series(portfolios.sample(fraction=1, shuffle=True, seed=2), factors.reverse())
    for compute in (alphas, grs_tests, risk_premia):
        again = compute(mixed, factors.sample(fraction=1, shuffle=True, seed=3))
        assert_frame_equal(compute(series, factors), again, check_exact=True)
