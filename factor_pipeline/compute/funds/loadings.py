"""What funds load on: regressions of their returns on the library's factor models."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import MODELS, Model
from factor_pipeline.compute.hac import HacFit, hac_fit

MIN_FUND_MONTHS: Final = 24
"""Fewest months a fund's loadings are estimated from."""

LOADING_SCHEMA = pl.Schema(
    {
        "ticker": pl.String(),
        "model": pl.String(),
        "factor": pl.String(),
        "vintage": pl.String(),
        "months": pl.Int64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "beta": pl.Float64(),
        "standard_error": pl.Float64(),
        "t": pl.Float64(),
        "hac_lag": pl.Int64(),
        "alpha": pl.Float64(),
        "alpha_t": pl.Float64(),
        "r2": pl.Float64(),
    }
)

_RISK_FREE: Final = "RF"


def fund_loadings(
    returns: pl.DataFrame, factors: pl.DataFrame, vintage: str, models: Sequence[Model] = MODELS
) -> pl.DataFrame:
    """Estimate what each fund loads on in each model, over all months it and the factors have.

    Parameters
    ----------
    returns
        Unique ``symbol``, ``month_end`` with ``ret`` (decimal).
    factors
        Library factors: unique ``vintage``, ``factor``, ``month_end`` with ``ret`` (decimal; null
        when missing); ``RF`` among them.
    vintage
        Vintage to take; where it is ``latest``, or lacks a factor of the model, the newest one
        that has them all is taken. Vintages are never mixed within a model.
    models
        Models to estimate.

    Returns
    -------
    pl.DataFrame
        ``LOADING_SCHEMA``, one row per fund, model and factor of the model, in that order.
        ``beta`` with Newey-West ``standard_error`` and ``t`` (against 0), ``alpha`` (decimal per
        month) with its t, ``r2``. Estimates are null with fewer than 24 months or collinear
        factors, ``vintage`` when no vintage has the model's factors.
    """
    excess = returns.sort("symbol", "month_end")
    known = factors.filter(pl.col("ret").is_finite())
    rows: list[dict[str, object]] = []
    for (ticker,), fund in excess.group_by("symbol", maintain_order=True):
        for model in models:
            rows += _of_fund({"ticker": ticker, "model": model.name}, fund, known, model, vintage)
    return pl.DataFrame(rows, schema=LOADING_SCHEMA)


def _of_fund(
    key: dict[str, object], fund: pl.DataFrame, factors: pl.DataFrame, model: Model, vintage: str
) -> list[dict[str, object]]:
    names = model.factor_names
    needed = factors.filter(pl.col("factor").is_in([*names, _RISK_FREE]))
    chosen = _vintage(needed, vintage, len(names) + 1)
    row = key | {"vintage": chosen, "months": 0}
    if chosen is None:
        return [row | {"factor": name} for name in names]
    wide = needed.filter(pl.col("vintage") == chosen).pivot(
        "factor", index="month_end", values="ret"
    )
    sample = fund.join(wide, on="month_end").drop_nulls().sort("month_end")
    months = sample["month_end"]
    row |= {"months": len(months), "first_month": months.min(), "last_month": months.max()}
    if len(months) < MIN_FUND_MONTHS:
        return [row | {"factor": name} for name in names]
    fit = hac_fit(
        (sample["ret"] - sample[_RISK_FREE]).to_numpy(),
        np.column_stack([np.ones(len(months)), *(sample[name].to_numpy() for name in names)]),
    )
    return [row | {"factor": name} | _estimates(fit, i + 1) for i, name in enumerate(names)]


def _vintage(needed: pl.DataFrame, vintage: str, count: int) -> str | None:
    """Vintage that serves a model of ``count`` series: the one asked for, else the newest."""
    complete = (
        needed.group_by("vintage")
        .agg(pl.col("factor").n_unique())
        .filter(pl.col("factor") == count)["vintage"]
        .sort()
        .to_list()
    )
    if vintage in complete:
        return vintage
    return complete[-1] if complete else None


def _estimates(fit: HacFit | None, position: int) -> dict[str, object]:
    if fit is None:
        return {}
    unit = np.eye(len(fit.coefficients)).tolist()
    alpha, beta = float(fit.coefficients[0]), float(fit.coefficients[position])
    error, alpha_error = fit.standard_error(*unit[position]), fit.standard_error(*unit[0])
    return {
        "beta": beta,
        "standard_error": error,
        "t": beta / error if error else None,
        "hac_lag": fit.lag,
        "alpha": alpha,
        "alpha_t": alpha / alpha_error if alpha_error else None,
        "r2": fit.r2,
    }
