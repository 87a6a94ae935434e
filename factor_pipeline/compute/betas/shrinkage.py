"""Shrinkage of noisy betas towards their cross-section."""

from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.windows import Floats, Integers

_ORDER: Final = ("model", "month_end", "security_id")
_FEWEST_BETAS: Final = 2


def with_shrunk_market_betas(estimates: pl.DataFrame) -> pl.DataFrame:
    r"""Add market betas shrunk towards the mean of their month (Vasicek).

    Parameters
    ----------
    estimates
        ``model, month_end, security_id`` (unique together) with ``beta_mkt`` and ``se_mkt``.

    Returns
    -------
    pl.DataFrame
        The rows ordered by model, month and security, with ``beta_mkt_shrunk``: null without a
        beta, and in months with fewer than two betas of the model.

    Notes
    -----
    .. math:: \beta^{shrunk}_i = w_i \beta_i + (1 - w_i) \bar\beta, \qquad
              w_i = 1 - \frac{s^2_{TS,i}}{s^2_{TS,i} + s^2_{XS}}

    with the squared standard error of the beta and the cross-sectional variance (n - 1) of the
    month's betas. The mean is equally weighted.

    References
    ----------
    Vasicek (1973), *A note on using cross-sectional information in Bayesian estimation of security
    betas*, Journal of Finance 28; weights as in Frazzini and Pedersen (2014), equation 15.
    """
    rows = estimates.sort(_ORDER)
    beta, error = (rows[name].fill_null(np.nan).to_numpy() for name in ("beta_mkt", "se_mkt"))
    lengths = (
        rows.group_by("model", "month_end", maintain_order=True)
        .len()["len"]
        .cast(pl.Int64)
        .to_numpy()
    )
    count = _sums(np.isfinite(beta).astype(np.float64), lengths)
    mean = _sums(beta, lengths) / np.where(count > 0, count, np.nan)
    deviations = beta - np.repeat(mean, lengths)
    spread = _sums(deviations**2, lengths) / np.where(count >= _FEWEST_BETAS, count - 1, np.nan)
    noise, signal = error**2, np.repeat(spread, lengths)
    # A beta without an error needs no help, even where all betas are equal.
    weight = np.divide(signal, noise + signal, out=np.ones(len(beta)), where=noise != 0)
    shrunk = weight * beta + (1 - weight) * np.repeat(mean, lengths)
    shrunk[~np.isfinite(signal)] = np.nan
    return rows.with_columns(pl.Series("beta_mkt_shrunk", shrunk, nan_to_null=True))


def _sums(values: Floats, lengths: Integers) -> Floats:
    """Sum runs of values, each in row order; NaN counts as 0."""
    if not len(lengths):
        return np.zeros(0)
    sums: Floats = np.add.reduceat(np.nan_to_num(values, nan=0.0), np.cumsum(lengths) - lengths)
    return sums
