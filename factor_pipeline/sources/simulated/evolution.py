"""The market month by month: who is listed, what it loads on, what it returns."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from factor_pipeline.sources.simulated.actions import (
    Actions,
    Departures,
    plan_actions,
    plan_departures,
    price_path,
)
from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats, Integers
from factor_pipeline.sources.simulated.economy import Economy
from factor_pipeline.sources.simulated.loadings import Characteristics, loadings
from factor_pipeline.sources.simulated.parameters import SimulationParameters
from factor_pipeline.sources.simulated.roster import Arrivals, Closing, Roster

_RETURN: Final = (-0.75, 1.5)
_CENTRE_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Periods:
    """Rows to generate: T trading days, or T months taken in one step each.

    Attributes
    ----------
    first_row
        First row of each month, and T at the end; shape (M + 1,).
    factors, rf
        Returns of the factors and of the risk-free asset per row; shapes (T, K), (T,).
    scale
        Unexplained volatility of the row over that of a normal day; shape (T,).
    """

    first_row: Integers
    factors: Floats
    rf: Floats
    scale: Floats

    @classmethod
    def daily(cls, economy: Economy, *, follow_market: bool = True) -> Self:
        """One row per trading day.

        With ``follow_market`` unexplained volatility rises and falls with the market's, so that
        residuals are heteroscedastic in the regressors; without, it does so on its own.
        """
        scale = 0.6 + 0.4 * economy.turbulence
        if not follow_market:
            scale = np.ones(len(scale))
        return cls(economy.first_row, economy.daily, economy.rf_daily, scale)

    @classmethod
    def monthly(cls, economy: Economy) -> Self:
        """One row per month: its variance is that of its days taken together."""
        variance = np.square(0.6 + 0.4 * economy.turbulence)
        months = range(len(economy.months))
        in_month = [variance[economy.rows(month)].cumsum()[-1] for month in months]
        scale = np.sqrt(np.array(in_month))
        return cls(np.arange(len(months) + 1), economy.monthly, economy.rf_monthly, scale)

    def rows(self, month: int) -> slice:
        """Rows of a month."""
        return slice(int(self.first_row[month]), int(self.first_row[month + 1]))


@dataclass(frozen=True, slots=True)
class MonthOutcome:
    """What happened in a month to the firms of N slots.

    Attributes
    ----------
    month
        Position of the month.
    entity
        Number of the firm in the whole market; shape (N,).
    listed
        Whether the slot has a price in the month; shape (N,).
    first_row
        Row of the first price within the month, 0 unless new; shape (N,).
    arrivals, departures, actions, closing
        Who came, who left, dividends and splits, fiscal years that ended.
    equity
        Market equity at the end of the month before, 0 for arrivals; shape (N,).
    growth
        Compound total return since then, plus 1; (rows, N). An arrival starts from its first
        price.
    price
        Unadjusted price; (rows, N). Without meaning where nothing is listed.
    beta
        Loadings in the month; (K, N).
    known
        Characteristics they were made from.
    book_to_market
        At the end of the month, its fiscal years closed; (N,). Without meaning for those that
        left.
    """

    month: int
    entity: Integers
    listed: Flags
    first_row: Integers
    arrivals: Arrivals
    departures: Departures
    actions: Actions
    closing: Closing
    equity: Floats
    growth: Floats
    price: Floats
    beta: Floats
    known: Characteristics
    book_to_market: Floats


class Evolution:
    """The months of a market in order, each made from those before.

    The return of a stock is that of the risk-free asset, plus its loadings times the factors,
    plus an unexplained return with fat tails and changing volatility. What all stocks together
    return beyond the market factor, weighted by value, is taken off each of them: the simulated
    market is the market factor. With constant betas this is left out, as the weighted mean of
    betas wanders from 1; unexplained returns are independent then, of the factors' volatility too.
    """

    def __init__(
        self, parameters: SimulationParameters, economy: Economy, periods: Periods
    ) -> None:
        self._economy = economy
        self._periods = periods
        self._constant_betas = parameters.constant_betas
        self._draws = Draws(parameters.seed)
        self._roster = Roster(self._draws, parameters.stocks)

    def __iter__(self) -> Iterator[MonthOutcome]:
        """Yield every month."""
        return (self._month(month) for month in range(len(self._economy.months)))

    def _month(self, month: int) -> MonthOutcome:
        roster, draws = self._roster, self._draws
        rows = self._periods.rows(month)
        count = rows.stop - rows.start
        veteran, equity = roster.listed.copy(), roster.equity
        departures = plan_departures(
            draws,
            roster.entity,
            month,
            rows=count,
            listed=veteran,
            months_listed=roster.months_listed,
            price=roster.price,
            past_year=roster.past_year,
        )
        arrivals = roster.admit(month)
        entity, listed = roster.entity, roster.listed.copy()
        weight = equity if month else roster.equity
        known = roster.characteristics(month)
        beta = self._loadings(known, weight, arrivals)
        # Prices begin with the market, or on some day of the month a firm is listed in.
        first_row = np.zeros(len(entity), dtype=np.int64)
        if month:
            newcomer = entity[arrivals.slots]
            first_row[arrivals.slots] = draws.integers("first day", newcomer, below=count)
        unexplained = self._unexplained(entity, rows)
        growth = self._growth(
            rows,
            beta,
            unexplained,
            weight=weight,
            starts=np.where(veteran, -1, first_row),
            last_row=departures.last_row,
        )
        actions = plan_actions(
            draws,
            entity,
            month,
            growth=growth,
            price=roster.price,
            dividend_yield=roster.dividend_yield,
            last_row=departures.last_row,
            eligible=veteran,
            leaves=departures.leaves,
        )
        price = price_path(roster.price, growth, actions)
        typical = unexplained / self._periods.scale[rows, None]
        roster.take_month(
            month,
            growth=growth[-1],
            price=price[-1],
            variance=np.square(typical).sum(axis=0) / count,
            actions=actions,
            departures=departures,
            arrivals=arrivals,
        )
        closing = roster.close_years(month, self._economy.months[month].month)
        return MonthOutcome(
            month=month,
            entity=entity,
            listed=listed,
            first_row=first_row,
            arrivals=arrivals,
            departures=departures,
            actions=actions,
            closing=closing,
            equity=equity,
            growth=growth,
            price=price,
            beta=beta,
            known=known,
            book_to_market=roster.characteristics(month).book_to_market,
        )

    def _loadings(self, known: Characteristics, weight: Floats, arrivals: Arrivals) -> Floats:
        roster = self._roster
        beta = loadings(roster.own, known, weight, roster.listed)
        if self._constant_betas:
            kept = roster.beta.copy()
            kept[:, arrivals.slots] = beta[:, arrivals.slots]
            beta = kept
        roster.beta = beta
        return beta

    def _unexplained(self, entity: Integers, rows: slice) -> Floats:
        time = np.arange(rows.start, rows.stop)[:, None]
        deviation = np.sqrt(self._roster.variance)
        scale = self._periods.scale[rows, None]
        return self._draws.fat_tailed("unexplained", entity, time) * deviation * scale

    def _growth(  # noqa: PLR0913 - keywords, all of one month
        self,
        rows: slice,
        beta: Floats,
        unexplained: Floats,
        *,
        weight: Floats,
        starts: Integers,
        last_row: Integers,
    ) -> Floats:
        """Compound total return plus 1 after each row, (rows, N); 1 up to the row ``starts``."""
        rf, factors = self._periods.rf[rows], self._periods.factors[rows]
        returns = unexplained + rf[:, None]
        # Added one by one: the order of a matrix product depends on the platform.
        for factor, loading in enumerate(beta):
            returns += factors[:, factor, None] * loading
        row = np.arange(len(rf))[:, None]
        moves = row > starts
        returns = np.where(moves, np.clip(returns, *_RETURN), 0.0)
        growth = np.cumprod(1 + returns, axis=0, dtype=np.float64)
        if self._constant_betas:
            return growth
        weights = weight * (row <= last_row)
        weights[1:] *= growth[:-1]
        mean = (weights * returns).sum(axis=1) / weights.sum(axis=1)
        # Rounding hides in which order a platform adds.
        excess = np.round(mean - (rf + factors[:, 0]), _CENTRE_DECIMALS)
        returns -= excess[:, None] * moves
        return np.cumprod(1 + returns, axis=0, dtype=np.float64)
