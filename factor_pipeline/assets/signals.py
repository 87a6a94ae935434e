"""Signals: one asset for the whole family."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.signals import (
    DAILY_RISK_SCHEMA,
    HISTORY_MONTHS,
    SignalInputs,
    characteristics,
    history_of,
)
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY_MONTH, STATEMENT
from factor_pipeline.schemas.signal import CHARACTERISTIC, DEFINITION, definitions
from factor_pipeline.settings import PortfolioSettings


def breakpoint_rule(settings: PortfolioSettings) -> BreakpointRule:
    """Breakpoint rule of the settings."""
    return BreakpointRule(
        basis=settings.breakpoints,
        quantile=settings.quantile,
        min_stocks=settings.min_breakpoint_stocks,
    )


def daily_risk(run: Run, months: MonthRange) -> pl.DataFrame:  # noqa: ARG001
    """Betas and volatilities from daily returns, known at the end of each of ``months``."""
    return pl.DataFrame(schema=DAILY_RISK_SCHEMA)


@table_asset(
    CHARACTERISTIC,
    reads=[
        Upstream(SECURITY_MONTH, back=HISTORY_MONTHS, ahead=-1),
        Upstream(BOOK_EQUITY),
        Upstream(STATEMENT),
    ],
)
def characteristic(run: Run) -> Frames:
    """Fill ``signal.characteristic`` for the months of the run."""
    history = history_of(run.months)
    inputs = SignalInputs(
        panel=run.warehouse.months(SECURITY_MONTH, history),
        facts=run.warehouse.table(BOOK_EQUITY),
        statements=run.warehouse.table(STATEMENT),
        daily_risk=daily_risk(run, run.months.widened(back=1)),
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
