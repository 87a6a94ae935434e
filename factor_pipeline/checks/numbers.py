"""Checks of whole numbers: against the library, against the vendor, against the index."""

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import asset_key, markdown
from factor_pipeline.assets.raw import raw_key
from factor_pipeline.checks.results import Finding, warehouse_check
from factor_pipeline.schemas.factor import COMPARISON
from factor_pipeline.schemas.panel import INDEX_COVERAGE, PRICE_CHECK
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

# The files print two decimals: a mean of rounded cells is off by up to 0.0101 points.
_ROUNDING_POINTS = 0.0101
_MARKET_CORRELATION = 0.9
_MISSING_MEMBERS = 0.05
_SHOWN_ROWS = 20


def number_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    library = dg.AssetKey(["factor", "library_factor"])
    return [
        *(_raw_grain(data_set) for data_set in DATA_SETS),
        *(_quarantine(data_set) for data_set in DATA_SETS),
        warehouse_check(
            library,
            "reproduced_from_six_portfolios",
            "error",
            "SMB, HML and UMD rebuilt from the library's own six portfolios of one vintage.",
            _reproduced,
        ),
        warehouse_check(
            asset_key(PRICE_CHECK),
            "vendor_agrees_with_itself",
            "warn",
            "Returns from close, split and dividend equal those of the adjusted close.",
            _disputes,
        ),
        warehouse_check(
            asset_key(INDEX_COVERAGE),
            "survivorship",
            "warn",
            "Prices exist for nearly all index members of each month.",
            _survivorship,
        ),
        warehouse_check(
            asset_key(COMPARISON),
            "market_follows_the_library",
            "warn",
            "Our market factor moves with the library's.",
            _market,
        ),
    ]


def _raw_grain(data_set: str) -> dg.AssetChecksDefinition:
    """One row per key: two files must not deliver the same row."""
    return warehouse_check(
        raw_key(data_set),
        "grain",
        "error",
        f"One row per ({', '.join(DATA_SETS[data_set].key)}).",
        lambda warehouse: raw_grain(warehouse, data_set),
    )


def raw_grain(warehouse: Warehouse, data_set: str) -> Finding:
    """Look for keys that the raw table of ``data_set`` has twice."""
    table = DATA_SETS[data_set]
    name, key = table.qualified_name, ", ".join(table.key)
    # As many different hashes as rows: no key is there twice. Five times as fast as grouping.
    alike = f"select count(*) - count(distinct hash({key})) from {name}"  # noqa: S608
    grouped = (
        f"select {key}, count(*) as copies, min(file) as first_file, max(file) as last_file "  # noqa: S608
        f"from {name} group by {key} having count(*) > 1 order by {key} limit {_SHOWN_ROWS}"
    )
    repeated = warehouse.read(grouped) if warehouse.read(alike).item() else table.empty()
    return Finding(
        passed=repeated.is_empty(),
        failing_rows=repeated.height,
        observed=f"{repeated.height} repeated keys ({key})",
        metadata={"repeated": markdown(repeated)},
    )


def _quarantine(data_set: str) -> dg.AssetChecksDefinition:
    def look(warehouse: Warehouse) -> Finding:
        rows = warehouse.read(
            'select file, "row", rule, reason, value from quality.quarantine '
            'where data_set = $data_set order by file, "row"',
            data_set=data_set,
        )
        return Finding(
            passed=rows.is_empty(),
            failing_rows=rows.height,
            observed=f"{rows.height} entries in quarantine",
            metadata={"quarantine": markdown(rows.head(_SHOWN_ROWS))},
        )

    return warehouse_check(
        raw_key(data_set), "quarantine_is_empty", "warn", "Every file and row was usable.", look
    )


def _reproduced(warehouse: Warehouse) -> Finding:
    rows = warehouse.read(load_sql("checks/reproduced_factors"))
    same = pl.col("portfolio_vintage") == pl.col("factor_vintage")
    off = rows.filter(same, pl.col("largest_difference") > _ROUNDING_POINTS)
    verdict = (
        pl.when(~same)
        .then(pl.lit("another vintage"))
        .when(pl.col("largest_difference") > _ROUNDING_POINTS)
        .then(pl.lit("differs"))
        .otherwise(pl.lit("within rounding"))
    )
    compared = rows.filter(same).height
    return Finding(
        passed=off.is_empty(),
        failing_rows=off.height,
        observed=f"{compared} factors rebuilt within a vintage, {off.height} beyond rounding; "
        f"{rows.height - compared} compared across vintages",
        metadata={"rebuilt": markdown(rows.with_columns(verdict=verdict))},
    )


def _disputes(warehouse: Warehouse) -> Finding:
    rows = warehouse.table(PRICE_CHECK).drop("security_id")
    return Finding(
        passed=rows.is_empty(),
        failing_rows=rows.height,
        observed=f"{rows.height} days differ; panel.disputed_return says what becomes of them",
        metadata={"days": markdown(rows.head(20))},
    )


def _survivorship(warehouse: Warehouse) -> Finding:
    rows = warehouse.table(INDEX_COVERAGE)
    short = rows.filter(pl.col("missing_share") > _MISSING_MEMBERS)
    worst = rows["missing_share"].max()
    share = f"{worst:.1%}" if isinstance(worst, float) else "unknown"
    return Finding(
        passed=short.is_empty(),
        failing_rows=short.height,
        observed=f"up to {share} of the index members of a month have no prices: "
        "results carry survivorship bias to that extent",
        metadata={"by_year": markdown(rows.filter(pl.col("month_end").dt.month() == 6))},  # noqa: PLR2004
    )


def _market(warehouse: Warehouse) -> Finding:
    rows = warehouse.table(COMPARISON)
    market = rows.filter(pl.col("factor") == "MKT", pl.col("correlation").is_not_null())
    low = market.filter(pl.col("correlation") < _MARKET_CORRELATION)
    return Finding(
        passed=low.is_empty() and not market.is_empty(),
        failing_rows=low.height,
        observed=", ".join(
            f"{vintage}: {correlation:.3f} over {months} months"
            for vintage, correlation, months in market.select(
                "vintage", "correlation", "months"
            ).iter_rows()
        )
        or "nothing to compare",
        metadata={"comparison": markdown(rows)},
    )
