"""Jobs: ingest the raw data, build what follows from them, or both."""

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from factor_pipeline.checks.staleness import NO_STALE_MONTH

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


def full_build(range_tags: dict[str, str]) -> UnresolvedAssetJobDefinition:
    """Job that ingests and computes every month in one run."""
    return dg.define_asset_job(
        "full_build",
        selection=dg.AssetSelection.all(),
        description="Ingest, compute every month, publish.",
        tags=range_tags,
    )
