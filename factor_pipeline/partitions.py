"""Monthly partitions and the month range a run covers."""

import warnings
from datetime import date

import dagster as dg
from dagster._utils.warnings import BetaWarning

from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.settings import Settings

# Range runs and look-backs before the first month need two parameters that Dagster calls beta.
warnings.filterwarnings("ignore", category=BetaWarning)

RunContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext

# A backfill over any range is one run: every asset computes all its months in one pass.
BACKFILL = dg.BackfillPolicy.single_run()

_RANGE_START = "dagster/asset_partition_range_start"
_PARTITION = "dagster/partition"
_RANGE_END = "dagster/asset_partition_range_end"


def monthly_partitions(settings: Settings) -> dg.MonthlyPartitionsDefinition:
    """All months of the warehouse: one definition shared by every monthly asset.

    The running month is a partition too, so the nightly run can fill it.
    """
    last = settings.final_month
    return dg.MonthlyPartitionsDefinition(
        start_date=settings.start_month.isoformat(),
        end_date=add_months(last, 1).isoformat() if last else None,
        end_offset=0 if last else 1,
    )


def months_of(context: RunContext) -> MonthRange:
    """Months of this run: one partition, or a range in a backfill."""
    window = context.partition_time_window
    return MonthRange(window.start.date(), window.end.date())


def first_month_of(context: RunContext) -> date | None:
    """First month of this run, in steps that fill no months too; null when the run names none."""
    tags = context.run.tags
    first = tags.get(_RANGE_START) or tags.get(_PARTITION)
    return date.fromisoformat(first) if first else None


def range_tags(first: date, last: date) -> dict[str, str]:
    """Run tags that make one run of the months from ``first`` to ``last``, both included."""
    return {_RANGE_START: first.isoformat(), _RANGE_END: last.isoformat()}


def last_partition(settings: Settings) -> date:
    """First day of the last month that is a partition today."""
    key = monthly_partitions(settings).get_last_partition_key()
    return date.fromisoformat(key) if key else settings.start_month
