"""Running the pipeline in this process: ingest, then build what is missing or stale."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg

from factor_pipeline.builds import State, forget_other_months
from factor_pipeline.console_log import progress
from factor_pipeline.errors import DataError, SettingsError, StoppedError
from factor_pipeline.freshness import refuse_paths_never_read
from factor_pipeline.instance import bury_dead_runs, prepare_instance, run_lock
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.partitions import last_partition, range_tags
from factor_pipeline.publishing import is_behind
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import PUBLISHED_FILE, WORK_FILE, Settings
from factor_pipeline.warehouse.store import Warehouse

# Our logger in place of Dagster's own, which writes every event to stderr.
_QUIET: dict[str, object] = {"loggers": {"console": {}}}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The pipeline of one home folder, ready to run.

    Attributes
    ----------
    home, settings
        Where everything is written, and what was chosen.
    """

    home: Path
    settings: Settings

    @property
    def warehouse(self) -> Warehouse:
        """The work file."""
        return Warehouse(self.home / WORK_FILE)

    @property
    def published(self) -> Path:
        """The file people query."""
        return self.home / PUBLISHED_FILE

    def prepare(self) -> dg.DagsterInstance:
        """Make the home folder ready: Dagster's instance, tables, runs that died.

        Raises
        ------
        SettingsError
            When nothing is at the path of a data set, and nothing of it is in the warehouse.
        """
        self.home.mkdir(parents=True, exist_ok=True)
        instance = prepare_instance(self.home)
        with run_lock(self.home):
            self.warehouse.prepare(TABLES.values())
            refuse_paths_never_read(self.warehouse, self.settings)
            forget_other_months(self.warehouse, self.settings)
        bury_dead_runs(instance, self.home)
        return instance

    def run(self, first: date | None = None, last: date | None = None) -> MonthRange | None:
        """Ingest, then build the months asked for, else those that are missing or stale.

        Returns
        -------
        MonthRange or None
            The months built; null when none was to build. What is built and not published yet, or
            new in what is known of the sources, is published all the same.

        Raises
        ------
        SettingsError
            When a month asked for is not one of the warehouse.
        DataError
            When a step or a blocking check fails; the published file is as before.
        """
        self._refuse_foreign_months(first, last)
        with self._locked():
            return self._run(first, last)

    def _run(self, first: date | None, last: date | None) -> MonthRange | None:
        instance = self.prepare()
        self._execute(instance, "ingest", {}, "Reading what is new")
        state = State.of(self.warehouse)
        end = state.last_month(self.settings)
        if first or last:
            if end is None:
                raise DataError("there are no prices yet; check the files of [prices]")
            months = MonthRange.of_months(first or self.settings.start_month, last or end)
        elif self.published.exists():
            needed = state.needed(self.settings)
            if needed is None:
                if is_behind(self.warehouse, self.settings, self.published):
                    self._execute(instance, "publish", {}, "Publishing")
                return None
            months = needed
        else:
            months = self._every_month(end)
        self._execute(instance, "build", _tags(months), f"Computing {months}")
        return months

    def nightly(self) -> MonthRange:
        """Do what the schedule does: ingest, then refill the last two months and what is stale."""
        with self._locked():
            return self._nightly()

    def _nightly(self) -> MonthRange:
        instance = self.prepare()
        self._execute(instance, "ingest", {}, "Reading what is new")
        state = State.of(self.warehouse)
        every = self._every_month(state.last_month(self.settings))
        starts = [max(add_months(every.end, -2), every.start)]
        if needed := state.needed(self.settings):
            starts.append(needed.start)
        months = every.since(min(starts))
        self._execute(instance, "build", _tags(months), f"Computing {months}")
        return months

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other writers out from ingestion to publication, not only within each job."""
        self.home.mkdir(parents=True, exist_ok=True)
        with run_lock(self.home):
            yield

    def _every_month(self, last: date | None) -> MonthRange:
        if last is None:
            raise DataError("there are no prices yet; check the files of [prices]")
        if last < self.settings.start_month:
            raise DataError(
                f"the prices end before first_month = {self.settings.start_month:%Y-%m}; "
                "set an earlier first_month"
            )
        return MonthRange.of_months(self.settings.start_month, last)

    def _refuse_foreign_months(self, first: date | None, last: date | None) -> None:
        start, end = self.settings.start_month, last_partition(self.settings)
        for option, month in (("--start", first), ("--end", last)):
            if month and not start <= month <= end:
                raise SettingsError(
                    f"{option} {month:%Y-%m} is outside the warehouse, which has the months "
                    f"{start:%Y-%m} to {end:%Y-%m}; change first_month or last_month for others"
                )
        if first and last and last < first:
            raise SettingsError(f"--end {last:%Y-%m} is before --start {first:%Y-%m}")

    def _execute(
        self, instance: dg.DagsterInstance, job_name: str, tags: dict[str, str], title: str
    ) -> None:
        # The code location reads settings and home from the environment, as Dagster loads it.
        from factor_pipeline.definitions import defs  # noqa: PLC0415

        job = defs.resolve_job_def(job_name)
        with progress(title, len(job.nodes)):
            result = job.execute_in_process(
                instance=instance, tags=tags, run_config=_QUIET, raise_on_error=False
            )
        if not result.success:
            if _was_interrupted(result):
                raise StoppedError("stopped; the published file is unchanged, run again to go on")
            raise DataError(_failure(result))


def _tags(months: MonthRange) -> dict[str, str]:
    return range_tags(months.start, add_months(months.end, -1))


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    errors = [e.step_failure_data.error for e in result.all_events if e.is_step_failure]
    return any(error and error.cls_name == "DagsterExecutionInterruptedError" for error in errors)


def _failure(result: dg.ExecuteInProcessResult) -> str:
    """Say what went wrong first: the failed check or the error of the failed step."""
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity is dg.AssetCheckSeverity.ERROR:
            observed = evaluation.metadata.get("observed")
            return (
                f"check {evaluation.check_name} of {evaluation.asset_key.to_user_string()} failed: "
                f"{observed.value if observed else 'see the UI'}. The published file is unchanged."
            )
    for event in result.all_events:
        if event.is_step_failure:
            error = event.step_failure_data.error
            while error is not None and error.cause is not None:
                error = error.cause
            said = (error.message if error else "unknown error").strip()
            return f"{event.step_key}: {said}\nThe published file is unchanged."
    for event in result.all_events:
        if event.is_run_failure and (error := event.job_failure_data.error):
            return f"{(error.cause or error).message.strip()}\nThe published file is unchanged."
    return "the run failed; look at it with `factor-pipeline ui`. The published file is unchanged."
