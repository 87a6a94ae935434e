"""Which rows the rows of a backtest are made of, where keys and months do not tell."""

from typing import Final

from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.halts import HALT_MONTHS
from factor_pipeline.compute.strategies import BENCHMARK

FORMATION: Final = Rows(
    same=(),
    history=True,
    where="""
up.month_end >= (
    select last_day(max(past.month_end) - to_months({longest_lag}))
    from backtest.backtest_return as past
    where past.strategy = own.strategy and past.month_end <= own.month_end and past.rebalanced
)
""",
)
"""What is held follows from the signals of all stocks when the holdings were formed last."""

SINCE_HALT: Final = Rows(
    where=f"up.month_end >= last_day(own.month_end - to_months({HALT_MONTHS}))"
)

EARLIER_HOLDINGS: Final = Rows(same=("strategy",), history=True)
"""Weights drift from those of the month before."""

BENCHMARK_LEVELS: Final = Rows(
    same=(),
    where=f"""
up.data_set = 'benchmark' and starts_with(own.strategy, '{BENCHMARK}')
and up.symbol
= coalesce(nullif(substr(own.strategy, {len(BENCHMARK) + 2}), ''), {{benchmark.symbol}})
""",
)
"""Returns of another benchmark than that of the settings are stored with its symbol."""

BENCHMARKS: Final = Rows(same=(), where=f"starts_with(up.strategy, '{BENCHMARK}')")

BOTH_STRATEGIES: Final = Rows(same=(), where="up.strategy in (own.strategy, own.other)")

OF_HOLDINGS: Final = Rows(through=True)

VALUE_AND_MOMENTUM: Final = Rows(
    same=(), where="up.factor in ('HML', 'UMD') and up.vintage = {library_vintage}"
)
