"""Check of the alphas: random ones, estimated again by statsmodels."""

from typing import Final

import dagster as dg
import polars as pl

from factor_pipeline.assets.factors import library_vintage
from factor_pipeline.checks.results import Finding, estimated_again, run_check
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.alphas import IS_SPREAD
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.statistics import ALPHA
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

SAMPLE: Final = 20
"""Rows that statsmodels estimates again."""


def statistics_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        run_check(
            ALPHA,
            "agrees_with_statsmodels",
            "error",
            f"{SAMPLE} random rows, estimated again by statsmodels.",
            agreement,
        )
    ]


def agreement(warehouse: Warehouse, settings: Settings, months: MonthRange) -> Finding:
    """Estimate random alphas again with statsmodels and compare."""
    factors = warehouse.read_months(
        load_sql("risk/factors"),
        months,
        source="library",
        vintage=library_vintage(warehouse, settings),
    )
    rows = warehouse.read(load_sql("checks/sample_alphas"), rows=SAMPLE)
    samples = rows.join(factors, on="month_end", maintain_order="left").partition_by(
        "sort", "weighting", "cell", "model", maintain_order=True
    )
    differences = [_difference(sample) for sample in samples]
    return estimated_again(differences)


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
