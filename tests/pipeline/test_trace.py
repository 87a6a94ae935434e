"""Traces of real runs: every published table leads to files."""

import json

import pytest

from factor_pipeline.assets import truth
from factor_pipeline.definitions import TABLE_ASSETS
from factor_pipeline.schemas.registry import PUBLISHED_TABLES, TRUTH_TABLES
from factor_pipeline.schemas.table import Table
from factor_pipeline.sources.rawstore import sha256
from factor_pipeline.trace.graph import declared_assets
from factor_pipeline.trace.trace import Trace, trace
from factor_pipeline.warehouse.query import query_published

# Rows that follow from the code, or speak of tables and builds as a whole.
NOT_OF_FILES = {"signal.definition", "quality.check_result", "quality.build"}
# A simulated market has no faults.
EMPTY_WITHOUT_FAULTS = {"panel.price_check", "quality.quarantine"}
TRACED = [
    table
    for table in (*PUBLISHED_TABLES, *TRUTH_TABLES)
    if table.qualified_name not in NOT_OF_FILES | EMPTY_WITHOUT_FAULTS
]


def middle_row(built, table: Table) -> list[str]:
    """Give the key of the row in the middle of a table."""
    frame = query_published(
        built.published,
        f"select {table.key_list} from {table.qualified_name} order by {table.key_list} "  # noqa: S608
        f"limit 1 offset (select count(*) // 2 from {table.qualified_name})",
    )
    assert frame.height == 1, f"{table.qualified_name} is empty"
    return [f"{k}={'' if v is None else v}" for k, v in frame.row(0, named=True).items()]


def traced(built, table: Table) -> Trace:
    words = middle_row(built, table)
    return trace(built.published, table.qualified_name, words, (), built.folder / "raw")


@pytest.mark.parametrize("table", TRACED, ids=lambda table: table.qualified_name)
def test_a_row_of_every_published_table_leads_to_its_build_and_to_files_that_are_kept(built, table):
    found = traced(built, table)
    assert found.files, (
        f"nothing links {table.qualified_name} to a file: declare in its asset which rows it is "
        "made of, Upstream(TABLE, back=..., rows=Rows(...)), or name it in NOT_OF_FILES"
    )
    for file in found.files:
        assert sha256(file.path.read_bytes()) == file.log["sha256"]
    assert (found.build is None) == (table.layer == "raw")


def test_all_assets_of_the_code_location_are_traced():
    assert set(declared_assets()) == {*TABLE_ASSETS, *truth.ASSETS}


def test_the_command_line_traces_and_tells_wrong_use_from_missing_rows(built):
    key = next(
        row["ticker"]
        for row in query_published(
            built.published,
            "select ticker from panel.security_month where month_end = '2006-06-30' limit 1",
        ).to_dicts()
    )
    beta = ("trace", "risk.rolling_beta", f"ticker={key}", "month=2006-06", "model=FF3")
    found = built.run(*beta, "--format", "json", "--verify")
    assert found.returncode == 0, found.stderr
    document = json.loads(found.stdout)
    assert {file["state"] for file in document["files"]} == {"verified"}
    assert {"prices/market.json", "library/market.json"} <= {f["file"] for f in document["files"]}
    several = built.run(*beta[:-1])
    assert (several.returncode, several.stdout) == (2, "")
    assert several.stderr.count("\n") == 1
    missing = built.run("trace", "risk.rolling_beta", "security_id=1")
    assert (missing.returncode, missing.stderr.count("\n")) == (1, 1)
