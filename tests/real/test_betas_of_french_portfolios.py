"""The three-factor regressions of Fama and French's 25 size-value portfolios."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.months import MonthRange
from factor_pipeline.sources.ken_french import KenFrench

FF3 = next(model for model in MODELS if model.name == "FF3")
SAMPLE = MonthRange.of_months(date(1963, 7, 1), date(1991, 12, 1))
LAST = MonthRange.of_months(date(1991, 12, 1), date(1991, 12, 1))

# Both are least squares in double precision over 342 months.
AGREEMENT = 1e-10


def monthly(vendor_data: Path, name: str) -> pl.DataFrame:
    source = KenFrench(vendor_data / "ken_french")
    file = next(file for file in source.files() if file.name == name)
    return source.parse(file, file.read()).frame.filter(pl.col("frequency") == "monthly")


@pytest.fixture(scope="module")
def portfolios(vendor_data) -> pl.DataFrame:
    """Value-weighted returns of the 25 portfolios, numbered in the order of the file."""
    rows = monthly(vendor_data, "202412/25_Portfolios_5x5_CSV.zip")
    assert rows["block"].n_unique() == 1
    names = rows["series"].unique(maintain_order=True).to_list()
    assert len(names) == 25
    return rows.select(
        pl.col("series")
        .replace_strict(names, range(25), return_dtype=pl.Int64)
        .alias("security_id"),
        pl.col("series").alias("name"),
        pl.col("date").alias("month_end"),
        pl.col("value").alias("ret"),
    )


@pytest.fixture(scope="module")
def factors(vendor_data) -> pl.DataFrame:
    rows = monthly(vendor_data, "202412/F-F_Research_Data_Factors_CSV.zip")
    wide = rows.pivot(on="series", index="date", values="value")
    return wide.rename(
        {"date": "month_end", "Mkt-RF": "mkt", "SMB": "smb", "HML": "hml", "RF": "rf"}
    )


@pytest.fixture(scope="module")
def estimates(portfolios, factors) -> pl.DataFrame:
    names = portfolios.select("security_id", "name").unique()
    rows = rolling_betas(portfolios, factors, LAST, models=[FF3], window_months=len(SAMPLE))
    return rows.join(names, on="security_id").sort("security_id")


def test_the_regressions_of_1993_equal_those_of_statsmodels(estimates, portfolios, factors):
    known = factors.filter(pl.col("month_end").is_between(SAMPLE.start, SAMPLE.end, "left"))
    design = sm.add_constant(known.select("mkt", "smb", "hml").to_numpy())
    assert estimates["n"].to_list() == [342] * 25
    for row in estimates.rows(named=True):
        own = portfolios.filter(pl.col("security_id") == row["security_id"])
        y = known.join(own, on="month_end", how="left", maintain_order="left")
        fit = sm.OLS((y["ret"] - y["rf"]).to_numpy(), design).fit()
        mine = [row[c] for c in ("alpha", "beta_mkt", "beta_smb", "beta_hml")]
        assert mine == pytest.approx(fit.params, abs=AGREEMENT)
        errors = [row[c] for c in ("se_alpha", "se_mkt", "se_smb", "se_hml")]
        assert errors == pytest.approx(fit.bse, abs=AGREEMENT)
        assert row["r2"] == pytest.approx(fit.rsquared, abs=AGREEMENT)
        assert row["residual_volatility"] == pytest.approx(np.sqrt(fit.mse_resid), abs=AGREEMENT)


def test_the_small_growth_portfolio_is_near_the_published_table(estimates):
    """Fama and French (1993), table 6; the library has been revised many times since."""
    row = estimates.row(0, named=True)
    assert row["name"] == "ME1 BM1"
    assert row["beta_mkt"] == pytest.approx(1.04, abs=0.05)
    assert row["beta_smb"] == pytest.approx(1.42, abs=0.05)
    assert row["beta_hml"] == pytest.approx(-0.29, abs=0.05)
    assert row["r2"] == pytest.approx(0.94, abs=0.02)


def test_betas_order_the_portfolios_by_size_and_value_as_published(estimates):
    smb = estimates["beta_smb"].to_numpy().reshape(5, 5)
    hml = estimates["beta_hml"].to_numpy().reshape(5, 5)
    assert (np.diff(smb, axis=0) < 0).all()
    assert (np.diff(hml, axis=1) > 0).all()
    assert estimates["r2"].min() > 0.83  # the table's lowest figure, big value


def test_rolling_windows_of_every_month_equal_regressions_of_their_own(portfolios, factors):
    rows = rolling_betas(portfolios, factors, SAMPLE, models=[FF3])
    assert rows.height == 25 * 342
    assert rows["reason"].null_count() == rows.height
    for row in rows.sample(60, seed=4).rows(named=True):
        own = portfolios.filter(pl.col("security_id") == row["security_id"])
        y = own.join(factors, on="month_end").filter(pl.col("month_end") <= row["month_end"])
        y = y.sort("month_end").tail(60)
        fit = sm.OLS(
            (y["ret"] - y["rf"]).to_numpy(),
            sm.add_constant(y.select("mkt", "smb", "hml").to_numpy()),
        ).fit()
        mine = [row[c] for c in ("alpha", "beta_mkt", "beta_smb", "beta_hml")]
        assert mine == pytest.approx(fit.params, abs=AGREEMENT)
        assert row["r2"] == pytest.approx(fit.rsquared, abs=AGREEMENT)
