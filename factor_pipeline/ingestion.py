"""From a provider's files to raw rows: fetch, hash, keep, parse what is new, log, quarantine."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from factor_pipeline.changes import first_changed_day
from factor_pipeline.errors import BadFileError, DataError, SettingsError
from factor_pipeline.outages import as_refusal, reason_of
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Offer, Parsed, Source
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.warehouse.store import Change, Warehouse


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
class _Fetched:
    """One changed file: its log row, its rows if it could be read, and what was rejected."""

    log: dict[str, object]
    sha256: str
    frame: pl.DataFrame | None
    rejected: pl.DataFrame

    @property
    def file(self) -> str:
        return str(self.log["file"])


@dataclass(frozen=True, slots=True)
class _Known:
    """What the log and the quarantine say about the files of a data set so far."""

    log: dict[str, dict[str, object]]
    rejected: set[tuple[str, str]]

    def has_rows_of(self, source: Source) -> bool:
        """Whether this source has filled the data set before."""
        return any(row["source"] == source.name and row["rows"] for row in self.log.values())

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
        return digest == before["sha256"]


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Turns the files of a data set into rows and log entries, counting in the report."""

    source: Source
    store: RawStore
    known: _Known
    report: IngestReport
    now: datetime

    def changed(self, file: str, offer: Offer, content: bytes) -> _Fetched | None:
        """Keep the bytes of a file and parse them; null when they were read before."""
        self.report.offered += 1
        digest = sha256(content)
        self.store.put(content, digest)
        if self.known.has_seen(file, self.source, digest):
            self.report.unchanged += 1
            if self.known.log[file]["status"] != "parsed":
                self.report.quarantined.append(file)
            return None
        frame, rejected, vintage = _parse(self.source, offer, content)
        self.report.rejected += rejected.height
        if frame is None:
            self.report.quarantined.append(file)
        else:
            self.report.parsed += 1
            self.report.rows += frame.height
        before = self._before(file)
        if frame is None and before and before["status"] != "quarantined":
            # Its rows stay, so the log keeps describing the bytes they stem from.
            log = {**before, "status": "stale", "parser_version": self.source.version}
            return _Fetched(log, digest, None, rejected)
        log = {
            "data_set": self.report.data_set,
            "source": self.source.name,
            "file": file,
            "sha256": digest,
            "bytes": len(content),
            "rows": 0 if frame is None else frame.height,
            "rejected": rejected.height,
            "vintage": vintage,
            "parser_version": self.source.version,
            "status": "quarantined" if frame is None else "parsed",
            "ingested_at": self.now.replace(tzinfo=None),
        }
        if before and before["sha256"] == digest:
            log["ingested_at"] = before["ingested_at"]
        return _Fetched(log, digest, frame, rejected)

    def _before(self, file: str) -> dict[str, object] | None:
        """Log entry of the file, if it stems from this source."""
        before = self.known.log.get(file)
        return before if before and before["source"] == self.source.name else None


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Brings raw tables up to date with what sources offer.

    Attributes
    ----------
    warehouse, store
        Where rows and bytes are kept.
    max_bad_share
        Largest share of bad files of a data set that a run puts up with.
    now
        Time written to the log, UTC.
    """

    warehouse: Warehouse
    store: RawStore
    max_bad_share: float
    now: datetime

    def run(self, data_set: str, source: Source | None, exclude: Sequence[str]) -> IngestReport:
        """Bring the raw rows of ``data_set`` up to date, in one transaction.

        A file whose bytes and parser are those of the last time is not parsed again. A file that
        turned bad keeps its last good rows and is logged as stale; one that is no longer offered
        keeps its rows and is reported as missing. Files that are excluded, or stem from another
        source than now, leave with their rows; ``source`` null empties the data set.

        When the source cannot be listed or read, or more than ``max_bad_share`` of its files are
        bad, nothing of it is taken: a data set that it has filled before stays as it was, whole,
        and the report tells of the outage.

        Raises
        ------
        SettingsError
            When the source offers nothing and has never filled the data set.
        DataError
            When it offers too many bad files, or ones that cannot be read, and never has.
        """
        report = IngestReport(data_set)
        known = self._known(data_set)
        excluded = {f"{data_set}/{name}" for name in exclude}
        offered: set[str] = set()
        fetched: list[_Fetched] = []
        if source:
            fetch = _Fetch(source, self.store, known, report, self.now)
            try:
                for offer in source.files():
                    file = f"{data_set}/{offer.name}"
                    if file in excluded:
                        continue
                    offered.add(file)
                    if changed := fetch.changed(file, offer, offer.read()):
                        fetched.append(changed)
                _refuse_too_many_bad(report, self.max_bad_share)
            except (DataError, SettingsError, OSError) as error:
                if not known.has_rows_of(source):
                    raise as_refusal(error, data_set) from error
                report.outage = reason_of(error, report.quarantined, report.offered)
                report.advice = str(error)
                fetched.clear()
        leaving = [
            file
            for file, row in known.log.items()
            if file in excluded or source is None or row["source"] != source.name
        ]
        report.missing = sorted(set(known.log) - offered - set(leaving))
        if fetched or leaving:
            self._write(fetched, leaving, report)
        return report

    def _known(self, data_set: str) -> _Known:
        log = self.warehouse.read(
            "select * from raw.ingest_log where data_set = $data_set order by file",
            data_set=data_set,
        )
        rejected = self.warehouse.read(
            "select distinct file, sha256 from quality.quarantine where data_set = $data_set",
            data_set=data_set,
        )
        return _Known({row["file"]: row for row in log.to_dicts()}, set(rejected.rows()))

    def _write(
        self, fetched: Sequence[_Fetched], leaving: Sequence[str], report: IngestReport
    ) -> None:
        """Swap raw rows, log and quarantine of the changed files in one transaction."""
        table = DATA_SETS[report.data_set]
        good = [(f.file, f.frame) for f in fetched if f.frame is not None]
        frames = [frame.with_columns(file=pl.lit(file)) for file, frame in good]
        rows = pl.concat(frames) if frames else table.empty()
        rows = rows.sort(*table.key, "file", maintain_order=True)
        swapped = [*(file for file, _ in good), *leaving]
        touched = [*(f.file for f in fetched), *leaving]
        report.changed_from = first_changed_day(self.warehouse, report.data_set, rows, swapped)
        log = pl.DataFrame([f.log for f in fetched], schema=INGEST_LOG.polars_schema)
        # What was rejected of the rows that stay, stays with them.
        kept = [str(f.log["sha256"]) for f in fetched if f.log["sha256"] != f.sha256]
        changes = [
            Change.of_files(table, rows, swapped),
            Change(
                QUARANTINE,
                _quarantine_rows(fetched),
                "list_contains($files, file) and not list_contains($kept, sha256)",
                {"files": touched, "kept": kept},
            ),
            Change.of_files(INGEST_LOG, log, touched),
        ]
        if report.changed_from:
            changes.append(self._pending(report.data_set, report.changed_from))
        self.warehouse.write(changes)

    def _pending(self, data_set: str, changed_from: date) -> Change:
        """Remember the earliest change that no build has covered yet."""
        known = self.warehouse.table(PENDING).filter(pl.col("data_set") == data_set)
        earliest = min([changed_from, *known["changed_from"].to_list()])
        row = pl.DataFrame([{"data_set": data_set, "changed_from": earliest}])
        return Change(PENDING, row, "data_set = $data_set", {"data_set": data_set})


def data_version(log: pl.DataFrame) -> str:
    """Hash over the files behind raw rows: equal hashes, equal rows."""
    behind = log.filter(pl.col("rows") > 0).sort("file")
    parts = behind.select("file", "source", "sha256", "parser_version").rows()
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _quarantine_rows(fetched: Sequence[_Fetched]) -> pl.DataFrame:
    rows = [
        f.rejected.with_columns(
            data_set=pl.lit(str(f.log["data_set"])),
            file=pl.lit(f.file),
            sha256=pl.lit(f.sha256),
        )
        for f in fetched
    ]
    return pl.concat(rows, how="diagonal") if rows else QUARANTINE.empty()


def _parse(
    source: Source, offer: Offer, content: bytes
) -> tuple[pl.DataFrame | None, pl.DataFrame, str | None]:
    try:
        parsed: Parsed = source.parse(offer, content)
    except BadFileError as bad:
        row = {"row": bad.row, "rule": bad.rule, "reason": bad.reason, "value": bad.value}
        return None, pl.DataFrame([row], schema=REJECT_SCHEMA), offer.vintage
    return parsed.frame, parsed.rejected, parsed.vintage or offer.vintage


def _refuse_too_many_bad(report: IngestReport, max_bad_share: float) -> None:
    bad = len(report.quarantined)
    if bad and bad > max_bad_share * report.offered:
        raise DataError(
            f"{report.data_set}: {bad} of {report.offered} files are bad, more than "
            f"quality.max_bad_file_share = {max_bad_share:g} allows; the first is "
            f"{report.quarantined[0]}. Nothing was changed. Mend the files, list them under "
            f"{report.data_set}.exclude, or raise the share."
        )
