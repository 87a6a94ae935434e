"""Versions of the files of a data set: which is current, and since when its bytes are known."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self, cast

import polars as pl

from factor_pipeline.errors import DataError
from factor_pipeline.schemas.raw_history import SNAPSHOT
from factor_pipeline.sources.manifest import Manifest
from factor_pipeline.warehouse.store import Change, Warehouse

# Clocks that are set by the network differ by less, and so do two runs in a row.
_MAX_BEHIND = timedelta(hours=1)
_TICK = timedelta(microseconds=1)
_LOGGED = tuple(name for name in SNAPSHOT.column_names if not name.startswith("known_"))


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What is known of the files of a data set so far.

    Attributes
    ----------
    current
        Rows of ``raw.snapshot`` without an end, by file.
    latest
        When a version last began or ended, UTC; null before the first.
    """

    current: Mapping[str, Mapping[str, object]]
    latest: datetime | None

    @classmethod
    def of(cls, warehouse: Warehouse, data_set: str) -> Self:
        """Read it from the work file."""
        rows = warehouse.read(
            "select * from raw.snapshot where data_set = $data_set order by file, known_from",
            data_set=data_set,
        )
        current = rows.filter(pl.col("known_to").is_null()).to_dicts()
        latest = rows.select(pl.max_horizontal("known_from", "known_to").max()).item()
        return cls({str(row["file"]): row for row in current}, latest)

    def time_after(self, now: datetime) -> datetime:
        """Time (UTC, naive) of what is fetched now: after all before, though the clock is behind.

        What is known can be told for any time only if no version ends before it begins.

        Raises
        ------
        DataError
            When the clock is, or was, wrong by more than an hour.
        """
        naive = now.replace(tzinfo=None)
        if self.latest and self.latest - naive > _MAX_BEHIND:
            raise DataError(
                f"files were fetched at {self.latest:%Y-%m-%d %H:%M} UTC, and by the clock it is "
                f"{naive:%Y-%m-%d %H:%M} UTC now; set the clock right or, if it was ahead then, "
                "move warehouse.duckdb and raw/manifest/ away: what was known when begins anew"
            )
        return max(naive, self.latest + _TICK) if self.latest else naive

    def are_before(self, until: datetime | None) -> bool:
        """Whether a version began or ended by ``until`` that is not known here."""
        return until is not None and (self.latest is None or self.latest < until)

    def has_bytes_of(self, log: Mapping[str, object]) -> bool:
        """Whether the current version of a file is of the bytes, and the source, of a log row."""
        row = self.current.get(str(log["file"]))
        return row is not None and all(row[name] == log[name] for name in ("source", "sha256"))

    def replaced(self, logs: Iterable[Mapping[str, object]]) -> dict[str, datetime]:
        """Files of log rows that have a version of other bytes of the same source, known since."""
        return {
            str(log["file"]): cast("datetime", before["known_from"])
            for log in logs
            if (before := self.current.get(str(log["file"])))
            and before["source"] == log["source"]
            and before["sha256"] != log["sha256"]
        }

    def change(
        self, logs: Sequence[Mapping[str, object]], leaving: Sequence[str], at: datetime
    ) -> Change:
        """Begin the versions in ``logs`` (rows of ``raw.ingest_log``), end those they replace.

        Parameters
        ----------
        logs
            Files whose bytes or rows are others now; one with the bytes of before keeps its
            version.
        leaving
            Files whose rows leave.
        at
            When the versions before them end, UTC.
        """
        rows = []
        for log in logs:
            version = {name: log[name] for name in _LOGGED}
            rows.append({**version, "known_from": log["ingested_at"], "known_to": None})
        same = {(row["file"], row["known_from"]) for row in rows}
        files = [*(str(log["file"]) for log in logs), *leaving]
        for file in dict.fromkeys(files):
            before = self.current.get(file)
            if before and (file, before["known_from"]) not in same:
                rows.append({**before, "known_to": at})
        return Change(
            SNAPSHOT,
            pl.DataFrame(rows, schema=SNAPSHOT.polars_schema),
            "list_contains($files, file) and known_to is null",
            {"files": files},
        )


def note_versions(warehouse: Warehouse, manifest: Manifest, data_set: str) -> None:
    """Write down beside the bytes what versions began or ended since the last time."""
    new = warehouse.read(
        "select *, greatest(known_from, coalesce(known_to, known_from)) as noted "
        "from raw.snapshot where data_set = $data_set and ($until is null or noted > $until) "
        "order by noted, file",
        data_set=data_set,
        until=manifest.until(),
    ).to_dicts()
    if new:
        rows = [{name: row[name] for name in SNAPSHOT.column_names} for row in new]
        manifest.append(rows, new[-1]["noted"])
