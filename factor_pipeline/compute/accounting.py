r"""One month of a set of portfolios: trade, pay, hold, drift.

Weights are shares of a strategy's net asset value at that moment; cash is what they leave,
:math:`1 - \sum_i w_i`: about 0 for long-only, about 1 for long-short, whose short leg pays for its
long leg. In month t, with drifted weights :math:`d` from the month before:

1. Trade. With targets, :math:`w` = target at the last month-end prices; else :math:`w = d`.
   A position without a price at that month-end cannot be traded: it stays, and the targets of its
   side (long or short) shrink in proportion to what it leaves of their sum, at least 0.
   Traded is :math:`\sum |w_i - d_i|`, a first purchase included; one-way turnover is half of it.
2. Pay. cost = :math:`\sum_i (rate + spread_i) |w_i - d_i|` (at most 1) shrinks all positions and
   cash alike.
3. Hold. :math:`gross = \sum_i w_i r_i + (1 - \sum_i w_i) r_{cash}`, not below -1. Shorts held
   through the month cost a twelfth of the yearly fee, :math:`borrow`, taken from cash at its end:
   :math:`net = (1 - cost)(1 + gross - borrow) - 1`, not below -1.
4. Drift. The closing weight is :math:`w_i (1 + r_i) / (1 + gross - borrow)`.

A position without a return in the month, as its security is halted or its prices contradict each
other, keeps its last value: r = 0. When trading resumes after a halt, r is the return of the whole
gap (`halts.position_returns`). A position becomes cash at the end of the month

- in which its delisting is on record, or its return is -1;
- in which it has no return and its delisting has been on record before, or it has had no price for
  `halts.HALT_MONTHS`: at its last value.

A strategy that loses all its capital closes with no positions, and starts anew at its next
rebalance: its wealth stays 0. In a month without any return of the market positions stay as they
are and returns are not known.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from factor_pipeline.compute.position_sums import counts, reduced, totals

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
        Total returns, decimal; 0 where there is none.
    leaves
        Whether a position exits at the end of the month.
    is_halted
        Whether it has no price when the month begins: positions in it cannot be traded.
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
    is_halted: Booleans
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
            counts(mask, self.lengths),
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
        lengths = counts(stays, self.lengths)
        return Book(lengths, self.security[stays], self.closing_weight[stays])


@dataclass(frozen=True, slots=True)
class Results:
    """One per strategy, NaN where not known; ``capacity`` is of trades with a known volume."""

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
        lengths, security, drifted, weight = _trade(opening, target, market.is_halted)
        traded, cost, capacity = _paid(lengths, security, np.abs(weight - drifted), market, terms)
        held = counts(weight != 0, lengths)
    else:
        lengths, security, weight = opening.lengths, opening.security, opening.weight
        drifted = weight
        traded = cost = np.zeros(lengths.size)
        capacity = np.full(lengths.size, np.nan)
        held = lengths
    net_exposure = totals(weight, lengths)
    gross_exposure = totals(np.abs(weight), lengths)
    if market.is_observed:
        earned = market.earned[security]
        cash = (1.0 - net_exposure) * market.cash_ret
        gross = np.maximum(totals(weight * earned, lengths) + cash, -1.0)
        borrow = np.zeros(lengths.size)
        if terms.borrow_rates.any():
            short = totals(np.maximum(-weight, 0.0), lengths)
            borrow = terms.borrow_rates * short / _MONTHS_PER_YEAR
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
    opening: Book, target: Book, is_halted: Booleans
) -> tuple[Integers, Integers, Floats, Floats]:
    """Positions before or after trading: counts by strategy, securities, both weights."""
    count, securities = target.lengths.size, is_halted.size
    first = np.arange(count) * securities
    is_listed = np.zeros(count * securities, dtype=np.bool_)
    before, after = np.zeros(is_listed.size), np.zeros(is_listed.size)
    for book, weights in ((opening, before), (target, after)):
        key = np.repeat(first, book.lengths) + book.security
        is_listed[key] = True
        weights[key] = book.weight
    key = np.flatnonzero(is_listed)
    lengths = is_listed.reshape(count, securities).sum(axis=1)
    security, drifted = key - np.repeat(first, lengths), before[key]
    rebalanced = np.repeat(target.lengths > 0, lengths)
    weight = np.where(rebalanced, after[key], drifted)
    stuck = rebalanced & is_halted[security] & (drifted != 0)
    if stuck.any():
        weight = _around(stuck, drifted, weight, lengths)
        some = (drifted != 0) | (weight != 0)
        lengths = counts(some, lengths)
        security, drifted, weight = security[some], drifted[some], weight[some]
    return lengths, security, drifted, weight


def _around(stuck: Booleans, drifted: Floats, wanted: Floats, lengths: Integers) -> Floats:
    """Weights wanted, less on each side where positions that are stuck take up their room."""
    weight = np.where(stuck, drifted, wanted)
    for side in (1.0, -1.0):
        total = totals(np.where(np.sign(wanted) == side, wanted, 0.0), lengths)
        taken = totals(np.where(stuck & (np.sign(drifted) == side), drifted, 0.0), lengths)
        is_free = ~stuck & (np.sign(wanted) == side)
        free = totals(np.where(is_free, wanted, 0.0), lengths)
        # Without positions that are stuck it is x / x: exactly 1.
        share = np.divide(total - taken, free, out=np.ones(free.size), where=free != 0)
        weight = np.where(is_free, weight * np.repeat(np.maximum(share, 0.0), lengths), weight)
    return weight


def _paid(
    lengths: Integers, security: Integers, traded: Floats, market: Market, terms: Terms
) -> tuple[Floats, Floats, Floats]:
    """Traded notional, cost and capacity of each strategy."""
    total = totals(traded, lengths)
    cost = terms.cost_rates * total
    if (terms.spread_tables >= 0).any():
        table = np.repeat(terms.spread_tables, lengths)
        spread = np.where(table >= 0, market.half_spreads[table, security], 0.0)
        cost = cost + totals(traded * spread, lengths)
    capacity = np.full(lengths.size, np.nan)
    if market.volume is not None:
        volume = market.volume[security]
        is_bound = (traded > 0) & (volume > 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            largest = np.where(is_bound, terms.max_volume_share * volume / traded, np.inf)
        capacity = reduced(np.minimum, largest, lengths, np.inf)
        capacity[~np.isfinite(capacity)] = np.nan
    return total, np.minimum(cost, 1.0), capacity
