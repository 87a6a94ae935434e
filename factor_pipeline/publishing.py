"""When what was built becomes what people query, and when it has to be done again."""

from datetime import date
from pathlib import Path
from typing import Final

from factor_pipeline.builds import State
from factor_pipeline.schemas.quality import BUILD, FRESHNESS, QUARANTINE
from factor_pipeline.schemas.raw import INGEST_LOG
from factor_pipeline.schemas.raw_history import SNAPSHOT, VERSIONS
from factor_pipeline.schemas.registry import published_tables
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.publish import is_alike, publish
from factor_pipeline.warehouse.store import Warehouse

# What a day or an hour changes by itself says nothing new.
_OF_THE_CLOCK: Final = frozenset({"age_days", "checked_at"})
# Any change of published rows leaves a trace in one of them, and they are small.
_LEDGERS: Final = {
    table.qualified_name: [name for name in table.column_names if name not in _OF_THE_CLOCK]
    for table in (BUILD, INGEST_LOG, SNAPSHOT, QUARANTINE, FRESHNESS)
}


def publish_if_sound(warehouse: Warehouse, settings: Settings, published: Path) -> date | None:
    """Publish all tables, unless some month is stale: half old and half new would be worse.

    Returns
    -------
    date or None
        The first stale month (its first day), for which the published file is as it was.
    """
    stale = State.of(warehouse).first_stale_month(settings)
    if stale is None:
        tables = published_tables(simulated=settings.is_simulated)
        publish(warehouse, published, tables, VERSIONS)
    return stale


def is_behind(warehouse: Warehouse, settings: Settings, published: Path) -> bool:
    """Whether publishing alone brings the published file up to date.

    So it is after a run that ended between its build and the publication, and after an
    ingestion that made no month stale but says something new of files, their quarantine or
    what their sources did not deliver.
    """
    state = State.of(warehouse)
    if state.builds.is_empty() or state.first_stale_month(settings):
        return False
    return not is_alike(warehouse, published, _LEDGERS)
