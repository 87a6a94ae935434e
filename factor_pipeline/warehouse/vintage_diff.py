"""What a new version of a vendor's files changes: by month and column, how many rows, how much."""

from datetime import datetime

import duckdb
import polars as pl

from factor_pipeline.schemas.provenance import stated
from factor_pipeline.schemas.raw_history import DAY, VINTAGE_DIFF
from factor_pipeline.schemas.table import Column, Table


def record_diff(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    *,
    data_set: str,
    known_from: datetime,
    known_before: datetime,
) -> None:
    """Add what the restated files change to ``quality.vintage_diff``.

    Parameters
    ----------
    connection
        With the files to compare as ``touched`` (where ``restated``), and those of their rows
        that differ, new and old, as ``arrived`` and ``left_over``.
    table
        The raw table, still with the old rows.
    data_set, known_from, known_before
        As the table of differences has them.
    """
    day = DAY[table.qualified_name]
    numbers = [column for column in table.columns if _may_change(table, column)]
    connection.execute(_pairs(table, day, [column.name for column in numbers]))
    changes = " union all ".join([_of_rows(), *(_of_column(column) for column in numbers)])
    connection.execute(
        f"insert into {VINTAGE_DIFF.qualified_name} by name "  # noqa: S608 - declared names
        "with month_rows as ("
        f"select last_day({day}) as month_end, count(*) as rows_before "
        f"from {table.qualified_name} where file in (select file from touched where restated) "
        f"group by all), changes as ({changes}) "
        "select $data_set as data_set, cast($known_from as timestamp) as known_from, "
        "cast($known_before as timestamp) as known_before, changes.*, "
        "coalesce(month_rows.rows_before, 0) as rows_before, "
        "(rows_added + rows_removed + rows_changed) / month_rows.rows_before as share_changed "
        "from changes left join month_rows "
        "on month_rows.month_end is not distinct from changes.month_end "
        "order by month_end, column_name",
        {"data_set": data_set, "known_from": known_from, "known_before": known_before},
    )
    connection.execute("drop table pairs")


def _may_change(table: Table, column: Column) -> bool:
    return column.name in stated(table) and column.name not in table.key


def _pairs(table: Table, day: str, columns: list[str]) -> str:
    """Return SQL that pairs old and new rows that differ by their key, with what became of them."""
    values = "".join(f', old."{c}" as "old {c}", new."{c}" as "new {c}"' for c in columns)
    same_key = " and ".join(f'old."{c}" is not distinct from new."{c}"' for c in table.key)
    days = {column.name for column in table.columns if column.dtype is pl.Date}
    names = ", ".join(f'coalesce(new."{c}", old."{c}")' for c in table.key if c not in days)
    differs = " or ".join(f'old."{c}" is distinct from new."{c}"' for c in columns) or "false"
    return (
        "create or replace temp table pairs as with "  # noqa: S608 - declared names
        f"old as (select *, {day} as day from left_over), "
        f"new as (select *, {day} as day from arrived), "
        f"reach as (select file, max({day}) as last_day from {table.qualified_name} "
        "where file in (select file from touched where restated) group by file) "
        "select last_day(coalesce(new.day, old.day)) as month_end, "
        f"concat_ws(' ', {names}) as subject, "
        "case when new.file is null then 'removed' "
        "when old.file is null and (reach.last_day is null or new.day > reach.last_day) "
        "then 'new' when old.file is null then 'added' "
        f"when {differs} then 'changed' end as fate{values} "
        f"from old full join new on {same_key} left join reach on reach.file = new.file"
    )


def _of_rows() -> str:
    counts = ", ".join(
        f"count(*) filter (fate = '{fate}') as rows_{fate}"
        for fate in ("new", "added", "removed", "changed")
    )
    return (
        f"select month_end, '*' as column_name, {counts}, "  # noqa: S608 - declared names
        "cast(null as double) as mean_absolute_change, "
        "cast(null as double) as largest_absolute_change, cast(null as varchar) as largest_at "
        "from pairs where fate is not null group by month_end"
    )


def _of_column(column: Column) -> str:
    old, new = f'"old {column.name}"', f'"new {column.name}"'
    change = f"cast(abs({new} - {old}) as double)" if _is_number(column) else "cast(null as double)"
    # A sum in the order of its terms is the same whatever the number of threads.
    return (
        f"select month_end, '{column.name}', 0, 0, 0, count(*), "  # noqa: S608 - declared names
        f"list_avg(list({change} order by {change})), max({change}), "
        f"arg_max(subject, ({change}, subject)) filter ({change} is not null) "
        f"from pairs where fate = 'changed' and {old} is distinct from {new} group by month_end"
    )


def _is_number(column: Column) -> bool:
    return column.dtype in {pl.Float64, pl.Int32, pl.Int64}
