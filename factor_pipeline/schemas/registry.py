"""All tables, in the order data flow through them."""

from factor_pipeline.schemas import truth
from factor_pipeline.schemas.backtest import (
    BACKTEST_RETURN,
    DAILY_VALUE,
    DRAWDOWN,
    HOLDING,
    ILLUSTRATION,
    LEDGER,
    SUMMARY,
)
from factor_pipeline.schemas.backtest import CORRELATION as STRATEGY_CORRELATION
from factor_pipeline.schemas.distribution import DISTRIBUTION
from factor_pipeline.schemas.factor import COMPARISON, FACTOR_RETURN, VINTAGE_DRIFT
from factor_pipeline.schemas.factor_etf import ETF_CHECK, ETF_LOADING
from factor_pipeline.schemas.factor_method import METHOD_SPREAD, METHOD_VARIANT
from factor_pipeline.schemas.factor_regime import REGIME, REGIME_CLAIM, REGIME_PERFORMANCE
from factor_pipeline.schemas.flag import FLAG, RULE
from factor_pipeline.schemas.panel import (
    BOOK_EQUITY,
    INDEX_COVERAGE,
    PRICE_CHECK,
    SECURITY,
    SECURITY_MONTH,
    STATEMENT,
)
from factor_pipeline.schemas.portfolio import ASSIGNMENT, BREAKPOINT, PORTFOLIO_RETURN
from factor_pipeline.schemas.quality import BUILD, CHECK_RESULT, FRESHNESS, PENDING, QUARANTINE
from factor_pipeline.schemas.raw import (
    BENCHMARK_DAILY,
    DELISTING,
    FRENCH_RETURN,
    FUNDAMENTAL,
    INDEX_MEMBER,
    INGEST_LOG,
    LISTING,
    MACRO,
    PRICE_DAILY,
)
from factor_pipeline.schemas.raw_history import HISTORY, SNAPSHOT, VINTAGE_DIFF
from factor_pipeline.schemas.risk import (
    BETA_PORTFOLIO_RETURN,
    DAILY_BETA,
    EXPOSURE,
    MARKET_BETA,
    ROLLING_BETA,
    TILT,
)
from factor_pipeline.schemas.signal import CHARACTERISTIC, DEFINITION
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
from factor_pipeline.schemas.strategy_exposure import EXPOSURE as STRATEGY_EXPOSURE
from factor_pipeline.schemas.strategy_exposure import LOADING
from factor_pipeline.schemas.table import Table

RAW_TABLES = (
    PRICE_DAILY,
    FUNDAMENTAL,
    FRENCH_RETURN,
    INDEX_MEMBER,
    BENCHMARK_DAILY,
    MACRO,
    LISTING,
    DELISTING,
    INGEST_LOG,
    SNAPSHOT,
)
HISTORY_TABLES = tuple(HISTORY.values())
DERIVED_TABLES = (
    RULE,
    FLAG,
    SECURITY,
    BOOK_EQUITY,
    STATEMENT,
    SECURITY_MONTH,
    PRICE_CHECK,
    INDEX_COVERAGE,
    ROLLING_BETA,
    EXPOSURE,
    TILT,
    BETA_PORTFOLIO_RETURN,
    DAILY_BETA,
    MARKET_BETA,
    CHARACTERISTIC,
    DEFINITION,
    INFORMATION_COEFFICIENT,
    INFORMATION_SUMMARY,
    BREAKPOINT,
    ASSIGNMENT,
    PORTFOLIO_RETURN,
    SPREAD_STATISTICS,
    FACTOR_RETURN,
    VINTAGE_DRIFT,
    COMPARISON,
    DISTRIBUTION,
    METHOD_VARIANT,
    METHOD_SPREAD,
    REGIME,
    REGIME_PERFORMANCE,
    REGIME_CLAIM,
    ETF_LOADING,
    ETF_CHECK,
    STATISTICS,
    CORRELATION,
    ROLLING_MEAN,
    SPANNING,
    ALPHA,
    GRS,
    FAMA_MACBETH,
    HOLDING,
    BACKTEST_RETURN,
    LEDGER,
    DAILY_VALUE,
    SUMMARY,
    DRAWDOWN,
    STRATEGY_EXPOSURE,
    LOADING,
    STRATEGY_CORRELATION,
    ILLUSTRATION,
)
TRUTH_TABLES = (
    truth.MARKET,
    truth.BETA,
    truth.SECURITY_RETURN,
    truth.FACTOR_RETURN,
    truth.PREMIUM,
    truth.DELISTING,
)
"""Filled, checked and published only where all data are simulated; no other table reads them."""

PUBLISHED_TABLES = (
    *RAW_TABLES,
    *HISTORY_TABLES,
    *DERIVED_TABLES,
    QUARANTINE,
    FRESHNESS,
    VINTAGE_DIFF,
    CHECK_RESULT,
    BUILD,
)
TABLES: dict[str, Table] = {
    table.qualified_name: table for table in (*PUBLISHED_TABLES, *TRUTH_TABLES, PENDING)
}


def checked_tables(*, simulated: bool) -> tuple[Table, ...]:
    """Tables that are held against their schemas; truth is known of simulated data only."""
    return (*DERIVED_TABLES, *TRUTH_TABLES) if simulated else DERIVED_TABLES


def published_tables(*, simulated: bool) -> tuple[Table, ...]:
    """Tables of the published file; truth is known of simulated data only."""
    return (*PUBLISHED_TABLES, *TRUTH_TABLES) if simulated else PUBLISHED_TABLES
