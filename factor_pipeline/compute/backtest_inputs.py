"""Inputs of the backtest: the rows of the run, or a named reason why they cannot be used."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

from factor_pipeline.compute.strategies import Strategy
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange


def within(frame: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Rows of ``frame`` whose ``month_end`` lies in ``months``."""
    return frame.filter(pl.col("month_end").is_between(months.start, months.end, closed="left"))


def require_unique(frame: pl.DataFrame, name: str, *key: str) -> None:
    """Refuse rows that share a key.

    Raises
    ------
    DataError
        Naming the frame, its key and one repeated value.
    """
    if frame.select(key).n_unique() < frame.height:
        example = frame.filter(pl.struct(key).is_duplicated()).select(key).row(0)
        raise DataError(f"{name} repeat {' and '.join(key)} = {example}; keep one row of each")


def checked_returns(returns: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Rows of ``months``; a ``ret`` that is there is a number of at least -1."""
    known = within(returns, months)
    wrong = known.filter(~pl.col("ret").is_finite() | (pl.col("ret") < -1))
    if not wrong.is_empty():
        raise DataError(
            f"a return is not a number of at least -1: {wrong.row(0, named=True)}; "
            "correct it or make it null"
        )
    return known


def checked_targets(
    targets: pl.DataFrame, months: MonthRange, strategies: Sequence[Strategy]
) -> pl.DataFrame:
    """Rows of ``months`` with a weight other than 0; each is of one of ``strategies``."""
    wanted = within(targets, months)
    unknown = sorted(set(wanted["strategy"].unique()) - {s.name for s in strategies})
    if unknown:
        raise DataError(f"targets of {unknown[0]!r}, which is not run; add it or leave them out")
    wrong = wanted.filter(~pl.col("weight").is_finite().fill_null(value=False))
    if not wrong.is_empty():
        raise DataError(
            f"a target weight is not a finite number: {wrong.row(0, named=True)}; form it again"
        )
    return wanted.filter(pl.col("weight") != 0)


def opening_weights(
    holdings: pl.DataFrame | None, months: MonthRange, strategies: Sequence[Strategy]
) -> pl.DataFrame:
    """``strategy``, ``security_id``, ``weight`` the run opens with, from the month before it."""
    if holdings is None:
        schema = {"strategy": pl.String, "security_id": pl.Int64, "weight": pl.Float64}
        return pl.DataFrame(schema=schema)
    day_before = months.start - timedelta(days=1)
    if not holdings.filter(pl.col("month_end").ne_missing(day_before)).is_empty():
        raise DataError(
            f"opening holdings must be of {day_before}, the month before {months}; "
            "compute the months between first"
        )
    require_unique(holdings, "opening holdings", "strategy", "security_id")
    names = [strategy.name for strategy in strategies]
    return holdings.filter(pl.col("strategy").is_in(names), pl.col("closing_weight") != 0).select(
        "strategy", "security_id", weight="closing_weight"
    )


def cash_returns_of(cash_returns: pl.DataFrame | None, months: pl.Series) -> pl.Series:
    """``rf`` of each of ``months`` (month ends), null where not known."""
    if cash_returns is None:
        return pl.Series("rf", [None] * len(months), dtype=pl.Float64)
    require_unique(cash_returns, "cash returns", "month_end")
    known = months.to_frame().join(cash_returns, on="month_end", how="left", maintain_order="left")
    return known["rf"].fill_nan(None)


def checked_delistings(delistings: pl.DataFrame | None) -> pl.DataFrame:
    """``security_id``, ``month_end``, ``reason``; one row of each security."""
    if delistings is None:
        schema = {"security_id": pl.Int64, "month_end": pl.Date, "reason": pl.String}
        return pl.DataFrame(schema=schema)
    require_unique(delistings, "delistings", "security_id")
    return delistings
