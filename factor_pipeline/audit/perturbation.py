"""Raw tables in which everything after a day is different, and nothing before it."""

from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.schemas.raw import (
    BENCHMARK_DAILY,
    DELISTING,
    FRENCH_RETURN,
    FUNDAMENTAL,
    INDEX_MEMBER,
    LISTING,
    MACRO,
    PRICE_DAILY,
)
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Change, Warehouse

_SCALED = {
    PRICE_DAILY: ("open", "high", "low", "close", "adjusted_close", "volume", "dividend"),
    BENCHMARK_DAILY: ("close", "adjusted_close"),
    MACRO: ("value",),
    FRENCH_RETURN: ("value",),
}
_RANGE = (0.5, 2.0)
_SHARE = 0.5
_MAX_DAYS = 60
_LATER = "date > $cutoff"
_LATER_LISTING = "valid_from > $cutoff"


def perturb(warehouse: Warehouse, cutoff: date, *, filing_lag_months: int, seed: int) -> None:
    """Change in the raw tables of ``warehouse`` what became known after ``cutoff``.

    Prices, dividends, volumes, library returns, benchmark levels and macro values are multiplied
    by factors between 0.5 and 2, drawn for each value alone; filings likewise, and every earlier
    one is restated on some day after ``cutoff``. Half of the later membership spells go, the others
    begin on other days, members of the day leave at other times and half of all tickers join.
    Delistings move and get other reasons and returns, and half of the securities that stay are
    delisted. Later listings get another name, sector and exchange.

    Splits stay as they are: share counts on the split basis of a later day contain them.

    Parameters
    ----------
    seed
        Same seed, same changes.
    """
    rng = np.random.default_rng([seed, cutoff.toordinal()])
    whole = {
        FUNDAMENTAL: _filings(warehouse, cutoff, filing_lag_months, rng),
        INDEX_MEMBER: _members(warehouse, cutoff, rng),
        DELISTING: _delistings(warehouse, cutoff, rng),
    }
    changes = [Change(table, frame, "true", {}) for table, frame in whole.items()]
    for table, columns in _SCALED.items():
        later = _scaled(_ordered(warehouse, table, _LATER, cutoff), columns, rng)
        changes.append(Change(table, later, _LATER, {"cutoff": cutoff}))
    changes.append(
        Change(LISTING, _later_listings(warehouse, cutoff), _LATER_LISTING, {"cutoff": cutoff})
    )
    warehouse.write(changes)


def _filings(
    warehouse: Warehouse, cutoff: date, filing_lag_months: int, rng: np.random.Generator
) -> pl.DataFrame:
    filings = warehouse.read(
        load_sql("audit/later_filings"), cutoff=cutoff, lag_months=filing_lag_months
    )
    figures = [name for name, dtype in filings.schema.items() if dtype == pl.Float64]
    public = filings.filter(~pl.col("is_later"))
    later = _scaled(filings.filter("is_later"), figures, rng)
    restated = _scaled(public, figures, rng).with_columns(filed_at=_days_after(cutoff, rng))
    return pl.concat([public, later, restated]).drop("is_later")


def _members(warehouse: Warehouse, cutoff: date, rng: np.random.Generator) -> pl.DataFrame:
    spells = warehouse.table(INDEX_MEMBER)
    is_later = pl.col("start_date") > cutoff
    stays_open = pl.col("end_date").is_null() | (pl.col("end_date") > cutoff)
    known = spells.filter(~is_later).with_columns(
        end_date=pl.when(stays_open).then(_days_after(cutoff, rng)).otherwise("end_date")
    )
    moved = _some(spells.filter(is_later), rng).with_columns(start_date=_days_after(cutoff, rng))
    joined = _some(spells.unique("ticker", keep="first", maintain_order=True), rng).with_columns(
        start_date=_days_after(cutoff, rng), end_date=pl.lit(None, dtype=pl.Date)
    )
    frame = pl.concat([known, moved, joined])
    return frame.unique(INDEX_MEMBER.key, keep="first", maintain_order=True)


def _delistings(warehouse: Warehouse, cutoff: date, rng: np.random.Generator) -> pl.DataFrame:
    delistings = warehouse.table(DELISTING)
    known = delistings.filter(pl.col("date") <= cutoff)
    others = {"merger": "performance", "performance": "other", "other": "merger"}
    later = delistings.filter(pl.col("date") > cutoff).with_columns(
        date=_days_after(cutoff, rng),
        reason=pl.col("reason").replace(others),
        delisting_return=pl.lit(-0.9),
    )
    trading = warehouse.read(
        "select vendor_id, max(known_from) as known_from from raw.price_daily "
        "where date > $cutoff group by vendor_id order by vendor_id",
        cutoff=cutoff,
    )
    added = _some(trading.join(delistings, on="vendor_id", how="anti"), rng).select(
        "vendor_id",
        date=_days_after(cutoff, rng),
        reason=pl.lit("performance"),
        delisting_return=pl.lit(None, dtype=pl.Float64),
        file=pl.lit(""),
        known_from="known_from",
    )
    return pl.concat([known, later, added])


def _later_listings(warehouse: Warehouse, cutoff: date) -> pl.DataFrame:
    return _ordered(warehouse, LISTING, _LATER_LISTING, cutoff).with_columns(
        name=pl.lit("changed"), sector=pl.lit("changed"), exchange=pl.lit("AMEX")
    )


def _ordered(warehouse: Warehouse, table: Table, condition: str, cutoff: date) -> pl.DataFrame:
    return warehouse.read(
        f"select * from {table.qualified_name} where {condition} "  # noqa: S608 - constants
        f"order by {table.key_list}",
        cutoff=cutoff,
    )


def _scaled(
    frame: pl.DataFrame, columns: list[str] | tuple[str, ...], rng: np.random.Generator
) -> pl.DataFrame:
    return frame.with_columns(
        frame[column] * pl.Series(rng.uniform(*_RANGE, frame.height)) for column in columns
    )


def _some(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    return frame.filter(pl.Series(rng.random(frame.height) < _SHARE))


def _days_after(cutoff: date, rng: np.random.Generator) -> pl.Expr:
    """Give each row a day of its own in the two months after ``cutoff``."""
    return pl.lit(cutoff) + pl.duration(
        days=pl.int_range(pl.len()).map_batches(
            lambda rows: pl.Series(rng.integers(1, _MAX_DAYS, len(rows))), return_dtype=pl.Int64
        )
    )
