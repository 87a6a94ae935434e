"""Whether those that left are still where they belong."""

import polars as pl

from factor_pipeline.audit.findings import ABSENT, Finding, Offence, key_of, written
from factor_pipeline.months import MonthRange
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

_LEDGER = ("reason", "ret")


def check_survivorship(warehouse: Warehouse, months: MonthRange) -> Finding:
    """Look for securities that are missing from the past or live on after their end.

    - Every security with prices, member of the index or not, is in ``panel.security_month`` in
      each month that has a price and in the month of its delisting, and in no other month.
    - Every security a strategy held when it left (a return of -1, a delisting on record, or 12
      months without a price) is in ``backtest.ledger`` with that reason and that return, and
      nothing else is.

    What is expected is derived from the raw tables by SQL of its own. Securities without any
    price in the files cannot be found here: ``panel.index_coverage`` counts them.

    Parameters
    ----------
    months
        Months that are built.
    """
    panel = warehouse.read_months(load_sql("audit/panel_rows"), months)
    exits = warehouse.read(load_sql("audit/exits"))
    in_both = pl.col("is_expected") & pl.col("is_stored")
    misplaced = panel.filter(pl.col("is_expected") != pl.col("is_stored"))
    wrong = exits.with_columns(
        cells=pl.when(pl.col("is_expected") != pl.col("is_stored"))
        .then(1)
        .when(in_both)
        .then(
            pl.sum_horizontal(
                pl.col(column).ne_missing(pl.col(f"expected_{column}")) for column in _LEDGER
            )
        )
        .otherwise(0)
    ).filter(pl.col("cells") > 0)
    return Finding(
        "survivorship",
        None,
        2,
        panel.height + exits.height,
        misplaced.height + int(wrong["cells"].sum()),
        _first(misplaced, "panel.security_month") or _first(wrong, "backtest.ledger"),
    )


def _first(offending: pl.DataFrame, table: str) -> Offence | None:
    row = next(offending.iter_rows(named=True), None)
    if row is None:
        return None
    key = key_of(row, [c for c in ("strategy", "security_id", "month_end") if c in row])
    if row["is_expected"] != row["is_stored"]:
        sides = ("a row", ABSENT) if row["is_stored"] else (ABSENT, "a row")
        return Offence(table, key, "row", *sides)
    column = next(c for c in _LEDGER if row[c] != row[f"expected_{c}"])
    return Offence(table, key, column, written(row[column]), written(row[f"expected_{column}"]))
