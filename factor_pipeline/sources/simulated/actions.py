"""What happens to a share besides its return: dividends, splits, departures from the exchange."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats, Integers

REASONS: Final = ("merger", "performance", "other")

_QUARTER: Final = 3
_PRICE_DECIMALS: Final = 4
_SPLITS: Final = np.array([2.0, 2.0, 2.0, 3.0, 1.5])
_REVERSE_SPLITS: Final = np.array([0.1, 0.2])
_SPLIT_ABOVE: Final = (80.0, 160.0)  # price: lowest threshold of a firm, and the range of them
_REVERSE_BELOW: Final = (3.0, 3.0)
_SPLIT_CHANCE: Final = 0.15

_SAFE_MONTHS: Final = 6
_MERGER_RATE: Final = 0.0035  # per month
_OTHER_RATE: Final = 0.0003
_FAILURE_RATE: Final = 0.0004
_RATE_AFTER_LOSS: Final = 0.05
_LOSS: Final = -0.6
_RATE_AT_PENNIES: Final = 0.10
_PENNIES: Final = 1.5


@dataclass(frozen=True, slots=True)
class Departures:
    """Securities that leave in a month; arrays of shape (N,).

    ``last_row`` is the row of the last price in the month (that of its last day for those that
    stay), ``reason`` a position in ``REASONS``, ``delisting_return`` what an owner gets after
    the last close.
    """

    leaves: Flags
    last_row: Integers
    reason: Integers
    delisting_return: Floats


@dataclass(frozen=True, slots=True)
class Actions:
    """Dividends and splits of a month and the rows they fall on; arrays of shape (N,).

    ``dividend`` is in dollars per share and 0 for none, ``split`` in new shares per old one and
    1 for none. No share has both in one month.
    """

    dividend: Floats
    dividend_row: Integers
    split: Floats
    split_row: Integers


def plan_departures(  # noqa: PLR0913 - what drives a departure
    draws: Draws,
    entity: Integers,
    month: int,
    *,
    rows: int,
    listed: Flags,
    months_listed: Integers,
    price: Floats,
    past_year: Floats,
) -> Departures:
    """Decide which of the listed securities leave during a month of ``rows`` trading days.

    A year with a loss beyond 60 % (``past_year``, NaN when unknown) or a price in pennies at
    the end of the month before makes a failure likely.
    """
    failure = (
        _FAILURE_RATE
        + _RATE_AFTER_LOSS * (np.nan_to_num(past_year) < _LOSS)
        + _RATE_AT_PENNIES * (price < _PENNIES)
    )
    chance = draws.uniform("departure", entity, month)
    may_leave = listed & (months_listed >= _SAFE_MONTHS)
    reason = np.where(
        chance < _MERGER_RATE, 0, np.where(chance < _MERGER_RATE + failure, 1, 2)
    ).astype(np.int64)
    leaves = may_leave & (chance < _MERGER_RATE + failure + _OTHER_RATE)
    last_day = draws.integers("last day", entity, month, below=rows)
    premium = 0.02 + 0.04 * draws.normal("delisting", entity)
    loss = -0.05 - 0.75 * draws.uniform("loss", entity)
    return Departures(
        leaves=leaves,
        last_row=np.where(leaves, last_day, rows - 1),
        reason=reason,
        delisting_return=np.round(np.choose(reason, [premium, loss, premium - 0.02]), 4),
    )


def plan_actions(  # noqa: PLR0913 - what drives dividends and splits
    draws: Draws,
    entity: Integers,
    month: int,
    *,
    growth: Floats,
    price: Floats,
    dividend_yield: Floats,
    last_row: Integers,
    eligible: Flags,
    leaves: Flags,
) -> Actions:
    """Decide the dividends and splits of a month.

    Parameters
    ----------
    draws, entity, month
        Address of the draws.
    growth
        Compound total return since the month before, plus 1; shape (rows, N).
    price
        Price at the end of the month before.
    dividend_yield
        Dividends per year over price.
    last_row
        Row of the last price.
    eligible
        Securities listed since before the month.
    leaves
        Those that depart in the month, which split no more.
    """
    rows = len(growth)
    dividend_row = np.minimum(
        1 + draws.integers("ex day", entity, month, below=max(rows - 2, 1)), rows - 1
    )
    in_turn = (draws.integers("quarter", entity, below=_QUARTER) + month) % _QUARTER == 0
    pays = eligible & in_turn & (dividend_yield > 0) & (dividend_row <= last_row)
    dividend = np.round(dividend_yield / 4 * price, _PRICE_DECIMALS)
    # A share that collapses before the ex-date pays at most a fifth of what is left of it.
    worth = growth[dividend_row, np.arange(len(price))] * price
    pays &= dividend <= worth / 5
    may_split = eligible & ~leaves & ~(in_turn & (dividend_yield > 0))
    may_split &= draws.uniform("splits", entity, month) < _SPLIT_CHANCE
    threshold = draws.uniform("split threshold", entity)
    up = may_split & (price > _SPLIT_ABOVE[0] + _SPLIT_ABOVE[1] * threshold)
    down = may_split & (price < _REVERSE_BELOW[0] + _REVERSE_BELOW[1] * threshold)
    kind = draws.integers("split ratio", entity, month, below=_SPLITS.size * _REVERSE_SPLITS.size)
    split = np.where(up, _SPLITS[kind % _SPLITS.size], 1.0)
    return Actions(
        dividend=np.where(pays, dividend, 0.0),
        dividend_row=dividend_row,
        split=np.where(down, _REVERSE_SPLITS[kind % _REVERSE_SPLITS.size], split),
        split_row=draws.integers("split day", entity, month, below=rows),
    )


def price_path(price: Floats, growth: Floats, actions: Actions) -> Floats:
    """Prices such that ``(price * split + dividend) / price before`` is the total return plus 1.

    Parameters
    ----------
    price
        At the end of the month before, shape (N,).
    growth
        Compound total return since then, plus 1; shape (rows, N).
    actions
        Dividends and splits.

    Returns
    -------
    Floats
        Shape (rows, N).
    """
    rows = np.arange(len(growth))[:, None]
    path = price * growth
    at_ex_date = path[actions.dividend_row, np.arange(len(price))]
    kept = 1 - actions.dividend / at_ex_date
    path *= np.where(rows >= actions.dividend_row, kept, 1.0)
    path /= np.where(rows >= actions.split_row, actions.split, 1.0)
    return path
