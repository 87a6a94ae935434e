"""Fama-MacBeth: average slopes of monthly cross-sections, on signals and on betas."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.statistics.alphas import cell_sets, factor_columns
from factor_pipeline.compute.statistics.cross_sections import stock_cross_sections
from factor_pipeline.compute.statistics.joint import two_pass
from factor_pipeline.compute.statistics.regression import Floats, Regression, newey_west
from factor_pipeline.compute.statistics.series import MIN_MONTHS, MonthlySeries, number

INTERCEPT: Final = "intercept"
STOCKS: Final = "stocks"
SIZE_VALUE_MOMENTUM: Final = ("size", "book_to_market", "momentum_12_2")

SLOPE_SCHEMA = pl.Schema(
    {
        "assets": pl.String(),
        "weighting": pl.String(),
        "specification": pl.String(),
        "term": pl.String(),
        "mean": pl.Float64(),
        "t_iid": pl.Float64(),
        "t_newey_west": pl.Float64(),
        "nw_lag": pl.Int64(),
        "t_shanken": pl.Float64(),
        "months": pl.Int64(),
        "average_r2": pl.Float64(),
        "average_assets": pl.Float64(),
    }
)


def specifications(signals: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Each signal alone, and size, book-to-market and momentum together where all are there.

    References
    ----------
    Lewellen (2015), *Critical Finance Review* 4(1), model 1.
    """
    chosen: dict[str, tuple[str, ...]] = {signal: (signal,) for signal in signals}
    if set(SIZE_VALUE_MOMENTUM) <= set(signals):
        chosen["size_value_momentum"] = SIZE_VALUE_MOMENTUM
    return chosen


def signal_premia(
    stocks: pl.DataFrame, specifications: Mapping[str, Sequence[str]]
) -> pl.DataFrame:
    """Average slopes of the stocks' returns on the ranks of signals known before.

    Parameters
    ----------
    stocks, specifications
        As in `stock_cross_sections`.

    Returns
    -------
    pl.DataFrame
        Columns of ``SLOPE_SCHEMA``; one row per specification and term. ``assets`` is ``stocks``,
        ``weighting`` null: every stock counts the same. ``mean`` is the average over ``months`` of
        the monthly slopes (decimal per month): what the highest rank earned over the lowest.
        ``t_shanken`` is null: signals are known, not estimated. With fewer than 24 months the
        statistics are null; a specification without any has no rows.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.

    References
    ----------
    Fama and MacBeth (1973), *Journal of Political Economy* 81(3).
    """
    regressions = stock_cross_sections(stocks, specifications)
    return _averaged(
        _Slopes(
            STOCKS,
            None,
            name,
            (INTERCEPT, *specifications[name]),
            fit.slopes,
            fit.r2,
            fit.stocks[np.isfinite(fit.slopes[:, 0])].astype(np.float64),
        )
        for name, fit in regressions.items()
        if np.isfinite(fit.slopes).any()
    )


def risk_premia(portfolios: MonthlySeries, factors: pl.DataFrame) -> pl.DataFrame:
    """Average slopes of the cells of every sort on their betas with every factor model.

    Parameters
    ----------
    portfolios, factors
        As in `compute.statistics.alphas.alphas`; spreads are left out.

    Returns
    -------
    pl.DataFrame
        Columns of ``SLOPE_SCHEMA``; one row per sort (``assets``), ``weighting``, model
        (``specification``) and term, where there are more cells than terms and enough months.
        ``mean`` is the price of the risk (decimal per month), the ``intercept`` what an asset
        without any earns in excess of the risk-free rate; ``t_shanken`` allows for the betas being
        estimated, the other t-values do not.

    References
    ----------
    Black, Jensen and Scholes (1972); Shanken (1992), *Review of Financial Studies* 5(1).
    """
    estimates = []
    for (sort, weighting), columns in cell_sets(portfolios):
        for model in MODELS:
            series = factor_columns(factors, portfolios.month_ends, model)
            fit = two_pass(portfolios.values[:, columns], series)
            if fit is not None:
                terms = (INTERCEPT, *model.loadings)
                cells = np.full(1, float(len(columns)))
                estimates.append(
                    _Slopes(
                        sort, weighting, model.name, terms, fit.monthly, fit.r2, cells, fit.shanken
                    )
                )
    return _averaged(estimates)


@dataclass(frozen=True, slots=True)
class _Slopes:
    """Monthly slopes of one regression, shape (months, terms), and what to say beside them."""

    assets: str
    weighting: str | None
    specification: str
    terms: tuple[str, ...]
    monthly: Floats
    r2: Floats
    counts: Floats
    shanken: Floats | None = None

    def rows(self, fit: Regression, plain: Regression, at: int) -> Iterator[dict[str, object]]:
        """One row per term, whose series begin at ``at`` in the fits with and without lags."""
        months = int(fit.months[at])
        for place, term in enumerate(self.terms):
            row: dict[str, object] = {
                "assets": self.assets,
                "weighting": self.weighting,
                "specification": self.specification,
                "term": term,
                "months": months,
            }
            if months < MIN_MONTHS:
                yield row
                continue
            mean = float(fit.coefficients[at + place, 0])
            shanken = np.nan if self.shanken is None else self.shanken[place]
            # Without lags the error divides by n; the usual one has n - 1.
            t_iid = plain.t[at + place, 0] * sqrt((months - 1) / months)
            yield row | {
                "mean": mean,
                "t_iid": number(t_iid),
                "t_newey_west": number(fit.t[at + place, 0]),
                "nw_lag": int(fit.lag[at + place]),
                "t_shanken": number(mean / shanken) if shanken > 0 else None,
                "average_r2": _mean(self.r2),
                "average_assets": _mean(self.counts),
            }


def _averaged(estimates: Iterable[_Slopes]) -> pl.DataFrame:
    """Averages over months of all slopes, in one regression for all of them."""
    every = list(estimates)
    longest = max((len(slopes.monthly) for slopes in every), default=0)
    columns = [np.empty((longest, 0))]
    for slopes in every:
        below = ((0, longest - len(slopes.monthly)), (0, 0))
        columns.append(np.pad(slopes.monthly, below, constant_values=np.nan))
    table = np.column_stack(columns)
    fit, plain = newey_west(table), newey_west(table, lag=0)
    rows: list[dict[str, object]] = []
    at = 0
    for slopes in every:
        rows += slopes.rows(fit, plain, at)
        at += len(slopes.terms)
    return pl.DataFrame(rows, schema=SLOPE_SCHEMA)


def _mean(values: Floats) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None
