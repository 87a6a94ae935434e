"""Backtest: strategies walked through the months, with costs, exits and a state to go on from."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from factor_pipeline.compute.accounting import (
    Book,
    Market,
    Positions,
    Results,
    Terms,
    take_through_month,
)
from factor_pipeline.compute.backtest_arrays import (
    Codes,
    Held,
    Told,
    code_of_month,
    positions_frame,
    results_frame,
)
from factor_pipeline.compute.backtest_frames import (
    HOLDING_SCHEMA,
    LEDGER_SCHEMA,
    RETURN_SCHEMA,
    holdings_frame,
    ledger_frame,
    returns_frame,
)
from factor_pipeline.compute.backtest_inputs import (
    cash_returns_of,
    checked_delistings,
    checked_returns,
    checked_targets,
    opening_weights,
    require_unique,
)
from factor_pipeline.compute.formation import Formation
from factor_pipeline.compute.markets import Markets
from factor_pipeline.compute.ranking import Score
from factor_pipeline.compute.strategies import BENCHMARK, Strategy, require_distinct
from factor_pipeline.months import MonthRange

MAX_VOLUME_SHARE = 0.1
"""Share of a month's dollar volume that a trade may be, for the capacity."""

# Positions of so many strategies stay in the processor's cache.
_TOGETHER = 16

_Former = Callable[[date, Book], Book]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a run gives; every frame is sorted by month, strategy and security.

    Attributes
    ----------
    holdings
        One row per strategy, month and security held or sold in it: ``drifted_weight`` (before
        trading), ``weight`` (after it), ``traded`` (absolute change), ``ret`` (decimal; null when
        sold at the start of the month, or without a return: it then keeps its value),
        ``closing_weight`` (end of the month; 0 when sold, exited or the capital is gone),
        ``status`` (``entered``, ``held``, ``sold``, ``exited``). Weights are shares of the capital,
        negative for shorts.
    returns
        One row per strategy and month: ``gross``, ``cost``, ``borrow_cost``, ``net`` (decimals),
        ``turnover`` (one-way), ``traded`` (both ways), ``n`` (securities held),
        ``gross_exposure``, ``net_exposure``, ``cash_weight`` (after trading; of a long-only
        strategy 0 within rounding while fully invested), ``capacity`` (largest capital whose trades
        stay within a share of each security's dollar volume, in its unit; null without trades or
        volumes), ``cash_ret`` (null when not known: cash then earns nothing), ``rebalanced``.
        A strategy's rows begin with its first holdings. In later months without any, ``n`` is 0
        and ``gross`` and ``net`` are ``cash_ret``, null where that is not known. While it holds
        something, ``gross``, ``borrow_cost`` and ``net`` are null in a month without any return of
        the market. Months in which a strategy does not run have no row.
    ledger
        One row per exit: ``reason`` (of the delisting on record, else ``no return`` after
        `halts.HALT_MONTHS` without a price, or ``worthless``), ``weight`` (after trading), ``ret``
        (of the month, delisting return included; null without one). A halt is no exit.
    """

    holdings: pl.DataFrame
    returns: pl.DataFrame
    ledger: pl.DataFrame


def run(  # noqa: PLR0913 - unlike inputs, half of them optional
    strategies: Sequence[Strategy],
    months: MonthRange,
    returns: pl.DataFrame,
    targets: pl.DataFrame | Formation,
    opening_holdings: pl.DataFrame | None = None,
    *,
    cash_returns: pl.DataFrame | None = None,
    delistings: pl.DataFrame | None = None,
    stocks: pl.DataFrame | None = None,
    max_volume_share: float = MAX_VOLUME_SHARE,
    invested_before: Collection[str] = (),
    keep_holdings: Literal["all", "last"] = "all",
) -> Backtest:
    """Take strategies through ``months``; the rules are those of `compute.accounting`.

    Parameters
    ----------
    strategies
        What to run; names are unique.
    months
        Months to compute; none gives empty frames.
    returns
        Unique ``security_id``, ``month_end`` with ``ret`` (total return, delisting included,
        decimal; null or no row: no return) and, as from `halts.position_returns`,
        ``halted_months``: a security without a row is then given up. Without that column every
        position can be traded, and one without a return is kept for good. Other months are
        ignored.
    targets
        What forms the weights at the start of the months. Or the weights: ``strategy``,
        ``security_id``, ``month_end``, ``weight`` as from `formation.targets`. Months without
        targets do not trade.
    opening_holdings
        ``Backtest.holdings`` of the month before ``months``, stored or just computed; none or no
        rows starts in cash. Rows of other strategies are ignored.
    cash_returns
        Unique ``month_end`` with ``rf`` (decimal). In a month it lacks cash earns nothing. It is
        also what the collateral of a long-short strategy earns, whose returns are excess returns
        without it.
    delistings
        Unique ``security_id`` with ``month_end`` (month of the delisting) and ``reason``. A
        delisting after the month computed is not looked at.
    stocks
        Unique ``security_id``, ``month_end`` of the whole market with ``lagged_market_equity``
        (currency, end of the month before; needed by strategies with ``spread_by_size``) and,
        for the capacity, ``lagged_dollar_volume`` (currency, of the month before).
    max_volume_share
        Share of that volume a trade may be, for the capacity.
    invested_before
        Strategies that have held something before ``months``: a month in cash has a row.
    keep_holdings
        ``last`` keeps the rows of the last month only: enough to go on from, and far smaller.

    Raises
    ------
    DataError
        When an input repeats a key, a return is not a number of at least -1, a target weight is
        not a number, or ``opening_holdings`` are of another month.
    SettingsError
        When two strategies share a name.
    """
    require_distinct(strategies)
    opening = opening_weights(opening_holdings, months, strategies)
    known = checked_returns(returns, months)
    leavers = checked_delistings(delistings)
    if isinstance(targets, pl.DataFrame):
        targets = checked_targets(targets, months, strategies)
    if not strategies or len(months) == 0:
        schemas = (HOLDING_SCHEMA, RETURN_SCHEMA, LEDGER_SCHEMA)
        return Backtest(*(pl.DataFrame(schema=schema) for schema in schemas))
    held = targets.securities if isinstance(targets, Formation) else targets["security_id"]
    names = [strategy.name for strategy in strategies]
    codes = Codes.of(names, months, [held.cast(pl.Int64), opening["security_id"]])
    cash_ret = cash_returns_of(cash_returns, codes.month_ends)
    markets = Markets.of(codes, strategies, known, leavers, cash_ret, stocks)

    every_month = [markets.month(month) for month in range(len(months))]
    kept: list[Held] = []
    exits: list[Held] = []
    told: list[Told] = []
    for batch in _batches(strategies):
        former = (
            targets.former(batch, codes.securities)
            if isinstance(targets, Formation)
            else _giving(codes, targets, batch)
        )
        terms = markets.terms(batch, max_volume_share)
        place = codes.strategy([strategy.name for strategy in batch])
        for month, positions, results in _walk(codes, batch, former, every_month, opening, terms):
            if keep_holdings == "all" or month == len(months) - 1:
                kept.append((month, place, positions))
            if positions.exited.any():
                exits.append((month, place, positions.where(positions.exited)))
            told.append((month, place, results))
    return Backtest(
        holdings_frame(positions_frame(codes, kept, markets.returns)),
        returns_frame(
            results_frame(codes, told, cash_ret),
            {*invested_before, *opening["strategy"].unique()},
        ),
        ledger_frame(positions_frame(codes, exits, markets.returns), leavers),
    )


def _batches(strategies: Sequence[Strategy]) -> Iterator[list[Strategy]]:
    """Strategies that share a ranking and trade in the same months, some at a time."""

    def alike(strategy: Strategy) -> tuple[object, ...]:
        schedule = strategy.rebalance_months, strategy.start, strategy.end
        return Score.of(strategy), *schedule

    together: dict[tuple[object, ...], list[Strategy]] = {}
    for strategy in sorted(strategies, key=lambda one: one.name):
        together.setdefault(alike(strategy), []).append(strategy)
    for group in together.values():
        for first in range(0, len(group), _TOGETHER):
            yield group[first : first + _TOGETHER]


def _giving(codes: Codes, targets: pl.DataFrame, batch: Sequence[Strategy]) -> _Former:
    """Return what hands out given targets month by month."""
    books = codes.books(targets, [strategy.name for strategy in batch])
    nothing = Book.empty(len(batch))

    def give(month_end: date, _: Book) -> Book:
        return books.get(code_of_month(month_end, codes.months), nothing)

    return give


def _walk(  # noqa: PLR0913, PLR0917 - the parts of a run
    codes: Codes,
    batch: Sequence[Strategy],
    former: _Former,
    markets: Sequence[Market],
    opening: pl.DataFrame,
    terms: Terms,
) -> Iterator[tuple[int, Positions, Results]]:
    """Take strategies that share start and end through the months they run in."""
    before = opening.with_columns(month_end=pl.lit(codes.months.start))
    books = codes.books(before, [strategy.name for strategy in batch])
    book = books.get(0, Book.empty(len(batch)))
    for month, month_end in enumerate(codes.month_ends.to_list()):
        if not batch[0].is_live(month_end):
            book = Book.empty(len(batch))
            continue
        positions, results = take_through_month(
            book, former(month_end, book), markets[month], terms
        )
        book = positions.closing()
        yield month, positions, results


def benchmark_returns(
    index: pl.DataFrame, months: MonthRange, name: str = BENCHMARK
) -> pl.DataFrame:
    """Give a buy-and-hold index the form of a strategy: no cost, no turnover.

    Parameters
    ----------
    index
        Unique ``month_end`` with ``ret`` (total return, decimal, nullable).
    months
        Months to give, of those from the first to the last return of the index; one it lacks
        has null returns.
    name
        Its name as a strategy.

    Returns
    -------
    pl.DataFrame
        Columns of ``Backtest.returns``, strategy ``name``; ``n`` is null.

    Raises
    ------
    DataError
        When ``index`` repeats a month or a return is not a number of at least -1.
    """
    codes = Codes.of([name], months, [pl.Series(dtype=pl.Int64)])
    known = checked_returns(index, months)
    require_unique(known, "benchmark returns", "month_end")
    ret = pl.when(pl.col("ret").is_not_null())
    covered = index.filter(pl.col("ret").is_not_null())["month_end"]
    return (
        codes.month_ends.to_frame()
        .filter(pl.col("month_end").is_between(covered.min(), covered.max()))
        .join(known, on="month_end", how="left", maintain_order="left")
        .select(
            pl.lit(name).alias("strategy"),
            "month_end",
            gross="ret",
            cost=ret.then(0.0),
            borrow_cost=ret.then(0.0),
            net="ret",
            turnover=ret.then(0.0),
            traded=ret.then(0.0),
            n=pl.lit(None, dtype=pl.Int64),
            gross_exposure=ret.then(1.0),
            net_exposure=ret.then(1.0),
            cash_weight=ret.then(0.0),
            capacity=pl.lit(None, dtype=pl.Float64),
            cash_ret=pl.lit(None, dtype=pl.Float64),
            rebalanced=ret.then(statement=False),
        )
    )
