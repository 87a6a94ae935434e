"""Signals that combine others."""

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.signals.annual import book_to_market
from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.signals.price import momentum_12_2
from factor_pipeline.compute.signals.ranks import mean_score, rank_scores
from factor_pipeline.compute.signals.registry import signal


@signal
def value_momentum(known: Known) -> NDArray[np.float64]:
    """Mean of the z-scored ranks of value and momentum, among stocks that have both.

    References
    ----------
    Asness, Moskowitz and Pedersen (2013), *Journal of Finance* 68(3).
    """
    value, momentum = book_to_market(known), momentum_12_2(known)
    has_both = np.isfinite(value) & np.isfinite(momentum)
    scores = [
        rank_scores(known.rows["month_end"], np.where(has_both, values, np.nan))
        for values in (value, momentum)
    ]
    return mean_score(scores, at_least=2)
