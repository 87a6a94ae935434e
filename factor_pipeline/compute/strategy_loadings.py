"""Loadings of a strategy from the top down: its returns regressed on the factors."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import LOADINGS, MODELS, Model
from factor_pipeline.compute.cross_section import beta_columns
from factor_pipeline.compute.hac import HacFit, hac_fit
from factor_pipeline.compute.ordering import sorted_by_key

LOADING_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "model": pl.String(),
        "coefficient": pl.String(),
        "estimate": pl.Float64(),
        "standard_error": pl.Float64(),
        "t": pl.Float64(),
        "lag": pl.Int64(),
        "r2": pl.Float64(),
        "months": pl.Int64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
    }
)
COEFFICIENTS: Final = ("alpha", *(f"beta_{loading}" for loading in LOADINGS))
"""Values of ``coefficient``."""


def strategy_loadings(
    returns: pl.DataFrame,
    factors: pl.DataFrame,
    models: Sequence[Model] = MODELS,
    *,
    min_months: int = 24,
) -> pl.DataFrame:
    r"""Regress the excess returns of each strategy on each factor model, over all months.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``net`` (decimal; null, NaN and infinite values
        count as missing).
    factors
        Unique ``month_end`` with ``rf`` and the series of the models (decimals; ``mkt`` in excess
        of ``rf``), missing as above.
    models
        Models to estimate; names are unique.
    min_months
        Fewest months with the return, ``rf`` and every factor; with fewer, or as few as the model
        has coefficients, there are no estimates.

    Returns
    -------
    pl.DataFrame
        One row per strategy, model (as given) and coefficient: ``strategy``, ``model``,
        ``coefficient`` (``alpha``, decimal per month, or ``beta_*``), ``estimate``,
        ``standard_error`` and ``t`` (Newey-West with ``lag`` lags, Bartlett weights, no
        small-sample correction), ``r2`` of the regression, ``months`` in it, the first and the last
        of them. Estimates are null with too few months or collinear factors; errors and t of an
        exact fit are null, as is ``r2`` of returns that do not vary.

    Raises
    ------
    DataError
        When a strategy, or the factors, have two rows in a month.

    Notes
    -----
    .. math:: r_t - r_{ft} = \alpha + \sum_k \beta_k f_{kt} + e_t

    A long-short strategy earns the risk-free rate on its capital, so this is its excess return
    too.

    References
    ----------
    Newey and West (1987), *Econometrica* 55(3), and (1994), *Review of Economic Studies* 61(4), for
    the lag, floor(4 (T / 100)^(2/9)).
    """
    months = sorted_by_key(factors, ("month_end",), what="factor months")
    ordered = sorted_by_key(returns, ("strategy", "month_end"), what="strategy returns")
    rows = [
        {"strategy": strategy, "model": model.name, **row}
        for (strategy,), one in ordered.group_by("strategy", maintain_order=True)
        for joined in [one.join(months, on="month_end", how="left", maintain_order="left")]
        for model in models
        for row in _regression(joined, model, min_months)
    ]
    return pl.DataFrame(rows, schema=LOADING_SCHEMA)


def _regression(months: pl.DataFrame, model: Model, min_months: int) -> list[dict[str, object]]:
    """Return one row per coefficient."""
    needed = ("net", "rf", *model.series)
    complete = months.filter(pl.all_horizontal(pl.col(name).is_finite() for name in needed))
    sample = {
        "months": complete.height,
        "first_month": complete["month_end"].min(),
        "last_month": complete["month_end"].max(),
    }
    names = ("alpha", *beta_columns(model))
    found: dict[str, dict[str, object]] = {}
    if complete.height >= max(min_months, model.parameters + 1):
        excess = complete["net"].to_numpy() - complete["rf"].to_numpy()
        factors = [complete[series].to_numpy() for series in model.series]
        found = _estimates(
            hac_fit(excess, np.column_stack([np.ones(len(excess)), *factors])), names
        )
    return [{"coefficient": name, **sample, **found.get(name, {})} for name in names]


def _estimates(fit: HacFit | None, names: Sequence[str]) -> dict[str, dict[str, object]]:
    if fit is None:
        return {}
    found: dict[str, dict[str, object]] = {}
    for i, name in enumerate(names):
        estimate = float(fit.coefficients[i])
        error = fit.standard_error(*np.eye(len(names))[i])
        found[name] = {
            "estimate": estimate,
            "standard_error": error,
            "t": estimate / error if error else None,
            "lag": fit.lag,
            "r2": None if fit.r2 is None else max(0.0, fit.r2),
        }
    return found
