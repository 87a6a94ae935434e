"""Exposures: how a stock's loadings compare with those of all stocks of the month."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import LOADINGS, Model
from factor_pipeline.compute.cross_section import CrossSection

STOCK_TYPES: Final = ("large growth", "large value", "small growth", "small value")
"""Values of ``stock_type``."""

EXPOSURE_SCHEMA = pl.Schema(
    {
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "model": pl.String(),
        "stock_type": pl.String(),
        "stocks": pl.Int64(),
        **{f"rank_{loading}": pl.Int64() for loading in LOADINGS},
        **{f"percentile_{loading}": pl.Float64() for loading in LOADINGS},
    }
)


def stock_type() -> pl.Expr:
    """Type of a stock by the signs of its ``beta_smb`` and ``beta_hml``; one of ``STOCK_TYPES``.

    Small when ``beta_smb`` is above 0, else large; value when ``beta_hml`` is above 0, else growth:
    a loading of exactly 0 makes a stock neither small nor value. Null when either is missing.
    """
    missing = ~(pl.col("beta_smb").is_finite() & pl.col("beta_hml").is_finite())
    size = pl.when(pl.col("beta_smb") > 0).then(pl.lit("small")).otherwise(pl.lit("large"))
    value = pl.when(pl.col("beta_hml") > 0).then(pl.lit("value")).otherwise(pl.lit("growth"))
    return pl.when(~missing).then(pl.concat_str([size, value], separator=" "))


def exposures(loadings: pl.DataFrame, model: Model) -> pl.DataFrame:
    r"""Rank the stocks of each month by each loading of a model, and say what type they are.

    Parameters
    ----------
    loadings
        Unique ``month_end``, ``security_id`` with the ``beta_*`` of ``model`` (Float64; null, NaN
        and infinite values count as missing).
    model
        Whose loadings they are.

    Returns
    -------
    pl.DataFrame
        One row per row of ``loadings``, ordered by month and security: ``security_id``,
        ``month_end``, ``model``, ``stock_type`` (see `stock_type`; null for models without SMB or
        HML), ``stocks`` (how many are ranked in the month: those with every loading of the model),
        and per loading ``rank_*`` (1 is the highest; equal loadings share the lowest number they
        span: 1, 2, 2, 4) and ``percentile_*`` (decimal: share of the ranked stocks whose loading is
        at most the stock's, 1 for the highest). Ranks and percentiles are null for a stock that is
        not ranked and for loadings the model does not have. Each month depends on its own rows
        alone.

    Raises
    ------
    SchemaError
        When ``loadings`` lacks a column.
    DataError
        When a security has two rows in a month.

    Notes
    -----
    With n ranked stocks and rank R, the percentile is (n - R + 1) / n.
    """
    cross_section = CrossSection.of(loadings, model)
    stocks, is_ranked = cross_section.stocks, cross_section.is_ranked
    columns = [pl.Series("stocks", stocks)]
    for loading in model.loadings:
        at_most = cross_section.at_most(f"beta_{loading}")
        percentile = at_most / np.maximum(stocks, 1)
        columns += [
            _where(is_ranked, pl.Series(f"rank_{loading}", stocks - at_most + 1)),
            _where(is_ranked, pl.Series(f"percentile_{loading}", percentile)),
        ]
    known = {column.name for column in columns}
    has_type = {"smb", "hml"} <= set(model.loadings)
    return cross_section.rows.frame.with_columns(
        *columns,
        *(
            pl.lit(None, dtype=dtype).alias(name)
            for name, dtype in EXPOSURE_SCHEMA.items()
            if name.startswith(("rank_", "percentile_")) and name not in known
        ),
        model=pl.lit(model.name),
        stock_type=stock_type() if has_type else pl.lit(None, dtype=pl.String),
    ).select(EXPOSURE_SCHEMA.names())


def _where(is_ranked: NDArray[np.bool_], column: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(is_ranked)).then(column)).to_series().alias(column.name)
