"""Quality tables: what was rejected, what was checked, what each build was made of."""

import polars as pl

from factor_pipeline.schemas.provenance import FILE
from factor_pipeline.schemas.table import Column, Table

QUARANTINE = Table(
    layer="quality",
    name="quarantine",
    description="Files and rows that did not enter the raw tables, each with its reason.",
    key=("file", "sha256", "row", "rule"),
    columns=(
        Column("data_set", pl.String, "name", "Data set the file serves."),
        FILE,
        Column("sha256", pl.String, "hex", "SHA-256 of the bytes, kept under raw/."),
        Column(
            "row",
            pl.Int64,
            "line",
            "Line of the file, NULL when it is the file as a whole.",
            nullable=True,
        ),
        Column("rule", pl.String, "name", "Rule that was broken."),
        Column("reason", pl.String, "text", "What is wrong and what to do."),
        Column("value", pl.String, "text", "The offending text, shortened.", nullable=True),
    ),
)

CHECK_RESULT = Table(
    layer="quality",
    name="check_result",
    description="Result of each check in the build that is published.",
    key=("table_name", "check_name"),
    columns=(
        Column("table_name", pl.String, "name", "Table that was checked."),
        Column("check_name", pl.String, "name", "Check."),
        Column("severity", pl.String, "name", "What a failure means.", values=("error", "warn")),
        Column("passed", pl.Boolean, "yes/no", "Whether it held."),
        Column("failing_rows", pl.Int64, "count", "Rows that broke it.", nullable=True),
        Column("observed", pl.String, "text", "What was seen.", nullable=True),
    ),
)

BUILD = Table(
    layer="quality",
    name="build",
    description="What the published tables were made of; one row per range that was built.",
    key=("build",),
    columns=(
        Column("build", pl.Int64, "number", "Sequence number."),
        Column("run_id", pl.String, "id", "Dagster run."),
        Column("month_start", pl.Date, "date", "First day of the first month built."),
        Column("month_end", pl.Date, "date", "Last day of the last month built."),
        Column("inputs", pl.String, "hex", "Hash over the raw files' hashes."),
        Column("settings", pl.String, "JSON", "Settings in force."),
        Column("code_version", pl.String, "hex", "Hash over the package's code and SQL."),
        Column("simulated", pl.Boolean, "yes/no", "Whether the data are the simulated market."),
        Column("finished_at", pl.Datetime, "UTC", "When the build ended."),
    ),
)

PENDING = Table(
    layer="quality",
    name="pending",
    description="Months whose inputs changed, or that are half built, and not rebuilt yet.",
    key=("data_set",),
    columns=(
        Column(
            "data_set",
            pl.String,
            "name",
            "Data set that changed; 'earlier months' where these were built after later ones; "
            "'unfinished build' and the run's id where a build has begun and never ended.",
        ),
        Column("changed_from", pl.Date, "date", "First day whose numbers may have changed."),
    ),
)

FRESHNESS = Table(
    layer="quality",
    name="freshness",
    description="How old each data set is, and what its source did not deliver any more.",
    key=("data_set",),
    columns=(
        Column("data_set", pl.String, "name", "Data set, as in the settings."),
        Column("source", pl.String, "name", "Provider, as in the settings."),
        Column(
            "last_day",
            pl.Date,
            "date",
            "Newest day of its rows up to the day they were read; NULL when rows have no day.",
            nullable=True,
        ),
        Column(
            "behind_file",
            pl.String,
            "name",
            "File that ends first, of data sets in which every file goes on (benchmark, etf, "
            "macro).",
            nullable=True,
        ),
        Column("behind_day", pl.Date, "date", "Newest day of that file.", nullable=True),
        Column(
            "age_days",
            pl.Int64,
            "days",
            "From behind_day, else last_day, to the day of checked_at.",
            nullable=True,
        ),
        Column(
            "max_age_days",
            pl.Int64,
            "days",
            "quality.max_age_days of the settings; NULL: any age will do (simulated data, "
            "last_month set, or never).",
            nullable=True,
        ),
        Column("is_stale", pl.Boolean, "yes/no", "Whether age_days is more than max_age_days."),
        Column("files", pl.Int64, "count", "Files with rows in the warehouse."),
        Column(
            "files_missing",
            pl.Int64,
            "count",
            "Of them, no longer offered; their last good rows stay.",
        ),
        Column(
            "files_stale",
            pl.Int64,
            "count",
            "Of them, offered in a bad state now; their last good rows stay.",
        ),
        Column(
            "first_missing", pl.String, "name", "The first file that is missing.", nullable=True
        ),
        Column("first_stale", pl.String, "name", "The first file that is bad now.", nullable=True),
        Column(
            "outage",
            pl.String,
            "text",
            "Why nothing new was taken from the source; NULL when it delivered.",
            nullable=True,
        ),
        Column(
            "ingested_at",
            pl.Datetime,
            "UTC",
            "When the newest of its bytes were first fetched.",
            nullable=True,
        ),
        Column("checked_at", pl.Datetime, "UTC", "When the source was last looked at."),
    ),
)
