"""Each rule flags its fault in a handmade warehouse, and none of the sound neighbours."""

import shutil
from datetime import date, timedelta

import polars as pl
import pytest

from factor_pipeline.assets.common import Run, all_months
from factor_pipeline.assets.quality import flag
from factor_pipeline.audit.truncation import truncate
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.rules import DATA_RULES, RULES
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse
from tests.sql.faulty_market import FETCHED, LAST_PRICE, faulty_market, filed, period

SETTINGS = Settings()
FACTORS = "library/F-F_Research_Data_Factors"
MOMENTUM = "library/F-F_Momentum_Factor"
TWELFTH = date(2012, 12, 31)


def of_year(firm: str, year: int) -> tuple[str, date, date]:
    return firm, period(year), filed(year)


# What each rule flags: subject, fault_date, known_date.
EXPECTED = {
    "shares_power_of_ten": {of_year("TENFOLD", 2013)},
    "shares_off_by_split": {("UNSPLIT", date(2013, 12, 31), date(2014, 6, 2))},
    # A split after the filing explains a jump only once it is made.
    "shares_jump": {of_year("ONECLASS", 2014), of_year("UNSPLIT", 2013)},
    "negative_equity": {of_year("NEGATIVE", 2012)},
    "filing_date_unknown": {("UNDATED", TWELFTH, date(2013, 4, 30))},
    "filed_late": {("LATE", TWELFTH, date(2014, 1, 15))},
    "amended_filing": {
        ("AMENDED", TWELFTH, date(2013, 8, 1)),
        ("REFILED", TWELFTH, date(2013, 9, 2)),
        # Assumed public on 2013-04-30, repeated less than 300 days later.
        ("UNDATED", TWELFTH, date(2014, 2, 20)),
    },
    "foreign_currency": {of_year("EURO", 2012)},
    "balance_does_not_add_up": {of_year("BALANCE", 2012)},
    "figures_power_of_thousand": {of_year("THOUSANDS", 2013)},
    "repeated_figures": {of_year("COPY", 2013)},
    "missing_fiscal_year": {of_year("GAP", 2013)},
    "short_fiscal_year": {("SHORT", date(2013, 6, 30), date(2013, 9, 1))},
    "negative_revenue": {of_year("NEGREV", 2012)},
    "statement_missing": {("NOINCOME", TWELFTH, filed(2012) + timedelta(days=365))},
    "no_prices_of_filer": {("NOPRICE", period(2015), period(2015))},
    "library_month_missing": {(f"{FACTORS}: ", date(2011, 5, 31), date(2011, 6, 30))},
    "library_missing_code": {
        (f"{FACTORS}: monthly  SMB", date(2011, 8, 31), date(2011, 9, 30)),
    },
    "library_off_scale": {
        (f"{MOMENTUM}: {series}", date(2011, 12, 31), date(2011, 12, 31))
        for series in ("Mom", "Mom 2")
    },
    "library_days_against_months": {
        (f"{FACTORS}_daily: Mkt", date(2010, 3, 31), date(2010, 3, 31)),
    },
    "library_repeated_values": {(f"{MOMENTUM}: monthly ", TWELFTH, TWELFTH)},
    "member_count_jump": {
        ("members", date(2012, 5, 1), date(2012, 5, 1)),
        ("members", date(2012, 7, 2), date(2012, 7, 2)),
    },
    "future_spell": {("SOON", date(2031, 1, 1), FETCHED.date())},
    "level_stale": {("benchmark/STALE", date(2016, 10, 31), date(2016, 11, 4))},
    "level_spike_reversal": {("benchmark/SPIKE", date(2016, 11, 14), date(2016, 11, 15))},
    "level_gap": {("benchmark/GAPPY", date(2016, 11, 12), date(2016, 11, 22))},
    "level_partial_last_bar": {
        (f"etf/{symbol}", LAST_PRICE, LAST_PRICE) for symbol in ("QUOTE", "SAMEDAY")
    },
    "level_ends_early": {("etf/OLD", date(2016, 11, 25), date(2016, 11, 25))},
    "level_decimal_shift": {("benchmark/SHIFT", date(2016, 11, 28), date(2016, 11, 28))},
    "macro_constant": {
        ("CARRIED", date(2013, 5, 1), date(2013, 10, 1)),
        ("BACKED", date(2010, 1, 1), date(2010, 12, 1)),
    },
    "macro_gap": {("HOLES", date(2013, 4, 1), date(2013, 5, 1))},
    "macro_jump": {("REBASED", date(2015, 1, 1), date(2015, 1, 1))},
    "macro_future_date": {("AHEAD", date(2017, 2, 1), FETCHED.date())},
    "ticker_of_two_securities": {("TWIN2", date(2015, 3, 2), date(2015, 3, 2))},
    "listing_spell_overlap": {("OVER", date(2014, 3, 3), date(2014, 3, 3))},
    "prices_after_delisting": {("GONE", date(2012, 5, 3), date(2012, 5, 3))},
    "delisting_without_prices": {("NEVER", date(2013, 3, 1), date(2013, 3, 1))},
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    return faulty_market(tmp_path_factory.mktemp("faulty") / "warehouse.duckdb")


def flagged(warehouse: Warehouse) -> pl.DataFrame:
    with warehouse.held() as held:
        (found,) = flag.build(Run(held, SETTINGS, all_months(SETTINGS)))
    return conformed(FLAG, found)


@pytest.fixture(scope="module")
def flags(warehouse):
    return flagged(warehouse)


def dates_of(flags: pl.DataFrame, rule: str) -> set[tuple[object, ...]]:
    mine = flags.filter(pl.col("rule") == rule)
    return set(mine.select("subject", "fault_date", "known_date").rows())


@pytest.mark.parametrize("rule", EXPECTED)
def test_a_rule_flags_its_fault_and_no_sound_neighbour(flags, rule):
    assert dates_of(flags, rule) == EXPECTED[rule]


def test_all_rules_but_those_of_prices_are_tried():
    of_data = {rule.name for rule in DATA_RULES if rule.table != PRICE_DAILY.qualified_name}
    assert of_data == set(EXPECTED)


def test_a_row_is_flagged_once_by_a_rule(flags):
    assert flags.select(FLAG.key).is_unique().all()


def test_a_flag_says_what_was_seen(flags):
    mine = flags.filter(pl.col("rule") == "shares_off_by_split").row(0, named=True)
    assert mine["figure"] == pytest.approx(2.0)
    assert mine["expected"] == 1.0
    assert "the split of 2.0 is in one of them only" in mine["detail"]
    assert mine["file"] == "fundamentals/statements"
    assert flags["detail"].null_count() == 0


# On, just before and between the days on which faults come to be known.
CUTS = (
    date(2012, 5, 10),
    date(2013, 2, 20),
    date(2013, 8, 1),
    date(2014, 2, 19),
    date(2014, 2, 20),
    date(2015, 2, 28),
    date(2016, 11, 14),
)


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_a_dated_flag_follows_from_what_was_known_by_its_day(warehouse, flags, tmp_path, cut):
    copy = Warehouse(tmp_path / "cut.duckdb")
    shutil.copy(warehouse.path, copy.path)
    truncate(copy, cut, filing_lag_months=SETTINGS.panel.filing_lag_months)
    dated = pl.col("rule").is_in([name for name in EXPECTED if RULES[name].dated])
    found = flagged(copy).filter(dated)
    known = flags.filter(dated, pl.col("known_date") <= cut)
    assert not known.is_empty()
    key = ["rule", "subject", "fault_date", "known_date"]
    until_then = found.filter(pl.col("known_date") <= cut)
    assert until_then.select(key).rows() == known.select(key).rows()
