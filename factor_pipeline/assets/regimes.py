"""Regimes of the business cycle, and what factors returned in each."""

from dataclasses import replace

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY, library_vintage
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.regimes.claims import regime_claims
from factor_pipeline.compute.regimes.performance import regime_performance as performance_of
from factor_pipeline.compute.regimes.rule import regimes
from factor_pipeline.compute.rounding import reproducible_columns
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.factor_regime import REGIME, REGIME_CLAIM, REGIME_PERFORMANCE
from factor_pipeline.schemas.raw import MACRO

_PERFORMANCE = (REGIME_PERFORMANCE,)


@table_asset(REGIME, reads=[Upstream(MACRO, rows=Rows(history=True))])
def regime(run: Run) -> Frames:
    """Fill ``factor.regime`` over all months of the macro series."""
    return (regimes(run.warehouse.table(MACRO)),)


@table_asset(
    REGIME_PERFORMANCE,
    REGIME_CLAIM,
    reads=[
        Upstream(FACTOR_RETURN, into=_PERFORMANCE),
        replace(LIBRARY, into=_PERFORMANCE),
        Upstream(REGIME, into=_PERFORMANCE),
    ],
    links=[Upstream(REGIME_PERFORMANCE, into=(REGIME_CLAIM,))],
    kinds=("polars", "statsmodels"),
)
def regime_performance(run: Run) -> Frames:
    """Fill ``factor.regime_performance`` and ``factor.regime_claim`` over all months."""
    performance = performance_of(run.warehouse.table(FACTOR_RETURN), run.warehouse.table(REGIME))
    claims = regime_claims(performance, library_vintage(run.warehouse, run.settings))
    return reproducible_columns(performance), reproducible_columns(claims)


ASSETS = (regime, regime_performance)
