"""Method tables: what factors earn when they are made another way."""

from typing import get_args

import polars as pl

from factor_pipeline.compute.breakpoints import Quantile
from factor_pipeline.compute.cell_returns import WEIGHTINGS
from factor_pipeline.compute.delisting import Imputation
from factor_pipeline.compute.sorts import Basis, Rebalance
from factor_pipeline.schemas.table import Column, Table

_FACTOR = Column("factor", pl.String, "name", "SMB, HML, UMD, RMW or CMA.")

METHOD_VARIANT = Table(
    layer="factor",
    name="method_variant",
    description=(
        "Own factors under other choices of method: each combination of all choices but quantile, "
        "which departs from the default alone. Over the months the default has too."
    ),
    key=(
        "factor",
        "signal",
        "rebalance",
        "breakpoints",
        "quantile",
        "weighting",
        "delisting_return",
    ),
    columns=(
        _FACTOR,
        Column(
            "signal",
            pl.String,
            "name",
            "Column of signal.characteristic that is sorted on beside size: book_to_market is of "
            "June, book_to_market_monthly of the latest public figures.",
        ),
        Column(
            "rebalance",
            pl.String,
            "name",
            "june: formed at the end of June, held to the next. monthly: formed each month from "
            "the latest values.",
            values=get_args(Rebalance),
        ),
        Column(
            "breakpoints",
            pl.String,
            "name",
            "Stocks that breakpoints are drawn from.",
            values=get_args(Basis),
        ),
        Column(
            "quantile", pl.String, "name", "Quantile between two stocks.", values=get_args(Quantile)
        ),
        Column("weighting", pl.String, "name", "Weights in the six portfolios.", values=WEIGHTINGS),
        Column(
            "delisting_return",
            pl.String,
            "name",
            "What is imputed after a delisting for bad performance that nobody reports a return "
            "of.",
            values=get_args(Imputation),
        ),
        Column("is_default", pl.Boolean, "yes/no", "As in factor.factor_return."),
        Column("months", pl.Int64, "count", "Months that it and the default have.", minimum=0),
        Column(
            "annual_mean",
            pl.Float64,
            "decimal/year",
            "Premium: 12 times the mean return; NULL with fewer than 12 months.",
            nullable=True,
        ),
        Column(
            "standard_error",
            pl.Float64,
            "decimal/year",
            "Newey-West error of it.",
            nullable=True,
            minimum=0.0,
        ),
        Column("t", pl.Float64, "ratio", "annual_mean over standard_error.", nullable=True),
        Column("hac_lag", pl.Int64, "months", "Lags of the error.", nullable=True, minimum=0),
        Column(
            "correlation",
            pl.Float64,
            "decimal",
            "Correlation with the default.",
            nullable=True,
            minimum=-1.0,
            maximum=1.0,
        ),
    ),
)

METHOD_SPREAD = Table(
    layer="factor",
    name="method_spread",
    description=(
        "How far premia depend on the method: spread between variants, and error within one."
    ),
    key=("factor",),
    columns=(
        _FACTOR,
        Column("variants", pl.Int64, "count", "Variants with a premium.", minimum=0),
        Column(
            "default_premium",
            pl.Float64,
            "decimal/year",
            "Premium of the default.",
            nullable=True,
        ),
        Column("minimum", pl.Float64, "decimal/year", "Lowest premium.", nullable=True),
        Column("median", pl.Float64, "decimal/year", "Median premium.", nullable=True),
        Column("maximum", pl.Float64, "decimal/year", "Highest premium.", nullable=True),
        Column(
            "deviation_between",
            pl.Float64,
            "decimal/year",
            "Standard deviation of the premium between variants.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "error_within",
            pl.Float64,
            "decimal/year",
            "Mean of the variants' standard errors.",
            nullable=True,
            minimum=0.0,
        ),
    ),
)
