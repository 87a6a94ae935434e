"""Deflated Sharpe ratio: what is left of the best of many trials."""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

_NORMAL = NormalDist()


def expected_maximum(trials: Sequence[float], count: int) -> float | None:
    r"""Sharpe ratio the best of as many worthless trials is expected to have.

    Parameters
    ----------
    trials
        Sharpe ratios of the trials that have one, of one frequency.
    count
        How many trials there were, at least as many.

    Returns
    -------
    float, or None
        In the frequency of the trials; none with fewer than two of them.

    Notes
    -----
    With the variance V of the ratios of N trials and the Euler-Mascheroni constant :math:`\gamma`,

    .. math:: SR_0 = \sqrt{V} \left( (1 - \gamma) \Phi^{-1}(1 - 1/N)
              + \gamma \Phi^{-1}(1 - 1/(N e)) \right) .

    References
    ----------
    Bailey and Lopez de Prado (2014), *Journal of Portfolio Management* 40(5), equation 1.
    """
    if len(trials) < 2:  # noqa: PLR2004 - a variance needs two
        return None
    deviation = float(np.std(np.array(trials), ddof=1))
    most = _NORMAL.inv_cdf(1.0 - 1.0 / count)
    rarer = _NORMAL.inv_cdf(1.0 - 1.0 / (count * math.e))
    return deviation * ((1.0 - np.euler_gamma) * most + np.euler_gamma * rarer)


def deflated_sharpe(excess: Floats, threshold: float) -> float | None:
    r"""Probability that the true Sharpe ratio is above ``threshold``.

    Parameters
    ----------
    excess
        Returns over the risk-free rate, shape (T,), T at least 2.
    threshold
        Sharpe ratio of the frequency of the returns, not annualised: `expected_maximum`.

    Returns
    -------
    float, or None
        In [0, 1]; none where the returns do not vary.

    Notes
    -----
    With skewness :math:`\gamma_3` and kurtosis :math:`\gamma_4` (3 if normal) of the returns,

    .. math:: \Phi\left( \frac{(SR - SR_0) \sqrt{T - 1}}
              {\sqrt{1 - \gamma_3 SR + \frac{\gamma_4 - 1}{4} SR^2}} \right) .

    References
    ----------
    Bailey and Lopez de Prado (2014), *Journal of Portfolio Management* 40(5), equation 2.
    """
    deviation = excess - excess.mean()
    second = float((deviation**2).mean())
    if second <= 0:
        return None
    ratio = float(excess.mean()) / float(excess.std(ddof=1))
    skewness = float((deviation**3).mean()) / second**1.5
    kurtosis = float((deviation**4).mean()) / second**2
    variance = 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio**2
    if variance <= 0:
        return None
    return _NORMAL.cdf((ratio - threshold) * math.sqrt((excess.size - 1) / variance))
