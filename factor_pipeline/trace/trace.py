"""The trace of a row: the row, the build that made it, what it is made of, the files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from factor_pipeline.builds import settings_json
from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.quality import BUILD
from factor_pipeline.schemas.raw import INGEST_LOG
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.trace import follow
from factor_pipeline.trace.graph import Node, node_of
from factor_pipeline.trace.key import found_row, parsed_key, table_named
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.query import Answer, snapshot

_LIBRARY_VINTAGE: Final = "library_vintage"
_LONGEST_LAG: Final = "longest_lag"


@dataclass(frozen=True, slots=True)
class File:
    """A file that rows were read from, and what became of its bytes.

    ``rows`` counts the rows of the trace, by raw table. ``log`` is its row of ``raw.ingest_log``;
    empty when it is not there any more. ``path`` is where its bytes are kept.
    """

    name: str
    rows: Mapping[str, int]
    log: Mapping[str, object]
    path: Path | None

    @property
    def is_kept(self) -> bool:
        """Whether there are bytes where they should be."""
        return self.path is not None and self.path.is_file()

    @property
    def is_verified(self) -> bool:
        """Whether the bytes that are kept have the logged SHA-256."""
        if self.path is None or not self.path.is_file():
            return False
        return sha256(self.path.read_bytes()) == self.log["sha256"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A published row and all that it is made of.

    Attributes
    ----------
    table, row, columns
        The row, and which of its columns are traced.
    build
        Row of ``quality.build`` of the build that made it, settings parsed; null for raw rows.
    path
        Rows of other tables it is made of.
    files
        Files these were read from, by name.
    """

    table: Table
    row: Mapping[str, object]
    columns: Sequence[str]
    build: Mapping[str, object] | None
    path: follow.Path
    files: Sequence[File]

    @property
    def key(self) -> dict[str, object]:
        """Values that tell the row from others of its table."""
        return {column: self.row[column] for column in self.table.key}


def trace(
    published: Path, table_name: str, words: Sequence[str], columns: Sequence[str], raw: Path
) -> Trace:
    """Trace a row of the published file.

    Parameters
    ----------
    published
        The published file.
    table_name, words
        Table as ``schema.table``, and the key of the row as ``column=value``.
    columns
        Columns that are traced; all when empty.
    raw
        Folder of the fetched bytes.

    Raises
    ------
    SettingsError
        When the table or a column is unknown, or the key is wrong or fits several rows.
    QueryError
        When nothing is published, or no row has the key.
    """
    table = table_named(table_name)
    key = parsed_key(table, words)
    unknown = [column for column in columns if column not in table.column_names]
    if unknown:
        raise SettingsError(
            f'{table_name} has no column "{unknown[0]}"; '
            f"its columns are {', '.join(table.column_names)}"
        )
    with snapshot(published) as answer:
        row = found_row(answer, table, key)
        node = node_of(table, row)
        build = _build(answer, node, row)
        traced = tuple(columns) or table.column_names
        own_key = {column: row[column] for column in table.key}
        settings = _SettingsThen(build or {}, answer)
        path = follow.follow(answer, node, own_key, traced, settings)
        files = _files(answer, path, RawStore(raw))
    return Trace(table, row, traced, build, path, files)


@dataclass(frozen=True, slots=True)
class _SettingsThen:
    """Settings by name as a build had them; those it did not know have today's default."""

    build: Mapping[str, object]
    answer: Answer

    def __call__(self, name: str) -> object:
        if name == _LIBRARY_VINTAGE:
            return self._library_vintage()
        if name == _LONGEST_LAG:
            return self._longest_lag()
        then = _value(self.build.get("settings"), name)
        return _value(default_settings(), name) if then is None else then

    def _library_vintage(self) -> object:
        """Vintage that was in use, by the rule of the build."""
        named = self("library.vintage")
        if named != "latest":
            return named
        newest = self.answer(load_sql("factor/library_vintage"))["vintage"].to_list()
        return newest[0] if newest else named

    def _longest_lag(self) -> int:
        """Age in months of the oldest signals a strategy may use."""
        lags = [0]
        for section in ("strategies", "sweeps"):
            declared = _value(self.build.get("settings"), section)
            for one in declared if isinstance(declared, list) else ():
                lag = one.get("lag_months") or 0
                lags += lag if isinstance(lag, list) else [lag]
        return max(lags)


def default_settings() -> dict[str, object]:
    """Give the settings that numbers depend on, where no settings file says otherwise."""
    defaults: dict[str, object] = json.loads(settings_json(Settings()))
    return defaults


def _value(settings: object, name: str) -> object:
    for part in name.split("."):
        settings = settings.get(part) if isinstance(settings, dict) else None
    return settings


def _build(answer: Answer, node: Node, row: Mapping[str, object]) -> dict[str, object] | None:
    """Build that made the row: the last one of its month, else the last one."""
    if node.asset is None:
        return None
    builds = answer(f"select * from {BUILD.qualified_name} order by build desc")  # noqa: S608
    month = row.get("month_end") if node.asset.monthly else None
    for build in builds.iter_rows(named=True):
        if not isinstance(month, date) or build["month_start"] <= month <= build["month_end"]:
            return {**build, "settings": json.loads(build["settings"])}
    return None


def _files(answer: Answer, path: follow.Path, store: RawStore) -> tuple[File, ...]:
    log = answer(f"select * from {INGEST_LOG.qualified_name}")  # noqa: S608
    logged = {row["file"]: row for row in log.iter_rows(named=True)}
    rows: dict[str, dict[str, int]] = {}
    for step in path.steps:
        for name, behind in step.files.items():
            rows.setdefault(name, {})[step.node.name] = behind.span.rows
    return tuple(
        File(
            name,
            rows[name],
            logged.get(name, {}),
            store.path_of(logged[name]["sha256"]) if name in logged else None,
        )
        for name in sorted(rows)
    )
