"""Checks of the rolling betas: against statsmodels, against each other, against the market."""

from typing import Final

import dagster as dg
import numpy as np
import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.assets.factors import library_vintage
from factor_pipeline.checks.results import Finding, estimated_again, run_check
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.output import TOO_FEW
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

SAMPLE: Final = 20
"""Rows of the run that statsmodels estimates again."""

# Betas are estimated over years in which weights drift and stocks come and go: the mean of a few
# stocks can be anywhere, that of a market is near 1.
_NEAR_ONE: Final = 0.1
_MARKET_STOCKS: Final = 100


def beta_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        run_check(
            ROLLING_BETA,
            "agrees_with_statsmodels",
            "error",
            f"{SAMPLE} random rows of the run, estimated again by statsmodels.",
            agreement,
        ),
        run_check(
            ROLLING_BETA,
            "every_window_is_regular",
            "warn",
            "Windows with enough returns have estimates: factors are not collinear.",
            regularity,
        ),
        run_check(
            ROLLING_BETA,
            "market_beta_is_one",
            "warn",
            "The value-weighted mean of the CAPM betas of a month is near 1.",
            market_beta,
        ),
    ]


def agreement(warehouse: Warehouse, settings: Settings, months: MonthRange) -> Finding:
    """Estimate random rows of ``months`` again with statsmodels and compare."""
    window = settings.betas.window_months
    returns = warehouse.read_months(
        load_sql("risk/sample_windows"), months, rows=SAMPLE, window_months=window
    )
    factors = warehouse.read_months(
        load_sql("risk/factors"),
        months.widened(back=window - 1),
        source=settings.betas.factors,
        vintage=library_vintage(warehouse, settings),
    )
    windows = returns.join(factors, on="month_end", how="left", maintain_order="left").partition_by(
        "security_id", "last_month", "model", maintain_order=True
    )
    differences = [_difference(rows) for rows in windows]
    return estimated_again(differences)


def _difference(window: pl.DataFrame) -> float:
    """Largest difference of an estimate from what statsmodels makes of its window."""
    # Imported late: every command loads this module, and statsmodels takes a second.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # noqa: PLC0415

    stored = window.row(0, named=True)
    model = next(model for model in MODELS if model.name == stored["model"])
    complete = window.drop_nulls(["rf", *model.series])
    if complete.height != stored["n"]:
        return float("inf")
    excess = (complete["ret"] - complete["rf"]).to_numpy()
    design = complete.select(pl.lit(1.0).alias("alpha"), *model.series).to_numpy()
    fit = OLS(excess, design).fit()
    pairs = {
        "alpha": fit.params[0],
        "beta_mkt": fit.params[1],
        "se_alpha": fit.bse[0],
        "se_mkt": fit.bse[1],
        "residual_volatility": np.sqrt(fit.mse_resid),
        # Without variation R2 is undefined, here and there.
        "r2": stored["r2"] if stored["r2"] is None else fit.rsquared,
    }
    known = {name: value for name, value in pairs.items() if value is not None}
    return max(float(abs(stored[name] - value)) for name, value in known.items())


def regularity(warehouse: Warehouse, _: Settings, months: MonthRange) -> Finding:
    """Count windows that have enough returns and yet no estimate."""
    counts = warehouse.read_months(load_sql("risk/irregular_windows"), months)
    irregular = counts.filter(pl.col("reason").is_not_null(), pl.col("reason") != TOO_FEW)
    rows, failing = int(counts["stock_months"].sum()), int(irregular["stock_months"].sum())
    estimated = int(counts.filter(pl.col("reason").is_null())["stock_months"].sum())
    return Finding(
        passed=not failing,
        failing_rows=failing,
        observed=f"{estimated} of {rows} rows have estimates, {failing} windows are irregular",
        metadata={"rows": markdown(counts)},
    )


def market_beta(warehouse: Warehouse, _: Settings, months: MonthRange) -> Finding:
    """Compare the value-weighted mean of the CAPM betas with 1, by month."""
    means = warehouse.read_months(load_sql("risk/market_beta"), months)
    broad = means.filter(pl.col("stocks") >= _MARKET_STOCKS)
    off = broad.filter((pl.col("market_beta") - 1).abs() > _NEAR_ONE)
    seen = broad["market_beta"].to_list()
    return Finding(
        passed=off.is_empty(),
        failing_rows=off.height,
        observed=f"between {min(seen):.3f} and {max(seen):.3f} in {len(seen)} months"
        if seen
        else f"no month has {_MARKET_STOCKS} stocks with a beta",
        metadata={"months_off": markdown(off.head(20))},
    )
