"""Loadings of stocks on the factors, tied to their characteristics as the literature finds."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from factor_pipeline.sources.simulated.draws import (
    Draws,
    Flags,
    Floats,
    Integers,
    interpolate,
    normal_quantiles,
)
from factor_pipeline.sources.simulated.parameters import FACTORS

# Loading per standard deviation of the characteristic, such that the long-short portfolio of a
# 2x3 sort, with its stale and coarse ranks, has a loading near 1 on its own factor.
_SLOPES: Final = {"smb": -0.60, "hml": 0.54, "rmw": 0.42, "cma": -0.42, "umd": 0.50}
_OWN_DEVIATION: Final[Floats] = np.array([[0.30], [0.20], [0.20], [0.20], [0.20], [0.10]])
_MEMORY: Final = 0.98  # of a market beta from month to month: a half-life of three years
_CENTRE_DECIMALS: Final = 9


@dataclass(frozen=True, slots=True)
class Characteristics:
    """What loadings depend on, known at the end of the month before; each of shape (N,).

    ``momentum`` is NaN without a full year of returns.
    """

    market_equity: Floats
    book_to_market: Floats
    profitability: Floats
    investment: Floats
    momentum: Floats


def normal_scores(values: Floats, among: Flags) -> Floats:
    """Return the standard normal quantile of each value's rank ``among`` those flagged.

    The others score 0, as does NaN; ties are broken by position. Shapes (N,).
    """
    members = np.flatnonzero(among & np.isfinite(values))
    order = members[np.argsort(values[members], kind="stable")]
    scores = np.zeros(len(values))
    rank = (np.arange(len(order)) + 0.5) / max(len(order), 1)
    scores[order] = interpolate(normal_quantiles(), rank)
    return scores


def own_loadings(draws: Draws, entity: Integers) -> Floats:
    """Part of the loadings that no characteristic explains, shape (K, N)."""
    factor = np.arange(len(FACTORS))[:, None]
    return draws.normal("own loading", entity, factor) * _OWN_DEVIATION


def drifted_market_beta(draws: Draws, own: Floats, entity: Integers, month: int) -> Floats:
    """Own market loadings one month on: they wander slowly around 0; shapes (N,)."""
    news = draws.normal("market beta", entity, month)
    drifted: Floats = _MEMORY * own + math.sqrt(1 - _MEMORY * _MEMORY) * _OWN_DEVIATION[0] * news
    return drifted


def loadings(own: Floats, known: Characteristics, weight: Floats, listed: Flags) -> Floats:
    """Return the loadings on each factor, shape (K, N).

    Their average at the weights is 1 for the market and 0 for the other factors, so that the
    value-weighted market is the market factor.

    Parameters
    ----------
    own
        Part that no characteristic explains, shape (K, N).
    known
        Characteristics.
    weight
        Non-negative weights with a positive sum, shape (N,).
    listed
        Stocks that are ranked against each other, shape (N,).
    """
    characteristic = {
        "smb": known.market_equity,
        "hml": known.book_to_market,
        "rmw": known.profitability,
        "cma": known.investment,
        "umd": known.momentum,
    }
    beta = own.copy()
    for row, factor in enumerate(FACTORS):
        if factor in _SLOPES:
            beta[row] += _SLOPES[factor] * normal_scores(characteristic[factor], listed)
    # Rounding hides in which order a platform adds.
    centre = np.round((beta * weight).sum(axis=1) / weight.sum(), _CENTRE_DECIMALS)
    centre[0] -= 1
    centred: Floats = beta - centre[:, None]
    return centred
