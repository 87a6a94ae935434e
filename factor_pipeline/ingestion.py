"""From a provider's files to raw rows: what is new in, its log, its quarantine, its versions."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from factor_pipeline.changes import first_changed_day
from factor_pipeline.errors import DataError, SettingsError
from factor_pipeline.fetching import JUDGED_ANEW, Fetch, Fetched, IngestReport, Known, rejected_of
from factor_pipeline.outages import as_refusal, reason_of
from factor_pipeline.replay import Replay, lost_versions
from factor_pipeline.schemas.provenance import arriving
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.schemas.raw_history import HISTORY
from factor_pipeline.snapshots import Snapshots, note_versions
from factor_pipeline.sources.manifest import Manifest
from factor_pipeline.sources.protocol import Source
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.warehouse.store import Change, Warehouse
from factor_pipeline.warehouse.versions import Restatement

# Before the first row of any data set.
_EVER = date(1900, 1, 1)


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
    fetched_at
        For files that were fetched before this ingestion: when, UTC.
    is_complete
        Whether what is offered is all there is, kept since it was taken: other files leave with
        their rows, and how many are bad or have lost rows is not judged again.
    max_lost_share
        Largest share of its rows that a new version of a file may lack; with more it is bad.
    """

    warehouse: Warehouse
    store: RawStore
    max_bad_share: float
    now: datetime
    fetched_at: Mapping[str, datetime] = field(default_factory=dict)
    is_complete: bool = False
    max_lost_share: float = 1.0

    def run(self, data_set: str, source: Source | None, exclude: Sequence[str]) -> IngestReport:
        """Bring the raw rows of ``data_set`` up to date, in one transaction.

        What the work file has lost of it is made again before, from kept bytes (see `Replay`).

        A file whose bytes and parser are those of the last time is not parsed again. With another
        version of the parser the kept bytes of all rows are, in a transaction before, whether or
        not they are offered: rows and log always tell of the same parser. A file that
        turned bad keeps its last good rows and is logged as stale; one that is no longer offered
        keeps its rows and is reported as missing, unless it is offered, and good, compressed or
        no longer compressed: then it leaves, as its rows are those of the other name. Files that
        are excluded, or stem from another source than now, leave with their rows; ``source`` null
        empties the data set.

        A file that cannot be read is a bad one. When the source cannot be listed, none of its
        files can be read, or more than ``max_bad_share`` of them are bad, nothing of it is taken:
        a data set that it has filled before keeps its rows, whole, the bad files are in
        quarantine, and the report tells of the outage, and of no missing file.

        Raises
        ------
        SettingsError
            When the source offers nothing and has never filled the data set.
        DataError
            When the clock is behind what is known by more than an hour; when the source offers
            too many bad files, or ones that cannot be read, and never has.
        """
        report = IngestReport(data_set)
        excluded = {f"{data_set}/{name}" for name in exclude}
        known = self._remembered(data_set, source)
        at = known.snapshots.time_after(self.now)
        fetch = self._fetch(known, report, at)
        if source and not self.is_complete and (again := list(fetch.again(source, excluded))):
            self._write(again, [], report, known, at)
            known = self._known(data_set)
            at = known.snapshots.time_after(self.now)
            fetch = self._fetch(known, report, at)
        fetched = self._fetched(fetch, source, excluded) if source else []
        leaving = [
            file
            for file, row in known.log.items()
            if file in excluded
            or source is None
            or row["source"] != source.name
            or (self.is_complete and not report.outage and file not in fetch.offered)
        ]
        # What is known of them are versions alone, whose bytes are not kept any more.
        leaving += set(known.snapshots.current) - set(known.log) - fetch.offered
        if not report.outage:
            leaving += fetch.replaced_names() - set(leaving)
            report.missing = sorted(set(known.log) - fetch.offered - set(leaving))
        if fetched or leaving:
            self._write(fetched, leaving, report, known, at)
        if not self.is_complete:
            note_versions(self.warehouse, Manifest.beside(self.store.folder, data_set), data_set)
        return report

    def _fetch(self, known: Known, report: IngestReport, at: datetime) -> Fetch:
        lost = 1.0 if self.is_complete else self.max_lost_share
        return Fetch(self.store, known, report, self.fetched_at, at, lost)

    def _remembered(self, data_set: str, source: Source | None) -> Known:
        """Return what is known so far, after making again what was lost of it.

        The work file may be lost, or put back from a backup, and its tables start over with a
        release that has others.
        """
        known = self._known(data_set)
        if self.is_complete:
            return known
        versions = lost_versions(self.warehouse, self.store, known, data_set)
        if not versions:
            return known
        # Months that were built are so from other rows.
        self.warehouse.write([self._pending(data_set, _EVER)])
        for changes in Replay(data_set, self.store, source, versions).transactions():
            self.warehouse.write(changes)
        return self._known(data_set)

    def _fetched(self, fetch: Fetch, source: Source, excluded: Collection[str]) -> list[Fetched]:
        """Return what is new of a source; in an outage what is bad alone."""
        report, fetched = fetch.report, []
        try:
            for one in fetch.files(source, excluded):
                fetched.append(one)  # noqa: PERF402 - what came before an error counts
            # What was taken once is taken as it is.
            if not self.is_complete:
                _refuse_too_many_bad(report, self.max_bad_share)
        except OSError as error:
            self._note_outage(report, error, known=fetch.known.has_rows_of(source))
            # Of files that could not be read it is not known whether they are bad.
            report.quarantined.clear()
            return []
        except (DataError, SettingsError) as error:
            self._note_outage(report, error, known=fetch.known.has_rows_of(source))
            # What is bad goes to quarantine all the same; nothing that is good enters.
            return [one for one in fetched if one.frame is None]
        return fetched

    def _note_outage(self, report: IngestReport, error: Exception, *, known: bool) -> None:
        if not known:
            raise as_refusal(error, report.data_set) from error
        report.outage = reason_of(error, report.quarantined, report.offered)
        report.advice = str(error)

    def _known(self, data_set: str) -> Known:
        log = self.warehouse.read(
            "select * from raw.ingest_log where data_set = $data_set order by file",
            data_set=data_set,
        )
        rejected = self.warehouse.read(
            "select distinct file, sha256 from quality.quarantine "
            "where data_set = $data_set and not list_contains($judged_anew, rule)",
            data_set=data_set,
            judged_anew=list(JUDGED_ANEW),
        )
        logged = {row["file"]: row for row in log.to_dicts()}
        return Known(logged, set(rejected.rows()), Snapshots.of(self.warehouse, data_set))

    def _write(
        self,
        fetched: Sequence[Fetched],
        leaving: Sequence[str],
        report: IngestReport,
        known: Known,
        at: datetime,
    ) -> None:
        """Swap raw rows, versions, log and quarantine of the changed files in one transaction."""
        table = DATA_SETS[report.data_set]
        good = [(f.file, f.frame) for f in fetched if f.frame is not None]
        frames = [frame.with_columns(file=pl.lit(file)) for file, frame in good]
        rows = pl.concat(frames) if frames else arriving(table).empty()
        rows = rows.sort(*table.key, "file", maintain_order=True)
        swapped = [*(file for file, _ in good), *leaving]
        touched = [*(f.file for f in fetched), *leaving]
        changed_from = first_changed_day(self.warehouse, report.data_set, rows, swapped)
        if changed_from:
            report.changed_from = min(changed_from, report.changed_from or changed_from)
        log = pl.DataFrame([f.log for f in fetched], schema=INGEST_LOG.polars_schema)
        # What was rejected of the rows that stay, stays with them.
        kept = [str(f.log["sha256"]) for f in fetched if f.log["sha256"] != f.sha256]
        changes: list[Change | Restatement] = [
            Restatement(
                report.data_set,
                table,
                None if known.is_simulated else HISTORY[table.qualified_name],
                rows,
                swapped,
                known_from={f.file: f.known_from for f in fetched if f.frame is not None},
                restated=known.snapshots.replaced(f.log for f in fetched if f.frame is not None),
                reread={f.file for f in fetched if known.snapshots.has_bytes_of(f.log)},
                at=at,
            ),
            known.snapshots.change(
                [f.log for f in fetched if f.frame is not None or f.log["status"] != "stale"],
                leaving,
                at,
            ),
            Change(
                QUARANTINE,
                _quarantine_rows(fetched),
                "list_contains($files, file) and not list_contains($kept, sha256)",
                {"files": touched, "kept": kept},
            ),
            Change.of_files(INGEST_LOG, log, touched),
        ]
        if changed_from:
            changes.append(self._pending(report.data_set, changed_from))
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


def _quarantine_rows(fetched: Sequence[Fetched]) -> pl.DataFrame:
    rows = [rejected_of(f.file, f.sha256, f.rejected) for f in fetched]
    return pl.concat(rows) if rows else QUARANTINE.empty()


def _refuse_too_many_bad(report: IngestReport, max_bad_share: float) -> None:
    bad = len(report.quarantined)
    if bad and bad > max_bad_share * report.offered:
        raise DataError(
            f"{report.data_set}: {bad} of {report.offered} files are bad, more than "
            f"quality.max_bad_file_share = {max_bad_share:g} allows; the first is "
            f"{report.quarantined[0]}. Nothing was changed. Mend the files, list them under "
            f"{report.data_set}.exclude, or raise the share."
        )
