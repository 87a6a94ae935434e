"""Making the work file fit the declared tables, after an update of the package too."""

from collections.abc import Iterable

import duckdb

from factor_pipeline.schemas.provenance import KNOWN_FROM
from factor_pipeline.schemas.quality import BUILD, QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.schemas.raw_history import SNAPSHOT, VINTAGE_DIFF
from factor_pipeline.schemas.table import Table

# Name, type, nullability of a column.
_Stored = tuple[str, str, bool]
# What no computation gives again.
_RECORDS = {t.qualified_name for t in (SNAPSHOT, INGEST_LOG, QUARANTINE, VINTAGE_DIFF)}


def migrate(connection: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> list[str]:
    """Create what does not exist yet; return the tables that had to start over.

    A table of an older release with other columns or types is dropped: derived rows are computed
    again, and raw rows, with their history, are made again from the kept bytes by the next
    ingestion, as their files leave the ingest log with them. When the log, the quarantine or what
    vendors changed is itself outdated, all raw rows start over, since they are made together.
    These records, and the versions of files, only gain columns that may be NULL where that is all
    a release changes. ``raw.snapshot`` stays, and rows of releases that did not know it take
    their times from the log.
    """
    declared = list(tables)
    stored = _stored_columns(connection)
    for table in declared:
        if table.qualified_name in _RECORDS and _lacks_optional(table, stored):
            _add_optional(connection, table)
            stored[table.qualified_name] = _declared_columns(table)
    logged = stored.get(INGEST_LOG.qualified_name) == _declared_columns(INGEST_LOG)
    outdated = []
    for table in declared:
        columns = stored.get(table.qualified_name)
        if columns == _declared_columns(table):
            continue
        if logged and table in DATA_SETS.values() and columns == _declared_columns(table)[:-1]:
            _add_known_from(connection, table)
            continue
        if columns:
            connection.execute(f"drop table {table.qualified_name}")
            outdated.append(table)
        connection.execute(f"create schema if not exists {table.layer}")
        connection.execute(table.ddl())
        if table == SNAPSHOT and logged:
            _open_snapshots(connection)
    _start_over(connection, declared, outdated)
    return [table.qualified_name for table in outdated]


def _start_over(
    connection: duckdb.DuckDBPyConnection, declared: list[Table], outdated: list[Table]
) -> None:
    """Empty what was made with or from outdated tables."""
    if any(table in outdated for table in (INGEST_LOG, QUARANTINE, VINTAGE_DIFF)):
        raw = {table for table in declared if table.layer == "raw" and table != SNAPSHOT}
        _empty(connection, raw | {QUARANTINE, VINTAGE_DIFF}.intersection(declared))
    else:
        for data_set, table in DATA_SETS.items():
            if table in outdated:
                _forget(connection, data_set)
    if outdated and BUILD in declared:
        _empty(connection, {BUILD})


def _stored_columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[_Stored]]:
    """Columns of each table of the file, by its qualified name."""
    rows = connection.execute(
        "select schema_name || '.' || table_name, column_name, lower(data_type), is_nullable "
        "from duckdb_columns() where not internal order by column_index"
    ).fetchall()
    tables: dict[str, list[_Stored]] = {}
    for name, *column in rows:
        tables.setdefault(name, []).append(tuple(column))
    return tables


def _declared_columns(table: Table) -> list[_Stored]:
    return [(column.name, column.sql_type, column.nullable) for column in table.columns]


def _lacks_optional(table: Table, stored: dict[str, list[_Stored]]) -> bool:
    """Whether all that a stored table lacks are columns that may be NULL."""
    before, now = stored.get(table.qualified_name, []), _declared_columns(table)
    added = [column for column in now if column not in before]
    kept = [column for column in now if column in before]
    return bool(before and added) and kept == before and all(nulls for _, _, nulls in added)


def _add_optional(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Give a table its new columns, at the places they are declared at."""
    name, before = table.qualified_name, f"{table.name}_before"
    connection.execute(f"alter table {name} rename to {before}")
    connection.execute(table.ddl())
    connection.execute(
        f"insert into {name} by name select * from {table.layer}.{before} order by rowid"  # noqa: S608
    )
    connection.execute(f"drop table {table.layer}.{before}")


def _empty(connection: duckdb.DuckDBPyConnection, tables: Iterable[Table]) -> None:
    for table in tables:
        connection.execute(f"delete from {table.qualified_name}")  # noqa: S608 - a declared name


def _forget(connection: duckdb.DuckDBPyConnection, data_set: str) -> None:
    """Have all files of a data set parsed again."""
    for table in (INGEST_LOG, QUARANTINE):
        connection.execute(
            f"delete from {table.qualified_name} where data_set = $data_set",  # noqa: S608
            {"data_set": data_set},
        )


def _add_known_from(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Say of the rows of a release that did not when their bytes were first fetched."""
    name, before = table.qualified_name, f"{table.name}_before"
    connection.execute(f"alter table {name} rename to {before}")
    connection.execute(table.ddl())
    connection.execute(
        f"insert into {name} by name select rows.*, log.ingested_at as {KNOWN_FROM.name} "  # noqa: S608
        f"from {table.layer}.{before} as rows inner join {INGEST_LOG.qualified_name} as log "
        "on rows.file = log.file order by rows.rowid"
    )
    connection.execute(f"drop table {table.layer}.{before}")


def _open_snapshots(connection: duckdb.DuckDBPyConnection) -> None:
    """Take the files of the log for the first versions: of earlier ones nothing is known."""
    connection.execute(
        f"insert into {SNAPSHOT.qualified_name} "  # noqa: S608
        'select data_set, source, file, sha256, bytes, "rows", vintage, parser_version, '
        f"ingested_at, null from {INGEST_LOG.qualified_name} order by file"
    )
