"""Signals: one asset for the whole family."""

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.signals import HISTORY_MONTHS, characteristics, history_of
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY_MONTH
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import PortfolioSettings

# A June row looks back to the July before, whose momentum looks back further.
_REACH = HISTORY_MONTHS + 11


def breakpoint_rule(settings: PortfolioSettings) -> BreakpointRule:
    """Breakpoint rule of the settings."""
    return BreakpointRule(
        basis=settings.breakpoints,
        quantile=settings.quantile,
        min_stocks=settings.min_breakpoint_stocks,
    )


@table_asset(
    CHARACTERISTIC, reads=[Upstream(SECURITY_MONTH, back=_REACH, ahead=-1), Upstream(BOOK_EQUITY)]
)
def characteristic(run: Run) -> Frames:
    """Fill ``signal.characteristic`` for the months of the run."""
    frame = characteristics(
        run.warehouse.months(SECURITY_MONTH, history_of(run.months)),
        run.warehouse.table(BOOK_EQUITY),
        run.months,
        max_fundamental_age_months=run.settings.panel.max_fundamental_age_months,
        breakpoint_rule=breakpoint_rule(run.settings.portfolios),
    )
    return (frame,)


ASSETS = (characteristic,)
