"""How close our own factors are to those of a factor library."""

from math import fsum, sqrt

import polars as pl

COMPARISON_SCHEMA = pl.Schema(
    {
        "factor": pl.String(),
        "vintage": pl.String(),
        "months": pl.Int64(),
        "first_month": pl.Date(),
        "last_month": pl.Date(),
        "stocks": pl.Float64(),
        "correlation": pl.Float64(),
        "slope": pl.Float64(),
        "intercept": pl.Float64(),
        "r2": pl.Float64(),
        "mean_difference": pl.Float64(),
    }
)

_MIN_MONTHS = 24


def comparison(own: pl.DataFrame, library: pl.DataFrame) -> pl.DataFrame:
    r"""Agreement of own and library factors over the months both have.

    Parameters
    ----------
    own
        Unique ``month_end``, ``factor`` with ``ret`` (decimal; null when missing) and ``stocks``
        it is made of. A factor without any return has rows all the same to be reported.
    library
        Unique ``month_end``, ``factor``, ``vintage`` with ``ret`` (decimal; null when missing).
        Vintages of a library differ in most months: each is compared on its own.

    Returns
    -------
    pl.DataFrame
        One row per factor in both frames and vintage, ordered by them: ``months`` (common months),
        ``first_month`` and ``last_month`` of them and mean ``stocks`` (null when there are none),
        ``correlation``,
        ``slope`` and ``intercept`` (decimal per month) of the regression of own on library
        returns, its ``r2``, and ``mean_difference`` (own minus library, decimal per month). The
        statistics are null with fewer than 24 common months; ``slope``, ``intercept``,
        ``correlation`` and ``r2`` also when the library's returns, the latter two when ours, are
        all equal.

    Notes
    -----
    .. math:: r^{own}_t = a + b \, r^{library}_t + e_t
    """
    theirs = library.select("month_end", "factor", "vintage", "ret")
    pairs = theirs.filter(pl.col("factor").is_in(own["factor"].unique().implode())).join(
        own.select("month_end", "factor", "stocks", own="ret"),
        on=("month_end", "factor"),
        how="left",
    )
    rows = [
        {"factor": factor, "vintage": vintage}
        | _agreement(pair.filter(pl.col("ret").is_finite(), pl.col("own").is_finite()))
        for (factor, vintage), pair in pairs.sort("factor", "vintage", "month_end").group_by(
            "factor", "vintage", maintain_order=True
        )
    ]
    return pl.DataFrame(rows, schema=COMPARISON_SCHEMA)


def _agreement(pair: pl.DataFrame) -> dict[str, object]:
    """Statistics of the complete months of one factor."""
    months = pair["month_end"]
    window: dict[str, object] = {
        "months": len(months),
        "first_month": months.min(),
        "last_month": months.max(),
        "stocks": fsum(pair["stocks"]) / len(months) if len(months) else None,
    }
    if len(months) < _MIN_MONTHS:
        return window
    return window | regression(own=pair["own"].to_list(), library=pair["ret"].to_list())


def regression(own: list[float], library: list[float]) -> dict[str, float]:
    """Regress ``own`` on ``library`` returns of the same months.

    Returns
    -------
    dict
        ``mean_difference``; ``slope`` and ``intercept`` unless all ``library`` returns are equal;
        ``correlation`` and ``r2`` unless all of a side are. Sums are exact but for one rounding.
    """
    own_mean, library_mean = fsum(own) / len(own), fsum(library) / len(library)
    own_variation = _variation(own, own, own_mean, own_mean)
    library_variation = _variation(library, library, library_mean, library_mean)
    common_variation = _variation(own, library, own_mean, library_mean)
    statistics = {"mean_difference": own_mean - library_mean}
    if library_variation > 0:
        slope = common_variation / library_variation
        statistics |= {"slope": slope, "intercept": own_mean - slope * library_mean}
        if own_variation > 0:
            # Rounding can carry two equal series a bit beyond 1.
            correlation = common_variation / sqrt(own_variation) / sqrt(library_variation)
            correlation = max(-1.0, min(1.0, correlation))
            statistics |= {"correlation": correlation, "r2": correlation**2}
    return statistics


def _variation(left: list[float], right: list[float], left_mean: float, right_mean: float) -> float:
    """Sum of the products of deviations; exactly 0 when all values of a side are equal."""
    if min(left) == max(left) or min(right) == max(right):
        return 0.0
    # fsum rounds once, at the end: the order of months changes no bit.
    return fsum((a - left_mean) * (b - right_mean) for a, b in zip(left, right, strict=True))
