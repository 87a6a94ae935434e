"""Statistics of the Fama-French data beside published figures and independent estimates."""

from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from linearmodels import FamaMacBeth
from linearmodels.asset_pricing import LinearFactorModel, TradedFactorModel
from statsmodels.regression.linear_model import OLS

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.alphas import alphas, excess_series, grs_tests
from factor_pipeline.compute.statistics.cross_sections import cross_sections
from factor_pipeline.compute.statistics.description import describe
from factor_pipeline.compute.statistics.fama_macbeth import risk_premia
from factor_pipeline.compute.statistics.joint import two_pass
from factor_pipeline.compute.statistics.regression import newey_west
from factor_pipeline.sources.ken_french import KenFrench

VINTAGE = "202412"
FIRST, LAST, MONTHS = date(1963, 7, 31), date(1991, 12, 31), 342
SORT = "size_value_5x5"

# Two ways to solve well-conditioned equations in double precision.
AGREEMENT = 1e-10
# Thirty years of revisions: what this edition differs by, with some room for the next ones.
PUBLISHED_GRS, GRS_OF_THIS_VINTAGE, REVISIONS = 1.56, 1.4834, 0.15
MEAN_REVISIONS, T_REVISIONS = 0.03, 0.2


def monthly(vendor_data: Path, name: str) -> pl.DataFrame:
    source = KenFrench(vendor_data / "ken_french")
    file = next(file for file in source.files() if file.name == f"{VINTAGE}/{name}_CSV.zip")
    return source.parse(file, file.read()).frame.filter(pl.col("frequency") == "monthly")


@pytest.fixture(scope="module")
def factors(vendor_data) -> pl.DataFrame:
    """Factors under the names of the models; RMW and CMA are left out, UMD is its own file."""
    three = monthly(vendor_data, "F-F_Research_Data_Factors")
    momentum = monthly(vendor_data, "F-F_Momentum_Factor")
    wide = pl.concat([three, momentum]).pivot(on="series", index="date", values="value")
    names = {"Mkt-RF": "mkt", "SMB": "smb", "HML": "hml", "RF": "rf", "Mom": "umd"}
    unknown = pl.lit(None, pl.Float64)
    return wide.rename({"date": "month_end", **names}).with_columns(
        smb_ff5=unknown, rmw=unknown, cma=unknown
    )


@pytest.fixture(scope="module")
def portfolios(vendor_data) -> pl.DataFrame:
    """The 25 size-value portfolios in the sample of Fama and French (1993)."""
    rows = monthly(vendor_data, "25_Portfolios_5x5")
    sample = rows.filter(pl.col("date").is_between(FIRST, LAST))
    return sample.select(
        pl.lit(SORT).alias("sort"),
        pl.lit("value").alias("weighting"),
        pl.col("series").alias("cell"),
        pl.col("date").alias("month_end"),
        pl.col("value").alias("ret"),
    )


@pytest.fixture(scope="module")
def series(portfolios, factors):
    return excess_series(portfolios, factors)


@pytest.fixture(scope="module")
def sample(factors) -> pl.DataFrame:
    return factors.filter(pl.col("month_end").is_between(FIRST, LAST)).sort("month_end")


def test_the_grs_statistic_of_1993_is_near_the_published_one(series, factors):
    """Fama and French (1993), table 9c: F of 1.56 for three factors on 25 portfolios, p of 0.039.

    They had the database of 1992. The library is revised with each edition, and what that changes
    in single months moves a statistic of 25 small alphas in the first decimal: the edition of
    December 2024 gives 1.483 (p of 0.067) for July 1963 to December 1991.
    """
    found = grs_tests(series, factors).filter(model="FF3").row(0, named=True)
    assert (found["portfolios"], found["months"], found["factors"]) == (25, MONTHS, 3)
    assert found["statistic"] == pytest.approx(PUBLISHED_GRS, abs=REVISIONS)
    assert found["statistic"] == pytest.approx(GRS_OF_THIS_VINTAGE, abs=0.0005)
    assert found["mean_r2"] == pytest.approx(0.93, abs=0.01)


def test_the_grs_statistic_equals_linearmodels_and_a_likelihood_ratio(series, factors, sample):
    found = grs_tests(series, factors).filter(model="FF3").row(0, named=True)
    x = sample.select("mkt", "smb", "hml").to_numpy()
    designs = [x, np.column_stack([np.ones(MONTHS), x])]
    residuals = [series.values - d @ np.linalg.lstsq(d, series.values)[0] for d in designs]
    restricted, free = (np.linalg.slogdet(e.T @ e)[1] for e in residuals)
    ratio = np.exp(restricted - free) - 1
    assert found["statistic"] == pytest.approx((MONTHS - 28) / 25 * ratio, rel=AGREEMENT)
    theirs = TradedFactorModel(series.values, x).fit(cov_type="robust")
    assert found["mean_absolute_alpha"] == pytest.approx(np.abs(theirs.alphas).mean())


def test_alphas_and_their_errors_equal_statsmodels(series, factors, sample):
    found = alphas(series, factors)
    for model in MODELS[:3]:
        x = np.column_stack([np.ones(MONTHS), sample.select(model.series).to_numpy()])
        for at, cell in enumerate(series.names["cell"]):
            row = found.filter(cell=cell, model=model.name).row(0, named=True)
            fit = OLS(series.values[:, at], x).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
            assert (row["nw_lag"], row["months"]) == (5, MONTHS)
            assert row["alpha"] == pytest.approx(fit.params[0], abs=AGREEMENT)
            assert row["t_alpha"] == pytest.approx(fit.tvalues[0], abs=AGREEMENT)
            assert row["r2"] == pytest.approx(fit.rsquared, abs=AGREEMENT)
    assert found.filter(model="FF5")["alpha"].null_count() == 25


def test_newey_west_t_of_hml_with_six_lags_equals_statsmodels(factors):
    hml = factors.sort("month_end")["hml"].to_numpy()
    fit = newey_west(hml[:, None], lag=6)
    theirs = OLS(hml, np.ones(len(hml))).fit(cov_type="HAC", cov_kwds={"maxlags": 6})
    assert fit.t[0, 0] == pytest.approx(theirs.tvalues[0], rel=AGREEMENT)


def test_average_premia_of_1963_to_1991_are_near_the_published_ones(sample):
    """Fama and French (1993), table 2: percent per month (and t) of RMO-RF, SMB, HML."""
    returns = sample.unpivot(["mkt", "smb", "hml"], index="month_end", variable_name="factor")
    found = describe(returns.rename({"value": "ret"}), ["factor"], []).filter(period="full")
    rows = {row["factor"]: row for row in found.iter_rows(named=True)}
    for name, mean, t in (("mkt", 0.43, 1.76), ("smb", 0.27, 1.73), ("hml", 0.40, 2.91)):
        assert rows[name]["mean"] * 100 == pytest.approx(mean, abs=MEAN_REVISIONS)
        assert rows[name]["t_iid"] == pytest.approx(t, abs=T_REVISIONS)
        assert rows[name]["months"] == MONTHS


def test_the_crash_of_momentum_is_where_it_was(factors):
    """Daniel and Moskowitz (2016): worst in July and August 1932, then in spring 2009."""
    momentum = factors.select("month_end", ret="umd", factor=pl.lit("UMD"))
    rows = {r["period"]: r for r in describe(momentum, ["factor"], []).iter_rows(named=True)}
    ret = momentum.drop_nulls().sort("month_end")
    wealth = np.concatenate([[1.0], np.cumprod(1 + ret["ret"].to_numpy())])
    fall = wealth / np.maximum.accumulate(wealth) - 1
    assert rows["full"]["max_drawdown"] == pytest.approx(fall.min(), abs=AGREEMENT)
    assert rows["full"]["drawdown_trough"] == ret["month_end"][int(fall.argmin()) - 1]
    assert rows["full"]["drawdown_peak"] == date(1932, 6, 30)
    assert rows["1930s"]["worst_month"] == rows["full"]["worst_month"] == -0.5205
    assert rows["2000s"]["drawdown_trough"] == date(2009, 9, 30)
    assert rows["2000s"]["drawdown_recovery"] is None


def test_prices_of_risk_equal_those_of_linearmodels(series, factors, sample):
    x = sample.select("mkt", "smb", "hml").to_numpy()
    theirs = LinearFactorModel(series.values, x, risk_free=True).fit(cov_type="robust")
    found = risk_premia(series, factors).filter(specification="FF3")
    assert found["term"].to_list() == ["intercept", "mkt", "smb", "hml"]
    assert found["mean"].to_numpy() == pytest.approx(theirs.risk_premia.to_numpy(), abs=AGREEMENT)
    fit = two_pass(series.values, x)
    assert found["t_shanken"].to_numpy() == pytest.approx(found["mean"].to_numpy() / fit.shanken)
    # Its errors allow for heteroscedastic residuals, Shanken's do not.
    assert fit.shanken == pytest.approx(np.asarray(theirs.risk_premia_se), rel=0.25)


def test_cross_sections_of_portfolios_equal_linearmodels(series):
    """Each month's returns on those of the month before and the mean of the twelve before it."""
    values = series.values
    past = np.array([values[t - 12 : t].mean(axis=0) for t in range(12, MONTHS)])
    frame = pd.DataFrame(
        {
            "ret": values[12:].ravel(),
            "intercept": 1.0,
            "last": values[11:-1].ravel(),
            "year": past.ravel(),
        },
        index=pd.MultiIndex.from_product(
            [series.month_ends.to_list()[12:], range(25)], names=["month", "portfolio"]
        ).set_levels(pd.to_datetime(series.month_ends.to_list()[12:]), level=0),
    )
    ours = cross_sections(
        frame["ret"].to_numpy(), frame[["last", "year"]].to_numpy(), np.full(MONTHS - 12, 25)
    )
    panel = frame.swaplevel().sort_index()
    model = FamaMacBeth(panel["ret"], panel[["intercept", "last", "year"]])
    theirs = model.fit(cov_type="kernel", bandwidth=5, debiased=False)
    means = newey_west(ours.slopes, lag=5)
    assert means.coefficients[:, 0] == pytest.approx(theirs.params.to_numpy(), abs=AGREEMENT)
    assert means.errors[:, 0] == pytest.approx(theirs.std_errors.to_numpy(), rel=AGREEMENT)
