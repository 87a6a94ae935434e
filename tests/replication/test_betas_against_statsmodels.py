"""Rolling betas against statsmodels: RollingOLS on calendars, OLS on random windows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from factor_pipeline.compute.betas.models import FACTORS, MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.months import MonthRange

# Coefficients are of order 1 and windows hold 60 months, so rounding stays near 1e-14; the
# tolerances leave room for windows that are nearly collinear.
COEFFICIENT = 1e-10
RELATIVE_ERROR = 1e-9
R2 = 1e-12

MONTHS = pd.date_range("1987-03-31", periods=230, freq="ME")


def factors(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.standard_t(5, len(MONTHS)) * 0.02
    columns = {name: common * 0.3 + rng.standard_t(5, len(MONTHS)) * 0.03 for name in FACTORS}
    return pd.DataFrame({"rf": 0.001 + 0.003 * rng.random(len(MONTHS)), **columns}, index=MONTHS)


def returns(stocks: int = 12, seed: int = 2) -> pd.DataFrame:
    """Months x stocks, NaN before entry, after exit and in gaps."""
    rng = np.random.default_rng(seed)
    known = factors()
    loadings = rng.normal(0.5, 0.7, (len(FACTORS), stocks))
    noise = rng.standard_t(4, (len(MONTHS), stocks)) * 0.08
    ret = known[list(FACTORS)].to_numpy() @ loadings + noise
    first = rng.integers(0, 120, stocks)
    last = first + rng.integers(20, 230, stocks)
    month = np.arange(len(MONTHS))[:, None]
    ret[(month < first) | (month >= last) | (rng.random(ret.shape) < 0.04)] = np.nan
    return pd.DataFrame(ret, index=MONTHS, columns=range(stocks))


def ours(ret: pd.DataFrame, known: pd.DataFrame) -> pl.DataFrame:
    """Betas of a panel with a row for every stock and month, with or without a return."""
    panel = (
        ret.rename_axis("month_end")
        .reset_index()
        .melt("month_end", var_name="security_id", value_name="ret")
    )
    frame = pl.DataFrame(
        {
            "month_end": panel["month_end"].dt.date.to_list(),
            "security_id": panel["security_id"].astype("int64").to_numpy(),
            "ret": panel["ret"].to_numpy(),
        }
    )
    named = pl.DataFrame(
        {"month_end": [day.date() for day in known.index]}
        | {name: known[name].to_numpy() for name in known}
    )
    first, last = (day.date() for day in (MONTHS[0], MONTHS[-1]))
    return rolling_betas(frame, named, MonthRange.of_months(first, last))


def columns_of(model, prefix: str) -> list[str]:
    alpha = "alpha" if prefix == "beta" else f"{prefix}_alpha"
    return [alpha, *(f"{prefix}_{loading}" for loading in model.loadings)]


def compare(rows: pd.DataFrame, model, params, bse, tvalues, rsquared, residual_variance) -> None:
    assert rows[columns_of(model, "beta")].to_numpy() == pytest.approx(
        params, abs=COEFFICIENT, nan_ok=True
    )
    assert rows[columns_of(model, "se")].to_numpy() == pytest.approx(
        bse, rel=RELATIVE_ERROR, nan_ok=True
    )
    assert rows[columns_of(model, "t")].to_numpy() == pytest.approx(
        tvalues, rel=RELATIVE_ERROR, abs=RELATIVE_ERROR, nan_ok=True
    )
    assert rows["r2"].to_numpy() == pytest.approx(rsquared, abs=R2, nan_ok=True)
    assert rows["residual_volatility"].to_numpy() ** 2 == pytest.approx(
        residual_variance, rel=RELATIVE_ERROR, nan_ok=True
    )


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_all_statistics_and_their_absence_equal_rolling_ols(model):
    ret, known = returns(), factors()
    rows = ours(ret, known).filter(pl.col("model") == model.name).to_pandas()
    design = sm.add_constant(known[list(model.series)])
    estimated = 0
    for stock in ret:
        theirs = RollingOLS(
            ret[stock] - known["rf"], design, window=60, min_nobs=24, missing="drop", expanding=True
        ).fit()
        mine = rows[rows["security_id"] == stock]
        assert len(mine) == len(MONTHS)
        absent = mine["beta_mkt"].isna().to_numpy()
        assert (absent == theirs.params["mkt"].isna().to_numpy()).all()
        assert ((mine["n"] < 24).to_numpy() == absent).all()
        compare(
            mine,
            model,
            theirs.params.to_numpy(),
            theirs.bse.to_numpy(),
            theirs.tvalues.to_numpy(),
            theirs.rsquared.to_numpy(),
            theirs.mse_resid.to_numpy(),
        )
        estimated += int((~absent).sum())
    assert 0 < estimated < ret.size


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_windows_after_a_return_of_ten_thousand_equal_regressions_of_their_own(model):
    ret, known = returns(), factors()
    struck = ret.notna().to_numpy()[100].nonzero()[0]
    assert len(struck) > 2
    ret.iloc[100, struck] = 10_000.0
    rows = ours(ret, known).filter(pl.col("model") == model.name).to_pandas()
    rows = rows.set_index(["security_id", "month_end"])
    rng = np.random.default_rng(3)
    checked = 0
    for stock in struck:
        for end in rng.choice(np.arange(160, len(MONTHS)), 8, replace=False):
            window = slice(end - 59, end + 1)
            y = (ret[stock] - known["rf"]).iloc[window].dropna()
            row = rows.loc[[(stock, MONTHS[end])]]
            assert row["n"].item() == len(y)
            if len(y) < 24:
                continue
            fit = sm.OLS(y, sm.add_constant(known.loc[y.index, list(model.series)])).fit()
            compare(
                row,
                model,
                fit.params.to_numpy()[None, :],
                fit.bse.to_numpy()[None, :],
                fit.tvalues.to_numpy()[None, :],
                [fit.rsquared],
                [fit.mse_resid],
            )
            checked += 1
    assert checked > 10
