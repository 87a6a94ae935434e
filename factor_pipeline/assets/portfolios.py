"""Portfolios: breakpoints and cells of every sort, and the returns of the cells."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.signals import breakpoint_rule
from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import breakpoints
from factor_pipeline.compute.portfolios import PortfolioRule, portfolio_returns
from factor_pipeline.compute.sorts import default_sorts
from factor_pipeline.compute.statistics.turnover import turnovers
from factor_pipeline.months import MonthRange, formation_july
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.portfolio import ASSIGNMENT, BREAKPOINT, PORTFOLIO_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.signal_definitions import SIGNALS
from factor_pipeline.warehouse.models import load_sql

SORTED_SIGNALS = tuple(signal.column for signal in SIGNALS)
SORTS = default_sorts(
    SORTED_SIGNALS,
    june_signals={signal.column for signal in SIGNALS if signal.rebalance == "june"},
)

# June cells hold until the June after: eleven months back from any month lies a July.
_TO_JULY = 11

# Two sorts a signal are millions of rows in twenty years.
_BLOCK_MONTHS = 60


def stocks_of(run: Run, months: MonthRange) -> pl.DataFrame:
    """Stocks of the portfolio universe in ``months``."""
    stocks = run.warehouse.read_months(load_sql("portfolio/stocks"), months)
    return stocks.filter("member") if run.settings.portfolios.universe == "index" else stocks


@table_asset(
    BREAKPOINT,
    ASSIGNMENT,
    reads=[Upstream(CHARACTERISTIC, back=_TO_JULY), Upstream(SECURITY_MONTH, back=12, ahead=-1)],
    kinds=("polars", "sql"),
    block_months=_BLOCK_MONTHS,
)
def assignment(run: Run) -> Frames:
    """Fill ``portfolio.breakpoint`` and ``portfolio.assignment`` for the months of the run."""
    stocks = stocks_of(run, run.months.since(formation_july(run.months.start)))
    cuts = breakpoints(stocks, SORTS, breakpoint_rule(run.settings.portfolios))
    cells = assignments(stocks, cuts, SORTS, run.months)
    in_run = pl.col("month_end").is_between(run.months.start, run.months.end, "left")
    return cuts.filter(in_run), cells


@table_asset(
    PORTFOLIO_RETURN,
    reads=[Upstream(ASSIGNMENT, back=1), Upstream(SECURITY_MONTH, back=2)],
    kinds=("polars", "sql"),
    block_months=_BLOCK_MONTHS,
)
def portfolio_return(run: Run) -> Frames:
    """Fill ``portfolio.portfolio_return`` for the months of the run."""
    settings = run.settings.portfolios
    rule = PortfolioRule(min_stocks=settings.min_portfolio_stocks, cap=breakpoint_rule(settings))
    # What is traded at the start of a month depends on what was held in the month before.
    months = run.months.widened(back=1)
    stocks = stocks_of(run, months)
    cells = run.warehouse.months(ASSIGNMENT, months, ordered=False)
    traded = turnovers(stocks, cells, SORTS, rule)
    frame = portfolio_returns(
        stocks.filter(pl.col("month_end") >= run.months.start), cells, SORTS, rule
    ).join(traded, on=("sort", "cell", "weighting", "month_end"), how="left", maintain_order="left")
    # A month that no stock has a return in yet (the running one) has no portfolio returns.
    return (frame.filter((pl.col("stocks").sum() > 0).over("month_end")),)


ASSETS = (assignment, portfolio_return)
