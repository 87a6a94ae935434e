"""Backtest: strategies walked through the months, with costs, exits and a state to go on from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import polars as pl

from factor_pipeline.compute.accounting import Positions, Results, take_through_month
from factor_pipeline.compute.backtest_arrays import Codes
from factor_pipeline.compute.backtest_inputs import (
    cash_returns_of,
    checked_delistings,
    checked_returns,
    checked_targets,
    opening_weights,
    require_unique,
    within,
)
from factor_pipeline.compute.strategies import BENCHMARK, Strategy, require_distinct
from factor_pipeline.months import MonthRange

HOLDING_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "drifted_weight": pl.Float64(),
        "weight": pl.Float64(),
        "traded": pl.Float64(),
        "ret": pl.Float64(),
        "closing_weight": pl.Float64(),
        "status": pl.String(),
    }
)
RETURN_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "month_end": pl.Date(),
        "gross": pl.Float64(),
        "cost": pl.Float64(),
        "net": pl.Float64(),
        "turnover": pl.Float64(),
        "n": pl.Int64(),
        "cash_weight": pl.Float64(),
        "cash_ret": pl.Float64(),
        "rebalanced": pl.Boolean(),
    }
)
LEDGER_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "reason": pl.String(),
        "weight": pl.Float64(),
        "ret": pl.Float64(),
    }
)
NO_RETURN = "no return"
"""Ledger reason of an exit for want of a return, with no delisting on record."""
WORTHLESS = "worthless"
"""Ledger reason of an exit with a return of -1 and no delisting on record."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a run gives; every frame is sorted by month, strategy and security.

    Attributes
    ----------
    holdings
        One row per strategy, month and security held or sold in it: ``drifted_weight`` (before
        trading), ``weight`` (after it), ``traded`` (absolute change), ``ret`` (decimal; null when
        sold at the start of the month or without a return), ``closing_weight`` (end of the month;
        0 when sold, exited or the capital is gone), ``status`` (``entered``, ``held``, ``sold``,
        ``exited``). Weights are shares of the capital, negative for shorts.
    returns
        One row per strategy and month: ``gross``, ``cost``, ``net`` (decimals), ``turnover``
        (one-way), ``n`` (securities held), ``cash_weight`` (after trading; of a long-only
        strategy 0 within rounding while fully invested), ``cash_ret`` (null when not known: cash
        then earns nothing), ``rebalanced``. While a strategy holds nothing ``n`` is 0 and the
        other figures but ``cash_ret`` are null; in a month without any return of the market
        ``gross`` and ``net`` are.
    ledger
        One row per exit: ``reason`` (of the delisting on record, else ``no return`` or
        ``worthless``), ``weight`` (after trading), ``ret`` (of the month, delisting return
        included; null without one).
    """

    holdings: pl.DataFrame
    returns: pl.DataFrame
    ledger: pl.DataFrame


def run(  # noqa: PLR0913 - unlike inputs, half of them optional
    strategies: Sequence[Strategy],
    months: MonthRange,
    returns: pl.DataFrame,
    targets: pl.DataFrame,
    opening_holdings: pl.DataFrame | None = None,
    *,
    cash_returns: pl.DataFrame | None = None,
    delistings: pl.DataFrame | None = None,
    keep_holdings: Literal["all", "last"] = "all",
) -> Backtest:
    """Take strategies through ``months``; the rules are those of `compute.accounting`.

    Parameters
    ----------
    strategies
        What to run; names are unique. Only ``name`` and ``cost_per_traded`` matter here.
    months
        Months to compute; none gives empty frames.
    returns
        Unique ``security_id``, ``month_end`` with ``ret`` (total return, delisting included,
        decimal; null or no row: no return). Other months are ignored.
    targets
        ``strategy``, ``security_id``, ``month_end``, ``weight`` as from `formation.targets`:
        weights at the start of the month. Months without targets do not trade.
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
    wanted = checked_targets(targets, months, strategies)
    opening = opening_weights(opening_holdings, months, strategies)
    known = checked_returns(returns, months)
    leavers = checked_delistings(delistings)
    if len(months) == 0:
        schemas = (HOLDING_SCHEMA, RETURN_SCHEMA, LEDGER_SCHEMA)
        return Backtest(*(pl.DataFrame(schema=schema) for schema in schemas))
    codes = Codes.of([strategy.name for strategy in strategies], months, [wanted, opening])
    cash_ret = cash_returns_of(cash_returns, codes.month_ends)
    rates = {strategy.name: strategy.cost_per_traded for strategy in strategies}
    cost_rates = np.array([rates[name] for name in codes.strategies])

    book = codes.book(opening)
    held: list[tuple[int, Positions]] = []
    exits: list[tuple[int, Positions]] = []
    results: list[Results] = []
    markets = codes.markets(known, within(leavers, months), cash_ret)
    for code, (market, target) in enumerate(zip(markets, codes.monthly_books(wanted), strict=True)):
        positions, result = take_through_month(book, target, market, cost_rates)
        book = positions.closing()
        if keep_holdings == "last":
            held.clear()
        held.append((code, positions))
        exits.append((code, positions.where(positions.exited)))
        results.append(result)
    return Backtest(
        _holdings(codes, held), _returns(codes, results, cash_ret), _ledger(codes, exits, leavers)
    )


def benchmark_returns(index: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Give a buy-and-hold index the form of a strategy: no cost, no turnover.

    Parameters
    ----------
    index
        Unique ``month_end`` with ``ret`` (total return, decimal, nullable).
    months
        Months to give; one the index lacks has null returns.

    Returns
    -------
    pl.DataFrame
        Columns of ``Backtest.returns``, strategy ``benchmark``; ``n`` is null.

    Raises
    ------
    DataError
        When ``index`` repeats a month or a return is not a number of at least -1.
    """
    codes = Codes.of([BENCHMARK], months, [pl.DataFrame(schema={"security_id": pl.Int64})])
    known = checked_returns(index, months)
    require_unique(known, "benchmark returns", "month_end")
    ret = pl.when(pl.col("ret").is_not_null())
    return (
        codes.month_ends.to_frame()
        .join(known, on="month_end", how="left", maintain_order="left")
        .select(
            pl.lit(BENCHMARK).alias("strategy"),
            "month_end",
            gross="ret",
            cost=ret.then(0.0),
            net="ret",
            turnover=ret.then(0.0),
            n=pl.lit(None, dtype=pl.Int64),
            cash_weight=ret.then(0.0),
            cash_ret=pl.lit(None, dtype=pl.Float64),
            rebalanced=ret.then(statement=False),
        )
    )


def _holdings(codes: Codes, held: Sequence[tuple[int, Positions]]) -> pl.DataFrame:
    status = (
        pl.when("exited")
        .then(pl.lit("exited"))
        .when(pl.col("weight") == 0)
        .then(pl.lit("sold"))
        .when(pl.col("drifted_weight") == 0)
        .then(pl.lit("entered"))
        .otherwise(pl.lit("held"))
    )
    return codes.positions(held).select(
        "strategy",
        "security_id",
        "month_end",
        "drifted_weight",
        "weight",
        traded=(pl.col("weight") - pl.col("drifted_weight")).abs(),
        ret="ret",
        closing_weight="closing_weight",
        status=status,
    )


def _returns(codes: Codes, results: Sequence[Results], cash_ret: pl.Series) -> pl.DataFrame:
    count = len(codes.strategies)
    month = np.repeat(np.arange(len(results)), count)
    figures = {
        name: np.concatenate([getattr(result, name) for result in results])
        for name in Results.__slots__
    }
    frame = pl.DataFrame(
        {
            "strategy": pl.concat([codes.strategies] * len(results)),
            "month_end": codes.month_ends.gather(month),
            "cash_ret": cash_ret.gather(month),
            **figures,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))
    invested = pl.when(pl.col("n") > 0)
    return frame.select(
        "strategy",
        "month_end",
        gross=invested.then("gross"),
        cost=invested.then("cost"),
        net=invested.then("net"),
        turnover=invested.then(pl.col("traded") / 2),
        n="n",
        cash_weight=invested.then("cash_weight"),
        cash_ret="cash_ret",
        rebalanced=invested.then("rebalanced"),
    )


def _ledger(
    codes: Codes, exits: Sequence[tuple[int, Positions]], leavers: pl.DataFrame
) -> pl.DataFrame:
    on_record = leavers.select("security_id", "reason", delisted="month_end")
    unrecorded = (
        pl.when(pl.col("ret").is_null()).then(pl.lit(NO_RETURN)).otherwise(pl.lit(WORTHLESS))
    )
    return (
        codes.positions(exits)
        .join(on_record, on="security_id", how="left", maintain_order="left")
        .select(
            "strategy",
            "security_id",
            "month_end",
            reason=pl.when(pl.col("delisted") <= pl.col("month_end"))
            .then("reason")
            .otherwise(unrecorded),
            weight="weight",
            ret="ret",
        )
    )
