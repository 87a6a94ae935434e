"""State of the listed firms between months: one slot holds one firm after the other."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.actions import Actions, Departures
from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers
from factor_pipeline.sources.simulated.firms import (
    Newcomers,
    Year,
    affordable_payout,
    close_year,
    newcomers,
    years_before,
)
from factor_pipeline.sources.simulated.loadings import (
    Characteristics,
    drifted_market_beta,
    normal_scores,
    own_loadings,
)
from factor_pipeline.sources.simulated.parameters import FACTORS

SECURITIES_PER_SLOT: Final = 4096

_YEAR: Final = 12
_LONGEST_VACANCY: Final = 6
_VOLATILITY: Final = (0.008, 0.045)
_TARGET_VOLATILITY: Final = (0.020, -0.005)  # of a firm of median size, and per score of size
_LEVEL_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Firms that are listed in a month.

    Attributes
    ----------
    slots
        Where they are listed, shape (A,).
    firms
        What they start with, shape (A,).
    past
        Fiscal years before the listing, latest first, each of shape (A,).
    """

    slots: Integers
    firms: Newcomers
    past: tuple[Year, ...]


@dataclass(frozen=True, slots=True)
class Closing:
    """Fiscal years that end in a month: slots of the firms, shape (C,), and their figures."""

    slots: Integers
    year: Year


class Roster:
    """Firms of N slots, one array entry per slot.

    ``own`` and ``beta`` have a row per factor, ``history`` one per month of the last year: the
    return of month m is in row m % 12, NaN where unknown.
    """

    def __init__(self, draws: Draws, count: int) -> None:
        self._draws = draws
        self._slot = np.arange(count)
        self._first_mean_equity = 0.0
        self.sequence = np.zeros(count, dtype=np.int64)
        self.listed = np.zeros(count, dtype=np.bool_)
        self.months_listed = np.zeros(count, dtype=np.int64)
        self.vacant_until = np.zeros(count, dtype=np.int64)
        self.fiscal_month = np.zeros(count, dtype=np.int64)
        self.price, self.shares, self.book, self.leverage = np.ones((4, count))
        self.own_profitability, self.profitability, self.investment = np.zeros((3, count))
        self.payout, self.dividends = np.zeros((2, count))
        self.variance = np.ones(count)
        self.own, self.beta = np.zeros((2, len(FACTORS), count))
        self.history = np.full((_YEAR, count), np.nan)

    @property
    def entity(self) -> Integers:
        """Number of each slot's firm in the whole market."""
        return self._slot * SECURITIES_PER_SLOT + self.sequence

    @property
    def equity(self) -> Floats:
        """Market equity, 0 where nothing is listed."""
        return np.where(self.listed, self.price * self.shares, 0.0)

    @property
    def past_year(self) -> Floats:
        """Return of the last twelve months, NaN where one is unknown."""
        growth: Floats = np.prod(1 + self.history, axis=0)
        return growth - 1

    @property
    def dividend_yield(self) -> Floats:
        """Dividends per year over price."""
        return affordable_payout(self.payout, self.price * self.shares / self.book)

    def admit(self, month: int) -> Arrivals:
        """List a firm in every slot that has been vacant long enough."""
        new = np.flatnonzero(~self.listed & (self.vacant_until <= month))
        level = self._level(month)
        self.sequence[new] += 1
        firms = newcomers(self._draws, self.entity[new], entrant=month > 0, level=level)
        self.price[new], self.shares[new] = firms.price, firms.shares
        self.book[new], self.leverage[new] = firms.book, firms.leverage
        self.own_profitability[new] = firms.own_profitability
        past = years_before(firms)
        self.profitability[new] = past[0].profitability
        self.investment[new] = past[0].investment
        self.payout[new], self.dividends[new] = firms.payout, 0.0
        self.fiscal_month[new] = firms.fiscal_month
        self.variance[new] = firms.volatility * firms.volatility
        self.own[:, new] = own_loadings(self._draws, self.entity[new])
        self.history[:, new] = np.nan
        self.months_listed[new] = 0
        self.listed[new] = True
        return Arrivals(new, firms, past)

    def characteristics(self, month: int) -> Characteristics:
        """Return what is known at the end of the month before ``month``."""
        growth = np.ones(len(self._slot))
        for lag in range(2, _YEAR + 1):
            growth *= 1 + self.history[(month - lag) % _YEAR]
        return Characteristics(
            market_equity=self.price * self.shares,
            book_to_market=self.book / (self.price * self.shares),
            profitability=self.profitability.copy(),
            investment=self.investment.copy(),
            momentum=growth - 1,
        )

    def take_month(  # noqa: PLR0913 - one keyword per thing that happened
        self,
        month: int,
        *,
        growth: Floats,
        price: Floats,
        variance: Floats,
        actions: Actions,
        departures: Departures,
        arrivals: Arrivals,
    ) -> None:
        """Carry the state over a month.

        Parameters
        ----------
        month
            Position of the month.
        growth, price
            Compound total return plus 1, and price, at the end of the month; shapes (N,).
        variance
            Mean squared unexplained return of the month, per day of normal turbulence.
        actions, departures, arrivals
            Of the month.
        """
        self.dividends += actions.dividend * self.shares
        self.price = price.copy()
        self.shares = self.shares * actions.split
        returns = growth - 1
        returns[arrivals.slots] = np.nan
        self.history[month % _YEAR] = returns
        self.months_listed += 1
        gone = np.flatnonzero(departures.leaves)
        self.listed[gone] = False
        self.vacant_until[gone] = (
            month + 1 + self._draws.integers("vacancy", self.entity[gone], below=_LONGEST_VACANCY)
        )
        size = normal_scores(price * self.shares, self.listed)
        middle, slope = _TARGET_VOLATILITY
        target = np.clip(middle + slope * size, *_VOLATILITY)
        blend = 0.85 * self.variance + 0.10 * target * target + 0.05 * variance
        self.variance = np.clip(blend, _VOLATILITY[0] ** 2, _VOLATILITY[1] ** 2)
        self.own[0] = drifted_market_beta(self._draws, self.own[0], self.entity, month)

    def close_years(self, month: int, calendar_month: int) -> Closing:
        """Close the fiscal years that end in ``calendar_month`` (1 to 12)."""
        slots = np.flatnonzero(self.listed & (self.fiscal_month == calendar_month))
        year = close_year(
            self._draws,
            self.entity[slots],
            month,
            price=self.price[slots],
            shares=self.shares[slots],
            book=self.book[slots],
            leverage=self.leverage[slots],
            own_profitability=self.own_profitability[slots],
            dividends=self.dividends[slots],
        )
        self.book[slots], self.leverage[slots] = year.book, year.leverage
        self.shares[slots] = year.shares
        self.profitability[slots], self.investment[slots] = year.profitability, year.investment
        self.dividends[slots] = 0.0
        return Closing(slots, year)

    def _level(self, month: int) -> float:
        """Mean market equity over that at the end of the first month; 1 before."""
        equity = self.equity[self.listed]
        if month == 0 or not equity.size:
            return 1.0
        mean = float(equity.sum()) / equity.size
        if not self._first_mean_equity:
            self._first_mean_equity = mean
        return round(mean / self._first_mean_equity, _LEVEL_DECIMALS)
