"""Portfolio formation: from what is known before a month to the weights it starts with."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Literal

import numpy as np
import polars as pl

from factor_pipeline.compute.strategies import Strategy, require_distinct
from factor_pipeline.errors import DataError, SettingsError

TARGET_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        "weight": pl.Float64(),
    }
)

# 0.29 * 100 is 28.999999999999996 in binary; a share is never known to nine digits.
_ROUNDING = 1e-9
_SCORE_DIGITS = 12

_Ranking = tuple[tuple[tuple[str, float], ...], Literal["equal", "value"]]


def targets(candidates: pl.DataFrame, strategies: Sequence[Strategy]) -> pl.DataFrame:
    r"""Weights each strategy wants at the start of its rebalance months.

    A security can be chosen when it is an index member on the formation date and has every signal
    of the strategy (for ``value`` weighting also a positive market equity). The ``n`` such
    securities of a month are ranked on the score below, best first; equal scores are ordered by
    ``security_id``. The long leg is the first ``k = floor(top_share * n)``, the short leg the last
    ``k``. A leg's weights sum to 1 (long) or -1 (short).

    Parameters
    ----------
    candidates
        Unique ``security_id``, ``month_end`` (the month the weights are for) with ``member``
        (Boolean, index member on the last day of the month before; null is no member),
        ``lagged_market_equity`` (currency, end of the month before) and every signal column.
        All values known before the month begins; null and non-finite values count as missing.
    strategies
        What to form; names are unique.

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``security_id``, ``month_end``, ``weight`` (share of capital, never 0),
        sorted by strategy, month and security; only rebalance months in which ``k`` is at least
        the strategy's ``min_names``.

    Raises
    ------
    DataError
        When a member has two rows in a month.
    SettingsError
        When a strategy names a signal that ``candidates`` lacks, or two share a name.

    Notes
    -----
    With average ranks :math:`R_{ik}` of signal k among the eligible securities of the month,

    .. math:: s_i = \sum_k w_k z_{ik}, \qquad
              z_{ik} = \frac{R_{ik} - (n + 1) / 2}{\operatorname{sd}(R_k)},

    the standard deviation with n - 1. A signal that is equal for all gives z = 0. Ranks are
    multiples of one half, so all their sums are exact and the order of rows changes no bit.

    References
    ----------
    Asness, Moskowitz and Pedersen (2013), *Journal of Finance* 68(3).
    """
    require_distinct(strategies)
    members = candidates.filter(pl.col("member")).sort("month_end", "security_id")
    repeated = members.filter(
        (pl.col("month_end") == pl.col("month_end").shift())
        & (pl.col("security_id") == pl.col("security_id").shift())
    )
    if not repeated.is_empty():
        example = repeated.select("security_id", "month_end").row(0)
        raise DataError(f"candidates repeat {example}; keep one row of a security and month")
    months = members["month_end"].unique().to_list()
    parts: dict[str, pl.DataFrame] = {}
    for (signals, weighting), group in groupby(sorted(strategies, key=_order), key=_ranking):
        alike = tuple(group)
        _require_signals(members, alike[0])
        dates = {strategy.name: _rebalance_dates(months, strategy) for strategy in alike}
        needed = sorted(set().union(*dates.values()))
        ranked = _ranked(
            members.filter(pl.col("month_end").is_in(needed)), dict(signals), weighting
        )
        for strategy in alike:
            rows = ranked.filter(pl.col("month_end").is_in(dates[strategy.name]))
            parts[strategy.name] = _legs(rows, strategy)
    return pl.concat([pl.DataFrame(schema=TARGET_SCHEMA), *(parts[name] for name in sorted(parts))])


def _ranking(strategy: Strategy) -> _Ranking:
    """Strategies alike in this share one ranking."""
    return tuple(strategy.signals.items()), strategy.weighting


def _order(strategy: Strategy) -> tuple[_Ranking, str]:
    return _ranking(strategy), strategy.name


def _rebalance_dates(months: Sequence[date], strategy: Strategy) -> list[date]:
    return [month for month in months if strategy.rebalances_in(month)]


def _require_signals(candidates: pl.DataFrame, strategy: Strategy) -> None:
    unknown = sorted(set(strategy.signals) - set(candidates.columns))
    if unknown:
        raise SettingsError(
            f"strategy {strategy.name!r}: no signal {unknown[0]!r}; "
            f"choose from {', '.join(sorted(candidates.columns))}"
        )


def _ranked(
    members: pl.DataFrame, signals: Mapping[str, float], weighting: Literal["equal", "value"]
) -> pl.DataFrame:
    """Eligible rows with ``position`` (1 is best) among the ``names`` of the month.

    ``mass`` is what weights within a leg are proportional to. Rows stay in security order, in
    which equal scores are numbered.
    """
    by_value = weighting == "value"
    mass = pl.col("lagged_market_equity") if by_value else pl.lit(1.0)
    eligible = [pl.col(signal).is_finite() for signal in signals]
    if by_value:
        eligible += [mass.is_finite(), mass > 0]
    # Scores that are equal on paper differ in the last bits of their sums: no tie would be one.
    score = pl.sum_horizontal(
        weight * _z_score(signal) for signal, weight in signals.items()
    ).round(_SCORE_DIGITS)
    return (
        members.filter(eligible)
        .with_columns(score=score)
        .select(
            "security_id",
            "month_end",
            mass=mass,
            position=pl.col("score").rank("ordinal", descending=True).over("month_end"),
            names=pl.len().over("month_end"),
        )
    )


def _z_score(signal: str) -> pl.Expr:
    """Standardised average rank within the month; 0 when all are tied."""
    deviation = pl.col(signal).rank("average") - (pl.len() + 1) / 2
    squares = (deviation**2).sum()
    z = pl.when(squares > 0).then(deviation / (squares / (pl.len() - 1)).sqrt()).otherwise(0.0)
    return z.over("month_end")


def _legs(ranked: pl.DataFrame, strategy: Strategy) -> pl.DataFrame:
    """Weights of one strategy; a leg's mass is summed in security order."""
    count = (strategy.top_share * pl.col("names") + _ROUNDING).floor()
    is_long = pl.col("position") <= count
    is_short = pl.col("position") > pl.col("names") - count
    is_chosen = is_long | is_short if strategy.kind == "long_short" else is_long
    chosen = ranked.filter(count >= strategy.min_names, is_chosen).select(
        "security_id",
        "month_end",
        "mass",
        side=pl.when(is_long).then(1.0).otherwise(-1.0),
        leg=2 * pl.col("month_end").rle_id().cast(pl.Int64) + is_long,
    )
    leg, mass = chosen["leg"].to_numpy(), chosen["mass"].to_numpy()
    # bincount adds in row order, so that a sum does not depend on what else is computed.
    weight = chosen["side"].to_numpy() * (mass / np.bincount(leg, weights=mass)[leg])
    return chosen.select(
        pl.lit(strategy.name).alias("strategy"),
        "security_id",
        "month_end",
        pl.Series("weight", weight, dtype=pl.Float64),
    )
