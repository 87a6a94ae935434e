"""Statistics of one series of monthly returns, as the summary names them."""

import math

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.hac import hac_fit
from factor_pipeline.compute.rounding import reproducible

_YEAR = 12
# A standard deviation that is rounding, not risk.
_ZERO_DEVIATION = 1e-12

_Floats = npt.NDArray[np.float64]


def of_returns(months: pl.DataFrame, max_drawdown: float) -> dict[str, float | None]:
    """Metrics of the months of one strategy: ``net``, ``gross``, ``turnover``, ``capacity``."""
    ret = months["net"].to_numpy()
    gross = _mean(months["gross"])
    cagr = float(np.prod(1.0 + ret)) ** (_YEAR / ret.size) - 1.0
    return {
        "annual_return": _YEAR * float(ret.mean()),
        "gross_annual_return": None if gross is None else _YEAR * gross,
        "cagr": cagr,
        "volatility": deviation(ret) * math.sqrt(_YEAR),
        "return_to_risk": _per_risk(ret),
        "max_drawdown": max_drawdown,
        "calmar": cagr / -max_drawdown if max_drawdown < 0 else None,
        "best_month": float(ret.max()),
        "worst_month": float(ret.min()),
        "hit_rate": float((ret > 0).mean()),
        "average_turnover": _mean(months["turnover"]),
        "capacity": _median(months["capacity"]) if "capacity" in months.columns else None,
    }


def of_excess(excess: _Floats) -> dict[str, float | None]:
    """Metrics of returns over the risk-free rate."""
    downside = math.sqrt(float((np.minimum(excess, 0.0) ** 2).mean()))
    return {
        "sharpe": _per_risk(excess),
        "sortino": float(excess.mean()) / downside * math.sqrt(_YEAR) if downside > 0 else None,
    }


def of_active(active: _Floats) -> dict[str, float | None]:
    """Metrics of returns over the benchmark's."""
    return {
        "tracking_error": deviation(active) * math.sqrt(_YEAR),
        "information_ratio": _per_risk(active),
    }


def of_regression(excess: _Floats, market: _Floats) -> dict[str, float | None]:
    """Metrics of the regression on the benchmark, both in excess of the risk-free rate."""
    fit = hac_fit(excess, np.column_stack([np.ones(market.size), market]))
    if fit is None or deviation(market) == 0:
        return {}
    error = fit.standard_error(1.0, 0.0)
    alpha, beta = fit.coefficients.tolist()
    return {
        "beta": reproducible(beta),
        "alpha": reproducible(_YEAR * alpha),
        "alpha_t": reproducible(alpha / error) if error else None,
        "alpha_lag": fit.lag,
    }


def _mean(column: pl.Series) -> float | None:
    """Mean of a column, unless a value is missing."""
    return None if column.null_count() else float(column.to_numpy().mean())


def _median(column: pl.Series) -> float | None:
    known = column.drop_nulls().to_numpy()
    return float(np.median(known)) if known.size else None


def deviation(values: _Floats) -> float:
    """Sample standard deviation, 0 when it is rounding only."""
    spread = float(values.std(ddof=1))
    return spread if spread > _ZERO_DEVIATION * float(np.abs(values).max()) else 0.0


def _per_risk(values: _Floats) -> float | None:
    """Annualised mean over standard deviation."""
    spread = deviation(values)
    return float(values.mean()) / spread * math.sqrt(_YEAR) if spread > 0 else None
