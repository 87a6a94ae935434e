"""Which months are built from what, and which must be built again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Self

import polars as pl

from factor_pipeline.compute.calendar import last_complete_month
from factor_pipeline.ingestion import data_version
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.quality import BUILD, PENDING
from factor_pipeline.schemas.raw import INGEST_LOG
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import sql_folder
from factor_pipeline.warehouse.store import Change, Warehouse


@cache
def code_version() -> str:
    """Hash over the package's modules and SQL: another hash may mean other numbers."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for folder, pattern in ((package, "*.py"), (sql_folder(), "*.sql")):
        for path in sorted(folder.rglob(pattern)):
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def settings_json(settings: Settings) -> str:
    """Return the settings that numbers depend on, as canonical JSON."""
    return settings.model_dump_json(exclude={"schedule"}, exclude_none=True)


@dataclass(frozen=True, slots=True)
class State:
    """What the warehouse holds: builds so far, changes no build has covered, last price day."""

    builds: pl.DataFrame
    pending: date | None
    data_end: date | None

    @classmethod
    def of(cls, warehouse: Warehouse) -> Self:
        """Read it from the work file."""
        pending = warehouse.table(PENDING)["changed_from"].to_list()
        return cls(
            warehouse.table(BUILD),
            add_months(min(pending), 0) if pending else None,
            warehouse.read("select max(date) from raw.price_daily").item(),
        )

    def first_stale_month(self, settings: Settings) -> date | None:
        """First built month made with other settings or code, or whose inputs changed since."""
        current = (settings_json(settings), code_version())
        latest: dict[date, tuple[str, str]] = {}
        for row in self.builds.sort("build").iter_rows(named=True):
            for month in _months(MonthRange.of_months(row["month_start"], row["month_end"])):
                latest[month] = (row["settings"], row["code_version"])
        stale = [
            month
            for month, signature in latest.items()
            if signature != current or (self.pending and month >= self.pending)
        ]
        return min(stale, default=None)

    def last_month(self, settings: Settings) -> date | None:
        """Last month worth building: the one after the last complete month, if allowed.

        Its signals are known, its returns not yet. Null without prices.
        """
        if self.data_end is None:
            return None
        known = add_months(last_complete_month(self.data_end), 1)
        return min(known, settings.final_month or known)

    def needed(self, settings: Settings) -> MonthRange | None:
        """Months to build so that all are there and none is stale; null when nothing is to do."""
        last = self.last_month(settings)
        if last is None or last < settings.start_month:
            return None
        built = {
            month
            for start, end in self.builds.select("month_start", "month_end").iter_rows()
            for month in _months(MonthRange.of_months(start, end))
        }
        every = MonthRange.of_months(settings.start_month, last)
        missing = [month for month in _months(every) if month not in built]
        stale = self.first_stale_month(settings)
        todo = [*missing, *([stale] if stale else [])]
        return every.since(max(min(todo), every.start)) if todo else None


def record_build(
    warehouse: Warehouse, settings: Settings, months: MonthRange, *, run_id: str, now: datetime
) -> None:
    """Log a finished build; changes it covered to the end are no longer pending."""
    builds = warehouse.table(BUILD)
    number = builds["build"].max()
    row = {
        "build": (number if isinstance(number, int) else 0) + 1,
        "run_id": run_id,
        "month_start": months.start,
        "month_end": _last_day(months),
        "inputs": data_version(warehouse.table(INGEST_LOG)),
        "settings": settings_json(settings),
        "code_version": code_version(),
        "simulated": settings.is_simulated,
        "finished_at": now.replace(tzinfo=None),
    }
    ends = [*builds["month_end"].to_list(), row["month_end"]]
    changes = [
        Change(BUILD, pl.DataFrame([row], schema=BUILD.polars_schema), "false", {}),
    ]
    if row["month_end"] == max(ends):
        # A change before the first month of the warehouse matters from that month on.
        covered = "changed_from >= $start or $start <= $first"
        days = {"start": months.start, "first": settings.start_month}
        changes.append(Change(PENDING, PENDING.empty(), covered, days))
    warehouse.write(changes)


def _months(months: MonthRange) -> Iterator[date]:
    return (add_months(months.start, i) for i in range(len(months)))


def _last_day(months: MonthRange) -> date:
    return months.end - timedelta(days=1)
