"""The known faults of real price files are flagged by the rule meant for them."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.returns import daily_returns, disputed
from factor_pipeline.sources.alphavantage import AlphaVantageDaily
from tests.unit.price_days import as_stored, flags_in, warehouse_of

# Those with a known fault, true crashes, and others that make the calendar.
TICKERS = (
    *("AAPL", "AIG", "ANTM", "APTV", "CMCSA", "FMC", "GNRC", "HBI", "HIG", "IRM", "JCI", "LDOS"),
    *("MNST", "MSFT", "PENN", "SPGI", "TMUS", "TRMB", "TTWO", "TYL", "VAR", "WST", "XOM", "ZBRA"),
)


@pytest.fixture(scope="module")
def prices(vendor_data: Path) -> pl.DataFrame:
    source = AlphaVantageDaily(vendor_data / "alphavantage" / "daily_adjusted")
    wanted = [file for file in source.files() if file.name.removesuffix(".csv.gz") in TICKERS]
    assert len(wanted) == len(TICKERS)
    return as_stored(pl.concat(source.parse(file, file.read()).frame for file in wanted))


@pytest.fixture(scope="module")
def flags(prices, tmp_path_factory) -> pl.DataFrame:
    return flags_in(warehouse_of(prices, tmp_path_factory.mktemp("real")))


def of(flags: pl.DataFrame, rule: str) -> list[tuple[str, date]]:
    return flags.filter(pl.col("rule") == rule).select("subject", "fault_date").rows()


@pytest.mark.parametrize(
    ("rule", "subject", "day"),
    [
        ("dividend_and_split_same_day", "HBI", date(2015, 3, 4)),
        ("dividend_and_split_same_day", "JCI", date(2007, 7, 2)),
        ("dividend_like_spin_off", "PENN", date(2013, 11, 4)),
        ("extreme_return", "AAPL", date(2000, 9, 29)),
        ("extreme_return", "AIG", date(2008, 9, 15)),
        ("spike_reversal", "CMCSA", date(2004, 8, 2)),
        ("spike_reversal", "IRM", date(2006, 2, 2)),
        ("split_on_wrong_day", "TRMB", date(2007, 2, 23)),
        ("split_without_price_move", "ANTM", date(2002, 3, 18)),
        ("split_without_price_move", "GNRC", date(2010, 2, 12)),
        ("stale_price", "TYL", date(2000, 11, 8)),
        ("unbooked_split", "ANTM", date(2005, 6, 2)),
        ("unbooked_split", "TRMB", date(2007, 2, 26)),
        ("unbooked_split", "WST", date(2004, 9, 30)),
        ("zero_volume", "VAR", date(2021, 4, 15)),
        ("missing_day", "SPGI", date(2007, 8, 16)),
        ("ends_early", "VAR", date(2021, 4, 16)),
    ],
)
def test_a_known_fault_is_found_by_the_rule_meant_for_it(flags, rule, subject, day):
    assert (subject, day) in of(flags, rule)


@pytest.mark.parametrize(
    ("rule", "only"),
    [
        ("ticker_splice", [("ANTM", date(2001, 10, 30))]),
        ("partial_last_month", [("every series", date(2021, 4, 21))]),
        ("split_on_wrong_day", [("TRMB", date(2007, 2, 23))]),
        ("decimal_shift", []),
        ("same_prices_as_another", []),
        ("day_off_calendar", []),
        ("partial_last_bar", []),
    ],
)
def test_nothing_else_is_found_by_rules_of_rare_faults(flags, rule, only):
    assert of(flags, rule) == only


@pytest.mark.parametrize(
    ("ticker", "day"), [("AIG", date(2008, 9, 15)), ("AAPL", date(2000, 9, 29))]
)
def test_a_true_crash_is_called_extreme_and_nothing_worse(flags, ticker, day):
    own = flags.filter(pl.col("subject") == ticker, pl.col("fault_date") == day)
    assert own["rule"].to_list() == ["extreme_return"]
    assert set(flags["severity"]) == {"warn"}


def test_the_adjusted_close_disagrees_on_the_days_of_the_price_check(prices, flags):
    days = disputed(daily_returns(prices.with_columns(security_id=pl.col("vendor_id"))))
    assert days.height > 5
    assert (
        of(flags, "adjusted_close_disagrees")
        == days.select("vendor_id", "date").sort("vendor_id", "date").rows()
    )
