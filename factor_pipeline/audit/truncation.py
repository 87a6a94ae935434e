"""Raw tables as they would have been had the world ended on a day."""

from datetime import date

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
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Change, Warehouse

_DATED = (PRICE_DAILY, BENCHMARK_DAILY, MACRO, FRENCH_RETURN, DELISTING)


def truncate(warehouse: Warehouse, cutoff: date, *, filing_lag_months: int) -> None:
    """Remove from the raw tables of ``warehouse`` what was not known at the end of ``cutoff``.

    Rows dated later are dropped, and so are filings filed, membership spells and listings that
    begin later; an end of a spell that lies later is not known yet. A filing without a date
    counts as filed ``filing_lag_months`` after the end of its period.

    Three things stay, because the vendors' files do not say what they were at the time:

    - Later splits, where a vendor restates share counts to the split basis of a later day. They
      are part of how the old count is written, not news: without them it cannot be read. Only the
      factors stay, in rows with a close of 1 and no dividend on the days after ``cutoff``.
    - Which firm a security belongs to. It is told by filings, so that of a firm whose filings are
      all later an empty income statement stays, which carries its name and no figure.
    - What has no date at all: names, sectors and exchanges of a listing, and figures that a
      vendor corrected in place.
    """
    splits = warehouse.read(
        load_sql("audit/splits_in_share_counts"), cutoff=cutoff, lag_months=filing_lag_months
    )
    members = warehouse.table(INDEX_MEMBER).filter(pl.col("start_date") <= cutoff)
    listing = warehouse.table(LISTING).filter(
        pl.col("valid_from").is_null() | (pl.col("valid_from") <= cutoff)
    )
    whole = {
        FUNDAMENTAL: _filings(warehouse, cutoff, filing_lag_months),
        INDEX_MEMBER: members.with_columns(_unless_later("end_date", cutoff)),
        LISTING: listing.with_columns(_unless_later("valid_to", cutoff)),
    }
    later = {table: table.empty() for table in _DATED} | {PRICE_DAILY: splits}
    warehouse.write(
        [
            *(Change(table, frame, "true", {}) for table, frame in whole.items()),
            *(
                Change(table, frame, "date > $cutoff", {"cutoff": cutoff})
                for table, frame in later.items()
            ),
        ]
    )


def _filings(warehouse: Warehouse, cutoff: date, filing_lag_months: int) -> pl.DataFrame:
    filings = warehouse.read(
        load_sql("audit/later_filings"), cutoff=cutoff, lag_months=filing_lag_months
    )
    public = filings.filter(~pl.col("is_later"))
    # Figures of a name are never read: nothing uses a filing before the day it was filed.
    names = (
        filings.join(public, on=["vendor_id", "firm"], how="anti")
        .unique(["vendor_id", "firm"], keep="first", maintain_order=True)
        .with_columns(
            pl.when(pl.lit(value=False)).then(pl.selectors.float()).name.keep(),
            statement=pl.lit("income"),
        )
    )
    return (
        pl.concat([public, names])
        .drop("is_later")
        .with_columns(_unless_later("restated_at", cutoff))
    )


def _unless_later(column: str, cutoff: date) -> pl.Expr:
    return pl.when(pl.col(column) <= cutoff).then(pl.col(column))
