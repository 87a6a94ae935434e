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
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.quality import BUILD, PENDING
from factor_pipeline.schemas.raw import INGEST_LOG
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import DATA_SETS, Settings
from factor_pipeline.warehouse.models import sql_folder
from factor_pipeline.warehouse.store import Change, Warehouse

# Where files are, which are left out and when a run starts reach the numbers through the raw
# rows alone, which have hashes of their own; an earlier end changes nothing before it.
_NOT_IN_NUMBERS: dict[str, bool | set[str]] = {
    "schedule": True,
    "quality": {"max_bad_file_share", "max_changed_share", "max_lost_share", "max_age_days"},
    "last_month": True,
    **{data_set: {"path", "exclude"} for data_set in DATA_SETS},
}
_EARLIER_MONTHS = "earlier months"
_UNFINISHED = "unfinished build"


# What asks the published tables, checks, traces or shows them makes none of their numbers.
_NO_NUMBERS = frozenset({"queries", "audit", "report", "reporting", "trace", "lineage"})


@cache
def code_version() -> str:
    """Hash over the package's modules and SQL: another hash may mean other numbers."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for folder, pattern in ((package, "*.py"), (sql_folder(), "*.sql")):
        for path in sorted(folder.rglob(pattern)):
            if path.parent.name in _NO_NUMBERS:
                continue
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def settings_json(settings: Settings) -> str:
    """Return the settings that numbers depend on, as canonical JSON without any path."""
    return settings.model_dump_json(exclude=_NOT_IN_NUMBERS, exclude_none=True)


@dataclass(frozen=True, slots=True)
class State:
    """What the warehouse holds.

    Attributes
    ----------
    builds
        Rows of ``quality.build``.
    pending
        First month (its first day) from which built months are out of date, whatever they were
        made with; null when none is.
    data_end
        Last day with a price.
    unfinished
        First month (its first day) that a build has begun to overwrite and never ended, be it
        built before or not; null when none is. ``pending`` is not later.
    """

    builds: pl.DataFrame
    pending: date | None
    data_end: date | None
    unfinished: date | None = None

    @classmethod
    def of(cls, warehouse: Warehouse, *, but_for_run: str | None = None) -> Self:
        """Read it from the work file, as if the build of a run had not begun, if one is named."""
        pending = warehouse.table(PENDING).filter(
            pl.col("data_set") != _unfinished_by(but_for_run or "")
        )
        unfinished = pending.filter(pl.col("data_set").str.starts_with(_UNFINISHED))
        return cls(
            warehouse.table(BUILD),
            _first_month(pending),
            warehouse.read("select max(date) from raw.price_daily").item(),
            _first_month(unfinished),
        )

    def first_stale_month(self, settings: Settings) -> date | None:
        """First month made with other settings or code, or of inputs that changed, or half made."""
        return min(self._stale(settings), default=None)

    def stale_months(self, settings: Settings) -> list[date]:
        """Months that are, as their first days, sorted."""
        return sorted(self._stale(settings))

    def last_month(self, settings: Settings) -> date | None:
        """Last month worth building: the one after the last complete month, if allowed.

        Its signals are known, its returns not yet. A later month counts when it was built from
        prices that a vendor has taken back since: it must be built again, without them. Null
        without prices.
        """
        if self.data_end is None:
            return None
        known = add_months(last_complete_month(self.data_end), 1)
        last = max([known, *self._made_with()])
        return min(last, settings.final_month or last)

    def needed(self, settings: Settings) -> MonthRange | None:
        """Months to build so that all are there and none is stale; null when nothing is to do.

        They reach to the last month: signals look back, so a month follows from those before.
        """
        last = self.last_month(settings)
        if last is None or last < settings.start_month:
            return None
        every = MonthRange.of_months(settings.start_month, last)
        made = self._made_with()
        todo = [month for month in _months(every) if month not in made] + self._stale(settings)
        return every.since(min(todo)) if todo else None

    def pending_after(self, settings: Settings, months: MonthRange) -> date | None:
        """First month that is out of date once ``months`` are built; null when none is.

        A month that was missing or stale before makes all later ones that were built without it
        out of date.
        """
        made, stale = self._made_with(), set(self._stale(settings))
        within = set(_months(months))
        out_of_date = [m for m in made if self.pending and m >= self.pending and m not in within]
        if any(month not in made or month in stale for month in within):
            out_of_date += [month for month in made if month >= months.end]
        return min(out_of_date, default=None)

    def unfinished_after(self, settings: Settings, months: MonthRange) -> date | None:
        """First month left half made by an earlier build once ``months`` are built."""
        if self.unfinished is None or self.unfinished < months.start:
            return self.unfinished
        last = self.last_month(settings)
        # Which months it reached nobody knows.
        left = max(self.unfinished, months.end)
        return left if last and left <= last else None

    def _made_with(self) -> dict[date, tuple[str, str]]:
        """Map each built month to the settings and code it was last made with."""
        latest: dict[date, tuple[str, str]] = {}
        for row in self.builds.sort("build").iter_rows(named=True):
            for month in _months(MonthRange.of_months(row["month_start"], row["month_end"])):
                latest[month] = (row["settings"], row["code_version"])
        return latest

    def _stale(self, settings: Settings) -> list[date]:
        current, made = (settings_json(settings), code_version()), self._made_with()
        stale = [
            month
            for month, made_with in made.items()
            if settings.start_month <= month <= (settings.final_month or date.max)
            and (made_with != current or (self.pending and month >= self.pending))
        ]
        half, last = self.unfinished, self.last_month(settings)
        if half and half not in made and last and settings.start_month <= half <= last:
            stale.append(half)
        return stale


def begin_build(warehouse: Warehouse, first: date | None, *, run_id: str) -> None:
    """Note that a run overwrites months from ``first`` on, until `record_build` ends it.

    A run that is killed, stopped or fails leaves months of which some tables are new and some
    old. They are stale, whatever settings come next.

    Parameters
    ----------
    first
        Null for tables that every build fills whole: they are new with the last month.
    """
    if first is None:
        ends = warehouse.table(BUILD)["month_end"].to_list()
        if not ends:
            return
        first = add_months(max(ends), 0)
    name = _unfinished_by(run_id)
    known = warehouse.table(PENDING).filter(pl.col("data_set") == name)["changed_from"].to_list()
    if not known or first < known[0]:
        row = pl.DataFrame([{"data_set": name, "changed_from": first}])
        warehouse.replace(PENDING, row, data_set=name)


def record_build(
    warehouse: Warehouse, settings: Settings, months: MonthRange, *, run_id: str, now: datetime
) -> None:
    """Log a finished build, and from which month on others are out of date now."""
    before = State.of(warehouse, but_for_run=run_id)
    number = before.builds["build"].max()
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
    left = {
        _EARLIER_MONTHS: before.pending_after(settings, months),
        _UNFINISHED: before.unfinished_after(settings, months),
    }
    out_of_date = [{"data_set": name, "changed_from": day} for name, day in left.items() if day]
    warehouse.write(
        [
            Change(BUILD, pl.DataFrame([row], schema=BUILD.polars_schema), "false", {}),
            Change(PENDING, pl.DataFrame(out_of_date, schema=PENDING.polars_schema), "true", {}),
        ]
    )


def forget_other_months(warehouse: Warehouse, settings: Settings) -> None:
    """Remove the months before ``first_month`` and after ``last_month`` from every table.

    After the settings have moved one of them, months would otherwise stay that no build covers
    any more, and that others still look back on.
    """
    builds = warehouse.table(BUILD)
    first, final = settings.start_month, settings.final_month
    last = _last_day(MonthRange.of_months(final, final)) if final else date.max
    kept = builds.with_columns(
        month_start=pl.max_horizontal("month_start", pl.lit(first)),
        month_end=pl.min_horizontal("month_end", pl.lit(last)),
    ).filter(pl.col("month_start") <= pl.col("month_end"))
    # A build that never ended may have left rows in months that no build covers.
    if kept.equals(builds) and State.of(warehouse).unfinished is None:
        return
    params = {"first": first, "last": last}
    outside = "(month_end < $first or month_end > $last)"
    changes = [
        Change(
            table,
            table.empty(),
            # The library's rows come from its files whole, whatever the months of the warehouse.
            f"{outside} and source = 'own'" if table == FACTOR_RETURN else outside,
            params,
        )
        for table in TABLES.values()
        if table.monthly
    ]
    warehouse.write([*changes, Change(BUILD, kept, "true", {})])


def _unfinished_by(run_id: str) -> str:
    return f"{_UNFINISHED} {run_id}"


def _first_month(pending: pl.DataFrame) -> date | None:
    days: list[date] = pending["changed_from"].to_list()
    return add_months(min(days), 0) if days else None


def _months(months: MonthRange) -> Iterator[date]:
    return (add_months(months.start, i) for i in range(len(months)))


def _last_day(months: MonthRange) -> date:
    return months.end - timedelta(days=1)
