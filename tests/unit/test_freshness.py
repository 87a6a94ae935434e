import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.assets.raw import raw_asset, raw_key
from factor_pipeline.checks.freshness import freshness
from factor_pipeline.compute.freshness import aged, ends
from factor_pipeline.errors import BadFileError, DataError, SettingsError
from factor_pipeline.freshness import complaints, record_freshness, refuse_paths_never_read
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.quality import FRESHNESS
from factor_pipeline.schemas.raw import BENCHMARK_DAILY, PRICE_DAILY
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.sources.protocol import Parsed
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.warehouse.store import Warehouse

FRIDAY = date(2024, 3, 1)
TUESDAY = datetime(2024, 3, 5, 2, 30, tzinfo=UTC)
VENDOR = {
    "first_month": "2024-01",
    "prices": {"source": "alphavantage", "path": "."},
    "library": {"source": "ken_french", "path": "."},
    "benchmark": {"source": "yahoo", "path": ".", "symbol": "A"},
    "portfolios": {"universe": "all"},
    "backtest": {"universe": "all"},
}


def settings(**more: object) -> Settings:
    return parse_settings({**VENDOR, **more}, base=Path())


@dataclass(frozen=True)
class Held:
    name: str
    content: bytes
    vintage: str | None = None

    def read(self) -> bytes:
        if self.content == b"unreadable":
            raise PermissionError(13, "Permission denied", "/secret/folder")
        return self.content


@dataclass
class Vendor:
    """A source whose files are the days they reach to; "bad" ones cannot be parsed."""

    name: str
    files_by_name: dict[str, str]
    version: int = 1

    def files(self) -> Iterator[Held]:
        if not self.files_by_name:
            raise SettingsError("no .csv file in /secret/folder; set prices.path")
        for name, text in sorted(self.files_by_name.items()):
            yield Held(name, text.encode())

    def parse(self, file: Held, content: bytes) -> Parsed:
        if content == b"bad":
            raise BadFileError("api_error", "The vendor answered with an error.")
        days = [date.fromisoformat(day) for day in content.decode().split()]
        table = PRICE_DAILY if self.name == "alphavantage" else BENCHMARK_DAILY
        who = "vendor_id" if table == PRICE_DAILY else "symbol"
        values = {
            "date": days,
            who: file.name,
            "ticker": file.name,
            "data_set": "benchmark",
            "close": 1.0,
            "adjusted_close": 1.0,
            "dividend": 0.0,
            "split": 1.0,
        }
        columns = [
            pl.lit(values.get(name), dtype).alias(name)
            for name, dtype in contract(table).items()
            if name != "date"
        ]
        frame = pl.DataFrame({"date": days}).with_columns(columns)
        return Parsed(frame.select(contract(table).names()))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@dataclass(frozen=True)
class Desk:
    """Reads files into one warehouse, and what it says about their age."""

    warehouse: Warehouse
    store: RawStore

    def row(
        self,
        files: dict[str, str],
        now: datetime = TUESDAY,
        data_set: str = "prices",
        chosen: Settings | None = None,
    ) -> dict[str, object]:
        chosen = chosen or settings()
        source = Vendor(chosen.source_of(data_set), files)
        report = Ingestion(self.warehouse, self.store, 0.5, now).run(data_set, source, ())
        row = record_freshness(self.warehouse, chosen, report, now)
        assert row is not None
        stored = self.warehouse.table(FRESHNESS).filter(pl.col("data_set") == data_set)
        assert stored.to_dicts() == [row]
        return row


@pytest.fixture
def desk(tmp_path, empty_file):
    warehouse = Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))
    return Desk(warehouse, RawStore(tmp_path / "raw"))


def test_friday_is_young_enough_on_the_tuesday_after_a_holiday_and_too_old_a_day_later(desk):
    row = desk.row({"A": "2024-02-29 2024-03-01", "B": "2024-02-01"})
    assert (row["last_day"], row["age_days"], row["is_stale"]) == (FRIDAY, 4, False)
    assert list(complaints(row)) == []
    row = desk.row({"A": "2024-02-29 2024-03-01", "B": "2024-02-01"}, TUESDAY + timedelta(days=1))
    assert (row["age_days"], row["max_age_days"], row["is_stale"]) == (5, 4, True)
    said = ["prices: the data end on 2024-03-01; quality.max_age_days allows 4 days"]
    assert list(complaints(row)) == said


def test_a_file_that_disappears_is_missed_by_name(desk):
    desk.row({"A": "2024-03-01", "B": "2024-03-01", "C": "2024-03-01"})
    row = desk.row({"C": "2024-03-01 2024-03-04"})
    assert (row["files"], row["files_missing"], row["first_missing"]) == (3, 2, "prices/A")
    assert list(complaints(row)) == [
        "prices: 2 files are no longer offered, the first prices/A; the last good rows stay"
    ]
    assert desk.warehouse.table(PRICE_DAILY)["vendor_id"].unique().sort().to_list() == [*"ABC"]
    finding = freshness(desk.warehouse, "prices")
    assert (finding.passed, finding.failing_rows) == (False, 2)


def test_a_folder_that_disappears_leaves_everything_as_it_was_and_is_told(desk):
    desk.row({"A": "2024-03-01"})
    rows = desk.warehouse.table(PRICE_DAILY)
    row = desk.row({}, TUESDAY + timedelta(days=30))
    assert desk.warehouse.table(PRICE_DAILY).equals(rows)
    assert (row["outage"], row["age_days"]) == ("files of it are not there", 34)
    assert list(complaints(row)) == [
        "prices: alphavantage did not deliver: files of it are not there; all last good rows stay",
        "prices: the data end on 2024-03-01; quality.max_age_days allows 4 days",
    ]
    # What is published names no folder of this machine.
    assert not any("/secret" in str(value) for value in row.values())


def test_files_that_cannot_be_read_are_an_outage_too(desk):
    desk.row({"A": "2024-03-01"})
    row = desk.row({"A": "unreadable"})
    assert row["outage"] == "files of it cannot be read"


def test_a_source_that_never_delivered_ends_the_run(desk):
    with pytest.raises(SettingsError, match=r"no \.csv file in"):
        desk.row({})
    with pytest.raises(DataError, match=r"Permission denied.*check prices\.path"):
        desk.row({"A": "unreadable"})


def test_a_vendor_that_answers_with_errors_keeps_all_rows_and_is_told(desk):
    good = {"A": "2024-03-01", "B": "2024-03-01", "C": "2024-03-01"}
    desk.row(good)
    row = desk.row({**good, "B": "bad"})
    assert list(complaints(row)) == [
        "prices: 1 file is offered in a bad state, the first prices/B; the last good rows stay"
    ]
    row = desk.row({"A": "2024-03-01 2024-03-04", "B": "bad", "C": "bad"})
    # Not half of the stocks a day younger than the others: the data set stays whole.
    assert desk.warehouse.table(PRICE_DAILY)["date"].max() == FRIDAY
    assert row["outage"] == "2 of 3 files are bad, the first is prices/B"
    assert (row["files_stale"], row["last_day"]) == (2, FRIDAY)
    row = desk.row({**good, "A": "2024-03-01 2024-03-04"})
    assert list(complaints(row)) == []
    assert row["last_day"] == date(2024, 3, 4)


def test_a_benchmark_that_stops_is_not_hidden_by_one_that_goes_on(desk):
    row = desk.row({"A": "2024-01-02", "B": "2024-03-04"}, data_set="benchmark")
    assert (row["last_day"], row["behind_day"]) == (date(2024, 3, 4), date(2024, 1, 2))
    assert (row["age_days"], row["is_stale"]) == (63, True)
    said = ["benchmark: benchmark/A ends on 2024-01-02; quality.max_age_days allows 4 days"]
    assert list(complaints(row)) == said


def test_a_wrong_date_in_the_future_makes_nothing_young(desk):
    row = desk.row({"A": "2024-01-02", "B": "2024-01-03 2099-01-01"})
    assert (row["last_day"], row["is_stale"]) == (date(2024, 1, 3), True)


def test_data_that_are_meant_to_end_never_grow_too_old(desk):
    late = TUESDAY + timedelta(days=4000)
    finished = settings(last_month="2024-03")
    row = desk.row({"A": "2024-03-01"}, late, chosen=finished)
    assert (row["age_days"], row["max_age_days"], row["is_stale"]) == (4004, None, False)
    never = settings(quality={"max_age_days": {"prices": "never"}})
    assert not desk.row({"A": "2024-03-01"}, late, chosen=never)["is_stale"]
    wide = settings(quality={"max_age_days": {"prices": 4003}})
    assert desk.row({"A": "2024-03-01"}, late, chosen=wide)["is_stale"]


def test_a_data_set_without_source_has_no_age(desk):
    desk.row({"A": "2024-03-01"}, data_set="benchmark")
    without = settings(benchmark={"source": "none"})
    report = Ingestion(desk.warehouse, desk.store, 0.5, TUESDAY).run("benchmark", None, ())
    assert record_freshness(desk.warehouse, without, report, TUESDAY) is None
    assert desk.warehouse.table(FRESHNESS).is_empty()
    assert freshness(desk.warehouse, "benchmark").passed


def test_a_path_at_which_nothing_is_is_refused_until_it_has_been_read(desk, tmp_path):
    gone = {"source": "alphavantage", "path": str(tmp_path / "gone")}
    with pytest.raises(SettingsError, match="nothing exists at"):
        settings(prices=gone)
    document = {**VENDOR, "prices": gone}
    chosen = parse_settings(document, base=Path(), may_be_gone=True)
    with pytest.raises(SettingsError, match=r"prices\.path: nothing exists at .*gone"):
        refuse_paths_never_read(desk.warehouse, chosen)
    desk.row({"A": "2024-03-01"})
    refuse_paths_never_read(desk.warehouse, chosen)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "soon", "", "4"])
def test_a_wrong_age_is_named_with_what_is_accepted(wrong):
    with pytest.raises(SettingsError) as caught:
        settings(quality={"max_age_days": {"prices": wrong}})
    shown = f'"{wrong}"' if isinstance(wrong, str) else str(wrong)
    assert str(caught.value) == (
        f"settings: quality.max_age_days.prices: {shown} is not an age; write a whole number of "
        'days from 1 on, or "never"'
    )


def test_an_age_of_an_unknown_data_set_is_named():
    with pytest.raises(SettingsError, match=r"unknown key quality\.max_age_days\.price; did you"):
        settings(quality={"max_age_days": {"price": 4}})


def test_dagster_expects_an_ingestion_as_often_as_data_may_be_old():
    def policy(data_set: str, chosen: Settings) -> dg.FreshnessPolicy | None:
        asset = raw_asset(data_set, chosen)
        return asset.specs_by_key[raw_key(data_set)].freshness_policy

    prices = policy("prices", settings())
    assert prices is not None
    assert prices.fail_window.to_timedelta() == timedelta(days=4)
    assert policy("prices", settings(last_month="2024-03")) is None
    assert policy("prices", Settings()) is None
    assert policy("macro", settings()) is None


DAYS = st.dates(date(1990, 1, 1), date(2030, 1, 1))


@given(days=st.lists(st.none() | DAYS, max_size=6), order=st.randoms(use_true_random=False))
def test_ends_do_not_depend_on_the_order_of_files(days, order):
    files = pl.DataFrame(
        {"file": [f"f{i}" for i in range(len(days))], "last_day": days},
        schema={"file": pl.String, "last_day": pl.Date},
    )
    shuffled = files[order.sample(range(len(days)), len(days))] if days else files
    known = [day for day in days if day]
    for every_file in (False, True):
        found = ends(shuffled, every_file=every_file)
        assert found == ends(files, every_file=every_file)
        assert found.last_day == max(known, default=None)
        assert found.behind_day == (min(known, default=None) if every_file else None)


@given(last=st.none() | DAYS, behind=st.none() | DAYS, limit=st.none() | st.integers(1, 400))
def test_an_age_is_the_days_since_what_counts(last, behind, limit):
    rows = pl.DataFrame(
        {"last_day": [last], "behind_day": [behind], "max_age_days": [limit]},
        schema={"last_day": pl.Date, "behind_day": pl.Date, "max_age_days": pl.Int64},
    )
    today = date(2025, 6, 30)
    row = aged(rows, today).row(0, named=True)
    counts = behind or last
    age = max((today - counts).days, 0) if counts else None
    assert row["age_days"] == age
    assert row["is_stale"] == (limit is not None and (age is None or age > limit))
