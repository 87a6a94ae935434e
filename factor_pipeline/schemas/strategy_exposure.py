"""What strategies load on: tables of their betas, from holdings and from returns."""

import polars as pl

from factor_pipeline.compute.betas.models import LOADINGS, MODELS
from factor_pipeline.compute.strategy_loadings import COEFFICIENTS
from factor_pipeline.schemas.backtest import STRATEGY
from factor_pipeline.schemas.panel import MONTH_END
from factor_pipeline.schemas.table import Column, Table

_MODEL = Column(
    "model",
    pl.String,
    "name",
    "Factor model, as in risk.rolling_beta.",
    values=tuple(model.name for model in MODELS),
)

EXPOSURE = Table(
    layer="backtest",
    name="exposure",
    description=(
        "Betas of each strategy from the bottom up: those of its holdings at the start of the "
        "month, known at the end of the month before, by weight."
    ),
    key=("strategy", "month_end"),
    columns=(
        STRATEGY,
        MONTH_END,
        _MODEL,
        *(
            Column(
                f"beta_{name}",
                pl.Float64,
                "ratio",
                f"Weighted sum of the holdings' beta_{name}; cash has none, a holding without "
                "betas counts as the mean of its leg. NULL when a leg has none at all.",
                nullable=True,
            )
            for name in LOADINGS
        ),
        Column("holdings", pl.Int64, "count", "Securities held, long or short.", minimum=1),
        Column(
            "covered",
            pl.Float64,
            "decimal",
            "Share of the absolute weights whose security has betas.",
            minimum=0.0,
            maximum=1.0,
        ),
    ),
    monthly=True,
)

LOADING = Table(
    layer="backtest",
    name="loading",
    description=(
        "Net excess returns of each strategy, and of the benchmark, regressed on each factor model "
        "over all months: betas from the top down, and what the factors leave unexplained."
    ),
    key=("strategy", "model", "coefficient"),
    columns=(
        STRATEGY,
        _MODEL,
        Column(
            "coefficient",
            pl.String,
            "name",
            "alpha (decimal per month) or beta_*.",
            values=COEFFICIENTS,
        ),
        Column(
            "estimate",
            pl.Float64,
            "ratio",
            "Its estimate; NULL with fewer months than betas.min_months, or collinear factors.",
            nullable=True,
        ),
        Column(
            "standard_error",
            pl.Float64,
            "ratio",
            "Newey-West standard error; NULL for an exact fit.",
            nullable=True,
            minimum=0.0,
        ),
        Column("t", pl.Float64, "ratio", "estimate over standard_error.", nullable=True),
        Column(
            "lag",
            pl.Int64,
            "months",
            "Newey-West lags, floor(4 (T / 100)^(2/9)) for T months.",
            nullable=True,
            minimum=0,
        ),
        Column(
            "r2",
            pl.Float64,
            "decimal",
            "R-squared of the regression.",
            nullable=True,
            minimum=0.0,
            maximum=1.0,
        ),
        Column("months", pl.Int64, "count", "Months with the return and all factors.", minimum=0),
        Column("first_month", pl.Date, "date", "First of them.", nullable=True),
        Column("last_month", pl.Date, "date", "Last of them.", nullable=True),
    ),
)
