"""What each factor returned in each regime, and whether that differs from the other months."""

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.hac import hac_fit
from factor_pipeline.compute.performance import MIN_MONTHS
from factor_pipeline.compute.regimes.rule import REGIMES

PERFORMANCE_SCHEMA = pl.Schema(
    {
        "factor": pl.String(),
        "source": pl.String(),
        "vintage": pl.String(),
        "variant": pl.String(),
        "regime": pl.String(),
        "months": pl.Int64(),
        "other_months": pl.Int64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "mean": pl.Float64(),
        "annual_mean": pl.Float64(),
        "volatility": pl.Float64(),
        "t": pl.Float64(),
        "difference": pl.Float64(),
        "difference_t": pl.Float64(),
        "hac_lag": pl.Int64(),
    }
)

_YEAR: Final = 12
_SERIES: Final = ("factor", "source", "vintage")


def regime_performance(returns: pl.DataFrame, regimes: pl.DataFrame) -> pl.DataFrame:
    r"""Statistics of factor returns by regime.

    Parameters
    ----------
    returns
        Unique ``factor``, ``source``, ``vintage`` (null for own factors), ``month_end`` with
        ``ret`` (decimal; null when missing).
    regimes
        Unique ``month_end``, ``variant`` with ``regime`` (null when it is not known).

    Returns
    -------
    pl.DataFrame
        ``PERFORMANCE_SCHEMA``, one row per series, variant and regime, ordered by them; none
        of a variant without regimes. A month counts where the return and the regime are known;
        ``first_month`` and ``last_month`` are those of all such months. ``mean`` (decimal per
        month), ``annual_mean`` (12 times it) and ``volatility`` (decimal per year) are null with
        fewer than 12 months in the regime; ``t``, ``difference`` (mean of the regime less that of
        the other months) and ``difference_t`` also with fewer than 12 others.

    Notes
    -----
    With :math:`d_t` 1 in the regime and 0 elsewhere,

    .. math:: r_t = a + b \, d_t + e_t

    gives the mean of the regime as :math:`a + b` and the difference as :math:`b`; both t are of
    the Newey-West covariance over all months in the order of time (Newey and West 1987,
    *Econometrica* 55(3)).
    """
    known = regimes.filter(pl.col("regime").is_not_null())
    rows: list[dict[str, object]] = []
    for variant in known["variant"].unique().sort():
        months = known.filter(pl.col("variant") == variant).select("month_end", "regime")
        joined = (
            returns.with_columns(pl.when(pl.col("ret").is_finite()).then("ret").alias("ret"))
            .join(months, on="month_end", how="left")
            .sort(*_SERIES, "month_end")
        )
        for key, series in joined.group_by(_SERIES, maintain_order=True):
            sample = series.drop_nulls(["ret", "regime"])
            named = dict(zip(_SERIES, key, strict=True)) | {"variant": variant}
            rows += [named | {"regime": name} | _statistics(sample, name) for name in REGIMES]
    return pl.DataFrame(rows, schema=PERFORMANCE_SCHEMA).sort(*_SERIES, "variant", "regime")


def _statistics(sample: pl.DataFrame, regime: str) -> dict[str, object]:
    ret = sample["ret"].to_numpy()
    inside = (sample["regime"] == regime).to_numpy()
    months, others = int(inside.sum()), int((~inside).sum())
    row: dict[str, object] = {
        "months": months,
        "other_months": others,
        "first_month": sample["month_end"].min(),
        "last_month": sample["month_end"].max(),
    }
    if months < MIN_MONTHS:
        return row
    mean = float(ret[inside].mean())
    row |= {
        "mean": mean,
        "annual_mean": _YEAR * mean,
        "volatility": float(ret[inside].std(ddof=1)) * _YEAR**0.5,
    }
    return row if others < MIN_MONTHS else row | _inference(ret, inside, mean)


def _inference(
    ret: NDArray[np.float64], inside: NDArray[np.bool_], mean: float
) -> dict[str, object]:
    difference = mean - float(ret[~inside].mean())
    fit = hac_fit(ret, np.column_stack([np.ones(ret.size), inside.astype(np.float64)]))
    if fit is None:
        return {"difference": difference}
    return {
        "t": _ratio(mean, fit.standard_error(1.0, 1.0)),
        "difference": difference,
        "difference_t": _ratio(difference, fit.standard_error(0.0, 1.0)),
        "hac_lag": fit.lag,
    }


def _ratio(estimate: float, error: float | None) -> float | None:
    return None if error is None else estimate / error
