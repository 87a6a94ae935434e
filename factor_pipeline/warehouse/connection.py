"""Opening DuckDB files: bounded waits, named errors, storage every client can read."""

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import duckdb

from factor_pipeline.errors import DataError, WarehouseBusyError

# DuckDB 2 files are unreadable for 1.x clients unless written in this older format.
_STORAGE_VERSION = "v1.5.0"
_MEMORY_LIMIT = "3GB"
WAIT_SECONDS = 20.0
_PAUSE_SECONDS = 0.1
_LOCKED = "could not set lock"
_HOLDER = re.compile(r"PID (\d+)")


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool,
    config: Mapping[str, str] | None = None,
    wait_seconds: float = WAIT_SECONDS,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open ``path`` for the length of the block; a transaction it leaves open is rolled back.

    A file another process holds is tried again for ``wait_seconds``. A file that is created or
    attached here gets the storage format of DuckDB 1.5. Names in SQL are tables and registered
    frames only, never Python variables.

    Raises
    ------
    WarehouseBusyError
        When the other process still holds it then.
    DataError
        When the file is missing (for reading) or is not a DuckDB file.
    """
    connection = _opened(path, read_only=read_only, config=config or {}, wait=wait_seconds)
    try:
        yield connection
    finally:
        connection.close()


def _opened(
    path: Path, *, read_only: bool, config: Mapping[str, str], wait: float
) -> duckdb.DuckDBPyConnection:
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": _MEMORY_LIMIT,
        "python_enable_replacements": "false",
        **config,
    }
    if not read_only:
        options["storage_compatibility_version"] = _STORAGE_VERSION
    deadline = time.monotonic() + wait
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=options)
        except duckdb.Error as error:
            said = str(error)
            if _LOCKED not in said.lower():
                raise DataError(
                    f"{path} cannot be opened ({said.splitlines()[0]}); move it away and run "
                    "`factor-pipeline run`: it is made again from the files under raw/"
                ) from error
            if time.monotonic() >= deadline:
                holder = _HOLDER.search(said)
                who = f"process {holder[1]}" if holder else "another process"
                raise WarehouseBusyError(
                    f"{path} is in use by {who}; wait for it to end, or stop it "
                    "(`factor-pipeline status` shows what runs)"
                ) from error
            time.sleep(_PAUSE_SECONDS)
