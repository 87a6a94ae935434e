"""The work file: read models, replace rows in one transaction, nothing else."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Self

import duckdb
import polars as pl

from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.connection import WAIT_SECONDS, connect
from factor_pipeline.warehouse.migration import migrate
from factor_pipeline.warehouse.versions import Restatement

Value = str | int | float | bool | date | datetime | None

_HELD_MEMORY_LIMIT = "512MB"
_PARAMETER = re.compile(r"\$([a-z_]\w*)")


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


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A single-writer DuckDB file; connections last as long as one statement needs, or a run.

    Attributes
    ----------
    path
        The work file.
    wait_seconds
        How long to wait for another process that holds it.
    connection
        One that stays open, see `held`; null opens one for each statement.

    Raises
    ------
    WarehouseBusyError
        From every method, when another process holds the file for longer than that.
    """

    path: Path
    wait_seconds: float = WAIT_SECONDS
    connection: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Keep the file open for the length of the block; other processes wait till its end.

        Opening and closing it takes 25-40 ms, and a run does so four hundred times. It keeps less
        in memory than one that ends with its statement: Polars and pandas need the rest.
        """
        with self.opened(read_only=False) as connection:
            connection.execute(f"set memory_limit = '{_HELD_MEMORY_LIMIT}'")
            yield replace(self, connection=connection)

    @contextmanager
    def opened(self, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
        """Open the file for the length of the block, unless it is held already.

        A transaction that an error leaves open is rolled back.
        """
        if self.connection is None:
            path, wait = self.path, self.wait_seconds
            with connect(path, read_only=read_only, wait_seconds=wait) as connection:
                yield connection
            return
        try:
            yield self.connection
        except BaseException:
            # There is none to roll back where the statement itself failed.
            with suppress(duckdb.TransactionException):
                self.connection.rollback()
            raise

    def prepare(self, tables: Iterable[Table]) -> list[str]:
        """Create tables that do not exist; return those that had to start over (``migrate``)."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.opened(read_only=False) as connection:
            connection.begin()
            outdated = migrate(connection, tables)
            connection.commit()
        return outdated

    def read(self, query: str, **params: Value | list[str]) -> pl.DataFrame:
        """Rows of a SQL model; parameters the query does not name are left out."""
        named = set(_PARAMETER.findall(query))
        bound = {name: value for name, value in params.items() if name in named}
        with self.opened(read_only=True) as connection:
            frame: pl.DataFrame = connection.sql(query, params=bound).pl()
        return frame

    def read_months(self, query: str, months: MonthRange, **params: Value) -> pl.DataFrame:
        """Rows of a SQL model for the given months."""
        return self.read(query, **months.as_params(), **params)

    def has(self, table: Table) -> bool:
        """Whether the file has the columns of a table: that of another release may not."""
        stored = self.read(
            "select column_name from duckdb_columns() "
            "where schema_name = $layer and table_name = $name",
            layer=table.layer,
            name=table.name,
        )
        return set(table.column_names) <= set(stored["column_name"])

    def table(self, table: Table) -> pl.DataFrame:
        """Return all rows of a table, ordered by its key."""
        return self.read(f"select * from {table.qualified_name} order by {table.key_list}")  # noqa: S608

    def months(self, table: Table, months: MonthRange, *, ordered: bool = True) -> pl.DataFrame:
        """Rows of a monthly table in ``months``, ordered by its key unless that does not matter.

        Ordering millions of rows takes several times as long as reading them.
        """
        order = f" order by {table.key_list}" if ordered else ""
        return self.read_months(
            f"select * from {table.qualified_name} "  # noqa: S608 - names come from the registry
            f"where month_end >= $month_start and month_end < $month_end{order}",
            months,
        )

    def replace(self, table: Table, frame: pl.DataFrame, **scope: Value) -> int:
        """Swap all rows (or those equal to ``scope``) for ``frame`` in one transaction.

        Returns
        -------
        int
            Rows now there.

        Raises
        ------
        SchemaError
            When ``frame`` is not what the table declares.
        DataError
            When a row is outside ``scope``. The table is then as it was.
        """
        incoming = conformed(table, frame)
        _refuse_rows_outside(table, incoming, scope)
        condition = " and ".join(_equals(column) for column in scope) or "true"
        self.write([Change(table, incoming, condition, scope)])
        return incoming.height

    def replace_months(
        self, table: Table, frame: pl.DataFrame, months: MonthRange, **scope: Value
    ) -> int:
        """Swap the rows of ``months`` for ``frame`` in one transaction; return the row count.

        Running it twice leaves the table as running it once does. A failure leaves the
        table as it was.

        Raises
        ------
        SchemaError
            When ``frame`` is not what the table declares.
        DataError
            When a row is outside ``months`` or ``scope``, or is not of the end of a month.
        """
        incoming = conformed(table, frame)
        _refuse_other_months(table, incoming["month_end"], months)
        _refuse_rows_outside(table, incoming, scope)
        conditions = ["month_end >= $month_start", "month_end < $month_end"]
        conditions += [_equals(column) for column in scope]
        params = {**months.as_params(), **scope}
        self.write([Change(table, incoming, " and ".join(conditions), params)])
        return incoming.height

    def write(self, changes: Iterable[Change | Restatement]) -> None:
        """Carry out all changes in one transaction: they enter together or not at all.

        Raises
        ------
        SchemaError
            When a frame is not what its table declares.
        """
        with self.opened(read_only=False) as connection:
            connection.begin()
            for change in changes:
                _swap(connection, change)
            connection.commit()

    def first_change(  # noqa: PLR0913 - what is compared, by keyword
        self,
        table: Table,
        frame: pl.DataFrame,
        files: Sequence[str],
        *,
        day: str,
        columns: Sequence[str],
        distinct: bool = False,
    ) -> date | None:
        """First ``day`` on which ``frame`` and the stored rows of ``files`` differ.

        Compares, day by day, the sum of the rows' 64-bit hashes, which two different sets of
        rows share with a probability of about 2**-64. The order of rows does not matter.

        Parameters
        ----------
        table, frame, files
            Where the rows are, what would replace them, and which files they stem from.
        day
            SQL expression for the day of a row, which is called ``rows``; rows without a day are
            not compared.
        columns
            What is compared of a row.
        distinct
            Whether rows that are alike in all of that count once.

        Returns
        -------
        date or None
            Null when nothing differs.
        """
        name, params = table.qualified_name, {"files": list(files)}
        compared = ", ".join(f'"{column}"' for column in columns)
        old_rows = f"from {name} where list_contains($files, file)"
        differing_days = (
            f"select day from (select {'distinct' if distinct else ''} "  # noqa: S608
            f"{day} as day, side, hash({compared}) as hashed "
            "from (select *, 1 as side from incoming union all by name "
            f"select *, -1 as side {old_rows}) as rows) "
            "group by day having sum(side * hashed::hugeint) <> 0"
        )
        with self.opened(read_only=True) as connection:
            connection.register("incoming", conformed(table, frame))
            if connection.execute(f"select 1 {old_rows} limit 1", params).fetchall():
                days = connection.execute(f"select min(day) from ({differing_days})", params)  # noqa: S608
            else:
                days = connection.execute(f"select min({day}) from incoming as rows")  # noqa: S608
            first: date | None = days.fetchall()[0][0]
            connection.unregister("incoming")
        return first


def _swap(connection: duckdb.DuckDBPyConnection, change: Change | Restatement) -> None:
    if isinstance(change, Restatement):
        change.carry_out(connection)
        return
    incoming = conformed(change.table, change.frame)
    name = change.table.qualified_name
    connection.execute(f"delete from {name} where {change.condition}", dict(change.params))  # noqa: S608
    connection.register("incoming", incoming)
    connection.execute(f"insert into {name} by name select * from incoming")  # noqa: S608
    connection.unregister("incoming")


def _equals(column: str) -> str:
    return f"{column} is not distinct from ${column}"


def _refuse_other_months(table: Table, month_ends: pl.Series, months: MonthRange) -> None:
    stray = month_ends.filter(
        ~month_ends.is_between(months.start, months.end, "left")
        | (month_ends != month_ends.dt.month_end())
    )
    if not stray.is_empty():
        raise DataError(
            f"{table.qualified_name}: month_end {stray[0]} is not the last day of a month in "
            f"{months}"
        )


def _refuse_rows_outside(table: Table, frame: pl.DataFrame, scope: Mapping[str, Value]) -> None:
    for column, value in scope.items():
        values = frame[column]
        if not values.eq_missing(pl.Series([value], dtype=values.dtype)).all():
            raise DataError(
                f"{table.qualified_name}: a row has another {column} than {value!r}, the one "
                "that is replaced"
            )
