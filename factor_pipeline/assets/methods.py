"""Methods: what our own factors earn when they are made another way."""

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.portfolios import portfolio_rule, stocks_of
from factor_pipeline.assets.signals import breakpoint_rule
from factor_pipeline.compute.method_variants import method_spread, method_variants
from factor_pipeline.compute.methods import Method
from factor_pipeline.compute.rounding import reproducible_columns
from factor_pipeline.schemas.factor_method import METHOD_SPREAD, METHOD_VARIANT
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.warehouse.models import load_sql


@table_asset(
    METHOD_VARIANT,
    METHOD_SPREAD,
    reads=[
        Upstream(CHARACTERISTIC, into=(METHOD_VARIANT,)),
        Upstream(SECURITY_MONTH, into=(METHOD_VARIANT,)),
        Upstream(SECURITY, into=(METHOD_VARIANT,)),
    ],
    links=[Upstream(METHOD_VARIANT, into=(METHOD_SPREAD,))],
    kinds=("polars", "sql", "statsmodels"),
)
def method_variant(run: Run) -> Frames:
    """Fill ``factor.method_variant`` and ``factor.method_spread`` over all months."""
    method = Method(
        breakpoint_rule=breakpoint_rule(run.settings.portfolios),
        portfolio_rule=portfolio_rule(run.settings.portfolios),
        delisting_return=run.settings.panel.delisting_return,
    )
    variants = method_variants(
        stocks_of(run, run.months),
        run.warehouse.read(load_sql("factor/unreported_delistings")),
        run.months,
        method,
    )
    return reproducible_columns(variants), reproducible_columns(method_spread(variants))


ASSETS = (method_variant,)
