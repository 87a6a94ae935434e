import hashlib
import shutil
from datetime import date, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError, DataError, SchemaError
from factor_pipeline.ingestion import data_version
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import (
    BENCHMARK_DAILY,
    DATA_SETS,
    FUNDAMENTAL,
    INDEX_MEMBER,
    INGEST_LOG,
)
from factor_pipeline.schemas.raw_history import SNAPSHOT
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Parsed
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.vendor_shelf import BAD, JANUARY, MONDAY, Desk, Held, Shelf, prices, shelf

LOCKED = IsADirectoryError(21, "Is a directory", "/secret/folder/B.csv")


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def warehouse(tmp_path, empty_file):
    return Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))


@pytest.fixture
def store(tmp_path):
    return RawStore(tmp_path / "raw")


@pytest.fixture
def desk(warehouse, store):
    return Desk(warehouse, store)


def test_new_files_enter_with_their_log(desk):
    source = shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0]))
    report = desk.ingest(source)
    assert desk.closes() == {"prices/A.csv": [1.0, 2.0], "prices/B.csv": [3.0]}
    assert (report.offered, report.parsed, report.rows, report.unchanged) == (2, 2, 3, 0)
    assert (report.quarantined, report.missing) == ([], [])
    content = source.content("A.csv")
    assert desk.log("prices/A.csv") == {
        "data_set": "prices",
        "source": "shelf",
        "file": "prices/A.csv",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "rows": 2,
        "rejected": 0,
        "vintage": None,
        "parser_version": 1,
        "status": "parsed",
        "ingested_at": MONDAY.replace(tzinfo=None),
    }


def test_bytes_are_kept_under_their_hash(desk, store):
    source = shelf(A=prices("A", [1.0]), B=BAD)
    desk.ingest(source)
    for name in ("A.csv", "B.csv"):
        content = source.content(name)
        assert store.path_of(hashlib.sha256(content).hexdigest()).read_bytes() == content
    assert len([path for path in store.folder.glob("??/*") if path.is_file()]) == 2


def test_bytes_are_kept_before_they_are_parsed(desk, store):
    source = shelf(A=prices("A", [1.0]))

    def parse(file: Held, content: bytes) -> Parsed:
        assert store.path_of(sha256(content)).read_bytes() == content
        raise ZeroDivisionError(file.name)

    source.parse = parse
    with pytest.raises(ZeroDivisionError):
        desk.ingest(source)


def test_bytes_cut_by_a_power_loss_are_written_again(store):
    content = b"all of it"
    store.put(content, sha256(content))
    path = store.path_of(sha256(content))
    path.write_bytes(b"all")
    store.put(content, sha256(content))
    assert path.read_bytes() == content


def test_an_unchanged_file_is_not_parsed_again(desk):
    source = shelf(A=prices("A", [1.0]), B=prices("B", [3.0]))
    desk.ingest(source)
    before = desk.everything()
    report = desk.ingest(source, days=1)
    assert source.parsed == []
    assert (report.offered, report.unchanged, report.parsed) == (2, 2, 0)
    assert report.changed_from is None
    assert desk.is_as_before(before)


def test_a_changed_file_alone_is_parsed_and_replaced(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0])))
    source = shelf(A=prices("A", [1.0, 2.5]), B=prices("B", [3.0]))
    report = desk.ingest(source, days=1)
    assert source.parsed == ["A.csv"]
    assert desk.closes() == {"prices/A.csv": [1.0, 2.5], "prices/B.csv": [3.0]}
    assert report.changed_from == JANUARY[1]
    assert desk.log("prices/A.csv")["ingested_at"] == datetime(2024, 1, 2, 2, 30)  # noqa: DTZ001
    assert desk.log("prices/B.csv")["ingested_at"] == MONDAY.replace(tzinfo=None)


def test_rows_are_stored_in_key_order_whatever_the_order_of_files(desk, warehouse):
    backwards = prices("B", [1.0, 2.0, 3.0]).reverse()
    desk.ingest(Shelf({"1.csv": backwards, "2.csv": prices("A", [4.0, 5.0])}))
    stored = warehouse.read("select vendor_id, date from raw.price_daily")
    assert stored.equals(stored.sort("vendor_id", "date"))


def test_a_bad_file_goes_to_quarantine_and_the_others_enter(desk):
    report = desk.ingest(shelf(A=BAD, B=prices("B", [3.0])))
    assert desk.closes() == {"prices/B.csv": [3.0]}
    assert desk.statuses() == {"prices/A.csv": "quarantined", "prices/B.csv": "parsed"}
    assert report.quarantined == ["prices/A.csv"]
    (row,) = desk.warehouse.table(QUARANTINE).to_dicts()
    source = shelf(A=BAD)
    assert row == {
        "data_set": "prices",
        "file": "prices/A.csv",
        "sha256": sha256(source.content("A.csv")),
        "row": 3,
        "rule": "api_error",
        "reason": "The vendor answered with an error; fetch it again.",
        "value": "Error",
    }


def test_rejected_rows_go_to_quarantine_and_leave_once_they_are_mended(desk):
    source = shelf(A=prices("A", [1.0]))
    rejected = [{"row": 7, "rule": "negative_price", "reason": "Below zero.", "value": "-1"}]
    source.rejects["A.csv"] = pl.DataFrame(rejected, schema=REJECT_SCHEMA)
    report = desk.ingest(source)
    assert desk.quarantine() == [("prices/A.csv", 7, "negative_price", "-1")]
    assert (report.rejected, desk.log("prices/A.csv")["rejected"]) == (1, 1)
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    assert desk.quarantine() == []


def test_a_bad_file_is_not_parsed_again_but_still_counts_as_bad(desk):
    source = shelf(A=BAD, B=prices("B", [3.0]))
    desk.ingest(source)
    report = desk.ingest(source, days=1)
    assert source.parsed == []
    assert report.quarantined == ["prices/A.csv"]
    outage = desk.ingest(source, max_bad_share=0.1).outage
    assert outage == "1 of 2 files are bad, the first is prices/A.csv"


def test_a_file_that_turns_bad_keeps_its_last_good_rows(desk):
    good = shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0]))
    good.rejects["A.csv"] = pl.DataFrame(
        [{"row": 9, "rule": "negative_price", "reason": "Below zero.", "value": "-1"}],
        schema=REJECT_SCHEMA,
    )
    desk.ingest(good)
    turned = shelf(A=BAD, B=prices("B", [3.0]))
    report = desk.ingest(turned, days=1)
    assert desk.closes() == {"prices/A.csv": [1.0, 2.0], "prices/B.csv": [3.0]}
    assert report.changed_from is None
    assert report.quarantined == ["prices/A.csv"]
    # The log leads to the bytes the rows stem from, the quarantine to the bad ones.
    log = desk.log("prices/A.csv")
    assert (log["status"], log["rows"], log["rejected"]) == ("stale", 2, 1)
    assert log["sha256"] == sha256(good.content("A.csv"))
    assert log["ingested_at"] == MONDAY.replace(tzinfo=None)
    seen = desk.warehouse.table(QUARANTINE).select("sha256", "rule").rows()
    assert sorted(seen) == sorted(
        [
            (sha256(good.content("A.csv")), "negative_price"),
            (sha256(turned.content("A.csv")), "api_error"),
        ]
    )


def test_a_stale_file_is_parsed_again_only_when_it_changes(desk):
    good, bad = (
        shelf(A=prices("A", [1.0]), B=prices("B", [3.0])),
        shelf(A=BAD, B=prices("B", [3.0])),
    )
    desk.ingest(good)
    desk.ingest(bad)
    report = desk.ingest(bad)
    assert (bad.parsed, report.quarantined) == ([], ["prices/A.csv"])
    worse = shelf(A=BadFileError("truncated", "Half a file."), B=prices("B", [3.0]))
    desk.ingest(worse)
    assert worse.parsed == ["A.csv"]
    assert desk.quarantine() == [("prices/A.csv", None, "truncated", None)]
    desk.ingest(good)
    assert good.parsed == ["A.csv"]
    assert desk.statuses() == {"prices/A.csv": "parsed", "prices/B.csv": "parsed"}
    assert desk.quarantine() == []


def test_a_file_that_turns_good_again_is_parsed_though_it_has_rejected_rows(desk):
    good, bad = shelf(A=prices("A", [1.0])), shelf(A=BAD)
    good.rejects["A.csv"] = pl.DataFrame(
        [{"row": 9, "rule": "negative_price", "reason": "Below zero.", "value": "-1"}],
        schema=REJECT_SCHEMA,
    )
    for source in (good, bad, good):
        desk.ingest(source, max_bad_share=1.0)
    assert good.parsed == ["A.csv"]
    assert desk.statuses() == {"prices/A.csv": "parsed"}
    assert desk.quarantine() == [("prices/A.csv", 9, "negative_price", "-1")]


def test_a_new_parser_that_refuses_known_bytes_keeps_the_rows_of_the_old_one(desk):
    source = shelf(A=prices("A", [1.0]), B=prices("B", [3.0]))
    desk.ingest(source)
    stricter = Shelf(dict(source.offers), version=2)
    stricter.content = source.content

    def parse(file: Held, content: bytes) -> Parsed:
        if file.name == "A.csv":
            raise BAD
        return Shelf.parse(stricter, file, content)

    stricter.parse = parse
    for _ in range(3):
        desk.ingest(stricter)
        assert desk.statuses() == {"prices/A.csv": "stale", "prices/B.csv": "parsed"}
        assert desk.closes() == {"prices/A.csv": [1.0], "prices/B.csv": [3.0]}
        assert desk.quarantine() == [("prices/A.csv", 3, "api_error", "Error")]


def test_a_new_parser_version_parses_every_file_again(desk):
    source = shelf(A=prices("A", [1.0]), B=prices("B", [3.0]))
    desk.ingest(source)
    source.version = 2
    report = desk.ingest(source, days=1)
    assert source.parsed == ["A.csv", "B.csv"]
    assert report.changed_from is None
    log = desk.log("prices/A.csv")
    # The bytes are as old as before: what was known when does not change.
    assert (log["parser_version"], log["ingested_at"]) == (2, MONDAY.replace(tzinfo=None))


class Thousands(Shelf):
    """The same files, read by a newer parser: closes are in thousands."""

    def parse(self, file: Held, content: bytes) -> Parsed:
        parsed = super().parse(file, content)
        return Parsed(parsed.frame.with_columns(pl.col("close") * 1000), parsed.rejected)


def test_a_new_parser_reads_stale_and_missing_files_again_too(desk, store):
    served = shelf(**{name: prices(name, [5.0]) for name in "ABCD"})
    desk.ingest(served)
    # A is as it was, B is missing, C is bad, and the bytes of D are lost and it is missing.
    left = shelf(A=prices("A", [5.0]), C=BAD)
    desk.ingest(left, days=1)
    store.path_of(sha256(served.content("D.csv"))).unlink()
    newer = Thousands(left.offers, version=2)
    for days in (2, 3):
        report = desk.ingest(newer, days=days)
        assert desk.closes() == {
            "prices/A.csv": [5000.0],
            "prices/B.csv": [5000.0],
            "prices/C.csv": [5000.0],
            "prices/D.csv": [5.0],
        }
        log = desk.warehouse.table(INGEST_LOG).select("file", "parser_version", "status").rows()
        assert log == [
            ("prices/A.csv", 2, "parsed"),
            ("prices/B.csv", 2, "parsed"),
            ("prices/C.csv", 2, "stale"),
            ("prices/D.csv", 1, "parsed"),
        ]
        assert desk.warehouse.table(SNAPSHOT)["parser_version"].to_list() == [2, 2, 2, 1]
        assert report.missing == ["prices/B.csv", "prices/D.csv"]
        assert report.quarantined == ["prices/C.csv"]
        assert desk.quarantine() == [("prices/C.csv", 3, "api_error", "Error")]
        assert report.changed_from == (JANUARY[0] if days == 2 else None)
        assert newer.parsed == (["A.csv", "B.csv", "C.csv", "C.csv"] if days == 2 else [])


def test_a_file_that_is_no_longer_offered_keeps_its_rows_and_is_reported(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    report = desk.ingest(shelf(B=prices("B", [3.0])))
    assert report.missing == ["prices/A.csv"]
    assert desk.closes() == {"prices/A.csv": [1.0], "prices/B.csv": [3.0]}
    assert "prices/A.csv" in desk.statuses()


def test_a_file_that_comes_without_compression_takes_the_place_of_the_compressed_one(desk):
    b = prices("B", [3.0])
    desk.ingest(Shelf({"A.csv.gz": prices("A", [1.0, 2.0]), "B.csv": b}))
    for offered, closes in (
        ({"A.csv": prices("A", [1.0, 2.0])}, [1.0, 2.0]),
        ({"A.csv.gz": prices("A", [1.0, 2.5])}, [1.0, 2.5]),
    ):
        (name,) = offered
        report = desk.ingest(Shelf({**offered, "B.csv": b}), days=1)
        assert desk.closes() == {f"prices/{name}": closes, "prices/B.csv": [3.0]}
        assert set(desk.statuses()) == {f"prices/{name}", "prices/B.csv"}
        assert report.missing == []
        assert report.changed_from == (None if closes == [1.0, 2.0] else JANUARY[1])


@pytest.mark.parametrize("answer", [BAD, prices("A", [2.0]), LOCKED], ids=["bad", "short", "lock"])
def test_a_file_under_another_name_replaces_nothing_unless_it_is_good(desk, answer):
    b, whole = prices("B", [3.0]), prices("A", [1.0, 2.0, 3.0])
    desk.ingest(Shelf({"A.csv.gz": whole, "B.csv": b}))
    for days in (1, 2):
        offered = Shelf({"A.csv": answer, "B.csv": b})
        report = desk.ingest(offered, days=days, max_lost_share=0.5)
        assert (report.missing, report.quarantined) == (["prices/A.csv.gz"], ["prices/A.csv"])
        assert desk.closes() == {"prices/A.csv.gz": [1.0, 2.0, 3.0], "prices/B.csv": [3.0]}
    desk.ingest(Shelf({"A.csv": whole, "B.csv": b}), days=3, max_lost_share=0.5)
    assert set(desk.closes()) == {"prices/A.csv", "prices/B.csv"}


def test_an_excluded_file_leaves_with_its_rows(desk):
    source = shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0]), C=BAD)
    desk.ingest(source)
    report = desk.ingest(source, exclude=("A.csv", "C.csv"))
    assert (source.parsed, report.offered, report.missing) == ([], 1, [])
    assert desk.closes() == {"prices/B.csv": [3.0]}
    assert desk.statuses() == {"prices/B.csv": "parsed"}
    assert desk.quarantine() == []
    assert report.changed_from == JANUARY[0]
    assert desk.ingest(source).parsed == 1


def test_when_the_source_is_switched_the_old_rows_leave(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    other = Shelf({"A.csv": prices("A", [1.0]), "Z.csv": prices("Z", [9.0])}, name="other")
    report = desk.ingest(other)
    assert other.parsed == ["A.csv", "Z.csv"]
    assert desk.closes() == {"prices/A.csv": [1.0], "prices/Z.csv": [9.0]}
    assert desk.log("prices/A.csv")["source"] == "other"
    assert report.missing == []


def test_a_file_of_the_old_source_that_is_bad_for_the_new_one_is_not_kept(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    desk.ingest(Shelf({"A.csv": BAD, "B.csv": prices("B", [3.0])}, name="other"))
    assert desk.statuses() == {"prices/A.csv": "quarantined", "prices/B.csv": "parsed"}
    assert desk.closes() == {"prices/B.csv": [3.0]}


def test_without_a_source_the_data_set_is_emptied_and_others_stay(desk):
    desk.ingest(shelf(A=prices("A", [1.0])))
    levels = pl.DataFrame(
        {"symbol": ["X"], "date": [JANUARY[0]], "close": [1.0], "adjusted_close": [1.0]}
    )
    for data_set in ("benchmark", "etf"):
        frame = levels.select(pl.lit(data_set).alias("data_set"), pl.all())
        desk.ingest(shelf(X=frame), data_set=data_set)
    desk.ingest(None, data_set="benchmark")
    assert desk.warehouse.table(BENCHMARK_DAILY)["data_set"].to_list() == ["etf"]
    assert desk.closes() == {"prices/A.csv": [1.0]}
    report = desk.ingest(None)
    assert desk.closes() == {}
    assert set(desk.statuses()) == {"etf/X.csv"}
    assert report.changed_from == JANUARY[0]
    assert desk.ingest(None).changed_from is None


def test_too_many_bad_files_change_nothing_at_all(desk):
    turned = shelf(A=BAD, B=BAD, C=prices("C", [6.0]), D=prices("D", [7.0]))
    said = (
        "prices: 2 of 4 files are bad, more than quality.max_bad_file_share = 0.49 allows; the "
        "first is prices/A.csv. Nothing was changed. Mend the files, list them under "
        "prices.exclude, or raise the share."
    )
    before = desk.everything()
    with pytest.raises(DataError) as caught:
        desk.ingest(turned, max_bad_share=0.49)
    assert str(caught.value) == said
    assert desk.is_as_before(before)
    # Once there are rows, the run goes on with them, all of them as they were.
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0]), C=prices("C", [5.0])))
    before = desk.closes()
    for _ in range(2):
        report = desk.ingest(turned, max_bad_share=0.49)
        assert (report.outage, report.advice) == (
            "2 of 4 files are bad, the first is prices/A.csv",
            said,
        )
        assert desk.closes() == before
        assert [file for file, *_ in desk.quarantine()] == ["prices/A.csv", "prices/B.csv"]
    desk.ingest(turned, max_bad_share=0.5)
    assert desk.closes()["prices/D.csv"] == [7.0]


def test_a_file_that_cannot_be_read_is_bad_and_the_others_enter(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), C=prices("C", [5.0])))
    offered = shelf(A=prices("A", [1.5]), B=LOCKED, C=PermissionError(13, "Permission denied"))
    for days in (1, 2):
        report = desk.ingest(offered, days=days, max_bad_share=0.7)
        assert (report.outage, report.missing, report.offered) == ("", [], 3)
        assert report.quarantined == ["prices/B.csv", "prices/C.csv"]
        assert desk.closes() == {"prices/A.csv": [1.5], "prices/C.csv": [5.0]}
        assert desk.statuses() == {
            "prices/A.csv": "parsed",
            "prices/B.csv": "quarantined",
            "prices/C.csv": "stale",
        }
        rules = [(file, rule) for file, _, rule, _ in desk.quarantine()]
        assert rules == [(f"prices/{name}.csv", "unreadable_file") for name in "BC"]
    first, _ = desk.warehouse.table(QUARANTINE)["reason"]
    assert first == (
        "the file cannot be read (Is a directory); mend its permissions, or take it away"
    )
    assert desk.log("prices/B.csv")["ingested_at"] == datetime(2024, 1, 2, 2, 30)  # noqa: DTZ001
    assert desk.ingest(offered, days=3, max_bad_share=0.6).outage == (
        "2 of 3 files are bad, the first is prices/B.csv"
    )
    mended = shelf(**{name: prices(name, [2.0]) for name in "ABC"})
    desk.ingest(mended, days=4)
    assert set(desk.statuses().values()) == {"parsed"}
    assert desk.quarantine() == []


def test_a_source_of_which_nothing_can_be_read_has_no_bad_and_no_missing_file(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    before = desk.everything()
    report = desk.ingest(shelf(A=LOCKED), days=1, max_bad_share=1.0)
    assert report.outage == "files of it cannot be read"
    assert (report.quarantined, report.missing) == ([], [])
    assert desk.is_as_before(before)


def test_in_an_outage_no_file_is_called_missing(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    report = desk.ingest(shelf(A=BAD), days=1)
    assert report.outage
    assert report.missing == []


def test_kept_files_are_taken_as_they_were_however_many_are_bad_or_short(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0, 3.0])), is_complete=True)
    report = desk.ingest(
        shelf(A=prices("A", [1.0]), B=BAD, C=BAD),
        days=1,
        max_bad_share=0.1,
        max_lost_share=0.1,
        is_complete=True,
    )
    assert (report.outage, report.quarantined) == ("", ["prices/B.csv", "prices/C.csv"])
    assert desk.closes() == {"prices/A.csv": [1.0]}


def test_a_file_that_lost_most_of_its_rows_keeps_those_it_had(desk):
    whole = prices("A", [1.0, 2.0, 3.0])
    desk.ingest(shelf(A=whole, B=prices("B", [5.0, 6.0])))
    short = shelf(A=prices("A", [3.5]), B=prices("B", [6.5]))
    for days in (1, 2):
        report = desk.ingest(short, days=days, max_lost_share=0.5)
        assert desk.closes() == {"prices/A.csv": [1.0, 2.0, 3.0], "prices/B.csv": [6.5]}
        assert desk.statuses() == {"prices/A.csv": "stale", "prices/B.csv": "parsed"}
        assert report.quarantined == ["prices/A.csv"]
        ((file, row, rule, _),) = desk.quarantine()
        assert (file, row, rule) == ("prices/A.csv", None, "lost_rows")
    (reason,) = desk.warehouse.table(QUARANTINE)["reason"]
    assert reason.startswith("the file has 1 rows where it had 3, and these stay; ")
    # Whole again, or taken as it is: both are a matter of the next ingestion.
    desk.ingest(shelf(A=whole, B=prices("B", [6.5])), days=3, max_lost_share=0.5)
    assert desk.statuses() == {"prices/A.csv": "parsed", "prices/B.csv": "parsed"}
    desk.ingest(short, days=4, max_lost_share=0.5)
    desk.ingest(short, days=5, max_lost_share=1.0)
    assert desk.closes() == {"prices/A.csv": [3.5], "prices/B.csv": [6.5]}
    assert desk.quarantine() == []


@pytest.mark.parametrize("table", [QUARANTINE, INGEST_LOG, PENDING], ids=lambda t: t.name)
def test_a_failure_in_the_middle_changes_nothing(desk, monkeypatch, table):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    before = desk.everything()
    from factor_pipeline.warehouse import store as store_module  # noqa: PLC0415

    swap = store_module._swap  # noqa: SLF001 - the step that fails

    def failing(connection, change):
        swap(connection, change)
        if change.table == table:
            raise OSError("no space left on device")

    monkeypatch.setattr(store_module, "_swap", failing)
    with pytest.raises(OSError, match="no space left"):
        desk.ingest(shelf(A=prices("A", [2.0]), B=BAD))
    monkeypatch.undo()
    assert desk.is_as_before(before)
    assert desk.ingest(shelf(A=prices("A", [2.0]), B=BAD)).parsed == 1


def test_rows_that_break_the_contract_change_nothing(desk):
    desk.ingest(shelf(A=prices("A", [1.0])))
    before = desk.everything()
    with pytest.raises(SchemaError, match=r"raw\.price_daily\.close"):
        desk.ingest(shelf(A=prices("A", [1.0, float("nan")])))
    assert desk.is_as_before(before)


# --- The first day whose numbers may differ --------------------------------------------------


def changed_from(desk: Desk, before: pl.DataFrame, after: pl.DataFrame, data_set: str = "prices"):
    desk.ingest(shelf(A=before), data_set=data_set)
    return desk.ingest(shelf(A=after), data_set=data_set).changed_from


def test_the_first_ingestion_changes_everything_from_its_first_day(desk):
    later = prices("B", [3.0], [date(2020, 1, 6)])
    assert desk.ingest(shelf(A=prices("A", [1.0, 2.0]), B=later)).changed_from == JANUARY[0]


@pytest.mark.parametrize(
    ("after", "day"),
    [
        (prices("A", [1.0, 2.0, 3.0]), JANUARY[2]),
        (prices("A", [1.0]), JANUARY[1]),
        (prices("A", [1.0, 2.5]), JANUARY[1]),
        (prices("A", [1.5, 2.0]), JANUARY[0]),
        (prices("A", [1.0, 2.0], dividend=[0.0, 0.1]), JANUARY[1]),
        (prices("A", [1.0, 2.0], volume=[None, 5.0]), JANUARY[1]),
        (prices("A", [2.0, 1.0]), JANUARY[0]),
        (prices("A", [1.0, 2.0], [JANUARY[0], JANUARY[2]]), JANUARY[1]),
        (pl.concat([prices("A", [1.0, 2.0]), prices("A", [2.0], JANUARY[1:2])]), JANUARY[1]),
        (prices("A", [1.0, 2.0]).reverse(), None),
        (prices("A", [1.0, 2.0], adjusted_close=[0.5, 1.0]), None),
    ],
    ids=[
        "a day more",
        "a day less",
        "another close",
        "another first close",
        "a dividend",
        "a volume",
        "closes swapped",
        "a day moved",
        "a day twice",
        "another order",
        "restated adjusted close",
    ],
)
def test_prices_change_numbers_from_the_first_day_that_differs(desk, after, day):
    assert changed_from(desk, prices("A", [1.0, 2.0]), after) == day


def test_an_adjusted_close_that_begins_or_ends_a_dispute_is_a_change(desk):
    closes, agreeing = [1.0, 2.0, 3.0], [0.5, 1.0, 1.5]
    contradicting = [0.5, 1.0, 1.6]
    before = prices("A", closes, adjusted_close=agreeing)
    after = prices("A", closes, adjusted_close=contradicting)
    assert changed_from(desk, before, after) == JANUARY[2]
    desk.ingest(Shelf({"A.csv": before}))
    # Of two contradictions the other is another return where the vendor's is used.
    other = prices("A", closes, adjusted_close=[0.5, 1.0, 1.7])
    assert changed_from(desk, after, other) == JANUARY[2]


def test_an_adjusted_close_that_goes_missing_is_a_change_from_then_on(desk):
    closes = [1.0, 2.0, 3.0]
    before = prices("A", closes)
    after = prices("A", closes, adjusted_close=[1.0, 2.0, None])
    assert changed_from(desk, before, after) == JANUARY[2]
    assert changed_from(desk, after, before) == JANUARY[2]
    # Another file without one is missed from its first day.
    without = prices("A", closes, adjusted_close=pl.Series([None] * 3, dtype=pl.Float64))
    assert changed_from(desk, after, without) == JANUARY[0]


def test_rows_that_move_to_another_file_are_no_change(desk):
    desk.ingest(Shelf({"A.csv": prices("A", [1.0])}))
    moved = Shelf({"A.csv.gz": prices("A", [1.0])})
    assert desk.ingest(moved, exclude=("A.csv",)).changed_from is None


def statement(**columns: object) -> pl.DataFrame:
    schema = contract(FUNDAMENTAL)
    row = {
        "vendor_id": "A",
        "firm": "1",
        "statement": "balance",
        "fiscal_year": 2019,
        "period_end": date(2019, 12, 31),
        "filed_at": date(2020, 2, 20),
        "currency": "USD",
        "total_equity": 5.0,
        **columns,
    }
    return pl.DataFrame([row], schema=schema)


def test_a_split_before_the_day_share_counts_are_adjusted_to_changes_every_month(desk):
    desk.ingest(shelf(F=statement(shares_basis_date=date(2020, 1, 3))), data_set="fundamentals")
    unsplit, split = (
        prices("A", [1.0, 2.0, 1.0]),
        prices("A", [1.0, 2.0, 1.0], split=[1.0, 2.0, 1.0]),
    )
    assert changed_from(desk, unsplit, split) == date(1900, 1, 1)
    later = prices("A", [1.0, 2.0, 1.0], split=[1.0, 2.0, 4.0])
    assert desk.ingest(shelf(A=later)).changed_from == JANUARY[2]


def test_another_download_day_changes_months_only_past_a_split(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0, 1.0], split=[1.0, 2.0, 1.0])))
    (_, split_day, day_after) = JANUARY
    of_days = [statement(shares_basis_date=day) for day in (JANUARY[0], split_day, day_after)]
    before, on_it, after = of_days
    assert changed_from(desk, on_it, after, "fundamentals") is None
    assert changed_from(desk, before, after, "fundamentals") == date(1900, 1, 1)
    assert changed_from(desk, after, before, "fundamentals") == date(1900, 1, 1)


@pytest.mark.parametrize(
    ("after", "day"),
    [
        (statement(total_equity=6.0), date(2020, 2, 20)),
        (statement(total_equity=6.0, filed_at=None), date(2019, 12, 31)),
        (statement(filed_at=date(2020, 3, 1)), date(2020, 2, 20)),
        (statement(), None),
    ],
)
def test_a_filing_matters_from_the_day_it_was_public(desk, after, day):
    assert changed_from(desk, statement(), after, "fundamentals") == day


def spells(*rows: tuple[str, date, date | None]) -> pl.DataFrame:
    schema = contract(INDEX_MEMBER)
    return pl.DataFrame(rows, schema=schema, orient="row")


@pytest.mark.parametrize(
    ("after", "day"),
    [
        (spells(("A", date(1996, 1, 2), date(2021, 3, 22))), date(2021, 3, 22)),
        (spells(("A", date(1997, 1, 2), None)), date(1996, 1, 2)),
        (spells(("A", date(1996, 1, 2), None), ("B", date(2020, 6, 1), None)), date(2020, 6, 1)),
        (spells(), date(1996, 1, 2)),
        (spells(("A", date(1996, 1, 2), None)), None),
    ],
    ids=["left", "other start", "joined", "gone", "same"],
)
def test_a_spell_changes_membership_from_its_moved_end(desk, after, day):
    assert changed_from(desk, spells(("A", date(1996, 1, 2), None)), after, "membership") == day


def test_a_benchmark_is_made_of_its_adjusted_close(desk):
    def levels(*adjusted: float) -> pl.DataFrame:
        return pl.DataFrame({"date": JANUARY[: len(adjusted)], "adjusted_close": adjusted}).select(
            pl.lit("benchmark").alias("data_set"),
            pl.lit("X").alias("symbol"),
            "date",
            pl.lit(1.0).alias("close"),
            "adjusted_close",
        )

    assert changed_from(desk, levels(1.0, 2.0), levels(1.0, 2.1), "benchmark") == JANUARY[1]


@pytest.mark.parametrize("data_set", DATA_SETS)
def test_a_row_of_any_data_set_changes_numbers_from_its_day(desk, data_set):
    fillers = {pl.String(): "x", pl.Float64(): 1.0, pl.Int32(): 1, pl.Date(): JANUARY[1]}
    table = DATA_SETS[data_set]
    row = {
        c.name: (c.values or (fillers[c.dtype()],))[0]
        for c in table.columns
        if c.name in contract(table)
    }
    frame = pl.DataFrame([row]).cast({c: table.polars_schema[c] for c in row})
    assert desk.ingest(shelf(A=frame), data_set=data_set).changed_from == JANUARY[1]
    assert desk.ingest(None, data_set=data_set).changed_from == JANUARY[1]


def test_the_earliest_change_waits_until_a_build_covers_it(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    desk.warehouse.replace(PENDING, PENDING.empty())
    desk.ingest(shelf(A=prices("A", [1.0, 2.5])))
    assert desk.warehouse.table(PENDING).rows() == [("prices", JANUARY[1])]
    desk.ingest(shelf(A=prices("A", [1.0, 2.5, 3.0])))
    assert desk.warehouse.table(PENDING).rows() == [("prices", JANUARY[1])]
    desk.ingest(shelf(A=prices("A", [1.1, 2.5, 3.0])))
    assert desk.warehouse.table(PENDING).rows() == [("prices", JANUARY[0])]


closes = st.lists(st.sampled_from([1.0, 2.0, 3.0]), max_size=3)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.tuples(closes, closes), after=st.tuples(closes, closes))
def test_the_first_change_is_that_of_a_comparison_by_hand(desk, before, after):
    desk.ingest(None)

    def rows(closes: tuple[list[float], list[float]]) -> set[tuple[str, date, float]]:
        return {
            (name, day, close)
            for name, values in zip("AB", closes, strict=True)
            for day, close in zip(JANUARY, values, strict=False)
        }

    def files(closes: tuple[list[float], list[float]]) -> Shelf:
        return shelf(**{n: prices(n, c) for n, c in zip("AB", closes, strict=True)})

    desk.ingest(files(before))
    report = desk.ingest(files(after))
    differing = [day for _, day, _ in rows(before) ^ rows(after)]
    assert report.changed_from == min(differing, default=None)
    assert {file.removeprefix("prices/")[0]: c for file, c in desk.closes().items()} == {
        name: values for name, values in zip("AB", after, strict=True) if values
    }


# --- Hash over what is behind the raw rows ---------------------------------------------------


def version(desk: Desk) -> str:
    return data_version(desk.warehouse.table(INGEST_LOG).sample(fraction=1, shuffle=True, seed=3))


def test_equal_rows_have_equal_versions_and_other_rows_others(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    first = version(desk)
    desk.ingest(shelf(A=prices("A", [1.0]), B=BAD))
    assert version(desk) == first, "the good rows stayed"
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [4.0])))
    assert version(desk) != first
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [3.0])))
    assert version(desk) == first
    desk.ingest(Shelf({"A.csv": prices("A", [1.0]), "B.csv": prices("B", [3.0])}, name="other"))
    assert version(desk) != first, "another source may read the same bytes in another way"


def test_the_first_filing_of_a_share_class_changes_its_firm_from_its_first_price_on(desk):
    desk.ingest(Shelf({"B.csv": prices("B", [1.0, 2.0])}))
    old, new = statement(), statement(vendor_id="B", filed_at=date(2020, 5, 20))
    both = pl.concat([old, new])
    later = statement(vendor_id="B", filed_at=date(2021, 2, 20), fiscal_year=2020)
    assert changed_from(desk, old, both, data_set="fundamentals") == JANUARY[0]
    assert changed_from(desk, both, pl.concat([both, later]), data_set="fundamentals") == date(
        2021, 2, 20
    )
