"""Book equity, and what was public about a firm on a given day."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from factor_pipeline.compute.ordering import finite, sorted_by_key

DeferredTaxes = Literal["until_1993", "always", "never"]

# The library's files since 2016 stop adding deferred taxes for fiscal years ending 1993 or later
# (FASB 109 changed what they mean).
_LAST_YEAR_WITH_DEFERRED_TAXES = 1992
FILING_KEY = ("security_id", "period_end", "filed_at")


def book_equity(deferred_taxes: DeferredTaxes) -> pl.Expr:
    """Stockholders' equity + deferred taxes - preferred stock, in the unit of the inputs.

    Reads ``total_equity, total_assets, total_liabilities, deferred_taxes, preferred_stock,
    period_end``. Equity falls back to assets minus liabilities; absent deferred taxes and
    preferred stock count as 0. Null without equity; may be negative.

    References
    ----------
    Davis, Fama and French (2000), *Journal of Finance* 55(1); notes of the K. French library.
    """
    equity = pl.coalesce("total_equity", pl.col("total_assets") - pl.col("total_liabilities"))
    taxes = pl.col("deferred_taxes").fill_null(0.0)
    if deferred_taxes == "never":
        taxes = pl.lit(0.0)
    elif deferred_taxes == "until_1993":
        counts = pl.col("period_end").dt.year() <= _LAST_YEAR_WITH_DEFERRED_TAXES
        taxes = pl.when(counts).then(taxes).otherwise(0.0)
    return finite(equity + taxes - pl.col("preferred_stock").fill_null(0.0))


def balance_facts(
    balance: pl.DataFrame, *, filing_lag_months: int, deferred_taxes: DeferredTaxes
) -> pl.DataFrame:
    """Balance-sheet rows with book equity and the day each became public.

    Parameters
    ----------
    balance
        Balance-sheet rows of ``raw.fundamental`` with ``security_id``.
    filing_lag_months
        Where the vendor gives no filing date, figures count as filed at the end of the month
        this many after that of ``period_end``.
    deferred_taxes
        See ``book_equity``.

    Returns
    -------
    pl.DataFrame
        ``panel.book_equity``, sorted by its key. Where a stated and an assumed filing of a period
        fall on one day, the stated one stays. A share count without a split basis is taken to be
        on that of ``period_end``, as in the filing itself.
    """
    facts = with_public_date(balance, filing_lag_months).select(
        "security_id",
        "fiscal_year",
        "period_end",
        "filed_at",
        "filed_at_assumed",
        book_equity=book_equity(deferred_taxes),
        total_assets="total_assets",
        shares="shares",
        shares_basis_date=pl.coalesce("shares_basis_date", "period_end"),
    )
    return once_a_day(facts)


def with_public_date(filings: pl.DataFrame, filing_lag_months: int) -> pl.DataFrame:
    """Fill ``filed_at`` where the vendor gives none, and say so in ``filed_at_assumed``.

    Such figures count as filed at the end of the month ``filing_lag_months`` after that of
    ``period_end``.
    """
    assumed = pl.col("period_end").dt.offset_by(f"{filing_lag_months}mo").dt.month_end()
    return filings.with_columns(
        filed_at=pl.coalesce("filed_at", assumed),
        filed_at_assumed=pl.col("filed_at").is_null(),
    )


def once_a_day(filings: pl.DataFrame) -> pl.DataFrame:
    """One row per security, period and day of filing, sorted by them, stated before assumed."""
    # By all columns, so that which of two equal keys comes first is no chance; False is first.
    order = [*FILING_KEY, "filed_at_assumed"]
    ordered = filings.sort(*order, pl.all().exclude(order))
    return ordered.unique(FILING_KEY, keep="first", maintain_order=True)


def as_of_each_filing(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Put figures that were filed apart beside each other, as known from each day of filing on.

    Parameters
    ----------
    parts
        Frames with unique ``security_id, period_end, filed_at`` and figures of their own.

    Returns
    -------
    pl.DataFrame
        One row per key of any part, sorted by it, with all figures: those of the latest filing
        of their part for that very period on or before the day; null where there is none yet.
    """
    days = pl.concat([part.select(FILING_KEY) for part in parts]).unique()
    for part in parts:
        days = days.sort("filed_at", "security_id", "period_end").join_asof(
            part.sort("filed_at", "security_id", "period_end"),
            on="filed_at",
            by=["security_id", "period_end"],
            strategy="backward",
            check_sortedness=False,
        )
    return days.sort(FILING_KEY)


def latest_public(
    rows: pl.DataFrame, facts: pl.DataFrame, *, on: str, max_age_months: int
) -> pl.DataFrame:
    """Join to each row the latest period that was public before the day ``on``.

    A filing counts from the day after ``filed_at``. Of several filings of a period the latest
    public one counts; a late filing of an older period never displaces a newer period. Facts
    whose period ended more than ``max_age_months`` before are too old: their columns are null.

    Parameters
    ----------
    rows
        ``security_id`` and the date column ``on``, without null.
    facts
        Unique ``security_id, period_end, filed_at``, and the facts.
    on
        Name of the column with the day to look from.
    max_age_months
        Calendar months from ``period_end`` to the last day a fact counts on.

    Returns
    -------
    pl.DataFrame
        ``rows`` sorted by security and day with the columns of ``facts`` (null where nothing was
        public yet), and ``too_old`` (never null).

    Raises
    ------
    DataError
        When a security has two filings of one period on a day.
    """
    newest = (
        sorted_by_key(facts, ("security_id", "filed_at", "period_end"), what="filings")
        .filter(pl.col("period_end") == pl.col("period_end").cum_max().over("security_id"))
        .sort("filed_at", "security_id", "period_end")
    )
    found = rows.sort(on, "security_id").join_asof(
        newest,
        left_on=on,
        right_on="filed_at",
        by="security_id",
        strategy="backward",
        allow_exact_matches=False,
        check_sortedness=False,
    )
    too_old = pl.col("period_end").dt.offset_by(f"{max_age_months}mo") < pl.col(on)
    facts_of = [c for c in facts.columns if c != "security_id"]
    return (
        found.with_columns(too_old=too_old.fill_null(value=False))
        .with_columns(pl.when(~pl.col("too_old")).then(pl.col(facts_of)).name.keep())
        .sort("security_id", on)
    )
