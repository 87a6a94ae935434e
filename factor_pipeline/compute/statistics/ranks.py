"""Ranks within months."""

import numpy as np

from factor_pipeline.compute.statistics.regression import Counts, Flags, Floats


def monthly_order(values: Floats, counts: Counts) -> Counts:
    """Places of the values in ascending order within each month, NaN last; shape (n,).

    Parameters
    ----------
    values
        Numbers, month after month; shape (n,).
    counts
        Values of each month, adding up to n.
    """
    starts = np.cumsum(counts) - counts
    order = np.empty(len(values), dtype=np.int64)
    for start, count in zip(starts.tolist(), counts.tolist(), strict=True):
        order[start : start + count] = start + np.argsort(values[start : start + count])
    return order


def order_among(order: Counts, chosen: Flags) -> Counts:
    """Order of the chosen ones of some values, whose `monthly_order` is known, without sorting."""
    place = np.cumsum(chosen) - 1
    among: Counts = place[order[chosen[order]]]
    return among


def doubled_ranks(values: Floats, counts: Counts, order: Counts | None = None) -> Floats:
    """Twice the rank of each value in its month, ties sharing the mean of their ranks.

    Doubled they are whole numbers, and sums of their products stay exact in double precision up to
    two hundred thousand stocks a month, in any order.

    Parameters
    ----------
    values
        Numbers, none missing, month after month; shape (n,).
    counts
        Values of each month, adding up to n.
    order
        Their `monthly_order`, where it is known.
    """
    starts = np.cumsum(counts) - counts
    order = monthly_order(values, counts) if order is None else order
    ordered = values[order]
    begins = np.ones(len(values), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    begins[starts[counts > 0]] = True
    first = np.flatnonzero(begins)
    tied = np.diff(first, append=len(values))
    month_start = np.repeat(starts, counts)[first]
    # Ranks first + 1 to first + tied: twice their mean is the sum of the two ends.
    shared = 2.0 * (first - month_start) + tied + 1.0
    ranks = np.empty(len(values))
    ranks[order] = np.repeat(shared, tied)
    return ranks


def known_counts(known: Flags, counts: Counts) -> Counts:
    """Rows of each month that are known, shape (M,)."""
    month = np.repeat(np.arange(len(counts)), counts)
    return np.bincount(month[known], minlength=len(counts))
