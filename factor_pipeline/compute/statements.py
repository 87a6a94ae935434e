"""Income and cash-flow statements: what was public of them on each day of filing."""

from typing import Final

import polars as pl

from factor_pipeline.compute.fundamentals import (
    FILING_KEY,
    as_of_each_filing,
    once_a_day,
    with_public_date,
)

FLOWS: Final = {
    "income": (
        "revenue",
        "cost_of_revenue",
        "selling_general_administrative",
        "interest_expense",
        "net_income",
    ),
    "cashflow": ("operating_cash_flow", "depreciation", "dividends_paid"),
}
"""Statements of flows and the figures used of each."""

STATEMENT_SCHEMA = pl.Schema(
    {
        "security_id": pl.Int64(),
        "fiscal_year": pl.Int32(),
        "period_end": pl.Date(),
        "filed_at": pl.Date(),
        "filed_at_assumed": pl.Boolean(),
        **{name: pl.Float64() for names in FLOWS.values() for name in names},
    }
)


def statement_facts(statements: pl.DataFrame, *, filing_lag_months: int) -> pl.DataFrame:
    """Figures of income and cash-flow statements and the day each became public.

    Parameters
    ----------
    statements
        Rows of ``raw.fundamental`` with ``security_id``; balance sheets are left out.
    filing_lag_months
        Where the vendor gives no filing date, figures count as filed at the end of the month
        this many after that of ``period_end``.

    Returns
    -------
    pl.DataFrame
        ``panel.statement``, sorted by its key: a row per day on which a statement of the period
        was filed, with the figures of both statements as known from that day on. A figure not
        yet filed, or left out by the latest filing of its statement, is null. Where a stated and
        an assumed filing fall on one day, the stated one stays.
    """
    public = with_public_date(statements, filing_lag_months)
    flows = public.filter(pl.col("statement").is_in(list(FLOWS)))
    filings = once_a_day(flows.select(*FILING_KEY, "filed_at_assumed", "fiscal_year"))
    figures = [
        once_a_day(
            flows.filter(pl.col("statement") == statement).select(
                *FILING_KEY, "filed_at_assumed", *names
            )
        ).drop("filed_at_assumed")
        for statement, names in FLOWS.items()
    ]
    return as_of_each_filing([filings, *figures]).select(STATEMENT_SCHEMA.names())
