"""Parts of the page on the state of the data: age, rules that flag rows, tables."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from factor_pipeline.reporting import formats, tables
from factor_pipeline.reporting.blocks import Block, Part
from factor_pipeline.reporting.published import Published


def _ages(published: Published) -> Sequence[Block]:
    frame = published.rows("freshness")
    fields = [
        tables.name("Data set", "data_set"),
        tables.name("Source", "source"),
        tables.value("Newest day", "last_day", _day, numeric=False),
        tables.count("Days old when read", "age_days"),
        tables.value("Days allowed", "max_age_days", _limit),
        tables.count("Files", "files"),
        tables.Field("State", _state, numeric=False),
    ]
    note = "Any: the data are meant to end, or need not be young."
    return [tables.table("Age of the data", frame, fields, note=note)]


def _state(row: dict[str, Any]) -> str:
    """Say in a few words what the check ``is_up_to_date`` says in whole sentences."""
    missing, bad = row["files_missing"], row["files_stale"]
    said = [
        "not delivered" if row["outage"] else "",
        f"missing files: {missing}" if missing and not row["outage"] else "",
        f"bad files: {bad}" if bad and not row["outage"] else "",
        "too old" if row["is_stale"] else "",
    ]
    return ", ".join(filter(None, said)) or "good"


def _rules(published: Published) -> Sequence[Block]:
    frame = published.rows("flags_by_rule")
    found = frame.filter(pl.col("flags") > 0).sort("flags", descending=True, maintain_order=True)
    fields = [
        tables.name("Rule", "rule"),
        tables.name("Table", "table_name"),
        tables.count("Rows", "flags"),
        tables.count("Subjects", "subjects"),
        tables.value("Newest fault", "newest_fault", _day),
        tables.Field("What it finds", _threshold, numeric=False),
        tables.name("What it does to results", "harm"),
    ]
    note = (
        f"Rules that found nothing: {frame.height - found.height}; quality.rule lists all. A flag "
        "marks a row and changes no number."
    )
    return [tables.table("Rows that look faulty, by rule", found, fields, note=note)]


def _flags(published: Published) -> Sequence[Block]:
    fields = [
        tables.value("Could be seen on", "known_date", _day, numeric=False),
        tables.name("Rule", "rule"),
        tables.name("Subject", "subject"),
        tables.value("Fault", "fault_date", _day, numeric=False),
        tables.name("Seen", "detail"),
    ]
    frame = published.rows("newest_flags")
    return [tables.table("Newest flags", frame, fields, fold=True)]


def _tables(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Table", "table_name"),
        tables.count("Rows", "stored_rows"),
        tables.count("Checks", "checks"),
        tables.count("Passed", "passed"),
        tables.count("Warn", "warnings"),
        tables.count("Failed", "errors"),
        tables.count("Rows flagged", "flagged"),
    ]
    frame = published.rows("table_state")
    return [tables.table("State of each table", frame, fields, fold=True)]


def _day(given: date | None) -> str:
    return formats.MISSING if given is None else f"{given:%Y-%m-%d}"


def _limit(days: int | None) -> str:
    return "any" if days is None else formats.count(days)


def _threshold(row: dict[str, Any]) -> str:
    if row["threshold"] is None:
        return str(row["finds"])
    return f"{row['finds']} ({row['threshold']:g} {row['unit'] or ''})".replace(" )", ")")


AGES = Part("quality.freshness", _ages)
RULES = Part("quality.flag", _rules)
FLAGS = Part("newest flags", _flags, when_empty="No row is flagged.")
STATE = Part("state of tables", _tables)
