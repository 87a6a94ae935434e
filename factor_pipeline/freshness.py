"""How old the data are, and what their sources stopped delivering: ``quality.freshness``."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

import polars as pl

from factor_pipeline.compute.freshness import aged, ends
from factor_pipeline.errors import SettingsError
from factor_pipeline.fetching import IngestReport
from factor_pipeline.schemas.quality import FRESHNESS
from factor_pipeline.schemas.raw import DATA_SETS, INGEST_LOG
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

# The day of a row, as SQL; null where the data set says nothing about time.
_DAY: Final[Mapping[str, str]] = {
    "prices": "date",
    "fundamentals": "coalesce(filed_at, period_end)",
    "library": "case when value is not null then date end",
    "membership": "greatest(start_date, end_date)",
    "benchmark": "date",
    "etf": "date",
    "macro": "date",
    "listing": "coalesce(valid_to, valid_from)",
    "delisting": "date",
}

_EVERY_FILE: Final = frozenset({"benchmark", "etf", "macro"})


def max_age_days(settings: Settings, data_set: str) -> int | None:
    """Days that ``data_set`` may be old; null when any age will do.

    The simulated market, and data that the settings give a ``last_month``, are meant to end.
    """
    if settings.is_simulated or settings.last_month:
        return None
    allowed: int | None = getattr(settings.quality.max_age_days, data_set)
    return allowed


def refuse_paths_never_read(warehouse: Warehouse, settings: Settings) -> None:
    """Refuse settings with a path at which nothing is, unless its rows are in the warehouse.

    Raises
    ------
    SettingsError
        For the first data set that its source has never filled.
    """
    filled = warehouse.read(
        f"select distinct data_set, source from {INGEST_LOG.qualified_name} where rows > 0"  # noqa: S608
    ).rows()
    for data_set in DATA_SETS:
        path = getattr(settings, data_set).path
        known = (data_set, settings.source_of(data_set)) in filled
        if path and not path.exists() and not known:
            raise SettingsError(
                f"{data_set}.path: nothing exists at {path}; paths are relative to the settings "
                "file"
            )


def record_freshness(
    warehouse: Warehouse, settings: Settings, report: IngestReport, now: datetime
) -> dict[str, Any] | None:
    """State in ``quality.freshness`` how old a data set is after its ingestion; return the row.

    Parameters
    ----------
    warehouse, settings
        Where the rows are, and how old they may be.
    report
        What the ingestion has seen of the source.
    now
        The time, UTC. Days after it do not count: a wrong date must not make data look fresh.

    Returns
    -------
    dict or None
        Columns of the table; null when the settings name no source, and there is no row.
    """
    data_set = report.data_set
    frame = FRESHNESS.empty()
    if settings.source_of(data_set) != "none":
        row = _row(warehouse, settings, report, now.replace(tzinfo=None))
        frame = aged(pl.DataFrame([row], schema=_stored_schema()), now.date())
        frame = frame.select(FRESHNESS.column_names)
    warehouse.replace(FRESHNESS, frame, data_set=data_set)
    return next(frame.iter_rows(named=True), None)


def _stored_schema() -> pl.Schema:
    derived = {"age_days", "is_stale"}
    return pl.Schema({c.name: c.dtype() for c in FRESHNESS.columns if c.name not in derived})


def _row(
    warehouse: Warehouse, settings: Settings, report: IngestReport, now: datetime
) -> dict[str, object]:
    data_set = report.data_set
    log = warehouse.read(
        f"select * from {INGEST_LOG.qualified_name} "  # noqa: S608 - a declared name
        "where data_set = $data_set and rows > 0 order by file",
        data_set=data_set,
    )
    last_days = warehouse.read(
        f"select file, max(day) as last_day from (select file, {_DAY[data_set]} as day "  # noqa: S608
        f"from {DATA_SETS[data_set].qualified_name} where starts_with(file, $prefix)) "
        "where day <= $today group by file order by file",
        prefix=f"{data_set}/",
        today=now.date(),
    )
    with_rows = set(log["file"])
    missing = sorted(with_rows & set(report.missing))
    stale = sorted(with_rows & set(report.quarantined))
    end = ends(last_days, every_file=data_set in _EVERY_FILE)
    return {
        "data_set": data_set,
        "source": settings.source_of(data_set),
        "last_day": end.last_day,
        "behind_file": end.behind_file,
        "behind_day": end.behind_day,
        "max_age_days": max_age_days(settings, data_set),
        "files": log.height,
        "files_missing": len(missing),
        "files_stale": len(stale),
        "first_missing": next(iter(missing), None),
        "first_stale": next(iter(stale), None),
        "outage": report.outage or None,
        "ingested_at": log["ingested_at"].max(),
        "checked_at": now,
    }


def complaints(row: Mapping[str, Any]) -> Iterator[str]:
    """Say what is old or missing in a row of ``quality.freshness``, in a line each.

    Without the figures of the day, so that the same state gives the same words: ``age_days`` and
    ``checked_at`` have them.
    """
    name, kept = row["data_set"], "last good rows stay"
    if row["outage"]:
        yield f"{name}: {row['source']} did not deliver: {row['outage']}; all {kept}"
    else:
        for what, key in (
            ("no longer offered", "missing"),
            ("offered in a bad state", "stale"),
        ):
            if count := row[f"files_{key}"]:
                files = "1 file is" if count == 1 else f"{count} files are"
                first = row[f"first_{key}"]
                yield f"{name}: {files} {what}, the first {first}; the {kept}"
    if row["is_stale"]:
        yield f"{name}: {_end(row)}; quality.max_age_days allows {row['max_age_days']} days"


def _end(row: Mapping[str, Any]) -> str:
    behind: date | None = row["behind_day"]
    if behind:
        return f"{row['behind_file']} ends on {behind}"
    return f"the data end on {row['last_day']}" if row["last_day"] else "no row has a day"
