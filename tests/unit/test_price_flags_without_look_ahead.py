"""Dated flags of prices: the same from data that end on any later day, and in any order."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.sources.simulated.data_sets import data_sets
from tests.unit.faulty_market import MARKET, faulty
from tests.unit.price_days import DATED, as_stored, flags_in, warehouse_of

CUTS = 15


@pytest.fixture(scope="module")
def prices() -> pl.DataFrame:
    return faulty(data_sets(MARKET)["prices"], 1)


@pytest.fixture(scope="module")
def flags(prices, tmp_path_factory) -> pl.DataFrame:
    return flags_in(warehouse_of(prices, tmp_path_factory.mktemp("all")))


def dated(flags: pl.DataFrame, until: date) -> pl.DataFrame:
    # What is known of a flag: its key, its day and its figures.
    kept = flags.filter(pl.col("rule").is_in(DATED), pl.col("known_date") <= until)
    return kept.drop("file")


def test_every_dated_rule_has_a_case(flags):
    assert set(flags["rule"]) >= DATED


def test_a_fault_is_not_known_before_it_happens(flags):
    late = flags.filter(pl.col("known_date") < pl.col("fault_date"))
    assert late.is_empty()


def test_data_that_end_on_a_day_give_the_flags_known_on_it(prices, flags, tmp_path):
    draw = np.random.default_rng(2)
    # The day a flag becomes known and those around it are where a rule that looks ahead shows.
    known = flags.filter(pl.col("rule").is_in(DATED))["known_date"].unique().sort()
    offsets = draw.choice([-1, 0, 0, 0, 1], CUTS)
    days = [
        known[int(at)] + timedelta(days=int(offset))
        for at, offset in zip(draw.integers(0, len(known), CUTS), offsets, strict=True)
    ]
    warehouse = warehouse_of(prices, tmp_path)
    for day in sorted(days):
        warehouse.replace(PRICE_DAILY, prices.filter(pl.col("date") <= day))
        assert_frame_equal(dated(flags_in(warehouse), day), dated(flags, day), check_exact=True)


def test_the_order_of_rows_changes_nothing(prices, flags, tmp_path):
    shuffled = prices.sample(fraction=1.0, shuffle=True, seed=1)
    assert_frame_equal(flags_in(warehouse_of(shuffled, tmp_path)), flags, check_exact=True)


def test_the_size_of_blocks_changes_nothing(prices, flags, tmp_path, monkeypatch):
    monkeypatch.setattr("factor_pipeline.assets.quality_prices._ROWS_AT_ONCE", 1_500)
    assert_frame_equal(flags_in(warehouse_of(prices, tmp_path)), flags, check_exact=True)


def test_a_market_without_faults_has_only_what_it_tells(tmp_path):
    """Single days without a price, and halts, are part of the simulated market."""
    flags = flags_in(warehouse_of(as_stored(data_sets(MARKET)["prices"]), tmp_path))
    told = {"missing_day", "price_gap_months", "ends_early"}
    assert set(flags["rule"]) <= told
    assert set(flags["severity"]) <= {"warn"}
