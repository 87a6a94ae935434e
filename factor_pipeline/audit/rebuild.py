"""Derived tables computed again from the raw tables of a copy, without Dagster."""

from collections import deque
from collections.abc import Sequence

from factor_pipeline.assets.common import Run, TableAsset
from factor_pipeline.audit.comparison import date_column
from factor_pipeline.months import MonthRange
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Change, Warehouse


def rebuild(
    warehouse: Warehouse, settings: Settings, months: MonthRange, assets: Sequence[TableAsset]
) -> None:
    """Empty the derived tables of ``warehouse`` and fill ``months`` of them from scratch.

    Tables that carry no date and that no other table reads (statistics over all months) cannot
    be compared by date and stay empty.

    Parameters
    ----------
    warehouse
        A copy: its derived rows are lost.
    months
        From the first month of the warehouse on, as holdings go on from month to month.
    assets
        In dependency order.
    """
    warehouse.write(
        Change(table, table.empty(), "true", {}) for asset in assets for table in asset.tables
    )
    read = {upstream.table.qualified_name for asset in assets for upstream in asset.reads}
    for asset in assets:
        if any(date_column(t) or t.qualified_name in read for t in asset.tables):
            deque(asset.fill(Run(warehouse, settings, months)), maxlen=0)
