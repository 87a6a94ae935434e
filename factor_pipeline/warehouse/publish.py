"""From the work file to the file people query, by atomic replace."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb

from factor_pipeline.errors import QueryError
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.query import query_published
from factor_pipeline.warehouse.store import Warehouse

_MEMORY_LIMIT = "700MB"


def publish(
    work: Warehouse, published: Path, tables: Iterable[Table], views: Mapping[str, str]
) -> None:
    """Copy ``tables`` in key order, with comments and ``views``, and swap the result in.

    Readers that have the old file open keep it; new ones see the new file. A failure or crash at
    any moment leaves the old file in place.

    Parameters
    ----------
    work, published
        The work file, and the file people query.
    tables
        What is copied, all rows of it.
    views
        SELECTs over the tables, by the name (``schema.name``) people use.

    Raises
    ------
    WarehouseBusyError
        When another process holds the work file.
    """
    partial = published.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    Path(f"{partial}.wal").unlink(missing_ok=True)
    with work.opened(read_only=False) as connection:
        # Sorting what does not fit is slow, and no frame needs the memory now.
        connection.execute(f"set memory_limit = '{_MEMORY_LIMIT}'")
        # Rows still in the write-ahead log are not seen by whoever copies the work file.
        connection.execute("checkpoint")
        location = str(partial).replace("'", "''")
        connection.execute(f"attach '{location}' as target")
        source = connection.sql("select current_database()").fetchall()[0][0]
        try:
            connection.execute("use target")
            for table in tables:
                _copy(connection, table, f'"{source}".{table.qualified_name}')
            for name, query in views.items():
                connection.execute(f"create view {name} as {query}")
            connection.execute("checkpoint target")
        finally:
            connection.execute(f'use "{source}"')
            connection.execute("detach target")
    _flush(partial)
    partial.replace(published)


def is_alike(work: Warehouse, published: Path, compared: Mapping[str, Sequence[str]]) -> bool:
    """Whether tables of the published file have the rows of the work file, in any order.

    Rows are compared by the sum of their 64-bit hashes, which two different sets of rows share
    with a probability of about 2**-64. A file that is not there, cannot be read or lacks a table
    or a column is not alike.

    Parameters
    ----------
    work, published
        The work file, and the file people query.
    compared
        Columns that count, by the name of their table.
    """
    query = " union all by name ".join(
        f"select '{name}' as name, count(*) as row_count, "  # noqa: S608 - declared names
        f"cast(sum(cast(hash({', '.join(columns)}) as hugeint)) as varchar) as hashed from {name}"
        for name, columns in compared.items()
    )
    try:
        told = query_published(published, query)
    except QueryError:
        return False
    return told.sort("name").equals(work.read(query).sort("name"))


def _copy(connection: duckdb.DuckDBPyConnection, table: Table, origin: str) -> None:
    connection.execute(f"create schema if not exists {table.layer}")
    connection.execute(table.ddl())
    connection.execute(
        f"insert into {table.qualified_name} from {origin} order by {table.key_list}"
    )
    for statement in table.comments():
        connection.execute(statement)


def _flush(path: Path) -> None:
    """Force the bytes to disk first: a rename may outrun them in a power loss."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
