"""What a table declaration is: columns with types, units and bounds, a key, references."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

Layer = Literal[
    "raw",
    "raw_history",
    "panel",
    "signal",
    "risk",
    "portfolio",
    "factor",
    "backtest",
    "truth",
    "quality",
]

_SQL_TYPES: dict[type[pl.DataType], str] = {
    pl.Boolean: "boolean",
    pl.Date: "date",
    pl.Datetime: "timestamp",
    pl.Float64: "double",
    pl.Int32: "integer",
    pl.Int64: "bigint",
    pl.String: "varchar",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its type, its unit, what it means and which values are possible.

    ``minimum`` and ``maximum`` are inclusive; a value outside is an error. A value outside
    ``likely`` may be true: it warns and stays.
    """

    name: str
    dtype: type[pl.DataType]
    unit: str
    description: str
    nullable: bool = False
    minimum: float | None = None
    maximum: float | None = None
    values: tuple[str, ...] = ()
    likely: tuple[float, float] | None = None

    @property
    def sql_type(self) -> str:
        """DuckDB type of the column."""
        return _SQL_TYPES[self.dtype]

    @property
    def comment(self) -> str:
        """Unit and meaning on one line, for ``COMMENT ON`` and the data dictionary."""
        return f"[{self.unit}] {self.description}"


@dataclass(frozen=True, slots=True)
class Reference:
    """Every value of ``column`` must exist in the column of that name of ``table``."""

    column: str
    table: str


@dataclass(frozen=True, slots=True)
class Table:
    """A warehouse table; ``key`` is the grain: one row per distinct value of it.

    ``monthly`` tables carry ``month_end`` and are replaced month by month.
    """

    layer: Layer
    name: str
    description: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    monthly: bool = False
    references: tuple[Reference, ...] = ()

    @property
    def qualified_name(self) -> str:
        """``schema.table`` as users type it."""
        return f"{self.layer}.{self.name}"

    @property
    def column_names(self) -> tuple[str, ...]:
        """Column names in declared order."""
        return tuple(column.name for column in self.columns)

    @property
    def key_list(self) -> str:
        """Key columns as SQL takes them after ``order by`` or ``group by``."""
        return ", ".join(f'"{column}"' for column in self.key)

    @property
    def polars_schema(self) -> pl.Schema:
        """Polars schema in declared order."""
        return pl.Schema({column.name: column.dtype() for column in self.columns})

    def empty(self) -> pl.DataFrame:
        """Return a frame of this shape without rows."""
        return pl.DataFrame(schema=self.polars_schema)

    def ddl(self) -> str:
        """``create table if not exists`` with types and nullability.

        No primary key: DuckDB's index triples load time and doubles the file; uniqueness is a
        check instead.
        """
        lines = ",\n".join(
            f'    "{column.name}" {column.sql_type}{"" if column.nullable else " not null"}'
            for column in self.columns
        )
        return f"create table if not exists {self.qualified_name} (\n{lines}\n)"

    def comments(self) -> list[str]:
        """``comment on`` statements for the table and each column."""
        on_columns = [
            f'comment on column {self.qualified_name}."{column.name}" is {_quoted(column.comment)}'
            for column in self.columns
        ]
        return [
            f"comment on table {self.qualified_name} is {_quoted(self.description)}",
            *on_columns,
        ]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
