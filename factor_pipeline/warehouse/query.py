"""A user's SQL on the published file: read-only, no other file, bounded time, memory and rows."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from factor_pipeline.errors import DataError, QueryError, UnknownTableError
from factor_pipeline.warehouse.connection import connect

_LOCKED_DOWN = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "lock_configuration": "true",
    "memory_limit": "2GB",
}
# PIVOT counts as several statements: it looks up its columns first.
_ANSWERED = {
    duckdb.StatementType.SELECT,
    duckdb.StatementType.EXPLAIN,
    duckdb.StatementType.MULTI,
}
_INTERRUPT_AGAIN_SECONDS = 0.2


def query_published(
    published: Path, query: str, *, timeout_seconds: float = 120, max_rows: int = 20_000_000
) -> pl.DataFrame:
    """Rows of ``query`` on the published file.

    Parameters
    ----------
    published
        The published file; it is opened for reading, and nothing else is.
    query
        One SELECT (or WITH, FROM, DESCRIBE, SUMMARIZE, PIVOT, EXPLAIN); names are tables and
        views of the file.
    timeout_seconds, max_rows
        How long it may take and how many rows it may give.

    Returns
    -------
    polars.DataFrame
        Sums of integers come as integers (DuckDB: HUGEINT), decimals as floats.

    Raises
    ------
    QueryError
        When nothing is published yet, the SQL is wrong, is not one SELECT, touches another file,
        takes longer than ``timeout_seconds`` or gives more than ``max_rows`` rows.
    UnknownTableError
        When it names a table that is not there.
    """
    with snapshot(published) as answer:
        return answer(query, timeout_seconds=timeout_seconds, max_rows=max_rows)


@contextmanager
def snapshot(published: Path) -> Iterator["Answer"]:
    """Keep one version of the published file open for several queries.

    Yields
    ------
    Answer
        Called with a query, and limits if need be, as `query_published` is. A run that publishes
        meanwhile does not change what it sees.

    Raises
    ------
    QueryError
        When nothing is published yet, or the file cannot be read.
    """
    if not published.exists():
        raise QueryError(f"nothing is published at {published}; run `factor-pipeline run` first")
    with ExitStack() as stack:
        try:
            opened = connect(published, read_only=True, config=_LOCKED_DOWN)
            connection = stack.enter_context(opened)
        except DataError as error:
            raise QueryError(str(error)) from error
        yield Answer(connection)


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows of queries on one open file; see `query_published`."""

    connection: duckdb.DuckDBPyConnection

    def __call__(
        self, query: str, *, timeout_seconds: float = 120, max_rows: int = 20_000_000
    ) -> pl.DataFrame:
        """Rows of ``query``; errors and limits are those of `query_published`."""
        with self._bounded(timeout_seconds):
            _refuse_other_statements(self.connection, query)
            relation = self.connection.sql(_without_its_end(query))
            frame: pl.DataFrame = relation.limit(max_rows + 1).pl()
        if frame.height > max_rows:
            raise QueryError(f"the query gives more than {max_rows} rows; add a LIMIT or aggregate")
        return _with_plain_numbers(frame)

    def keep(self, name: str, query: str, *, timeout_seconds: float = 120) -> None:
        """Keep the rows of ``query`` in memory as table ``name``, which later queries can read.

        Errors and the limit of time are those of `query_published`.
        """
        with self._bounded(timeout_seconds):
            _refuse_other_statements(self.connection, query)
            self.connection.execute(f'create temp table "{name}" as {_without_its_end(query)}')

    @contextmanager
    def _bounded(self, timeout_seconds: float) -> Iterator[None]:
        """Stop what runs in the block after that time; tell errors in the words of users."""
        try:
            with _interrupted_after(self.connection, timeout_seconds):
                yield
        except duckdb.InterruptException as error:
            raise QueryError(
                f"the query ran longer than {timeout_seconds:g} s; ask for fewer months or columns"
            ) from error
        except duckdb.PermissionException as error:
            raise QueryError(
                f"only published tables can be queried, no other file: {error}"
            ) from error
        except duckdb.CatalogException as error:
            raise UnknownTableError(f"{error}\n`show all tables` lists what there is") from error
        except duckdb.Error as error:
            raise QueryError(str(error)) from error
        except pl.exceptions.PolarsError as error:
            raise QueryError(
                f"a column has a type that cannot be shown; cast it to varchar ({error})"
            ) from error


def _refuse_other_statements(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    statements = connection.extract_statements(query)
    if len(statements) != 1:
        raise QueryError(f"one SELECT is expected, got {len(statements)} statements")
    if statements[0].type not in _ANSWERED:
        raise QueryError(
            f"only SELECT is answered, not {statements[0].type.name}: the published file is "
            "read-only and made anew by each run"
        )


def _without_its_end(query: str) -> str:
    """Return a statement without semicolon and comments after it, which a limit cannot follow."""
    text = query.encode()
    for offset, kind in reversed(duckdb.tokenize(query)):
        if kind != duckdb.token_type.comment and text[offset : offset + 1] != b";":
            break
        text = text[:offset]
    return text.decode()


@contextmanager
def _interrupted_after(connection: duckdb.DuckDBPyConnection, seconds: float) -> Iterator[None]:
    """Stop what the connection does in the block once ``seconds`` have passed."""
    done = threading.Event()

    def watch() -> None:
        pause = seconds
        # An interrupt between two statements is lost, so it is repeated.
        while not done.wait(pause):
            connection.interrupt()
            pause = _INTERRUPT_AGAIN_SECONDS

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _with_plain_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(
        pl.col(name).cast(pl.Int128 if dtype.scale == 0 else pl.Float64)
        for name, dtype in frame.schema.items()
        if isinstance(dtype, pl.Decimal)
    )
