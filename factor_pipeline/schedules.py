"""When things run by themselves: the nightly schedule, and the repair of stale months."""

from datetime import date

import dagster as dg

from factor_pipeline.builds import State
from factor_pipeline.errors import WarehouseBusyError
from factor_pipeline.jobs import build, nightly
from factor_pipeline.months import add_months
from factor_pipeline.partitions import last_partition, range_tags
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


def stale_months_sensor(warehouse: Warehouse, settings: Settings) -> dg.SensorDefinition:
    """Sensor that rebuilds months whose inputs, settings or code changed since they were built."""

    @dg.sensor(
        name="rebuild_stale_months",
        job=build,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Rebuild from the first month whose inputs, settings or code changed.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        if context.instance.get_runs_count(dg.RunsFilter(statuses=_ACTIVE)):
            return dg.SkipReason("A run is active; its result decides.")
        try:
            state = State.of(warehouse)
        except WarehouseBusyError as busy:
            return dg.SkipReason(str(busy))
        stale, last = state.first_stale_month(settings), state.last_month(settings)
        if stale is None or last is None:
            return dg.SkipReason("Every built month is up to date.")
        last_build = state.builds.height
        # One attempt per state: when it fails, only a new build or new input tries again.
        return dg.RunRequest(
            run_key=f"{stale} {last_build} {state.data_end}", tags=range_tags(stale, last)
        )

    return sensor
