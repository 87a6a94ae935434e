"""The statistics assets and their check on a work file of a few portfolios and stocks."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from factor_pipeline.assets import statistics as assets
from factor_pipeline.assets.common import Run, all_months
from factor_pipeline.checks import statistics as checks
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.portfolio import PORTFOLIO_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.statistics import ALPHA
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.test_betas_in_the_warehouse import factor_rows, padded

MONTHS = MonthRange.of_months(date(2000, 1, 1), date(2006, 12, 1))
ENDS = pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True).dt.month_end()
CELLS = {"Low": 0.7, "Mid": 1.0, "High": 1.3}
STOCKS = 40
SIMULATION = {"start": "2000-01", "years": 7}
SETTINGS = parse_settings({"simulation": SIMULATION}, base=Path())


def portfolio_rows(market: np.ndarray) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    cells = {
        cell: beta * market + rng.normal(0.002, 0.01, len(ENDS)) for cell, beta in CELLS.items()
    }
    cells["High-Low"] = cells["High"] - cells["Low"]
    return pl.concat(
        pl.DataFrame({"month_end": ENDS, "ret": ret}).with_columns(
            sort=pl.lit("size_tercile"), cell=pl.lit(cell), weighting=pl.lit(weighting)
        )
        for cell, ret in cells.items()
        for weighting in ("value", "equal")
    )


def stock_rows() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Returns, and signals of the same months and of the one after the last."""
    rng = np.random.default_rng(6)
    grid = pl.DataFrame({"month_end": ENDS}).join(
        pl.DataFrame({"security_id": range(STOCKS)}), how="cross"
    )
    panel = grid.with_columns(ret=pl.Series(rng.normal(0.01, 0.08, grid.height)))
    after = grid.tail(STOCKS).with_columns(month_end=pl.lit(date(2007, 1, 31)))
    signals = pl.concat([grid, after])
    return panel, signals.with_columns(size=pl.Series(rng.lognormal(5, 1, signals.height)))


@pytest.fixture
def warehouse(tmp_path) -> Warehouse:
    store = Warehouse(tmp_path / "warehouse.duckdb")
    store.prepare([SECURITY_MONTH, CHARACTERISTIC, PORTFOLIO_RETURN, FACTOR_RETURN, ALPHA])
    library = factor_rows("library", "200612", 2)
    own = factor_rows("own", None, 3, ("MKT", "SMB", "HML", "UMD"))
    store.replace(FACTOR_RETURN, pl.concat([library, own]))
    market = library.filter(factor="MKT")["ret"].to_numpy()
    store.replace(PORTFOLIO_RETURN, padded(PORTFOLIO_RETURN, portfolio_rows(market)))
    panel, signals = stock_rows()
    store.replace(SECURITY_MONTH, padded(SECURITY_MONTH, panel))
    store.replace(CHARACTERISTIC, padded(CHARACTERISTIC, signals))
    return store


def built(warehouse: Warehouse, asset, settings: Settings = SETTINGS) -> list[pl.DataFrame]:
    frames = asset.build(Run(warehouse, settings, MONTHS))
    return [conformed(table, frame) for table, frame in zip(asset.tables, frames, strict=True)]


@pytest.mark.parametrize("asset", assets.ASSETS, ids=lambda asset: asset.name)
def test_every_asset_gives_the_rows_it_declares(warehouse, asset):
    for table, frame in zip(asset.tables, built(warehouse, asset), strict=True):
        assert not frame.is_empty(), table.name
        assert not frame.select(table.key).is_duplicated().any(), table.name
        for column in table.columns:
            values = frame[column.name]
            if column.values:
                assert set(values.drop_nulls()) <= set(column.values)
            if column.minimum is not None:
                assert not (values < column.minimum).any(), column.name
            if column.maximum is not None:
                assert not (values > column.maximum).any(), column.name


@pytest.mark.parametrize("asset", assets.ASSETS, ids=lambda asset: asset.name)
def test_an_empty_warehouse_gives_no_rows(tmp_path, asset):
    store = Warehouse(tmp_path / "warehouse.duckdb")
    store.prepare([SECURITY_MONTH, CHARACTERISTIC, PORTFOLIO_RETURN, FACTOR_RETURN, ALPHA])
    assert all(frame.is_empty() for frame in built(store, asset))


def test_the_risk_free_rate_is_no_factor(warehouse):
    statistics, correlations, *_ = built(warehouse, assets.statistics)
    assert set(statistics.filter(source="own")["factor"]) == {"MKT", "SMB", "HML", "UMD"}
    assert "RF" not in set(statistics["factor"]) | set(correlations["factor_b"])
    assert len(set(statistics.filter(source="library")["factor"])) == 7


def test_signals_of_a_month_without_returns_yet_have_no_coefficient(warehouse):
    coefficients, summary = built(warehouse, assets.information_coefficient)
    assert coefficients["month_end"].max() == date(2006, 12, 31)
    assert summary["signal"].to_list() == ["size"]


def test_alphas_are_on_the_library_in_use_whatever_own_factors_do(warehouse):
    before = built(warehouse, assets.alpha)
    own = factor_rows("own", None, 9, ("MKT", "SMB", "HML", "UMD"))
    library = warehouse.table(FACTOR_RETURN).filter(source="library")
    warehouse.replace(FACTOR_RETURN, pl.concat([library, own.select(library.columns)]))
    assert all(a.equals(b) for a, b in zip(before, built(warehouse, assets.alpha), strict=True))
    named = {"simulation": SIMULATION, "library": {"vintage": "199912"}}
    other = parse_settings(named, base=Path())
    unknown, _ = built(warehouse, assets.alpha, other)
    assert unknown["alpha"].null_count() == unknown.height


def test_the_check_passes_on_what_the_asset_built_and_sees_what_was_changed(warehouse):
    alphas, _ = built(warehouse, assets.alpha)
    warehouse.replace(ALPHA, alphas)
    finding = checks.agreement(warehouse, SETTINGS, all_months(SETTINGS))
    assert (finding.passed, finding.failing_rows) == (True, 0)
    # Off by a bit more than rounding, another number of months, another lag.
    for changed in (
        alphas.with_columns(pl.col("alpha") + 2e-9),
        alphas.with_columns(pl.col("t_alpha") * (1 + 1e-6) + 1e-6),
        alphas.with_columns(pl.col("months") - 1),
        alphas.with_columns(pl.col("nw_lag") + 1),
    ):
        warehouse.replace(ALPHA, changed)
        finding = checks.agreement(warehouse, SETTINGS, all_months(SETTINGS))
        assert (finding.passed, finding.failing_rows) == (False, checks.SAMPLE)
