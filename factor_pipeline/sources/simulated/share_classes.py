"""Second share classes: a few firms have two, whose prices stay close to each other."""

from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.actions import Actions, price_path
from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers
from factor_pipeline.sources.simulated.evolution import MonthOutcome

SECOND_CLASS_SHARE: Final = 0.2
"""Part of the shares of a firm with two classes that is of the second one."""

_DUAL_SHARE: Final = 0.03
_CERTAINLY_DUAL: Final = 3  # so that even the smallest market has such a firm
_MEMORY: Final = 0.97
_NEWS: Final = 0.003


def dual_slots(draws: Draws, stocks: int) -> Integers:
    """Slots all of whose firms have two classes, ascending; shape (B,)."""
    slot = np.arange(stocks)
    return np.flatnonzero(
        (draws.uniform("dual", slot) < _DUAL_SHARE) | (slot == _CERTAINLY_DUAL)
    ).astype(np.int64)


class SecondClasses:
    """Prices of the second classes; both classes split and pay the same amounts per share.

    The price of the second over that of the first wanders around 1, by a few percent.
    """

    def __init__(self, draws: Draws, slots: Integers) -> None:
        self._draws = draws
        self.slots = slots
        self._price = np.ones(len(slots))
        self._premium = np.zeros(len(slots))

    def take_month(self, outcome: MonthOutcome, first_day: int) -> tuple[Floats, Floats]:
        """Growth and price of a month, shapes (rows, B), as in ``MonthOutcome``.

        Parameters
        ----------
        outcome
            The month of the first classes.
        first_day
            Row of the month's first day in the whole market.
        """
        slots = self.slots
        is_new = np.isin(slots, outcome.arrivals.slots)
        first_row = outcome.first_row[slots]
        # Growth is 1 on the first row, so the price there is the one both classes start with.
        self._price = np.where(is_new, outcome.price[first_row, slots], self._price)
        self._premium = np.where(is_new, 0.0, self._premium)
        starts = np.where(is_new, first_row, -1)
        rows = np.arange(len(outcome.growth))
        news = self._draws.normal("class", outcome.entity[slots], first_day + rows[:, None])
        before = self._premium
        relative = np.empty((len(rows), len(slots)))
        for row in rows.tolist():
            moved = _MEMORY * self._premium + _NEWS * news[row]
            self._premium = np.where(row > starts, moved, self._premium)
            relative[row] = (1 + self._premium) / (1 + before)
        growth = outcome.growth[:, slots] * relative
        actions = outcome.actions
        price = price_path(
            self._price,
            growth,
            Actions(
                dividend=actions.dividend[slots],
                dividend_row=actions.dividend_row[slots],
                split=actions.split[slots],
                split_row=actions.split_row[slots],
            ),
        )
        self._price = price[-1].copy()
        return growth, price
