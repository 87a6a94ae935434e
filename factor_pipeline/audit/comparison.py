"""Two builds of a table, compared value by value up to a date."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from factor_pipeline.audit.findings import ABSENT, Offence, key_of, written
from factor_pipeline.schemas.panel import PRICE_CHECK
from factor_pipeline.schemas.portfolio import ASSIGNMENT, BREAKPOINT
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.store import Warehouse

KNOWN_BEFORE = frozenset(t.qualified_name for t in (CHARACTERISTIC, BREAKPOINT, ASSIGNMENT))
"""Tables whose rows are known before their month begins."""

_DATES = {PRICE_CHECK.qualified_name: "date"}


def date_column(table: Table) -> str | None:
    """Column by which rows of ``table`` become known; null for tables that have none."""
    if "month_end" in table.column_names:
        return "month_end"
    return _DATES.get(table.qualified_name)


@dataclass(frozen=True, slots=True)
class Difference:
    """How two builds of one table differ: rows compared, differing values, the first of them."""

    rows: int
    cells: int
    first: Offence | None


def digests(warehouse: Warehouse, table: Table) -> pl.DataFrame:
    """Fingerprint of each month of a dated table, whatever the order of its rows.

    Returns
    -------
    pl.DataFrame
        ``month, rows, digest``: the sum of the 64-bit hashes of the rows. Equal rows give equal
        digests; different ones do not, but for a chance of about 1 in 1e19 per month. Floats are
        hashed by their bits, except that 0.0 and -0.0 are one number.
    """
    columns = ", ".join(table.column_names)
    return warehouse.read(
        f"select last_day({date_column(table)}) as month, count(*) as rows, "  # noqa: S608
        f"cast(sum(hash({columns})) as varchar) as digest "
        f"from {table.qualified_name} group by all order by month"
    )


def compare(
    stored: Warehouse,
    stored_digests: pl.DataFrame,
    rebuilt: Warehouse,
    table: Table,
    last: date,
) -> Difference:
    """Compare a dated table of two warehouses over the rows dated up to ``last``.

    Parameters
    ----------
    stored_digests
        `digests` of the table in ``stored``.
    last
        A month end.
    """
    months = stored_digests.join(
        digests(rebuilt, table), on="month", how="full", coalesce=True, suffix="_rebuilt"
    ).filter(pl.col("month") <= last)
    rows = int(months["rows"].sum())
    differing = months.filter(pl.col("digest").ne_missing(pl.col("digest_rebuilt")))
    if differing.is_empty():
        return Difference(rows, 0, None)
    first, *_ = differing["month"].sort()
    offending = _offending(
        _rows(stored, table, first, last), _rows(rebuilt, table, first, last), table
    )
    return Difference(rows, int(offending["cells"].sum()), _first(offending, table))


def _rows(warehouse: Warehouse, table: Table, first: date, last: date) -> pl.DataFrame:
    return warehouse.read(
        f"select * from {table.qualified_name} "  # noqa: S608 - names come from the registry
        f"where last_day({date_column(table)}) between $first and $last",
        first=first,
        last=last,
    )


def _offending(stored: pl.DataFrame, rebuilt: pl.DataFrame, table: Table) -> pl.DataFrame:
    """Rows that differ, with ``cells`` (differing values) and both values of each column."""
    values = [name for name in table.column_names if name not in table.key]
    both = stored.with_columns(is_stored=pl.lit(value=True)).join(
        rebuilt.with_columns(is_rebuilt=pl.lit(value=True)),
        on=list(table.key),
        how="full",
        coalesce=True,
        suffix="_rebuilt",
        nulls_equal=True,
    )
    is_on_both = pl.col("is_stored").is_not_null() & pl.col("is_rebuilt").is_not_null()
    changed = pl.sum_horizontal(
        pl.lit(0), *(pl.col(name).ne_missing(pl.col(f"{name}_rebuilt")) for name in values)
    )
    day = date_column(table)
    return (
        both.with_columns(cells=pl.when(is_on_both).then(changed).otherwise(1))
        .filter(pl.col("cells") > 0)
        .sort(*dict.fromkeys([day, *table.key]))
    )


def _first(offending: pl.DataFrame, table: Table) -> Offence | None:
    row = next(offending.iter_rows(named=True), None)
    if row is None:
        return None
    name, key = table.qualified_name, key_of(row, table.key)
    if row["is_rebuilt"] is None:
        return Offence(name, key, "row", "a row", ABSENT)
    if row["is_stored"] is None:
        return Offence(name, key, "row", ABSENT, "a row")
    column = next(
        column
        for column in table.column_names
        if column not in table.key and row[column] != row[f"{column}_rebuilt"]
    )
    return Offence(name, key, column, written(row[column]), written(row[f"{column}_rebuilt"]))
