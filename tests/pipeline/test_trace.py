"""Traces of real runs: every published table leads to files."""

import json
import shutil
from datetime import date

import pytest

from factor_pipeline.assets import truth
from factor_pipeline.assets.common import Run
from factor_pipeline.checks import catalogue
from factor_pipeline.definitions import TABLE_ASSETS
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.registry import HISTORY_TABLES, PUBLISHED_TABLES, TABLES, TRUTH_TABLES
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import load_settings
from factor_pipeline.sources.rawstore import sha256
from factor_pipeline.trace.graph import declared_assets
from factor_pipeline.trace.trace import Trace, trace
from factor_pipeline.warehouse.query import query_published
from factor_pipeline.warehouse.store import Warehouse

# Rows that follow from the code, or speak of tables and builds as a whole.
NOT_OF_FILES = {
    "signal.definition",
    "quality.rule",
    "quality.freshness",
    "quality.check_result",
    "quality.build",
}
# A simulated market has no faults.
EMPTY_WITHOUT_FAULTS = {
    "panel.price_check",
    "quality.quarantine",
    "quality.vintage_diff",
    *(table.qualified_name for table in HISTORY_TABLES),
}
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
    assert set(declared_assets()) == {*TABLE_ASSETS, *truth.ASSETS} - {*catalogue.ASSETS}


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


@pytest.mark.parametrize(
    ("table", "where", "rebuilt"),
    [
        (
            "risk.rolling_beta",
            "reason is null and model = 'FF3'",
            ("library_factor", "security_month", "rolling_beta"),
        ),
        (
            "signal.characteristic",
            "momentum_12_2 is not null and book_to_market is not null and volatility_252d > 0",
            ("book_equity", "statement", "security_month", "daily_beta", "characteristic"),
        ),
    ],
    ids=["rolling_beta", "characteristic"],
)
def test_a_row_depends_on_the_raw_rows_of_its_trace_and_on_no_others(
    built, tmp_path, table, where, rebuilt
):
    key = ", ".join(TABLES[table].key)
    row = query_published(
        built.published,
        f"select {key} from {table} where month_end = '2006-07-31' and {where} "  # noqa: S608
        "and security_id in (select any_value(security_id) from panel.security "
        f"group by firm_id having count(*) = 1) order by {key} limit 1",
    ).row(0, named=True)
    words = [f"{column}={value}" for column, value in row.items()]
    found = trace(built.published, table, words, (), built.folder / "raw")
    # Made of the ranks of all stocks, which the trace counts and does not follow.
    of_others = [column for other in found.path.others for column in other.link.into]
    spans = {step.node.name: step.span for step in found.path.steps}
    prices, library = spans["raw.price_daily"], spans["raw.french_return"]

    shutil.copy(built.folder / "warehouse.duckdb", tmp_path)
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    settings = load_settings(built.config)
    of_stock = (
        "vendor_id in (select vendor_id from panel.security where security_id = "  # noqa: S608
        f"{row['security_id']})"
    )
    in_trace = f"{of_stock} and date between '{prices.first}' and '{prices.last}'"

    def rebuild() -> dict[str, object]:
        assets = {asset.name: asset for asset in TABLE_ASSETS}
        months = MonthRange.of_months(date(2004, 1, 1), row["month_end"])
        with warehouse.held() as held:
            for name in rebuilt:
                list(assets[name].fill(Run(held, settings, months)))
            where = " and ".join(f"{column} = '{value}'" for column, value in row.items())
            frame = held.read(f"select * from {table} where {where}")  # noqa: S608
        return frame.drop(of_others).row(0, named=True)

    def change(table: str, assignment: str, where: str) -> None:
        with warehouse.opened(read_only=False) as connection:
            connection.execute(f"update {table} set {assignment} where {where}")  # noqa: S608

    before = rebuild()
    assert len(before) > len(TABLES[table].columns) // 2
    higher = "close = 1.7 * close, adjusted_close = 1.7 * adjusted_close"
    change("raw.price_daily", higher, f"not ({in_trace})")
    change("raw.fundamental", "total_assets = 2 * total_assets", f"not ({of_stock})")
    in_library = f"date between '{library.first}' and '{library.last}'"
    change("raw.french_return", "value = value + 0.01", f"not ({in_library})")
    assert rebuild() == before
    change("raw.price_daily", higher, f"{in_trace} and date = '{prices.last}'")
    assert rebuild() != before
