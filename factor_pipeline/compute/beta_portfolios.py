"""Portfolios sorted on betas, and what high against low betas earned."""

import polars as pl

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.betas.models import Model
from factor_pipeline.compute.breakpoints import DEFAULT_BREAKPOINT_RULE, BreakpointRule, breakpoints
from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.cross_section import beta_columns
from factor_pipeline.compute.portfolios import portfolio_returns
from factor_pipeline.compute.sorts import Sort, quintile_sort
from factor_pipeline.months import MonthRange


def beta_sorts(model: Model) -> tuple[Sort, ...]:
    """Monthly quintiles of each loading of ``model``, Q1 (lowest) to Q5."""
    return tuple(quintile_sort(name, "monthly") for name in beta_columns(model))


def beta_portfolio_returns(
    stocks: pl.DataFrame,
    model: Model,
    months: MonthRange,
    *,
    breakpoint_rule: BreakpointRule = DEFAULT_BREAKPOINT_RULE,
    min_stocks: int = 3,
) -> pl.DataFrame:
    """Compute returns of quintiles sorted on each loading, equally and by value weighted.

    Parameters
    ----------
    stocks
        Unique ``month_end`` (the month of the return), ``security_id`` with the ``beta_*`` of
        ``model`` as known at the end of the month BEFORE, ``ret`` (decimal),
        ``lagged_market_equity`` (currency, end of the month before; all Float64; null, NaN and
        infinite values count as missing) and ``exchange`` (String, nullable).
    model
        Whose loadings they are.
    months
        Months to give returns of.
    breakpoint_rule
        How quintile breakpoints are drawn.
    min_stocks
        Fewest stocks a return is made of; with fewer it is null.

    Returns
    -------
    pl.DataFrame
        ``model``, ``loading`` (``beta_mkt``, ...), ``cell`` (``Q1`` the lowest loadings, to ``Q5``,
        and ``Q5-Q1``), ``weighting`` (``value`` or ``equal``), ``month_end``, ``ret``, ``stocks``,
        ``missing`` and ``market_equity`` as `portfolios.portfolio_returns` gives them. Months in
        which no stock with a loading has a return are left out. Each month depends on its own rows
        alone.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month.

    References
    ----------
    Black, Jensen and Scholes (1972), *The Capital Asset Pricing Model: Some Empirical Tests*, for
    portfolios sorted on estimated betas; Daniel and Titman (1997), *Journal of Finance* 52(1), for
    sorts on the loadings of SMB and HML.
    """
    sorts = beta_sorts(model)
    cells = assignments(stocks, breakpoints(stocks, sorts, breakpoint_rule), sorts, months)
    rule = PortfolioRule(weightings=("value", "equal"), min_stocks=min_stocks)
    in_months = stocks.filter(pl.col("month_end").is_between(months.start, months.end, "left"))
    loading_of = dict(zip((sort.name for sort in sorts), beta_columns(model), strict=True))
    return (
        portfolio_returns(in_months, cells, sorts, rule)
        .filter((pl.col("stocks").sum() > 0).over("month_end"))
        .with_columns(
            pl.lit(model.name).alias("model"),
            pl.col("sort").replace_strict(loading_of, return_dtype=pl.String).alias("loading"),
        )
        .drop("sort")
    )
