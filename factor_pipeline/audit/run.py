"""The audit as a whole: on a copy of the work file, check after check."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl

from factor_pipeline.assets.common import TableAsset
from factor_pipeline.audit.comparison import KNOWN_BEFORE, compare, date_column, digests
from factor_pipeline.audit.filings import check_filings
from factor_pipeline.audit.findings import AuditReport, Finding
from factor_pipeline.audit.perturbation import perturb
from factor_pipeline.audit.rebuild import rebuild
from factor_pipeline.audit.survivorship import check_survivorship
from factor_pipeline.audit.truncation import truncate
from factor_pipeline.builds import State
from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.errors import DataError, SettingsError
from factor_pipeline.instance import run_lock
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.registry import DERIVED_TABLES
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import WORK_FILE, Settings
from factor_pipeline.warehouse.store import Warehouse

_SEED = 1

# Where in the history the default cutoffs lie, and which months they may be: any ordinary one, a
# June (a quarter end, and when accounting sorts are formed), a December.
_DEFAULTS: tuple[tuple[float, tuple[int, ...]], ...] = (
    (0.2, (1, 2, 4, 5, 7, 8, 10, 11)),
    (0.45, (6,)),
    (0.7, (12,)),
)


@dataclass(frozen=True, slots=True)
class Rebuilds:
    """Checks on the copy ``original``, whose months ``months`` are built.

    ``stored`` are the `digests` of each dated table of it.
    """

    original: Warehouse
    settings: Settings
    months: MonthRange
    assets: Sequence[TableAsset]
    stored: Sequence[tuple[Table, pl.DataFrame]]

    def truncation(self, cutoff: date) -> Finding:
        """Rebuild from raw tables that end on ``cutoff``, and compare."""
        lag = self.settings.panel.filing_lag_months
        return self._rebuilt(
            "truncation", cutoff, lambda copy: truncate(copy, cutoff, filing_lag_months=lag)
        )

    def perturbation(self, cutoff: date) -> Finding:
        """Rebuild from raw tables that are different after ``cutoff``, and compare."""
        lag = self.settings.panel.filing_lag_months
        return self._rebuilt(
            "perturbation",
            cutoff,
            lambda copy: perturb(copy, cutoff, filing_lag_months=lag, seed=_SEED),
        )

    def _rebuilt(self, check: str, cutoff: date, change: Callable[[Warehouse], None]) -> Finding:
        copy = Warehouse(self.original.path.with_name("changed.duckdb"))
        _copy(self.original.path, copy.path)
        change(copy)
        through_next = MonthRange.of_months(self.months.start, add_months(cutoff, 1))
        rebuild(copy, self.settings, through_next, self.assets)
        next_end = through_next.end - timedelta(days=1)
        differences = [
            compare(
                self.original,
                stored,
                copy,
                table,
                next_end if table.qualified_name in KNOWN_BEFORE else cutoff,
            )
            for table, stored in self.stored
        ]
        return Finding(
            check,
            cutoff,
            len(differences),
            sum(difference.rows for difference in differences),
            sum(difference.cells for difference in differences),
            next((d.first for d in differences if d.first), None),
        )


def audit(
    home: Path,
    settings: Settings,
    assets: Sequence[TableAsset],
    months: Sequence[date] = (),
    *,
    on_step: Callable[[str, int, int], None] = lambda _title, _done, _steps: None,
) -> AuditReport:
    """Audit the warehouse in ``home`` for look-ahead and survivorship.

    The work file is copied into a temporary folder of ``home``, which needs three times its space
    and is removed in the end; the warehouse itself is only read.

    - truncation: the raw tables are cut at the end of a month T (see `truncate`), everything is
      built again, and each row up to T must be the same bit for bit; signals, breakpoints and
      assignments of the month after T too.
    - perturbation: the same with everything after T changed (see `perturb`).
    - filing: no figure is used before the day after it was filed (see `check_filings`).
    - survivorship: see `check_survivorship`.

    Parameters
    ----------
    assets
        What fills the derived tables, in dependency order.
    months
        First days of the months T; by default three, spread over the history: an ordinary month,
        a June and a December.
    on_step
        Told what begins, how many steps are done, and how many there are.

    Raises
    ------
    DataError
        When months are stale, missing or too few: there is nothing to compare with.
    SettingsError
        When one of ``months`` is not built, or its prices do not reach its last trading day.
    WarehouseBusyError
        When a run is writing.
    """
    with _copied(home) as original:
        built = _built_months(original, settings)
        cutoffs = _cutoffs(original, built, months)
        stored = [
            (table, digests(original, table)) for table in DERIVED_TABLES if date_column(table)
        ]
        rebuilds = Rebuilds(original, settings, built, assets, stored)
        steps: list[tuple[str, Callable[[], Finding]]] = [
            (f"{check.__name__} at {cutoff:%Y-%m}", partial(check, cutoff))
            for cutoff in cutoffs
            for check in (rebuilds.truncation, rebuilds.perturbation)
        ]
        steps.append(("filing", lambda: check_filings(original, settings)))
        steps.append(("survivorship", lambda: check_survivorship(original, built)))
        findings = []
        for number, (title, step) in enumerate(steps):
            on_step(title, number, len(steps))
            findings.append(step())
    return AuditReport(tuple(findings))


def default_cutoffs(complete: Sequence[date]) -> list[date]:
    """Three month ends spread over ``complete`` (ascending), fewer in a short history."""
    chosen = set()
    for share, accepted in _DEFAULTS:
        around = share * (len(complete) - 1)
        fitting = [i for i, end in enumerate(complete) if end.month in accepted]
        if fitting:
            chosen.add(complete[min(fitting, key=lambda i: abs(i - around))])
    return sorted(chosen)


@contextmanager
def _copied(home: Path) -> Iterator[Warehouse]:
    if not (home / WORK_FILE).exists():
        raise DataError(f"there is no warehouse in {home}; run `factor-pipeline run` first")
    with TemporaryDirectory(prefix="audit-", dir=home) as folder:
        original = Warehouse(Path(folder) / WORK_FILE)
        with run_lock(home):
            _copy(home / WORK_FILE, original.path)
        yield original


def _copy(source: Path, target: Path) -> None:
    """Copy a database with the rows that still sit in its write-ahead log."""
    for suffix in ("", ".wal"):
        log = Path(f"{target}{suffix}")
        log.unlink(missing_ok=True)
        if Path(f"{source}{suffix}").exists():
            shutil.copyfile(f"{source}{suffix}", log)


def _built_months(warehouse: Warehouse, settings: Settings) -> MonthRange:
    state = State.of(warehouse)
    last = state.last_month(settings)
    if last is None or state.needed(settings):
        raise DataError(
            "months are missing or stale, so that there is nothing to compare with; "
            "run `factor-pipeline run` first"
        )
    return MonthRange.of_months(settings.start_month, last)


def _cutoffs(warehouse: Warehouse, built: MonthRange, months: Sequence[date]) -> list[date]:
    days = warehouse.read_months(
        "select last_day(date) as month_end, max(date) as last_date from raw.price_daily "
        "where date >= $month_start and date < $month_end group by all order by month_end",
        built,
    )
    complete = [end for end, last in days.iter_rows() if last >= last_trading_day(end)]
    wanted = [add_months(month, 1) - timedelta(days=1) for month in months]
    for end in wanted:
        if end not in complete:
            raise SettingsError(
                f"--at {end:%Y-%m} is not a complete month of the warehouse; choose one from "
                f"{built} whose prices reach its last trading day"
            )
    cutoffs = wanted or default_cutoffs(complete)
    if not cutoffs:
        raise DataError("no month is complete yet; run the audit on a longer history")
    return list(dict.fromkeys(cutoffs))
