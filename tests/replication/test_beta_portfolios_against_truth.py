"""What ranks and portfolios made from estimated betas say about the true betas of a market."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.compute.beta_portfolios import beta_portfolio_returns
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.exposures import exposures
from factor_pipeline.compute.tilts import Tilt, tilted
from factor_pipeline.months import MonthRange

FF3 = next(model for model in MODELS if model.name == "FF3")
STOCKS, YEARS = 400, 12
ESTIMATED = MonthRange.of_months(date(2005, 1, 1), date(2011, 12, 1))
HELD = MonthRange.of_months(date(2005, 2, 1), date(2011, 12, 1))


@pytest.fixture(scope="module")
def factors() -> pl.DataFrame:
    """Twelve years of three independent factors."""
    ends = pl.date_range(date(2000, 1, 1), date(2011, 12, 1), "1mo", eager=True).dt.month_end()
    rng = np.random.default_rng(21)
    drawn = {name: rng.normal(0.004, 0.03, len(ends)) for name in ("mkt", "smb", "hml")}
    return pl.DataFrame({"month_end": ends, "rf": np.full(len(ends), 0.002)} | drawn)


@pytest.fixture(scope="module")
def true() -> pl.DataFrame:
    """Betas that never change."""
    rng = np.random.default_rng(22)
    spread = {"mkt": (1.0, 0.4), "smb": (0.0, 0.7), "hml": (0.0, 0.7)}
    return pl.DataFrame(
        {"security_id": np.arange(STOCKS)}
        | {f"true_{name}": rng.normal(*moments, STOCKS) for name, moments in spread.items()}
    )


@pytest.fixture(scope="module")
def panel(factors, true) -> pl.DataFrame:
    """Returns that the factors and a noise of 7 % a month make."""
    rng = np.random.default_rng(23)
    noise = rng.normal(0, 0.07, (factors.height, STOCKS))
    explained = (
        factors.select("mkt", "smb", "hml").to_numpy() @ true.drop("security_id").to_numpy().T
    )
    return pl.DataFrame(
        {
            "month_end": factors["month_end"].gather(np.repeat(np.arange(factors.height), STOCKS)),
            "security_id": np.tile(np.arange(STOCKS), factors.height),
            "ret": (0.002 + explained + noise).ravel(),
        }
    )


@pytest.fixture(scope="module")
def estimates(panel, factors) -> pl.DataFrame:
    return rolling_betas(panel, factors, ESTIMATED, models=[FF3])


def test_stock_types_are_the_true_ones_where_betas_are_clear(estimates, true):
    last = estimates.filter(pl.col("month_end") == date(2011, 12, 31))
    found = exposures(last, FF3).join(true, on="security_id")
    # Standard errors are near 0.07 / (0.03 sqrt(60)) = 0.3: a beta of 1 has its sign for sure.
    clear = found.filter(pl.col("true_smb").abs() > 1, pl.col("true_hml").abs() > 1)
    size = np.where(clear["true_smb"] > 0, "small", "large")
    value = np.where(clear["true_hml"] > 0, "value", "growth")
    assert clear.height > 5
    assert clear["stock_type"].to_list() == [
        " ".join(pair) for pair in zip(size, value, strict=True)
    ]


@pytest.mark.parametrize("loading", FF3.loadings)
def test_ranks_follow_the_true_betas_as_far_as_noise_allows(estimates, true, loading):
    last = estimates.filter(pl.col("month_end") == date(2011, 12, 31))
    found = exposures(last, FF3).join(true, on="security_id")
    correlation = np.corrcoef(found[f"percentile_{loading}"], found[f"true_{loading}"])[0, 1]
    # Of variances s2 of true betas and 0.3 squared of errors: sqrt(s2 / (s2 + 0.09)) is .80 for
    # the market and .92 for the others; a rank correlation is a little lower.
    assert correlation > {"mkt": 0.7, "smb": 0.85, "hml": 0.85}[loading]
    assert correlation < 0.97


def test_the_small_value_tilt_holds_stocks_that_truly_are(estimates, true):
    tilt = Tilt(
        name="small_value",
        above={"beta_smb": 0, "beta_hml": 0},
        rank_by=("beta_smb", "beta_hml"),
        top=20,
    )
    picked = tilted(estimates, [tilt]).join(true, on="security_id")
    assert picked.group_by("month_end").len()["len"].unique().to_list() == [20]
    right = picked.filter(pl.col("true_smb") > 0, pl.col("true_hml") > 0).height
    # A quarter of all stocks are. At an estimate of 0.65, the 80th percentile, a true beta has mean
    # 0.54 and deviation 0.28: both are above 0 for 95 %, and for more at the top. Two windows that
    # do not overlap hold some 40 stocks, so that the share has a standard error near 0.03.
    assert right > 0.88 * picked.height


@pytest.fixture(scope="module")
def sorted_stocks(panel, estimates) -> pl.DataFrame:
    """Stocks with the betas of the month before."""
    next_month = pl.col("month_end").dt.offset_by("1mo").dt.month_end()
    return panel.join(
        estimates.with_columns(next_month), on=["month_end", "security_id"]
    ).with_columns(lagged_market_equity=pl.lit(1.0), exchange=pl.lit(None, dtype=pl.String))


@pytest.mark.parametrize("loading", FF3.loadings)
def test_a_spread_moves_with_its_factor_as_far_as_true_betas_are_apart(
    loading, sorted_stocks, factors, true
):
    rule = BreakpointRule(basis="all")
    found = beta_portfolio_returns(sorted_stocks, FF3, HELD, breakpoint_rule=rule)
    spread = found.filter(
        pl.col("loading") == f"beta_{loading}",
        pl.col("cell") == "Q5-Q1",
        pl.col("weighting") == "equal",
    ).join(factors, on="month_end")
    assert spread.height == len(HELD) == 83
    fit = sm.OLS(
        spread["ret"].to_numpy(), sm.add_constant(spread.select(FF3.loadings).to_numpy())
    ).fit()
    # Sorted again here, from the true betas of whom the estimates put into either fifth.
    name = f"beta_{loading}"
    ranked = sorted_stocks.join(true, on="security_id").with_columns(
        place=pl.col(name).rank("ordinal").over("month_end")
    )
    truly = ranked.select(
        pl.col(f"true_{loading}").filter(pl.col("place") > STOCKS * 0.8).mean()
        - pl.col(f"true_{loading}").filter(pl.col("place") <= STOCKS * 0.2).mean()
    ).item()
    estimated = ranked.select(
        pl.col(name).filter(pl.col("place") > STOCKS * 0.8).mean()
        - pl.col(name).filter(pl.col("place") <= STOCKS * 0.2).mean()
    ).item()
    slope, error = (values[1 + FF3.loadings.index(loading)] for values in (fit.params, fit.bse))
    assert abs(slope - truly) < 4 * error
    # Sorting on noise makes estimates look further apart than the truth is.
    assert slope < estimated - 4 * error
