"""Signals from the monthly panel: size, past returns, highs and dividends."""

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.signals.registry import signal

Floats = NDArray[np.float64]

_YEAR = 12


@signal
def size(known: Known) -> Floats:
    """Firm market equity at the end of the month before, in currency.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """
    return known.column("firm_market_equity")


@signal
def momentum_12_2(known: Known) -> Floats:
    """Compound return of the months t-12 to t-2; needs all eleven returns.

    References
    ----------
    Jegadeesh and Titman (1993), *Journal of Finance* 48(1).
    """
    return compound_return(known, first=12, last=2)


@signal
def reversal_1(known: Known) -> Floats:
    """Return of the month t-1.

    References
    ----------
    Jegadeesh (1990), *Journal of Finance* 45(3).
    """
    return known.months_ago("ret", 1)


@signal
def reversal_60_13(known: Known) -> Floats:
    """Compound return of the months t-60 to t-13; needs all 48 returns.

    References
    ----------
    De Bondt and Thaler (1985), *Journal of Finance* 40(3).
    """
    return compound_return(known, first=60, last=13)


@signal
def high_52w(known: Known) -> Floats:
    """Price over the highest close of the months t-12 to t-1, both on one split basis.

    Needs the return of each of these months: without it, prices before and after do not compare.

    References
    ----------
    George and Hwang (2004), *Journal of Finance* 59(5).
    """
    highest = np.full(known.rows.height, -np.inf)
    splits = np.ones(known.rows.height)
    for months in range(1, _YEAR + 1):
        highest = np.maximum(highest, known.months_ago("high", months) / splits)
        splits *= known.months_ago("split", months)
    return _with_a_year_of_returns(known, known.months_ago("price", 1) / highest)


@signal
def dividend_yield(known: Known) -> Floats:
    """Cash dividends of the months t-12 to t-1 over the price, both on one split basis.

    0 for a stock that paid none. Needs the return of each of these months.

    References
    ----------
    Litzenberger and Ramaswamy (1979), *Journal of Financial Economics* 7(2).
    """
    paid = np.zeros(known.rows.height)
    splits = np.ones(known.rows.height)
    for months in range(1, _YEAR + 1):
        paid += known.months_ago("dividend", months) / splits
        splits *= known.months_ago("split", months)
    return _with_a_year_of_returns(known, paid / known.months_ago("price", 1))


def compound_return(known: Known, *, first: int, last: int) -> Floats:
    r"""Compound return from the month t - ``first`` to t - ``last``, decimal.

    .. math:: \prod_{j=last}^{first} (1 + r_{i,t-j}) - 1

    NaN unless all returns are there. A product of returns, not a rolling sum of logarithms: a
    rolling sum carries state from earlier rows, so that a month computed alone and in a range
    would differ in the last bit.
    """
    growth = np.ones(known.rows.height)
    for months in range(last, first + 1):
        growth *= 1 + known.months_ago("ret", months)
    return growth - 1


def _with_a_year_of_returns(known: Known, values: Floats) -> Floats:
    """NaN where the return of any of the last twelve months is missing."""
    missing = np.zeros(known.rows.height, dtype=np.bool_)
    for months in range(1, _YEAR + 1):
        missing |= np.isnan(known.months_ago("ret", months))
    return np.where(missing, np.nan, values)
