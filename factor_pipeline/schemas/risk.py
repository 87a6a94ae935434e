"""Risk tables: how securities move with the factors."""

from collections.abc import Sequence
from typing import Final

import polars as pl

from factor_pipeline.compute.betas import market
from factor_pipeline.compute.betas.daily import DAILY_LOADINGS, DAILY_MODELS
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.output import DAILY_REASONS, REASONS
from factor_pipeline.compute.exposures import STOCK_TYPES
from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
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


def _statistics(loadings: Sequence[str], period: str) -> tuple[Column, ...]:
    """Columns of a regression on the factors of ``loadings``; ``period`` is that of a return."""
    unit = f"decimal/{period}"
    return (
        _number("alpha", unit, "Intercept: mean return the factors do not explain."),
        *(_number(f"beta_{name}", "ratio", f"Slope on {_FACTORS[name]}.") for name in loadings),
        _number("se_alpha", unit, "Standard error of alpha (homoscedastic)."),
        *(_number(f"se_{name}", "ratio", f"Standard error of beta_{name}.") for name in loadings),
        *(
            _number(f"t_{name}", "ratio", f"Estimate over se_{name}; NULL for an exact fit.")
            for name in ("alpha", *loadings)
        ),
        _number("r2", "decimal", "R-squared; NULL for returns that do not vary.", 0.0, 1.0),
        _number(
            "residual_volatility",
            unit,
            "Standard deviation of the residuals, n - K - 1 degrees of freedom.",
            0.0,
        ),
    )


def _count(name: str, description: str) -> Column:
    return Column(name, pl.Int32, "count", description, minimum=0)


def _reason(name: str, description: str, values: tuple[str, ...]) -> Column:
    return Column(name, pl.String, "name", description, nullable=True, values=values)


_WHY: Final = "Why there are no estimates; NULL when there are."
_SHRUNK: Final = _number(
    "beta_mkt_shrunk",
    "ratio",
    "beta_mkt shrunk towards the mean of all securities in the month (Vasicek 1973).",
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
        *_statistics(tuple(_FACTORS), "month"),
        _count("n", "Months of the window with the return and all factors of the model."),
        _reason("reason", _WHY, REASONS),
        _SHRUNK,
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

DAILY_BETA = Table(
    layer="risk",
    name="daily_beta",
    description=(
        "Rolling regressions of daily excess returns on factor models. The window of a row ENDS "
        "with the last market day of its month: it is known at the end of month_end, unlike "
        "signals. To trade on it, join with the returns of the month after. Estimates are NULL "
        "when reason says why, as are loadings the model does not have."
    ),
    key=("security_id", "month_end", "model"),
    columns=(
        SECURITY_ID,
        Column("month_end", pl.Date, "date", "Month whose last market day ends the window."),
        Column(
            "model",
            pl.String,
            "name",
            "CAPM; FF3 (Fama and French 1993).",
            values=tuple(model.name for model in DAILY_MODELS),
        ),
        *_statistics(DAILY_LOADINGS, "day"),
        _count("n", "Days of the window with the return and all factors of the model."),
        _reason("reason", _WHY, DAILY_REASONS),
        _SHRUNK,
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

MARKET_BETA = Table(
    layer="risk",
    name="market_beta",
    description=(
        "Betas on the market and volatilities from daily total returns; the market is MKT + RF of "
        "the library. Windows END with the last market day of the month: a row is known at the "
        "end of month_end. To trade on it, join with the returns of the month after."
    ),
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        Column("month_end", pl.Date, "date", "Month whose last market day ends the windows."),
        _number(
            "beta_dimson",
            "ratio",
            "Sum of the slopes on the market of the day before, the day and the day after (Dimson "
            "1979); the last day explained is the one before the window's last.",
        ),
        _count("n_dimson", "Days with the return and the three of the market."),
        _reason("reason_dimson", "Why beta_dimson is NULL; else NULL.", market.REASONS),
        _number(
            "beta_frazzini_pedersen",
            "ratio",
            "0.6 x correlation x ratio of volatilities (stock over market, log returns, 252 days, "
            "120 or more) + 0.4 (Frazzini and Pedersen 2014).",
        ),
        _number(
            "correlation",
            "ratio",
            "Correlation with the market: overlapping three-day log returns, 1,260 days, 750 or "
            "more.",
            -1.0,
            1.0,
        ),
        _count("n_correlation", "Three-day returns behind correlation."),
        _reason(
            "reason_frazzini_pedersen",
            "Why beta_frazzini_pedersen is NULL; else NULL.",
            market.REASONS,
        ),
        _number(
            "volatility_252d",
            "decimal/year",
            "Standard deviation of daily simple returns, 252 days, 120 or more, times the square "
            "root of 252.",
            0.0,
        ),
        _count("n_volatility", "Daily returns behind volatility_252d."),
        _reason("reason_volatility", "Why volatility_252d is NULL; else NULL.", market.REASONS),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

_MODEL = Column(
    "model",
    pl.String,
    "name",
    "Factor model of the betas (betas.exposure_model).",
    values=tuple(model.name for model in MODELS),
)


def _standing_columns() -> tuple[Column, ...]:
    ranks = (
        Column(
            f"rank_{name}",
            pl.Int64,
            "rank",
            f"Place by beta_{name}, 1 is the highest; equal betas share the lowest number they "
            "span (1, 2, 2, 4). NULL without betas.",
            nullable=True,
        )
        for name in _FACTORS
    )
    percentiles = (
        _number(
            f"percentile_{name}",
            "decimal",
            f"Share of the ranked stocks whose beta_{name} is at most this stock's: 1 for the "
            "highest. (stocks - rank + 1) / stocks.",
            0.0,
            1.0,
        )
        for name in _FACTORS
    )
    return (*ranks, *percentiles)


EXPOSURE = Table(
    layer="risk",
    name="exposure",
    description=(
        "Every stock listed at the end of the month, ranked against the others by each beta of one "
        "model. Known at the END of month_end, as risk.rolling_beta is, which has the betas "
        "themselves: to trade on it, join with the returns of the month after."
    ),
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        MONTH_END,
        _MODEL,
        Column(
            "stock_type",
            pl.String,
            "name",
            "Small when beta_smb is above 0, else large; value when beta_hml is above 0, else "
            "growth. NULL when either is missing. Betas are estimates: where their t in "
            "risk.rolling_beta is small, so is what the type says.",
            nullable=True,
            values=STOCK_TYPES,
        ),
        Column(
            "stocks",
            pl.Int64,
            "count",
            "Stocks ranked in the month: those with every beta of the model.",
            minimum=0,
        ),
        *_standing_columns(),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

TILT = Table(
    layer="risk",
    name="tilt",
    description=(
        "Stocks that tilts (settings: [[tilts]]) pick by their betas, best first. Known at the END "
        "of month_end: to trade on it, join with the returns of the month after."
    ),
    key=("tilt", "security_id", "month_end"),
    columns=(
        Column("tilt", pl.String, "name", "Tilt, e.g. small_value."),
        SECURITY_ID,
        MONTH_END,
        Column(
            "rank",
            pl.Int64,
            "rank",
            "Place among the stocks that pass its filter, 1 is best; equal scores in order of "
            "security_id.",
            minimum=1,
        ),
        Column(
            "score",
            pl.Float64,
            "decimal",
            "Mean, over the betas it ranks by, of the share of all stocks with betas that the "
            "stock is at least as good as.",
            minimum=0.0,
            maximum=1.0,
        ),
    ),
    monthly=True,
)

BETA_PORTFOLIO_RETURN = Table(
    layer="risk",
    name="beta_portfolio_return",
    description=(
        "Returns of quintiles sorted every month on each beta of one model, and highest minus "
        "lowest. month_end is the month of the RETURN; the betas, and the weights, are those known "
        "at the end of the month before."
    ),
    key=("model", "loading", "cell", "weighting", "month_end"),
    columns=(
        _MODEL,
        Column(
            "loading",
            pl.String,
            "name",
            "Beta that is sorted on.",
            values=tuple(f"beta_{name}" for name in _FACTORS),
        ),
        Column(
            "cell",
            pl.String,
            "name",
            "Q1 (lowest betas) to Q5, or Q5-Q1, the difference of their returns.",
            values=("Q1", "Q2", "Q3", "Q4", "Q5", "Q5-Q1"),
        ),
        Column(
            "weighting",
            pl.String,
            "name",
            "value: by market equity of the month before; equal.",
            values=("value", "equal"),
        ),
        MONTH_END,
        _number(
            "ret",
            "decimal",
            "Return of the month; NULL with fewer stocks than portfolios.min_portfolio_stocks.",
        ),
        Column("stocks", pl.Int64, "count", "Stocks whose returns enter.", minimum=0),
        Column("missing", pl.Int64, "count", "Members without a return or weight.", minimum=0),
        _number(
            "market_equity",
            "USD",
            "Sum over the stocks at the end of the month before; of a spread, over both cells.",
            0.0,
        ),
    ),
    monthly=True,
)
