"""Betas from daily returns against statsmodels and pandas, written from the definitions."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from factor_pipeline.compute.betas.daily import DAILY_MODELS, betas_of_every_day, daily_betas
from factor_pipeline.compute.betas.market import market_betas
from tests.unit.daily_market import factors_of, laid_out, month_range, returns_of, stock_months

# Coefficients are of order 1 and windows hold 252 days, so rounding stays near 1e-14; the
# tolerances leave room for windows that are nearly collinear.
COEFFICIENT = 1e-10
RELATIVE_ERROR = 1e-9
R2 = 1e-12

COUNT = 80
MONTHS = month_range(0, COUNT)
STOCKS = 10
OUTLIER_AT = 300


@pytest.fixture(scope="module")
def factors() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    frame = factors_of(COUNT).to_pandas().set_index("date")
    frame.index = pd.to_datetime(frame.index)
    # Fat tails, as daily factors have, and factors that move together.
    common = rng.standard_t(4, len(frame)) * 0.006
    for name in ("mkt", "smb", "hml"):
        frame[name] = 0.5 * common + rng.standard_t(4, len(frame)) * 0.005
    return frame


@pytest.fixture(scope="module")
def returns(factors) -> pd.DataFrame:
    """Days x stocks, NaN before entry, after exit and in gaps; an outlier of 10,000 in five."""
    rng = np.random.default_rng(2)
    days = len(factors)
    loadings = rng.normal(0.6, 0.5, (3, STOCKS))
    noise = rng.standard_t(4, (days, STOCKS)) * 0.015
    ret = factors[["mkt", "smb", "hml"]].to_numpy() @ loadings + noise
    first = rng.integers(0, 400, STOCKS)
    last = first + rng.integers(300, days, STOCKS)
    first[:5], last[:5] = 0, days
    day = np.arange(days)[:, None]
    ret[(day < first) | (day >= last) | (rng.random(ret.shape) < 0.04)] = np.nan
    ret[OUTLIER_AT, :5] = 10_000.0
    # Prices stay above zero.
    return pd.DataFrame(np.maximum(ret, -0.9), index=factors.index, columns=range(STOCKS))


def as_polars(factors: pd.DataFrame) -> pl.DataFrame:
    days = pl.Series("date", [day.date() for day in factors.index])
    return pl.DataFrame([days, *(pl.Series(name, factors[name].to_numpy()) for name in factors)])


@pytest.fixture(scope="module")
def grid(factors, returns):
    known = as_polars(factors)
    return laid_out(returns_of({s: returns[s].tolist() for s in returns}, known), known, MONTHS)


def columns_of(model, prefix: str) -> list[str]:
    alpha = "alpha" if prefix == "beta" else f"{prefix}_alpha"
    return [alpha, *(f"{prefix}_{loading}" for loading in model.loadings)]


def last_days(factors: pd.DataFrame) -> dict[pd.Timestamp, int]:
    """Position of the last market day of each month, by calendar month end."""
    ends = factors.index + pd.offsets.MonthEnd(0)
    return {end: int(np.flatnonzero(ends == end)[-1]) for end in ends.unique()}


def month_rows(frame: pl.DataFrame) -> pd.DataFrame:
    rows = frame.to_pandas()
    rows["month_end"] = pd.to_datetime(rows["month_end"])
    return rows.set_index(["security_id", "month_end"])


@pytest.mark.parametrize("model", DAILY_MODELS, ids=lambda model: model.name)
def test_random_windows_equal_regressions_of_their_own(model, grid, factors, returns):
    rows = stock_months(STOCKS, MONTHS)
    result = daily_betas(grid, as_polars(factors), rows, MONTHS, models=[model])
    estimates = month_rows(result)
    ends = last_days(factors)
    rng = np.random.default_rng(3)
    after_outlier = 0
    for end in rng.choice(list(ends), 20, replace=False):
        for stock in returns:
            position = ends[end]
            window = slice(max(position - 251, 0), position + 1)
            y = (returns[stock] - factors["rf"]).iloc[window].dropna()
            row = estimates.loc[(stock, end)]
            assert row["n"] == len(y)
            assert pd.isna(row["beta_mkt"]) == (len(y) < 120)
            if len(y) < 120:
                assert row["reason"] == "too_few_returns"
                continue
            fit = sm.OLS(y, sm.add_constant(factors.loc[y.index, list(model.series)])).fit()
            mine = row[columns_of(model, "beta")].to_numpy(dtype=float)
            inside = window.start <= OUTLIER_AT < window.stop and stock < 5
            # Coefficients grow with the outlier, and rounding with them.
            size = 10_000.0 if inside else 1.0
            assert mine == pytest.approx(fit.params.to_numpy(), abs=COEFFICIENT * size)
            errors = row[columns_of(model, "se")].to_numpy(dtype=float)
            assert errors == pytest.approx(fit.bse.to_numpy(), rel=RELATIVE_ERROR)
            t_values = row[columns_of(model, "t")].to_numpy(dtype=float)
            assert t_values == pytest.approx(
                fit.tvalues.to_numpy(), rel=RELATIVE_ERROR, abs=RELATIVE_ERROR
            )
            assert row["r2"] == pytest.approx(fit.rsquared, abs=R2)
            assert row["residual_volatility"] ** 2 == pytest.approx(
                fit.mse_resid, rel=RELATIVE_ERROR
            )
            after_outlier += stock < 5 and window.start > OUTLIER_AT
    assert after_outlier > 20


@pytest.mark.parametrize("model", DAILY_MODELS, ids=lambda model: model.name)
def test_every_day_and_its_absence_equal_rolling_ols(model, grid, factors, returns):
    result = betas_of_every_day(grid, as_polars(factors), MONTHS, models=[model]).to_pandas()
    result["date"] = pd.to_datetime(result["date"])
    design = sm.add_constant(factors[list(model.series)])
    for stock in (6, 8):  # without the outlier, from which RollingOLS does not recover
        theirs = RollingOLS(
            returns[stock] - factors["rf"], design, window=252, min_nobs=120, missing="drop",
            expanding=True,
        ).fit()  # fmt: skip
        mine = result[result["security_id"] == stock].set_index("date")
        shown = returns[stock].dropna().index
        assert (mine.index == shown).all()
        params, errors = theirs.params.loc[shown], theirs.bse.loc[shown]
        absent = mine["beta_mkt"].isna()
        assert (absent == params["mkt"].isna()).all()
        assert 0 < absent.sum() < len(absent)
        assert mine[columns_of(model, "beta")].to_numpy() == pytest.approx(
            params.to_numpy(), abs=COEFFICIENT, nan_ok=True
        )
        assert mine[columns_of(model, "se")].to_numpy() == pytest.approx(
            errors.to_numpy(), rel=RELATIVE_ERROR, nan_ok=True
        )
        assert mine["r2"].to_numpy() == pytest.approx(
            theirs.rsquared.loc[shown].to_numpy(), abs=R2, nan_ok=True
        )


def test_market_betas_equal_a_plain_implementation_in_pandas(grid, factors, returns):
    rows = stock_months(STOCKS, MONTHS)
    estimates = month_rows(market_betas(grid, as_polars(factors), rows, MONTHS))
    market = factors["mkt"] + factors["rf"]
    around = sm.add_constant(
        pd.DataFrame({"lag": market.shift(1), "now": market, "lead": market.shift(-1)})
    )
    log_market = np.log1p(market)
    seen = dict.fromkeys(("dimson", "fp", "volatility"), 0)
    for stock in returns:
        log_ret = np.log1p(returns[stock])
        sums = pd.DataFrame(
            {"stock": log_ret.rolling(3).sum(), "market": log_market.rolling(3).sum()}
        )
        logs = pd.DataFrame({"stock": log_ret, "market": log_market})
        for end, position in list(last_days(factors).items())[::3]:
            row = estimates.loc[(stock, end)]
            # With an outlier of 10,000 in the window, rounding is that much larger.
            size = 10_000.0 if stock < 5 and 0 <= position - OUTLIER_AT <= 253 else 1.0

            known = pd.concat([returns[stock], around], axis=1)
            explained = known.iloc[max(position - 252, 0) : position].dropna()
            assert row["n_dimson"] == len(explained)
            assert pd.isna(row["beta_dimson"]) == (len(explained) < 120)
            if len(explained) >= 120:
                fit = sm.OLS(explained[stock], explained[["const", "lag", "now", "lead"]]).fit()
                slopes = fit.params[["lag", "now", "lead"]].sum()
                assert row["beta_dimson"] == pytest.approx(slopes, abs=COEFFICIENT * size)
                seen["dimson"] += 1

            five_years = sums.iloc[max(position - 1259, 0) : position + 1].dropna()
            year = logs.iloc[max(position - 251, 0) : position + 1].dropna()
            assert row["n_correlation"] == len(five_years)
            enough = len(five_years) >= 750 and len(year) >= 120
            assert pd.isna(row["beta_frazzini_pedersen"]) != enough
            if enough:
                rho = five_years["stock"].corr(five_years["market"])
                ratio = year["stock"].std() / year["market"].std()
                assert row["correlation"] == pytest.approx(rho, abs=COEFFICIENT)
                assert row["beta_frazzini_pedersen"] == pytest.approx(
                    0.6 * rho * ratio + 0.4, abs=COEFFICIENT
                )
                seen["fp"] += 1

            simple = returns[stock].iloc[max(position - 251, 0) : position + 1].dropna()
            assert row["n_volatility"] == len(simple)
            assert pd.isna(row["volatility_252d"]) == (len(simple) < 120)
            if len(simple) >= 120:
                assert row["volatility_252d"] == pytest.approx(
                    simple.std(ddof=1) * np.sqrt(252), rel=COEFFICIENT
                )
                seen["volatility"] += 1
    assert all(count > 50 for count in seen.values())
