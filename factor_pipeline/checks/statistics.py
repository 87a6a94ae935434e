"""Check of the alphas: random ones, estimated again by statsmodels."""

from typing import Final

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import all_months, asset_key
from factor_pipeline.assets.factors import library_vintage
from factor_pipeline.checks.results import Finding, reported
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.alphas import IS_SPREAD
from factor_pipeline.schemas.statistics import ALPHA
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

SAMPLE: Final = 20
"""Rows that statsmodels estimates again."""

# Two ways to solve the same equations; t-values are of order 1, those of the market of order 100.
_AGREEMENT: Final = 1e-9


def statistics_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""

    @dg.asset_check(
        asset=asset_key(ALPHA),
        name="agrees_with_statsmodels",
        blocking=True,
        description=f"{SAMPLE} random rows, estimated again by statsmodels.",
        required_resource_keys={"warehouse", "settings"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        warehouse: Warehouse = context.resources.warehouse
        finding = agreement(warehouse, context.resources.settings)
        return reported(
            warehouse, ALPHA.qualified_name, "agrees_with_statsmodels", "error", finding
        )

    return [check]


def agreement(warehouse: Warehouse, settings: Settings) -> Finding:
    """Estimate random alphas again with statsmodels and compare."""
    factors = warehouse.read_months(
        load_sql("risk/factors"),
        all_months(settings),
        source="library",
        vintage=library_vintage(warehouse, settings),
    )
    rows = warehouse.read(load_sql("checks/sample_alphas"), rows=SAMPLE)
    samples = rows.join(factors, on="month_end", maintain_order="left").partition_by(
        "sort", "weighting", "cell", "model", maintain_order=True
    )
    differences = [_difference(sample) for sample in samples]
    # Written so that a difference that is not a number fails.
    off = sum(not difference <= _AGREEMENT for difference in differences)
    return Finding(
        passed=not off,
        failing_rows=off,
        # What is published names no difference: its last bits depend on the machine's algebra.
        observed=f"{len(differences)} rows estimated again, {off} differ by more than "
        f"{_AGREEMENT:g}",
        metadata={
            "tolerance": _AGREEMENT,
            "largest_difference": max(differences, default=0.0),
        },
    )


def _difference(sample: pl.DataFrame) -> float:
    """Largest difference of a stored estimate from what statsmodels makes of its months."""
    # Imported late: every command loads this module, and statsmodels takes a second.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # noqa: PLC0415

    stored = sample.row(0, named=True)
    model = next(model for model in MODELS if model.name == stored["model"])
    excess = pl.when(IS_SPREAD).then("ret").otherwise(pl.col("ret") - pl.col("rf"))
    complete = sample.with_columns(excess=excess).drop_nulls(["excess", *model.series])
    if complete.height != stored["months"]:
        return float("inf")
    design = complete.select(pl.lit(1.0).alias("alpha"), *model.series).to_numpy()
    fit = OLS(complete["excess"].to_numpy(), design).fit(
        cov_type="HAC", cov_kwds={"maxlags": stored["nw_lag"]}
    )
    pairs = [
        (stored["alpha"], fit.params[0]),
        (stored["t_alpha"], fit.tvalues[0]),
        (stored["beta_mkt"], fit.params[1]),
        (stored["r2"], fit.rsquared),
    ]
    return max(float(abs(ours - theirs) / max(1.0, abs(theirs))) for ours, theirs in pairs)
