r"""One month of a set of portfolios: trade, pay, hold, drift.

Weights are shares of a strategy's net asset value at that moment; cash is what they leave,
:math:`1 - \sum_i w_i`: about 0 for long-only, about 1 for long-short, whose short leg pays for its
long leg. In month t, with drifted weights :math:`d` from the month before:

1. Trade. With targets, :math:`w` = target at the last month-end prices; else :math:`w = d`.
   Traded is :math:`\sum |w_i - d_i|`, a first purchase included; one-way turnover is half of it.
2. Pay. cost = rate x traded (at most 1) shrinks all positions and cash alike.
3. Hold. :math:`gross = \sum_i w_i r_i + (1 - \sum_i w_i) r_{cash}`, not below -1, and
   :math:`net = (1 - cost)(1 + gross) - 1`.
4. Drift. The closing weight is :math:`w_i (1 + r_i) / (1 + gross)`.

A position exits, and is cash until the next rebalance,

- at its last price when it has no return in the month (it left, or was halted): its weight earns
  the cash return in that month already;
- at the end of the month when its delisting is on record in it, or its return is -1.

A strategy that loses all its capital closes with no positions; at its next rebalance it starts
anew, which changes nothing for wealth, 0 ever after. In a month without any return of the market
positions stay as they are and returns are not known.

Sums run in security order, whatever else is computed beside them, so a strategy's numbers are the
same bit for bit alone or among others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Book:
    """Positions of all strategies.

    Attributes
    ----------
    key
        Strategy code x count of securities + security code, ascending, unique.
    weight
        Share of the strategy's capital, never 0, same length.
    """

    key: Integers
    weight: Floats


@dataclass(frozen=True, slots=True)
class Market:
    """One month of the market, by security code.

    Attributes
    ----------
    ret
        Total returns, decimal; NaN where there is none.
    delisted
        Whether the delisting is on record in this month.
    cash_ret
        Return of cash, decimal.
    is_observed
        Whether any security of the market has a return.
    """

    ret: Floats
    delisted: Booleans
    cash_ret: float
    is_observed: bool


@dataclass(frozen=True, slots=True)
class Positions:
    """One element per security held or sold in the month, ascending by ``key``.

    ``ret`` is NaN when it was sold before the month or has no return.
    """

    key: Integers
    drifted_weight: Floats
    weight: Floats
    ret: Floats
    closing_weight: Floats
    exited: Booleans

    def where(self, mask: Booleans) -> "Positions":
        """Return the positions ``mask`` is true for."""
        return Positions(*(getattr(self, name)[mask] for name in self.__slots__))

    def closing(self) -> Book:
        """Book the next month opens with."""
        stays = self.closing_weight != 0
        return Book(self.key[stays], self.closing_weight[stays])


@dataclass(frozen=True, slots=True)
class Results:
    """One element per strategy code; returns are NaN in a month that is not observed."""

    gross: Floats
    cost: Floats
    net: Floats
    traded: Floats
    n: Integers
    cash_weight: Floats
    rebalanced: Booleans


def take_through_month(
    opening: Book, target: Book, market: Market, cost_rates: Floats
) -> tuple[Positions, Results]:
    """Take every strategy through one month.

    Parameters
    ----------
    opening
        Drifted weights the month opens with.
    target
        Weights of the strategies that rebalance; a strategy without any does not trade.
    market
        The month's returns.
    cost_rates
        Cost per traded notional, one per strategy code.
    """
    count = cost_rates.size
    securities = max(market.ret.size, 1)  # without any there are no keys to divide
    rebalanced = np.zeros(count, dtype=np.bool_)
    rebalanced[target.key // securities] = True
    key, drifted, weight = _trade(opening, target, rebalanced, securities)
    strategy, security = np.divmod(key, securities)

    def total(values: Floats) -> Floats:
        # bincount adds in row order, one strategy at a time.
        sums = np.bincount(strategy, weights=values, minlength=count)
        return sums.astype(np.float64, copy=False)

    traded = total(np.abs(weight - drifted)) if rebalanced.any() else np.zeros(count)
    cost = np.minimum(cost_rates * traded, 1.0)
    cash_weight = 1.0 - total(weight)
    is_held = weight != 0
    ret = np.where(is_held, market.ret[security], np.nan)
    has_return = ~np.isnan(ret)
    if market.is_observed:
        earned = np.where(has_return, ret, market.cash_ret)
        gross = np.maximum(total(weight * earned) + cash_weight * market.cash_ret, -1.0)
        net = (1.0 - cost) * (1.0 + gross) - 1.0
        exited = is_held & (~has_return | market.delisted[security] | (ret == -1.0))
        growth = np.where(net > -1.0, 1.0 + gross, np.inf)[strategy]
        stays = ~exited & (growth < np.inf)
        closing = np.where(stays, weight * (1.0 + earned) / growth, 0.0)
    else:
        gross = net = np.full(count, np.nan)
        exited = np.zeros(key.size, dtype=np.bool_)
        closing = weight
    held = np.bincount(strategy[is_held], minlength=count)
    return (
        Positions(key, drifted, weight, ret, closing, exited),
        Results(gross, cost, net, traded, held, cash_weight, rebalanced),
    )


def _trade(
    opening: Book, target: Book, rebalanced: Booleans, securities: int
) -> tuple[Integers, Floats, Floats]:
    """Keys held before or after trading, with drifted and new weights."""
    if not target.key.size:
        return opening.key, opening.weight, opening.weight
    size = rebalanced.size * securities
    is_listed = np.zeros(size, dtype=np.bool_)
    before, after = np.zeros(size), np.zeros(size)
    for book, weights in ((opening, before), (target, after)):
        is_listed[book.key] = True
        weights[book.key] = book.weight
    key = np.flatnonzero(is_listed)
    drifted = before[key]
    return key, drifted, np.where(rebalanced[key // securities], after[key], drifted)
