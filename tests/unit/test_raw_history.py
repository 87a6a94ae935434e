"""Raw rows in two times: what is so, and since when it is known."""

import shutil
from dataclasses import replace
from datetime import date, datetime, timedelta

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import DataError
from factor_pipeline.replay import Replay
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, FUNDAMENTAL, INGEST_LOG, PRICE_DAILY
from factor_pipeline.schemas.raw_history import HISTORY, SNAPSHOT, VERSIONS, VINTAGE_DIFF
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.table import Column
from factor_pipeline.sources.manifest import Manifest
from factor_pipeline.sources.protocol import REJECT_SCHEMA
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.vendor_shelf import BAD, JANUARY, MONDAY, Desk, Shelf, prices, shelf

PRICE_HISTORY = HISTORY[PRICE_DAILY.qualified_name]
NEVER = None
HOUR = 1 / 24
"""In days."""


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def desk(tmp_path, empty_file):
    work = Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))
    return Desk(work, RawStore(tmp_path / "raw"))


def day(number: int) -> datetime:
    """When the desk ingests with ``days=number``."""
    return MONDAY.replace(tzinfo=None) + timedelta(days=number)


def current(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.warehouse.table(PRICE_DAILY)
    return rows.select("vendor_id", "date", "close", "known_from").rows()


def withdrawn(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.warehouse.table(PRICE_HISTORY)
    return rows.select("vendor_id", "date", "close", "known_from", "known_to").rows()


def versions(desk: Desk) -> list[tuple[object, ...]]:
    rows = desk.warehouse.table(SNAPSHOT)
    return rows.select("file", "source", "rows", "known_from", "known_to").rows()


def known_on(desk: Desk, time: datetime, table: str = "raw_history.price_daily") -> pl.DataFrame:
    """What was known at a time, asked of the view that the published file has."""
    return desk.warehouse.read(
        f"select * from ({VERSIONS[table + '_versions']}) "  # noqa: S608
        "where known_from <= $time and (known_to is null or known_to > $time) "
        "order by vendor_id, date",
        time=time,
    )


# --- Rows -------------------------------------------------------------------------------------


def test_the_first_load_is_known_from_its_fetch_and_withdraws_nothing(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    assert current(desk) == [("A", JANUARY[0], 1.0, day(0)), ("A", JANUARY[1], 2.0, day(0))]
    assert withdrawn(desk) == []


def test_an_appended_day_alone_is_new(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    desk.ingest(shelf(A=prices("A", [1.0, 2.0, 3.0])), days=1)
    assert [row[3] for row in current(desk)] == [day(0), day(0), day(1)]
    assert withdrawn(desk) == []


def test_a_restated_row_keeps_what_it_said_before(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0, 3.0])))
    desk.ingest(shelf(A=prices("A", [1.0, 2.5, 3.0])), days=1)
    assert current(desk) == [
        ("A", JANUARY[0], 1.0, day(0)),
        ("A", JANUARY[1], 2.5, day(1)),
        ("A", JANUARY[2], 3.0, day(0)),
    ]
    assert withdrawn(desk) == [("A", JANUARY[1], 2.0, day(0), day(1))]


def test_a_row_that_vanishes_is_kept_as_it_was_known(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    desk.ingest(shelf(A=prices("A", [1.0])), days=1)
    assert current(desk) == [("A", JANUARY[0], 1.0, day(0))]
    assert withdrawn(desk) == [("A", JANUARY[1], 2.0, day(0), day(1))]


def test_a_figure_that_comes_back_is_known_anew(desk):
    for number, close in enumerate([1.0, 2.0, 1.0]):
        desk.ingest(shelf(A=prices("A", [close])), days=number)
    assert current(desk) == [("A", JANUARY[0], 1.0, day(2))]
    assert [row[2:] for row in withdrawn(desk)] == [
        (1.0, day(0), day(1)),
        (2.0, day(1), day(2)),
    ]


def test_a_null_that_is_filled_is_a_restatement_and_one_that_stays_is_none(desk):
    before = prices("A", [1.0, 2.0])
    desk.ingest(shelf(A=before))
    desk.ingest(shelf(A=prices("A", [1.0, 2.0], volume=[None, 5.0])), days=1)
    assert [row[3] for row in current(desk)] == [day(0), day(1)]
    assert len(withdrawn(desk)) == 1


def test_adjusted_closes_follow_the_newest_file_without_a_history(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0])))
    desk.ingest(shelf(A=prices("A", [1.0, 2.0], adjusted_close=[0.5, 1.0])), days=1)
    rows = desk.warehouse.table(PRICE_DAILY)
    assert rows["adjusted_close"].to_list() == [0.5, 1.0]
    assert rows["known_from"].to_list() == [day(0), day(0)]
    assert withdrawn(desk) == []


def test_only_files_that_changed_are_compared(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    desk.ingest(shelf(A=prices("A", [1.5]), B=prices("B", [2.0])), days=1)
    assert current(desk) == [("A", JANUARY[0], 1.5, day(1)), ("B", JANUARY[0], 2.0, day(0))]
    assert withdrawn(desk) == [("A", JANUARY[0], 1.0, day(0), day(1))]


def test_rows_that_move_to_another_file_stay_known_as_long(desk):
    desk.ingest(Shelf({"A.csv": prices("A", [1.0])}))
    desk.ingest(Shelf({"A.csv.gz": prices("A", [1.0])}), exclude=("A.csv",), days=1)
    assert current(desk) == [("A", JANUARY[0], 1.0, day(0))]
    assert withdrawn(desk) == []


def test_rows_of_excluded_files_are_kept_as_they_were_known(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    desk.ingest(shelf(B=prices("B", [2.0])), exclude=("A.csv",), days=1)
    assert withdrawn(desk) == [("A", JANUARY[0], 1.0, day(0), day(1))]
    assert current(desk) == [("B", JANUARY[0], 2.0, day(0))]


def test_a_file_that_turns_bad_or_goes_missing_withdraws_nothing(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    desk.ingest(shelf(A=BAD), days=1, max_bad_share=1)
    assert [row[3] for row in current(desk)] == [day(0), day(0)]
    assert withdrawn(desk) == []


def test_another_simulated_market_is_no_restatement_of_the_one_before(desk):
    desk.ingest(Shelf({"market.json": prices("A", [1.0])}, name="simulated"))
    desk.ingest(Shelf({"market.json": prices("A", [2.0])}, name="simulated"), days=1)
    assert current(desk) == [("A", JANUARY[0], 2.0, day(1))]
    assert withdrawn(desk) == []


def test_what_a_new_parser_reads_differently_was_always_known(desk):
    source = shelf(A=prices("A", [1.0, 2.0, 3.0]))
    desk.ingest(shelf(A=prices("A", [1.0])))
    desk.ingest(source, days=1)
    better = Shelf({"A.csv": prices("A", [1.0, 2.5, 3.0])}, version=2)
    better.content = source.content
    better.parse = lambda file, _: _parsed(better, file.name)
    desk.ingest(better, days=2)
    # The rows of a key keep its time: what the bytes of Monday said of the second is not later.
    assert current(desk) == [
        ("A", JANUARY[0], 1.0, day(0)),
        ("A", JANUARY[1], 2.5, day(1)),
        ("A", JANUARY[2], 3.0, day(1)),
    ]
    assert withdrawn(desk) == []
    assert versions(desk)[1:] == [("prices/A.csv", "shelf", 3, day(1), NEVER)]


def _parsed(source: Shelf, name: str):
    from factor_pipeline.sources.protocol import Parsed  # noqa: PLC0415

    return Parsed(source.offers[name])


def test_equal_rows_of_a_file_are_all_kept(desk):
    twice = pl.concat([prices("A", [1.0]), prices("A", [1.0])])
    desk.ingest(shelf(A=prices("A", [1.0])))
    desk.ingest(shelf(A=twice), days=1)
    assert [row[2:] for row in current(desk)] == [(1.0, day(0)), (1.0, day(0))]
    desk.ingest(shelf(A=prices("A", [1.0])), days=2)
    assert [row[2:] for row in current(desk)] == [(1.0, day(0))]


def test_the_shares_of_a_statement_do_not_change_with_the_day_of_the_download(desk):
    def statements(day_of_download: date, shares: float) -> pl.DataFrame:
        row = {
            "vendor_id": "A",
            "firm": "1",
            "statement": "balance",
            "fiscal_year": 2019,
            "period_end": date(2019, 12, 31),
            "filed_at": None,
            "currency": "USD",
            "shares": shares,
            "shares_basis_date": day_of_download,
        }
        return pl.DataFrame([row], schema=contract(FUNDAMENTAL))

    for number, shares in enumerate([5.0, 5.0, 6.0]):
        offered = shelf(F=statements(date(2021, 1, 1 + number), shares))
        desk.ingest(offered, data_set="fundamentals", days=number)
    (now,) = desk.warehouse.table(FUNDAMENTAL).to_dicts()
    (before,) = desk.warehouse.table(HISTORY["raw.fundamental"]).to_dicts()
    assert (now["shares"], now["shares_basis_date"], now["known_from"]) == (
        6.0,
        date(2021, 1, 3),
        day(2),
    )
    assert (before["shares"], before["known_from"], before["known_to"]) == (5.0, day(0), day(2))


def test_equal_times_of_two_ingestions_are_told_apart(desk):
    """A clock that stands still, or goes back, leaves no version that ends before it begins."""
    for close in (1.0, 2.0, 3.0):
        desk.ingest(shelf(A=prices("A", [close])), days=0)
    desk.ingest(shelf(A=prices("A", [4.0])), days=-HOUR / 2)
    times = [row[3] for row in [*withdrawn(desk), *current(desk)]]
    assert times == sorted(set(times))
    assert [row[2] for row in withdrawn(desk)] == [1.0, 2.0, 3.0]
    assert all(row[3] < row[4] for row in withdrawn(desk))


def test_a_clock_that_was_ahead_ends_the_run_before_anything_is_written(desk):
    desk.ingest(shelf(A=prices("A", [1.0])), days=365)
    before = versions(desk)
    said = (
        "files were fetched at 2024-12-31 02:30 UTC, and by the clock it is 2024-01-03 02:30 UTC "
        "now; set the clock right or, if it was ahead then, move warehouse.duckdb and "
        "raw/manifest/ away: what was known when begins anew"
    )
    with pytest.raises(DataError) as caught:
        desk.ingest(shelf(A=prices("A", [2.0])), days=2)
    assert str(caught.value) == said
    with pytest.raises(DataError):
        desk.ingest(shelf(A=prices("A", [2.0])), days=365 - 1.1 * HOUR)
    assert versions(desk) == before
    shutil.rmtree(desk.store.folder / "manifest")
    desk.warehouse.path.unlink()
    desk.warehouse.prepare(TABLES.values())
    desk.ingest(shelf(A=prices("A", [2.0])), days=2)
    assert versions(desk) == [("prices/A.csv", "shelf", 1, day(2), NEVER)]


histories = st.lists(
    st.tuples(
        st.lists(st.sampled_from([1.0, 2.0]), max_size=3),
        st.lists(st.sampled_from([1.0, 2.0]), max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories)
def test_every_state_of_the_past_can_be_asked_for(empty_file, tmp_path_factory, history):
    folder = tmp_path_factory.mktemp("states")
    work = Warehouse(shutil.copy(empty_file, folder / "work.duckdb"))
    desk = Desk(work, RawStore(folder / "raw"))
    for number, closes in enumerate(history):
        files = {n: prices(n, c) for n, c in zip("AB", closes, strict=True)}
        desk.ingest(shelf(**files), days=number)
    for number, closes in enumerate(history):
        expected = [
            (name, a_day, close)
            for name, some in zip("AB", closes, strict=True)
            for a_day, close in zip(JANUARY, some, strict=False)
        ]
        rows = known_on(desk, day(number)).select("vendor_id", "date", "close").rows()
        assert rows == expected


# --- Files ------------------------------------------------------------------------------------


def test_a_version_lasts_until_other_bytes_come(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    desk.ingest(shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [2.0])), days=1)
    desk.ingest(shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [2.0])), days=2)
    assert versions(desk) == [
        ("prices/A.csv", "shelf", 1, day(0), day(1)),
        ("prices/A.csv", "shelf", 2, day(1), NEVER),
        ("prices/B.csv", "shelf", 1, day(0), NEVER),
    ]
    log = desk.warehouse.table(INGEST_LOG)
    open_versions = desk.warehouse.table(SNAPSHOT).filter(pl.col("known_to").is_null())
    assert open_versions["sha256"].to_list() == log["sha256"].to_list()


def test_bad_and_missing_files_keep_their_last_good_version(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    before = versions(desk)
    desk.ingest(shelf(A=BAD), days=1, max_bad_share=1)
    assert versions(desk) == before
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])), days=2)
    assert versions(desk) == before


def test_a_file_that_was_never_good_has_a_version_without_rows(desk):
    desk.ingest(shelf(A=BAD), max_bad_share=1)
    desk.ingest(shelf(A=prices("A", [1.0])), days=1)
    assert versions(desk) == [
        ("prices/A.csv", "shelf", 0, day(0), day(1)),
        ("prices/A.csv", "shelf", 1, day(1), NEVER),
    ]


def test_a_file_that_leaves_ends_its_version(desk):
    desk.ingest(shelf(A=prices("A", [1.0]), B=prices("B", [2.0])))
    desk.ingest(shelf(B=prices("B", [2.0])), exclude=("A.csv",), days=1)
    other = Shelf({"B.csv": prices("B", [2.0])}, name="other")
    desk.ingest(other, exclude=("A.csv",), days=2)
    desk.ingest(None, days=3)
    assert versions(desk) == [
        ("prices/A.csv", "shelf", 1, day(0), day(1)),
        ("prices/B.csv", "shelf", 1, day(0), day(2)),
        ("prices/B.csv", "other", 1, day(2), day(3)),
    ]


def test_data_sets_do_not_end_each_others_versions(desk):
    row = {"data_set": "etf", "symbol": "X", "date": JANUARY[0], "close": 1.0}
    level = pl.DataFrame([{**row, "adjusted_close": 1.0}])
    desk.ingest(shelf(A=prices("A", [1.0])))
    desk.ingest(shelf(X=level), data_set="etf", days=1)
    desk.ingest(None, data_set="etf", days=2)
    assert [(row[0], row[4]) for row in versions(desk)] == [
        ("etf/X.csv", day(2)),
        ("prices/A.csv", NEVER),
    ]


# --- Homes of older releases ------------------------------------------------------------------


def older(path) -> None:
    """Make a work file look as a release without knowledge times left it."""
    with duckdb.connect(str(path)) as connection:
        for table in {table.qualified_name for table in DATA_SETS.values()}:
            connection.execute(f"alter table {table} drop column known_from")
        connection.execute("drop table raw.snapshot")
        connection.execute("drop schema raw_history cascade")


def test_a_home_of_an_older_release_keeps_rows_and_learns_their_times_from_its_log(desk):
    desk.ingest(shelf(A=prices("A", [1.0, 2.0]), C=BAD), max_bad_share=1)
    desk.ingest(shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0]), C=BAD), days=1)
    before, logged = desk.closes(), desk.warehouse.table(INGEST_LOG)
    older(desk.warehouse.path)
    assert desk.warehouse.prepare(TABLES.values()) == []
    assert (desk.closes(), desk.warehouse.table(INGEST_LOG).equals(logged)) == (before, True)
    assert [row[3] for row in current(desk)] == [day(0), day(0), day(1)]
    assert versions(desk) == [
        ("prices/A.csv", "shelf", 2, day(0), NEVER),
        ("prices/B.csv", "shelf", 1, day(1), NEVER),
        ("prices/C.csv", "shelf", 0, day(0), NEVER),
    ]
    source = shelf(A=prices("A", [1.0, 2.5]), B=prices("B", [3.0]), C=BAD)
    desk.ingest(source, days=2)
    assert source.parsed == ["A.csv"]
    assert withdrawn(desk) == [("A", JANUARY[1], 2.0, day(0), day(2))]


def lived(desk: Desk) -> Shelf:
    """A home with corrections, a new row, files that turned bad, went, came back or were excluded.

    Returns what its source offers last.
    """
    c, d = prices("C", [3.0]), prices("D", [4.0, 5.0])
    first = shelf(A=prices("A", [1.0, 2.0]), B=prices("B", [3.0]), C=c, D=d, E=BAD)
    first.rejects["C.csv"] = pl.DataFrame(
        [{"row": 7, "rule": "negative_price", "reason": "Below zero.", "value": "-1"}],
        schema=REJECT_SCHEMA,
    )
    desk.ingest(first)
    desk.ingest(shelf(A=prices("A", [1.5, 2.0]), C=c, D=d, E=BAD), days=1, exclude=("D.csv",))
    last = shelf(A=prices("A", [1.5, 2.0, 3.0]), C=BAD, D=d, E=BAD)
    desk.ingest(last, days=2, max_bad_share=1)
    return last


RECORDS = (PRICE_DAILY, PRICE_HISTORY, SNAPSHOT, VINTAGE_DIFF, INGEST_LOG, QUARANTINE)


def records(desk: Desk) -> dict[str, list[dict[str, object]]]:
    return {
        table.qualified_name: desk.warehouse.read(
            f"select * from {table.qualified_name} order by all"  # noqa: S608
        ).to_dicts()
        for table in RECORDS
    }


@pytest.mark.parametrize(
    "table",
    ["raw.price_daily", "raw.ingest_log", "quality.quarantine", "quality.vintage_diff"],
)
def test_what_starts_over_with_a_release_is_made_again_from_kept_bytes(desk, table):
    last = lived(desk)
    before = records(desk)
    assert all(before.values()), "every table must have something to lose"
    with duckdb.connect(str(desk.warehouse.path)) as connection:
        connection.execute(f"alter table {table} add column more double")
    assert desk.warehouse.prepare(TABLES.values()) == [table]
    report = desk.ingest(last, days=3, max_bad_share=1)
    assert records(desk) == before
    assert report.missing == ["prices/B.csv"]
    assert desk.ingest(last, days=4, max_bad_share=1).parsed == 0


def test_a_lost_work_file_is_made_again_from_kept_bytes(desk):
    last = lived(desk)
    before = records(desk)
    desk.warehouse.path.unlink()
    desk.warehouse.prepare(TABLES.values())
    desk.ingest(last, days=3, max_bad_share=1)
    assert records(desk) == before


@pytest.mark.parametrize("done", [0, 1, 2])
def test_a_crash_amid_it_leaves_nothing_half_made(desk, monkeypatch, done):
    last = lived(desk)
    before = records(desk)
    with duckdb.connect(str(desk.warehouse.path)) as connection:
        connection.execute("alter table raw.price_daily add column more double")
    desk.warehouse.prepare(TABLES.values())
    step, steps = Replay._step, iter(range(9))  # noqa: SLF001 - what fails

    def failing(*arguments: object):
        if next(steps) == done:
            raise OSError("no space left on device")
        return step(*arguments)

    monkeypatch.setattr(Replay, "_step", failing)
    with pytest.raises(OSError, match="no space left"):
        desk.ingest(last, days=3, max_bad_share=1)
    monkeypatch.undo()
    desk.ingest(last, days=4, max_bad_share=1)
    assert records(desk) == before


def test_as_many_rows_as_fill_more_than_a_block_are_made_again_too(desk):
    """DuckDB writes blocks of 122,880 rows, and treats what is in whole ones otherwise."""
    days = [date(1900, 1, 1) + timedelta(days=number) for number in range(130_000)]
    for number in range(2):
        closes = [0.5 + number, *([1.0] * (len(days) - 1))]
        last = shelf(A=prices("A", closes, days))
        desk.ingest(last, days=number)
    desk.warehouse.path.unlink()
    desk.warehouse.prepare(TABLES.values())
    desk.ingest(last, days=2)
    assert len(desk.closes()["prices/A.csv"]) == len(days)
    assert withdrawn(desk) == [("A", days[0], 0.5, day(0), day(1))]


def test_an_old_work_file_put_back_catches_up_with_kept_bytes(desk, tmp_path):
    desk.ingest(shelf(A=prices("A", [9.0])))
    backup = shutil.copy(desk.warehouse.path, tmp_path / "backup.duckdb")
    last = lived(desk)
    before = records(desk)
    shutil.copy(backup, desk.warehouse.path)
    desk.ingest(last, days=3, max_bad_share=1)
    assert records(desk) == before
    # Whatever was built from the old rows has to be built again.
    assert desk.warehouse.table(PENDING)["changed_from"].min() < JANUARY[0]


def test_versions_without_bytes_are_left_out(desk):
    last = lived(desk)
    shutil.rmtree(desk.store.folder / sha256(last.content("A.csv"))[:2])
    with duckdb.connect(str(desk.warehouse.path)) as connection:
        connection.execute("alter table raw.price_daily add column more double")
    desk.warehouse.prepare(TABLES.values())
    before = versions(desk)
    report = desk.ingest(last, days=3, max_bad_share=1)
    assert last.parsed.count("A.csv") == 3
    assert report.missing == ["prices/B.csv"]
    assert desk.closes()["prices/A.csv"] == [1.5, 2.0, 3.0]
    assert versions(desk) == before


def test_a_data_set_without_files_of_today_keeps_its_history(desk):
    desk.ingest(shelf(A=prices("A", [1.0])))
    desk.ingest(shelf(B=prices("B", [2.0])), days=1, exclude=("A.csv",))
    other = Shelf({}, name="shelf")
    desk.ingest(other, days=2, exclude=("A.csv", "B.csv"))
    before = records(desk)
    assert before["raw_history.price_daily"]
    with duckdb.connect(str(desk.warehouse.path)) as connection:
        connection.execute("alter table raw.price_daily add column more double")
    desk.warehouse.prepare(TABLES.values())
    for days in (3, 4):
        desk.ingest(other, days=days)
        assert records(desk) == before


@pytest.mark.parametrize("table", ["raw.snapshot", "raw.ingest_log", "quality.vintage_diff"])
def test_records_of_an_older_release_get_its_new_columns(desk, table):
    lived(desk)
    before = records(desk)
    declared = TABLES[table]
    note = Column("note", pl.String, "text", "What a later release adds.", nullable=True)
    later = replace(declared, columns=(declared.columns[0], note, *declared.columns[1:]))
    assert desk.warehouse.prepare((TABLES | {table: later}).values()) == []
    rows = desk.warehouse.read(f"select * from {table} order by all")  # noqa: S608
    assert rows.columns == list(later.column_names)
    assert rows["note"].null_count() == rows.height
    assert rows.drop("note").to_dicts() == before[table]


def test_a_batch_of_the_manifest_cut_by_a_power_loss_does_not_count(tmp_path):
    manifest = Manifest.beside(tmp_path, "prices")
    row = {"file": "prices/A.csv", "known_from": day(0), "known_to": None}
    manifest.append([row], day(0))
    whole = manifest.path.read_bytes()
    manifest.append([row | {"known_to": day(1)}, row | {"known_from": day(1)}], day(1))
    both = manifest.path.read_bytes()
    ended = [row | {"known_to": day(1)}, row | {"known_from": day(1)}]
    assert (manifest.until(), manifest.versions()) == (day(1), ended)
    for size in range(len(whole), len(both)):
        manifest.path.write_bytes(both[:size])
        assert (manifest.until(), manifest.versions()) == (day(0), [row])
    manifest.append(ended, day(1))
    assert manifest.path.read_bytes() == both
