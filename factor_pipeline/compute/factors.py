"""Factor returns: differences between averages of portfolio returns."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.cell_returns import Weighting
from factor_pipeline.errors import DataError

FACTOR_SCHEMA = pl.Schema({"month_end": pl.Date(), "factor": pl.String(), "ret": pl.Float64()})

_PORTFOLIO_KEY = ("sort", "cell", "weighting", "month_end")


@dataclass(frozen=True, slots=True)
class Portfolio:
    """One cell of one sort, in one weighting."""

    sort: str
    cell: str
    weighting: Weighting = "value"


@dataclass(frozen=True, slots=True)
class Formula:
    """A factor: the mean return of the ``long`` portfolios minus that of the ``short`` ones.

    An empty ``short`` is the risk-free rate.
    """

    factor: str
    long: tuple[Portfolio, ...]
    short: tuple[Portfolio, ...]


def portfolios(sort: str, *cells: str) -> tuple[Portfolio, ...]:
    """Value-weighted portfolios of one sort."""
    return tuple(Portfolio(sort, cell) for cell in cells)


def two_by_three_formula(factor: str, sort: str, long: str, short: str) -> Formula:
    """Mean of the small and the big ``long`` portfolio minus that of the ``short`` ones."""
    return Formula(
        factor,
        portfolios(sort, f"S{long}", f"B{long}"),
        portfolios(sort, f"S{short}", f"B{short}"),
    )


_VALUE, _MOMENTUM = "size_value_2x3", "size_momentum_2x3"
_PROFITABILITY, _INVESTMENT = "size_profitability_2x3", "size_investment_2x3"
# Of each size, in the three sorts of the five-factor model: their mean is that of three SMBs.
_SMALL, _BIG = (
    (
        *portfolios(_VALUE, f"{size}V", f"{size}N", f"{size}G"),
        *portfolios(_PROFITABILITY, f"{size}R", f"{size}N", f"{size}W"),
        *portfolios(_INVESTMENT, f"{size}C", f"{size}N", f"{size}A"),
    )
    for size in "SB"
)

FORMULAS: tuple[Formula, ...] = (
    Formula("MKT", portfolios("market", "All"), ()),
    Formula("SMB", _SMALL[:3], _BIG[:3]),
    Formula("SMB_FF5", _SMALL, _BIG),
    two_by_three_formula("HML", _VALUE, "V", "G"),
    two_by_three_formula("UMD", _MOMENTUM, "H", "L"),
    # Needs no market equity, so it reaches back to where prices begin.
    Formula(
        "UMD_EW",
        (Portfolio("momentum_12_2_tercile", "High", "equal"),),
        (Portfolio("momentum_12_2_tercile", "Low", "equal"),),
    ),
    two_by_three_formula("RMW", _PROFITABILITY, "R", "W"),
    two_by_three_formula("CMA", _INVESTMENT, "C", "A"),
    two_by_three_formula("QMJ", "size_quality_2x3", "Q", "J"),
    Formula(
        "LOWVOL",
        portfolios("volatility_252d_tercile", "Low"),
        portfolios("volatility_252d_tercile", "High"),
    ),
)
"""Factors of Fama and French (1993), *Journal of Financial Economics* 33(1), Carhart (1997),
*Journal of Finance* 52(1), Fama and French (2015), *Journal of Financial Economics* 116(1), and
Asness, Frazzini and Pedersen (2019), *Review of Accounting Studies* 24(1), whose sort on quality is
within size, not beside it; low volatility by value weights. `betting_against_beta` is the one
factor that is not made of such portfolios."""


def factor_returns(
    portfolio_returns: pl.DataFrame,
    risk_free: pl.DataFrame,
    formulas: Sequence[Formula] = FORMULAS,
) -> pl.DataFrame:
    """Compute factor returns in all months of ``portfolio_returns``.

    Parameters
    ----------
    portfolio_returns
        ``sort``, ``cell``, ``weighting``, ``month_end`` (unique together) with ``ret`` (decimal;
        null, NaN and infinite values count as missing).
    risk_free
        Unique ``month_end`` with ``rf`` (decimal, return over that month; missing as above).
    formulas
        Factors to compute; names are unique.

    Returns
    -------
    pl.DataFrame
        ``month_end``, ``factor``, ``ret`` (decimal), one row per month and formula, ordered by
        month, then as given. ``ret`` is null when any portfolio of the formula, or the risk-free
        rate where it takes that, has no row or no return in the month.

    Raises
    ------
    DataError
        When a portfolio or the risk-free rate has two rows in a month.
    """
    _refuse_repeats(portfolio_returns, _PORTFOLIO_KEY, "portfolio returns")
    _refuse_repeats(risk_free, ("month_end",), "risk-free rates")
    months = portfolio_returns.select("month_end").unique().sort("month_end")
    wide = _with_returns(months, risk_free.select("month_end", ret="rf"), "risk_free")
    for portfolio in dict.fromkeys(leg for f in formulas for leg in f.long + f.short):
        rows = portfolio_returns.filter(
            pl.col("sort") == portfolio.sort,
            pl.col("cell") == portfolio.cell,
            pl.col("weighting") == portfolio.weighting,
        )
        wide = _with_returns(wide, rows, _column(portfolio))
    parts = [pl.DataFrame(schema=FACTOR_SCHEMA)]
    for formula in formulas:
        short = _mean(wide, formula.short) if formula.short else wide["risk_free"].to_numpy()
        ret = pl.Series(_mean(wide, formula.long) - short).fill_nan(None)
        parts.append(wide.select("month_end", factor=pl.lit(formula.factor), ret=ret))
    return pl.concat(parts).sort("month_end", maintain_order=True)


def stocks_behind(
    portfolio_returns: pl.DataFrame, formulas: Sequence[Formula] = FORMULAS
) -> pl.DataFrame:
    """Count the stocks that factors are made of.

    Parameters
    ----------
    portfolio_returns
        As in `factor_returns`, with ``stocks``.
    formulas
        Factors to count for.

    Returns
    -------
    pl.DataFrame
        ``month_end``, ``factor``, ``stocks`` in the portfolios of the factor, of the sort with the
        fewest where it is made of several; rows of the months in which a portfolio has one.
    """
    legs = pl.DataFrame(
        [
            (formula.factor, leg.sort, leg.cell, leg.weighting)
            for formula in formulas
            for leg in (*formula.long, *formula.short)
        ],
        schema=["factor", "sort", "cell", "weighting"],
        orient="row",
    )
    by_sort = (
        portfolio_returns.join(legs, on=["sort", "cell", "weighting"])
        .group_by("month_end", "factor", "sort")
        .agg(pl.col("stocks").sum())
    )
    counts = by_sort.group_by("month_end", "factor").agg(pl.col("stocks").min())
    return counts.sort("month_end", "factor")


def _refuse_repeats(frame: pl.DataFrame, key: Sequence[str], name: str) -> None:
    if frame.select(key).is_duplicated().any():
        raise DataError(f"{name} repeat a row of the same {', '.join(key)}; keep one of each")


def _with_returns(wide: pl.DataFrame, rows: pl.DataFrame, name: str) -> pl.DataFrame:
    finite = pl.when(pl.col("ret").is_finite()).then("ret").alias(name)
    returns = rows.select("month_end", finite)
    return wide.join(returns, on="month_end", how="left", maintain_order="left")


def _column(portfolio: Portfolio) -> str:
    return f"{portfolio.sort}/{portfolio.cell}/{portfolio.weighting}"


def _mean(wide: pl.DataFrame, leg: Sequence[Portfolio]) -> NDArray[np.float64]:
    """Mean over the portfolios of each month, shape (months,); NaN where one is missing.

    In NumPy, whose division is one: Polars multiplies a column by the reciprocal of a constant,
    but divides in a frame of one row, so that a month alone would differ from a range by a bit.
    """
    # Written out: the order of the sum is the formula's.
    returns = [wide[_column(portfolio)].to_numpy() for portfolio in leg]
    mean: NDArray[np.float64] = reduce(add, returns) / len(returns)
    return mean
