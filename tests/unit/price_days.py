"""Daily prices for tests of rules, and the flags the rules give them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path

import polars as pl

from factor_pipeline.assets.common import Run
from factor_pipeline.assets.quality import flag
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.registry import RAW_TABLES
from factor_pipeline.schemas.rules.prices import PRICE_RULES
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

DATED = {rule.name for rule in PRICE_RULES if rule.dated}
OF_PRICES = {rule.name for rule in PRICE_RULES}
MONTHS = MonthRange.of_months(date(2000, 1, 1), date(2030, 1, 1))


def prices(name: str, days: Sequence[date], closes: Sequence[float], **columns: object):
    """Rows of one series; the day's range is a hundredth of the close unless told."""
    frame = pl.DataFrame({"date": days, "close": closes}, schema_overrides={"close": pl.Float64})
    rows = frame.with_columns(
        vendor_id=pl.lit(name),
        ticker=pl.lit(name),
        open=pl.col("close"),
        high=pl.col("close") * 1.005,
        low=pl.col("close") * 0.995,
        adjusted_close=pl.lit(None, pl.Float64),
        volume=pl.lit(1e6),
        dividend=pl.lit(0.0),
        split=pl.lit(1.0),
        file=pl.lit(f"prices/{name}.csv"),
    )
    given = [
        pl.Series(column, list(values), dtype=PRICE_DAILY.polars_schema[column])
        for column, values in columns.items()
    ]
    # The adjusted close is the return index unless told.
    if "adjusted_close" in columns:
        return as_stored(rows.with_columns(given))
    growth = (pl.col("close") * pl.col("split") + pl.col("dividend")) / pl.col("close").shift()
    return as_stored(
        rows.with_columns(given).with_columns(adjusted_close=growth.fill_null(1.0).cum_prod() * 10)
    )


def as_stored(prices: pl.DataFrame) -> pl.DataFrame:
    """Complete prices of a source with what ingestion adds to them."""
    added = {"file": "prices/market.json", "known_from": datetime.fromisoformat("2024-01-01")}
    absent = set(PRICE_DAILY.column_names) - set(prices.columns)
    return prices.with_columns(
        pl.lit(added[name]).cast(PRICE_DAILY.polars_schema[name]).alias(name)
        for name in sorted(absent)
    ).select(PRICE_DAILY.column_names)


def warehouse_of(frame: pl.DataFrame, folder: Path) -> Warehouse:
    """Return a work file with these prices and nothing else."""
    warehouse = Warehouse(folder / "prices.duckdb")
    warehouse.prepare([*RAW_TABLES, FLAG])
    warehouse.replace(PRICE_DAILY, frame)
    return warehouse


def flags_in(warehouse: Warehouse, settings: Mapping[str, object] | None = None) -> pl.DataFrame:
    """Flags of the price rules, in the order of their key."""
    with warehouse.held() as held:
        (frame,) = flag.build(Run(held, Settings.model_validate(settings or {}), MONTHS))
    return frame.filter(pl.col("rule").is_in(OF_PRICES))
