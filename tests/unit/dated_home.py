"""A home that is ingested and built on days of one's choice, without Dagster."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest

from factor_pipeline.as_of import working_folder
from factor_pipeline.assets.common import Run, TableAsset
from factor_pipeline.builds import State
from factor_pipeline.deliveries import Deliveries
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.raw_history import VERSIONS
from factor_pipeline.schemas.registry import TABLES, published_tables
from factor_pipeline.settings import DATA_SETS, Settings
from factor_pipeline.warehouse.publish import publish
from factor_pipeline.warehouse.store import Warehouse


def assets_of(settings: Settings, folder: Path) -> tuple[TableAsset, ...]:
    """All table assets; the code location prepares a home when it is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTOR_HOME", str(folder))
        for variable in ("FACTOR_CONFIG", "FACTOR_AS_OF"):
            patch.delenv(variable, raising=False)
        from factor_pipeline.definitions import table_assets  # noqa: PLC0415
    return table_assets(settings)


@dataclass(frozen=True)
class DatedHome:
    """A home folder, and what is built in it."""

    folder: Path
    settings: Settings
    assets: Sequence[TableAsset]

    def build(self, now: datetime, day: date | None = None) -> dict[str, pl.DataFrame]:
        """Ingest, build and publish at a time, as of a day if one is given; all tables."""
        working = working_folder(self.folder, day)
        warehouse = Warehouse(working / "warehouse.duckdb")
        warehouse.prepare(TABLES.values())
        deliveries = Deliveries(self.folder, day)
        deliveries.prepare()
        with warehouse.held() as held:
            for data_set in DATA_SETS:
                delivery = deliveries.of(self.settings, data_set)
                ingestion = Ingestion(
                    held,
                    deliveries.store,
                    1.0,
                    now,
                    delivery.fetched_at,
                    is_complete=delivery.is_complete,
                )
                ingestion.run(data_set, delivery.source, getattr(self.settings, data_set).exclude)
            last = State.of(held).last_month(self.settings)
            months = MonthRange.of_months(self.settings.start_month, last)
            for asset in self.assets:
                deque(asset.fill(Run(held, self.settings, months)), maxlen=0)
            publish(held, working / "factors.duckdb", published_tables(simulated=False), VERSIONS)
        return tables_of(working / "factors.duckdb")


def tables_of(published: Path) -> dict[str, pl.DataFrame]:
    """Every table of a published file, in stored order."""
    with duckdb.connect(str(published), read_only=True) as connection:
        names = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables() order by 1"
        ).fetchall()
        return {name: connection.sql(f"from {name}").pl() for (name,) in names}
