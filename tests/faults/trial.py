"""Putting one fault through ingestion and build, and what it changed."""

import os
import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import polars as pl

from factor_pipeline.assets import distributions, factors, panel, portfolios, quality, signals
from factor_pipeline.assets.common import Run, TableAsset
from factor_pipeline.assets.raw import raw_key
from factor_pipeline.builds import State, record_build
from factor_pipeline.checks import catalogue
from factor_pipeline.checks.numbers import number_checks
from factor_pipeline.ingestion import Ingestion, IngestReport
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.quality import QUARANTINE
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.rules import RESULT_RULES
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
CHOICES = {"portfolios": {"min_market_stocks": 10}, "backtest": {"min_names": 3}}
NOW = datetime(2009, 1, 1, tzinfo=UTC)
QUALITY = Settings().quality
RESULTS = {rule.name for rule in RESULT_RULES}
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
    failed_checks: list[str]


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
    document["benchmark"] = {
        "source": "yahoo",
        "path": str(paths["benchmark"]),
        "symbol": BENCHMARK,
    }
    document |= {"delisting": {"source": "none"}, "first_month": "2004-01", **CHOICES}
    return parse_settings(document, base=base)


def filled_assets(*, whole: bool) -> Iterator[TableAsset]:
    """What a fault can reach first, in dependency order: flags, panel, signals, library.

    ``whole`` goes on to own factors and to how all numbers are spread, which costs as much again.
    """
    yield from (*catalogue.ASSETS, quality.flag)
    yield from (panel.security, panel.book_equity, panel.statement, panel.security_month)
    yield from (signals.characteristic, factors.library_factor)
    if whole:
        yield from (*portfolios.ASSETS, factors.factor_return, distributions.distribution)
    yield quality.result_flag


def new_warehouse(settings: Settings, folder: Path, *, whole: bool = False) -> Warehouse:
    """Ingest all data sets and build what `filled_assets` fill."""
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    with warehouse.held() as held:
        ingestion = Ingestion(held, RawStore(folder / "raw"), QUALITY.max_bad_file_share, NOW)
        for data_set in DATA_SETS:
            ingestion.run(data_set, source_of(settings, data_set), ())
        months = build(held, settings, whole=whole)
        record_build(held, settings, months, run_id="clean", now=NOW)
    return warehouse


def build(warehouse: Warehouse, settings: Settings, *, whole: bool) -> MonthRange:
    last = State.of(warehouse).last_month(settings)
    assert last, "there are no prices"
    months = MonthRange.of_months(settings.start_month, last)
    for asset in filled_assets(whole=whole):
        deque(asset.fill(Run(warehouse, settings, months)), maxlen=0)
    return months


class Bench:
    """The clean market, built once, and copies of it with a fault each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.vendor = Vendor.written(folder / "clean")
        self.settings = settings_for(self.vendor.paths, folder)
        self.warehouse = new_warehouse(self.settings, folder, whole=True)
        with self.warehouse.held() as held:
            self.clean = {data_set: content(held, data_set) for data_set in DATA_SETS}

    def trial(self, fault: Fault) -> Trial:
        injected = fault.inject(self.vendor)
        folder = self.folder / fault.name
        settings = self._settings_with(fault.data_set, injected, folder)
        source = self._delivering(fault.data_set, injected.rows)
        copy = Warehouse(folder / "warehouse.duckdb")
        shutil.copyfile(self.warehouse.path, copy.path)
        with copy.held() as held:
            report = self._ingested(held, settings, fault.data_set, source)
            # A context of a check costs as much as the build of a small market.
            failed = failed_checks(held, fault.data_set) if fault.by == "check" else []
            # All else follows from the raw rows.
            same = rows_of_vendor(held, fault.data_set).equals(self.clean[fault.data_set].raw)
            if not same and not failed:
                build(held, settings, whole=fault.rule in RESULTS)
            faulty = content(held, fault.data_set)
        shutil.rmtree(folder)
        return Trial(fault, injected, self.clean[fault.data_set], faulty, report, failed)

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
        source: Delivered | None = None,
    ) -> IngestReport:
        ingestion = Ingestion(
            warehouse,
            # What is known of versions is kept beside the bytes.
            RawStore(warehouse.path.parent / "raw"),
            QUALITY.max_bad_file_share,
            NOW,
            max_lost_share=QUALITY.max_lost_share,
        )
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


def failed_checks(warehouse: Warehouse, data_set: str) -> list[str]:
    """Names of the checks of a raw table that fail and stop what depends on it."""
    names = []
    for check in number_checks():
        (spec,) = check.check_specs
        if spec.blocking and spec.asset_key == raw_key(data_set):
            result = check(dg.build_asset_check_context(resources={"warehouse": warehouse}))
            names += [] if result.passed else [spec.name]
    return names


def rows_of_vendor(warehouse: Warehouse, data_set: str) -> pl.DataFrame:
    """Raw rows without what ingestion adds, which stands last, from the file on."""
    rows = warehouse.table(DATA_SETS[data_set])
    return rows.select(rows.columns[: rows.columns.index("file")])


def content(warehouse: Warehouse, data_set: str) -> Content:
    return Content(
        raw=rows_of_vendor(warehouse, data_set),
        quarantine=warehouse.table(QUARANTINE),
        flags=warehouse.table(FLAG),
        log=warehouse.read("select * from raw.ingest_log order by file"),
        tables={t.qualified_name: warehouse.table(t) for t in COMPARED},
    )
