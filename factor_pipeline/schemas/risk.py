"""Risk tables: how securities move with the factors."""

from typing import Final

import polars as pl

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.output import REASONS
from factor_pipeline.schemas.panel import OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.table import Column, Table

_FACTORS: Final = {
    "mkt": "the market's excess return",
    "smb": "SMB (FF5: the size factor of the five-factor model)",
    "hml": "HML",
    "umd": "UMD",
    "rmw": "RMW",
    "cma": "CMA",
}


def _number(
    name: str,
    unit: str,
    description: str,
    minimum: float | None = None,
    maximum: float | None = None,
) -> Column:
    return Column(
        name, pl.Float64, unit, description, nullable=True, minimum=minimum, maximum=maximum
    )


def _coefficient_columns() -> tuple[Column, ...]:
    return (
        _number("alpha", "decimal/month", "Intercept: mean return the factors do not explain."),
        *(_number(f"beta_{name}", "ratio", f"Slope on {of}.") for name, of in _FACTORS.items()),
        _number("se_alpha", "decimal/month", "Standard error of alpha (homoscedastic)."),
        *(_number(f"se_{name}", "ratio", f"Standard error of beta_{name}.") for name in _FACTORS),
        *(
            _number(f"t_{name}", "ratio", f"Estimate over se_{name}; NULL for an exact fit.")
            for name in ("alpha", *_FACTORS)
        ),
    )


ROLLING_BETA = Table(
    layer="risk",
    name="rolling_beta",
    description=(
        "Rolling regressions of monthly excess returns on factor models. The window of a row ENDS "
        "with its month: it is known at the end of month_end, unlike signals. To trade on it, "
        "join with the returns of the month after. Estimates are NULL when reason says why, as "
        "are loadings the model does not have."
    ),
    key=("security_id", "month_end", "model"),
    columns=(
        SECURITY_ID,
        Column(
            "month_end", pl.Date, "date", "Last month of the window; its return is in the sample."
        ),
        Column(
            "model",
            pl.String,
            "name",
            "CAPM; FF3 (Fama and French 1993); Carhart (1997); FF5 (Fama and French 2015).",
            values=tuple(model.name for model in MODELS),
        ),
        *_coefficient_columns(),
        _number("r2", "decimal", "R-squared; NULL for returns that do not vary.", 0.0, 1.0),
        _number(
            "residual_volatility",
            "decimal/month",
            "Standard deviation of the residuals, n - K - 1 degrees of freedom.",
            0.0,
        ),
        Column(
            "n",
            pl.Int32,
            "count",
            "Months of the window with the return and all factors of the model.",
            minimum=0,
        ),
        Column(
            "reason",
            pl.String,
            "name",
            "Why there are no estimates; NULL when there are.",
            nullable=True,
            values=REASONS,
        ),
        _number(
            "beta_mkt_shrunk",
            "ratio",
            "beta_mkt shrunk towards the mean of all securities in the month (Vasicek 1973).",
        ),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)
