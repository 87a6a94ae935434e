"""The Dagster instance under ``$FACTOR_HOME``, and the lock that keeps writers apart."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
from filelock import FileLock, Timeout

from factor_pipeline.errors import WarehouseBusyError

_PACKAGE = Path(__file__).parent
_ACTIVE = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
_LOCK = "run.lock"
_WAIT_SECONDS = 5.0


def shipped(name: str) -> Path:
    """``dagster.yaml`` or ``workspace.yaml``: inside an installed wheel, else at the top."""
    installed = _PACKAGE / "_dagster" / name
    return installed if installed.is_file() else _PACKAGE.parent / name


def prepare_instance(home: Path) -> dg.DagsterInstance:
    """Open the Dagster instance of ``home``, with this release's configuration."""
    folder = home / "dagster"
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(shipped("dagster.yaml"), folder / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(folder)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
    return dg.DagsterInstance.get()


@contextmanager
def run_lock(home: Path, *, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the right to write for the length of a run; the end of the process frees it.

    Raises
    ------
    WarehouseBusyError
        When another run holds it for longer than ``wait_seconds``.
    """
    # One object per path and process: a run may hold it around the jobs that ask for it too.
    lock = FileLock(home / _LOCK, is_singleton=True)
    try:
        lock.acquire(timeout=wait_seconds)
    except Timeout as error:
        raise WarehouseBusyError(
            f"another run is writing to {home}; wait for it to end (`factor-pipeline status`)"
        ) from error
    try:
        yield
    finally:
        lock.release()


def is_running(home: Path) -> bool:
    """Whether some process is in a run of ``home`` right now."""
    try:
        with run_lock(home, wait_seconds=0):
            return False
    except WarehouseBusyError:
        return True


def bury_dead_runs(instance: dg.DagsterInstance, home: Path) -> list[str]:
    """Mark runs as failed that are said to run though no process does; return their ids.

    After a power loss or ``kill -9`` a run stays "started" for ever and later ones queue behind.
    """
    if is_running(home):
        return []
    dead = instance.get_runs(dg.RunsFilter(statuses=_ACTIVE))
    for run in dead:
        instance.report_run_failed(run, "The process of this run ended before the run did.")
        instance.event_log_storage.free_concurrency_slots_for_run(run.run_id)
    return [run.run_id for run in dead]
