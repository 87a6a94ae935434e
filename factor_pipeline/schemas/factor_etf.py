"""Tables of exchange-traded funds: what they load on, and what their names promise."""

import polars as pl

from factor_pipeline.compute.funds.promises import VERDICTS
from factor_pipeline.schemas.table import Column, Table

_TICKER = Column("ticker", pl.String, "ticker", "Ticker of the fund.")
_MODEL = Column(
    "model",
    pl.String,
    "name",
    "Factor model, on the library's factors.",
    values=("CAPM", "FF3", "Carhart", "FF5"),
)
_FACTOR = Column(
    "factor",
    pl.String,
    "name",
    "Factor of the model, as in factor.factor_return (FF5 has a size factor of its own, SMB_FF5).",
)
_VINTAGE = Column(
    "vintage",
    pl.String,
    "YYYYMM",
    "Library vintage of all factors of the model: that of the settings, else the newest that has "
    "them all; NULL when none has.",
    nullable=True,
)
_MONTHS = (
    Column(
        "months",
        pl.Int64,
        "count",
        "Complete months fund and factors have; a fund's newest day may not have ended, so it "
        "does not count.",
        minimum=0,
    ),
    Column("first_month", pl.Date, "date", "First of them.", nullable=True),
    Column("last_month", pl.Date, "date", "Last of them.", nullable=True),
)


def _estimate(name: str, unit: str, description: str) -> Column:
    return Column(name, pl.Float64, unit, description, nullable=True)


_ERROR = Column(
    "standard_error",
    pl.Float64,
    "ratio",
    "Its error, Newey-West with floor(4 (T / 100)^(2/9)) lags for T months.",
    nullable=True,
    minimum=0.0,
)


ETF_LOADING = Table(
    layer="factor",
    name="etf_loading",
    description=(
        "Loadings of exchange-traded funds on the factor models: monthly total returns in excess "
        "of RF on the library's factors, over all complete months. Known only after the last of "
        "these months. Estimates are NULL with fewer than 24 months."
    ),
    key=("ticker", "model", "factor"),
    columns=(
        _TICKER,
        _MODEL,
        _FACTOR,
        _VINTAGE,
        *_MONTHS,
        _estimate("beta", "ratio", "Loading of the fund on the factor."),
        _ERROR,
        _estimate("t", "ratio", "beta over its error."),
        Column(
            "hac_lag",
            pl.Int64,
            "months",
            "Lags of the error.",
            nullable=True,
            minimum=0,
        ),
        _estimate("alpha", "decimal/month", "Intercept of the model."),
        _estimate("alpha_t", "ratio", "Newey-West t of alpha."),
        _estimate("r2", "decimal", "R-squared of the model."),
    ),
)

ETF_CHECK = Table(
    layer="factor",
    name="etf_check",
    description=(
        "Whether funds load on what their names promise (etf.promises in the settings). As "
        "promised: the loading is above, or below, the level with a t beyond 1.65 (5 %, "
        "one-sided), or, where it should be near the level, at most 0.1 away. A ticker without "
        "prices is reported, not guessed."
    ),
    key=("ticker", "model", "factor"),
    columns=(
        _TICKER,
        Column("promise", pl.String, "name", "What the fund's name promises."),
        _MODEL,
        _FACTOR,
        Column(
            "relation",
            pl.String,
            "name",
            "Where the loading should be.",
            values=("above", "below", "near"),
        ),
        Column("level", pl.Float64, "ratio", "The level it should be above, below or near."),
        _estimate("estimate", "ratio", "The loading."),
        _ERROR,
        _estimate("t", "ratio", "Estimate less level, over the error."),
        _VINTAGE,
        *_MONTHS,
        Column("verdict", pl.String, "name", "Whether the promise is kept.", values=VERDICTS),
    ),
)
