"""From what a person types to one row of a published table."""

from calendar import monthrange
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from difflib import get_close_matches
from typing import Final

import polars as pl

from factor_pipeline.errors import QueryError, SettingsError
from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.table import Column, Table
from factor_pipeline.trace.statement import condition, literal
from factor_pipeline.warehouse.query import Answer

_SHOWN_VALUES: Final = 5
_SHOWN_TABLES: Final = 3
_MONTH, _TICKER = "month", "ticker"


def table_named(name: str) -> Table:
    """Table by its name ``schema.table``.

    Raises
    ------
    SettingsError
        When there is none, with those whose names are like it.
    """
    if name in TABLES:
        return TABLES[name]
    same = [known for known in TABLES if known.endswith(f".{name.rpartition('.')[2]}")]
    like = same or get_close_matches(name, TABLES, n=_SHOWN_TABLES)
    hint = f"did you mean {' or '.join(like)}?" if like else "`show all tables` lists them"
    raise SettingsError(f'there is no table "{name}"; {hint}')


def parsed_key(table: Table, words: Sequence[str]) -> dict[str, object]:
    """Values by column, from words such as ``model=FF3``; nothing after ``=`` is NULL.

    ``month=2015-06`` stands for the ``month_end`` of that month, and ``ticker`` for the security
    where the table has no tickers.

    Raises
    ------
    SettingsError
        When a word is not of that form, or names no column of the table.
    """
    key: dict[str, object] = {}
    columns = {column.name: column for column in table.columns}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise SettingsError(f'"{word}" is not of the form column=value; {_example(table)}')
        if name == _MONTH and "month_end" in columns:
            name = "month_end"
        if name in columns:
            key[name] = _value(columns[name], text)
        elif name == _TICKER and "security_id" in columns:
            key[name] = text
        else:
            raise SettingsError(f'{table.qualified_name} has no column "{name}"; {_example(table)}')
    return key


def found_row(answer: Answer, table: Table, key: Mapping[str, object]) -> dict[str, object]:
    """Return the one row of the published table with the values of ``key``.

    Raises
    ------
    SettingsError
        When several rows have them.
    QueryError
        When none has, or the table is not published.
    """
    where = _condition(table, key)
    rows = answer(f"select * from {table.qualified_name} as own where {where} limit 1000")  # noqa: S608
    if rows.is_empty():
        given = ", ".join(f"{name}={value}" for name, value in key.items()) or "any key"
        raise QueryError(
            f"{table.qualified_name} has no row with {given}; "
            f'see `factor-pipeline sql "from {table.qualified_name} limit 10"`'
        )
    if rows.height > 1:
        raise SettingsError(
            f"several rows of {table.qualified_name} have that key; add {_choices(table, rows)}"
        )
    return rows.row(0, named=True)


def _condition(table: Table, key: Mapping[str, object]) -> str:
    columns = {name: value for name, value in key.items() if name in table.column_names}
    terms = [condition(columns, "own")]
    if _TICKER in key and _TICKER not in columns:
        until = "own.month_end" if "month_end" in table.column_names else "date '9999-12-31'"
        terms.append(
            f"own.security_id = (select arg_max(spell.security_id, spell.valid_from) "  # noqa: S608
            f"from {SECURITY.qualified_name} as spell "
            f"where spell.ticker = {literal(key[_TICKER])} and spell.valid_from <= {until})"
        )
    return " and ".join(terms)


def _value(column: Column, text: str) -> object:
    """Read a value of a column.

    Raises
    ------
    SettingsError
        When the text is not a value of the column's type.
    """
    if not text and column.nullable:
        return None
    try:
        return _READERS[column.dtype](text)
    except (KeyError, ValueError) as error:
        raise SettingsError(
            f"{column.name}={text}: write {_FORMS.get(column.dtype, 'a number')}"
        ) from error


def _day(text: str) -> date:
    """Read a day, or a month as its last day."""
    if text.count("-") == 1:
        first = date.fromisoformat(f"{text}-01")
        return first.replace(day=monthrange(first.year, first.month)[1])
    return date.fromisoformat(text)


_READERS: Final[Mapping[type[pl.DataType], Callable[[str], object]]] = {
    pl.Boolean: lambda text: {"true": True, "false": False}[text.lower()],
    pl.Date: _day,
    pl.Datetime: datetime.fromisoformat,
    pl.Float64: float,
    pl.Int32: int,
    pl.Int64: int,
    pl.String: str,
}
_FORMS: Final[Mapping[type[pl.DataType], str]] = {
    pl.Boolean: "true or false",
    pl.Date: "a day as YYYY-MM-DD, or a month as YYYY-MM",
    pl.Datetime: "a time as YYYY-MM-DDTHH:MM:SS",
}


def _example(table: Table) -> str:
    return f"its key is {' '.join(f'{name}=...' for name in table.key)}"


def _choices(table: Table, rows: pl.DataFrame) -> str:
    """Columns of the key that tell the rows apart, with some of their values."""
    choices = []
    for name in table.key:
        values = rows[name].unique().sort().to_list()
        if len(values) > 1:
            shown = [f"{name}={'' if value is None else value}" for value in values]
            more = " ..." if len(shown) > _SHOWN_VALUES else ""
            choices.append(f"{' or '.join(shown[:_SHOWN_VALUES])}{more}")
    return " and ".join(choices)
