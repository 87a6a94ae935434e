import polars as pl
import pytest

from factor_pipeline.checks.outside_data import macro_series, tickers
from factor_pipeline.compute.regimes.inputs import SERIES
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.warehouse.store import Warehouse
from tests.sql.small_market import ETF_CHECK, REGIME, filled


@pytest.fixture
def warehouse(tmp_path):
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse


def fill(warehouse, name, rows):
    warehouse.replace(TABLES[name], filled(TABLES[name], rows))


def macro(*names):
    day = pl.date(2020, 1, 1)
    return (
        pl.select(day.alias("date"))
        .with_columns(value=pl.lit(1.0))
        .join(pl.DataFrame({"series": names}), how="cross")
        .to_dicts()
    )


def test_missing_macro_series_are_named(warehouse):
    fill(warehouse, "raw.macro", macro("USREC", "INDPRO", "T10Y2Y", "GDP"))
    finding = macro_series(warehouse)
    assert (finding.passed, finding.failing_rows) == (False, 2)
    assert finding.observed.startswith("no regimes: CPIAUCSL, FEDFUNDS missing; set macro.source")


def test_carried_observations_are_counted(warehouse):
    fill(warehouse, "raw.macro", macro(*SERIES))
    fill(warehouse, "factor.regime", REGIME)
    finding = macro_series(warehouse)
    assert finding.passed
    assert finding.observed == "6 rows, 1 of them with observations of an earlier month"


def test_series_without_a_common_month_do_not_pass(warehouse):
    fill(warehouse, "raw.macro", macro(*SERIES))
    finding = macro_series(warehouse)
    assert not finding.passed
    assert finding.observed.startswith("no regimes: the series have no month in common")


def test_funds_without_prices_are_named(warehouse):
    fill(warehouse, "factor.etf_check", ETF_CHECK)
    finding = tickers(warehouse)
    assert (finding.passed, finding.failing_rows) == (False, 1)
    assert finding.observed == "no prices of NONE; add files or change etf.promises"


def test_known_funds_pass(warehouse):
    fill(warehouse, "factor.etf_check", ETF_CHECK[:1])
    finding = tickers(warehouse)
    assert (finding.passed, finding.observed) == (True, "1 funds, all with prices")
