"""The whole pipeline on real vendor files: what a first study on them gives."""

import shutil
from datetime import date

import polars as pl
import pytest

from factor_pipeline.assets.common import Run
from factor_pipeline.definitions import table_assets
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.settings import load_settings
from factor_pipeline.warehouse.store import Warehouse
from tests.pipeline.conftest import Home, published_tables

SETTINGS = """
first_month = "1999-11"
last_month = "2021-04"
[prices]
source = "alphavantage"
path = "{data}/alphavantage/daily_adjusted"
[fundamentals]
source = "simfin"
path = "{data}/simfin"
[library]
source = "ken_french"
path = "{data}/ken_french"
vintage = "202412"
[membership]
source = "intervals"
path = "{data}/sp500"
[benchmark]
source = "yahoo"
path = "{data}/benchmarks"
symbol = "^SP500TR"
[etf]
source = "yahoo"
path = "{data}/etf"
[macro]
source = "fred"
path = "{data}/fred"
[listing]
source = "alphavantage"
path = "{data}/alphavantage/constituents.csv"
[panel]
splices = [{{vendor_id = "ANTM", date = 2001-10-30}}]
"""


@pytest.fixture(scope="module")
def home(vendor_data, tmp_path_factory) -> Home:
    folder = tmp_path_factory.mktemp("vendor")
    config = folder / "settings.toml"
    config.write_text(SETTINGS.format(data=vendor_data.as_posix()))
    home = Home(folder / "home", config)
    result = home.run("run")
    assert result.returncode == 0, result.stderr
    return home


@pytest.fixture(scope="module")
def tables(home) -> dict[str, pl.DataFrame]:
    return published_tables(home.published)


def own_and_library(tables, factor, library_factor, first, last):
    returns = tables["factor.factor_return"].filter(pl.col("month_end").is_between(first, last))
    own = returns.filter(pl.col("source") == "own", pl.col("factor") == factor)
    library = returns.filter(
        pl.col("source") == "library",
        pl.col("vintage") == "202412",
        pl.col("factor") == library_factor,
    )
    return own.join(library, on="month_end", suffix="_library")


@pytest.mark.parametrize(
    ("factor", "library_factor", "first", "months", "least"),
    [
        # Bounds set before building, from a first study on these files (0.98, 0.75, 0.60, 0.94).
        ("MKT", "MKT", date(2010, 7, 1), 129, 0.97),
        ("HML", "HML", date(2010, 7, 1), 129, 0.70),
        ("SMB", "SMB", date(2010, 7, 1), 129, 0.55),
        ("UMD_EW", "UMD", date(2000, 12, 1), 244, 0.92),
        # Some five points below the first measurement (0.92, 0.65, 0.75, 0.40). A hundred large
        # firms on each side, without banks, share little of the library's profitability factor.
        ("UMD", "UMD", date(2009, 2, 1), 146, 0.87),
        ("SMB_FF5", "SMB_FF5", date(2010, 7, 1), 129, 0.60),
        ("CMA", "CMA", date(2010, 7, 1), 129, 0.70),
        ("RMW", "RMW", date(2009, 7, 1), 141, 0.35),
    ],
)
def test_own_factors_follow_the_library(tables, factor, library_factor, first, months, least):
    pair = own_and_library(tables, factor, library_factor, first, date(2021, 3, 31))
    assert pair.height == months
    assert pair.select(pl.corr("ret", "ret_library")).item() >= least


def test_the_comparison_says_how_many_months_and_stocks_are_behind_a_factor(tables):
    rows = tables["factor.comparison"].filter(vintage="202412").sort("factor")
    assert dict(rows.select("factor", "months").iter_rows()) == {
        "CMA": 129,
        "HML": 129,
        "MKT": 145,
        "RMW": 141,
        "SMB": 129,
        "SMB_FF5": 129,
        "UMD": 146,
        "UMD_EW": 244,
    }
    stocks = dict(rows.select("factor", "stocks").iter_rows())
    assert all(200 < stocks[factor] < 240 for factor in ("HML", "RMW", "CMA"))
    assert stocks["SMB_FF5"] <= stocks["SMB"] <= stocks["MKT"] < 504


def test_every_factor_has_returns_and_premia_depend_on_the_method(tables):
    check = tables["quality.check_result"].filter(check_name="own_factors_are_there")
    assert check["passed"].item(), check["observed"].item()
    spread = tables["factor.method_spread"]
    assert spread["factor"].sort().to_list() == ["CMA", "HML", "RMW", "SMB", "UMD"]
    assert (spread["minimum"] <= spread["default_premium"]).all()
    assert (spread["maximum"] >= spread["default_premium"]).all()
    assert (spread["deviation_between"] > 0).all()


def test_apple_is_worth_what_it_was_worth(tables):
    row = tables["panel.security_month"].filter(
        pl.col("ticker") == "AAPL", pl.col("month_end") == date(2012, 12, 31)
    )
    assert 480e9 <= row["market_equity"].item() <= 520e9


def test_true_crashes_stay(tables):
    panel = tables["panel.security_month"]
    aig = panel.filter(pl.col("ticker") == "AIG", pl.col("month_end") == date(2008, 9, 30))
    apple = panel.filter(pl.col("ticker") == "AAPL", pl.col("month_end") == date(2000, 9, 30))
    assert aig["ret"].item() < -0.8
    assert apple["ret"].item() < -0.5


def test_one_file_is_in_quarantine_and_nothing_else_is_lost(tables):
    prices = tables["quality.quarantine"].filter(pl.col("data_set") == "prices")
    assert prices["file"].to_list() == ["prices/BF.B.csv.gz"]
    assert tables["raw.price_daily"]["vendor_id"].n_unique() == 504
    assert tables["panel.security_month"]["ticker"].n_unique() == 504


def test_the_partial_last_month_is_flagged_and_not_used(tables):
    last = tables["panel.security_month"].filter(pl.col("month_end") == date(2021, 4, 30))
    assert last.height == 504
    assert last["ret"].null_count() == 504
    assert last["flags"].str.contains("partial_month").all()
    assert tables["backtest.backtest_return"]["month_end"].max() == date(2021, 3, 31)


def test_days_on_which_the_vendor_contradicts_itself_are_reported(tables):
    days = set(tables["panel.price_check"].select("ticker", "date").rows())
    assert len(days) >= 12
    assert ("HBI", date(2015, 3, 4)) in days
    assert ("JCI", date(2007, 7, 2)) in days
    assert ("TRMB", date(2007, 2, 23)) in days


def test_two_companies_under_one_ticker_are_two_securities(tables):
    spliced = tables["panel.security"].filter(pl.col("vendor_id") == "ANTM")
    assert spliced["security_id"].n_unique() == 2
    october = tables["panel.security_month"].filter(
        pl.col("ticker") == "ANTM", pl.col("month_end") == date(2001, 10, 31)
    )
    # The old company's last days and the new one's first two; no return joins them.
    assert october.height == 2
    assert october["ret"].drop_nulls().abs().max() < 0.2


def test_survivorship_is_said(tables):
    june = tables["panel.index_coverage"].filter(pl.col("month_end") == date(2010, 6, 30))
    assert june["members"].item() == 499
    assert june["with_price"].item() <= 313
    check = tables["quality.check_result"].filter(pl.col("check_name") == "survivorship")
    assert not check["passed"].item()


def test_another_vintage_is_said_to_be_another_vintage(tables):
    check = tables["quality.check_result"].filter(
        pl.col("check_name") == "reproduced_from_six_portfolios"
    )
    assert check["passed"].item()
    assert "1 factors rebuilt within a vintage, 0 beyond rounding" in check["observed"].item()


def test_twelve_months_one_by_one_equal_one_range_run(home, tmp_path):
    work = tmp_path / "warehouse.duckdb"
    shutil.copy(home.folder / "warehouse.duckdb", work)
    warehouse, settings = Warehouse(work), load_settings(home.config)
    monthly = [asset for asset in table_assets(settings) if asset.monthly]
    tables = [table for asset in monthly for table in asset.tables]
    before = {table.qualified_name: warehouse.table(table) for table in tables}
    last = date(2021, 4, 1)
    for back in range(11, -1, -1):
        month = add_months(last, -back)
        run = Run(warehouse, settings, MonthRange(month, add_months(month, 1)))
        for asset in monthly:
            for table, frame in zip(asset.tables, asset.build(run), strict=True):
                warehouse.replace_months(table, frame, run.months, **dict(asset.scope))
    for table in tables:
        assert warehouse.table(table).equals(before[table.qualified_name]), table.qualified_name


def test_a_second_run_with_nothing_new_changes_no_row(home, tables):
    result = home.run("run")
    assert result.returncode == 0
    assert "Nothing new" in result.stdout
    for name, table in published_tables(home.published).items():
        assert table.equals(tables[name]), name
