"""Raw rows made again from kept bytes: every version of every file, in order of time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from factor_pipeline.fetching import Known, Read, read_with, rejected_of
from factor_pipeline.schemas.provenance import arriving
from factor_pipeline.schemas.quality import QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.schemas.raw_history import HISTORY, SNAPSHOT, VINTAGE_DIFF
from factor_pipeline.schemas.table import Table
from factor_pipeline.snapshots import note_versions
from factor_pipeline.sources.manifest import Manifest
from factor_pipeline.sources.protocol import Source, SourceFile
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.sources.registry import parser_of
from factor_pipeline.sources.simulated import Simulated
from factor_pipeline.warehouse.store import Change, Warehouse
from factor_pipeline.warehouse.versions import Restatement

Version = dict[str, Any]


def lost_versions(
    warehouse: Warehouse, store: RawStore, known: Known, data_set: str
) -> list[Version]:
    """Return all versions of a data set if the work file lacks some, or rows of some; else none.

    Versions whose bytes are not kept any more lack nothing that could be read again.
    """
    manifest = Manifest.beside(store.folder, data_set)
    if known.snapshots.are_before(manifest.until()):
        return manifest.versions()
    lacking = [
        row["sha256"]
        for file, row in known.snapshots.current.items()
        if row["source"] != Simulated.name and file not in known.log
    ]
    if not lacking and not known.log:
        history = HISTORY[DATA_SETS[data_set].qualified_name].qualified_name
        lacking = warehouse.read(
            "select sha256 from raw.snapshot where data_set = $data_set and rows > 0 "  # noqa: S608
            "and known_to > known_from and source <> $simulated and not exists "
            f"(select 1 from {history} where starts_with(file, $prefix))",
            data_set=data_set,
            simulated=Simulated.name,
            prefix=f"{data_set}/",
        )["sha256"].to_list()
    if not any(store.path_of(str(digest)).exists() for digest in lacking):
        return []
    note_versions(warehouse, manifest, data_set)
    return manifest.versions()


@dataclass(frozen=True, slots=True)
class Replay:
    """Brings a data set to what its versions say, current rows and withdrawn ones.

    The parsers are those of today. Versions of a simulated market, and those whose bytes are not
    kept any more, or are bad for the parser, have no rows; that of a file of today comes back
    with the file.

    Attributes
    ----------
    data_set
        The data set.
    store
        Bytes of all versions.
    source
        Its source of now; others are known by their names. Null when there is none.
    versions
        Rows of ``raw.snapshot``: all of the data set.
    """

    data_set: str
    store: RawStore
    source: Source | None
    versions: Sequence[Version]
    _logs: list[Version] = field(default_factory=list, init=False)
    _rejected: list[pl.DataFrame] = field(default_factory=list, init=False)

    def transactions(self) -> Iterator[list[Change | Restatement]]:
        """Give what to carry out, one transaction each; a step is read when it is asked for.

        The versions leave with the first and are back with the last: until then the manifest has
        more, and an ingestion after a crash begins anew. DuckDB does not find all rows that the
        same transaction has written, so that the steps cannot be one.
        """
        table = DATA_SETS[self.data_set]
        condition, prefix = "starts_with(file, $prefix)", {"prefix": f"{self.data_set}/"}
        with_files = (table, HISTORY[table.qualified_name])
        by_name = (VINTAGE_DIFF, SNAPSHOT, INGEST_LOG, QUARANTINE)
        yield [
            *(Change(emptied, emptied.empty(), condition, prefix) for emptied in with_files),
            *(self._of_data_set(emptied, emptied.empty()) for emptied in by_name),
        ]
        known = [row for row in self.versions if row["source"] != Simulated.name]
        times = {row[name] for row in known for name in ("known_from", "known_to")}
        for at in sorted(times - {None}):
            begun = {row["file"]: row for row in known if row["known_from"] == at}
            ended = {row["file"]: row for row in known if row["known_to"] == at}
            yield [self._step(at, begun, ended)]
        read_again = {log["file"]: log for log in self._logs}
        current = [
            row | {name: log[name] for name in ("rows", "parser_version")}
            if row["known_to"] is None and (log := read_again.get(row["file"]))
            else row
            for row in self.versions
        ]
        rejected = pl.concat(self._rejected) if self._rejected else QUARANTINE.empty()
        yield [
            self._of_data_set(SNAPSHOT, pl.DataFrame(current, schema=SNAPSHOT.polars_schema)),
            self._of_data_set(
                INGEST_LOG, pl.DataFrame(self._logs, schema=INGEST_LOG.polars_schema)
            ),
            self._of_data_set(QUARANTINE, rejected),
        ]

    def _of_data_set(self, table: Table, frame: pl.DataFrame) -> Change:
        return Change(table, frame, "data_set = $data_set", {"data_set": self.data_set})

    def _step(
        self, at: datetime, begun: dict[str, Version], ended: dict[str, Version]
    ) -> Restatement:
        """Rows of the versions that begin at a time, in place of those that end then."""
        table = DATA_SETS[self.data_set]
        frames = {}
        for file, row in begun.items():
            read = self._read(row)
            if read and read.frame is not None:
                frames[file] = read.frame.with_columns(file=pl.lit(file))
        rows = pl.concat(frames.values()) if frames else arriving(table).empty()
        restated = {
            file: before["known_from"]
            for file in frames
            if (before := ended.get(file))
            and before["source"] == begun[file]["source"]
            and before["sha256"] != begun[file]["sha256"]
        }
        return Restatement(
            self.data_set,
            table,
            HISTORY[table.qualified_name],
            rows.sort(*table.key, "file", maintain_order=True),
            [*frames, *(file for file in ended if file not in frames)],
            known_from=dict.fromkeys(frames, at),
            restated=restated,
            reread=(),
            at=at,
        )

    def _read(self, row: Version) -> Read | None:
        """Read a version; of a current one, say what the log says of it."""
        source = self._source(row["source"])
        path = self.store.path_of(row["sha256"])
        if source is None or not path.exists():
            return None
        offer = SourceFile(row["file"].partition("/")[2], path, row["vintage"])
        read = read_with(source, offer, offer.read())
        if row["known_to"] is None:
            self._logs.append(
                {
                    **{name: row[name] for name in INGEST_LOG.column_names if name in row},
                    "rows": 0 if read.frame is None else read.frame.height,
                    "rejected": read.rejected.height,
                    "vintage": read.vintage,
                    "parser_version": source.version,
                    "status": "quarantined" if read.frame is None else "parsed",
                    "ingested_at": row["known_from"],
                }
            )
            self._rejected.append(rejected_of(row["file"], row["sha256"], read.rejected))
        return read

    def _source(self, name: str) -> Source | None:
        if self.source and self.source.name == name:
            return self.source
        return parser_of(self.data_set, name)
