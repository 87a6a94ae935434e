"""Closed fiscal years of all firms, before anybody files them."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import Flags, Integers
from factor_pipeline.sources.simulated.evolution import MonthOutcome
from factor_pipeline.sources.simulated.firms import Year

_YEAR: Final = 12


@dataclass(frozen=True, slots=True)
class FiscalYears:
    """Fiscal years of all firms sorted by entity and month; arrays of shape (F,).

    Attributes
    ----------
    entity
        Number of the firm.
    month
        Position of the month the year ends in; negative before the market begins.
    before_listing
        Whether the firm was not yet listed then.
    year
        Figures, each of shape (F,).
    """

    entity: Integers
    month: Integers
    before_listing: Flags
    year: Year


class FiscalYearLog:
    """Collects fiscal years month by month."""

    def __init__(self, first_calendar_month: int) -> None:
        self._first_calendar_month = first_calendar_month
        self._entity: list[Integers] = []
        self._month: list[Integers] = []
        self._before: list[Flags] = []
        self._years: list[Year] = []

    def add(self, outcome: MonthOutcome) -> None:
        """Take down the years that ended, and those before the listing of new firms."""
        closed = outcome.closing.slots
        month = np.full(len(closed), outcome.month)
        self._append(outcome.entity[closed], month, outcome.closing.year, before=False)
        arrivals = outcome.arrivals
        calendar_month = (self._first_calendar_month - 1 + outcome.month) % _YEAR + 1
        # A year that ends in the month of the listing is closed by the listed firm.
        since_last = (calendar_month - arrivals.firms.fiscal_month - 1) % _YEAR + 1
        for age, year in enumerate(arrivals.past):
            month = outcome.month - since_last - _YEAR * age
            self._append(outcome.entity[arrivals.slots], month, year, before=True)

    def all(self) -> FiscalYears:
        """Everything taken down so far."""
        entity, month = np.concatenate(self._entity), np.concatenate(self._month)
        order = np.lexsort((month, entity))
        figures = {
            field.name: np.concatenate([getattr(y, field.name) for y in self._years])[order]
            for field in fields(Year)
        }
        before = np.concatenate(self._before)[order]
        return FiscalYears(entity[order], month[order], before, Year(**figures))

    def _append(self, entity: Integers, month: Integers, year: Year, *, before: bool) -> None:
        self._entity.append(entity)
        self._month.append(month)
        self._before.append(np.full(len(entity), before))
        self._years.append(year)
