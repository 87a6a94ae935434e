"""Book equity, and what was public about a firm on a given day."""

from typing import Literal

import polars as pl

DeferredTaxes = Literal["until_1993", "always", "never"]

# The library's files since 2016 stop adding deferred taxes for fiscal years ending 1993 or later
# (FASB 109 changed what they mean).
_LAST_YEAR_WITH_DEFERRED_TAXES = 1992


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
    return equity + taxes - pl.col("preferred_stock").fill_null(0.0)


def balance_facts(
    balance: pl.DataFrame, *, filing_lag_months: int, deferred_taxes: DeferredTaxes
) -> pl.DataFrame:
    """Balance-sheet rows with book equity and the day each became public.

    Parameters
    ----------
    balance
        Balance-sheet rows of ``raw.fundamental`` with ``security_id``.
    filing_lag_months
        Added to ``period_end`` where the vendor gives no filing date.

    Returns
    -------
    pl.DataFrame
        ``panel.book_equity``, sorted by its key. Of filings of one period on one day the last
        in vendor order stays.
    """
    assumed = pl.col("period_end").dt.offset_by(f"{filing_lag_months}mo").dt.month_end()
    return (
        balance.with_columns(
            filed_at_assumed=pl.col("filed_at").is_null(),
            filed_at=pl.coalesce("filed_at", assumed),
            book_equity=book_equity(deferred_taxes),
        )
        .unique(["security_id", "period_end", "filed_at"], keep="last", maintain_order=True)
        .sort("security_id", "period_end", "filed_at")
        .select(
            "security_id",
            "fiscal_year",
            "period_end",
            "filed_at",
            "filed_at_assumed",
            "book_equity",
            "total_assets",
            "shares",
            "shares_basis_date",
        )
    )


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
        ``security_id`` and the date column ``on``.
    facts
        ``security_id, period_end, filed_at`` and the facts.

    Returns
    -------
    pl.DataFrame
        ``rows`` sorted by security and day with the columns of ``facts``, and ``too_old``.
    """
    newest = (
        facts.sort("security_id", "filed_at", "period_end")
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
