"""What is checked of the age of raw data sets: each is young enough, and its source delivered."""

import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.checks.results import Finding
from factor_pipeline.freshness import complaints
from factor_pipeline.schemas.quality import FRESHNESS
from factor_pipeline.warehouse.store import Warehouse


def freshness(warehouse: Warehouse, data_set: str) -> Finding:
    """Look up what ingestion found out about the age of ``data_set``."""
    rows = warehouse.table(FRESHNESS).filter(pl.col("data_set") == data_set)
    if rows.is_empty():
        return Finding(passed=True, failing_rows=0, observed="no source", metadata={})
    row = rows.row(0, named=True)
    said = list(complaints(row))
    return Finding(
        passed=not said,
        failing_rows=row["files_missing"] + row["files_stale"],
        observed="; ".join(said) or f"{row['files']} files, newest day {row['last_day'] or 'none'}",
        metadata={"freshness": markdown(rows)},
    )
