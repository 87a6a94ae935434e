"""Statistics: what factors, signals and spreads are evidence of; recomputed over all months."""

from dataclasses import replace

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY, MODEL_FACTORS, library_vintage
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.rounding import reproducible_columns
from factor_pipeline.compute.statistics.alphas import IS_SPREAD, alphas, excess_series, grs_tests
from factor_pipeline.compute.statistics.correlation import correlations
from factor_pipeline.compute.statistics.description import describe
from factor_pipeline.compute.statistics.fama_macbeth import (
    risk_premia,
    signal_premia,
    specifications,
)
from factor_pipeline.compute.statistics.information import (
    information_coefficients,
    information_summary,
)
from factor_pipeline.compute.statistics.rolling import ROLLING_MONTHS, rolling_means
from factor_pipeline.compute.statistics.spanning import spanning as span
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.portfolio import PORTFOLIO_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.signal_definitions import SIGNAL_COLUMNS
from factor_pipeline.schemas.statistics import (
    ALPHA,
    CORRELATION,
    FAMA_MACBETH,
    GRS,
    INFORMATION_COEFFICIENT,
    INFORMATION_SUMMARY,
    ROLLING_MEAN,
    SPANNING,
    SPREAD_STATISTICS,
    STATISTICS,
)
from factor_pipeline.warehouse.models import load_sql

_FACTOR_KEY = ("source", "vintage", "factor")
# A rate, not the return of a portfolio that costs nothing.
_RISK_FREE = "RF"
_WINDOW = ROLLING_MONTHS - 1
_OF_ONE_FACTOR = (STATISTICS, ROLLING_MEAN)
_BESIDE_OTHERS = Rows(same=("source", "vintage"))
_OF_STOCKS = Rows(where="own.assets = 'stocks'")
_OF_SPECIFICATION = MODEL_FACTORS.rows.where.replace("own.model", "own.specification")


def stocks_with_signals(run: Run) -> pl.DataFrame:
    """All signals, and the returns of the months they are known before."""
    return run.warehouse.read_months(load_sql("signal/signals_and_returns"), run.months)


def model_factors(run: Run) -> pl.DataFrame:
    """Factors of all models and the risk-free rate, of the library vintage in use."""
    return run.warehouse.read_months(
        load_sql("risk/factors"),
        run.months,
        source="library",
        vintage=library_vintage(run.warehouse, run.settings),
    )


@table_asset(
    INFORMATION_COEFFICIENT,
    INFORMATION_SUMMARY,
    reads=[
        Upstream(CHARACTERISTIC, into=(INFORMATION_COEFFICIENT,)),
        Upstream(SECURITY_MONTH, into=(INFORMATION_COEFFICIENT,)),
    ],
    links=[Upstream(INFORMATION_COEFFICIENT, into=(INFORMATION_SUMMARY,))],
    kinds=("polars", "sql"),
)
def information_coefficient(run: Run) -> Frames:
    """Fill the information coefficients of every signal and their summary."""
    coefficients = information_coefficients(stocks_with_signals(run), SIGNAL_COLUMNS)
    return coefficients, reproducible_columns(information_summary(coefficients))


@table_asset(SPREAD_STATISTICS, reads=[Upstream(PORTFOLIO_RETURN)], kinds=("polars", "sql"))
def spread_statistics(run: Run) -> Frames:
    """Fill ``portfolio.spread_statistics``."""
    spreads = run.warehouse.read(load_sql("portfolio/portfolio_returns")).filter(IS_SPREAD)
    described = describe(spreads, ("sort", "cell", "weighting"), ("weighting",))
    return (reproducible_columns(described),)


@table_asset(
    STATISTICS,
    CORRELATION,
    ROLLING_MEAN,
    SPANNING,
    reads=[
        Upstream(FACTOR_RETURN, back=_WINDOW, into=_OF_ONE_FACTOR),
        replace(LIBRARY, back=_WINDOW, into=_OF_ONE_FACTOR),
    ],
    links=[
        replace(factors, rows=_BESIDE_OTHERS, into=(CORRELATION, SPANNING))
        for factors in (Upstream(FACTOR_RETURN), LIBRARY)
    ],
)
def statistics(run: Run) -> Frames:
    """Fill what is said of factors by themselves and beside each other."""
    returns = run.warehouse.table(FACTOR_RETURN).filter(pl.col("factor") != _RISK_FREE)
    frames = (
        describe(returns, _FACTOR_KEY, ("source", "vintage")),
        correlations(returns),
        rolling_means(returns, _FACTOR_KEY),
        span(returns),
    )
    return tuple(reproducible_columns(frame) for frame in frames)


@table_asset(
    ALPHA,
    GRS,
    reads=[Upstream(PORTFOLIO_RETURN), MODEL_FACTORS],
    kinds=("polars", "sql"),
)
def alpha(run: Run) -> Frames:
    """Fill the alphas of all portfolios on all models and the tests that they are zero."""
    factors = model_factors(run)
    portfolios = excess_series(run.warehouse.read(load_sql("portfolio/portfolio_returns")), factors)
    frames = alphas(portfolios, factors), grs_tests(portfolios, factors)
    return tuple(reproducible_columns(frame) for frame in frames)


@table_asset(
    FAMA_MACBETH,
    reads=[
        Upstream(CHARACTERISTIC, rows=_OF_STOCKS),
        Upstream(SECURITY_MONTH, rows=_OF_STOCKS),
        Upstream(PORTFOLIO_RETURN, rows=Rows(where="up.sort = own.assets")),
        replace(LIBRARY, rows=Rows(same=(), where=_OF_SPECIFICATION)),
    ],
    kinds=("polars", "sql"),
)
def fama_macbeth(run: Run) -> Frames:
    """Fill ``factor.fama_macbeth``: on signals for stocks, on betas for the cells of sorts."""
    factors = model_factors(run)
    portfolios = excess_series(run.warehouse.read(load_sql("portfolio/portfolio_returns")), factors)
    of_signals = signal_premia(stocks_with_signals(run), specifications(SIGNAL_COLUMNS))
    return (reproducible_columns(pl.concat([of_signals, risk_premia(portfolios, factors)])),)


ASSETS = (information_coefficient, spread_statistics, statistics, alpha, fama_macbeth)
