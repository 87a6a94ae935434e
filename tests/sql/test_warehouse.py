import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import DataError, SchemaError, WarehouseBusyError
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.quality import BUILD, CHECK_RESULT, PENDING, QUARANTINE
from factor_pipeline.schemas.raw import BENCHMARK_DAILY, INGEST_LOG, MACRO
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.warehouse.connection import connect
from factor_pipeline.warehouse.store import Change, Warehouse

FIRST = date(2020, 1, 1)
FETCHED = datetime.fromisoformat("2020-01-02")
YEAR = MonthRange(FIRST, date(2021, 1, 1))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    assert warehouse.prepare(TABLES.values()) == []
    return warehouse.path


@pytest.fixture
def warehouse(tmp_path, empty_file):
    return Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"), wait_seconds=0.3)


def returns(
    months: MonthRange,
    *,
    ret: float = 0.01,
    source: str = "own",
    factors: tuple[str, ...] = ("MKT",),
) -> pl.DataFrame:
    starts = [add_months(months.start, i) for i in range(len(months))]
    return (
        pl.DataFrame({"month_end": starts}, schema={"month_end": pl.Date})
        .with_columns(pl.col("month_end").dt.month_end())
        .join(pl.DataFrame({"factor": factors}), how="cross")
        .with_columns(
            source=pl.lit(source),
            vintage=pl.lit("202412" if source == "library" else None, dtype=pl.String),
            ret=pl.lit(ret) + pl.col("month_end").dt.month() / 1000,
        )
    )


def stored(warehouse: Warehouse) -> pl.DataFrame:
    return warehouse.table(FACTOR_RETURN)


def month_of(frame: pl.DataFrame, month: int) -> list[float]:
    return frame.filter(pl.col("month_end").dt.month() == month)["ret"].to_list()


# --- Replacing -------------------------------------------------------------------------------


def test_months_are_replaced_and_nothing_else(warehouse):
    assert warehouse.replace_months(FACTOR_RETURN, returns(YEAR), YEAR) == 12
    library = returns(YEAR, source="library")
    warehouse.replace_months(FACTOR_RETURN, library, YEAR, source="library")
    spring = MonthRange(date(2020, 3, 1), date(2020, 6, 1))
    new = returns(spring, ret=0.5, factors=("MKT", "SMB"))
    assert warehouse.replace_months(FACTOR_RETURN, new, spring, source="own") == 6
    rows = stored(warehouse)
    own = rows.filter(pl.col("source") == "own")
    assert month_of(own, 2) == [0.012]
    assert month_of(own, 3) == [0.503, 0.503]
    assert month_of(own, 5) == [0.505, 0.505]
    assert month_of(own, 6) == [0.016]
    assert own.height == 12 - 3 + 6
    assert rows.filter(pl.col("source") == "library").height == 12


def test_replacing_twice_is_replacing_once(warehouse):
    for _ in range(2):
        warehouse.replace_months(FACTOR_RETURN, returns(YEAR), YEAR, source="own")
    assert stored(warehouse).equals(
        returns(YEAR).select(FACTOR_RETURN.column_names).sort("month_end")
    )


def test_months_without_rows_are_emptied(warehouse):
    warehouse.replace_months(FACTOR_RETURN, returns(YEAR), YEAR)
    rest = MonthRange(date(2020, 2, 1), YEAR.end)
    assert warehouse.replace_months(FACTOR_RETURN, FACTOR_RETURN.empty(), rest) == 0
    assert stored(warehouse)["month_end"].to_list() == [date(2020, 1, 31)]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 11), unique=True).map(sorted))
def test_a_range_equals_its_pieces(warehouse, cuts):
    warehouse.replace(FACTOR_RETURN, FACTOR_RETURN.empty())
    whole = returns(YEAR, factors=("MKT", "SMB", "HML"))
    bounds = [YEAR.start, *(add_months(YEAR.start, cut) for cut in cuts), YEAR.end]
    for start, end in pairwise(bounds):
        piece = whole.filter(pl.col("month_end").is_between(start, end, "left"))
        warehouse.replace_months(FACTOR_RETURN, piece, MonthRange(start, end), source="own")
    in_pieces = stored(warehouse)
    warehouse.replace_months(FACTOR_RETURN, whole, YEAR, source="own")
    assert in_pieces.equals(stored(warehouse))


def test_months_come_back_in_key_order_and_half_open(warehouse):
    frame = returns(YEAR, factors=("SMB", "MKT")).sample(fraction=1, shuffle=True, seed=1)
    warehouse.replace_months(FACTOR_RETURN, frame, YEAR)
    february = MonthRange(date(2020, 2, 1), date(2020, 3, 1))
    rows = warehouse.months(FACTOR_RETURN, february)
    assert rows.select("factor", "month_end").rows() == [
        ("MKT", date(2020, 2, 29)),
        ("SMB", date(2020, 2, 29)),
    ]


BROKEN = [
    (returns(YEAR).drop("ret"), SchemaError, r"missing columns \['ret'\]"),
    (returns(YEAR).drop("month_end"), SchemaError, r"missing columns \['month_end'\]"),
    (returns(YEAR).with_columns(x=1), SchemaError, r"unexpected columns \['x'\]"),
    (returns(YEAR).with_columns(ret=pl.lit(float("nan"))), SchemaError, "NaN or infinite"),
    (returns(YEAR).with_columns(ret=pl.lit(-float("inf"))), SchemaError, "NaN or infinite"),
    (
        returns(YEAR).with_columns(factor=pl.lit(None, dtype=pl.String)),
        SchemaError,
        "factor: 12 nulls, none allowed",
    ),
    (
        returns(YEAR).with_columns(month_end=pl.lit(None, dtype=pl.Date)),
        SchemaError,
        "month_end: 12 nulls, none allowed",
    ),
    (
        returns(YEAR.widened(ahead=1)),
        DataError,
        r"factor\.factor_return: month_end 2021-01-31 is not the last day of a month in 2020-01",
    ),
    (
        returns(YEAR.widened(back=1)),
        DataError,
        "month_end 2019-12-31 is not the last day of a month in 2020-01 to 2020-12",
    ),
    (
        returns(YEAR).with_columns(pl.col("month_end").dt.month_start()),
        DataError,
        "month_end 2020-01-01 is not the last day of a month",
    ),
    (
        returns(YEAR, source="library"),
        DataError,
        "a row has another source than 'own', the one that is replaced",
    ),
]


@pytest.mark.parametrize(("frame", "error", "said"), BROKEN, ids=[said for _, _, said in BROKEN])
def test_a_wrong_frame_is_refused_and_the_table_is_as_it_was(warehouse, frame, error, said):
    warehouse.replace_months(FACTOR_RETURN, returns(YEAR), YEAR)
    before = stored(warehouse)
    with pytest.raises(error, match=said):
        warehouse.replace_months(FACTOR_RETURN, frame, YEAR, source="own")
    assert stored(warehouse).equals(before)


def test_a_scope_may_be_null(warehouse):
    both = pl.concat([returns(YEAR), returns(YEAR, source="library")])
    warehouse.replace(FACTOR_RETURN, both)
    warehouse.replace(FACTOR_RETURN, returns(YEAR, ret=0.7), vintage=None)
    assert month_of(stored(warehouse).filter(pl.col("source") == "own"), 1) == [0.701]
    assert stored(warehouse).height == 24
    with pytest.raises(DataError, match="another vintage than None"):
        warehouse.replace(FACTOR_RETURN, both, vintage=None)


def macro(value: float, file: str = "macro/A.csv") -> pl.DataFrame:
    return pl.DataFrame(
        [{"series": "A", "date": FIRST, "value": value, "file": file, "known_from": FETCHED}]
    )


def test_changes_enter_together_or_not_at_all(warehouse):
    warehouse.write([Change.of_files(MACRO, macro(1.0), ["macro/A.csv"])])
    changes = [
        Change.of_files(MACRO, macro(2.0), ["macro/A.csv"]),
        Change.of_files(MACRO, macro(float("nan"), "macro/B.csv"), ["macro/B.csv"]),
    ]
    with pytest.raises(SchemaError):
        warehouse.write(changes)
    with pytest.raises(duckdb.BinderException):
        warehouse.write([changes[0], Change(MACRO, macro(3.0), "no_such_column = 1", {})])
    assert warehouse.table(MACRO)["value"].to_list() == [1.0]
    warehouse.write([changes[0], Change.of_files(MACRO, macro(3.0, "macro/B.csv"), [])])
    assert warehouse.table(MACRO)["value"].to_list() == [2.0, 3.0]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_can_be_read_and_emptied(warehouse, table):
    assert warehouse.replace(table, table.empty()) == 0
    assert warehouse.table(table).equals(table.empty())


# --- Reading ---------------------------------------------------------------------------------


def test_parameters_are_bound_by_name_and_others_left_out(warehouse):
    query = "select $month_start::date as first, $name as name -- $name: whose"
    frame = warehouse.read_months(query, YEAR, name="it's", unused=5)
    assert frame.row(0) == (FIRST, "it's")


def test_a_query_never_sees_python_variables(warehouse):
    secret = pl.DataFrame({"a": [1]})
    with connect(warehouse.path, read_only=True) as connection:
        with pytest.raises(duckdb.CatalogException, match="secret does not exist"):
            connection.sql("select * from secret")
        connection.register("known", secret)
        assert connection.sql("select * from known").fetchall() == [(1,)]


def test_a_read_changes_nothing(warehouse):
    with pytest.raises(duckdb.InvalidInputException, match="read-only"):
        warehouse.read("delete from raw.macro")


@pytest.mark.parametrize("content", [None, b"", b"not a database" * 1000])
def test_a_file_that_is_no_database_is_named(tmp_path, content):
    path = tmp_path / "lock.duckdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"lock\.duckdb cannot be opened .* move it away and run"):
        Warehouse(path).read("select 1")


# --- Other processes -------------------------------------------------------------------------


@contextmanager
def python(script: str, *arguments: object):
    """Run a script in another process until it prints a line; kill it in the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.communicate()


HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def test_a_busy_file_gives_a_named_error_after_a_bounded_wait(warehouse):
    with python(HOLD, warehouse.path, 60) as holder:
        for attempt in (
            lambda: warehouse.read("select 1"),
            lambda: warehouse.replace(MACRO, macro(1.0)),
            lambda: warehouse.prepare(TABLES.values()),
        ):
            start = time.monotonic()
            said = rf"work\.duckdb is in use by process {holder.pid}; wait for it to end"
            with pytest.raises(WarehouseBusyError, match=said):
                attempt()
            # A loaded machine may take seconds for what takes milliseconds.
            assert 0.3 <= time.monotonic() - start < 10


def test_a_file_that_gets_free_in_time_is_read(warehouse):
    with python(HOLD, warehouse.path, 0.5):
        assert Warehouse(warehouse.path, wait_seconds=30).read("select 1").item() == 1


DIE = """
import os, signal, sys
from pathlib import Path
import polars as pl
from factor_pipeline.schemas.raw import MACRO
from factor_pipeline.warehouse import store

swap = store._swap
def dying(connection, change):
    swap(connection, change)
    seen = connection.execute("select count(*) from raw.macro").fetchall()
    print(seen, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

store._swap = dying
row = {"series": "B", "date": pl.date_range(pl.date(1900, 1, 1), pl.date(1999, 1, 1), eager=True)}
row |= {"value": 2.0, "file": "macro/B.csv"}
frame = pl.DataFrame(row).with_columns(known_from=pl.datetime(2020, 1, 2))
store.Warehouse(Path(sys.argv[1])).replace(MACRO, frame)
"""


def test_a_process_killed_while_it_writes_leaves_the_old_rows(warehouse):
    warehouse.replace(MACRO, macro(1.0))
    with python(DIE, warehouse.path) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert warehouse.table(MACRO).equals(macro(1.0))
    assert warehouse.replace(MACRO, macro(3.0)) == 1
    assert warehouse.table(MACRO)["value"].to_list() == [3.0]


COMMIT_AND_DIE = """
import os, signal, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set checkpoint_threshold = '1TB'")
connection.execute("insert into raw.macro values ('A', '2020-01-01', 4.0, 'macro/A.csv', now())")
print(os.path.getsize(sys.argv[1] + ".wal"), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_rows_committed_before_a_kill_are_there_afterwards(warehouse):
    with python(COMMIT_AND_DIE, warehouse.path) as process:
        assert process.wait(60) == -signal.SIGKILL
    assert Path(f"{warehouse.path}.wal").stat().st_size > 0
    assert warehouse.table(MACRO)["value"].to_list() == [4.0]


# --- Older releases --------------------------------------------------------------------------


def alter(warehouse: Warehouse, *statements: str) -> None:
    with duckdb.connect(str(warehouse.path)) as connection:
        for statement in statements:
            connection.execute(statement)


def filled(warehouse: Warehouse) -> Warehouse:
    """Two data sets with a good and a bad file each, factors, a build."""
    warehouse.replace(MACRO, macro(1.0))
    level = {"data_set": "etf", "symbol": "X", "date": FIRST, "close": 1.0, "adjusted_close": 1.0}
    warehouse.replace(
        BENCHMARK_DAILY, pl.DataFrame([{**level, "file": "etf/X.csv", "known_from": FETCHED}])
    )
    files = ["macro/A.csv", "macro/bad.csv", "etf/X.csv", "etf/bad.csv"]
    log = pl.DataFrame({"file": files}).with_columns(
        data_set=pl.col("file").str.split("/").list.first(),
        source=pl.lit("s"),
        sha256=pl.lit("00"),
        bytes=1,
        rows=1,
        rejected=0,
        vintage=None,
        parser_version=1,
        status=pl.lit("parsed"),
        ingested_at=pl.lit(FIRST).cast(pl.Datetime),
    )
    warehouse.replace(INGEST_LOG, log)
    bad = log.filter(pl.col("file").str.ends_with("bad.csv")).select("data_set", "file", "sha256")
    rejected = bad.with_columns(row=None, rule=pl.lit("r"), reason=pl.lit("R."), value=None)
    warehouse.replace(QUARANTINE, rejected)
    warehouse.replace(FACTOR_RETURN, returns(YEAR))
    build = {
        "build": 1,
        "run_id": "r",
        "month_start": FIRST,
        "month_end": date(2020, 12, 31),
        "inputs": "i",
        "settings": "{}",
        "code_version": "c",
        "simulated": True,
    }
    frame = pl.DataFrame([build]).with_columns(finished_at=pl.lit(FIRST).cast(pl.Datetime))
    warehouse.replace(BUILD, frame)
    return warehouse


def counts(warehouse: Warehouse) -> dict[str, int]:
    tables = (MACRO, BENCHMARK_DAILY, INGEST_LOG, QUARANTINE, FACTOR_RETURN, BUILD)
    return {table.name: warehouse.table(table).height for table in tables}


FULL = {
    "macro": 1,
    "benchmark_daily": 1,
    "ingest_log": 4,
    "quarantine": 2,
    "factor_return": 12,
    "build": 1,
}


def test_a_warehouse_of_this_release_stays_as_it_is(warehouse):
    filled(warehouse)
    assert warehouse.prepare(TABLES.values()) == []
    assert counts(warehouse) == FULL


@pytest.mark.parametrize(
    "statement",
    [
        "alter table factor.factor_return drop column ret",
        "alter table factor.factor_return add column more double",
        "alter table factor.factor_return rename column ret to retrn",
        "alter table factor.factor_return alter column ret type float",
        "alter table factor.factor_return alter column factor drop not null",
    ],
)
def test_an_outdated_derived_table_starts_over_and_months_are_built_again(warehouse, statement):
    alter(filled(warehouse), statement)
    assert warehouse.prepare(TABLES.values()) == ["factor.factor_return"]
    assert counts(warehouse) == {**FULL, "factor_return": 0, "build": 0}
    warehouse.replace_months(FACTOR_RETURN, returns(YEAR), YEAR)


def test_an_outdated_raw_table_starts_over_and_its_files_are_parsed_again(warehouse):
    alter(filled(warehouse), "alter table raw.benchmark_daily add column volume double")
    assert warehouse.prepare(TABLES.values()) == ["raw.benchmark_daily"]
    expected = {"benchmark_daily": 0, "ingest_log": 2, "quarantine": 1, "build": 0}
    assert counts(warehouse) == {**FULL, **expected}
    left = [*warehouse.table(INGEST_LOG)["data_set"], *warehouse.table(QUARANTINE)["data_set"]]
    assert set(left) == {"macro"}


@pytest.mark.parametrize("table", [INGEST_LOG, QUARANTINE], ids=lambda t: t.name)
def test_without_their_log_all_raw_rows_start_over(warehouse, table):
    alter(filled(warehouse), f"alter table {table.qualified_name} add column more double")
    assert warehouse.prepare(TABLES.values()) == [table.qualified_name]
    assert counts(warehouse) == {**dict.fromkeys(FULL, 0), "factor_return": 12}


def test_a_table_that_is_new_is_created_beside_the_others(warehouse):
    alter(filled(warehouse), "drop table quality.check_result")
    assert warehouse.prepare(TABLES.values()) == []
    assert counts(warehouse) == FULL
    assert warehouse.table(CHECK_RESULT).height == warehouse.table(PENDING).height == 0


def test_a_migration_that_fails_changes_nothing(warehouse, monkeypatch):
    from factor_pipeline.warehouse import migration  # noqa: PLC0415

    alter(filled(warehouse), "alter table factor.factor_return drop column ret")

    def failing(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(migration, "_empty", failing)
    with pytest.raises(OSError, match="no space"):
        warehouse.prepare(TABLES.values())
    monkeypatch.undo()
    assert warehouse.read("select count(*) from factor.factor_return").item() == 12
    assert warehouse.prepare(TABLES.values()) == ["factor.factor_return"]


def test_a_held_warehouse_reads_and_writes_over_one_connection(warehouse):
    with warehouse.held() as held:
        held.replace(MACRO, pl.concat([macro(1.0), macro(2.0, "macro/B.csv")]))
        assert sorted(held.table(MACRO)["value"]) == [1.0, 2.0]
    assert sorted(warehouse.table(MACRO)["value"]) == [1.0, 2.0]


def test_a_statement_that_fails_leaves_a_held_warehouse_usable_and_as_it_was(warehouse):
    with warehouse.held() as held:
        held.replace(MACRO, macro(1.0))
        broken = Change(MACRO, macro(2.0), "no_such_column = 1", {})
        with pytest.raises(duckdb.Error):
            held.write([Change(MACRO, macro(3.0), "true", {}), broken])
        assert held.table(MACRO)["value"].to_list() == [1.0]
        held.replace(MACRO, macro(4.0))
    assert warehouse.table(MACRO)["value"].to_list() == [4.0]
