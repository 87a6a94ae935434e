"""Checks of what regimes and fund promises need: macro series and prices of funds."""

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import asset_key, markdown
from factor_pipeline.checks.results import Finding, warehouse_check
from factor_pipeline.compute.funds.promises import UNKNOWN_TICKER
from factor_pipeline.compute.regimes.inputs import SERIES
from factor_pipeline.schemas.factor_etf import ETF_CHECK
from factor_pipeline.schemas.factor_regime import REGIME
from factor_pipeline.warehouse.store import Warehouse


def outside_data_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        warehouse_check(
            asset_key(REGIME),
            "macro_series_are_there",
            "warn",
            f"The macro series {', '.join(SERIES)} exist: without one there are no regimes.",
            macro_series,
        ),
        warehouse_check(
            asset_key(ETF_CHECK),
            "every_ticker_has_prices",
            "warn",
            "Every fund with a promise has prices.",
            tickers,
        ),
    ]


def macro_series(warehouse: Warehouse) -> Finding:
    """Look which macro series the regimes need are missing, and count what was carried on."""
    counts = warehouse.read("select series, count(*) as observations from raw.macro group by all")
    there = dict(counts.iter_rows())
    missing = [name for name in SERIES if name not in there]
    rows = warehouse.table(REGIME)
    carried = rows.filter(pl.col("carried_inputs") > 0).height
    if missing:
        observed = (
            f"no regimes: {', '.join(missing)} missing; set macro.source and macro.path to files "
            "of all series"
        )
    elif rows.is_empty():
        observed = "no regimes: the series have no month in common; fetch them for the same years"
    else:
        observed = f"{rows.height} rows, {carried} of them with observations of an earlier month"
    return Finding(
        passed=not missing and not rows.is_empty(),
        failing_rows=len(missing),
        observed=observed,
        metadata={name: there.get(name, 0) for name in SERIES},
    )


def tickers(warehouse: Warehouse) -> Finding:
    """Look which funds with a promise have no prices."""
    rows = warehouse.table(ETF_CHECK)
    unknown = rows.filter(pl.col("verdict") == UNKNOWN_TICKER)["ticker"].unique().sort().to_list()
    return Finding(
        passed=not unknown,
        failing_rows=len(unknown),
        observed=f"no prices of {', '.join(unknown)}; add files or change etf.promises"
        if unknown
        else f"{rows['ticker'].n_unique()} funds, all with prices",
        metadata={"promises": markdown(rows)},
    )
