"""A market in months only: many stocks and long histories at small cost."""

from datetime import date, timedelta
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.errors import SettingsError
from factor_pipeline.months import add_months
from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats, Integers
from factor_pipeline.sources.simulated.economy import simulate_economy
from factor_pipeline.sources.simulated.evolution import Evolution, MonthOutcome, Periods
from factor_pipeline.sources.simulated.firms import EXCHANGES
from factor_pipeline.sources.simulated.parameters import FACTORS, Premia, SimulationParameters

START: Final = date(1963, 1, 1)
"""First month of every monthly market."""

DEFAULT_PREMIA: Final = Premia()
"""Premia of the literature's size, those of the default market."""

_FEWEST_YEARS: Final = 3
_GAP_SHARE: Final = 1 / 500
_DECEMBER: Final = 12
_JULY: Final = 7


def monthly_market(
    stocks: int = 25_000, months: int = 744, seed: int = 1, *, premia: Premia = DEFAULT_PREMIA
) -> pl.DataFrame:
    """Stock-months of a simulated market, with signals known before each month.

    The market is made of the same parts as the daily one, but takes each month in one step; it
    is another market than the daily one of the same seed.

    Parameters
    ----------
    stocks
        Firms listed at a time, about; 20 to 50,000.
    months
        Months from ``START`` on; 1 to 1,200.
    seed
        Any number from 0.
    premia
        Expected returns of the factors.

    Returns
    -------
    pl.DataFrame
        Sorted by ``month_end, security_id`` (unique together): a row for each month after the
        one a security is listed in, but for one month in 500, which is missing. Returns are
        decimals, equity is in dollars. Signals of a row are known at the end of the month
        before; ``book_to_market`` is that of December, held from July to June. ``ret`` contains
        the delisting return and is null after a missing month, signals are null without history.

    Raises
    ------
    SettingsError
        When a number is out of range.
    """
    parameters = _parameters(stocks, months, seed, premia)
    economy = simulate_economy(parameters)
    rows = _Rows(parameters)
    for outcome in Evolution(parameters, economy, Periods.monthly(economy)):
        if outcome.month == months:
            break
        rows.add(outcome)
    return rows.frame()


def monthly_factors(
    months: int = 744, seed: int = 1, *, premia: Premia = DEFAULT_PREMIA
) -> pl.DataFrame:
    """Factor returns and risk-free rate behind ``monthly_market`` of the same other arguments.

    Returns
    -------
    pl.DataFrame
        ``month_end, rf, mkt, smb, hml, rmw, cma, umd``; decimals per month.

    Raises
    ------
    SettingsError
        When a number is out of range.
    """
    economy = simulate_economy(_parameters(20, months, seed, premia))
    factors = {name: economy.monthly[:, i] for i, name in enumerate(FACTORS)}
    month_end = [_month_end(month) for month in range(len(economy.months))]
    return pl.DataFrame({"month_end": month_end, "rf": economy.rf_monthly, **factors}).head(months)


def _parameters(stocks: int, months: int, seed: int, premia: Premia) -> SimulationParameters:
    if months < 1:
        raise SettingsError(f"simulation months is {months}; choose a number from 1 to 1,200")
    years = max(-(-months // 12), _FEWEST_YEARS)
    return SimulationParameters(stocks=stocks, years=years, start=START, seed=seed, premia=premia)


def _month_end(month: int) -> date:
    return add_months(START, month + 1) - timedelta(days=1)


class _Rows:
    """Collects the rows of each month, column by column."""

    def __init__(self, parameters: SimulationParameters) -> None:
        self._draws = Draws(parameters.seed)
        count = parameters.stocks
        self._exchange = np.zeros(count, dtype=np.int64)
        self._december, self._held = np.full((2, count), np.nan)
        self._seen = np.zeros(count, dtype=np.bool_)
        self._last_return = np.full(count, np.nan)
        self._counts: list[int] = []
        self._parts: dict[str, list[Floats]] = {}
        self._ids: list[Integers] = []
        self._exchanges: list[Integers] = []

    def add(self, outcome: MonthOutcome) -> None:
        arrived = outcome.arrivals.slots
        calendar_month = outcome.month % 12 + 1
        self._exchange[arrived] = outcome.arrivals.firms.exchange
        self._december[arrived] = self._held[arrived] = self._last_return[arrived] = np.nan
        if calendar_month == _JULY:
            self._held = self._december
        veteran = outcome.equity > 0
        gap = self._draws.uniform("gap", outcome.entity, outcome.month) < _GAP_SHARE
        shown = veteran & ~gap
        self._append(outcome, shown)
        self._seen = shown.copy()
        self._seen[arrived] = True
        self._last_return = np.where(shown, outcome.growth[-1] - 1, np.nan)
        if calendar_month == _DECEMBER:
            self._december = outcome.book_to_market.copy()

    def _append(self, outcome: MonthOutcome, shown: Flags) -> None:
        growth = outcome.growth[-1]
        leaves = outcome.departures.leaves
        known = outcome.known
        ret = np.where(leaves, growth * (1 + outcome.departures.delisting_return), growth) - 1
        columns = {
            "ret": np.where(self._seen, ret, np.nan),
            "lagged_market_equity": outcome.equity,
            "size": outcome.equity,
            "book_to_market": self._held,
            "book_to_market_monthly": known.book_to_market,
            "momentum_12_2": known.momentum,
            "reversal_1": self._last_return,
            "operating_profitability": known.profitability,
            "investment": known.investment,
        }
        for name, values in columns.items():
            self._parts.setdefault(name, []).append(values[shown])
        self._ids.append(outcome.entity[shown])
        self._exchanges.append(self._exchange[shown])
        self._counts.append(int(shown.sum()))

    def frame(self) -> pl.DataFrame:
        ends = pl.Series("month_end", [_month_end(i) for i in range(len(self._counts))])
        month = np.repeat(np.arange(len(self._counts), dtype=np.uint32), self._counts)
        exchanges = np.concatenate(self._exchanges).astype(np.uint32)
        columns = [
            pl.Series("security_id", np.concatenate(self._ids)),
            ends.gather(pl.Series(month)),
            pl.Series("exchange", EXCHANGES).gather(pl.Series(exchanges)),
        ]
        for name in list(self._parts):
            values = np.concatenate(self._parts.pop(name))
            columns.append(pl.Series(name, values, nan_to_null=True))
        return pl.DataFrame(columns)
