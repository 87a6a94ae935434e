from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.fundamentals import balance_facts
from factor_pipeline.compute.identity import securities
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.raw import DELISTING, INDEX_MEMBER, LISTING
from factor_pipeline.sources.alphavantage import AlphaVantageDaily
from factor_pipeline.sources.simfin import SimFin

TICKERS = ("AAPL", "AES", "AIG", "ANTM", "C", "DLR", "EQIX", "GE", "HBI", "JCI", "MSFT", "O", "XOM")
MONTHS = MonthRange(date(1999, 11, 1), date(2021, 5, 1))
RULES = PanelRules(max_fundamental_age_months=18, delisting_return="-30%", disputed_return="null")
SPLICE = ("ANTM", date(2001, 10, 30))

# The vendor rounds its adjusted close to 4 digits or more: the largest difference of any month
# of the 504 tickers but one is 9e-6, 99.9 % are below 1e-6.
ADJUSTED_CLOSE_ROUNDING = 1e-5


@pytest.fixture(scope="module")
def prices(vendor_data: Path) -> pl.DataFrame:
    source = AlphaVantageDaily(vendor_data / "alphavantage" / "daily_adjusted")
    wanted = [file for file in source.files() if file.name.removesuffix(".csv.gz") in TICKERS]
    assert len(wanted) == len(TICKERS)
    return pl.concat([source.parse(file, file.read()).frame for file in wanted])


@pytest.fixture(scope="module")
def names(prices) -> pl.DataFrame:
    spells = prices.group_by("vendor_id", "ticker").agg(
        valid_from=pl.col("date").min(), valid_to=pl.col("date").max()
    )
    firms = pl.DataFrame(schema={"vendor_id": pl.String, "firm": pl.String})
    return securities(spells, LISTING.empty(), firms, DELISTING.empty(), [SPLICE])


@pytest.fixture(scope="module")
def daily(prices, names) -> pl.DataFrame:
    by_day = names.select("vendor_id", "valid_from", "security_id").sort("valid_from", "vendor_id")
    return prices.sort("date", "vendor_id").join_asof(
        by_day, left_on="date", right_on="valid_from", by="vendor_id", check_sortedness=False
    )


@pytest.fixture(scope="module")
def panel(vendor_data, daily, names) -> pl.DataFrame:
    source = SimFin(vendor_data / "simfin")
    (balance,) = (
        source.parse(file, file.read()).frame
        for file in source.files()
        if file.name == "us-balance-annual.zip"
    )
    current = names.sort("valid_from").unique("vendor_id", keep="last")
    facts = balance_facts(
        balance.join(current.select("vendor_id", "security_id"), on="vendor_id"),
        filing_lag_months=4,
        deferred_taxes="until_1993",
    )
    inputs = PanelInputs(
        prices=daily,
        securities=names,
        facts=facts,
        splits=daily.filter(pl.col("split") != 1).select("security_id", "date", "split"),
        members=INDEX_MEMBER.empty(),
        data_end=daily["date"].max(),
    )
    return security_months(inputs, MONTHS, RULES)


def test_returns_are_those_of_the_vendors_adjusted_close(daily, panel):
    ends = (
        daily.sort("security_id", "date")
        .group_by("security_id", month_end=pl.col("date").dt.month_end(), maintain_order=True)
        .agg(pl.col("adjusted_close").last())
        .with_columns(
            vendor=(pl.col("adjusted_close") / pl.col("adjusted_close").shift() - 1).over(
                "security_id"
            )
        )
    )
    known = panel.filter(pl.col("ret").is_not_null()).join(ends, on=["security_id", "month_end"])
    assert known.height > 3000
    assert (known["ret"] - known["vendor"]).abs().max() < ADJUSTED_CLOSE_ROUNDING


@pytest.mark.parametrize(
    ("ticker", "month_end"),
    [("HBI", date(2015, 3, 31)), ("JCI", date(2007, 7, 31))],
)
def test_a_month_in_which_the_vendor_contradicts_itself_has_no_return(panel, ticker, month_end):
    row = row_of(panel, ticker, month_end)
    assert (row["ret"], row["flags"]) == (None, "disputed_return")


@pytest.mark.parametrize(
    ("ticker", "month_end", "lowest", "highest"),
    [("AIG", date(2008, 9, 30), -0.9, -0.8), ("AAPL", date(2000, 9, 30), -0.6, -0.5)],
)
def test_true_crashes_stay(panel, ticker, month_end, lowest, highest):
    assert lowest < row_of(panel, ticker, month_end)["ret"] < highest


def test_a_company_spliced_before_another_is_a_security_of_its_own(panel):
    rows = panel.filter(pl.col("ticker") == "ANTM").sort("month_end", "last_date")
    in_october = rows.filter(pl.col("month_end") == date(2001, 10, 31))
    assert in_october["security_id"].n_unique() == 2
    assert in_october["last_date"].to_list() == [date(2001, 10, 29), date(2001, 10, 31)]
    assert in_october["ret"].is_null().to_list() == [False, True]


def test_apple_is_worth_half_a_trillion_at_the_end_of_2012(panel):
    row = row_of(panel, "AAPL", date(2012, 12, 31))
    assert row["price"] == 532.1729
    assert row["market_equity"] == pytest.approx(497.5e9, rel=1e-3)


def test_months_end_on_the_day_the_rule_says(daily):
    last = daily.group_by(month_end=pl.col("date").dt.month_end()).agg(pl.col("date").max())
    complete = last.filter(pl.col("month_end") < date(2021, 4, 1))
    assert complete.height == 257
    assert [day for end, day in complete.iter_rows() if last_trading_day(end) != day] == []


def test_only_the_last_month_is_partial(panel):
    partial = panel.filter(pl.col("flags").str.contains("partial_month"))
    assert partial["month_end"].unique().to_list() == [date(2021, 4, 30)]
    assert partial["ret"].null_count() == partial.height == len(TICKERS)


def row_of(panel: pl.DataFrame, ticker: str, month_end: date) -> dict[str, object]:
    here = (pl.col("ticker") == ticker) & (pl.col("month_end") == month_end)
    return panel.row(by_predicate=here, named=True)
