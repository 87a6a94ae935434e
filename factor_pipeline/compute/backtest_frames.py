"""Frames of the backtest: their columns, and how positions and results become them."""

from collections.abc import Collection

import polars as pl

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
        "borrow_cost": pl.Float64(),
        "net": pl.Float64(),
        "turnover": pl.Float64(),
        "traded": pl.Float64(),
        "n": pl.Int64(),
        "gross_exposure": pl.Float64(),
        "net_exposure": pl.Float64(),
        "cash_weight": pl.Float64(),
        "capacity": pl.Float64(),
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
"""Ledger reason of an exit after a long time without a price, with no delisting on record."""
WORTHLESS = "worthless"
"""Ledger reason of an exit with a return of -1 and no delisting on record."""


def holdings_frame(positions: pl.DataFrame) -> pl.DataFrame:
    """Columns of ``HOLDING_SCHEMA`` from positions."""
    status = (
        pl.when("exited")
        .then(pl.lit("exited"))
        .when(pl.col("weight") == 0)
        .then(pl.lit("sold"))
        .when(pl.col("drifted_weight") == 0)
        .then(pl.lit("entered"))
        .otherwise(pl.lit("held"))
    )
    traded = (pl.col("weight") - pl.col("drifted_weight")).abs()
    return positions.with_columns(traded=traded, status=status).select(HOLDING_SCHEMA.names())


def returns_frame(results: pl.DataFrame, invested_before: Collection[str]) -> pl.DataFrame:
    """Columns of ``RETURN_SCHEMA`` from results by month, from a strategy's first holdings on."""
    is_invested = pl.col("n") > 0
    began = is_invested.cast(pl.Int8).cum_max().over("strategy") > 0
    earned = {
        name: pl.when(is_invested).then(name).otherwise("cash_ret") for name in ("gross", "net")
    }
    borrowed = pl.when(is_invested).then("borrow_cost").otherwise(0.0)
    return (
        results.filter(began | pl.col("strategy").is_in(list(invested_before)))
        .with_columns(**earned, borrow_cost=borrowed)
        .with_columns(turnover=pl.col("traded") * 0.5, cash_weight=1.0 - pl.col("net_exposure"))
        .select(RETURN_SCHEMA.names())
    )


def ledger_frame(exits: pl.DataFrame, leavers: pl.DataFrame) -> pl.DataFrame:
    """Columns of ``LEDGER_SCHEMA`` from the positions that exited and the delistings on record."""
    on_record = leavers.select("security_id", "reason", delisted="month_end")
    unrecorded = (
        pl.when(pl.col("ret").is_null()).then(pl.lit(NO_RETURN)).otherwise(pl.lit(WORTHLESS))
    )
    reason = pl.when(pl.col("delisted") <= pl.col("month_end")).then("reason").otherwise(unrecorded)
    return (
        exits.join(on_record, on="security_id", how="left", maintain_order="left")
        .with_columns(reason=reason)
        .select(LEDGER_SCHEMA.names())
    )
