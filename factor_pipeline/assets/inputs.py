"""Inputs by month: a data version for each month, so that the UI shows which months are stale.

A raw table has one data version for all its months. With that alone every month would look out of
date after each night, or none.
"""

from collections.abc import Sequence
from datetime import date

import dagster as dg

from factor_pipeline.assets.common import OWNERS

INPUTS_KEY = dg.AssetKey(["published", "inputs"])


def inputs_asset(partitions: dg.MonthlyPartitionsDefinition) -> dg.AssetSpec:
    """Asset that ingestion observes: what is published of a month waits for its last version."""
    return dg.AssetSpec(
        INPUTS_KEY,
        description="What each month is made of. A month that inputs have changed since it was "
        "built has a new version, and is shown as unsynced in published/factors.",
        group_name="published",
        kinds={"duckdb"},
        owners=OWNERS,
        partitions_def=partitions,
    )


def observe_inputs(context: dg.AssetExecutionContext, months: Sequence[date], changed: str) -> None:
    """Give ``months`` (first days) a new version, and say what has changed."""
    for month in months:
        context.log_event(
            dg.AssetObservation(
                INPUTS_KEY,
                partition=month.isoformat(),
                metadata={"changed": changed},
                tags={"dagster/data_version": f"{context.run.run_id} {changed}"},
            )
        )


def begin_inputs(context: dg.AssetExecutionContext, month: date) -> None:
    """Give one month its first version, if none has any.

    Dagster sees what is newer than the last version when the step of a build begins, so there must
    be one.
    """
    if not context.instance.fetch_observations(INPUTS_KEY, limit=1).records:
        observe_inputs(context, [month], "nothing before")
