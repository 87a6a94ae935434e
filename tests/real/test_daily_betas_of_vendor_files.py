"""Betas from real daily prices and the library's daily factors."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.compute.betas.daily import daily_betas
from factor_pipeline.compute.betas.market import market_betas
from factor_pipeline.compute.betas.market_days import DailyReturns, MarketDays
from factor_pipeline.compute.returns import daily_returns, settled_returns
from factor_pipeline.months import MonthRange
from factor_pipeline.sources.alphavantage import AlphaVantageDaily
from factor_pipeline.sources.ken_french import KenFrench

MONTHS = MonthRange.of_months(date(2004, 12, 1), date(2019, 12, 1))
TICKERS = ("AAPL", "AIG", "KO", "NEM", "XOM")

# Both are least squares in double precision over 252 days.
AGREEMENT = 1e-10


@pytest.fixture(scope="module")
def factors(vendor_data: Path) -> pl.DataFrame:
    source = KenFrench(vendor_data / "ken_french")
    name = "202512/F-F_Research_Data_Factors_daily_CSV.zip"
    file = next(file for file in source.files() if file.name == name)
    rows = source.parse(file, file.read()).frame
    assert rows["data_set"].unique().to_list() == ["F-F_Research_Data_Factors_daily"]
    assert rows["frequency"].unique().to_list() == ["daily"]
    wide = rows.pivot(on="series", index="date", values="value")
    return wide.rename({"Mkt-RF": "mkt", "SMB": "smb", "HML": "hml", "RF": "rf"})


@pytest.fixture(scope="module")
def returns(vendor_data: Path) -> pl.DataFrame:
    source = AlphaVantageDaily(vendor_data / "alphavantage" / "daily_adjusted")
    wanted = {f"{ticker}.csv.gz": number for number, ticker in enumerate(TICKERS)}
    frames = [
        source.parse(file, file.read()).frame.with_columns(
            security_id=pl.lit(wanted[file.name], dtype=pl.Int64)
        )
        for file in source.files()
        if file.name in wanted
    ]
    return settled_returns(daily_returns(pl.concat(frames)), dispute="null")


@pytest.fixture(scope="module")
def grid(returns, factors) -> DailyReturns:
    return DailyReturns.of(returns, MarketDays.of(factors, MONTHS))


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    ends = pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True)
    stocks = pl.DataFrame({"security_id": range(len(TICKERS))}, schema={"security_id": pl.Int64})
    return pl.DataFrame({"month_end": ends.dt.month_end()}).join(stocks, how="cross")


def test_the_library_has_every_day_that_stocks_have_a_price_on(returns, factors):
    assert returns.join(factors, on="date", how="anti").is_empty()


def test_random_windows_equal_regressions_of_their_own(grid, returns, factors, rows):
    estimates = daily_betas(grid, factors, rows, MONTHS)
    assert estimates["reason"].null_count() == estimates.height
    for row in estimates.sample(60, seed=4).rows(named=True):
        calendar = factors.filter(pl.col("date") <= row["month_end"]).sort("date").tail(252)
        own = returns.filter(pl.col("security_id") == row["security_id"])
        y = calendar.join(own, on="date", maintain_order="left").drop_nulls("ret")
        names = ["mkt", "smb", "hml"][: 1 if row["model"] == "CAPM" else 3]
        fit = sm.OLS(
            (y["ret"] - y["rf"]).to_numpy(), sm.add_constant(y.select(names).to_numpy())
        ).fit()
        mine = [row[name] for name in ("alpha", *(f"beta_{name}" for name in names))]
        assert mine == pytest.approx(fit.params, abs=AGREEMENT)
        assert row["se_mkt"] == pytest.approx(fit.bse[1], abs=AGREEMENT)
        assert row["r2"] == pytest.approx(fit.rsquared, abs=AGREEMENT)
        assert row["residual_volatility"] == pytest.approx(np.sqrt(fit.mse_resid), abs=AGREEMENT)
        assert row["n"] == y.height


def test_figures_are_what_is_known_of_these_stocks(grid, factors, rows):
    figures = market_betas(grid, factors, rows, MONTHS)
    assert figures.select(pl.col("^reason_.*$")).null_count().row(0) == (figures.height,) * 3

    def of(ticker: str, column: str) -> pl.Series:
        own = figures.filter(pl.col("security_id") == TICKERS.index(ticker))
        return own.sort("month_end")[column]

    for column in ("beta_dimson", "beta_frazzini_pedersen"):
        assert 0.4 < of("KO", column).mean() < 0.8
        assert 1.0 < of("AAPL", column).mean() < 1.5
    # The year of the crisis: AIG lost 61 % in a day.
    crisis = figures.filter(pl.col("month_end") == date(2009, 6, 30))
    volatility = dict(crisis.select("security_id", "volatility_252d").iter_rows())
    assert volatility[TICKERS.index("AIG")] > 1.5
    assert 0.2 < volatility[TICKERS.index("KO")] < 0.5
    # Stocks this large trade without delay: the two days around add little.
    capm = daily_betas(grid, factors, rows, MONTHS).filter(pl.col("model") == "CAPM")
    both = capm.join(figures, on=["security_id", "month_end"])
    assert (both["beta_dimson"] - both["beta_mkt"]).abs().median() < 0.15
