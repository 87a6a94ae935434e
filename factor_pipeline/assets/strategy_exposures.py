"""Betas of the strategies: of what they hold, and of what they returned."""

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.exposures import exposure_model
from factor_pipeline.assets.factors import MODEL_FACTORS, OWN_MODEL_FACTORS, library_vintage
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.rounding import reproducible_columns
from factor_pipeline.compute.strategy_exposures import strategy_exposures
from factor_pipeline.compute.strategy_loadings import strategy_loadings
from factor_pipeline.schemas.backtest import BACKTEST_RETURN, HOLDING
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.schemas.strategy_exposure import EXPOSURE, LOADING
from factor_pipeline.warehouse.models import load_sql

_HELD = """
(own.strategy, own.month_end, up.security_id) in (
    select (strategy, month_end, security_id) from backtest.holding where weight <> 0
)
"""


@table_asset(
    EXPOSURE,
    reads=[
        Upstream(HOLDING),
        Upstream(ROLLING_BETA, back=1, ahead=-1, rows=Rows(where=_HELD)),
    ],
    kinds=("polars", "sql"),
)
def exposure(run: Run) -> Frames:
    """Fill ``backtest.exposure`` for the months of the run."""
    model = exposure_model(run.settings)
    held = run.warehouse.read_months(load_sql("backtest/held_betas"), run.months, model=model.name)
    return (strategy_exposures(held, model),)


@table_asset(
    LOADING,
    reads=[Upstream(BACKTEST_RETURN), OWN_MODEL_FACTORS, MODEL_FACTORS],
    kinds=("polars", "sql"),
)
def loading(run: Run) -> Frames:
    """Fill ``backtest.loading`` over all months, on the factors the rolling betas are of."""
    settings = run.settings.betas
    factors = run.warehouse.read_months(
        load_sql("risk/factors"),
        run.months,
        source=settings.factors,
        vintage=library_vintage(run.warehouse, run.settings),
    )
    frame = strategy_loadings(
        run.warehouse.table(BACKTEST_RETURN),
        factors,
        [model for model in MODELS if model.name in settings.models],
        min_months=settings.min_months,
    )
    return (reproducible_columns(frame),)


ASSETS = (exposure, loading)
