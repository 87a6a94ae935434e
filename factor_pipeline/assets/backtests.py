"""Backtests: holdings and returns month by month, and their summary."""

from dataclasses import replace
from datetime import date

import polars as pl

from factor_pipeline.assets.backtest_rows import (
    BENCHMARK_LEVELS,
    BENCHMARKS,
    BOTH_STRATEGIES,
    EARLIER_HOLDINGS,
    FORMATION,
    OF_HOLDINGS,
    SINCE_HALT,
    VALUE_AND_MOMENTUM,
)
from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY, RISK_FREE, library_vintage, risk_free
from factor_pipeline.assets.signals import breakpoint_rule
from factor_pipeline.compute.backtest import benchmark_returns
from factor_pipeline.compute.backtest import run as run_backtest
from factor_pipeline.compute.bootstrap import Bootstrap
from factor_pipeline.compute.calendar import last_complete_month, last_trading_day
from factor_pipeline.compute.correlations import correlations
from factor_pipeline.compute.daily_values import daily_values, index_values
from factor_pipeline.compute.drawdown import daily_drawdowns, drawdowns
from factor_pipeline.compute.formation import Formation
from factor_pipeline.compute.halts import HALT_MONTHS, position_returns
from factor_pipeline.compute.illustration import illustration
from factor_pipeline.compute.performance import summary as summarise
from factor_pipeline.compute.strategies import BENCHMARK
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.backtest import (
    BACKTEST_RETURN,
    CORRELATION,
    DAILY_VALUE,
    DRAWDOWN,
    HOLDING,
    ILLUSTRATION,
    LEDGER,
    SUMMARY,
)
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import BENCHMARK_DAILY, PRICE_DAILY
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import Settings
from factor_pipeline.settings_strategies import MAX_LAG
from factor_pipeline.warehouse.models import load_sql


@table_asset(
    HOLDING,
    BACKTEST_RETURN,
    LEDGER,
    reads=[
        Upstream(CHARACTERISTIC, back=MAX_LAG, rows=FORMATION, into=(HOLDING,)),
        Upstream(
            SECURITY_MONTH, back=max(MAX_LAG + 1, HALT_MONTHS), rows=SINCE_HALT, into=(HOLDING,)
        ),
        Upstream(SECURITY, into=(HOLDING, LEDGER)),
        Upstream(BENCHMARK_DAILY, back=1, rows=BENCHMARK_LEVELS, into=(BACKTEST_RETURN,)),
        replace(RISK_FREE, into=(BACKTEST_RETURN,)),
    ],
    links=[
        Upstream(HOLDING, into=(BACKTEST_RETURN, LEDGER)),
        Upstream(SECURITY_MONTH, rows=OF_HOLDINGS, into=(BACKTEST_RETURN,)),
        Upstream(
            HOLDING,
            rows=EARLIER_HOLDINGS,
            into=(HOLDING,),
        ),
    ],
    kinds=("polars", "sql"),
)
def holding(run: Run) -> Frames:
    """Fill the backtest tables for the months of the run, going on from the month before."""
    months = _complete(run)
    strategies = run.settings.strategy_set.strategies
    month_before = MonthRange(add_months(months.start, -1), months.start)
    before = run.warehouse.months(BACKTEST_RETURN, month_before)
    if len(months):
        _require_chain(run, months)
    lag = max(strategy.lag_months for strategy in strategies)
    candidates = run.warehouse.read_months(
        load_sql("backtest/candidates"), months.widened(back=lag)
    )
    result = run_backtest(
        strategies,
        months,
        position_returns(
            run.warehouse.months(SECURITY_MONTH, months.widened(back=HALT_MONTHS)), months
        ),
        Formation.of(candidates, strategies, cap_rule=breakpoint_rule(run.settings.portfolios)),
        run.warehouse.months(HOLDING, month_before),
        cash_returns=risk_free(run),
        delistings=run.warehouse.read(load_sql("backtest/delistings")),
        stocks=candidates,
        max_volume_share=run.settings.backtest.max_volume_share,
        invested_before=before["strategy"].to_list(),
    )
    indices = [
        benchmark_returns(
            run.warehouse.read(
                load_sql("backtest/benchmark_return"),
                symbol=symbol,
                last_complete=_last_benchmark_day(run, symbol),
            ),
            months,
            name,
        )
        for symbol, name in benchmark_names(run.settings).items()
    ]
    return result.holdings, pl.concat([result.returns, *indices]), result.ledger


def benchmark_names(settings: Settings) -> dict[str, str]:
    """Symbol of each benchmark, and the strategy its returns are stored as."""
    symbols = {one.benchmark for one in settings.strategy_set.strategies if one.benchmark}
    others = sorted(symbols - {settings.benchmark.symbol})
    return {
        settings.benchmark.symbol: BENCHMARK,
        **{symbol: f"{BENCHMARK}_{symbol}" for symbol in others},
    }


def _complete(run: Run) -> MonthRange:
    """Months of the run that have ended: the running month has no returns yet."""
    data_end = run.warehouse.read("select max(date) from raw.price_daily").item()
    end = min(run.months.end, add_months(last_complete_month(data_end), 1))
    return MonthRange(min(run.months.start, end), end)


def _last_benchmark_day(run: Run, symbol: str) -> date | None:
    """Last day of the last month the benchmark's own data cover completely.

    Raises
    ------
    DataError
        When a strategy names a benchmark there are no data of.
    """
    last = run.warehouse.read(
        "select max(date) from raw.benchmark_daily "
        "where data_set = 'benchmark' and symbol = $symbol",
        symbol=symbol,
    ).item()
    if last is None and symbol != run.settings.benchmark.symbol:
        known = run.warehouse.read(
            "select distinct symbol from raw.benchmark_daily where data_set = 'benchmark' "
            "order by symbol"
        )["symbol"].to_list()
        raise DataError(
            f"a strategy is compared with {symbol!r}, which there are no levels of; "
            f"set its benchmark to one of: {', '.join(known) or 'none are there'}"
        )
    return last_trading_day(last_complete_month(last)) if last else None


def _require_chain(run: Run, months: MonthRange) -> None:
    """Refuse to go on where the holdings of the month before are not known.

    A strategy has a row in every month it runs, from its first holdings on.

    Raises
    ------
    DataError
        When the rows of a strategy end before the month before the run, though it ran on.
    """
    past = run.warehouse.read_months(
        "select strategy, max(month_end) as month_end from backtest.backtest_return "
        "where month_end < $month_start group by strategy",
        months,
    )
    ends = dict(past.iter_rows())
    for strategy in run.settings.strategy_set.strategies:
        end = ends.get(strategy.name)
        following = add_months(end, 1) if end else months.start
        if following < months.start and strategy.is_live(following):
            raise DataError(
                f"the backtest of {strategy.name!r} ends in {end:%Y-%m}: it cannot go on in "
                f"{months.start:%Y-%m}; run with --start {following:%Y-%m} or earlier"
            )


@table_asset(
    DAILY_VALUE,
    reads=[
        Upstream(HOLDING),
        Upstream(BACKTEST_RETURN),
        Upstream(SECURITY_MONTH, back=HALT_MONTHS, rows=OF_HOLDINGS),
        Upstream(SECURITY, rows=OF_HOLDINGS),
        Upstream(PRICE_DAILY, rows=OF_HOLDINGS),
        Upstream(BENCHMARK_DAILY, back=1, rows=BENCHMARK_LEVELS),
    ],
    kinds=("polars", "sql"),
)
def daily_value(run: Run) -> Frames:
    """Fill ``backtest.daily_value`` for the months of the run."""
    returns = run.warehouse.months(BACKTEST_RETURN, run.months)
    indices = [
        index_values(
            run.warehouse.read_months(
                load_sql("backtest/benchmark_level"), run.months, symbol=symbol
            ),
            returns,
            name,
        )
        for symbol, name in benchmark_names(run.settings).items()
    ]
    strategies = daily_values(
        run.warehouse.months(HOLDING, run.months),
        returns,
        run.warehouse.read_months(load_sql("backtest/daily_prices"), run.months),
    )
    return (pl.concat([strategies, *indices]),)


def _growth(run: Run) -> str:
    # Altair takes a second to import, which only a run that draws need wait for.
    from factor_pipeline.reporting.run_charts import strategies_markdown  # noqa: PLC0415

    return strategies_markdown(run.warehouse.read(load_sql("report/strategy_path")))


@table_asset(
    SUMMARY,
    DRAWDOWN,
    CORRELATION,
    ILLUSTRATION,
    reads=[
        Upstream(BACKTEST_RETURN, into=(SUMMARY, DRAWDOWN, ILLUSTRATION)),
        Upstream(DAILY_VALUE, into=(SUMMARY, DRAWDOWN, ILLUSTRATION)),
        replace(RISK_FREE, into=(SUMMARY,)),
    ],
    links=[
        Upstream(BACKTEST_RETURN, rows=BENCHMARKS, into=(SUMMARY,)),
        Upstream(
            BACKTEST_RETURN,
            rows=BOTH_STRATEGIES,
            into=(CORRELATION,),
        ),
        replace(LIBRARY, rows=VALUE_AND_MOMENTUM, into=(ILLUSTRATION,)),
    ],
    picture=_growth,
)
def summary(run: Run) -> Frames:
    """Fill what the backtest adds up to over all months."""
    returns, daily = run.warehouse.table(BACKTEST_RETURN), run.warehouse.table(DAILY_VALUE)
    settings, names = run.settings, benchmark_names(run.settings)
    defaults = settings.backtest
    strategies = settings.strategy_set
    figures = summarise(
        returns,
        risk_free(run),
        daily=daily,
        benchmarks={
            one.name: names[one.benchmark] for one in strategies.strategies if one.benchmark
        },
        sweeps=strategies.sweeps,
        bootstrap=Bootstrap(
            defaults.bootstrap_draws, defaults.bootstrap_block_months, defaults.bootstrap_seed
        ),
    )
    spells = {"monthly": drawdowns(returns), "daily": daily_drawdowns(daily)}
    quoted = illustration(
        returns,
        daily,
        run.warehouse.read(
            load_sql("backtest/library_factors"), vintage=library_vintage(run.warehouse, settings)
        ),
        simulated=settings.is_simulated,
    )
    return (
        figures,
        pl.concat([rows.with_columns(frequency=pl.lit(name)) for name, rows in spells.items()]),
        correlations(returns),
        quoted,
    )


ASSETS = (holding, daily_value, summary)
