"""Legs of a portfolio: which names of a ranking are taken, and with which weights."""

import numpy as np

from factor_pipeline.compute.accounting import Booleans, Floats, Integers
from factor_pipeline.compute.strategies import Strategy

# 0.29 * 100 is 28.999999999999996 in binary; a share is never known to nine digits.
_ROUNDING = 1e-9


def leg_size(strategy: Strategy, ranked: int) -> int:
    """Names in a leg of ``strategy`` when ``ranked`` can be chosen."""
    if strategy.top_share is not None:
        return int(strategy.top_share * ranked + _ROUNDING)
    legs = 2 if strategy.kind == "long_short" else 1
    return min(strategy.names or 0, ranked // legs)


def chosen(
    position: Integers,
    size: int,
    strategy: Strategy,
    *,
    held: Booleans | None = None,
    sector: Integers | None = None,
) -> Booleans:
    """Names of one leg.

    Parameters
    ----------
    position
        Rank for this leg, 0 is best, shape (n,); n or more cannot be chosen.
    size
        Names wanted.
    strategy
        Whose ``turnover_buffer`` and ``sector_cap`` hold.
    held
        Which are held in this leg now; null where none is.
    sector
        Sector codes, needed with a ``sector_cap``.

    Returns
    -------
    ndarray
        Whether each is chosen, shape (n,). At most ``size`` are: those held within the buffer,
        best first, then the best of the others; a name whose sector is full is passed over.
    """
    if held is None and strategy.sector_cap is None:
        return position < size
    priority = position
    if held is not None:
        reach = (1.0 + strategy.turnover_buffer) * size + _ROUNDING
        stays = held & (position + 1 <= reach)
        # Twice n is past all who can and all who cannot be chosen.
        priority = np.where(stays, position, position + 2 * position.size)
    order = np.argsort(priority, kind="stable")
    order = order[position[order] < position.size]
    if strategy.sector_cap is not None and sector is not None:
        most = max(1, int(strategy.sector_cap * size + _ROUNDING))
        order = order[_place_in_sector(sector[order]) < most]
    mask = np.zeros(position.size, dtype=np.bool_)
    mask[order[:size]] = True
    return mask


def leg_weights(mass: Floats, sector: Integers, strategy: Strategy) -> Floats:
    """Weights of a leg, in proportion to ``mass``.

    Parameters
    ----------
    mass
        Positive numbers, shape (k,), k at least 1.
    sector
        Sector codes, shape (k,).
    strategy
        Whose ``sector_cap`` holds.

    Returns
    -------
    ndarray
        Shape (k,), summing to 1. A sector above the cap is scaled down to it, and what it loses
        goes to the others in proportion, until none is above; when there are too few sectors for
        that, each has the cap and the rest stays in cash.
    """
    weight: Floats = mass / mass.sum()
    if strategy.sector_cap is None:
        return weight
    _, code = np.unique(sector, return_inverse=True)
    full = np.zeros(code.max() + 1, dtype=np.bool_)
    while True:
        shares = np.bincount(code, weights=weight)
        above = ~full & (shares > strategy.sector_cap * (1 + _ROUNDING))
        if not above.any():
            return weight
        full |= above
        open_share = shares[~full].sum()
        left = 1.0 - strategy.sector_cap * full.sum()
        factor = np.where(
            full, strategy.sector_cap / shares, left / open_share if open_share > 0 else 0.0
        )
        weight = weight * factor[code]


def _place_in_sector(sector: Integers) -> Integers:
    """How many of the same sector come before each element."""
    order = np.argsort(sector, kind="stable")
    runs = np.flatnonzero(np.diff(sector[order], prepend=-1))
    lengths = np.diff(runs, append=sector.size)
    place = np.empty(sector.size, dtype=np.int64)
    place[order] = np.arange(sector.size) - np.repeat(runs, lengths)
    return place
