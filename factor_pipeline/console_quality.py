"""What `factor-pipeline quality` prints."""

import polars as pl

from factor_pipeline import console
from factor_pipeline.quality_state import QualityState, TableState


def state(seen: QualityState) -> None:
    """Print the state of every table, of every rule that found something, and of the sources."""
    build = seen.build
    console.say(f"Build {build['build']} of {build['finished_at']:%Y-%m-%d %H:%M} UTC")
    console.titled("Tables", seen.tables)
    found = seen.rules.filter(pl.col("flags") > 0)
    quiet = seen.rules.height - found.height
    columns = ("table_name", "rule", "severity", "flags", "subjects", "newest_fault")
    console.titled(f"Rules that flagged rows (that found nothing: {quiet})", found.select(columns))
    console.titled("Newest flags", seen.flags.select("known_date", "rule", "subject", "detail"))
    columns = ("data_set", "rule", "bad_files", "bad_rows", "example_file", "example_reason")
    console.titled("Quarantine", seen.quarantine.select(columns))
    console.ages(seen.ages)


def table(seen: TableState) -> None:
    """Print the checks, flags and quarantine of one table, with the first rows of each."""
    console.say(f"{seen.name}: {seen.description}")
    console.say(f"{seen.rows:,} rows")
    console.titled("Checks", seen.checks)
    columns = ("rule", "severity", "flags", "newest_fault", "finds")
    console.titled("Rules that flag its rows", seen.rules.select(columns))
    console.titled("Newest flags", seen.flags)
    console.titled("Kept out of it", seen.quarantine)
    console.titled("First rows outside what is likely", seen.examples)
