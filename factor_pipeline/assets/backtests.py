"""Backtests: holdings and returns month by month, and their summary."""

from datetime import date

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY, risk_free
from factor_pipeline.compute.backtest import benchmark_returns
from factor_pipeline.compute.backtest import run as run_backtest
from factor_pipeline.compute.calendar import last_complete_month, last_trading_day
from factor_pipeline.compute.drawdown import drawdowns
from factor_pipeline.compute.formation import targets
from factor_pipeline.compute.performance import summary as summarise
from factor_pipeline.compute.strategies import Strategy, default_strategies
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.backtest import (
    BACKTEST_RETURN,
    DRAWDOWN,
    HOLDING,
    LEDGER,
    SUMMARY,
)
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.raw import BENCHMARK_DAILY
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import BacktestSettings
from factor_pipeline.warehouse.models import load_sql


def strategies_of(settings: BacktestSettings) -> tuple[Strategy, ...]:
    """Strategies of the settings."""
    return default_strategies(
        top_share=settings.top_share,
        rebalance_months=settings.rebalance_months,
        cost_per_traded=settings.cost_per_traded,
        min_names=settings.min_names,
    )


@table_asset(
    HOLDING,
    BACKTEST_RETURN,
    LEDGER,
    reads=[
        Upstream(CHARACTERISTIC),
        Upstream(SECURITY_MONTH, back=1),
        Upstream(BENCHMARK_DAILY),
        LIBRARY,
    ],
    kinds=("polars", "sql"),
)
def holding(run: Run) -> Frames:
    """Fill the backtest tables for the months of the run, going on from the month before."""
    months = _complete(run)
    strategies = strategies_of(run.settings.backtest)
    stocks = run.warehouse.read_months(load_sql("portfolio/stocks"), months)
    if run.settings.backtest.universe == "all":
        stocks = stocks.with_columns(member=pl.lit(value=True))
    result = run_backtest(
        strategies,
        months,
        run.warehouse.months(SECURITY_MONTH, months).select("security_id", "month_end", "ret"),
        targets(stocks, strategies),
        _opening_holdings(run, months),
        cash_returns=risk_free(run),
        delistings=run.warehouse.read(load_sql("backtest/delistings")),
    )
    index = run.warehouse.read(
        load_sql("backtest/benchmark_return"),
        symbol=run.settings.benchmark.symbol,
        last_complete=_last_benchmark_day(run),
    )
    returns = pl.concat([result.returns, benchmark_returns(index, months)])
    observed = returns.filter(pl.col("net").is_not_null())
    return result.holdings, observed, result.ledger


def _complete(run: Run) -> MonthRange:
    """Months of the run that have ended: the running month has no returns yet."""
    data_end = run.warehouse.read("select max(date) from raw.price_daily").item()
    end = min(run.months.end, add_months(last_complete_month(data_end), 1))
    return MonthRange(min(run.months.start, end), end)


def _last_benchmark_day(run: Run) -> date | None:
    """Last day of the last month the benchmark's own data cover completely."""
    last = run.warehouse.read(
        "select max(date) from raw.benchmark_daily "
        "where data_set = 'benchmark' and symbol = $symbol",
        symbol=run.settings.benchmark.symbol,
    ).item()
    return last_trading_day(last_complete_month(last)) if last else None


def _opening_holdings(run: Run, months: MonthRange) -> pl.DataFrame:
    """Read the holdings of the month before the run.

    Raises
    ------
    DataError
        When earlier months were run but not the one before: the chain of holdings has a gap.
    """
    before = MonthRange(add_months(months.start, -1), months.start)
    past = run.warehouse.read_months(
        "select max(month_end) from backtest.backtest_return where month_end < $month_start",
        months,
    ).item()
    if past is not None and past < before.start and len(months):
        raise DataError(
            f"the backtest ends in {past:%Y-%m}: it cannot go on in {months.start:%Y-%m}; "
            f"run with --start {add_months(past, 1):%Y-%m} or earlier"
        )
    return run.warehouse.months(HOLDING, before)


@table_asset(SUMMARY, DRAWDOWN, reads=[Upstream(BACKTEST_RETURN), LIBRARY])
def summary(run: Run) -> Frames:
    """Fill ``backtest.summary`` and ``backtest.drawdown`` over all months."""
    returns = run.warehouse.table(BACKTEST_RETURN)
    return summarise(returns, risk_free(run)), drawdowns(returns)


ASSETS = (holding, summary)
