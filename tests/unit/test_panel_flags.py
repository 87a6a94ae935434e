"""Flags of data quality in the panel, and the months the settings exclude."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.common import Run
from factor_pipeline.assets.panel import security, security_month
from factor_pipeline.assets.quality import flag
from factor_pipeline.checks.catalogue import rule
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.flag import FLAG, RULE
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.registry import RAW_TABLES
from factor_pipeline.settings import Settings
from factor_pipeline.sources.simulated.data_sets import data_sets
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.faulty_market import MARKET, faulty

MONTHS = MonthRange.of_months(date(2004, 1, 1), date(2006, 12, 1))
EXCLUDE = ["spike_reversal", "unbooked_split", "missing_day"]


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> Warehouse:
    """Prices, the flags the rules give them, and securities."""
    store = Warehouse(tmp_path_factory.mktemp("found") / "work.duckdb")
    store.prepare([*RAW_TABLES, RULE, FLAG, SECURITY, BOOK_EQUITY, SECURITY_MONTH])
    store.replace(PRICE_DAILY, faulty(data_sets(MARKET)["prices"], 1))
    return looked_at(store)


@pytest.fixture
def warehouse(found, tmp_path) -> Warehouse:
    return Warehouse(Path(shutil.copy(found.path, tmp_path)))


def settings_of(**quality: object) -> Settings:
    return Settings.model_validate({"quality": quality})


def looked_at(warehouse: Warehouse) -> Warehouse:
    """Fill what the panel needs from the prices."""
    with warehouse.held() as held:
        for table, asset in ((RULE, rule), (FLAG, flag), (SECURITY, security)):
            (frame,) = asset.build(Run(held, Settings(), MONTHS))
            held.replace(table, frame)
    return warehouse


def panel(warehouse: Warehouse, settings: Settings, *ranges: MonthRange) -> pl.DataFrame:
    """Build the months of ``ranges`` one after another, all months unless told."""
    with warehouse.held() as held:
        frames = [
            security_month.build(Run(held, settings, months))[0] for months in ranges or [MONTHS]
        ]
    return pl.concat(frames).sort("security_id", "month_end")


def named(name: str) -> pl.Expr:
    return pl.col("flags").str.split(",").list.contains(name).fill_null(value=False)


def test_flags_lie_in_the_month_in_which_they_became_known(warehouse):
    frame = panel(warehouse, settings_of())
    flags, spells = warehouse.table(FLAG), warehouse.table(SECURITY)
    ids = dict(spells.select("vendor_id", "security_id").iter_rows())
    dated = flags.join(warehouse.table(RULE).filter("dated").select("rule"), on="rule")
    expected = {
        (
            ids[row["subject"]],
            MonthRange.of_months(row["known_date"], row["known_date"]),
            row["rule"],
        )
        for row in dated.iter_rows(named=True)
    }
    got = {
        (row["security_id"], MonthRange.of_months(row["month_end"], row["month_end"]), name)
        for row in frame.drop_nulls("flags").iter_rows(named=True)
        for name in row["flags"].split(",")
        if name in set(dated["rule"])
    }
    assert len(got) > 100
    assert got == expected
    assert not frame["flags"].str.contains("ends_early").any()


def test_flags_change_no_number(warehouse):
    flagged = panel(warehouse, settings_of())
    warehouse.replace(FLAG, FLAG.empty())
    clean = panel(warehouse, settings_of())
    assert_frame_equal(flagged.drop("flags"), clean.drop("flags"), check_exact=True)
    assert flagged["flags"].null_count() < clean["flags"].null_count()


def test_excluded_rules_take_the_return_and_nothing_else(warehouse):
    every, some = panel(warehouse, settings_of()), panel(warehouse, settings_of(exclude=EXCLUDE))
    chosen = every.select(pl.any_horizontal(named(one) for one in EXCLUDE)).to_series()
    assert chosen.sum() > 20
    assert every.filter(chosen)["ret"].count() > 10
    assert some.filter(chosen)["ret"].null_count() == chosen.sum()
    assert some.select(named("excluded")).to_series().equals(chosen)
    kept = ["ret", "flags", "delisting_return"]
    assert_frame_equal(some.filter(~chosen), every.filter(~chosen), check_exact=True)
    assert_frame_equal(some.drop(kept), every.drop(kept), check_exact=True)


def test_single_rows_can_be_excluded_by_ticker_or_vendor_id(warehouse):
    every = panel(warehouse, settings_of())
    row = every.filter(pl.col("ret").is_not_null(), pl.col("month_end") > date(2005, 1, 1)).row(
        0, named=True
    )
    vendor_id = warehouse.table(SECURITY).filter(pl.col("security_id") == row["security_id"])[
        "vendor_id"
    ][0]
    first = row["month_end"].replace(day=20)
    days = {"first_day": first, "last_day": first + timedelta(days=20), "reason": "seen"}
    for name in ({"ticker": row["ticker"]}, {"vendor_id": vendor_id}):
        some = panel(warehouse, settings_of(exclusions=[days | name]))
        gone = some.filter(named("excluded"))
        own = gone.filter(pl.col("security_id") == row["security_id"])
        assert own["month_end"].to_list() == [
            row["month_end"],
            add_months(row["month_end"], 2) - timedelta(days=1),
        ]
        assert gone["ret"].null_count() == gone.height == own.height


def test_months_one_by_one_equal_the_range_bit_for_bit(warehouse):
    settings = settings_of(exclude=EXCLUDE)
    every = [add_months(MONTHS.start, i) for i in range(len(MONTHS))]
    parts = panel(warehouse, settings, *(MonthRange.of_months(m, m) for m in every))
    assert_frame_equal(parts, panel(warehouse, settings), check_exact=True)


@pytest.mark.parametrize("cut", [date(2004, 8, 31), date(2005, 6, 30), date(2006, 3, 31)])
def test_prices_that_end_on_a_day_give_the_same_rows_up_to_it(warehouse, cut):
    settings = settings_of(exclude=EXCLUDE)
    whole = panel(warehouse, settings).filter(pl.col("month_end") <= cut)
    warehouse.replace(PRICE_DAILY, warehouse.table(PRICE_DAILY).filter(pl.col("date") <= cut))
    past = panel(looked_at(warehouse), settings).filter(pl.col("month_end") <= cut)
    assert_frame_equal(past, whole, check_exact=True)
    assert past["flags"].count() > 20
