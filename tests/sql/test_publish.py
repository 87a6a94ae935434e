import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from factor_pipeline.errors import WarehouseBusyError
from factor_pipeline.schemas.backtest import SUMMARY
from factor_pipeline.schemas.raw import MACRO
from factor_pipeline.schemas.registry import PUBLISHED_TABLES, TABLES
from factor_pipeline.warehouse.publish import publish
from factor_pipeline.warehouse.store import Warehouse

FETCHED = datetime.fromisoformat("2020-02-01")
VIEWS = {"factor.rich": "select series, value from raw.macro where value > 1"}


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def warehouse(tmp_path, empty_file):
    return Warehouse(shutil.copy(empty_file, tmp_path / "it's work.duckdb"))


@pytest.fixture
def published(tmp_path):
    return tmp_path / "it's factors.duckdb"


def macro(*values: float) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "series": "A",
            "date": date(2020, 1, len(values) - i),
            "value": v,
            "file": "macro/A.csv",
            "known_from": FETCHED,
        }
        for i, v in enumerate(values)
    )


def values(path: Path) -> list[float]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return [v for (v,) in connection.execute("select value from raw.macro").fetchall()]


def others(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_all_rows_are_published_in_key_order(warehouse, published):
    warehouse.replace(MACRO, macro(3.0, 2.0, 1.0))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    assert values(published) == [1.0, 2.0, 3.0]
    assert warehouse.table(MACRO)["value"].to_list() == [1.0, 2.0, 3.0], "the work file stays"
    assert others(published.parent) == [published.name, warehouse.path.name]


def test_what_is_published_is_described(warehouse, published):
    publish(warehouse, published, PUBLISHED_TABLES, {})
    with duckdb.connect(str(published), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables()"
        ).fetchall()
        columns = connection.execute(
            "select schema_name || '.' || table_name, column_name, comment from duckdb_columns() "
            "where not internal"
        ).fetchall()
    assert dict(tables) == {t.qualified_name: t.description for t in PUBLISHED_TABLES}
    assert sorted(columns) == sorted(
        (table.qualified_name, column.name, column.comment)
        for table in PUBLISHED_TABLES
        for column in table.columns
    )


def test_clients_of_older_releases_can_read_the_format(warehouse, published):
    publish(warehouse, published, PUBLISHED_TABLES, {})
    with duckdb.connect() as connection:
        location = str(published).replace("'", "''")
        connection.execute(f"attach '{location}' as published (read_only)")
        tags = connection.execute(
            "select tags from duckdb_databases() where database_name = 'published'"
        ).fetchall()
    ((tag,),) = tags
    assert tag["storage_version"].startswith("v1.5.0")


def test_views_are_published_too(warehouse, published):
    warehouse.replace(MACRO, macro(2.0, 1.0))
    publish(warehouse, published, PUBLISHED_TABLES, VIEWS)
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.execute("from factor.rich").fetchall() == [("A", 2.0)]


def test_publishing_again_replaces_the_file(warehouse, published):
    for value in (1.0, 2.0):
        warehouse.replace(MACRO, macro(value))
        publish(warehouse, published, PUBLISHED_TABLES, {})
        assert values(published) == [value]


def test_equal_rows_give_equal_tables(warehouse, published, tmp_path):
    warehouse.replace(MACRO, macro(3.0, 2.0, 1.0))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    warehouse.replace(MACRO, macro(3.0, 2.0, 1.0).reverse())
    publish(warehouse, tmp_path / "again.duckdb", PUBLISHED_TABLES, {})
    assert values(published) == values(tmp_path / "again.duckdb")


def test_readers_keep_the_file_they_opened(warehouse, published):
    warehouse.replace(MACRO, macro(1.0))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    with duckdb.connect(str(published), read_only=True) as reader:
        warehouse.replace(MACRO, macro(2.0))
        publish(warehouse, published, PUBLISHED_TABLES, {})
        assert reader.execute("select value from raw.macro").fetchall() == [(1.0,)]
    assert values(published) == [2.0]


def run(script: str, *arguments: object) -> int:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], check=False, timeout=60
    ).returncode


COMMIT_AND_DIE = """
import os, signal, sys, duckdb
connection = duckdb.connect(sys.argv[1])
connection.execute("set checkpoint_threshold = '1TB'")
connection.execute("insert into raw.macro values ('A', '2020-01-01', 4.0, 'macro/A.csv', now())")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_rows_that_are_only_in_the_write_ahead_log_are_published(warehouse, published):
    assert run(COMMIT_AND_DIE, warehouse.path) == -signal.SIGKILL
    assert Path(f"{warehouse.path}.wal").stat().st_size > 0
    publish(warehouse, published, PUBLISHED_TABLES, {})
    assert values(published) == [4.0]


PUBLISH_AND_DIE = """
import os, signal, sys
from pathlib import Path
from factor_pipeline.schemas.registry import PUBLISHED_TABLES
from factor_pipeline.warehouse import publish
from factor_pipeline.warehouse.store import Warehouse

where, work, published = sys.argv[1:]

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def dying_copy(connection, table, origin, copy=publish._copy):
    copy(connection, table, origin)
    if table.name == where:
        die()

publish._copy = dying_copy
if where == "flush":
    publish._flush = die
if where == "replace":
    Path.replace = die
publish.publish(Warehouse(Path(work)), Path(published), PUBLISHED_TABLES, {})
"""


@pytest.mark.parametrize("where", ["price_daily", "build", "flush", "replace"])
def test_a_process_killed_while_it_publishes_leaves_the_old_file(warehouse, published, where):
    warehouse.replace(MACRO, macro(1.0))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    old = published.read_bytes()
    warehouse.replace(MACRO, macro(2.0))
    assert run(PUBLISH_AND_DIE, where, warehouse.path, published) == -signal.SIGKILL
    assert published.read_bytes() == old
    publish(warehouse, published, PUBLISHED_TABLES, {})
    assert values(published) == [2.0]
    assert others(published.parent) == [published.name, warehouse.path.name]


def test_a_failure_leaves_the_old_file(warehouse, published):
    warehouse.replace(MACRO, macro(1.0))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    warehouse.replace(MACRO, macro(2.0))
    with pytest.raises(duckdb.CatalogException):
        publish(warehouse, published, PUBLISHED_TABLES, {"raw.x": "select * from nowhere"})
    assert values(published) == [1.0]
    publish(warehouse, published, PUBLISHED_TABLES, {})
    assert values(published) == [2.0]


HOLD = """
import sys, time, duckdb
with duckdb.connect(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_busy_work_file_gives_a_named_error(warehouse, published):
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse.path)], stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(WarehouseBusyError, match=f"process {holder.pid}"):
            publish(replace(warehouse, wait_seconds=0.2), published, PUBLISHED_TABLES, {})
        holder.kill()
    assert not published.exists()


def test_a_table_without_rows_is_published_as_well(warehouse, published):
    publish(warehouse, published, [SUMMARY], {})
    with duckdb.connect(str(published), read_only=True) as connection:
        assert connection.sql("from backtest.summary").pl().schema == SUMMARY.polars_schema


def test_the_published_file_reaches_the_disk_before_it_takes_the_name(
    warehouse, published, monkeypatch
):
    order: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (order.append("flush"), fsync(fd)))
    monkeypatch.setattr(Path, "replace", lambda a, b: (order.append("replace"), replace(a, b)))
    publish(warehouse, published, PUBLISHED_TABLES, {})
    assert order == ["flush", "replace"]
