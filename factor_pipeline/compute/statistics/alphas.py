"""Alphas of portfolios on factor models, one by one and all cells of a sort together."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import LOADINGS, MODELS, Model
from factor_pipeline.compute.statistics.joint import grs
from factor_pipeline.compute.statistics.regression import Floats, Regression, newey_west
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries

PORTFOLIO_KEY: Final = ("sort", "weighting", "cell")
IS_SPREAD: Final = pl.col("cell").str.contains("-", literal=True)
"""Whether a cell is long one portfolio and short another, such as ``D10-D01``."""

GRS_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "weighting": pl.String(),
        "model": pl.String(),
        "statistic": pl.Float64(),
        "p_value": pl.Float64(),
        "portfolios": pl.Int64(),
        "months": pl.Int64(),
        "factors": pl.Int64(),
        "mean_absolute_alpha": pl.Float64(),
        "mean_r2": pl.Float64(),
    }
)


def excess_series(portfolios: pl.DataFrame, factors: pl.DataFrame) -> MonthlySeries:
    """Self-financing returns of portfolios: spreads as they are, cells less the risk-free rate.

    Parameters
    ----------
    portfolios
        Unique ``sort``, ``weighting``, ``cell``, ``month_end`` with ``ret`` (decimal).
    factors
        Unique ``month_end`` with ``rf`` (decimal); a cell has no excess return without one.
    """
    rates = factors.select("month_end", "rf")
    joined = portfolios.join(rates, on="month_end", how="left", maintain_order="left")
    excess = pl.when(IS_SPREAD).then("ret").otherwise(pl.col("ret") - pl.col("rf"))
    return MonthlySeries.of(joined.with_columns(ret=excess), PORTFOLIO_KEY)


def factor_columns(factors: pl.DataFrame, months: pl.Series, model: Model) -> Floats:
    """Factors of ``model`` in ``months``, shape (T, K); NaN where missing."""
    aligned = months.to_frame("month_end").join(
        factors.select("month_end", *model.series),
        on="month_end",
        how="left",
        maintain_order="left",
    )
    return aligned.select(pl.col(model.series).cast(pl.Float64).fill_null(np.nan)).to_numpy()


def alphas(portfolios: MonthlySeries, factors: pl.DataFrame) -> pl.DataFrame:
    r"""Regress every portfolio on every factor model.

    Parameters
    ----------
    portfolios
        `excess_series` of portfolios.
    factors
        Unique ``month_end`` with the series of all models (decimal; null when missing).

    Returns
    -------
    pl.DataFrame
        ``sort``, ``weighting``, ``cell``, ``model``, ``alpha`` (decimal per month),
        ``t_alpha`` (Newey-West with ``nw_lag`` lags), ``beta_*`` (null for what the model does not
        have), ``r2``, ``months``; one row per portfolio and model. Estimates are null with fewer
        than 24 months of the portfolio and all factors, or when the factors are collinear.

    Notes
    -----
    .. math:: r_{pt} - r_{ft} = \alpha + \sum_k \beta_k f_{kt} + e_t

    References
    ----------
    Jensen (1968), *Journal of Finance* 23(2); Newey and West (1987), *Econometrica* 55(3).
    """
    parts = []
    for model in MODELS:
        fit = newey_west(portfolios.values, factor_columns(factors, portfolios.month_ends, model))
        parts.append(portfolios.names.hstack(_columns(fit, model)))
    return pl.concat(parts).sort(PORTFOLIO_KEY, maintain_order=True)


def _columns(fit: Regression, model: Model) -> list[pl.Series]:
    is_known = (fit.months >= MIN_MONTHS) & np.isfinite(fit.coefficients[:, 0])
    unknown = np.full(len(is_known), np.nan)
    betas = dict.fromkeys(LOADINGS, unknown)
    betas |= {name: fit.coefficients[:, 1 + k] for k, name in enumerate(model.loadings)}
    numbers = {"alpha": fit.coefficients[:, 0], "t_alpha": fit.t[:, 0]}
    numbers |= {f"beta_{name}": values for name, values in betas.items()}
    numbers |= {"r2": fit.r2}
    frame = pl.DataFrame(
        {name: np.where(is_known, values, np.nan) for name, values in numbers.items()},
        nan_to_null=True,
    ).with_columns(
        model=pl.lit(model.name),
        nw_lag=pl.when(pl.Series(is_known)).then(pl.Series(fit.lag)),
        months=pl.Series(fit.months),
    )
    return frame.get_columns()


def grs_tests(portfolios: MonthlySeries, factors: pl.DataFrame) -> pl.DataFrame:
    """Test for every sort whether the alphas of all its cells are zero together.

    Parameters
    ----------
    portfolios, factors
        As in `alphas`; spreads are left out, as they follow from the cells.

    Returns
    -------
    pl.DataFrame
        Columns of ``GRS_SCHEMA``; one row per sort with at least two cells, weighting and model,
        over the months in which all cells and factors have returns. ``mean_absolute_alpha`` is in
        decimals per month. Without more months than cells and factors, or with fewer than 24,
        the figures are null.
    """
    rows = [
        {"sort": sort, "weighting": weighting, "model": model.name}
        | grs(portfolios.values[:, columns], factor_columns(factors, portfolios.month_ends, model))
        for (sort, weighting), columns in cell_sets(portfolios)
        for model in MODELS
    ]
    return pl.DataFrame(rows, schema=GRS_SCHEMA)


def cell_sets(portfolios: MonthlySeries) -> Iterator[tuple[tuple[str, str], list[int]]]:
    """Columns of the cells of each sort and weighting, spreads left out; at least two."""
    numbered = portfolios.names.with_row_index("column").filter(~IS_SPREAD)
    for (sort, weighting), cells in numbered.group_by("sort", "weighting", maintain_order=True):
        if cells.height > 1:
            yield (str(sort), str(weighting)), cells["column"].to_list()
