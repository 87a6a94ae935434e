from pathlib import Path

import dagster as dg
import pytest

from factor_pipeline.assets.inputs import INPUTS_KEY
from factor_pipeline.definitions import build_definitions, table_assets
from factor_pipeline.schemas.registry import DERIVED_TABLES, TRUTH_TABLES
from factor_pipeline.settings import parse_settings

SETTINGS = parse_settings({"simulation": {"stocks": 30, "years": 4}}, base=Path())
FILES = parse_settings(
    {
        "first_month": "2004-01",
        "last_month": "2005-12",
        "prices": {"source": "alphavantage", "path": "."},
        "library": {"source": "ken_french", "path": "."},
        "portfolios": {"universe": "all"},
        "backtest": {"universe": "all"},
    },
    base=Path(),
)


@pytest.fixture(scope="module")
def defs(tmp_path_factory):
    return build_definitions(SETTINGS, tmp_path_factory.mktemp("home"))


def test_code_location_loads(defs):
    dg.Definitions.validate_loadable(defs)


def test_every_derived_table_has_an_asset(defs):
    keys = {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}
    assert {f"{t.layer}/{t.name}" for t in DERIVED_TABLES} <= keys


def test_every_asset_carries_description_owner_kind_and_group(defs):
    for spec in defs.resolve_all_asset_specs():
        name = spec.key.to_user_string()
        assert spec.description, name
        assert spec.owners, name
        assert spec.kinds, name
        assert spec.group_name == spec.key.path[0], name


def test_every_table_shows_its_columns_with_units(defs):
    for spec in defs.resolve_all_asset_specs():
        if spec.group_name == "published":
            continue
        columns = spec.metadata["dagster/column_schema"].columns
        assert columns
        assert all(column.description.startswith("[") for column in columns)


def test_about_a_dozen_assets_are_partitioned_and_all_alike(defs):
    # The event log is written in batches (event_storage.py), so a partitioned asset costs
    # milliseconds a month; still, one per family of tables.
    partitioned = [s for s in defs.resolve_all_asset_specs() if s.partitions_def]
    # What ingestion observes costs nothing in a build.
    assert len([spec for spec in partitioned if spec.key != INPUTS_KEY]) <= 18
    assert len({s.partitions_def for s in partitioned}) == 1


def test_every_derived_table_has_a_blocking_check(defs):
    graph = defs.resolve_asset_graph()
    checked = {key.asset_key for key in graph.asset_check_keys if key.name == "expectations"}
    assert {dg.AssetKey([t.layer, t.name]) for t in DERIVED_TABLES} <= checked


def test_lineage_has_no_back_edges(defs):
    order = [
        *("raw", "quality", "panel", "risk", "signal", "portfolio", "factor", "backtest"),
        *("truth", "published"),
    ]
    graph = defs.resolve_asset_graph()
    # Results are looked at when all are there.
    of_results = {dg.AssetKey(["quality", name]) for name in ("result_flag", "distribution")}
    for key in graph.get_all_asset_keys() - of_results:
        for parent in graph.get(key).parent_keys:
            # Betas regress on library factors, which come straight from the raw files.
            if parent.to_user_string() == "factor/library_factor":
                continue
            assert order.index(parent.path[0]) <= order.index(key.path[0]), (parent, key)


def test_nothing_but_the_published_file_depends_on_the_truth(defs):
    graph = defs.resolve_asset_graph()
    truth = {key for key in graph.get_all_asset_keys() if key.path[0] == "truth"}
    assert {key.path[1] for key in truth} == {table.name for table in TRUTH_TABLES}
    for key in truth:
        assert {c.path[0] for c in graph.get(key).child_keys} == {"published"}


def test_every_table_of_the_truth_has_a_blocking_check(defs):
    checks = defs.resolve_asset_graph().asset_check_keys
    checked = {key.asset_key for key in checks if key.name == "expectations"}
    assert {dg.AssetKey([t.layer, t.name]) for t in TRUTH_TABLES} <= checked


def test_real_data_have_no_truth(tmp_path):
    graph = build_definitions(FILES, tmp_path).resolve_asset_graph()
    keys = graph.get_all_asset_keys() | {key.asset_key for key in graph.asset_check_keys}
    assert dg.AssetKey(["panel", "security"]) in keys
    assert "truth" not in {key.path[0] for key in keys}


def test_assets_come_after_what_they_read():
    # The audit fills them in this order.
    filled = set()
    for asset in table_assets(SETTINGS):
        read = {u.asset or u.table.name for u in asset.reads if u.table.layer != "raw"}
        assert read <= filled, asset.name
        filled |= {asset.name} if asset.scope else {table.name for table in asset.tables}


def test_nightly_asks_for_the_last_two_months_in_one_run(defs):
    schedule = defs.resolve_schedule_def("nightly")
    with dg.build_schedule_context() as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    # Nothing is built yet: the first night fills every month up to the market's last.
    assert request.tags["dagster/asset_partition_range_start"] == "2004-01-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2008-01-01"
