"""Data quality: the rows each rule flags."""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import LIBRARY, library_vintage
from factor_pipeline.assets.quality_prices import COMPUTED_PRICE_RULES, price_flags
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.quality.filings import FILING_RULES, filing_flags
from factor_pipeline.schemas.distribution import DISTRIBUTION
from factor_pipeline.schemas.factor import COMPARISON, FACTOR_RETURN
from factor_pipeline.schemas.flag import FLAG, RULE
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.raw import (
    BENCHMARK_DAILY,
    DELISTING,
    FRENCH_RETURN,
    FUNDAMENTAL,
    INDEX_MEMBER,
    LISTING,
    MACRO,
    PRICE_DAILY,
)
from factor_pipeline.schemas.rules import DATA_RULES, RESULT_RULES, RULES
from factor_pipeline.schemas.rules.rule import Rule
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.warehouse.models import load_sql

_OF_FILE = Rows(same=("file",))
_UP_TO_THEN = Rows(same=(), where="up.month_end <= own.fault_date")


@table_asset(
    FLAG,
    reads=[
        Upstream(RULE),
        Upstream(PRICE_DAILY, rows=_OF_FILE),
        Upstream(FUNDAMENTAL, rows=_OF_FILE),
        Upstream(FRENCH_RETURN, rows=_OF_FILE),
        Upstream(INDEX_MEMBER, rows=_OF_FILE),
        Upstream(BENCHMARK_DAILY, rows=_OF_FILE),
        Upstream(BENCHMARK_DAILY, asset="etf_daily", rows=_OF_FILE),
        Upstream(MACRO, rows=_OF_FILE),
        Upstream(LISTING, rows=_OF_FILE),
        Upstream(DELISTING, rows=_OF_FILE),
    ],
    kinds=("polars", "sql"),
    scope={"stage": "data"},
)
def flag(run: Run) -> Frames:
    """Fill ``quality.flag`` with what the rules find in the raw tables."""
    lag = run.settings.panel.filing_lag_months
    computed = {*COMPUTED_PRICE_RULES, *FILING_RULES}
    models = [_of_model(run, one, lag_months=lag) for one in DATA_RULES if one.name not in computed]
    return (_flags("data", [*models, price_flags(run), _of_filings(run)]),)


@table_asset(
    FLAG,
    reads=[
        Upstream(RULE),
        Upstream(SECURITY_MONTH, rows=_UP_TO_THEN),
        Upstream(CHARACTERISTIC, rows=_UP_TO_THEN),
        Upstream(FACTOR_RETURN, rows=_UP_TO_THEN),
        replace(LIBRARY, rows=_UP_TO_THEN),
        Upstream(COMPARISON, rows=Rows(same=())),
        Upstream(BENCHMARK_DAILY, rows=Rows(same=(), where="up.date <= own.fault_date")),
        Upstream(DISTRIBUTION, rows=Rows(same=())),
    ],
    kinds=("sql",),
    scope={"stage": "results"},
)
def result_flag(run: Run) -> Frames:
    """Fill ``quality.flag`` with what the rules find in the results."""
    symbol = run.settings.benchmark.symbol
    vintage = library_vintage(run.warehouse, run.settings)
    models = [_of_model(run, one, symbol=symbol, vintage=vintage) for one in RESULT_RULES]
    return (_flags("results", models),)


def _flags(stage: str, found: Iterable[pl.DataFrame]) -> pl.DataFrame:
    columns = [pl.col(column.name).cast(column.dtype) for column in FLAG.columns]
    flagged = [
        _declared(frame).with_columns(stage=pl.lit(stage)).select(columns) for frame in found
    ]
    return pl.concat([FLAG.empty(), *flagged]).sort(FLAG.key)


def _of_model(run: Run, one: Rule, **parameters: str | int) -> pl.DataFrame:
    """Rows that ``sql/quality/<rule>.sql`` finds."""
    query = load_sql(f"quality/{one.name}")
    rows = run.warehouse.read(query, threshold=one.threshold, **parameters)
    return rows.with_columns(rule=pl.lit(one.name))


def _of_filings(run: Run) -> pl.DataFrame:
    """Rows that filings show when they are held against the ones before."""
    filings = run.warehouse.read(
        load_sql("quality/filings"), lag_months=run.settings.panel.filing_lag_months
    )
    splits = run.warehouse.read(load_sql("quality/splits"))
    thresholds = {name: RULES[name].threshold or 0.0 for name in FILING_RULES}
    return filing_flags(filings, splits, thresholds)


def _declared(found: pl.DataFrame) -> pl.DataFrame:
    """Add what the catalogue says of each row's ``rule``."""
    declared = pl.DataFrame(
        [(one.name, one.severity, one.table) for one in RULES.values()],
        schema=["rule", "severity", "table_name"],
        orient="row",
    )
    return found.join(declared, on="rule", how="left")


ASSETS = (flag, result_flag)
