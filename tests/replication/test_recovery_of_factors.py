"""Own factors against the true ones of the market their portfolios are formed in."""

from datetime import datetime

import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.assets.common import Run
from factor_pipeline.assets.factors import factor_return, library_factor
from factor_pipeline.assets.panel import book_equity, security, security_month, statement
from factor_pipeline.assets.portfolios import assignment, portfolio_return
from factor_pipeline.assets.signals import characteristic
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import parse_settings
from factor_pipeline.sources.registry import simulation_of
from factor_pipeline.sources.simulated.data_sets import data_sets_of
from factor_pipeline.sources.simulated.market import simulate_market
from factor_pipeline.sources.simulated.names import ticker_spells
from factor_pipeline.sources.simulated.truth import truth_of
from factor_pipeline.warehouse.store import Change, Warehouse

SETTINGS = parse_settings({"simulation": {"stocks": 2000, "years": 20}}, base=None)
FETCHED = datetime.fromisoformat("2026-01-01")
NEEDED = ("prices", "fundamentals", "library", "membership", "listing", "delisting")
# Two thousand stocks fit into memory a quarter of their days at a time.
MONTHS_AT_ONCE = 60

# Asked of each factor. The market is that of all stocks. The others are sorted on characteristics
# that loadings follow with noise, and bear the luck of some hundred stocks in each of six cells.
# Profitability and asset growth of last year's statements go with book-to-market: their factors
# load on value too, and correlate less with the true ones however many stocks there are.
LEAST_CORRELATION = {
    "MKT": 0.95,
    "SMB": 0.85,
    "SMB_FF5": 0.85,
    "HML": 0.85,
    "UMD": 0.85,
    "UMD_EW": 0.85,
    "RMW": 0.6,
    "CMA": 0.35,
}
TRUE_FACTOR = {"SMB_FF5": "smb", "UMD_EW": "umd"}
FACTORS = ["mkt", "smb", "hml", "rmw", "cma", "umd"]


def fill(warehouse, asset, months):
    """Fill the tables of an asset as its Dagster step does, one block of months at a time."""
    run = Run(warehouse, SETTINGS, months)
    for table, frame in zip(asset.tables, asset.build(run), strict=True):
        if asset.monthly:
            warehouse.replace_months(table, frame, months, **dict(asset.scope))
        else:
            warehouse.replace(table, frame, **dict(asset.scope))


@pytest.fixture(scope="module")
def true_and_own(tmp_path_factory):
    """True factors, and own ones by way of prices, panel, signals, sorts and portfolios."""
    warehouse = Warehouse(tmp_path_factory.mktemp("market") / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    market = simulate_market(simulation_of(SETTINGS))
    spells = ticker_spells(market)
    true = truth_of(market, spells)["factors"]
    frames = data_sets_of(market, spells)
    del market
    for name in NEEDED:
        rows = frames.pop(name).with_columns(file=pl.lit(name), known_from=FETCHED)
        warehouse.write([Change.of_files(DATA_SETS[name], rows, [])])
        del rows
    frames.clear()
    every = MonthRange(SETTINGS.start_month, SETTINGS.final_month)
    for asset in (library_factor, security, book_equity, statement):
        fill(warehouse, asset, every)
    for asset in (security_month, characteristic, assignment, portfolio_return, factor_return):
        for first in range(0, len(every), MONTHS_AT_ONCE):
            start = add_months(every.start, first)
            fill(warehouse, asset, MonthRange(start, add_months(start, MONTHS_AT_ONCE)))
    return true, warehouse.table(FACTOR_RETURN).filter(pl.col("source") == "own")


@pytest.mark.slow
@pytest.mark.parametrize("factor", LEAST_CORRELATION)
def test_own_factors_move_with_the_true_ones(true_and_own, factor):
    true, own = true_and_own
    both = own.filter(pl.col("factor") == factor).join(
        true.select("month_end", true=TRUE_FACTOR.get(factor, factor.lower())), on="month_end"
    )
    # Of 240 months; value and momentum need a year and a half of history.
    assert both.height >= 220
    correlation = both.select(pl.corr("ret", "true")).item()
    assert correlation >= LEAST_CORRELATION[factor], correlation


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "of_its_own"),
    [("SMB_FF5", "smb"), ("HML", "hml"), ("RMW", "rmw"), ("CMA", "cma"), ("UMD", "umd")],
)
def test_own_factors_load_most_on_their_true_ones(true_and_own, factor, of_its_own):
    true, own = true_and_own
    both = own.filter(pl.col("factor") == factor).join(true, on="month_end")
    fit = sm.OLS(both["ret"].to_numpy(), sm.add_constant(both.select(FACTORS).to_numpy())).fit()
    loading = dict(zip(FACTORS, fit.params[1:], strict=True))
    t = dict(zip(FACTORS, fit.tvalues[1:], strict=True))
    assert max(loading, key=lambda name: abs(loading[name])) == of_its_own, loading
    assert t[of_its_own] > 5, t


@pytest.mark.slow
def test_quality_goes_with_true_profitability_others_held_equal(true_and_own):
    true, own = true_and_own
    both = own.filter(pl.col("factor") == "QMJ").join(true, on="month_end")
    fit = sm.OLS(both["ret"].to_numpy(), sm.add_constant(both.select(FACTORS).to_numpy())).fit()
    assert fit.tvalues[1 + FACTORS.index("rmw")] > 5, fit.tvalues
