"""Premia under other choices of method: how much of a factor is its construction."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, fields, replace
from functools import reduce
from math import fsum
from operator import add
from statistics import median, stdev
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.compute.breakpoints import breakpoints
from factor_pipeline.compute.cell_returns import (
    Floats,
    Grid,
    PortfolioRule,
    cell_returns,
    holdings,
)
from factor_pipeline.compute.cells import SortedStocks
from factor_pipeline.compute.comparison import regression
from factor_pipeline.compute.delisting import Imputation, ret_under
from factor_pipeline.compute.factors import FORMULAS, Formula, Portfolio
from factor_pipeline.compute.hac import hac_fit
from factor_pipeline.compute.methods import (
    FAMILIES,
    IMPUTATIONS,
    QUANTILES,
    Choices,
    Family,
    Method,
)
from factor_pipeline.compute.performance import MIN_MONTHS
from factor_pipeline.compute.sorts import Sort, two_by_three
from factor_pipeline.months import MonthRange

_YEAR: Final = 12


METHOD_VARIANT_SCHEMA = pl.Schema(
    {
        "factor": pl.String(),
        **{field.name: pl.String() for field in fields(Choices)},
        "is_default": pl.Boolean(),
        "months": pl.Int64(),
        "annual_mean": pl.Float64(),
        "standard_error": pl.Float64(),
        "t": pl.Float64(),
        "hac_lag": pl.Int64(),
        "correlation": pl.Float64(),
    }
)
METHOD_SPREAD_SCHEMA = pl.Schema(
    {
        "factor": pl.String(),
        "variants": pl.Int64(),
        "default_premium": pl.Float64(),
        "minimum": pl.Float64(),
        "median": pl.Float64(),
        "maximum": pl.Float64(),
        "deviation_between": pl.Float64(),
        "error_within": pl.Float64(),
    }
)


def method_variants(
    stocks: pl.DataFrame, delisted: pl.DataFrame, months: MonthRange, method: Method
) -> pl.DataFrame:
    """Compute the premium of each factor under each of its variants.

    Parameters
    ----------
    stocks
        As for `breakpoints`, `assignments` and `portfolio_returns` together, with the signals of
        ``FAMILIES``; ``ret`` is made with ``method.delisting_return``.
    delisted
        Unique ``security_id``, ``month_end`` of months that end in a delisting nobody reports a
        return of, with what `ret_under` reads.
    months
        Months to take returns of.
    method
        The method of the settings.

    Returns
    -------
    pl.DataFrame
        ``METHOD_VARIANT_SCHEMA`` ordered by factor as in ``FAMILIES`` and by variant. Statistics
        are over the ``months`` in which both the variant and the default have a return;
        ``annual_mean`` (decimal per year, 12 times the mean), its Newey-West ``standard_error``
        and ``t``, and ``correlation`` with the default are null with fewer than twelve.
        The default is the factor of ``factor.factor_return``.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.

    References
    ----------
    Soebhag, van Vliet and Verwijmeren (2024), *Journal of Empirical Finance* 78; Menkveld et al.
    (2024), *Journal of Finance* 79(3).
    """
    returns = _with_returns_under(stocks, delisted, method.delisting_return)
    chosen = {family: tuple(method.variants(family)) for family in FAMILIES}
    sorts = {choices.sort: choices.quantile for every in chosen.values() for choices in every}
    cuts = pl.concat(
        breakpoints(
            stocks,
            [sort for sort, of_sort in sorts.items() if of_sort == quantile],
            replace(method.breakpoint_rule, quantile=quantile),
        )
        for quantile in QUANTILES
    )
    columns = ("exchange", "lagged_market_equity", *map(_column, IMPUTATIONS))
    # One pass over the stocks serves all sorts; weights and returns differ in sums only.
    market = SortedStocks.of(returns, tuple(sorts), months, columns)
    rows: list[dict[str, object]] = []
    for family, variants in chosen.items():
        portfolios = _portfolios(market, cuts, variants, method.portfolio_rule)
        for factor in family.factors:
            (formula,) = (formula for formula in FORMULAS if formula.factor == factor)
            of_factor = {v: _factor(portfolios[v], formula, method, family) for v in variants}
            rows += _statistics(factor, of_factor, method.default(family))
    return pl.DataFrame(rows, schema=METHOD_VARIANT_SCHEMA)


def method_spread(variants: pl.DataFrame) -> pl.DataFrame:
    """How far the premium of each factor depends on the method.

    Parameters
    ----------
    variants
        As `method_variants` gives them.

    Returns
    -------
    pl.DataFrame
        ``METHOD_SPREAD_SCHEMA``, one row per factor, over its ``variants`` with a premium:
        ``minimum``, ``median`` and ``maximum`` of ``annual_mean``, its standard deviation
        ``deviation_between`` variants, and ``error_within``, the mean of their standard errors;
        null with fewer than two variants.
    """
    rows = []
    for (factor,), of_factor in variants.group_by("factor", maintain_order=True):
        known = of_factor.drop_nulls(["annual_mean", "standard_error"])
        row: dict[str, object] = {"factor": factor, "variants": known.height}
        premia, errors = known["annual_mean"].to_list(), known["standard_error"].to_list()
        default = of_factor.filter("is_default")["annual_mean"]
        row["default_premium"] = default.item() if len(default) else None
        if known.height > 1:
            row |= {
                "minimum": min(premia),
                "median": median(premia),
                "maximum": max(premia),
                "deviation_between": stdev(premia),
                "error_within": fsum(errors) / len(errors),
            }
        rows.append(row)
    return pl.DataFrame(rows, schema=METHOD_SPREAD_SCHEMA)


def _column(imputation: Imputation) -> str:
    return f"ret {imputation}"


def _with_returns_under(
    stocks: pl.DataFrame, delisted: pl.DataFrame, made_with: Imputation
) -> pl.DataFrame:
    """Add a column of returns for each imputation; that of the settings is ``ret`` itself."""
    other = [imputation for imputation in IMPUTATIONS if imputation != made_with]
    again = delisted.select(
        "security_id",
        "month_end",
        pl.lit(value=True).alias("again"),
        **{_column(imputation): ret_under(imputation) for imputation in other},
    )
    joined = stocks.join(again, on=["security_id", "month_end"], how="left", maintain_order="left")
    return joined.with_columns(
        pl.col("ret").alias(_column(made_with)),
        *(
            pl.when(pl.col("again"))
            .then(_column(imputation))
            .otherwise("ret")
            .alias(_column(imputation))
            for imputation in other
        ),
    )


def _portfolios(
    market: SortedStocks, cuts: pl.DataFrame, variants: Sequence[Choices], rule: PortfolioRule
) -> dict[Choices, Floats]:
    """Give the returns of each variant's six portfolios, shape (months, 6); NaN where missing."""
    held = {
        (weighting, imputation): holding
        for imputation in IMPUTATIONS
        for weighting, holding in holdings(market.current, rule, ret=_column(imputation)).items()
    }
    by_sort: dict[Sort, list[Choices]] = {}
    for choices in variants:
        by_sort.setdefault(choices.sort, []).append(choices)
    found: dict[Choices, Floats] = {}
    for sort, of_sort in by_sort.items():
        grid = Grid.of(market.current, market.cells(sort, cuts), sort)
        wanted = [held[choices.weighting, choices.delisting_return] for choices in of_sort]
        columns = cell_returns(grid, wanted, min_stocks=rule.min_stocks)
        found |= {choices: column["ret"] for choices, column in zip(of_sort, columns, strict=True)}
    return found


def _factor(cells: Floats, formula: Formula, method: Method, family: Family) -> Floats:
    """Return of the factor in each month, shape (months,), as `factor_returns` computes it."""
    names = method.default(family).sort.cells
    sort = two_by_three(family.signals[0], family.rebalances[0]).name

    def mean(leg: Sequence[Portfolio]) -> Floats:
        of_leg = [cells[:, names.index(p.cell)] for p in leg if p.sort == sort]
        total: Floats = reduce(add, of_leg)
        return total / len(of_leg)

    return mean(formula.long) - mean(formula.short)


def _statistics(
    factor: str, returns: Mapping[Choices, Floats], default: Choices
) -> Iterator[dict[str, object]]:
    names = [field.name for field in fields(Choices)]
    of_default = returns[default]
    for choices, ret in returns.items():
        both = ~(np.isnan(ret) | np.isnan(of_default))
        row: dict[str, object] = dict(zip(names, astuple(choices), strict=True))
        row |= {"factor": factor, "is_default": choices == default, "months": int(both.sum())}
        if both.sum() >= MIN_MONTHS:
            row |= _premium(ret[both])
            agreement = regression(own=ret[both].tolist(), library=of_default[both].tolist())
            row["correlation"] = agreement.get("correlation")
        yield row


def _premium(ret: Floats) -> dict[str, object]:
    mean = _YEAR * (fsum(ret.tolist()) / len(ret))
    fit = hac_fit(ret, np.ones((len(ret), 1)))
    error = fit.standard_error(1.0) if fit else None
    if fit is None or error is None:
        return {"annual_mean": mean}
    annual_error = _YEAR * error
    return {
        "annual_mean": mean,
        "standard_error": annual_error,
        "t": mean / annual_error,
        "hac_lag": fit.lag,
    }
