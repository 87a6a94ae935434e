"""From signals to factors and their variants on a work file of random stocks."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.common import Run, all_months
from factor_pipeline.assets.factors import comparison, factor_return
from factor_pipeline.assets.methods import method_variant
from factor_pipeline.assets.portfolios import assignment, portfolio_return
from factor_pipeline.checks.factors import OWN_FACTORS, own_factors
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.factor import COMPARISON, FACTOR_RETURN
from factor_pipeline.schemas.factor_method import METHOD_SPREAD, METHOD_VARIANT
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.portfolio import ASSIGNMENT, BREAKPOINT, PORTFOLIO_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC, SIGNALS
from factor_pipeline.settings import parse_settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.test_betas_in_the_warehouse import padded

STOCKS, YEARS = 120, 3
START = date(2001, 1, 1)
ENDS = pl.date_range(START, date(2003, 12, 1), "1mo", eager=True).dt.month_end()
SETTINGS = parse_settings(
    {
        "simulation": {"stocks": STOCKS, "years": YEARS, "start": "2001-01"},
        "portfolios": {"sorts": [{"signal": "accruals", "scheme": "quintile"}]},
    },
    base=Path(),
)
MONTHS = MonthRange(START, date(2004, 1, 1))
LIBRARY = ("MKT", "SMB", "SMB_FF5", "HML", "UMD", "RMW", "CMA", "RF")


def filled(folder: Path, *, without: str | None = None) -> Warehouse:
    """Every stock has a price and every signal (but ``without``) in every month."""
    store = Warehouse(folder / "warehouse.duckdb")
    tables = (SECURITY, SECURITY_MONTH, CHARACTERISTIC, BREAKPOINT, ASSIGNMENT, PORTFOLIO_RETURN)
    store.prepare((*tables, FACTOR_RETURN, COMPARISON, METHOD_VARIANT, METHOD_SPREAD))
    rng, rows = np.random.default_rng(6), STOCKS * len(ENDS)
    keys = pl.DataFrame({"security_id": np.arange(STOCKS)}).join(
        pl.DataFrame({"month_end": ENDS}), how="cross"
    )
    listed = pl.Series(["NYSE", "NASDAQ"]).gather(rng.integers(0, 2, STOCKS).repeat(len(ENDS)))
    panel = keys.with_columns(
        ret=pl.Series(rng.normal(0.01, 0.1, rows)),
        market_equity=pl.Series(np.exp(rng.normal(7, 1, rows))),
        price=pl.lit(10.0),
        exchange=listed,
    )
    values = {signal.column: pl.Series(rng.uniform(0.1, 2.0, rows)) for signal in SIGNALS}
    signals = keys.with_columns(**values)
    if without:
        signals = signals.with_columns(pl.lit(None, pl.Float64).alias(without))
    library = pl.concat(
        keys.filter(security_id=0).select(
            "month_end",
            factor=pl.lit(name),
            source=pl.lit("library"),
            vintage=pl.lit("200312"),
            ret=pl.Series(rng.normal(0.002, 0.001, len(ENDS))),
        )
        for name in LIBRARY
    )
    store.replace(SECURITY_MONTH, padded(SECURITY_MONTH, panel))
    store.replace(CHARACTERISTIC, padded(CHARACTERISTIC, signals))
    store.replace(FACTOR_RETURN, library)
    build(store, MONTHS)
    return store


def build(store: Warehouse, months: MonthRange) -> None:
    for asset in (assignment, portfolio_return, factor_return):
        run = Run(store, SETTINGS, months)
        for table, frame in zip(asset.tables, asset.build(run), strict=True):
            store.replace_months(table, frame, months, **dict(asset.scope))


def own(store: Warehouse) -> pl.DataFrame:
    return store.table(FACTOR_RETURN).filter(source="own")


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory) -> Warehouse:
    return filled(tmp_path_factory.mktemp("all"))


@pytest.fixture(scope="module")
def poorer(tmp_path_factory) -> Warehouse:
    return filled(tmp_path_factory.mktemp("poorer"), without="operating_profitability")


def test_every_factor_has_returns(warehouse):
    months = dict(own(warehouse).group_by("factor").len().iter_rows())
    # There are signals from the second month on, and a July in the seventh.
    june = dict.fromkeys(("SMB", "SMB_FF5", "HML", "RMW", "CMA"), 30)
    assert months == dict.fromkeys(OWN_FACTORS, 35) | june
    found = own_factors(warehouse, SETTINGS, all_months(SETTINGS))
    assert (found.passed, found.observed) == (True, "11 factors, all with returns")


def test_portfolios_hold_the_stocks_that_are_assigned_to_them(warehouse):
    assigned = warehouse.table(ASSIGNMENT).group_by("sort", "cell", "month_end").len("members")
    held = warehouse.table(PORTFOLIO_RETURN).filter(weighting="equal")
    spreads = [f"{sort.name} {sort.spread}" for sort in SETTINGS.portfolios.all_sorts()]
    cells = held.filter(~pl.concat_str("sort", pl.lit(" "), "cell").is_in(spreads))
    both = cells.join(assigned, on=["sort", "cell", "month_end"], how="left").fill_null(0)
    assert (both["stocks"] + both["missing"]).equals(both["members"].cast(pl.Int64))
    assert assigned["members"].sum() == both["members"].sum()
    assert "accruals_quintile" in set(assigned["sort"])


def test_months_one_by_one_give_the_bits_of_the_range(warehouse, tmp_path):
    alone = filled(tmp_path)
    for first in range(len(MONTHS) - 3, len(MONTHS)):
        month = add_months(START, first)
        build(alone, MonthRange(month, add_months(month, 1)))
    for table in (BREAKPOINT, ASSIGNMENT, PORTFOLIO_RETURN, FACTOR_RETURN):
        assert_frame_equal(alone.table(table), warehouse.table(table), check_exact=True)


def test_the_comparison_has_a_row_for_each_factor_with_a_counterpart(warehouse):
    (rows,) = comparison.build(Run(warehouse, SETTINGS, all_months(SETTINGS)))
    stored = conformed(COMPARISON, rows)
    of_library = dict(stored.select("factor", "library_factor").iter_rows())
    same = {name: name for name in LIBRARY if name != "RF"}
    assert of_library == same | {"UMD_EW": "UMD"}
    months = dict(stored.select("factor", "months").iter_rows())
    assert (months["MKT"], months["RMW"]) == (35, 30)
    stocks = dict(stored.select("factor", "stocks").iter_rows())
    assert stocks["MKT"] == stocks["SMB"] == stocks["SMB_FF5"] == STOCKS
    assert STOCKS / 2 < stocks["RMW"] < STOCKS


def test_a_factor_that_cannot_be_computed_is_reported_with_the_reason(poorer):
    assert {"RMW", "SMB_FF5"}.isdisjoint(own(poorer)["factor"].unique())
    (rows,) = comparison.build(Run(poorer, SETTINGS, all_months(SETTINGS)))
    months = dict(rows.select("factor", "months").iter_rows())
    assert (months["RMW"], months["SMB_FF5"], months["CMA"]) == (0, 0, 30)
    found = own_factors(poorer, SETTINGS, all_months(SETTINGS))
    assert (found.passed, found.failing_rows) == (False, 2)
    assert found.observed == (
        "without a return in any month: SMB_FF5 (no operating_profitability); "
        "RMW (no operating_profitability)"
    )


def test_premia_of_variants_are_those_of_the_factors(warehouse):
    variants, spread = method_variant.build(Run(warehouse, SETTINGS, all_months(SETTINGS)))
    stored = conformed(METHOD_VARIANT, variants).filter("is_default")
    assert conformed(METHOD_SPREAD, spread).height == stored.height == 5
    for row in stored.iter_rows(named=True):
        ret = own(warehouse).filter(factor=row["factor"])["ret"]
        assert row["months"] == len(ret)
        # Results are kept to ten digits.
        assert row["annual_mean"] == pytest.approx(12 * ret.mean(), rel=1e-9)


def test_unreported_delistings_are_those_after_bad_performance(tmp_path):
    store = Warehouse(tmp_path / "warehouse.duckdb")
    store.prepare((SECURITY, SECURITY_MONTH))
    ends = [date(2001, month, 28) for month in (1, 2)]
    reasons = dict.fromkeys(range(1, 7), "performance") | {2: "merger"}
    spells = pl.DataFrame(
        {
            "security_id": list(reasons),
            "delisting_reason": list(reasons.values()),
            "delisting_return": [None, None, -0.6, None, None, None],
            "valid_from": [date(2000, 1, 1)] * 6,
        }
    )
    renamed = spells.head(1).with_columns(valid_from=pl.lit(date(2000, 6, 1)))
    store.replace(SECURITY, padded(SECURITY, pl.concat([spells, renamed])))
    flags = {1: "delisted,delisting_return_imputed", 2: "delisted", 3: "delisted"}
    flags |= {4: "disputed_return,delisted", 5: "partial_month,delisted"}
    flags |= {6: "delisted,excluded,ticker_splice"}
    last = pl.DataFrame(
        {
            "security_id": list(flags),
            "flags": list(flags.values()),
            "ret": [-0.37, 0.1, -0.6, None, None, None],
            "delisting_return": [-0.3, None, -0.6, None, None, None],
        }
    ).with_columns(month_end=pl.lit(ends[1]), price=pl.lit(1.0), exchange=pl.lit("NYSE"))
    before = last.with_columns(
        flags=pl.lit(None, pl.String), month_end=pl.lit(ends[0]), ret=pl.lit(0.01)
    )
    store.replace(SECURITY_MONTH, padded(SECURITY_MONTH, pl.concat([last, before])))
    (found,) = store.read(load_sql("factor/unreported_delistings")).rows(named=True)
    assert (found["security_id"], found["month_end"], found["ret"]) == (1, ends[1], -0.37)
    assert (found["compounded"], found["delisting_return"]) == (-0.3, None)
