"""Checks of whole numbers: against the library, against the vendor, against the index."""

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import asset_key, markdown
from factor_pipeline.checks.results import Finding, warehouse_check
from factor_pipeline.schemas.factor import COMPARISON
from factor_pipeline.schemas.panel import INDEX_COVERAGE, PRICE_CHECK
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

# The files print two decimals: a mean of rounded cells is off by up to 0.0101 points.
_ROUNDING_POINTS = 0.0101
_MARKET_CORRELATION = 0.9
_MISSING_MEMBERS = 0.05


def number_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    library = dg.AssetKey(["factor", "library_factor"])
    return [
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
