import subprocess
import sys
import time
from datetime import date, datetime

import duckdb
import polars as pl
import pytest

from factor_pipeline.errors import QueryError
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.raw import MACRO
from factor_pipeline.schemas.registry import PUBLISHED_TABLES, TABLES
from factor_pipeline.warehouse import query as query_module
from factor_pipeline.warehouse.connection import connect
from factor_pipeline.warehouse.publish import publish
from factor_pipeline.warehouse.query import query_published, snapshot
from factor_pipeline.warehouse.store import Warehouse

FETCHED = datetime.fromisoformat("2020-01-03")
LONG = "select count(*) from range(30000000000) as t(a) where hash(a) = 1"


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    warehouse = Warehouse(folder / "work.duckdb")
    warehouse.prepare(TABLES.values())
    macro = pl.DataFrame({"series": ["A", "A", "B"], "date": [date(2020, 1, d) for d in (1, 2, 1)]})
    values = {"value": pl.Series([1.0, 2.0, 5.0]), "file": pl.lit("macro/A.csv")}
    warehouse.replace(MACRO, macro.with_columns(**values, known_from=FETCHED))
    month = {"month_end": date(2020, 1, 31), "factor": "MKT", "source": "own", "ret": 0.01}
    warehouse.replace(FACTOR_RETURN, pl.DataFrame([{**month, "vintage": None}]))
    publish(warehouse, folder / "factors.duckdb", PUBLISHED_TABLES, {})
    return folder / "factors.duckdb"


def refused(published, query: str, **limits: float) -> str:
    with pytest.raises(QueryError) as caught:
        query_published(published, query, **limits)
    return str(caught.value)


def test_rows_come_back_with_their_types(published):
    frame = query_published(published, "select * from factor.factor_return")
    assert frame.schema == FACTOR_RETURN.polars_schema
    assert frame.row(0) == (date(2020, 1, 31), "MKT", "own", None, 0.01)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select sum(value) from raw.macro", [(8.0,)]),
        ("  select series from raw.macro where value > 2;  -- a comment\n", [("B",)]),
        ("-- é; a question\nselect 'é;' as a; /* more */ -- ü;\n;", [("é;",)]),
        ("with a as (select max(value) as m from raw.macro) select m from a", [(5.0,)]),
        ("from raw.macro select value order by value desc limit 1", [(5.0,)]),
        ("values (1), (2)", [(1,), (2,)]),
        ("select value from raw.macro where false", []),
        (
            "pivot raw.macro on series using max(value) group by date order by date limit 1",
            [(date(2020, 1, 1), 1.0, 5.0)],
        ),
    ],
)
def test_every_way_to_select_is_answered(published, query, rows):
    assert query_published(published, query).rows() == rows


@pytest.mark.parametrize(
    "query", ["describe raw.macro", "summarize raw.macro", "show all tables", "explain select 1"]
)
def test_questions_about_the_tables_are_answered(published, query):
    assert query_published(published, query).height > 0


def test_sums_of_integers_are_integers_and_decimals_floats(published):
    query = "select sum(n) as total, 0.5 as half from (values (1), (9007199254740993)) as t(n)"
    (row,) = query_published(published, query).to_dicts()
    assert row == {"total": 9007199254740994, "half": 0.5}
    assert (type(row["total"]), type(row["half"])) == (int, float)


def test_columns_of_one_name_are_told_apart(published):
    frame = query_published(published, "select 1 as x, 2 as x")
    assert len(set(frame.columns)) == 2
    assert frame.row(0) == (1, 2)


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from read_blob('{work}')",
        "select * from parquet_scan('/etc/*')",
        "select * from glob('/*')",
        "select * from 'https://example.com/a.parquet'",
        "from '{work}'",
        "select * from duckdb_secrets()",
    ],
)
def test_no_other_file_is_read(published, query):
    work = published.with_name("work.duckdb")
    assert work.exists()
    said = refused(published, query.format(work=work))
    assert said.startswith("only published tables can be queried, no other file: ") or (
        "does not exist" in said
    )


@pytest.mark.parametrize(
    "query",
    [
        "copy raw.macro to '{out}'",
        "copy (select 1) to '{out}' (format parquet)",
        "export database '{out}'",
        "attach '{out}'",
        "install httpfs",
        "load httpfs",
        "set memory_limit = '100GB'",
        "set enable_external_access = true",
        "reset lock_configuration",
        "pragma enable_profiling",
        "pragma database_list",
        "call pragma_version()",
        "create table raw.mine (a int)",
        "create temp table mine as select 1",
        "insert into raw.macro values ('A', '2020-01-03', 1, 'f')",
        "update raw.macro set value = 0",
        "delete from raw.macro",
        "drop table raw.macro",
        "alter table raw.macro drop column value",
        "begin",
        "checkpoint",
        "vacuum",
        "use raw",
        "prepare mine as select 1",
    ],
)
def test_only_select_is_answered(published, tmp_path, query):
    before = published.read_bytes()
    out = tmp_path / "out"
    said = refused(published, query.format(out=out))
    assert said.startswith("only SELECT is answered, not ")
    assert not out.exists()
    assert published.read_bytes() == before


@pytest.mark.parametrize(
    "query", ["explain analyze delete from raw.macro", "explain analyze copy raw.macro to '{out}'"]
)
def test_an_explained_change_is_no_way_in(published, tmp_path, query):
    before = published.read_bytes()
    out = tmp_path / "out"
    refused(published, query.format(out=out))
    assert not out.exists()
    assert published.read_bytes() == before


@pytest.mark.parametrize(
    "statement", ["set memory_limit = '100GB'", "set enable_external_access = true"]
)
def test_even_a_setting_that_got_through_would_be_refused(published, statement):
    locked_down = query_module._LOCKED_DOWN  # noqa: SLF001 - the second line of defence
    with (
        connect(published, read_only=True, config=locked_down) as connection,
        pytest.raises(duckdb.Error, match="configuration has been locked"),
    ):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("query", "count"), [("select 1; select 2", 2), ("select 1; drop table raw.macro", 2), ("", 0)]
)
def test_one_statement_is_expected(published, query, count):
    assert refused(published, query) == f"one SELECT is expected, got {count} statements"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("selec 1", 'syntax error at or near "selec"'),
        ("select * from raw.makro", "Table with name makro does not exist"),
        ("select * from raw.makro", 'Did you mean "macro"'),
        ("select * from raw.makro", "`show all tables` lists what there is"),
        ("select valeu from raw.macro", 'Candidate bindings: "value"'),
        ("select series + 1 from raw.macro", "you might need to add explicit type casts"),
        ("select interval 1 month", "cast it to varchar"),
        ("select * from published", "does not exist"),
        ("select $1", "parameter"),
    ],
)
def test_wrong_sql_gives_an_error_that_helps(published, query, said):
    assert said.lower() in refused(published, query).lower()


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_the_time_limit_interrupts(published, seconds):
    start = time.monotonic()
    said = refused(published, LONG, timeout_seconds=seconds)
    # Without the limit it takes minutes; a loaded machine may need seconds to notice.
    assert seconds <= time.monotonic() - start < 20
    assert said.startswith(f"the query ran longer than {seconds:g} s")


def test_after_an_interrupt_the_next_query_is_answered(published):
    refused(published, LONG, timeout_seconds=0.1)
    time.sleep(0.3)
    assert query_published(published, "select 1", timeout_seconds=5).item() == 1


def test_too_many_rows_are_refused_and_just_enough_are_not(published):
    query = "select * from range({}) as t(a) order by a desc"
    assert refused(published, query.format(11), max_rows=10) == (
        "the query gives more than 10 rows; add a LIMIT or aggregate"
    )
    frame = query_published(published, query.format(10), max_rows=10)
    assert frame["a"].to_list() == list(range(9, -1, -1))


def test_more_memory_than_allowed_is_an_error(published, monkeypatch):
    monkeypatch.setitem(query_module._LOCKED_DOWN, "memory_limit", "50MB")  # noqa: SLF001
    query = "select list(a) from range(2000000000) as t(a)"
    assert "Out of Memory" in refused(published, query)


def test_kept_rows_can_be_read_till_the_file_is_closed_and_never_enter_it(published):
    before = published.read_bytes()
    with snapshot(published) as answer:
        answer.keep("kept", "select range as i from range(5);  -- five")
        assert answer("select sum(i) as total from kept")["total"].to_list() == [10]
        with pytest.raises(QueryError, match="only SELECT is answered"):
            answer.keep("none", "drop table raw.macro")
    with pytest.raises(QueryError, match="kept"):
        query_published(published, "from kept")
    assert published.read_bytes() == before


def test_before_the_first_run_it_says_what_to_do(tmp_path):
    said = refused(tmp_path / "factors.duckdb", "select 1")
    assert said.endswith("factors.duckdb; run `factor-pipeline run` first")


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "factors.duckdb"
    path.write_bytes(b"no database" * 1000)
    assert "factors.duckdb cannot be opened" in refused(path, "select 1")


READ = """
import sys, time
from pathlib import Path
from factor_pipeline.warehouse.query import query_published
print(query_published(Path(sys.argv[1]), "select sum(value) from raw.macro").item(), flush=True)
"""


def test_several_processes_read_at_once(published):
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(published)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    assert query_published(published, "select 1").item() == 1
    assert [reader.communicate(timeout=60)[0] for reader in readers] == ["8.0\n", "8.0\n"]
