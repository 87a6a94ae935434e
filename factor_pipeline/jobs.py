"""Jobs: ingest the raw data, build what follows from them, or both; publish once more."""

from pathlib import Path

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from factor_pipeline.assets.common import WRITER_POOL
from factor_pipeline.checks.staleness import NO_STALE_MONTH
from factor_pipeline.publishing import publish_if_sound
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

_RAW = dg.AssetSelection.groups("raw")

ingest = dg.define_asset_job(
    "ingest",
    selection=_RAW | dg.AssetSelection.checks(NO_STALE_MONTH),
    description="Fetch and parse what is new, say which months that makes stale; compute nothing.",
)
build = dg.define_asset_job(
    "build",
    selection=dg.AssetSelection.all() - _RAW,
    description="Compute and publish the months of the run from the raw tables.",
)
nightly = dg.define_asset_job(
    "nightly",
    selection=dg.AssetSelection.all(),
    description="Ingest, compute the last months, publish: what the schedule runs.",
)


@dg.op(
    name="publish_again",
    description="Swap the published file for the tables as they are, unless months are stale.",
    required_resource_keys={"warehouse", "settings", "published"},
    pool=WRITER_POOL,
)
def _publish_again(context: dg.OpExecutionContext) -> None:
    warehouse: Warehouse = context.resources.warehouse
    settings: Settings = context.resources.settings
    published: Path = context.resources.published
    if stale := publish_if_sound(warehouse, settings, published):
        raise dg.Failure(
            f"months from {stale:%Y-%m} on are stale; `factor-pipeline run` builds them"
        )


@dg.job(
    description="Publish what is built already: after a run that ended before it did, and when "
    "sources changed nothing but what is known of them.",
)
def publish() -> None:
    """Publish without building."""
    _publish_again()


def full_build(range_tags: dict[str, str]) -> UnresolvedAssetJobDefinition:
    """Job that ingests and computes every month in one run."""
    return dg.define_asset_job(
        "full_build",
        selection=dg.AssetSelection.all(),
        description="Ingest, compute every month, publish.",
        tags=range_tags,
    )
