"""Portfolios: breakpoints and cells of every sort, and the returns of the cells."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.rows import Rows
from factor_pipeline.assets.signals import breakpoint_rule
from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import breakpoints
from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.cells import SortedStocks
from factor_pipeline.compute.portfolios import cell_portfolio_returns
from factor_pipeline.compute.statistics.capacity import cell_dollar_volumes
from factor_pipeline.compute.statistics.turnover import cell_turnovers
from factor_pipeline.months import MonthRange, formation_july
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.portfolio import ASSIGNMENT, BREAKPOINT, PORTFOLIO_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import PortfolioSettings
from factor_pipeline.warehouse.models import load_sql

# Two sorts a signal are millions of rows in twenty years.
_BLOCK_MONTHS = 60

# June cells hold until the June after: eleven months back from any month lies a July.
_TO_JULY = 11

# A spread, such as D10-D01, has the members of both cells.
_MEMBERS = "list_contains(string_split(own.cell, '-'), up.cell)"


def portfolio_rule(settings: PortfolioSettings) -> PortfolioRule:
    """Portfolio rule of the settings."""
    return PortfolioRule(min_stocks=settings.min_portfolio_stocks, cap=breakpoint_rule(settings))


def stocks_of(run: Run, months: MonthRange) -> pl.DataFrame:
    """Stocks of the portfolio universe in ``months``."""
    stocks = run.warehouse.read_months(load_sql("portfolio/stocks"), months)
    return stocks.filter("member") if run.settings.portfolios.universe == "index" else stocks


@table_asset(
    BREAKPOINT,
    ASSIGNMENT,
    reads=[
        Upstream(CHARACTERISTIC, back=_TO_JULY, into=(ASSIGNMENT,)),
        Upstream(SECURITY_MONTH, back=12, ahead=-1, into=(ASSIGNMENT,)),
    ],
    links=[
        Upstream(BREAKPOINT, back=_TO_JULY, into=(ASSIGNMENT,)),
        Upstream(CHARACTERISTIC, into=(BREAKPOINT,)),
        Upstream(SECURITY_MONTH, back=1, ahead=-1, into=(BREAKPOINT,)),
    ],
    kinds=("polars", "sql"),
    block_months=_BLOCK_MONTHS,
)
def assignment(run: Run) -> Frames:
    """Fill ``portfolio.breakpoint`` and ``portfolio.assignment`` for the months of the run."""
    sorts = run.settings.portfolios.all_sorts()
    stocks = stocks_of(run, run.months.since(formation_july(run.months.start)))
    cuts = breakpoints(stocks, sorts, breakpoint_rule(run.settings.portfolios))
    cells = assignments(stocks, cuts, sorts, run.months)
    in_run = pl.col("month_end").is_between(run.months.start, run.months.end, "left")
    return cuts.filter(in_run), cells


@table_asset(
    PORTFOLIO_RETURN,
    reads=[
        Upstream(BREAKPOINT, back=_TO_JULY + 1),
        Upstream(CHARACTERISTIC, back=_TO_JULY + 1),
        Upstream(SECURITY_MONTH, back=13),
    ],
    # Cells follow from stocks and breakpoints; these are the members they have.
    links=[Upstream(ASSIGNMENT, back=1, rows=Rows(same=("sort",), where=_MEMBERS))],
    kinds=("polars", "sql"),
    block_months=_BLOCK_MONTHS,
)
def portfolio_return(run: Run) -> Frames:
    """Fill ``portfolio.portfolio_return`` for the months of the run.

    Cells follow from stocks and breakpoints faster than ``portfolio.assignment`` can be read.
    """
    sorts = run.settings.portfolios.all_sorts()
    rule = portfolio_rule(run.settings.portfolios)
    # What is traded at the start of a month depends on what was held in the month before.
    held = run.months.widened(back=1)
    read = held.since(formation_july(held.start))
    cuts = run.warehouse.months(BREAKPOINT, read, ordered=False)
    stocks = SortedStocks.of(
        stocks_of(run, read),
        sorts,
        held,
        columns=("ret", "lagged_market_equity", "lagged_dollar_volume", "exchange"),
    )
    cells = [(sort, stocks.cells(sort, cuts)) for sort in sorts]
    traded = cell_turnovers(stocks.current, cells, rule)
    volumes = cell_dollar_volumes(stocks.current, cells)
    frame = (
        cell_portfolio_returns(stocks.current, cells, rule)
        .filter(pl.col("month_end") >= run.months.start)
        .join(
            traded, on=("sort", "cell", "weighting", "month_end"), how="left", maintain_order="left"
        )
        .join(volumes, on=("sort", "cell", "month_end"), how="left", maintain_order="left")
    )
    # A month that no stock has a return in yet (the running one) has no portfolio returns.
    return (frame.filter((pl.col("stocks").sum() > 0).over("month_end")),)


ASSETS = (assignment, portfolio_return)
