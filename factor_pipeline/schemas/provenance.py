"""What ingestion adds to vendors' rows: which file a row is from, and since when it is known."""

from dataclasses import replace

import polars as pl

from factor_pipeline.schemas.table import Column, Table

FILE = Column(
    "file", pl.String, "name", "Data set and file the row was read from; see raw.ingest_log."
)
KNOWN_FROM = Column(
    "known_from",
    pl.Datetime,
    "UTC",
    "When the first file that says so was fetched: the row was not known before.",
)
KNOWN_TO = Column(
    "known_to", pl.Datetime, "UTC", "When a file said otherwise: not known from then on."
)
PROVENANCE = (FILE, KNOWN_FROM)

_ADDED = {column.name for column in PROVENANCE}

REBASED: dict[str, tuple[str, ...]] = {
    "raw.price_daily": ("adjusted_close",),
    "raw.fundamental": ("shares_basis_date",),
}
"""Columns that a vendor rewrites in all rows whenever it delivers or pays out, by raw table.

They say what the file was made for, not what happened: that they alone differ is no change of a
row. Otherwise each dividend would put the whole history of a stock aside.
"""


def contract(table: Table) -> pl.Schema:
    """Columns of a raw table that its sources deliver: all but those ingestion adds."""
    return pl.Schema({name: t for name, t in table.polars_schema.items() if name not in _ADDED})


def stated(table: Table) -> tuple[str, ...]:
    """Columns of a raw table that make a row another one when they differ."""
    rebased = REBASED.get(table.qualified_name, ())
    return tuple(name for name in contract(table) if name not in rebased)


def arriving(table: Table) -> Table:
    """Return a raw table before its rows are compared with what is known: without that time."""
    return replace(table, columns=tuple(c for c in table.columns if c is not KNOWN_FROM))
