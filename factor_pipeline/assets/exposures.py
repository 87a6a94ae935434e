"""Exposures: stocks ranked by their betas, tilts, and portfolios sorted on betas."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.rows import Rows
from factor_pipeline.assets.signals import breakpoint_rule
from factor_pipeline.compute.beta_portfolios import beta_portfolio_returns
from factor_pipeline.compute.betas.models import MODELS, Model
from factor_pipeline.compute.exposures import exposures
from factor_pipeline.compute.tilts import Tilt, tilted
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.risk import BETA_PORTFOLIO_RETURN, EXPOSURE, ROLLING_BETA, TILT
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql

# A rank depends on all stocks.
_ALL_STOCKS = Rows(same=())


def exposure_model(settings: Settings) -> Model:
    """Model whose betas stocks are ranked and sorted by."""
    return next(model for model in MODELS if model.name == settings.betas.exposure_model)


def tilts_of(settings: Settings) -> tuple[Tilt, ...]:
    """Tilts of the settings whose model is estimated; the default ones need FF3."""
    return tuple(tilt.rule() for tilt in settings.tilts if tilt.model in settings.betas.models)


@table_asset(
    EXPOSURE,
    TILT,
    reads=[
        Upstream(ROLLING_BETA, rows=Rows(same=("model",)), into=(EXPOSURE,)),
        Upstream(SECURITY_MONTH, rows=_ALL_STOCKS),
    ],
    links=[Upstream(ROLLING_BETA, rows=_ALL_STOCKS, into=(TILT,))],
    kinds=("polars", "sql"),
)
def exposure(run: Run) -> Frames:
    """Fill ``risk.exposure`` and ``risk.tilt`` for the months of the run."""
    model, tilts = exposure_model(run.settings), tilts_of(run.settings)
    loadings = {
        name: run.warehouse.read_months(load_sql("risk/loadings"), run.months, model=name)
        for name in dict.fromkeys((model.name, *(tilt.model for tilt in tilts)))
    }
    return exposures(loadings[model.name], model), tilted(pl.concat(loadings.values()), tilts)


@table_asset(
    BETA_PORTFOLIO_RETURN,
    reads=[Upstream(ROLLING_BETA, back=1, ahead=-1), Upstream(SECURITY_MONTH, back=1)],
    kinds=("polars", "sql"),
)
def beta_portfolio_return(run: Run) -> Frames:
    """Fill ``risk.beta_portfolio_return`` for the months of the run."""
    portfolios = run.settings.portfolios
    model = exposure_model(run.settings)
    stocks = run.warehouse.read_months(load_sql("risk/stocks"), run.months, model=model.name)
    if portfolios.universe == "index":
        stocks = stocks.filter("member")
    frame = beta_portfolio_returns(
        stocks,
        model,
        run.months,
        breakpoint_rule=breakpoint_rule(portfolios),
        min_stocks=portfolios.min_portfolio_stocks,
    )
    return (frame,)


ASSETS = (exposure, beta_portfolio_return)
