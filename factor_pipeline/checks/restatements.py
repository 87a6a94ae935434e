"""What is checked of each raw data set: how much of what was known its newest versions change."""

import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.checks.results import Finding
from factor_pipeline.warehouse.store import Warehouse

_SHOWN_ROWS = 20


def restated_rows(warehouse: Warehouse, data_set: str, max_share: float) -> Finding:
    """Add up what the newest versions of the files of a data set change.

    Rows after the last day of their file are news, not changes. The finding stands until other
    versions come.

    Parameters
    ----------
    warehouse
        With ``quality.vintage_diff``.
    data_set
        Key of ``schemas.raw.DATA_SETS``.
    max_share
        Largest share of the rows before that may be added, removed or changed.
    """
    rows = warehouse.read(
        "select * from quality.vintage_diff where data_set = $data_set and known_from = "
        "(select max(known_from) from quality.vintage_diff where data_set = $data_set) "
        "order by month_end, column_name",
        data_set=data_set,
    )
    if rows.is_empty():
        return Finding(
            passed=True, failing_rows=0, observed="no file has been restated", metadata={}
        )
    whole = rows.filter(pl.col("column_name") == "*").with_columns(
        changes=pl.col("rows_added") + pl.col("rows_removed") + pl.col("rows_changed")
    )
    changed = int(whole["changes"].sum())
    now = warehouse.read(
        'select coalesce(sum("rows"), 0) from raw.ingest_log where data_set = $data_set',
        data_set=data_set,
    ).item()
    before = int(now) + int(
        whole.select(pl.col("rows_removed", "rows_added", "rows_new").sum())
        .select(pl.col("rows_removed") - pl.col("rows_added") - pl.col("rows_new"))
        .item()
    )
    share = changed / before if before else 0.0
    time = f"the versions of {rows['known_from'][0]:%Y-%m-%d %H:%M} UTC"
    month = whole.sort("changes", "month_end", descending=True)["month_end"][0]
    most = f", most in {month:%Y-%m}" if changed and month else ""
    return Finding(
        passed=share <= max_share,
        failing_rows=changed,
        observed=f"{time} change {changed} of {before} rows ({100 * share:.2f} %){most}; "
        "see quality.vintage_diff",
        metadata={"changes": markdown(rows.tail(_SHOWN_ROWS))},
    )
