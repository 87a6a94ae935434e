"""When things run by themselves: the nightly schedule, and the repair of stale months."""

import hashlib
from datetime import date
from pathlib import Path

import dagster as dg

from factor_pipeline.builds import State, code_version, settings_json
from factor_pipeline.errors import WarehouseBusyError
from factor_pipeline.ingestion import data_version
from factor_pipeline.jobs import build, nightly, publish
from factor_pipeline.months import add_months
from factor_pipeline.partitions import last_partition, range_tags
from factor_pipeline.publishing import is_behind
from factor_pipeline.schemas.raw import INGEST_LOG
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

_ACTIVE = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def nightly_start(warehouse: Warehouse, settings: Settings) -> date:
    """First month of a nightly run: the last two months, or more when nights were missed.

    While a run holds the warehouse nobody knows what it will have built: the night after does.
    """
    last_two = add_months(last_partition(settings), -1)
    try:
        built = State.of(warehouse).builds["month_end"].max()
    except WarehouseBusyError:
        return max(last_two, settings.start_month)
    reached = add_months(built, -1) if isinstance(built, date) else settings.start_month
    return max(min(last_two, reached), settings.start_month)


def nightly_schedule(warehouse: Warehouse, settings: Settings) -> dg.ScheduleDefinition:
    """Schedule that ingests and refills the running month and the one before, in one run."""

    @dg.schedule(
        name="nightly",
        cron_schedule=settings.schedule.cron,
        execution_timezone=settings.schedule.timezone,
        job=nightly,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Ingest and refill the last two months, and any months missed before.",
    )
    def schedule() -> dg.RunRequest:
        first = nightly_start(warehouse, settings)
        return dg.RunRequest(tags=range_tags(first, last_partition(settings)))

    return schedule


def stale_months_sensor(
    warehouse: Warehouse, settings: Settings, published: Path
) -> dg.SensorDefinition:
    """Sensor that rebuilds stale months, and publishes what is built but was not published."""

    @dg.sensor(
        name="rebuild_stale_months",
        jobs=[build, publish],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuild from the first month whose inputs, settings or code changed or whose "
        "build never ended; publish what is built already.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(statuses=_ACTIVE)):
            return dg.SkipReason("A run is active; its result decides.")
        try:
            state = State.of(warehouse)
            behind = is_behind(warehouse, settings, published)
            looked = warehouse.read("select max(checked_at) from quality.freshness").item()
            attempt = f"{state.builds.height} {_made_from(warehouse, settings)}"
        except WarehouseBusyError as busy:
            return dg.SkipReason(str(busy))
        stale, last = state.first_stale_month(settings), state.last_month(settings)
        if stale is None or last is None:
            if behind:
                return dg.RunRequest(run_key=f"publish {attempt} {looked}", job_name=publish.name)
            return dg.SkipReason("Every built month is up to date.")
        # One attempt per state: when it fails, only a new build, new input, other settings or
        # other code try again.
        return dg.RunRequest(
            run_key=f"{stale} {attempt}", job_name=build.name, tags=range_tags(stale, last)
        )

    return sensor


def _made_from(warehouse: Warehouse, settings: Settings) -> str:
    """Hash over the files behind the raw rows, the settings and the code."""
    inputs = data_version(warehouse.table(INGEST_LOG))
    made_from = (inputs, settings_json(settings), code_version())
    return hashlib.sha256(repr(made_from).encode()).hexdigest()[:16]
