"""Whether each share count and filed figure in use was public on the day it was used."""

import polars as pl

from factor_pipeline.audit.findings import Finding, Offence, key_of, written
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

# Restating through splits and dividing by market equity rounds a few times; two filings whose
# figures agree this closely are the same to any signal.
_TOLERANCE = 1e-9


def check_filings(warehouse: Warehouse, settings: Settings) -> Finding:
    """Look for figures that no filing public by then explains.

    For each ``panel.security_month.shares`` and, in ``signal.characteristic``, ``book_to_market``,
    ``book_to_market_monthly``, ``earnings_to_price`` and ``gross_profitability`` the filings with
    that very figure are looked up in the raw table, by SQL that shares nothing with the pipeline.
    A value offends when the first of them was filed on or after the day it was used on, or when
    there is none. Shares are used on the stock's last trading day of the month; other figures on
    the last trading day of June, or of the month before for ``book_to_market_monthly``.

    A figure equal in two filings is given the benefit of the earlier one.
    """
    rules = settings.panel
    parameters = {"lag_months": rules.filing_lag_months, "tolerance": _TOLERANCE}
    shares = warehouse.read(load_sql("audit/shares_used"), **parameters).with_columns(
        table=pl.lit("panel.security_month"), column=pl.lit("shares")
    )
    books = warehouse.read(
        load_sql("audit/book_equity_used"), **parameters, deferred_taxes=rules.add_deferred_taxes
    )
    flows = warehouse.read(load_sql("audit/statements_used"), **parameters)
    ratios = (
        pl.concat([books, flows.select(books.columns)])
        .with_columns(table=pl.lit("signal.characteristic"))
        .rename({"figure": "column"})
    )
    used = pl.concat([shares, ratios.select(shares.columns)])
    in_time = (pl.col("public_at") < pl.col("used_on")).fill_null(value=False)
    offending = used.filter(~in_time)
    return Finding(
        "filing", None, used["table"].n_unique(), used.height, offending.height, _first(offending)
    )


def _first(offending: pl.DataFrame) -> Offence | None:
    row = next(offending.iter_rows(named=True), None)
    if row is None:
        return None
    filed = f"first filed on {row['public_at']}" if row["public_at"] else "in no filing"
    return Offence(
        row["table"],
        key_of(row, ("security_id", "month_end")),
        row["column"],
        f"{written(row['used_value'])} ({filed})",
        f"a figure filed before {row['used_on']}",
    )
