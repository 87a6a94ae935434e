"""One file of a provider: fetch, hash, keep the bytes, parse them when they are new."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, cast

import polars as pl

from factor_pipeline.errors import BadFileError
from factor_pipeline.schemas.quality import QUARANTINE
from factor_pipeline.snapshots import Snapshots
from factor_pipeline.sources.csv_folder import stem
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Offer, Parsed, Source, SourceFile
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.sources.simulated import Simulated

LOST_ROWS = "lost_rows"
"""Rule that a version of a file breaks when it lacks most rows of the one before."""
UNREADABLE = "unreadable_file"
"""Rule that a file breaks which the system does not let us read: a folder, say."""
JUDGED_ANEW = (LOST_ROWS, UNREADABLE)
"""Rules that are not about the bytes alone: the same bytes may keep them another time."""


@dataclass(slots=True)
class IngestReport:
    """What one ingestion of one data set did.

    ``rows`` and ``rejected`` count what was parsed this time; ``changed_from`` is the first day
    whose numbers may differ from before, null when nothing changed. ``outage`` says why nothing
    new was taken from the source, ``advice`` what to do about it; both are empty when it
    delivered.
    """

    data_set: str
    offered: int = 0
    unchanged: int = 0
    parsed: int = 0
    rows: int = 0
    rejected: int = 0
    quarantined: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changed_from: date | None = None
    outage: str = ""
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Fetched:
    """One changed file: its log row, its rows if it could be read, and what was rejected."""

    log: dict[str, object]
    sha256: str
    frame: pl.DataFrame | None
    rejected: pl.DataFrame

    @property
    def file(self) -> str:
        """Data set and name."""
        return str(self.log["file"])

    @property
    def known_from(self) -> datetime:
        """When its bytes were first fetched, UTC."""
        return cast("datetime", self.log["ingested_at"])


@dataclass(frozen=True, slots=True)
class Known:
    """What log, quarantine and snapshots say about the files of a data set so far."""

    log: dict[str, dict[str, object]]
    rejected: set[tuple[str, str]]
    snapshots: Snapshots

    @property
    def is_simulated(self) -> bool:
        """Whether the rows so far are of a simulated market: another one is no restatement."""
        return any(row["source"] == Simulated.name for row in self.log.values())

    def has_rows_of(self, source: Source) -> bool:
        """Whether this source has filled the data set before."""
        return any(row["source"] == source.name and row["rows"] for row in self.log.values())

    def renamed(self, offered: Collection[str], source: Source) -> dict[str, str]:
        """Offered files with the name so far of those that were compressed, or not, until now."""
        stems = {stem(file): file for file in offered}
        return {
            stems[stem(file)]: file
            for file, row in self.log.items()
            if file not in offered and row["source"] == source.name and stem(file) in stems
        }

    def has_seen(self, file: str, source: Source, digest: str) -> bool:
        """Whether this parser of this source has read just these bytes the last time."""
        before = self.log.get(file)
        if before is None:
            return False
        if (before["source"], before["parser_version"]) != (source.name, source.version):
            return False
        if before["status"] == "stale":
            # The log has the hash of the good bytes, the quarantine that of the bad ones.
            return digest != before["sha256"] and (file, digest) in self.rejected
        is_same = digest == before["sha256"]
        return is_same and (before["status"] == "parsed" or (file, digest) in self.rejected)


class Read(NamedTuple):
    """What a parser made of the bytes of a file; no frame where they are bad."""

    frame: pl.DataFrame | None
    rejected: pl.DataFrame
    vintage: str | None


@dataclass(frozen=True, slots=True)
class Fetch:
    """Turns the files of a data set into rows and log entries, counting in the report.

    ``offered`` has the files of the source that are not excluded, ``renamed`` the names so far of
    those that come under another one (see `Known.renamed`).
    """

    store: RawStore
    known: Known
    report: IngestReport
    fetched_at: Mapping[str, datetime]
    at: datetime
    max_lost_share: float
    offered: set[str] = field(default_factory=set)
    renamed: dict[str, str] = field(default_factory=dict)

    def files(self, source: Source, excluded: Collection[str]) -> Iterator[Fetched]:
        """Read the files of a source; give those that are new or changed.

        Raises
        ------
        OSError
            After the last file, when none could be read.
        """
        offers = {f"{self.report.data_set}/{offer.name}": offer for offer in source.files()}
        self.offered.update(set(offers).difference(excluded))
        self.renamed.update(self.known.renamed(self.offered, source))
        unread: list[OSError] = []
        for file, offer in offers.items():
            if file not in self.offered:
                continue
            self.report.offered += 1
            try:
                content = offer.read()
            except OSError as error:
                unread.append(error)
                yield self._unread(file, source, offer, error)
                continue
            if changed := self._changed(file, source, offer, content):
                yield changed
        if unread and len(unread) == self.report.offered:
            raise unread[0]

    def again(self, source: Source, excluded: Collection[str]) -> Iterator[Fetched]:
        """Parse the kept bytes of all rows that another version of the parser has read.

        What the parser of now refuses stays as it was read. The market of a simulation is in its
        parameters, which the settings give.
        """
        for file, before in self.known.log.items():
            path = self.store.path_of(str(before["sha256"]))
            is_read = before["parser_version"] == source.version or not before["rows"]
            if is_read or file in excluded or before["source"] != source.name:
                continue
            if source.name == Simulated.name or not path.exists():
                continue
            offer = SourceFile(file.partition("/")[2], path, cast("str | None", before["vintage"]))
            read = read_with(source, offer, offer.read())
            if read.frame is None or self._lost_rows(file, source, read.frame):
                continue
            self.report.parsed += 1
            self.report.rows += read.frame.height
            log = {
                **before,
                "rows": read.frame.height,
                "rejected": read.rejected.height,
                "vintage": read.vintage,
                "parser_version": source.version,
            }
            yield Fetched(log, str(before["sha256"]), read.frame, read.rejected)

    def replaced_names(self) -> set[str]:
        """Names of files that have come, and are good, under another one."""
        return {old for new, old in self.renamed.items() if new not in self.report.quarantined}

    def _unread(self, file: str, source: Source, offer: Offer, error: OSError) -> Fetched:
        """Call a file bad of which there are no bytes."""
        self.store.put(b"", sha256(b""))
        read = Read(None, _rejected(_unreadable(error)), offer.vintage)
        return self._entered(file, source, b"", read)

    def _changed(self, file: str, source: Source, offer: Offer, content: bytes) -> Fetched | None:
        """Keep the bytes of a file and parse them; null when they were read before."""
        digest = sha256(content)
        self.store.put(content, digest)
        if self.known.has_seen(file, source, digest):
            self.report.unchanged += 1
            if self.known.log[file]["status"] != "parsed":
                self.report.quarantined.append(file)
            return None
        frame, rejected, vintage = read_with(source, offer, content)
        if frame is not None and (lost := self._lost_rows(file, source, frame)):
            frame, rejected = None, _rejected(lost)
        return self._entered(file, source, content, Read(frame, rejected, vintage))

    def _entered(self, file: str, source: Source, content: bytes, read: Read) -> Fetched:
        """Count a file that is new or changed, and say what the log says of it from now on."""
        digest, (frame, rejected, vintage) = sha256(content), read
        self.report.rejected += rejected.height
        if frame is None:
            self.report.quarantined.append(file)
        else:
            self.report.parsed += 1
            self.report.rows += frame.height
        before = self._before(file, source)
        if frame is None and before and before["status"] != "quarantined":
            # Its rows stay, so the log keeps describing the bytes they stem from.
            log = {**before, "status": "stale"}
            return Fetched(log, digest, None, rejected)
        log = {
            "data_set": self.report.data_set,
            "source": source.name,
            "file": file,
            "sha256": digest,
            "bytes": len(content),
            "rows": 0 if frame is None else frame.height,
            "rejected": rejected.height,
            "vintage": vintage,
            "parser_version": source.version,
            "status": "quarantined" if frame is None else "parsed",
            "ingested_at": self.fetched_at.get(file, self.at),
        }
        if self.known.snapshots.has_bytes_of(log):
            log["ingested_at"] = self.known.snapshots.current[file]["known_from"]
        return Fetched(log, digest, frame, rejected)

    def _lost_rows(self, file: str, source: Source, frame: pl.DataFrame) -> BadFileError | None:
        """Say that a version lacks most rows of the one before; null where it does not.

        A vendor's short answer (the newest hundred days, say) is a good file, and would delete the
        history of a stock. Another simulated market has other rows by right.
        """
        names = (file, self.renamed.get(file, file))
        before = [row for name in names if (row := self._before(name, source))]
        if not before or source.name == Simulated.name:
            return None
        rows = max(cast("int", row["rows"]) for row in before)
        if frame.height >= (1 - self.max_lost_share) * rows:
            return None
        return BadFileError(
            LOST_ROWS,
            f"the file has {frame.height} rows where it had {rows}, and these stay; fetch it "
            "whole, or raise quality.max_lost_share if the others are gone for good",
        )

    def _before(self, file: str, source: Source) -> dict[str, object] | None:
        """Log entry of the file, if it stems from this source."""
        before = self.known.log.get(file)
        return before if before and before["source"] == source.name else None


def read_with(source: Source, offer: Offer, content: bytes) -> Read:
    """Turn the bytes of a file into rows; those that no parser takes into a reason."""
    try:
        parsed: Parsed = source.parse(offer, content)
    except BadFileError as bad:
        return Read(None, _rejected(bad), offer.vintage)
    return Read(parsed.frame, parsed.rejected, parsed.vintage or offer.vintage)


def rejected_of(file: str, digest: str, rejected: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``quality.quarantine`` for what was rejected of a file with these bytes."""
    columns = {"data_set": file.partition("/")[0], "file": file, "sha256": digest}
    named = rejected.with_columns(pl.lit(text).alias(name) for name, text in columns.items())
    return named.select(QUARANTINE.column_names)


def _unreadable(error: OSError) -> BadFileError:
    """Say so without the path, as the quarantine is published."""
    return BadFileError(
        UNREADABLE,
        f"the file cannot be read ({error.strerror}); mend its permissions, or take it away",
    )


def _rejected(bad: BadFileError) -> pl.DataFrame:
    """Return the one row that a bad file has in quarantine."""
    row = {"row": bad.row, "rule": bad.rule, "reason": bad.reason, "value": bad.value}
    return pl.DataFrame([row], schema=REJECT_SCHEMA)
