"""A whole market day by day: everything the data sets are made from."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats, Integers
from factor_pipeline.sources.simulated.economy import Economy, simulate_economy
from factor_pipeline.sources.simulated.evolution import Evolution, MonthOutcome, Periods
from factor_pipeline.sources.simulated.fiscal_years import FiscalYearLog, FiscalYears
from factor_pipeline.sources.simulated.index_committee import IndexCommittee
from factor_pipeline.sources.simulated.parameters import FACTORS, SimulationParameters
from factor_pipeline.sources.simulated.share_classes import (
    SECOND_CLASS_SHARE,
    SecondClasses,
    dual_slots,
)

PRICE_DECIMALS: Final = 4
"""Prices are rounded to these decimals: with cents, returns of cheap stocks would be noise."""

_HALTED_DAYS: Final = 1 / 2500
_HALTED_MONTHS: Final = 1 / 2500


@dataclass(frozen=True, slots=True)
class Securities:
    """Every firm that was ever listed, sorted by entity; arrays of shape (S,).

    ``first_row`` and ``last_row`` are rows of the market's days, ``last_row`` that of the last
    day for those still listed. ``reason`` and ``delisting_return`` are meaningful where
    ``left``.
    """

    entity: Integers
    exchange: Integers
    first_row: Integers
    last_row: Integers
    left: Flags
    reason: Integers
    delisting_return: Floats


@dataclass(frozen=True, slots=True)
class Events:
    """Dividends, or splits: line, row and amount of each; arrays of shape (E,)."""

    line: Integers
    row: Integers
    amount: Floats


@dataclass(frozen=True, slots=True)
class Market:
    """A market of N slots over M months with D days, in L lines.

    A line is the price history of one share class of a slot: the first classes by slot, then
    the second classes of the slots whose firms have two.

    Attributes
    ----------
    parameters, economy
        What the market depends on; what all stocks share.
    line_slot
        Slot of each line, shape (L,); its first N entries are 0 to N - 1.
    securities
        All firms.
    entity
        Number of the slot's firm in each month, shape (M, N); meaningful where ``listed``.
    listed
        Whether the slot has a firm with a price in the month; (M, N).
    traded
        Whether there is a price on the day; (L, D).
    close
        Unadjusted price; (L, D). Not rounded; without meaning where not listed.
    level
        Total return index, 1 at the first price of a security; (L, D).
    dividends, splits
        Dollars per share, and new shares per old one, on their ex-dates.
    equity
        Market equity of the line before the month, or at the first price; (M, L).
    beta
        Loadings; (M, K, N).
    fiscal_years
        Closed fiscal years.
    committee
        The index, with its members.
    index_return
        Total return of the index; (D,).
    """

    parameters: SimulationParameters
    economy: Economy
    line_slot: Integers
    securities: Securities
    entity: Integers
    listed: Flags
    traded: Flags
    close: Floats
    level: Floats
    dividends: Events
    splits: Events
    equity: Floats
    beta: Floats
    fiscal_years: FiscalYears
    committee: IndexCommittee
    index_return: Floats


def simulate_market(parameters: SimulationParameters) -> Market:
    """Generate a market; about 16 bytes per line and day."""
    builder = _Builder(parameters)
    periods = Periods.daily(builder.economy, follow_market=not parameters.constant_betas)
    for outcome in Evolution(parameters, builder.economy, periods):
        builder.add(outcome)
    return builder.market()


class _Builder:
    """Writes the months of the first and second classes into whole histories."""

    def __init__(self, parameters: SimulationParameters) -> None:
        self.economy = simulate_economy(parameters)
        self._parameters = parameters
        self._draws = Draws(parameters.seed)
        slots, months, days = parameters.stocks, parameters.months, len(self.economy.days)
        self._second = SecondClasses(self._draws, dual_slots(self._draws, slots))
        self._line_slot = np.concatenate([np.arange(slots), self._second.slots])
        lines = len(self._line_slot)
        self._entity = np.zeros((months, slots), dtype=np.int64)
        self._listed = np.zeros((months, slots), dtype=np.bool_)
        self._traded = np.zeros((lines, days), dtype=np.bool_)
        self._close, self._level = np.ones((2, lines, days))
        self._equity = np.zeros((months, lines))
        self._beta = np.zeros((months, len(FACTORS), slots))
        self._index_return = np.zeros(days)
        self._last_level = np.ones(lines)
        self._committee = IndexCommittee(slots)
        self._fiscal_years = FiscalYearLog(parameters.start.month)
        self._arrived: list[tuple[Integers, ...]] = []
        self._left: list[tuple[Integers, Integers, Integers, Floats]] = []
        self._dividends: list[tuple[Integers, Integers, Floats]] = []
        self._splits: list[tuple[Integers, Integers, Floats]] = []

    def add(self, outcome: MonthOutcome) -> None:
        month, rows = outcome.month, self.economy.rows(outcome.month)
        self._entity[month], self._listed[month] = outcome.entity, outcome.listed
        self._beta[month] = outcome.beta
        growth, price = self._second.take_month(outcome, rows.start)
        growth = np.hstack([outcome.growth, growth])
        arrived = np.isin(self._line_slot, outcome.arrivals.slots)
        level = growth * np.where(arrived, 1.0, self._last_level)
        self._last_level = level[-1]
        self._level[:, rows] = level.T
        self._close[:, rows] = np.hstack([outcome.price, price]).T
        self._equity[month] = self._equity_by_line(outcome)
        self._traded[:, rows] = self._tradings(outcome, rows).T
        self._index_return[rows] = self._committee.take_month(outcome, self.economy.days[rows])
        self._fiscal_years.add(outcome)
        self._take_down(outcome, rows.start)

    def market(self) -> Market:
        return Market(
            parameters=self._parameters,
            economy=self.economy,
            line_slot=self._line_slot,
            securities=self._securities(),
            entity=self._entity,
            listed=self._listed,
            traded=self._traded,
            close=self._close,
            level=self._level,
            dividends=_events(self._dividends),
            splits=_events(self._splits),
            equity=self._equity,
            beta=self._beta,
            fiscal_years=self._fiscal_years.all(),
            committee=self._committee,
            index_return=self._index_return,
        )

    def _equity_by_line(self, outcome: MonthOutcome) -> Floats:
        equity: Floats = outcome.known.market_equity[self._line_slot]
        second = len(outcome.entity)
        equity[self._second.slots] *= 1 - SECOND_CLASS_SHARE
        equity[second:] *= SECOND_CLASS_SHARE
        return equity

    def _tradings(self, outcome: MonthOutcome, rows: slice) -> Flags:
        """Days with a price, (rows, L): from first to last but for halts.

        The first and the last day of a listing and days with a dividend or split are not
        halted; nor is the month of such a day as a whole.
        """
        slot = self._line_slot
        first, last = outcome.first_row[slot], outcome.departures.last_row[slot]
        row = np.arange(len(outcome.growth))[:, None]
        open_days = outcome.listed[slot] & (row >= first) & (row <= last)
        arrived = np.isin(slot, outcome.arrivals.slots)
        kept = (arrived & (row == first)) | (outcome.departures.leaves[slot] & (row == last))
        actions = outcome.actions
        kept |= (actions.dividend[slot] > 0) & (row == actions.dividend_row[slot])
        kept |= (actions.split[slot] != 1) & (row == actions.split_row[slot])
        line = outcome.entity[slot] * 2 + (np.arange(len(slot)) >= len(outcome.entity))
        whole = self._draws.uniform("halted month", line, outcome.month) < _HALTED_MONTHS
        halted = self._draws.uniform("halted day", line, rows.start + row) < _HALTED_DAYS
        halted |= whole & ~kept.any(axis=0)
        traded: Flags = open_days & (kept | ~halted)
        return traded

    def _take_down(self, outcome: MonthOutcome, first_day: int) -> None:
        """Note arrivals, departures, dividends and splits."""
        slot, arrivals = self._line_slot, outcome.arrivals
        self._arrived.append(
            (
                outcome.entity[arrivals.slots],
                arrivals.firms.exchange,
                first_day + outcome.first_row[arrivals.slots],
            )
        )
        departures = outcome.departures
        gone = np.flatnonzero(departures.leaves)
        self._left.append(
            (
                outcome.entity[gone],
                first_day + departures.last_row[gone],
                departures.reason[gone],
                departures.delisting_return[gone],
            )
        )
        actions = outcome.actions
        pays = np.flatnonzero(actions.dividend[slot] > 0)
        row = first_day + actions.dividend_row[slot[pays]]
        self._dividends.append((pays, row, actions.dividend[slot[pays]]))
        splits = np.flatnonzero(outcome.listed[slot] & (actions.split[slot] != 1))
        row = first_day + actions.split_row[slot[splits]]
        self._splits.append((splits, row, actions.split[slot[splits]]))

    def _securities(self) -> Securities:
        entity, exchange, first_row = (
            np.concatenate(part) for part in zip(*self._arrived, strict=True)
        )
        order = np.argsort(entity)
        entity, exchange, first_row = entity[order], exchange[order], first_row[order]
        gone, last, reason, delisting_return = (
            np.concatenate(part) for part in zip(*self._left, strict=True)
        )
        position = np.searchsorted(entity, gone)
        count = len(entity)
        securities = Securities(
            entity=entity,
            exchange=exchange,
            first_row=first_row,
            last_row=np.full(count, len(self.economy.days) - 1),
            left=np.zeros(count, dtype=np.bool_),
            reason=np.zeros(count, dtype=np.int64),
            delisting_return=np.zeros(count),
        )
        securities.last_row[position], securities.left[position] = last, True
        securities.reason[position] = reason
        securities.delisting_return[position] = delisting_return
        return securities


def _events(parts: list[tuple[Integers, Integers, Floats]]) -> Events:
    line, row, amount = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Events(line, row, amount)
