r"""One month of a set of portfolios: trade, pay, hold, drift.

Weights are shares of a strategy's net asset value at that moment; cash is what they leave,
:math:`1 - \sum_i w_i`: about 0 for long-only, about 1 for long-short, whose short leg pays for its
long leg. In month t, with drifted weights :math:`d` from the month before:

1. Trade. With targets, :math:`w` = target at the last month-end prices; else :math:`w = d`.
   Traded is :math:`\sum |w_i - d_i|`, a first purchase included; one-way turnover is half of it.
2. Pay. cost = :math:`\sum_i (rate + spread_i) |w_i - d_i|` (at most 1) shrinks all positions and
   cash alike.
3. Hold. :math:`gross = \sum_i w_i r_i + (1 - \sum_i w_i) r_{cash}`, not below -1. Shorts held
   through the month cost a twelfth of the yearly fee, :math:`borrow`, taken from cash at its end:
   :math:`net = (1 - cost)(1 + gross - borrow) - 1`, not below -1.
4. Drift. The closing weight is :math:`w_i (1 + r_i) / (1 + gross - borrow)`.

A position exits, and is cash until the next rebalance,

- at its last price when it has no return in the month (it left, or was halted): its weight earns
  the cash return in that month already;
- at the end of the month when its delisting is on record in it, or its return is -1.

A strategy that loses all its capital closes with no positions; at its next rebalance it starts
anew, which changes nothing for wealth, 0 ever after. In a month without any return of the market
positions stay as they are and returns are not known.

A strategy's sums run over its own positions alone, in security order, so its numbers are the same
bit for bit alone or among others.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Book:
    """Positions of some strategies, one strategy after the other.

    Attributes
    ----------
    lengths
        Positions of each strategy, shape (S,).
    security
        Security codes, ascending within a strategy, shape (positions,).
    weight
        Share of the strategy's capital, never 0, same shape.
    """

    lengths: Integers
    security: Integers
    weight: Floats

    @classmethod
    def empty(cls, strategies: int) -> "Book":
        """No positions of any strategy."""
        none = np.zeros(0, dtype=np.int64)
        return cls(np.zeros(strategies, dtype=np.int64), none, none.astype(np.float64))

    def of_strategy(self, place: int) -> tuple[Integers, Floats]:
        """Security codes and weights of one strategy."""
        start = int(self.lengths[:place].sum())
        part = slice(start, start + int(self.lengths[place]))
        return self.security[part], self.weight[part]


@dataclass(frozen=True, slots=True)
class Market:
    """One month of the market, arrays by security code.

    Attributes
    ----------
    earned
        Total returns, decimal; the return of cash where there is none.
    leaves
        Whether a position exits in the month.
    has_return
        Whether the security has a return.
    cash_ret
        Return of cash, decimal.
    is_observed
        Whether any security of the market has a return.
    half_spreads
        Cost per traded notional beyond the rate, a row per table of `Terms`.
    volume
        Dollar volume of the month before; NaN where not known.
    """

    earned: Floats
    leaves: Booleans
    has_return: Booleans
    cash_ret: float
    is_observed: bool
    half_spreads: Floats
    volume: Floats | None


@dataclass(frozen=True, slots=True)
class Terms:
    """What strategies pay, arrays of shape (S,).

    Attributes
    ----------
    cost_rates
        Cost per traded notional.
    spread_tables
        Row of ``Market.half_spreads``; -1 for none.
    borrow_rates
        Fee per year on shorts.
    max_volume_share
        Share of a security's monthly dollar volume that a trade may be, for the capacity.
    """

    cost_rates: Floats
    spread_tables: Integers
    borrow_rates: Floats
    max_volume_share: float


@dataclass(frozen=True, slots=True)
class Positions:
    """Securities held or sold in a month: ``lengths`` by strategy, the rest one per position."""

    lengths: Integers
    security: Integers
    drifted_weight: Floats
    weight: Floats
    closing_weight: Floats
    exited: Booleans

    def where(self, mask: Booleans) -> "Positions":
        """Return the positions ``mask`` is true for."""
        return Positions(
            _counts(mask, self.lengths),
            self.security[mask],
            self.drifted_weight[mask],
            self.weight[mask],
            self.closing_weight[mask],
            self.exited[mask],
        )

    def closing(self) -> Book:
        """Book the next month opens with."""
        if np.count_nonzero(self.closing_weight) == self.closing_weight.size:
            return Book(self.lengths, self.security, self.closing_weight)
        stays = self.closing_weight != 0
        lengths = _counts(stays, self.lengths)
        return Book(lengths, self.security[stays], self.closing_weight[stays])


@dataclass(frozen=True, slots=True)
class Results:
    """One element per strategy; NaN where not known.

    ``capacity`` is of trades in securities with a known dollar volume.
    """

    gross: Floats
    cost: Floats
    borrow_cost: Floats
    net: Floats
    traded: Floats
    n: Integers
    gross_exposure: Floats
    net_exposure: Floats
    capacity: Floats
    rebalanced: Booleans


def take_through_month(
    opening: Book, target: Book, market: Market, terms: Terms
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
    terms
        Costs of the same strategies.
    """
    rebalanced = target.lengths > 0
    if rebalanced.any():
        lengths, security, drifted, weight = _trade(opening, target, market.earned.size)
        traded, cost, capacity = _paid(lengths, security, np.abs(weight - drifted), market, terms)
        held = _counts(weight != 0, lengths)
    else:
        lengths, security, weight = opening.lengths, opening.security, opening.weight
        drifted = weight
        traded = cost = np.zeros(lengths.size)
        capacity = np.full(lengths.size, np.nan)
        held = lengths
    net_exposure = _totals(weight, lengths)
    gross_exposure = _totals(np.abs(weight), lengths)
    if market.is_observed:
        earned = market.earned[security]
        cash = (1.0 - net_exposure) * market.cash_ret
        gross = np.maximum(_totals(weight * earned, lengths) + cash, -1.0)
        borrow = np.zeros(lengths.size)
        if terms.borrow_rates.any():
            short = np.where(market.has_return[security], np.maximum(-weight, 0.0), 0.0)
            borrow = terms.borrow_rates * _totals(short, lengths) / _MONTHS_PER_YEAR
        growth = np.maximum(1.0 + gross - borrow, 0.0)
        net = (1.0 - cost) * growth - 1.0
        exited = market.leaves[security] & (weight != 0)
        divisor = np.repeat(np.where(net > -1.0, growth, np.inf), lengths)
        closing = weight * (1.0 + earned) / divisor
        closing[exited] = 0.0
    else:
        gross = borrow = net = np.full(lengths.size, np.nan)
        exited = np.zeros(security.size, dtype=np.bool_)
        closing = weight
    return (
        Positions(lengths, security, drifted, weight, closing, exited),
        Results(
            gross,
            cost,
            borrow,
            net,
            traded,
            held,
            gross_exposure,
            net_exposure,
            capacity,
            rebalanced,
        ),
    )


def _trade(
    opening: Book, target: Book, securities: int
) -> tuple[Integers, Integers, Floats, Floats]:
    """Positions before or after trading: counts by strategy, securities, both weights."""
    count = target.lengths.size
    first = np.arange(count) * securities
    is_listed = np.zeros(count * securities, dtype=np.bool_)
    before, after = np.zeros(is_listed.size), np.zeros(is_listed.size)
    for book, weights in ((opening, before), (target, after)):
        key = np.repeat(first, book.lengths) + book.security
        is_listed[key] = True
        weights[key] = book.weight
    key = np.flatnonzero(is_listed)
    lengths = is_listed.reshape(count, securities).sum(axis=1)
    drifted = before[key]
    weight = np.where(np.repeat(target.lengths > 0, lengths), after[key], drifted)
    return lengths, key - np.repeat(first, lengths), drifted, weight


def _paid(
    lengths: Integers, security: Integers, traded: Floats, market: Market, terms: Terms
) -> tuple[Floats, Floats, Floats]:
    """Traded notional, cost and capacity of each strategy."""
    total = _totals(traded, lengths)
    cost = terms.cost_rates * total
    if (terms.spread_tables >= 0).any():
        table = np.repeat(terms.spread_tables, lengths)
        spread = np.where(table >= 0, market.half_spreads[table, security], 0.0)
        cost = cost + _totals(traded * spread, lengths)
    capacity = np.full(lengths.size, np.nan)
    if market.volume is not None:
        volume = market.volume[security]
        is_bound = (traded > 0) & (volume > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            largest = np.where(is_bound, terms.max_volume_share * volume / traded, np.inf)
        capacity = _reduced(np.minimum, largest, lengths, np.inf)
        capacity[~np.isfinite(capacity)] = np.nan
    return total, np.minimum(cost, 1.0), capacity


def _totals(values: Floats, lengths: Integers) -> Floats:
    return _reduced(np.add, values, lengths, 0.0)


def _counts(mask: Booleans, lengths: Integers) -> Integers:
    """How many are true of each strategy."""
    ends = np.concatenate([[0], np.cumsum(mask)])
    edges = np.concatenate([[0], np.cumsum(lengths)])
    counts: Integers = np.diff(ends[edges])
    return counts


def _reduced(operation: np.ufunc, values: Floats, lengths: Integers, nothing: float) -> Floats:
    """Reduce the values of each strategy; one without positions gives ``nothing``."""
    result = np.full(lengths.size, nothing)
    some = lengths > 0
    if some.any():
        starts = np.cumsum(lengths) - lengths
        result[some] = operation.reduceat(values, starts[some])
    return result
