"""Column lineage: complete, true to the tables and to what assets read."""

import pytest

from factor_pipeline.assets.common import TableAsset
from factor_pipeline.schemas.lineage import (
    RULES,
    column_sources,
    is_declared,
    undeclared_columns,
    unused_rules,
)
from factor_pipeline.schemas.registry import DERIVED_TABLES, TABLES, TRUTH_TABLES
from factor_pipeline.schemas.table import Table
from factor_pipeline.trace.graph import declared_assets

MADE = (*DERIVED_TABLES, *TRUTH_TABLES)


def name(table: Table) -> str:
    return table.qualified_name


def assets_of(table: Table) -> list[TableAsset]:
    return [asset for asset in declared_assets() if table in asset.tables]


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_column_outside_the_key_has_sources_or_is_declared_a_constant(table):
    assert is_declared(table), (
        f'add to the rules of schemas/lineage_*.py: "{name(table)}": '
        '{"column or pattern": "schema.table.column,column"}, or "" where it is a constant'
    )
    missing = undeclared_columns(table)
    rule = f'"{" ".join(missing)}": "schema.table.column,column"'
    assert not missing, (
        f'add to the rules of "{name(table)}" in schemas/lineage_*.py: {rule}, or "" for constants'
    )


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_rule_fits_a_column(table):
    unused = unused_rules(table)
    assert not unused, (
        f'remove {unused} from the rules of "{name(table)}" in schemas/lineage_*.py, or put them '
        "before a rule with a pattern: no column is left for them"
    )


def test_rules_are_of_tables_that_are_computed():
    unknown = RULES.keys() - {name(table) for table in MADE}
    assert not unknown, f"remove {sorted(unknown)} from schemas/lineage_*.py, or register the table"


@pytest.mark.parametrize("table", MADE, ids=name)
def test_every_source_is_a_column_of_a_registered_table(table):
    for column, sources in column_sources(table).items():
        for source, source_column in sources:
            known = TABLES[source].column_names if source in TABLES else ()
            assert source_column in known, (
                f'{name(table)}.{column}: there is no column "{source_column}" in "{source}"; '
                "correct its rule in schemas/lineage_*.py"
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
                "rule in schemas/lineage_*.py"
            )
