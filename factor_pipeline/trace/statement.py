"""SQL of a trace: which rows of a table the rows of others are made of.

All names come from declared tables and from where the package keeps rows; values are written by
`literal`.
"""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.schemas.table import Table
from factor_pipeline.trace.graph import Link, Node, Settings

# When a row is observed: it counts in that month alone.
_OBSERVED = ("month_end", "date")
# Since when a fact holds: it counts until there are newer ones.
_HOLDS_FROM = ("filed_at", "start_date", "valid_from")
# A window of many months has more.
_MARKET_DAYS_OF_MONTH = 20

_LINKS = "_links"
_NO_SPAN = "null::date as first, null::date as last"
_OWN_COLUMN = re.compile(r"\bown\.(\w+)")
_PLACEHOLDER = re.compile(r"\{([\w.]+)\}")


def literal(value: object) -> str:
    """Write the SQL literal of a value of a table or a setting."""
    match value:
        case None:
            return "null"
        case bool() | int():
            return str(value).lower()
        case float():
            return repr(value) if math.isfinite(value) else f"'{value}'::double"
        case datetime():
            return f"timestamp '{value}'"
        case date():
            return f"date '{value}'"
        case _:
            return "'" + str(value).replace("'", "''") + "'"


def condition(key: Mapping[str, object], alias: str) -> str:
    """Give the SQL condition that ``alias`` has the values of ``key``."""
    terms = [
        f'{alias}."{column}" is not distinct from {literal(value)}' for column, value in key.items()
    ]
    return " and ".join(terms) or "true"


def row_itself(node: Node, key: Mapping[str, object], columns: Sequence[str]) -> str:
    """SELECT of the one row with the values of ``key``, to which no link leads."""
    return _select(node.table, columns, condition(key, "up"), 0)


def rows_behind(links: Mapping[Link, str], columns: Sequence[str], settings: Settings) -> str:
    """SELECT of the rows of one table that rows of others are made of, each once.

    Parameters
    ----------
    links
        Links into the table, with the table in which the rows of each reader are.
    columns
        What is given of a row, besides ``links``: an integer whose bit i is set where link i leads
        to the row.
    settings
        Settings the rows were built with.
    """
    selected = [
        _select(link.source.table, columns, _made_of(link, rows, settings), 1 << i)
        for i, (link, rows) in enumerate(links.items())
    ]
    if len(selected) == 1:
        return selected[0]
    names = ", ".join(f'"{column}"' for column in columns)
    every = "\nunion all\n".join(selected)
    return f"select {names}, bit_or({_LINKS}) as {_LINKS} from ({every}) group by {names}"  # noqa: S608


def other_rows(link: Link, rows: str, settings: Settings) -> str:
    """SELECT of the key of further rows that ``rows`` of the same table are made of."""
    table = link.source.table
    itself = " and ".join(_equals(table, column) for column in table.key)
    found = _select(table, table.key, _made_of(link, rows, settings), 1)
    return f"{found} and not exists (select 1 from {rows} as own where {itself})"  # noqa: S608


def count(node: Node, rows: str) -> str:
    """SELECT of ``file, links, rows, first, last`` of rows of a node, as `rows_behind` gives them.

    One row; for raw tables one for each file. ``file`` is null elsewhere, and the days ``first``
    and ``last`` are where rows have none. ``links`` has the bits of all links that lead there.
    """
    time = _time_of(node.table, (*_OBSERVED, *_HOLDS_FROM))
    span = f'min("{time}")::date as first, max("{time}")::date as last' if time else _NO_SPAN
    file, grouped = ("file", "group by file order by file") if has_files(node) else ("null", "")
    counted = f"bit_or({_LINKS}) as links, count(*) as rows, {span}"
    return f"select {file} as file, {counted} from {rows} as counted {grouped}"  # noqa: S608


def kept_columns(node: Node, links: Sequence[Link]) -> tuple[str, ...]:
    """Columns of a node that its links, or the count of its rows, look at."""
    table = node.table
    looked_at = [column for link in links if link.reader == node for column in _own_columns(link)]
    times = [_time_of(table, (*_OBSERVED, *_HOLDS_FROM)), _time_of(table, _OBSERVED)]
    file = ["file"] if has_files(node) else []
    return tuple(dict.fromkeys([*table.key, *looked_at, *(t for t in times if t), *file]))


def has_files(node: Node) -> bool:
    """Whether the rows of a node name the file they were read from."""
    return node.asset is None and "file" in node.table.column_names


def _select(table: Table, columns: Sequence[str], where: str, links: int) -> str:
    names = ", ".join(f'up."{column}"' for column in columns)
    return (
        f"select {names}, {links}::bigint as {_LINKS} "  # noqa: S608
        f"from {table.qualified_name} as up where {where}"
    )


def _made_of(link: Link, own: str, settings: Settings) -> str:
    """Give the SQL condition on a row ``up`` that some row of the reader is made of it."""
    rows, source = link.upstream.rows, link.source
    where = _PLACEHOLDER.sub(lambda found: literal(settings(found[1])), rows.where)
    equal, grouped = _equal_columns(link), _own_columns(link)
    terms = [_equals(source.table, column) for column in equal]
    terms += [*_spell_terms(link), *_time_terms(link, settings)]
    terms += [f"({where})"] if where else []
    time = _time_of(link.reader.table, _OBSERVED)
    columns = [f'own."{column}"' for column in grouped]
    spell = ""
    if _is_by_vendor(link):
        columns += ["spell.vendor_id", "spell.valid_from", "spell.valid_to"]
        spell = f" inner join {SECURITY.qualified_name} as spell using (security_id)"
    times = [f'min(own."{time}") as first, max(own."{time}") as last'] if time else []
    groups = f" group by {', '.join(columns)}" if columns and times else ""
    distinct = "" if times else "distinct "
    named = ", ".join([*columns, *times]) or "1 as one"
    inner = f"select {distinct}{named} from {own} as own{spell}{groups}"  # noqa: S608
    exists = f"exists (select 1 from ({inner}) as own where {' and '.join(terms) or 'true'})"  # noqa: S608
    return " and ".join([*([condition(dict(source.scope), "up")] if source.scope else []), exists])


def _equals(table: Table, column: str) -> str:
    # Only a plain equation lets the engine skip the parts of a table that cannot meet it.
    nullable = any(one.nullable for one in table.columns if one.name == column)
    equation = "is not distinct from" if nullable else "="
    return f'own."{column}" {equation} up."{column}"'


def _equal_columns(link: Link) -> tuple[str, ...]:
    """Columns that have the same values in both tables."""
    same = link.upstream.rows.same
    if same is not None:
        return same
    times = {*_OBSERVED, *_HOLDS_FROM}
    shared = set(link.source.table.key) & set(link.reader.table.column_names) - times
    return tuple(column for column in link.source.table.key if column in shared)


def _own_columns(link: Link) -> tuple[str, ...]:
    """Columns of the reader that the link looks at, but for its time."""
    named = _OWN_COLUMN.findall(link.upstream.rows.where)
    by_vendor = ["security_id"] if _is_by_vendor(link) else []
    return tuple(dict.fromkeys([*_equal_columns(link), *named, *by_vendor]))


def _is_by_vendor(link: Link) -> bool:
    """Whether the source knows a security by the vendor's identifier, the reader does not."""
    source, reader = link.source.table.column_names, link.reader.table.column_names
    return (
        link.upstream.rows.same is None
        and ("vendor_id" in source and "vendor_id" not in reader)
        and ("security_id" in reader and "security_id" not in source)
    )


def _spell_terms(link: Link) -> list[str]:
    if not _is_by_vendor(link):
        return []
    terms = ["up.vendor_id = own.vendor_id"]
    # A price is of the security that had the identifier on its day.
    if time := _time_of(link.source.table, _OBSERVED):
        terms.append(f'up."{time}" between own.valid_from and own.valid_to')
    return terms


def _time_terms(link: Link, settings: Settings) -> list[str]:
    """Conditions on the months of the source's rows, where both tables have them."""
    if not _time_of(link.reader.table, _OBSERVED):
        return []
    upstream = link.upstream
    last = f"last_day(own.last + to_months({upstream.ahead}))"
    if observed := _time_of(link.source.table, _OBSERVED):
        terms = [f'up."{observed}" <= {last}']
        if not upstream.rows.history:
            before = f"to_months({_months_back(link, settings) + 1})"
            terms.append(f'up."{observed}" > last_day(own.first - {before})')
        return terms
    if known := _time_of(link.source.table, _HOLDS_FROM):
        return [f'(up."{known}" is null or up."{known}" <= {last})']
    return []


def _months_back(link: Link, settings: Settings) -> int:
    window = link.upstream.rows.window
    if not window:
        return link.upstream.back
    length = int(str(settings(window)))
    if window.endswith("_days"):
        return math.ceil(length / _MARKET_DAYS_OF_MONTH)
    return length - 1


def _time_of(table: Table, candidates: Sequence[str]) -> str | None:
    return next((column for column in candidates if column in table.column_names), None)
