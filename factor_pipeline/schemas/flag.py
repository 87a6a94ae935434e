"""The rules of data quality as a table, and the rows they flag."""

import polars as pl

from factor_pipeline.schemas.table import Column, Reference, Table

_SEVERITY = Column(
    "severity",
    pl.String,
    "name",
    "error: certainly wrong, nothing is built on it; warn: may be true, stays.",
    values=("error", "warn"),
)

RULE = Table(
    layer="quality",
    name="rule",
    description="Every rule by which data are judged, with its threshold and reason.",
    key=("rule", "table_name", "kind"),
    columns=(
        Column("rule", pl.String, "name", "Rule."),
        Column("table_name", pl.String, "name", "Table whose rows it looks at."),
        Column(
            "kind",
            pl.String,
            "name",
            "screen: keeps a file or row out of a raw table, see quality.quarantine; expectation: "
            "what a table's schema promises; check: of a table as a whole, see "
            "quality.check_result; flag: marks single rows, see quality.flag.",
            values=("screen", "expectation", "check", "flag"),
        ),
        _SEVERITY,
        Column(
            "finds",
            pl.String,
            "text",
            "What such a row looks like; of expectations and checks, what must hold.",
        ),
        Column(
            "harm",
            pl.String,
            "text",
            "What would go wrong with it; NULL where finds says it all.",
            nullable=True,
        ),
        Column("threshold", pl.Float64, "see unit", "Where it begins.", nullable=True),
        Column("unit", pl.String, "text", "Unit of the threshold.", nullable=True),
        Column("why", pl.String, "text", "Why the threshold is there.", nullable=True),
        Column(
            "dated",
            pl.Boolean,
            "yes/no",
            "Whether a flag depends on nothing after its known_date, so that it enters the panel.",
        ),
    ),
)

FLAG = Table(
    layer="quality",
    name="flag",
    description="Rows that look faulty, each with the rule that says so. They stay in their table.",
    key=("rule", "subject", "fault_date"),
    columns=(
        Column("rule", pl.String, "name", "Rule, see quality.rule."),
        _SEVERITY,
        Column(
            "stage",
            pl.String,
            "name",
            "What was looked at: the data as ingested, or the results computed from them.",
            values=("data", "results"),
        ),
        Column("table_name", pl.String, "name", "Table of the row."),
        Column(
            "subject",
            pl.String,
            "id",
            "Whose row: vendor_id of prices and statements, symbol, series, file or factor.",
        ),
        Column("fault_date", pl.Date, "date", "Day of the fault."),
        Column("known_date", pl.Date, "date", "First day on which it could be seen."),
        Column("figure", pl.Float64, "see detail", "Offending figure.", nullable=True),
        Column("expected", pl.Float64, "see detail", "What was to be expected.", nullable=True),
        Column("detail", pl.String, "text", "What was seen, in words.", nullable=True),
        Column(
            "file", pl.String, "name", "File of the row, where it is of one file.", nullable=True
        ),
    ),
    references=(Reference("rule", RULE.qualified_name),),
)
