"""A user's SQL on the published file: read-only, no other file, bounded time and memory."""

import threading
from pathlib import Path

import duckdb
import polars as pl

from factor_pipeline.errors import QueryError
from factor_pipeline.warehouse.connection import connect

_LOCKED_DOWN = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "lock_configuration": "true",
    "memory_limit": "2GB",
}


def query_published(published: Path, query: str, *, timeout_seconds: float = 120) -> pl.DataFrame:
    """Rows of ``query`` on the published file.

    Raises
    ------
    QueryError
        When nothing is published yet, the SQL is wrong, touches another file, or takes longer
        than ``timeout_seconds``.
    """
    if not published.exists():
        raise QueryError(f"nothing is published at {published}; run `factor-pipeline run` first")
    with connect(published, read_only=True, config=_LOCKED_DOWN) as connection:
        timer = threading.Timer(timeout_seconds, connection.interrupt)
        timer.start()
        try:
            relation = connection.sql(query)
            if relation is None:
                raise QueryError("the SQL returns no rows; write a SELECT")
            frame: pl.DataFrame = relation.pl()
        except duckdb.InterruptException as error:
            raise QueryError(f"the query ran longer than {timeout_seconds:g} s") from error
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        finally:
            timer.cancel()
    return frame
