"""From which day on the numbers change when raw rows do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from factor_pipeline.compute.quality.days import PriceDays
from factor_pipeline.compute.quality.prices import adjusted_close_flags
from factor_pipeline.compute.returns import daily_returns, disputed
from factor_pipeline.schemas.provenance import REBASED, arriving, contract
from factor_pipeline.schemas.raw import DATA_SETS, FUNDAMENTAL, PRICE_DAILY
from factor_pipeline.schemas.rules.prices import PRICE_THRESHOLDS
from factor_pipeline.warehouse.store import Warehouse

_FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class _Facet:
    """Columns of a raw row, and the first day (as SQL) that a change of them matters for."""

    day: str
    columns: tuple[str, ...]
    distinct: bool = False

    @classmethod
    def of(cls, data_set: str, day: str, *, without: Sequence[str] = ()) -> "_Facet":
        names = contract(DATA_SETS[data_set])
        return cls(day, tuple(name for name in names if name not in without))


_FACETS: dict[str, tuple[_Facet, ...]] = {
    "prices": (
        _Facet.of(
            "prices",
            # Share counts of earlier months are restated through all splits up to their basis.
            "case when split <> 1 and date <= (select max(shares_basis_date) from raw.fundamental) "
            "then date '1900-01-01' else date end",
            # Vendors restate it back to the first day with every dividend: it matters for
            # disputes and flags only, see `_first_changed_verdict`.
            without=REBASED[PRICE_DAILY.qualified_name],
        ),
    ),
    "fundamentals": (
        _Facet.of(
            "fundamentals",
            "coalesce(filed_at, period_end)",
            # Each download has another one in all rows: it matters for splits only, see
            # `_first_changed_basis`.
            without=REBASED[FUNDAMENTAL.qualified_name],
        ),
        # Whose share classes are whose is not dated: the first filing of a class tells its firm,
        # and market equity adds up the classes of a firm in all months.
        _Facet(
            "coalesce((select min(price.date) from raw.price_daily as price "
            "where price.vendor_id = rows.vendor_id), rows.period_end)",
            ("vendor_id", "firm"),
            distinct=True,
        ),
    ),
    "library": (_Facet.of("library", "date"),),
    # Each end of a spell on its own: that a member leaves changes nothing before it does.
    "membership": (
        _Facet("start_date", ("ticker", "start_date")),
        _Facet("end_date", ("ticker", "end_date")),
    ),
    "benchmark": (_Facet.of("benchmark", "date"),),
    "etf": (_Facet.of("etf", "date"),),
    "macro": (_Facet.of("macro", "date"),),
    "listing": (_Facet.of("listing", "coalesce(valid_from, date '1900-01-01')"),),
    "delisting": (_Facet.of("delisting", "date"),),
}


def first_changed_day(
    warehouse: Warehouse, data_set: str, rows: pl.DataFrame, files: Sequence[str]
) -> date | None:
    """First day whose numbers may differ once ``rows`` replace the stored rows of ``files``.

    A restated adjusted close of a stock is a change only where it makes or ends a dispute with
    close, split and dividend, or a flag of data quality; that of a benchmark always is, as its
    return is made of nothing else.

    Parameters
    ----------
    warehouse
        Where the rows so far are.
    data_set
        Key of ``schemas.raw.DATA_SETS``.
    rows
        New rows: the contract's columns and ``file``.
    files
        Files whose rows they replace.

    Returns
    -------
    date or None
        Null when the rows are the same.
    """
    table = arriving(DATA_SETS[data_set])
    days = [
        warehouse.first_change(
            table, rows, files, day=facet.day, columns=facet.columns, distinct=facet.distinct
        )
        for facet in _FACETS[data_set]
    ]
    if data_set == "prices":
        days.append(_first_changed_verdict(warehouse, rows, files))
    if data_set == "fundamentals":
        days.append(_first_changed_basis(warehouse, rows, files))
    return min((day for day in days if day), default=None)


def _first_changed_basis(
    warehouse: Warehouse, rows: pl.DataFrame, files: Sequence[str]
) -> date | None:
    """First day of all when a stock was split between the old and the new day of its share counts.

    Counts of all months are restated through the splits up to that day; without a split in between
    they stay what they were.
    """
    old = warehouse.read(
        "select distinct vendor_id, shares_basis_date as before from raw.fundamental "
        "where list_contains($files, file)",
        files=list(files),
    )
    new = rows.select("vendor_id", after="shares_basis_date").unique()
    splits = warehouse.read("select vendor_id, date from raw.price_daily where split <> 1")
    moved = old.join(new, on="vendor_id").join(splits, on="vendor_id")
    passed = pl.col("date").is_between(
        pl.min_horizontal("before", "after"), pl.max_horizontal("before", "after"), closed="right"
    )
    return None if moved.filter(passed).is_empty() else _FIRST_DAY


def _first_changed_verdict(
    warehouse: Warehouse, rows: pl.DataFrame, files: Sequence[str]
) -> date | None:
    """First day on which the adjusted close contradicts the rest anew, no longer or otherwise."""
    columns = ("close", "high", "low", "split", "dividend", "adjusted_close", "volume")
    old = warehouse.read(
        f"select vendor_id, date, {', '.join(columns)} from raw.price_daily "  # noqa: S608
        "where list_contains($files, file)",
        files=list(files),
    )
    if old.is_empty():
        return None
    new = rows.select(old.columns)
    pairs = [(_disputes(old), _disputes(new)), (_flags(old), _flags(new))]
    changed = [
        one.join(other, on=one.columns, how="anti")["date"].min()
        for before, after in pairs
        for one, other in ((before, after), (after, before))
    ]
    return min((day for day in changed if isinstance(day, date)), default=None)


def _disputes(prices: pl.DataFrame) -> pl.DataFrame:
    """Disputed days, with the vendor's return as far as prices of four decimals tell it."""
    # Two files may deliver a day, which a check reports; returns are of one price a day.
    days = prices.unique(["vendor_id", "date"], keep="first", maintain_order=True)
    return disputed(daily_returns(days.rename({"vendor_id": "security_id"}))).select(
        "security_id", "date", pl.col("vendor_return").round(3)
    )


def _flags(prices: pl.DataFrame) -> pl.DataFrame:
    """Find faults of the adjusted close, with the day each becomes known."""
    found = adjusted_close_flags(PriceDays.of(prices), PRICE_THRESHOLDS)
    return found.select("rule", "subject", "fault_date", date="known_date")
