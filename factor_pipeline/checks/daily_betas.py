"""Checks of what is made of daily returns: against plain statistics, and for what is missing."""

from typing import Any, Final

import dagster as dg
import numpy as np
import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.assets.risk import daily_factors
from factor_pipeline.checks.results import Finding, estimated_again, run_check
from factor_pipeline.compute.betas.market import CORRELATION_DAYS, VOLATILITY_DAYS
from factor_pipeline.compute.betas.market_days import MarketDays
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.output import TOO_FEW
from factor_pipeline.compute.betas.windows import Floats
from factor_pipeline.compute.returns import daily_returns, settled_returns
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.risk import DAILY_BETA, MARKET_BETA
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

SAMPLE: Final = 10
"""Rows of the run, of each table, that are estimated again."""


def daily_beta_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        run_check(
            DAILY_BETA,
            "agrees_with_statsmodels",
            "error",
            f"{SAMPLE} random rows of the run, estimated again by statsmodels from raw prices.",
            regressions_agree,
        ),
        run_check(
            DAILY_BETA,
            "covers_the_panel",
            "warn",
            "Every stock-month has its rows, with estimates where there are enough returns; no "
            "price lies on a day without factors.",
            coverage,
        ),
        run_check(
            MARKET_BETA,
            "agrees_with_plain_statistics",
            "error",
            f"{SAMPLE} random rows of the run, estimated again day by day from raw prices.",
            figures_agree,
        ),
        run_check(
            MARKET_BETA,
            "figures_are_there",
            "warn",
            "Only too few returns are a reason for a figure to be missing.",
            completeness,
        ),
    ]


def regressions_agree(warehouse: Warehouse, settings: Settings, months: MonthRange) -> Finding:
    """Estimate random rows of ``months`` again with statsmodels and compare."""
    sample = warehouse.read_months(load_sql("risk/sample_daily_betas"), months, rows=SAMPLE)
    factors = daily_factors(warehouse, settings, months)
    window = settings.betas.daily_window_days
    differences = [
        _regression_difference(row, _days(warehouse, settings, factors, row).tail(window))
        for row in sample.iter_rows(named=True)
    ]
    return estimated_again(differences)


def figures_agree(warehouse: Warehouse, settings: Settings, months: MonthRange) -> Finding:
    """Estimate random rows of ``months`` again from shifted columns and compare."""
    sample = warehouse.read_months(load_sql("risk/sample_market_betas"), months, rows=SAMPLE)
    factors = daily_factors(warehouse, settings, months)
    window = settings.betas.daily_window_days
    differences = [
        _figure_difference(row, _days(warehouse, settings, factors, row), window)
        for row in sample.iter_rows(named=True)
    ]
    return estimated_again(differences)


def coverage(warehouse: Warehouse, settings: Settings, months: MonthRange) -> Finding:
    """Count stock-months without rows or without estimates, and prices on other days."""
    counts = warehouse.read_months(load_sql("risk/daily_coverage"), months)
    off_market = int(warehouse.read_months(load_sql("risk/days_off_market"), months).item())
    editions = daily_factors(warehouse, settings, months)["vintage"].unique().sort().to_list()
    absent = counts.filter(pl.col("reason").is_not_null(), pl.col("reason") != TOO_FEW)
    failing = int(absent["stock_months"].sum())
    estimated = int(counts.filter(pl.col("reason").is_null())["stock_months"].sum())
    return Finding(
        passed=not failing and not off_market,
        failing_rows=failing + off_market,
        observed=f"{estimated} of {int(counts['stock_months'].sum())} rows have estimates, "
        f"{failing} lack them for another reason than too few returns, {off_market} prices are on "
        f"days without factors; daily factors of vintage {', '.join(editions) or 'none'}",
        metadata={"rows": markdown(counts)},
    )


def completeness(warehouse: Warehouse, _: Settings, months: MonthRange) -> Finding:
    """Count figures that are missing for another reason than too few returns."""
    counts = warehouse.read_months(load_sql("risk/market_coverage"), months)
    absent = counts.filter(pl.col("reason").is_not_null(), pl.col("reason") != TOO_FEW)
    failing = int(absent["stock_months"].sum())
    known = int(counts.filter(pl.col("reason").is_null())["stock_months"].sum())
    return Finding(
        passed=not failing,
        failing_rows=failing,
        observed=f"{known} of {int(counts['stock_months'].sum())} figures are known, {failing} "
        "are not for another reason than too few returns",
        metadata={"rows": markdown(counts)},
    )


def _days(
    warehouse: Warehouse, settings: Settings, factors: pl.DataFrame, row: dict[str, Any]
) -> pl.DataFrame:
    """Market days up to the end of the row's month, with its stock's returns and the factors."""
    month = MonthRange.of_months(row["month_end"], row["month_end"])
    days = MarketDays.of(factors, month)
    windows = days.months_of_windows(month, CORRELATION_DAYS)
    security: int = row["security_id"]
    prices = warehouse.read_months(
        load_sql("risk/daily_prices"),
        windows,
        first_security=security,
        last_security=security,
    )
    returns = settled_returns(
        daily_returns(prices),
        dispute=settings.panel.disputed_return,
        excluded=warehouse.read_months(load_sql("risk/excluded_months"), windows),
    )
    calendar = pl.DataFrame({"date": pl.Series(days.days).cast(pl.Int32).cast(pl.Date)})
    return (
        calendar.join(returns, on="date", how="left", maintain_order="left")
        .join(factors, on="date", how="left", maintain_order="left")
        .with_columns(market=pl.col("mkt") + pl.col("rf"))
    )


def _regression_difference(row: dict[str, Any], window: pl.DataFrame) -> float:
    """Largest difference of an estimate from what statsmodels makes of its window."""
    model = next(model for model in MODELS if model.name == row["model"])
    complete = window.drop_nulls(["ret", "rf", *model.series])
    if complete.height != row["n"]:
        return float("inf")
    excess = (complete["ret"] - complete["rf"]).to_numpy()
    fit = _least_squares(excess, complete.select(model.series).to_numpy())
    coefficients = ["alpha", *(f"beta_{loading}" for loading in model.loadings)]
    pairs = [
        *((row[name], value) for name, value in zip(coefficients, fit.params, strict=True)),
        (row["se_alpha"], fit.bse[0]),
        (row["se_mkt"], fit.bse[1]),
        (row["residual_volatility"], np.sqrt(fit.mse_resid)),
    ]
    # Without variation R2 is undefined, here and there.
    pairs += [] if row["r2"] is None else [(row["r2"], fit.rsquared)]
    return max(float(abs(ours - theirs)) for ours, theirs in pairs)


def _figure_difference(row: dict[str, Any], days: pl.DataFrame, window_days: int) -> float:
    """Largest difference of a figure from one made of shifted columns."""
    market, ret = pl.col("market"), pl.col("ret")
    # Explained with the day after, so not beyond the last day but one.
    around = days.select(ret, before=market.shift(1), today=market, after=market.shift(-1))
    explained = around.slice(days.height - 1 - window_days, window_days).drop_nulls()
    logs = days.select(ret.log1p(), market.log1p()).with_columns(
        stock_sum=ret + ret.shift(1) + ret.shift(2),
        market_sum=market + market.shift(1) + market.shift(2),
    )
    sums = logs.select("stock_sum", "market_sum").tail(CORRELATION_DAYS).drop_nulls().to_numpy()
    year = logs.select("ret", "market").tail(VOLATILITY_DAYS).drop_nulls().to_numpy()
    simple = days["ret"].tail(VOLATILITY_DAYS).drop_nulls().to_numpy()
    if (len(explained), len(sums), len(simple)) != (
        row["n_dimson"],
        row["n_correlation"],
        row["n_volatility"],
    ):
        return float("inf")
    fit = _least_squares(explained["ret"].to_numpy(), explained.drop("ret").to_numpy())
    rho = float(np.corrcoef(sums[:, 0], sums[:, 1])[0, 1])
    stock, of_market = year.std(axis=0, ddof=1)
    pairs = [
        (row["beta_dimson"], fit.params[1:].sum()),
        (row["correlation"], rho),
        (row["beta_frazzini_pedersen"], 0.6 * rho * stock / of_market + 0.4),
        (row["volatility_252d"], simple.std(ddof=1) * np.sqrt(252)),
    ]
    return max(float(abs(ours - theirs)) for ours, theirs in pairs)


def _least_squares(y: Floats, regressors: Floats) -> Any:  # noqa: ANN401 - statsmodels has no types
    # Imported late: every command loads this module, and statsmodels takes a second.
    from statsmodels.regression.linear_model import OLS  # type: ignore[import-untyped]  # noqa: PLC0415

    return OLS(y, np.column_stack([np.ones(len(y)), regressors])).fit()
