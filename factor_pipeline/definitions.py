"""The code location: everything Dagster loads is assembled here and nowhere else."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg

from factor_pipeline import jobs
from factor_pipeline.as_of import as_of_day, working_folder
from factor_pipeline.assets import (
    backtests,
    distributions,
    etfs,
    exposures,
    factors,
    methods,
    panel,
    portfolios,
    quality,
    regimes,
    risk,
    signals,
    statistics,
    strategy_exposures,
    truth,
)
from factor_pipeline.assets.common import TableAsset
from factor_pipeline.assets.inputs import inputs_asset
from factor_pipeline.assets.order import in_dependency_order
from factor_pipeline.assets.publication import published_asset
from factor_pipeline.assets.raw import raw_asset
from factor_pipeline.builds import code_version
from factor_pipeline.checks import catalogue
from factor_pipeline.checks.every import every_check
from factor_pipeline.console_log import console_logger
from factor_pipeline.deliveries import Deliveries
from factor_pipeline.instance import run_lock
from factor_pipeline.partitions import last_partition, monthly_partitions, range_tags
from factor_pipeline.schedules import nightly_schedule, stale_months_sensor
from factor_pipeline.schemas.registry import TABLES, checked_tables
from factor_pipeline.settings import DATA_SETS, PUBLISHED_FILE, WORK_FILE, Settings, load_settings
from factor_pipeline.settings import home as home_folder
from factor_pipeline.warehouse.store import Warehouse

TABLE_ASSETS: tuple[TableAsset, ...] = (
    *catalogue.ASSETS,
    *quality.ASSETS,
    *panel.ASSETS,
    *risk.ASSETS,
    *exposures.ASSETS,
    *signals.ASSETS,
    *portfolios.ASSETS,
    *factors.ASSETS,
    *distributions.ASSETS,
    *methods.ASSETS,
    *regimes.ASSETS,
    *etfs.ASSETS,
    *statistics.ASSETS,
    *backtests.ASSETS,
    *strategy_exposures.ASSETS,
)


def table_assets(settings: Settings) -> tuple[TableAsset, ...]:
    """All table assets as these settings connect them, in dependency order."""
    return in_dependency_order(risk.with_factors_of(asset, settings) for asset in TABLE_ASSETS)


def build_definitions(settings: Settings, home: Path, day: date | None = None) -> dg.Definitions:
    """Everything Dagster needs to run the warehouse of ``home``, as of a day if one is named."""
    folder = working_folder(home, day)
    warehouse = Warehouse(folder / WORK_FILE)
    if not warehouse.path.exists():
        warehouse.prepare(TABLES.values())
    partitions = monthly_partitions(settings)
    known_truth = truth.ASSETS if settings.is_simulated else ()
    tables = [
        asset.definition(partitions, code_version())
        for asset in (*table_assets(settings), *known_truth)
    ]
    checked = checked_tables(simulated=settings.is_simulated)
    keys = [key for definition in tables for key in definition.keys]
    every_month = range_tags(settings.start_month, last_partition(settings))
    return dg.Definitions(
        assets=[
            *(raw_asset(data_set, settings) for data_set in DATA_SETS),
            *tables,
            inputs_asset(partitions),
            published_asset(keys, partitions, code_version()),
        ],
        asset_checks=every_check(checked, settings),
        jobs=[jobs.ingest, jobs.build, jobs.nightly, jobs.publish, jobs.full_build(every_month)],
        schedules=[nightly_schedule(warehouse, settings)],
        sensors=[stale_months_sensor(warehouse, settings, folder / PUBLISHED_FILE)],
        resources={
            "warehouse": _writing(warehouse, folder),
            "settings": settings,
            "deliveries": Deliveries(home, day),
            "published": folder / PUBLISHED_FILE,
        },
        loggers={"console": console_logger},
        executor=dg.in_process_executor,
    )


def _writing(warehouse: Warehouse, folder: Path) -> dg.ResourceDefinition:
    """Return the warehouse as a resource: held from the start of a run to its end."""

    def held(_: dg.InitResourceContext) -> Iterator[Warehouse]:
        with run_lock(folder), warehouse.held() as held_open:
            yield held_open

    return dg.ResourceDefinition(held)


defs = build_definitions(load_settings(), home_folder(), as_of_day())
