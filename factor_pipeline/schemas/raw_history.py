"""What was known when: every version of every file, and the raw rows that later files withdrew."""

from dataclasses import replace

import polars as pl

from factor_pipeline.schemas.provenance import FILE, KNOWN_FROM, KNOWN_TO
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.table import Column, Table

SNAPSHOT = Table(
    layer="raw",
    name="snapshot",
    description="Every version of every file: its bytes are kept under raw/ by SHA-256.",
    key=("file", "known_from"),
    columns=(
        Column("data_set", pl.String, "name", "Data set the file serves, as in the settings."),
        Column("source", pl.String, "name", "Provider, as in the settings."),
        FILE,
        Column("sha256", pl.String, "hex", "SHA-256 of the bytes."),
        Column("bytes", pl.Int64, "bytes", "Size of the bytes.", minimum=0),
        Column(
            "rows",
            pl.Int64,
            "count",
            "Rows of them in the raw table; 0 for a file of which no version was good.",
            minimum=0,
        ),
        Column("vintage", pl.String, "YYYYMM", "Vendor's vintage, if any.", nullable=True),
        Column("parser_version", pl.Int32, "number", "Version of the parser that gave the rows."),
        replace(KNOWN_FROM, description="When these bytes were first fetched."),
        replace(
            KNOWN_TO,
            description="When other bytes replaced them or the file left; NULL while current.",
            nullable=True,
        ),
    ),
)


VINTAGE_DIFF = Table(
    layer="quality",
    name="vintage_diff",
    description="What new versions of files changed, by data set, month and column.",
    key=("data_set", "known_from", "month_end", "column_name"),
    columns=(
        Column("data_set", pl.String, "name", "Data set of the files."),
        replace(KNOWN_FROM, description="When the new versions were ingested."),
        Column(
            "known_before", pl.Datetime, "UTC", "When the newest of the versions before was known."
        ),
        Column(
            "month_end",
            pl.Date,
            "date",
            "Month of the rows (filings: of their publication; members: of their start); NULL for "
            "rows without a day.",
            nullable=True,
        ),
        Column("column_name", pl.String, "name", "Column that changed; '*' for rows as a whole."),
        Column(
            "rows_before",
            pl.Int64,
            "count",
            "Rows of the month that these files had before.",
            minimum=0,
        ),
        Column(
            "rows_new",
            pl.Int64,
            "count",
            "Rows after the last day that their file had before: news, no change.",
            minimum=0,
        ),
        Column(
            "rows_added", pl.Int64, "count", "Rows of days that the file had before.", minimum=0
        ),
        Column("rows_removed", pl.Int64, "count", "Rows that are gone.", minimum=0),
        Column("rows_changed", pl.Int64, "count", "Rows with another value.", minimum=0),
        Column(
            "share_changed",
            pl.Float64,
            "share",
            "Rows added, removed and changed over rows before; NULL where there were none.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "mean_absolute_change",
            pl.Float64,
            "the column's unit",
            "Mean absolute change of the changed numbers; NULL for '*' and what is no number.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "largest_absolute_change",
            pl.Float64,
            "the column's unit",
            "Largest absolute change of them.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "largest_at", pl.String, "id", "Whose that is: the key without days.", nullable=True
        ),
    ),
)

DAY: dict[str, str] = {
    "raw.price_daily": "date",
    "raw.fundamental": "coalesce(filed_at, period_end)",
    "raw.french_return": "date",
    "raw.index_member": "start_date",
    "raw.benchmark_daily": "date",
    "raw.macro": "date",
    "raw.listing": "valid_from",
    "raw.delisting": "date",
}
"""SQL for the day a raw row is of, by table."""


def _history_of(table: Table) -> Table:
    return Table(
        layer="raw_history",
        name=table.name,
        description=f"Rows of {table.qualified_name} as they were before a later file changed or "
        f"dropped them; raw_history.{table.name}_versions has these and the current ones.",
        key=(*table.key, "file", "known_from"),
        columns=(*table.columns, KNOWN_TO),
    )


HISTORY: dict[str, Table] = {
    table.qualified_name: _history_of(table) for table in DATA_SETS.values()
}
"""Table of the withdrawn rows, by the name of the raw table."""

VERSIONS: dict[str, str] = {
    f"{history.qualified_name}_versions": (
        f"select *, cast(null as timestamp) as known_to from {name} "  # noqa: S608
        f"union all by name select * from {history.qualified_name}"
    )
    for name, history in HISTORY.items()
}
"""Views of the published file: all rows ever known, ``known_to`` NULL for those of today."""
