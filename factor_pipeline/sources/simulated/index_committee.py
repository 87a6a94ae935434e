"""The index of the largest firms: who is in it, and what it returns."""

from datetime import date, timedelta
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import Floats
from factor_pipeline.sources.simulated.evolution import MonthOutcome

_LARGEST_INDEX: Final = 500
_BUFFER: Final = 0.2
_REVIEW_EVERY: Final = 3
_RETURN_DECIMALS: Final = 7


class IndexCommittee:
    """Holds the index: the largest half of the firms, at most 500, weighted by value.

    Every three months the largest firms are chosen anew, where a member counts as if it ranked
    higher by a fifth of the index. Members that leave the exchange are replaced at the next
    review.

    Attributes
    ----------
    spells
        ``(entity, start, end)`` of every firm's memberships that ended: the day after the last
        one inside.
    """

    def __init__(self, stocks: int) -> None:
        self._size = min(_LARGEST_INDEX, stocks // 2)
        self._member = np.zeros(stocks, dtype=np.bool_)
        self._since: dict[int, date] = {}
        self.spells: list[tuple[int, date, date]] = []

    def open_spells(self) -> list[tuple[int, date]]:
        """``(entity, start)`` of the members at the end."""
        return sorted(self._since.items())

    def take_month(self, outcome: MonthOutcome, days: tuple[date, ...]) -> Floats:
        """Return of the index on each of the month's ``days``, (rows,); 0 on the very first.

        Dividends are reinvested in the payer until the month ends.
        """
        if outcome.month % _REVIEW_EVERY == 0:
            self._review(outcome, days[0])
        returns = self._returns(outcome)
        for slot in np.flatnonzero(self._member & outcome.departures.leaves).tolist():
            self._member[slot] = False
            last = days[int(outcome.departures.last_row[slot])]
            self._leave(int(outcome.entity[slot]), last + timedelta(days=1))
        return returns

    def _review(self, outcome: MonthOutcome, day: date) -> None:
        """Choose the members from ``day`` on by their size at the end of the month before."""
        # Firms of this month have no size yet, but for those the market begins with.
        listed = outcome.equity > 0 if outcome.month else outcome.listed
        candidates = np.flatnonzero(listed)
        order = np.argsort(-outcome.known.market_equity[candidates], kind="stable")
        rank = np.empty(len(candidates))
        rank[order] = np.arange(len(candidates))
        rank -= _BUFFER * self._size * self._member[candidates]
        chosen = candidates[np.argsort(rank, kind="stable")[: self._size]]
        member = np.zeros(len(listed), dtype=np.bool_)
        member[chosen] = True
        for slot in np.flatnonzero(self._member & ~member).tolist():
            self._leave(int(outcome.entity[slot]), day)
        for slot in np.flatnonzero(member & ~self._member).tolist():
            self._since[int(outcome.entity[slot])] = day
        self._member = member

    def _leave(self, entity: int, day: date) -> None:
        start = self._since.pop(entity)
        if start < day:
            self.spells.append((entity, start, day))

    def _returns(self, outcome: MonthOutcome) -> Floats:
        rows = np.arange(len(outcome.growth))[:, None]
        inside = self._member & (rows <= outcome.departures.last_row)
        weight = outcome.known.market_equity * inside
        before = np.vstack([np.ones(len(self._member)), outcome.growth[:-1]])
        growth = (weight * outcome.growth).sum(axis=1) / (weight * before).sum(axis=1)
        returns: Floats = np.round(growth - 1, _RETURN_DECIMALS)
        return returns
