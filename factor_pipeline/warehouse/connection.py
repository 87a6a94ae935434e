"""Opening DuckDB files: bounded waits, named errors, storage every client can read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from factor_pipeline.errors import WarehouseBusyError

# DuckDB 2 files are unreadable for 1.x clients unless written in this older format.
STORAGE_VERSION = "v1.5.0"
MEMORY_LIMIT = "3GB"
_WAIT_SECONDS = 20.0
_PAUSE_SECONDS = 0.25


@contextmanager
def connect(
    path: Path,
    *,
    read_only: bool,
    config: dict[str, str] | None = None,
    wait_seconds: float = _WAIT_SECONDS,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open ``path`` for the length of the block.

    A file another process holds is tried again for ``wait_seconds``.

    Raises
    ------
    WarehouseBusyError
        When the other process still holds it then.
    """
    connection = _opened(path, read_only=read_only, config=config or {}, wait=wait_seconds)
    try:
        yield connection
    finally:
        connection.close()


def _opened(
    path: Path, *, read_only: bool, config: dict[str, str], wait: float
) -> duckdb.DuckDBPyConnection:
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        **config,
    }
    if not read_only:
        options["storage_compatibility_version"] = STORAGE_VERSION
    deadline = time.monotonic() + wait
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=options)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    f"{path} is in use by another run; wait for it to end, or stop it "
                    "(`factor-pipeline status` shows what runs)"
                ) from error
            time.sleep(_PAUSE_SECONDS)
