"""From a provider's files to raw rows: fetch, hash, keep, parse what is new, log, quarantine."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from factor_pipeline.errors import BadFileError, DataError
from factor_pipeline.schemas.quality import PENDING, QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Offer, Parsed, Source
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.warehouse.store import Change, Warehouse

# The column that says which month a raw row first matters in.
_DAY_OF: dict[str, str] = {
    # Share counts of earlier months are restated through all splits up to the vendor's basis.
    "prices": (
        "case when split <> 1 and date <= (select max(shares_basis_date) from raw.fundamental) "
        "then date '1900-01-01' else date end"
    ),
    "fundamentals": "coalesce(filed_at, period_end)",
    "library": "date",
    "membership": "start_date",
    "benchmark": "date",
    "etf": "date",
    "macro": "date",
    "listing": "coalesce(valid_from, date '1900-01-01')",
    "delisting": "date",
}


@dataclass(slots=True)
class IngestReport:
    """What one ingestion of one data set did."""

    data_set: str
    offered: int = 0
    unchanged: int = 0
    parsed: int = 0
    rows: int = 0
    rejected: int = 0
    quarantined: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    changed_from: date | None = None


@dataclass(frozen=True, slots=True)
class _Fetched:
    """One changed file: its log row, its rows if it could be read, and what was rejected."""

    log: dict[str, object]
    frame: pl.DataFrame | None
    rejected: pl.DataFrame

    @property
    def file(self) -> str:
        return str(self.log["file"])


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
        """Bring the raw rows of ``data_set`` up to date.

        An unchanged file is not parsed again. A file that turned bad keeps its last good rows
        and is logged as stale; one that is no longer offered keeps its rows and is reported as
        missing. Files that are excluded, or stem from another source than now, leave with
        their rows; ``source`` null empties the data set.

        Raises
        ------
        DataError
            When more than ``max_bad_share`` of the files are bad; nothing is written then.
        """
        report = IngestReport(data_set)
        logged = {row["file"]: row for row in self._log(data_set).iter_rows(named=True)}
        excluded = {f"{data_set}/{name}" for name in exclude}
        fetched: list[_Fetched] = []
        offered: set[str] = set()
        if source:
            for offer in source.files():
                file = f"{data_set}/{offer.name}"
                if file in excluded:
                    continue
                offered.add(file)
                content = offer.read()
                if _is_unchanged(logged.get(file), source, content, report):
                    continue
                fetched.append(self._fetch(source, offer, content, logged.get(file), report))
        _refuse_too_many_bad(report, self.max_bad_share)
        leaving = [
            file
            for file, row in logged.items()
            if file in excluded or source is None or row["source"] != source.name
        ]
        report.missing = sorted(set(logged) - offered - set(leaving))
        if fetched or leaving:
            self._write(fetched, leaving, report)
        return report

    def _log(self, data_set: str) -> pl.DataFrame:
        return self.warehouse.read(
            "select * from raw.ingest_log where data_set = $data_set order by file",
            data_set=data_set,
        )

    def _fetch(
        self,
        source: Source,
        offer: Offer,
        content: bytes,
        before: dict[str, object] | None,
        report: IngestReport,
    ) -> _Fetched:
        """Keep the bytes of a changed file and parse them."""
        file = f"{report.data_set}/{offer.name}"
        digest = sha256(content)
        self.store.put(content, digest)
        frame, rejected, vintage = _parse(source, offer, content)
        if frame is None:
            report.quarantined.append(file)
            kept = before is not None and before["status"] != "quarantined"
            status = "stale" if kept else "quarantined"
        else:
            status = "parsed"
            report.parsed += 1
            report.rows += frame.height
        report.rejected += rejected.height
        log = {
            "data_set": report.data_set,
            "source": source.name,
            "file": file,
            "sha256": digest,
            "bytes": len(content),
            "rows": 0 if frame is None else frame.height,
            "rejected": rejected.height,
            "vintage": vintage,
            "parser_version": source.version,
            "status": status,
            "ingested_at": self.now.replace(tzinfo=None),
        }
        return _Fetched(log, frame, rejected)

    def _write(
        self, fetched: Sequence[_Fetched], leaving: Sequence[str], report: IngestReport
    ) -> None:
        """Swap raw rows, log and quarantine of the changed files in one transaction."""
        table = DATA_SETS[report.data_set]
        good = [(f.file, f.frame) for f in fetched if f.frame is not None]
        frames = [frame.with_columns(file=pl.lit(file)) for file, frame in good]
        rows = pl.concat(frames) if frames else table.empty()
        swapped = [*(file for file, _ in good), *leaving]
        touched = [*(f.file for f in fetched), *leaving]
        day = _DAY_OF[report.data_set]
        report.changed_from = self.warehouse.first_change(table, rows, swapped, day=day)
        log = pl.DataFrame([f.log for f in fetched], schema=INGEST_LOG.polars_schema)
        changes = [
            Change.of_files(table, rows, swapped),
            Change.of_files(QUARANTINE, _quarantine_rows(fetched), touched),
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
    parts = log.sort("file").select("file", "sha256", "parser_version", "status").rows()
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


def _is_unchanged(
    before: dict[str, object] | None, source: Source, content: bytes, report: IngestReport
) -> bool:
    """Whether bytes, source and parser are those of the log; counts the file as offered."""
    report.offered += 1
    if before is None or before["source"] != source.name:
        return False
    if (before["sha256"], before["parser_version"]) != (sha256(content), source.version):
        return False
    report.unchanged += 1
    if before["status"] != "parsed":
        report.quarantined.append(str(before["file"]))
    return True


def _quarantine_rows(fetched: Sequence[_Fetched]) -> pl.DataFrame:
    rows = [
        f.rejected.with_columns(
            data_set=pl.lit(str(f.log["data_set"])),
            file=pl.lit(f.file),
            sha256=pl.lit(str(f.log["sha256"])),
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
