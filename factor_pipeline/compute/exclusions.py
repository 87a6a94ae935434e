"""Months that a person leaves out, as months of securities."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a security, named by its vendor's identifier or by its ticker of the time."""

    first_day: date
    last_day: date
    vendor_id: str | None = None
    ticker: str | None = None


def excluded_months(securities: pl.DataFrame, spans: Iterable[Span]) -> pl.DataFrame:
    """Months that ``spans`` touch while their security has the name.

    Parameters
    ----------
    securities
        ``panel.security``: ``security_id, vendor_id, ticker, valid_from, valid_to``.
    spans
        Both days included. One that names no security of its time gives no month.

    Returns
    -------
    pl.DataFrame
        Unique ``security_id, month_end``, sorted.
    """
    # A delisting may follow the last price by months.
    is_last = pl.col("valid_to") == pl.col("valid_to").max().over("security_id")
    until = pl.when(~is_last).then("valid_to")
    spells = securities.select("security_id", "vendor_id", "ticker", "valid_from", until=until)
    parts = [pl.DataFrame(schema={"security_id": pl.Int64, "month_end": pl.Date})]
    for span in spans:
        column, name = ("ticker", span.ticker) if span.ticker else ("vendor_id", span.vendor_id)
        first = pl.max_horizontal("valid_from", pl.lit(span.first_day))
        last = pl.min_horizontal("until", pl.lit(span.last_day))
        months = pl.date_ranges(first.dt.truncate("1mo"), last.dt.truncate("1mo"), "1mo")
        parts.append(
            spells.filter(pl.col(column) == name, first <= last)
            .select("security_id", month_end=months)
            .explode("month_end", empty_as_null=True)
            .with_columns(pl.col("month_end").dt.month_end())
        )
    return pl.concat(parts).unique().sort("security_id", "month_end")
