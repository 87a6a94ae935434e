"""Rules of results, on a handmade panel of sixty firms over six years."""

import math
from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from factor_pipeline.assets.common import Run, all_months
from factor_pipeline.assets.distributions import distribution
from factor_pipeline.assets.quality import result_flag
from factor_pipeline.builds import settings_json
from factor_pipeline.schemas.distribution import DISTRIBUTION
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.quality import BUILD
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.rules import RESULT_RULES, RULES
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse
from tests.sql.small_market import Row, filled, month_ends

SETTINGS = Settings()
MONTHS = month_ends(2010, 1, 72)
FIRMS = range(1, 61)
MAY, AUGUST = date(2012, 5, 31), date(2012, 8, 31)
LOOSE = date(2014, 1, 31)
OVERVALUED, RECOUNTED, DELISTED, DOUBLED, ONE_CLASS, CHEAP = 1, 2, 3, 4, 5, 6


def ret(firm: int, i: int) -> float:
    return 0.05 * math.sin(7 * i) + 0.02 * math.sin(firm * i)


def panel() -> list[Row]:
    rows = []
    for firm in FIRMS:
        value = 100.0
        for i, month in enumerate(MONTHS):
            growth = 1 + ret(firm, i)
            row: Row = {"security_id": firm, "firm_id": firm, "month_end": month, "flags": None}
            if firm == DELISTED and month == date(2013, 6, 30):
                # The loss after the last price is in the return and not in market equity.
                rows.append(row | {"ret": -0.5, "delisting_return": -0.5, "market_equity": value})
                break
            if firm == DOUBLED and month == date(2013, 3, 31):
                growth = 2.0
            value *= growth
            if firm == RECOUNTED and month == date(2013, 3, 31):
                value *= 2
            shown = value * 400 if firm == OVERVALUED and MAY <= month < AUGUST else value
            known = not (month == date(2014, 2, 28) and firm > 50) and month != MONTHS[-1]
            row |= {"ret": growth - 1 if known else None, "market_equity": shown}
            rows.append(row | {"firm_market_equity": shown, "price": shown, "shares": 1.0})
    return rows


def characteristics() -> list[Row]:
    ratios = {ONE_CLASS: 12.0, CHEAP: 9.9}
    return [
        {
            "security_id": firm,
            "month_end": month,
            "book_to_market": ratio if date(2012, 7, 1) < month < date(2013, 7, 1) else 0.5,
        }
        for firm, ratio in ratios.items()
        for month in MONTHS
    ]


def market(i: int) -> float:
    return 0.04 * math.sin(5 * i)


def factors() -> list[Row]:
    """Own factors follow the library's, value only until it is turned round."""
    rows = []
    for i, month in enumerate(MONTHS):
        own = {"MKT": market(i), "HML": 0.03 * math.cos(3 * i)}
        noise = 0.004 * math.sin(11 * i)
        library = {
            "MKT": own["MKT"] + noise,
            "HML": (own["HML"] if month < LOOSE else -own["HML"]) + noise,
        }
        for source, vintage, values in (("own", None, own), ("library", "201512", library)):
            rows += [
                {"month_end": month, "factor": name, "source": source, "vintage": vintage, "ret": r}
                for name, r in values.items()
            ]
    return rows


def benchmark() -> list[Row]:
    """Levels that follow the market, and from a day on those of another series."""
    rows, level = [], 100.0
    for i, month in enumerate(MONTHS):
        level *= 1 + (market(i) if month < LOOSE else market(i + 1))
        rows.append({"data_set": "benchmark", "symbol": "SIMTR", "date": month})
        rows[-1] |= {"adjusted_close": level, "file": "benchmark/SIMTR"}
    return rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("results")


@pytest.fixture(scope="module")
def warehouse(folder):
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    spells = [{"security_id": i, "vendor_id": f"V{i}", "ticker": f"T{i}"} for i in FIRMS]
    # A renamed security has two spells, and is flagged once.
    spells.append(spells[0] | {"ticker": "NEW", "valid_from": date(2013, 1, 1)})
    for name, rows in {
        "panel.security": spells,
        "panel.security_month": panel(),
        "signal.characteristic": characteristics(),
        "factor.factor_return": factors(),
        "raw.benchmark_daily": benchmark(),
    }.items():
        warehouse.replace(TABLES[name], filled(TABLES[name], rows))
    return warehouse


def flagged(warehouse: Warehouse) -> pl.DataFrame:
    (found,) = result_flag.build(Run(warehouse, SETTINGS, all_months(SETTINGS)))
    return found


@pytest.fixture(scope="module")
def flags(warehouse):
    with warehouse.held() as held:
        return flagged(held)


def first_falls(low: np.ndarray, months: list[date]) -> list[date]:
    return [day for i, day in enumerate(months) if low[i] and not (i and low[i - 1])]


def rolling(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Correlations of the last 24, from the 24th on, by NumPy."""
    ends = range(24, len(first) + 1)
    return np.array([np.corrcoef(first[i - 24 : i], second[i - 24 : i])[0, 1] for i in ends])


def benchmark_falls() -> list[date]:
    theirs = [market(i) if day < LOOSE else market(i + 1) for i, day in enumerate(MONTHS)]
    ours = [market(i) for i in range(len(MONTHS))]
    # The first level has no return.
    correlations = rolling(np.array(theirs[1:]), np.array(ours[1:]))
    return first_falls(correlations < RULES["benchmark_leaves_market"].threshold, MONTHS[24:])


def value_falls() -> list[date]:
    by_source = {
        source: np.array(
            [r["ret"] for r in factors() if (r["factor"], r["source"]) == ("HML", source)]
        )
        for source in ("own", "library")
    }
    own, library = by_source["own"], by_source["library"]
    errors = []
    for end in range(60, len(MONTHS) + 1):
        now = np.corrcoef(own[end - 24 : end], library[end - 24 : end])[0, 1]
        before = np.corrcoef(own[: end - 24], library[: end - 24])[0, 1]
        fall = np.arctanh(min(before, 0.98)) - np.arctanh(min(now, 0.98))
        errors.append(fall / math.sqrt(1 / 21 + 1 / (end - 24 - 3)))
    return first_falls(np.array(errors) > RULES["factor_leaves_library"].threshold, MONTHS[59:])


EXPECTED = {
    "market_equity_share": {("V1", MAY)},
    "market_equity_jump": {("V1", MAY), ("V1", AUGUST), ("V2", date(2013, 3, 31))},
    "book_to_market_extreme": {("V5", date(2012, 7, 31))},
    "total_market_equity_jump": {("market", MAY), ("market", AUGUST)},
    "coverage_drop": {("market", date(2014, 2, 28))},
    "benchmark_leaves_market": {("benchmark/SIMTR", day) for day in benchmark_falls()},
    "factor_leaves_library": {("HML", day) for day in value_falls()},
    "distribution_shift": set(),
}


@pytest.mark.parametrize("rule", EXPECTED)
def test_a_rule_flags_its_fault_and_no_sound_neighbour(flags, rule):
    mine = flags.filter(pl.col("rule") == rule)
    assert set(mine.select("subject", "fault_date").rows()) == EXPECTED[rule]
    assert mine["fault_date"].equals(mine["known_date"].rename("fault_date"))


def test_correlations_fall_after_the_series_came_loose():
    assert [day > LOOSE for day in (*benchmark_falls(), *value_falls())] == [True, True]


def test_all_rules_of_results_are_tried(flags):
    assert {rule.name for rule in RESULT_RULES} == set(EXPECTED)
    assert flags.select(FLAG.key).is_unique().all()


@pytest.mark.parametrize("cut", [date(2012, 6, 30), date(2014, 2, 28), date(2015, 6, 30)], ids=str)
def test_a_dated_flag_follows_from_what_was_known_by_its_day(warehouse, flags, tmp_path, cut):
    copy = Warehouse(tmp_path / "cut.duckdb")
    copy.path.write_bytes(warehouse.path.read_bytes())
    for name, column in {
        "panel.security_month": "month_end",
        "signal.characteristic": "month_end",
        "factor.factor_return": "month_end",
        "raw.benchmark_daily": "date",
    }.items():
        rows = copy.table(TABLES[name])
        copy.replace(TABLES[name], rows.filter(pl.col(column) <= cut))
    with copy.held() as held:
        found = flagged(held)
    key = ["rule", "subject", "fault_date", "known_date"]
    assert found.select(key).rows() == flags.filter(pl.col("known_date") <= cut).select(key).rows()


def build(warehouse: Warehouse, settings: Settings = SETTINGS) -> pl.DataFrame:
    """Measure the panel as a build does, record the build and return what shifted."""
    run = Run(warehouse, settings, all_months(settings))
    (measured,) = distribution.build(run)
    warehouse.replace(DISTRIBUTION, measured)
    row = {
        "build": measured["build"].max(),
        "settings": settings_json(settings),
        "finished_at": datetime.fromisoformat("2016-01-15T06:00:00"),
    }
    before = warehouse.table(BUILD)
    warehouse.replace(BUILD, pl.concat([before, filled(BUILD, [row])]))
    return flagged(warehouse).filter(pl.col("rule") == "distribution_shift")


@pytest.fixture
def scratch(warehouse, tmp_path):
    copy = Warehouse(tmp_path / "builds.duckdb")
    copy.path.write_bytes(warehouse.path.read_bytes())
    with copy.held() as held:
        yield held


def edit(warehouse: Warehouse, changed: pl.Expr) -> None:
    rows = warehouse.table(SECURITY_MONTH)
    warehouse.replace(SECURITY_MONTH, rows.with_columns(changed))


IN_2012 = pl.col("month_end").dt.year() == 2012


def test_a_build_of_the_same_panel_shifts_nothing_and_the_last_ten_are_kept(scratch):
    shifted = [build(scratch).height for _ in range(12)]
    assert shifted == [0] * 12
    kept = scratch.table(DISTRIBUTION)
    assert kept["build"].unique().sort().to_list() == list(range(3, 13))
    assert kept.filter(pl.col("distance") > 0).is_empty()
    assert kept.filter(build=12)["compared_with"].unique().to_list() == [11]


def test_a_new_month_shifts_nothing(scratch):
    rows = scratch.table(SECURITY_MONTH)
    scratch.replace(SECURITY_MONTH, rows.filter(pl.col("month_end") < MONTHS[-2]))
    build(scratch)
    scratch.replace(SECURITY_MONTH, rows)
    assert build(scratch).is_empty()


def test_another_unit_shifts_its_year_and_says_from_where_to_where(scratch):
    build(scratch)
    edit(scratch, pl.when(IN_2012).then(pl.col("price") / 1000).otherwise("price").alias("price"))
    (row,) = build(scratch).iter_rows(named=True)
    assert row["subject"] == "panel.security_month.price"
    assert row["fault_date"] == date(2012, 12, 31)
    assert row["figure"] == pytest.approx(0.75)
    assert row["detail"].endswith("since build 1: rows 720 to 720, median 102.4 to 0.1024")
    # What shifted once is what the next build is held against.
    assert build(scratch).is_empty()


def test_half_the_stocks_gone_shifts_all_columns_of_all_years(scratch):
    build(scratch)
    rows = scratch.table(SECURITY_MONTH)
    scratch.replace(SECURITY_MONTH, rows.filter(pl.col("security_id") > 30))
    shifted = build(scratch)
    assert set(shifted["subject"]) == {
        f"panel.security_month.{column}" for column in ("ret", "price", "shares", "market_equity")
    }
    assert shifted["fault_date"].dt.year().unique().sort().to_list() == list(range(2010, 2016))


def test_other_settings_are_said_and_raise_no_alarm(scratch):
    build(scratch)
    edit(scratch, (pl.col("price") * 1000).alias("price"))
    other = Settings.model_validate({"panel": {"filing_lag_months": 6}})
    assert build(scratch, other).is_empty()
    latest = scratch.table(DISTRIBUTION).filter(pl.col("build") == 2)
    assert latest["note"].unique().to_list() == ["the settings are not those of build 1"]
    assert latest["distance"].max() > RULES["distribution_shift"].threshold
