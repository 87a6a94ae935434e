"""Column lineage: complete, true to the tables and to what assets read."""

import json

import duckdb
import pytest

from factor_pipeline.assets.common import TableAsset
from factor_pipeline.partitions import monthly_partitions
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.lineage import (
    RULES,
    column_sources,
    is_declared,
    undeclared_columns,
    unused_rules,
)
from factor_pipeline.schemas.panel import INDEX_COVERAGE, STATEMENT
from factor_pipeline.schemas.registry import DERIVED_TABLES, TABLES, TRUTH_TABLES
from factor_pipeline.schemas.risk import EXPOSURE, ROLLING_BETA
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings
from factor_pipeline.trace.graph import declared_assets
from factor_pipeline.warehouse.models import load_sql

MADE = (*DERIVED_TABLES, *TRUTH_TABLES)


def name(table: Table) -> str:
    return table.qualified_name


def assets_of(table: Table) -> list[TableAsset]:
    return [asset for asset in declared_assets() if table in asset.tables]


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_column_outside_the_key_has_sources_or_is_declared_a_constant(table):
    assert is_declared(table), (
        f'add to the rules of schemas/lineage/: "{name(table)}": '
        '{"column or pattern": "schema.table.column,column"}, or "" where it is a constant'
    )
    missing = undeclared_columns(table)
    rule = f'"{" ".join(missing)}": "schema.table.column,column"'
    assert not missing, (
        f'add to the rules of "{name(table)}" in schemas/lineage/: {rule}, or "" for constants'
    )


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_rule_fits_a_column(table):
    unused = unused_rules(table)
    assert not unused, (
        f'remove {unused} from the rules of "{name(table)}" in schemas/lineage/, or put them '
        "before a rule with a pattern: no column is left for them"
    )


def test_rules_are_of_tables_that_are_computed():
    unknown = RULES.keys() - {name(table) for table in MADE}
    assert not unknown, f"remove {sorted(unknown)} from schemas/lineage/, or register the table"


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_source_is_a_column_of_a_registered_table(table):
    for column, sources in column_sources(table).items():
        for source, source_column in sources:
            known = TABLES[source].column_names if source in TABLES else ()
            assert source_column in known, (
                f'{name(table)}.{column}: there is no column "{source_column}" in "{source}"; '
                "correct its rule in schemas/lineage/"
            )


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_source_is_read_by_an_asset_that_fills_the_table(table):
    read = {
        name(upstream.table)
        for asset in assets_of(table)
        for upstream in (*asset.reads, *asset.links)
        if not upstream.into or table in upstream.into
    }
    for column, sources in column_sources(table).items():
        for source in {source for source, _ in sources}:
            assert source in read, (
                f"{name(table)}.{column} comes from {source}, which no asset that fills "
                f"{name(table)} reads: add Upstream({source.partition('.')[2].upper()}) to its "
                "reads (or, where it is a table of the same asset, to its links), or correct the "
                "rule in schemas/lineage/"
            )


def test_what_a_rule_leaves_open_or_gets_wrong_is_told(monkeypatch):
    monkeypatch.setitem(
        RULES, "risk.exposure", {"rank_*": "risk.rolling_beta.beta_*", "rank_mkt": ""}
    )
    column_sources.cache_clear()
    try:
        assert undeclared_columns(EXPOSURE)[:3] == ["model", "stock_type", "stocks"]
        assert unused_rules(EXPOSURE) == ["rank_mkt"]
    finally:
        column_sources.cache_clear()


def test_a_pattern_hands_what_it_stands_for_to_the_source():
    sources = column_sources(EXPOSURE)
    assert ("risk.rolling_beta", "beta_hml") in sources["rank_hml"]
    assert ("risk.rolling_beta", "beta_smb") not in sources["rank_hml"]
    assert column_sources(STATEMENT)["revenue"] == (("raw.fundamental", "revenue"),)
    assert column_sources(EXPOSURE)["model"] == ()


@pytest.mark.parametrize(
    ("table", "model"),
    [(INDEX_COVERAGE, "panel/index_coverage"), (FACTOR_RETURN, "factor/library_factor")],
)
def test_sources_of_a_table_that_one_query_makes_are_those_the_query_names(table, model):
    tables, columns = named_in(load_sql(model))
    (read,) = [asset for asset in assets_of(table) if asset.kinds == {"sql"}]
    declared = {
        source
        for sources in column_sources(table).values()
        for source in sources
        if source[0] in {name(upstream.table) for upstream in read.reads}
    }
    assert {source for source, _ in declared} == tables
    assert {column for _, column in declared} <= columns
    # Every column of the tables that the query names is a source, a key, or a filter of rows.
    of_tables = {column for t in tables for column in TABLES[t].column_names} & columns
    keys = {column for t in tables for column in TABLES[t].key}
    assert of_tables - keys <= {column for _, column in declared} | {"file"}


def named_in(query: str) -> tuple[set[str], set[str]]:
    """Stored tables and column names that DuckDB's parser finds in a query."""
    with duckdb.connect() as connection:
        serialised = "select json_serialize_sql($q)"
        (text,) = connection.execute(serialised, {"q": query}).fetchone()
    tables, columns = set(), set()
    todo = [json.loads(text)]
    while todo:
        part = todo.pop()
        if isinstance(part, list):
            todo += part
        elif isinstance(part, dict):
            todo += part.values()
            if part.get("type") == "BASE_TABLE" and part["schema_name"]:
                tables.add(f"{part['schema_name']}.{part['table_name']}")
            if part.get("class") == "COLUMN_REF":
                columns.add(part["column_names"][-1])
    return tables, columns


def test_dagster_gets_the_sources_by_the_assets_that_fill_them():
    (betas,) = assets_of(ROLLING_BETA)
    (spec,) = betas.definition(monthly_partitions(Settings()), "code").specs
    lineage = spec.metadata["dagster/column_lineage"].deps_by_column
    assert {(dep.asset_key.to_user_string(), dep.column_name) for dep in lineage["beta_hml"]} == {
        ("panel/security_month", "ret"),
        ("factor/library_factor", "ret"),
    }
    described = {c.name: c.description for c in spec.metadata["dagster/column_schema"].columns}
    assert "[panel/security_month](/assets/panel/security_month) (ret)" in described["beta_hml"]
    assert "From" not in described["model"]


@pytest.mark.parametrize("asset", declared_assets(), ids=lambda asset: asset.name)
def test_columns_in_dagster_come_from_assets_the_asset_depends_on_or_fills_itself(asset):
    # The own and the library's factors are one table, filled by two assets.
    for spec in asset.definition(monthly_partitions(Settings()), "code").specs:
        known = {dep.asset_key for dep in spec.deps} | set(asset.keys)
        for deps in spec.metadata["dagster/column_lineage"].deps_by_column.values():
            assert {dep.asset_key for dep in deps} <= known
