"""What a warehouse is filled from: what providers offer now, or what was known on a day."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from factor_pipeline.errors import DataError, SettingsError
from factor_pipeline.instance import run_lock
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import WORK_FILE, Settings
from factor_pipeline.sources.kept import KeptFiles
from factor_pipeline.sources.protocol import Source, SourceFile
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.sources.registry import source_of
from factor_pipeline.warehouse.store import Warehouse

_KNOWN = """
select * from raw.snapshot
where data_set = $data_set and rows > 0
    and known_from < $end and (known_to is null or known_to >= $end)
order by file
"""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a data set is filled from.

    Attributes
    ----------
    source
        The provider; null empties the data set.
    fetched_at
        Files fetched before this run, and when (UTC); no others count.
    is_complete
        Whether files it does not offer leave with their rows.
    """

    source: Source | None
    fetched_at: Mapping[str, datetime] = field(default_factory=dict)
    is_complete: bool = False


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Where a warehouse gets its files from: from providers, or from what was kept of them.

    Attributes
    ----------
    home
        Home with the kept files and their versions.
    day
        The files known at its end (UTC); null for what providers offer now.
    """

    home: Path
    day: date | None

    @property
    def store(self) -> RawStore:
        """Bytes of all files ever fetched, shared by the warehouses of all days."""
        return RawStore(self.home / "raw")

    def known_until(self, now: datetime) -> datetime:
        """Time the warehouse is of: ``now``, or the last second of the day (UTC)."""
        if self.day is None:
            return now
        return min(now, (_end_of(self.day) - timedelta(seconds=1)).replace(tzinfo=UTC))

    def of(self, settings: Settings, data_set: str) -> Delivery:
        """Return what the source that ``settings`` name delivers of a data set.

        Raises
        ------
        SettingsError
            When the files of the day came from another source.
        DataError
            When their bytes are not kept any more.
        """
        provider = source_of(settings, data_set)
        if self.day is None or provider is None:
            return Delivery(provider)
        known = self._warehouse.read(_KNOWN, data_set=data_set, end=_end_of(self.day)).to_dicts()
        for row in known:
            if row["source"] != provider.name:
                raise SettingsError(
                    f'on {self.day} {data_set} came from "{row["source"]}", the settings name '
                    f'"{provider.name}": set {data_set}.source for that day'
                )
        kept = tuple(self._kept(row) for row in known)
        fetched_at = {row["file"]: row["known_from"] for row in known}
        return Delivery(KeptFiles(provider, kept), fetched_at, is_complete=True)

    def prepare(self) -> None:
        """Make sure that there is something to build from.

        Raises
        ------
        DataError
            When no file was known by the end of the day.
        """
        if self.day is None:
            return
        first = None
        if self._warehouse.path.exists():
            with run_lock(self.home):
                self._warehouse.prepare(TABLES.values())
            first = self._warehouse.read("select min(known_from) from raw.snapshot").item()
        if first is None:
            raise DataError(
                f"nothing is known in {self.home} yet; run `factor-pipeline run` without --as-of"
            )
        if first >= _end_of(self.day):
            raise DataError(
                f"nothing was known on {self.day} yet: the first files were fetched on "
                f"{first:%Y-%m-%d %H:%M} UTC; name that day or a later one"
            )

    @property
    def _warehouse(self) -> Warehouse:
        return Warehouse(self.home / WORK_FILE)

    def _kept(self, row: Mapping[str, str]) -> SourceFile:
        path = self.store.path_of(row["sha256"])
        if not path.exists():
            raise DataError(
                f"the bytes of {row['file']} as of {self.day} are not at {path} any more; "
                "put the folder raw/ back from a backup"
            )
        return SourceFile(row["file"].partition("/")[2], path, row["vintage"])


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time())
