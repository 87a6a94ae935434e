"""The backtest asset on a work file of a dozen stocks: what it reads, keeps and goes on from."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.backtests import holding
from factor_pipeline.assets.common import Run
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.backtest import BACKTEST_RETURN, HOLDING, LEDGER
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import BENCHMARK_DAILY, DELISTING, PRICE_DAILY
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import parse_settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.test_betas_in_the_warehouse import padded

STOCKS = 12
MONTHS = MonthRange.of_months(date(2000, 1, 1), date(2002, 12, 1))
ENDS = pl.date_range(MONTHS.start, MONTHS.end, "1mo", closed="left", eager=True).dt.month_end()
TABLES = (HOLDING, BACKTEST_RETURN, LEDGER)
RATE = 0.003
# Stock to the months without a price: two short halts, one that never ends.
HALTS = {2: range(8, 11), 5: range(14, 15), 7: range(5, 36)}
# All are delisted in this month, so that everyone is in cash after it.
CRASH = 30

SETTINGS = parse_settings(
    {
        "portfolios": {"breakpoints": "all", "min_market_stocks": 3},
        "benchmark": {"source": "none"},
        "backtest": {"min_names": 1},
        "strategies": [
            {"name": "ends", "signals": {"momentum_12_2": 1.0}, "end": "2000-12"},
            {"name": "goes_on", "signals": {"momentum_12_2": 1.0}, "top_share": 0.9},
        ],
    },
    base=Path(),
)


def panel() -> pl.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for stock in range(STOCKS):
        price = 10.0
        for month, end in enumerate(ENDS):
            change = rng.normal(0.01, 0.1)
            price *= 1 + change
            if month in HALTS.get(stock, ()) or month > CRASH:
                continue
            ret = None if month == 0 or month - 1 in HALTS.get(stock, ()) else change
            rows.append((stock, end, price, 1.0, 0.0, ret, 1e9))
    names = ("security_id", "month_end", "price", "split", "dividend", "ret", "market_equity")
    return pl.DataFrame(rows, schema=names, orient="row").with_columns(index_member=True)


def spells() -> pl.DataFrame:
    rows = [(i, ENDS[0], ENDS[CRASH], "other") for i in range(STOCKS) if i != 7]
    names = ("security_id", "valid_from", "delisted_at", "delisting_reason")
    frame = pl.DataFrame([*rows, (7, ENDS[0], None, None)], schema=names, orient="row")
    return frame.with_columns(vendor_id=pl.col("security_id").cast(pl.String))


def filled(folder: Path) -> Warehouse:
    store = Warehouse(folder / "warehouse.duckdb")
    sources = (PRICE_DAILY, CHARACTERISTIC, SECURITY, SECURITY_MONTH, BENCHMARK_DAILY, DELISTING)
    store.prepare([*sources, FACTOR_RETURN, *TABLES])
    rows = panel()
    signals = rows.select(
        "security_id",
        pl.col("month_end").dt.offset_by("1mo").dt.month_end(),
        momentum_12_2=pl.col("price").log(),
    )
    last = pl.DataFrame({"vendor_id": ["X"], "date": [ENDS[-1]], "close": [1.0]}).with_columns(
        split=1.0, dividend=0.0
    )
    factors = pl.DataFrame({"month_end": ENDS}).with_columns(
        ret=RATE, factor=pl.lit("RF"), source=pl.lit("library"), vintage=pl.lit("200212")
    )
    left = (
        spells()
        .drop_nulls("delisted_at")
        .select("vendor_id", date="delisted_at", reason="delisting_reason")
    )
    for table, frame in (
        (SECURITY_MONTH, rows),
        (CHARACTERISTIC, signals),
        (SECURITY, spells()),
        (PRICE_DAILY, last),
        (FACTOR_RETURN, factors),
        (DELISTING, left),
    ):
        store.replace(table, padded(table, frame).select(table.column_names))
    return store


def build(store: Warehouse, months: MonthRange) -> None:
    list(holding.fill(Run(store, SETTINGS, months)))


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Warehouse:
    store = filled(tmp_path_factory.mktemp("whole"))
    build(store, MONTHS)
    return store


def test_months_one_by_one_store_what_the_whole_range_stores(whole, tmp_path):
    store = filled(tmp_path)
    with store.held() as held:
        for code in range(len(MONTHS)):
            start = add_months(MONTHS.start, code)
            build(held, MonthRange(start, add_months(start, 1)))
    for table in TABLES:
        assert_frame_equal(store.table(table), whole.table(table), check_exact=True)


def test_a_holding_is_kept_through_a_halt_and_earns_the_price_change_over_it(whole):
    held = whole.read(
        "select month_end, weight, ret, status from backtest.holding "
        "where security_id = 2 and strategy = 'goes_on' order by month_end"
    )
    rows = held.filter(pl.col("month_end").is_between(ENDS[8], ENDS[11]))
    assert rows["status"].to_list() == ["held"] * 4
    assert rows["ret"].to_list()[:3] == [None] * 3
    price = dict(panel().filter(security_id=2)["month_end", "price"].rows())
    # One division, and a subtraction from a number near 1.
    assert rows["ret"][3] == pytest.approx(price[ENDS[11]] / price[ENDS[7]] - 1, abs=1e-15)


def test_what_never_trades_again_leaves_after_a_year(whole):
    gone = whole.read("select * from backtest.ledger where reason = 'no return'")
    assert gone["strategy", "security_id", "month_end"].rows() == [("goes_on", 7, ENDS[5 + 11])]


def test_the_audit_expects_the_same_exits(whole):
    exits = whole.read(load_sql("audit/exits"))
    assert exits["is_expected"].equals(exits["is_stored"], check_names=False)
    left = exits.filter("is_stored")
    assert set(left["reason"]) == {"no return", "other"}
    assert left["expected_reason"].equals(left["reason"], check_names=False)
    assert left["expected_ret"].equals(left["ret"], check_names=False)


def test_a_strategy_in_cash_has_rows_and_one_that_has_ended_has_none(whole):
    returns = whole.table(BACKTEST_RETURN)
    cash = returns.filter(pl.col("month_end") > ENDS[CRASH])
    assert cash["strategy", "month_end", "gross", "cost", "net", "n"].rows() == [
        ("goes_on", end, RATE, 0.0, RATE, 0) for end in ENDS[CRASH + 1 :]
    ]
    assert returns.filter(strategy="ends")["month_end"].max() == ENDS[11]


def test_a_strategy_that_ended_does_not_stop_a_run_but_a_gap_does(whole, tmp_path):
    store = filled(tmp_path)
    build(store, MonthRange.of_months(MONTHS.start, date(2000, 12, 1)))
    later = MonthRange.of_months(date(2001, 3, 1), date(2001, 3, 1))
    with pytest.raises(DataError, match=r"'goes_on' ends in 2000-12: .* run with --start 2001-01"):
        build(store, later)
    ended = whole.table(BACKTEST_RETURN).filter(strategy="ends")
    store.replace(BACKTEST_RETURN, ended)
    store.replace(HOLDING, HOLDING.empty())
    build(store, later)
    assert store.table(BACKTEST_RETURN)["strategy"].unique().to_list() == ["ends"]
