"""Risk: rolling betas of every security."""

from dataclasses import replace

from factor_pipeline.assets.common import Frames, Run, TableAsset, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.betas.shrinkage import with_shrunk_market_betas
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.settings import Settings
from factor_pipeline.settings_sections import LONGEST_BETA_WINDOW
from factor_pipeline.warehouse.models import load_sql

_REACH = LONGEST_BETA_WINDOW - 1


@table_asset(
    ROLLING_BETA,
    reads=[Upstream(SECURITY_MONTH, back=_REACH), LIBRARY],
    kinds=("polars", "sql"),
)
def rolling_beta(run: Run) -> Frames:
    """Fill ``risk.rolling_beta`` for the months of the run from the windows that end in them."""
    settings = run.settings.betas
    windows = run.months.widened(back=settings.window_months - 1)
    factors = run.warehouse.read_months(
        load_sql("risk/factors"),
        windows,
        source=settings.factors,
        vintage=run.settings.library.vintage,
    )
    estimates = rolling_betas(
        run.warehouse.read_months(load_sql("risk/returns"), windows),
        factors,
        run.months,
        models=[model for model in MODELS if model.name in settings.models],
        window_months=settings.window_months,
        min_months=settings.min_months,
    )
    return (with_shrunk_market_betas(estimates),)


ASSETS = (rolling_beta,)


def with_factors_of(asset: TableAsset, settings: Settings) -> TableAsset:
    """Return ``asset``; rolling betas come after our own factors where they are made from them."""
    if asset is not rolling_beta or settings.betas.factors != "own":
        return asset
    return replace(asset, reads=(*asset.reads, Upstream(FACTOR_RETURN, back=_REACH)))
