"""Putting one fault through ingestion and build, and what it changed."""

import os
import shutil
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from factor_pipeline.assets import factors, panel, quality, signals
from factor_pipeline.assets.common import Run, TableAsset
from factor_pipeline.builds import State
from factor_pipeline.errors import DataError
from factor_pipeline.ingestion import Ingestion, IngestReport
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.quality import QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.sources.protocol import Parsed, SourceFile
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.sources.registry import source_of
from factor_pipeline.warehouse.store import Warehouse
from tests.faults.fault import Fault, Injected
from tests.faults.vendor import BENCHMARK, Vendor

SOURCES = {
    "prices": "alphavantage",
    "fundamentals": "simfin",
    "library": "ken_french",
    "membership": "intervals",
    "benchmark": "yahoo",
    "etf": "yahoo",
    "macro": "fred",
    "listing": "alphavantage",
}
NOW = datetime(2009, 1, 1, tzinfo=UTC)
DEFAULT_SHARE = Settings().quality.max_bad_file_share
COMPARED = (SECURITY, SECURITY_MONTH, CHARACTERISTIC, FACTOR_RETURN)


@dataclass(frozen=True)
class Content:
    """What a build left: the raw rows of one data set, what was rejected and flagged, the rest."""

    raw: pl.DataFrame
    quarantine: pl.DataFrame
    flags: pl.DataFrame
    log: pl.DataFrame
    tables: dict[str, pl.DataFrame]


@dataclass(frozen=True)
class Trial:
    """A fault after its build, beside the clean market."""

    fault: Fault
    injected: Injected
    clean: Content
    faulty: Content
    report: IngestReport
    refusal: str | None


@dataclass(frozen=True)
class Delivered:
    """A source that delivers rows as they are, for data sets that no file vendor serves."""

    frame: pl.DataFrame
    name: str
    file: str
    version: int = 1

    def files(self) -> list[SourceFile]:
        return [SourceFile(self.file, Path(os.devnull))]

    def parse(self, file: SourceFile, content: bytes) -> Parsed:  # noqa: ARG002 - as the protocol has it
        return Parsed(self.frame)


def settings_for(paths: dict[str, Path], base: Path) -> Settings:
    document: dict[str, object] = {
        data_set: {"source": SOURCES[data_set], "path": str(path)}
        for data_set, path in paths.items()
    }
    document["benchmark"] = {"source": "yahoo", "path": str(paths["benchmark"]), "symbol": BENCHMARK}
    document |= {
        "delisting": {"source": "none"},
        "first_month": "2004-01",
        "portfolios": {"min_market_stocks": 10},
        "backtest": {"min_names": 3},
    }
    return parse_settings(document, base=base)


def filled_assets() -> Iterator[TableAsset]:
    """What a fault can reach first, in dependency order: flags, panel, signals, library."""
    yield from (a for a in quality.ASSETS if a.name != "result_flag")
    yield from panel.ASSETS
    yield from (a for a in signals.ASSETS if CHARACTERISTIC in a.tables)
    yield from (a for a in factors.ASSETS if a.name == "library_factor")


def build(warehouse: Warehouse, settings: Settings, assets: Sequence[TableAsset]) -> None:
    last = State.of(warehouse).last_month(settings)
    assert last, "there are no prices"
    months = MonthRange.of_months(settings.start_month, last)
    for asset in assets:
        deque(asset.fill(Run(warehouse, settings, months)), maxlen=0)


class Bench:
    """The clean market, built once, and copies of it with a fault each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vendor = Vendor.written(folder / "clean")
        self.settings = settings_for(self.vendor.paths, folder)
        self.store = RawStore(folder / "raw")
        self.warehouse = Warehouse(folder / "clean.duckdb")
        self.warehouse.prepare(TABLES.values())
        with self.warehouse.held() as held:
            for data_set in DATA_SETS:
                self._ingested(held, self.settings, data_set, DEFAULT_SHARE)
            build(held, self.settings, list(filled_assets()))
            self.clean = {data_set: content(held, data_set) for data_set in DATA_SETS}

    def trial(self, fault: Fault) -> Trial:
        injected = fault.inject(self.vendor)
        folder = self.folder / fault.name
        settings = self._settings_with(fault.data_set, injected, folder)
        source = self._delivering(fault.data_set, injected.rows)
        copy = Warehouse(folder / "warehouse.duckdb")
        shutil.copyfile(self.warehouse.path, copy.path)
        refusal = None
        with copy.held() as held:
            try:
                report = self._ingested(held, settings, fault.data_set, DEFAULT_SHARE, source)
            except DataError as error:
                refusal = str(error)
                assert equal_tables(content(held, fault.data_set), self.clean[fault.data_set])
                report = self._ingested(held, settings, fault.data_set, 1.0, source)
            if report.parsed:
                build(held, settings, list(filled_assets()))
            faulty = content(held, fault.data_set)
        shutil.rmtree(folder)
        return Trial(fault, injected, self.clean[fault.data_set], faulty, report, refusal)

    def _delivering(self, data_set: str, rows: pl.DataFrame | None) -> Delivered | None:
        """A source of these rows in place of the clean file, if there is one."""
        if rows is None:
            return None
        path = self.vendor.paths.get(data_set, Path("rows"))
        return Delivered(rows, SOURCES.get(data_set, "delivered"), path.name)

    def _ingested(
        self,
        warehouse: Warehouse,
        settings: Settings,
        data_set: str,
        share: float,
        source: Delivered | None = None,
    ) -> IngestReport:
        ingestion = Ingestion(warehouse, self.store, share, NOW)
        return ingestion.run(data_set, source or source_of(settings, data_set), ())

    def _settings_with(self, data_set: str, injected: Injected, folder: Path) -> Settings:
        """Settings whose ``data_set`` has the changed files beside links to the others."""
        folder.mkdir()
        if injected.rows is not None:
            return self.settings
        clean = self.vendor.paths[data_set]
        changed = folder / clean.name
        if clean.is_dir():
            shutil.copytree(clean, changed, copy_function=os.link)
        for name, data in injected.files.items():
            path = changed / name if clean.is_dir() else changed
            path.parent.mkdir(exist_ok=True)
            path.unlink(missing_ok=True)
            if data is not None:
                path.write_bytes(data)
        return settings_for({**self.vendor.paths, data_set: changed}, folder)


def content(warehouse: Warehouse, data_set: str) -> Content:
    return Content(
        raw=warehouse.table(DATA_SETS[data_set]),
        quarantine=warehouse.table(QUARANTINE),
        flags=warehouse.table(FLAG),
        log=warehouse.read("select * from raw.ingest_log order by file"),
        tables={t.qualified_name: warehouse.table(t) for t in COMPARED},
    )


def equal_tables(one: Content, other: Content) -> bool:
    return (
        one.raw.equals(other.raw)
        and one.quarantine.equals(other.quarantine)
        and one.flags.equals(other.flags)
        and one.log.equals(other.log)
        and all(one.tables[name].equals(other.tables[name]) for name in one.tables)
    )


def last_months(content: Content) -> date:
    return content.tables[SECURITY_MONTH.qualified_name]["month_end"].max()
