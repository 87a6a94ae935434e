"""Ranks and types of French's portfolios and of well-known stocks, from real files."""

from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.exposures import exposures
from factor_pipeline.compute.tilts import Tilt, tilted
from factor_pipeline.months import MonthRange
from tests.real.test_betas_of_french_portfolios import estimates, factors, portfolios

__all__ = ["estimates", "factors", "portfolios"]

FF3 = next(model for model in MODELS if model.name == "FF3")
SMALL_VALUE = Tilt(
    name="small_value", above={"beta_smb": 0, "beta_hml": 0}, rank_by=("beta_smb", "beta_hml")
)
TICKERS = ["AAPL", "AFL", "AMZN", "JPM", "KO", "RF", "WMT", "XOM"]


def test_the_25_portfolios_have_the_types_of_their_names(estimates):
    # Fama and French (1993), table 6, 1963-07 to 1991-12; here of the 202412 vintage.
    # Rows of five: from small to big, and in each from low to high book-to-market.
    found = exposures(estimates, FF3)
    assert found["stock_type"][[0, 4, 20, 24]].to_list() == [
        "small growth",
        "small value",
        "large growth",
        "large value",
    ]
    # In the paper SMB slopes fall from row to row: the five smallest have the five highest, the
    # five largest the five lowest. The lowest HML slope of each row is that of its growth column.
    assert sorted(found["rank_smb"][:5]) == [1, 2, 3, 4, 5]
    assert sorted(found["rank_smb"][20:]) == [21, 22, 23, 24, 25]
    assert sorted(found["rank_hml"][::5]) == [21, 22, 23, 24, 25]


@pytest.fixture(scope="module")
def betas(vendor_data, factors) -> pl.DataFrame:
    """Betas of eight stocks from 60 months to 2016-12 and 2019-12, on the 202412 vintage."""
    series = []
    for number, ticker in enumerate(TICKERS):
        path = vendor_data / "alphavantage" / "daily_adjusted" / f"{ticker}.csv.gz"
        closes = pl.read_csv(path, try_parse_dates=True).sort("timestamp")
        monthly = closes.group_by(
            pl.col("timestamp").dt.month_end().alias("month_end"), maintain_order=True
        ).agg(pl.col("adjusted_close").last())
        series.append(
            monthly.select(
                "month_end",
                security_id=pl.lit(number, pl.Int64),
                ret=pl.col("adjusted_close").pct_change(),
            )
        )
    panel = pl.concat(series)
    months = [MonthRange.of_months(date(y, 12, 1), date(y, 12, 1)) for y in (2016, 2019)]
    return pl.concat(rolling_betas(panel, factors, month, models=[FF3]) for month in months)


def by_ticker(frame: pl.DataFrame, column: str, year: int) -> dict[str, object]:
    rows = frame.filter(pl.col("month_end").dt.year() == year)
    return {TICKERS[security]: value for security, value in rows["security_id", column].rows()}


@pytest.mark.parametrize("year", [2016, 2019])
def test_banks_and_oil_are_value_and_technology_is_growth(betas, year):
    found = exposures(betas, FF3)
    types, ranks = by_ticker(found, "stock_type", year), by_ticker(found, "rank_hml", year)
    assert [ticker for ticker in ranks if ranks[ticker] <= 3] == ["JPM", "RF", "XOM"]
    assert (ranks["RF"], ranks["AAPL"], ranks["AMZN"]) == (1, 7, 8)
    assert {types["AAPL"], types["AMZN"], types["KO"], types["WMT"]} == {"large growth"}


@pytest.mark.parametrize("year", [2016, 2019])
def test_regions_financial_leads_the_small_value_tilt_and_aflac_is_in_it(betas, year):
    picked = by_ticker(tilted(betas, [SMALL_VALUE]), "rank", year)
    assert picked["RF"] == 1
    assert "AFL" in picked
    assert not picked.keys() & {"AAPL", "AMZN", "KO", "WMT"}
