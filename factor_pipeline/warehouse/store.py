"""The work file: read models, replace rows in one transaction, nothing else."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Self

import duckdb
import polars as pl

from factor_pipeline.errors import DataError, SchemaError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.connection import connect

Value = str | int | float | bool | date | datetime | None

_PARAMETER = re.compile(r"\$([a-z_]\w*)")


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A single-writer DuckDB file; connections last as long as one statement needs."""

    path: Path

    def prepare(self, tables: Iterable[Table]) -> list[str]:
        """Create what does not exist yet; return the tables that had to start over.

        A table of an older release with other columns is dropped: derived rows are computed
        again, and raw rows parsed again, as their files leave the ingest log with them.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        outdated = []
        with connect(self.path, read_only=False) as connection:
            connection.begin()
            for table in tables:
                name = table.qualified_name
                connection.execute(f"create schema if not exists {table.layer}")
                if _stored_columns(connection, table) not in ((), table.column_names):
                    connection.execute(f"drop table {name}")
                    outdated.append(name)
                connection.execute(table.ddl())
            if any(name.startswith("raw.") for name in outdated):
                connection.execute("delete from raw.ingest_log")
            if outdated:
                connection.execute("delete from quality.build")
            connection.commit()
        return outdated

    def read(self, query: str, **params: Value) -> pl.DataFrame:
        """Rows of a SQL model; parameters the query does not name are left out."""
        named = set(_PARAMETER.findall(query))
        bound = {name: value for name, value in params.items() if name in named}
        with connect(self.path, read_only=True) as connection:
            frame: pl.DataFrame = connection.sql(query, params=bound).pl()
        return frame

    def read_months(self, query: str, months: MonthRange, **params: Value) -> pl.DataFrame:
        """Rows of a SQL model for the given months."""
        return self.read(query, **months.as_params(), **params)

    def table(self, table: Table) -> pl.DataFrame:
        """Return all rows of a table, ordered by its key."""
        order = ", ".join(table.key)
        return self.read(f"select * from {table.qualified_name} order by {order}")  # noqa: S608

    def months(self, table: Table, months: MonthRange) -> pl.DataFrame:
        """Rows of a monthly table in ``months``, ordered by its key."""
        order = ", ".join(table.key)
        return self.read_months(
            f"select * from {table.qualified_name} "  # noqa: S608 - names come from the registry
            f"where month_end >= $month_start and month_end < $month_end order by {order}",
            months,
        )

    def replace(self, table: Table, frame: pl.DataFrame, **scope: Value) -> int:
        """Swap all rows (or those equal to ``scope``) for ``frame`` in one transaction."""
        condition = " and ".join(_equals(column) for column in scope) or "true"
        return self.replace_where(table, frame, condition, scope)

    def replace_months(
        self, table: Table, frame: pl.DataFrame, months: MonthRange, **scope: Value
    ) -> int:
        """Swap the rows of ``months`` for ``frame`` in one transaction; return the row count.

        Running it twice leaves the table as running it once does. A failure leaves the
        table as it was.
        """
        outside = frame.filter(~pl.col("month_end").is_between(months.start, months.end, "left"))
        if not outside.is_empty():
            stray = outside["month_end"][0]
            raise DataError(f"{table.qualified_name}: a row of {stray} is outside {months}")
        conditions = ["month_end >= $month_start", "month_end < $month_end"]
        conditions += [_equals(column) for column in scope]
        return self.replace_where(
            table, frame, " and ".join(conditions), months.as_params() | scope
        )

    def replace_where(
        self, table: Table, frame: pl.DataFrame, condition: str, params: Mapping[str, Value]
    ) -> int:
        """Swap the rows that meet ``condition`` for ``frame`` in one transaction."""
        with connect(self.path, read_only=False) as connection:
            connection.begin()
            count = _swap(connection, table, frame, condition, params)
            connection.commit()
        return count

    def write(self, changes: Iterable["Change"]) -> None:
        """Carry out all changes in one transaction: they enter together or not at all."""
        with connect(self.path, read_only=False) as connection:
            connection.begin()
            for change in changes:
                _swap(connection, change.table, change.frame, change.condition, change.params)
            connection.commit()

    def first_change(
        self, table: Table, frame: pl.DataFrame, files: Sequence[str], *, day: str
    ) -> date | None:
        """First ``day`` of the rows in which ``frame`` and the stored rows of ``files`` differ.

        Restated adjusted closes are no change: no number is computed from their level.
        """
        ignored = {"file", "adjusted_close"} if "close" in table.column_names else {"file"}
        columns = ", ".join(c for c in table.column_names if c not in ignored)
        old = f"select {columns} from {table.qualified_name} where list_contains($files, file)"  # noqa: S608
        new = f"select {columns} from incoming"  # noqa: S608 - names come from the registry
        query = (
            f"select min({day}) from "  # noqa: S608
            f"(({new} except all {old}) union all ({old} except all {new}))"
        )
        with connect(self.path, read_only=True) as connection:
            connection.register("incoming", conformed(table, frame))
            first: date | None = connection.execute(query, {"files": list(files)}).fetchall()[0][0]
        return first


@dataclass(frozen=True, slots=True)
class Change:
    """Rows of ``table`` that meet ``condition`` make way for ``frame``."""

    table: Table
    frame: pl.DataFrame
    condition: str
    params: Mapping[str, object]

    @classmethod
    def of_files(cls, table: Table, frame: pl.DataFrame, files: Sequence[str]) -> Self:
        """Swap the rows that stem from ``files``."""
        return cls(table, frame, "list_contains($files, file)", {"files": list(files)})


def _stored_columns(connection: duckdb.DuckDBPyConnection, table: Table) -> tuple[str, ...]:
    rows = connection.execute(
        "select column_name from duckdb_columns() "
        "where schema_name = $layer and table_name = $name order by column_index",
        {"layer": table.layer, "name": table.name},
    ).fetchall()
    return tuple(name for (name,) in rows)


def _equals(column: str) -> str:
    return f"{column} = ${column}"


def _swap(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    frame: pl.DataFrame,
    condition: str,
    params: Mapping[str, object],
) -> int:
    incoming = conformed(table, frame)
    name = table.qualified_name
    connection.execute(f"delete from {name} where {condition}", dict(params))  # noqa: S608
    connection.register("incoming", incoming)
    connection.execute(f"insert into {name} by name select * from incoming")  # noqa: S608
    connection.unregister("incoming")
    return incoming.height


def conformed(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` in the declared columns, order and types of ``table``.

    Raises
    ------
    SchemaError
        When columns are missing or unknown, a required value is null, or a number is NaN or
        infinite: NaN ranks highest and poisons averages in every engine, so it never gets in.
    """
    name = table.qualified_name
    missing = sorted(set(table.column_names) - set(frame.columns))
    extra = sorted(set(frame.columns) - set(table.column_names))
    if missing or extra:
        raise SchemaError(f"{name}: missing columns {missing}, unexpected columns {extra}")
    try:
        incoming = frame.select(table.column_names).cast(table.polars_schema)
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{name}: {error}") from error
    for column in table.columns:
        values = incoming[column.name]
        if not column.nullable and values.null_count():
            raise SchemaError(f"{name}.{column.name}: {values.null_count()} nulls, none allowed")
        if column.dtype is pl.Float64 and not values.is_finite().all():
            raise SchemaError(f"{name}.{column.name}: a value is NaN or infinite")
    return incoming
