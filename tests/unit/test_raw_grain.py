from datetime import date, datetime

import polars as pl
import pytest

from factor_pipeline.checks.raw import raw_grain
from factor_pipeline.schemas.raw import MACRO
from factor_pipeline.warehouse.store import Change, Warehouse

KNOWN = datetime(2020, 6, 1)  # noqa: DTZ001 - UTC, as the warehouse has it


def observations(*rows: tuple[str, int, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [(series, date(2020, month, 1), 1.0, file, KNOWN) for series, month, file in rows],
        schema=MACRO.polars_schema,
        orient="row",
    )


@pytest.fixture
def warehouse(tmp_path):
    made = Warehouse(tmp_path / "work.duckdb")
    made.prepare([MACRO])
    return made


def test_keys_that_differ_in_one_column_are_no_repeats(warehouse):
    rows = observations(("CPI", 1, "a"), ("CPI", 2, "a"), ("FED", 1, "b"))
    warehouse.write([Change(MACRO, rows, "true", {})])
    finding = raw_grain(warehouse, "macro")
    assert (finding.passed, finding.failing_rows) == (True, 0)
    assert finding.observed == "0 repeated keys (series, date)"


def test_a_row_that_two_files_deliver_is_shown_with_both(warehouse):
    rows = observations(("CPI", 1, "a"), ("CPI", 2, "a"), ("CPI", 1, "b"), ("FED", 1, "b"))
    warehouse.write([Change(MACRO, rows, "true", {})])
    finding = raw_grain(warehouse, "macro")
    assert (finding.passed, finding.failing_rows) == (False, 1)
    assert "CPI | 2020-01-01 | 2 | a | b" in finding.metadata["repeated"].value
