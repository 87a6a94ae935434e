"""The last asset: what was built becomes what people query."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from factor_pipeline.assets.common import OWNERS, WRITER_POOL
from factor_pipeline.assets.inputs import INPUTS_KEY, observe_inputs
from factor_pipeline.builds import State, record_build
from factor_pipeline.partitions import BACKFILL, months_of
from factor_pipeline.publishing import publish_if_sound
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

PUBLISHED_KEY = dg.AssetKey(["published", "factors"])


def published_asset(
    upstream: Sequence[dg.AssetKey], partitions: dg.MonthlyPartitionsDefinition, code_version: str
) -> dg.AssetsDefinition:
    """Asset that swaps the published file; a failed check upstream keeps the old one.

    It also stays when months outside the run are stale, as a table half old and half new would
    be worse than one a night old: the ``rebuild_stale_months`` sensor then builds them.
    """

    @dg.asset(
        key=PUBLISHED_KEY,
        deps=[*upstream, INPUTS_KEY],
        description="The file people query, swapped in whole once all tables passed their checks.",
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        code_version=code_version,
        partitions_def=partitions,
        backfill_policy=BACKFILL,
        required_resource_keys={"warehouse", "settings", "published"},
        pool=WRITER_POOL,
    )
    def factors(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        warehouse: Warehouse = context.resources.warehouse
        settings: Settings = context.resources.settings
        target: Path = context.resources.published
        months = months_of(context)
        begun = State.of(warehouse, but_for_run=context.run.run_id)
        before = begun.stale_months(settings)
        record_build(warehouse, settings, months, run_id=context.run.run_id, now=datetime.now(UTC))
        after = [m for m in State.of(warehouse).stale_months(settings) if m not in before]
        observe_inputs(context, after, f"months before, in the build of {months}")
        stale = publish_if_sound(warehouse, settings, target)
        if stale:
            context.log.warning(
                "Months from %s on are stale: inputs, settings or code changed. The published "
                "file stays as it was until `factor-pipeline run` has built them.",
                f"{stale:%Y-%m}",
            )
            return dg.MaterializeResult(
                metadata={"published": False, "stale_from": f"{stale:%Y-%m}"}
            )
        return dg.MaterializeResult(
            metadata={
                "published": True,
                "path": dg.MetadataValue.path(str(target)),
                "bytes": target.stat().st_size,
                "months_in_run": str(months),
            }
        )

    return factors
