"""Signals: one asset for the whole family."""

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.signals import (
    HISTORY_MONTHS,
    SignalInputs,
    characteristics,
    history_of,
)
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY_MONTH, STATEMENT
from factor_pipeline.schemas.risk import DAILY_BETA, MARKET_BETA
from factor_pipeline.schemas.signal import CHARACTERISTIC, DEFINITION, definitions
from factor_pipeline.settings import PortfolioSettings
from factor_pipeline.warehouse.models import load_sql


def breakpoint_rule(settings: PortfolioSettings) -> BreakpointRule:
    """Breakpoint rule of the settings."""
    return BreakpointRule(
        basis=settings.breakpoints,
        quantile=settings.quantile,
        min_stocks=settings.min_breakpoint_stocks,
    )


@table_asset(
    CHARACTERISTIC,
    reads=[
        Upstream(SECURITY_MONTH, back=HISTORY_MONTHS, ahead=-1),
        Upstream(BOOK_EQUITY, ahead=-1),
        Upstream(STATEMENT, ahead=-1),
        Upstream(DAILY_BETA, back=1, ahead=-1, rows=Rows(where="up.model = 'FF3'")),
        Upstream(MARKET_BETA, back=1, ahead=-1),
    ],
    links=[
        Upstream(
            CHARACTERISTIC,
            rows=Rows(same=()),  # what is made of ranks
        )
    ],
    kinds=("polars", "sql"),
)
def characteristic(run: Run) -> Frames:
    """Fill ``signal.characteristic`` for the months of the run."""
    history = history_of(run.months)
    inputs = SignalInputs(
        panel=run.warehouse.months(SECURITY_MONTH, history),
        facts=run.warehouse.table(BOOK_EQUITY),
        statements=run.warehouse.table(STATEMENT),
        daily_risk=run.warehouse.read_months(
            load_sql("signal/daily_risk"), run.months.widened(back=1)
        ),
    )
    frame = characteristics(
        inputs,
        run.months,
        max_fundamental_age_months=run.settings.panel.max_fundamental_age_months,
        breakpoint_rule=breakpoint_rule(run.settings.portfolios),
    )
    return (frame,)


@table_asset(DEFINITION)
def definition(_: Run) -> Frames:
    """Fill ``signal.definition``."""
    return (definitions(),)


ASSETS = (characteristic, definition)
