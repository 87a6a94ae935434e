"""The rules of daily prices that are computed: rows are read some series at a time."""

from collections.abc import Iterator

import polars as pl

from factor_pipeline.assets.common import Run
from factor_pipeline.compute.quality.copies import (
    month_prints,
    pairs_of,
    same_prices_as_another,
)
from factor_pipeline.compute.quality.days import PriceDays
from factor_pipeline.compute.quality.found import FOUND
from factor_pipeline.compute.quality.market_calendar import MarketCalendar, partial_last_month
from factor_pipeline.compute.quality.prices import series_flags
from factor_pipeline.schemas.rules.prices import PRICE_RULES, PRICE_THRESHOLDS
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

COMPUTED_PRICE_RULES = frozenset(
    rule.name
    for rule in PRICE_RULES
    if rule.name not in {"dividend_and_split_same_day", "ends_early"}
)
"""Rules of prices without a SQL model of their own."""

# So many rows take 150 MB with all that the rules make of them.
_ROWS_AT_ONCE = 500_000


def price_flags(run: Run) -> pl.DataFrame:
    """Find what `COMPUTED_PRICE_RULES` flag in ``raw.price_daily``, with the files."""
    series = run.warehouse.read(load_sql("quality/price_series"))
    if series.is_empty():
        return pl.DataFrame(schema={**FOUND, "file": pl.String})
    counts = run.warehouse.read(load_sql("quality/market_days"))
    calendar = MarketCalendar.of(
        counts,
        nearly_all=PRICE_THRESHOLDS["missing_day"],
        hardly_any=PRICE_THRESHOLDS["day_off_calendar"],
    )
    data_end = counts["date"][-1]
    flags, prints = [partial_last_month(data_end)], []
    for first, last in _blocks(series):
        days = _days(run.warehouse, first, last)
        flags.append(series_flags(days, calendar, data_end, PRICE_THRESHOLDS))
        prints.append(month_prints(days))
    flags.append(_copies(run.warehouse, pl.concat(prints)))
    return pl.concat(flags).join(
        series.select(subject="vendor_id", file="file"), on="subject", how="left"
    )


def _blocks(series: pl.DataFrame) -> Iterator[tuple[str, str]]:
    """First and last series of each block."""
    block = (series["prices"].cum_sum() // _ROWS_AT_ONCE).alias("block")
    bounds = series.group_by(block, maintain_order=True).agg(
        first=pl.col("vendor_id").first(), last=pl.col("vendor_id").last()
    )
    yield from bounds.select("first", "last").iter_rows()


def _days(warehouse: Warehouse, first: str, last: str) -> PriceDays:
    query = load_sql("quality/price_days")
    return PriceDays.of(warehouse.read(query, first_series=first, last_series=last))


def _copies(warehouse: Warehouse, prints: pl.DataFrame) -> pl.DataFrame:
    """Compare series whose months look alike, each pair read again in full."""
    threshold = PRICE_THRESHOLDS["same_prices_as_another"]
    flags = [pl.DataFrame(schema=FOUND)]
    for pair in pairs_of(prints):
        both = [
            warehouse.read(load_sql("quality/price_days"), first_series=name, last_series=name)
            for name in pair
        ]
        flags.append(same_prices_as_another(PriceDays.of(pl.concat(both)), [pair], threshold))
    return pl.concat(flags).unique(["subject", "fault_date"], keep="first", maintain_order=True)
