"""Betas of a strategy from the bottom up: those of what it holds, by weight."""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import LOADINGS, Model
from factor_pipeline.compute.cross_section import beta_columns
from factor_pipeline.compute.ordering import sorted_by_key

STRATEGY_EXPOSURE_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "month_end": pl.Date(),
        "model": pl.String(),
        **{f"beta_{loading}": pl.Float64() for loading in LOADINGS},
        "holdings": pl.Int64(),
        "covered": pl.Float64(),
    }
)

_GROUP = ("strategy", "month_end")
_LEGS = 2


def strategy_exposures(holdings: pl.DataFrame, model: Model) -> pl.DataFrame:
    r"""Add up the betas of the holdings of each strategy and month.

    Parameters
    ----------
    holdings
        Unique ``strategy``, ``month_end``, ``security_id`` with ``weight`` (share of the capital at
        the start of the month, negative for shorts; rows of weight 0 are ignored) and the
        ``beta_*`` of ``model`` as known at the end of the month BEFORE (Float64; null, NaN and
        infinite values count as missing).
    model
        Whose loadings they are.

    Returns
    -------
    pl.DataFrame
        One row per strategy and month with holdings, ordered by them: ``strategy``, ``month_end``,
        ``model``, ``beta_*`` of the whole capital (cash has none; null for loadings the model does
        not have), ``holdings`` (count) and ``covered`` (decimal: share of the absolute weights
        whose security has every loading). A security without loadings counts as the mean of its
        leg, the long or the short one; a leg that is held without any loading makes the betas null.
        The bits of a row depend on its own holdings alone.

    Raises
    ------
    DataError
        When a strategy has two rows of a security in a month.

    Notes
    -----
    .. math:: \beta_p = \sum_{leg} W_{leg}
              \frac{\sum_{i \in leg, known} w_i \beta_i}{\sum_{i \in leg, known} w_i}

    with :math:`W_{leg}` the weight of the whole leg.
    """
    held = sorted_by_key(
        holdings.filter(pl.col("weight") != 0), (*_GROUP, "security_id"), what="holdings"
    )
    betas = {name: held[name].fill_null(np.nan).to_numpy() for name in beta_columns(model)}
    is_known = np.all([np.isfinite(values) for values in betas.values()], axis=0)
    weight = held["weight"].to_numpy()
    group = held.select(pl.struct(_GROUP).rle_id()).to_series().cast(pl.Int64).to_numpy()
    groups = held.select(_GROUP).unique(maintain_order=True)

    def legs(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Short and long sums of each group, shape (groups, 2)."""
        # bincount adds in row order, so that a sum does not depend on what else is computed.
        slot = _LEGS * group + (weight > 0)
        sums = np.bincount(slot, amounts, _LEGS * groups.height).astype(np.float64)
        return sums.reshape(groups.height, _LEGS)

    whole, known = legs(weight), legs(np.where(is_known, weight, 0.0))
    # Weights that are all but nothing may leave the range of a double.
    with np.errstate(over="ignore"):
        share = np.divide(whole, known, out=np.full_like(whole, np.nan), where=known != 0)
    share[whole == 0] = 0.0
    columns: dict[str, pl.Series | pl.Expr] = {
        f"beta_{loading}": pl.lit(None, dtype=pl.Float64) for loading in LOADINGS
    }
    for name, values in betas.items():
        with np.errstate(over="ignore", invalid="ignore"):
            short, long = (share * legs(np.where(is_known, weight * values, 0.0))).T
            beta = short + long
        beta[~np.isfinite(beta)] = np.nan
        columns[name] = pl.Series(beta, dtype=pl.Float64, nan_to_null=True)
    (gross_short, gross_long), (known_short, known_long) = np.abs(whole).T, np.abs(known).T
    covered = (known_short + known_long) / (gross_short + gross_long)
    return groups.with_columns(
        model=pl.lit(model.name),
        holdings=pl.Series(np.bincount(group, minlength=groups.height), dtype=pl.Int64),
        covered=pl.Series(covered, dtype=pl.Float64),
        **columns,
    ).select(STRATEGY_EXPOSURE_SCHEMA.names())
