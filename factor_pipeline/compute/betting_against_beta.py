"""Betting against beta: long low betas, short high betas, both brought to a beta of one."""

from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.cell_returns import Floats, Grid
from factor_pipeline.compute.cells import NO_CELL
from factor_pipeline.compute.ordering import sorted_by_key
from factor_pipeline.compute.sorts import Dimension, Sort
from factor_pipeline.compute.stock_months import StockMonths

BAB: Final = "BAB"

BAB_SCHEMA = pl.Schema(
    {
        "month_end": pl.Date(),
        "factor": pl.String(),
        "ret": pl.Float64(),
        "stocks": pl.Int64(),
        "low_beta": pl.Float64(),
        "high_beta": pl.Float64(),
    }
)

_LEGS = Sort("beta_ranks", (Dimension("beta", (0.5,), ("Low", "High")),))


def betting_against_beta(
    stocks: pl.DataFrame, risk_free: pl.DataFrame, *, min_stocks: int
) -> pl.DataFrame:
    r"""Compute the factor in all months of ``stocks``.

    Parameters
    ----------
    stocks
        Unique ``month_end``, ``security_id`` with ``beta`` (known before the month begins) and
        ``ret`` (decimal, of the month); null, NaN and infinite values count as missing.
    risk_free
        Unique ``month_end`` with ``rf`` (decimal).
    min_stocks
        Fewest stocks with a return in each leg.

    Returns
    -------
    pl.DataFrame
        ``BAB_SCHEMA``, one row per month: ``ret`` (decimal), ``stocks`` (of both legs, with a
        return), ``low_beta`` and ``high_beta`` (of the legs, as formed). ``ret`` is null with too
        few stocks, without a risk-free rate, or when the beta of a leg is not positive.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month, or a month two risk-free rates.

    Notes
    -----
    With :math:`z_i` the rank of a stock's beta and :math:`\bar z` the mean rank, stocks below it
    are held with weights proportional to :math:`\bar z - z_i`, those above with weights
    proportional to :math:`z_i - \bar z`, both adding up to one:

    .. math:: r_t = \frac{r^L_t - rf_t}{\beta^L_{t-1}} - \frac{r^H_t - rf_t}{\beta^H_{t-1}}

    Weights and betas of the legs are those of all stocks with a beta, so that no stock's later
    absence has a say in them; a leg's return is that of its stocks which have one.

    References
    ----------
    Frazzini and Pedersen (2014), *Journal of Financial Economics* 111(1), equations 16 and 17.
    """
    rows = StockMonths.of(stocks, ["beta", "ret"])
    beta, ret = rows.values("beta"), rows.values("ret")
    tilt = _rank_deviation(rows, beta)
    cells = np.where(np.isnan(tilt) | (tilt == 0), NO_CELL, tilt > 0).astype(np.int16)
    grid = Grid.of(rows, cells, _LEGS)
    weight = np.abs(np.nan_to_num(tilt))
    has_return = ~np.isnan(ret)
    counts = grid.sums(has_return.astype(np.float64))
    with np.errstate(invalid="ignore", divide="ignore"):
        betas = grid.sums(weight * np.nan_to_num(beta)) / grid.sums(weight)
        held = np.where(has_return, weight, 0.0)
        returns = grid.sums(held * np.where(has_return, ret, 0.0)) / grid.sums(held)
        levered = (returns - _rates(rows, risk_free)[:, None]) / betas
    enough = (counts >= min_stocks) & (betas > 0)
    low, high = np.where(enough, levered, np.nan).T
    return pl.DataFrame(
        {
            "month_end": rows.months,
            "ret": low - high,
            "stocks": counts.sum(axis=1).astype(np.int64),
            "low_beta": betas[:, 0],
            "high_beta": betas[:, 1],
        },
        nan_to_null=True,
    ).select("month_end", pl.lit(BAB).alias("factor"), "ret", "stocks", "low_beta", "high_beta")


def _rank_deviation(rows: StockMonths, beta: Floats) -> Floats:
    """Rank of each beta less the month's mean rank, exact multiples of one half; NaN without."""
    value = pl.col("beta")
    deviation = value.rank("average") - (value.count() + 1) / 2
    known = pl.Series("beta", beta, nan_to_null=True)
    ranked = rows.frame.select("month_end", known).select(deviation.over("month_end"))
    return ranked.to_series().to_numpy()


def _rates(rows: StockMonths, risk_free: pl.DataFrame) -> Floats:
    """Risk-free rate of each month, shape (months,); NaN where missing."""
    rates = sorted_by_key(risk_free, ("month_end",), what="risk-free rates")
    months = pl.DataFrame({"month_end": rows.months})
    joined = months.join(rates, on="month_end", how="left", maintain_order="left")
    return joined["rf"].cast(pl.Float64).to_numpy()
