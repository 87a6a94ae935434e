"""What all stocks share: the calendar, the business cycle, the short rate, the factor returns."""

import math
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Final

import numpy as np

from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.months import add_months
from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats, Integers
from factor_pipeline.sources.simulated.parameters import FACTORS, SimulationParameters

DECIMALS: Final = 6
"""Factor returns are rounded to these decimals, so that the library can state them exactly."""

_DAYS_PER_YEAR: Final = 252
_ANNUAL_VOLATILITY: Final = (0.14, 0.085, 0.095, 0.065, 0.055, 0.11)
_NO_ENTITY: Final = np.zeros(1, dtype=np.int64)

_FIRST_BEAR: Final = (14, 9)  # earliest month, and how many months it may begin in
_NEXT_BEAR: Final = (84, 49)
_BEAR_LENGTH: Final = (7, 4)
_RECESSION_LENGTH: Final = (9, 8)
_RECESSION_LAG: Final = 2
_BEAR_DRIFT: Final = -0.045  # per month
_BEAR_TURBULENCE: Final = 2.0
_RECESSION_TURBULENCE: Final = 1.3
_CALM_TURBULENCE: Final = 0.85
_GARCH: Final = (0.03, 0.06, 0.91)

_LOWEST_RATE: Final = 0.001
_MEAN_RATE: Final = 0.03


@dataclass(frozen=True, slots=True)
class Economy:
    """Path of the economy over M months with D trading days and K factors.

    Attributes
    ----------
    months
        First day of each month.
    days
        Trading days.
    first_row
        Row of each month's first day, with D at the end; shape (M + 1,).
    bear, recession
        Whether the market is in a bear phase, the economy in a recession; shape (M,).
    short_rate
        Interest rate, decimals per year in full basis points; shape (M,).
    rf_daily, rf_monthly
        Risk-free return, decimals; shapes (D,) and (M,). The month compounds its days.
    daily, monthly
        Factor returns, decimals; shapes (D, K) and (M, K). A month of the market is that of
        its total return less that of the risk-free asset; a month of the others compounds.
    turbulence
        Volatility of the day over its long-run mean; shape (D,).
    """

    months: tuple[date, ...]
    days: tuple[date, ...]
    first_row: Integers
    bear: Flags
    recession: Flags
    short_rate: Floats
    rf_daily: Floats
    rf_monthly: Floats
    daily: Floats
    monthly: Floats
    turbulence: Floats

    def rows(self, month: int) -> slice:
        """Rows of the trading days of a month."""
        return slice(int(self.first_row[month]), int(self.first_row[month + 1]))


def simulate_economy(parameters: SimulationParameters) -> Economy:
    """Draw the path of the economy; more years leave those before as they were."""
    draws = Draws(parameters.seed)
    months = tuple(add_months(parameters.start, i) for i in range(parameters.months))
    days = tuple(trading_days(parameters.start, parameters.end))
    month_of_day = np.array(
        [(d.year - months[0].year) * 12 + d.month - months[0].month for d in days]
    )
    first_row = np.searchsorted(month_of_day, np.arange(len(months) + 1)).astype(np.int64)
    bear, recession, drift = _cycle(draws, len(months), parameters.premia.mkt / 12)
    turbulence, shocks = _shocks(draws, bear[month_of_day], recession[month_of_day])
    premia = np.array([getattr(parameters.premia, factor) for factor in FACTORS])
    mean = np.tile(premia / _DAYS_PER_YEAR, (len(days), 1))
    mean[:, 0] = (drift / np.diff(first_row))[month_of_day]
    daily_volatility = np.array(_ANNUAL_VOLATILITY) / math.sqrt(_DAYS_PER_YEAR)
    daily = np.round(mean + shocks * daily_volatility, DECIMALS)
    short_rate = _short_rate(draws, recession)
    rf_daily = np.round(short_rate / _DAYS_PER_YEAR, DECIMALS)[month_of_day]
    rf_monthly, monthly = _compounded(rf_daily, daily, first_row)
    return Economy(
        months=months,
        days=days,
        first_row=first_row,
        bear=bear,
        recession=recession,
        short_rate=short_rate,
        rf_daily=rf_daily,
        rf_monthly=rf_monthly,
        daily=daily,
        monthly=monthly,
        turbulence=turbulence,
    )


def _cycle(draws: Draws, months: int, premium: float) -> tuple[Flags, Flags, Floats]:
    """Bear months, recession months, and the market's expected return per month.

    What a bear phase takes, the months until the next one give back: over whole cycles the
    expected return is the premium.
    """
    bear, recession = np.zeros((2, months), dtype=np.bool_)
    drift = np.full(months, premium)

    def drawn(stream: str, limits: tuple[int, int], cycle: int) -> int:
        extra = draws.integers(stream, _NO_ENTITY, cycle, below=limits[1])
        return limits[0] + int(extra[0])

    begin, cycle = drawn("first bear", _FIRST_BEAR, 0), 0
    while begin < months:
        length = drawn("bear length", _BEAR_LENGTH, cycle)
        following = begin + drawn("next bear", _NEXT_BEAR, cycle)
        recession_begin = begin + _RECESSION_LAG
        recession_end = recession_begin + drawn("recession length", _RECESSION_LENGTH, cycle)
        bear[begin : begin + length] = True
        recession[recession_begin:recession_end] = True
        whole = premium * (following - begin)
        drift[begin:following] = (whole - _BEAR_DRIFT * length) / (following - begin - length)
        drift[begin : begin + length] = _BEAR_DRIFT
        begin, cycle = following, cycle + 1
    return bear, recession, drift


def _shocks(draws: Draws, bear: Flags, recession: Flags) -> tuple[Floats, Floats]:
    """Volatility of each day over its mean, (D,), and factor shocks at it, (D, K).

    The market's variance follows a GARCH(1,1) around the level of the phase; the other factors
    share half of its ups and downs.
    """
    day = np.arange(len(bear))
    factor = np.arange(len(FACTORS))
    shocks = draws.normal("factor", factor, day[:, None])
    phase = np.where(
        bear, _BEAR_TURBULENCE, np.where(recession, _RECESSION_TURBULENCE, _CALM_TURBULENCE)
    )
    constant, news, memory = _GARCH
    variance, path = 1.0, np.empty(len(bear))
    for i, shock in enumerate(shocks[:, 0].tolist()):
        path[i] = variance
        variance = constant + variance * (memory + news * shock * shock)
    turbulence = phase * np.sqrt(path)
    shocks[:, 0] *= turbulence
    shocks[:, 1:] *= (0.5 + 0.5 * turbulence)[:, None]
    return turbulence, shocks


def _short_rate(draws: Draws, recession: Flags) -> Floats:
    """Annual rate per month: drifts back to its mean, falls in recessions."""
    news = draws.normal("short rate", _NO_ENTITY, np.arange(len(recession)))
    rate, path = _MEAN_RATE, []
    for in_recession, shock in zip(recession.tolist(), news.tolist(), strict=True):
        rate += 0.02 * (_MEAN_RATE - rate) + 0.0012 * shock - 0.0025 * in_recession
        rate = max(rate, _LOWEST_RATE)
        path.append(rate)
    return np.round(np.array(path), 4)


def _compounded(rf_daily: Floats, daily: Floats, first_row: Integers) -> tuple[Floats, Floats]:
    """Monthly risk-free and factor returns, multiplied up day by day."""
    rf = np.empty(len(first_row) - 1)
    monthly = np.empty((len(rf), daily.shape[1]))
    for month, (begin, end) in enumerate(pairwise(first_row)):
        growth = 1 + daily[begin:end]
        growth[:, 0] += rf_daily[begin:end]
        rf[month] = np.cumprod(1 + rf_daily[begin:end])[-1] - 1
        monthly[month] = np.cumprod(growth, axis=0)[-1] - 1
    rf = np.round(rf, DECIMALS)
    monthly[:, 0] -= rf
    return rf, np.round(monthly, DECIMALS)
