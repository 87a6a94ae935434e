"""Faults that vendors' files are known to have, each found by the rule meant for it."""

from datetime import date, datetime
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.assets.common import Run, all_months
from factor_pipeline.assets.quality import flag
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import Settings
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.sources.registry import source_of
from factor_pipeline.warehouse.store import Warehouse

# Their splits are what share counts are held against.
PRICED = {"AAPL", "AOS", "DISCA", "ENPH", "GOOG", "KHC", "MA"}
VENDORS = {
    "prices": ("alphavantage", "alphavantage/daily_adjusted"),
    "fundamentals": ("simfin", "simfin"),
    "library": ("ken_french", "ken_french"),
    "membership": ("intervals", "sp500"),
    "benchmark": ("yahoo", "benchmarks"),
    "etf": ("yahoo", "etf"),
    "macro": ("fred", "fred"),
    "listing": ("alphavantage", "alphavantage/constituents.csv"),
}


@pytest.fixture(scope="module")
def flags(vendor_data: Path, tmp_path_factory) -> pl.DataFrame:
    """Flags of all data sets but prices, of which a few are enough."""
    folder = tmp_path_factory.mktemp("known_faults")
    prices = vendor_data / "alphavantage" / "daily_adjusted"
    tickers = {path.name.removesuffix(".csv.gz"): path.name for path in prices.iterdir()}
    others = [name for ticker, name in tickers.items() if ticker not in PRICED]
    given = {
        name: {"source": source, "path": str(vendor_data / path)}
        for name, (source, path) in VENDORS.items()
    }
    given["benchmark"]["symbol"] = "^SP500TR"
    settings = Settings.model_validate({"first_month": "1999-11", **given})
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    now = datetime.fromisoformat("2026-08-03T20:00:00")
    with warehouse.held() as held:
        ingestion = Ingestion(held, RawStore(folder / "raw"), max_bad_share=0.05, now=now)
        for name in VENDORS:
            ingestion.run(name, source_of(settings, name), others if name == "prices" else ())
        (found,) = flag.build(Run(held, settings, all_months(settings)))
    return found


def of(flags: pl.DataFrame, rule: str) -> pl.DataFrame:
    return flags.filter(pl.col("rule") == rule)


def found(flags: pl.DataFrame, subject: str, *rules: str) -> list[tuple[str, int, date, float]]:
    """Rule, year of the fault, day it was known and rounded figure, by year."""
    mine = flags.filter(pl.col("subject") == subject, pl.col("rule").is_in(rules))
    return [
        (rule, day.year, known, round(figure, 2))
        for rule, day, known, figure in mine.sort("fault_date", "rule")
        .select("rule", "fault_date", "known_date", "figure")
        .iter_rows()
    ]


SHARE_RULES = ("shares_power_of_ten", "shares_off_by_split", "shares_jump")


def test_discovery_is_counted_by_one_share_class_from_2014_on(flags):
    """357 million shares become 43 million of class A: book-to-market of 70."""
    assert found(flags, "DISCA", *SHARE_RULES) == [
        ("shares_jump", 2014, date(2015, 2, 19), 0.12),
        ("shares_jump", 2017, date(2018, 2, 28), 0.19),
        ("shares_jump", 2018, date(2019, 3, 1), 4.33),
    ]


def test_enphase_is_counted_without_preferred_stock_before_its_offering(flags):
    assert ("shares_jump", 2012, date(2013, 3, 5), 24.49) in found(flags, "ENPH", *SHARE_RULES)


def test_mastercard_before_2011_lacks_the_split_of_2014(flags):
    assert found(flags, "MA", *SHARE_RULES) == [
        ("shares_off_by_split", 2011, date(2014, 1, 22), 9.76),
        ("shares_power_of_ten", 2011, date(2012, 2, 16), 9.76),
    ]


def test_google_before_2012_lacks_a_split_that_its_new_class_does_not_show(flags):
    assert found(flags, "GOOG", *SHARE_RULES) == [("shares_jump", 2012, date(2013, 1, 29), 2.03)]


def test_a_o_smith_changes_its_basis_four_times(flags):
    jumps = found(flags, "AOS", "shares_off_by_split")
    assert [(year, figure) for _, year, _, figure in jumps] == [
        (2011, 2.02),
        (2013, 0.5),
        (2015, 1.97),
        (2016, 0.49),
    ]


def test_a_merger_and_a_booked_split_are_no_fault_of_the_count(flags):
    """Kraft Heinz doubled its shares and more than doubled its assets in 2015; Apple split."""
    assert [year for _, year, *_ in found(flags, "KHC", *SHARE_RULES)] == [2016]
    assert found(flags, "AAPL", *SHARE_RULES) == []


def test_statements_in_thousands_and_copies_of_a_year(flags):
    thousands = of(flags, "figures_power_of_thousand")
    assert {"RAVE", "GRPN", "KANP"} <= set(thousands["subject"])
    assert set(of(flags, "repeated_figures").filter(pl.col("subject") == "HD")["fault_date"]) == {
        date(2015, 1, 31),
        date(2016, 1, 31),
    }


def test_publication_is_unknown_late_or_before_the_figures(flags):
    late = of(flags, "filed_late")
    assert late["figure"].max() == 863
    assert late["figure"].min() >= 365
    assert of(flags, "filing_date_unknown").height == 122
    assert of(flags, "amended_filing")["figure"].max() < 300


def test_negative_equity_is_flagged_wherever_it_is(flags):
    assert of(flags, "negative_equity").height == 1313
    assert (of(flags, "negative_equity")["figure"] < 0).all()


def test_balance_sheets_add_up_and_are_in_dollars(flags):
    assert of(flags, "balance_does_not_add_up").is_empty()
    assert of(flags, "foreign_currency").is_empty()


def test_all_fund_files_end_on_a_quote_of_the_open_exchange(flags):
    partial = of(flags, "level_partial_last_bar")
    assert partial["fault_date"].unique().to_list() == [date(2026, 8, 3)]
    assert set(partial["subject"]) == {
        f"etf/{symbol}" for symbol in ("SPY", "VTV", "VUG", "MTUM", "QUAL", "USMV", "IWM", "IJS")
    }


def test_consumer_prices_lack_october_2025_and_holidays_are_no_gap(flags):
    gaps = of(flags, "macro_gap").select("subject", "fault_date", "known_date").rows()
    assert gaps == [("CPIAUCSL", date(2025, 10, 1), date(2025, 11, 1))]
    for rule in ("macro_jump", "macro_constant", "macro_future_date"):
        assert of(flags, rule).is_empty()


def test_the_library_is_whole_but_for_portfolios_that_had_no_firms(flags):
    for rule in ("library_month_missing", "library_off_scale", "library_repeated_values"):
        assert of(flags, rule).is_empty()
    missing = of(flags, "library_missing_code")
    assert missing["subject"].str.contains("Portfolios_Formed_on_BE-ME").all()
    assert missing["subject"].str.contains("<= ?0").all()
    daily = of(flags, "library_days_against_months")
    assert daily["fault_date"].to_list() == [date(1931, 9, 30)]


def test_benchmarks_end_before_the_prices_and_stay_in_range(flags):
    early = of(flags, "level_ends_early").sort("subject")
    assert early["subject"].to_list() == ["benchmark/SPY", "benchmark/^SP500TR"]
    for rule in ("level_spike_reversal", "level_gap", "level_decimal_shift"):
        assert of(flags, rule).is_empty()


def test_the_index_has_about_five_hundred_members_throughout(flags):
    assert of(flags, "member_count_jump").is_empty()
    assert of(flags, "future_spell").is_empty()
