"""The SQL the backtest reads, on a handful of rows."""

from datetime import date

import pytest

from factor_pipeline.months import MonthRange
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse
from tests.sql.small_market import published_file, rows

DEC, JAN, FEB, MAR = (date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31))
FEBRUARY = MonthRange.of_months(FEB, FEB)


@pytest.fixture
def warehouse(tmp_path):
    tables = {
        # Stock 1 changed its ticker, vendor and sector in mid-February.
        "panel.security": rows(
            "security_id vendor_id ticker valid_from valid_to sector",
            (1, "OLD", "OLD", date(2010, 1, 4), date(2020, 2, 14), "Energy"),
            (1, "NEW", "NEW", date(2020, 2, 17), date(2020, 3, 31), "Health"),
            (2, "TWO", "TWO", date(2010, 1, 4), date(2020, 3, 31), None),
            (3, "HALT", "HALT", date(2010, 1, 4), date(2020, 3, 31), None),
        ),
        "panel.security_month": rows(
            "security_id month_end price market_equity dollar_volume exchange index_member",
            (1, JAN, 10.0, 1e6, 5e4, "NYSE", True),
            (1, FEB, 11.0, 2e6, 6e4, "NYSE", False),
            (2, FEB, 20.0, None, None, None, True),
            # Stock 3 was halted in January, and delisted without a price.
            (3, DEC, 7.0, 1e6, 5e4, "NYSE", True),
            (3, JAN, None, None, None, "NYSE", True),
        ),
        "signal.characteristic": rows(
            "security_id month_end book_to_market momentum_12_2",
            (1, FEB, 0.5, 0.1),
            (1, MAR, 0.6, None),
            (2, FEB, 0.7, 0.3),
            (2, MAR, 0.8, 0.4),
        ),
        "raw.price_daily": rows(
            "vendor_id date close split dividend",
            ("OLD", date(2020, 1, 31), 10.0, 1.0, 0.0),
            ("OLD", date(2020, 2, 14), 10.5, 1.0, 0.1),
            ("OLD", date(2020, 2, 18), 99.0, 1.0, 0.0),
            ("NEW", date(2020, 2, 14), 98.0, 1.0, 0.0),
            ("NEW", date(2020, 2, 18), 5.5, 2.0, 0.0),
            ("NEW", date(2020, 3, 2), 6.0, 1.0, 0.0),
            ("TWO", date(2020, 2, 18), 20.0, 1.0, 0.0),
            ("HALT", date(2020, 2, 18), 8.0, 1.0, 0.0),
        ),
        "backtest.holding": rows(
            "strategy security_id month_end weight ret",
            ("a", 1, FEB, 0.5, 0.1),
            ("b", 1, FEB, -0.5, 0.1),
            ("a", 2, FEB, 0.0, None),
            ("b", 2, FEB, 0.5, None),
            ("b", 3, FEB, 0.5, 0.1),
            ("b", 1, MAR, 0.5, 0.1),
        ),
        "raw.benchmark_daily": rows(
            "data_set symbol date adjusted_close",
            ("benchmark", "IDX", DEC, 1.0),
            ("benchmark", "IDX", JAN, 2.0),
            ("benchmark", "IDX", date(2020, 2, 3), 3.0),
            ("benchmark", "IDX", date(2020, 3, 2), 4.0),
            ("benchmark", "OTHER", date(2020, 2, 3), 5.0),
            ("etf", "IDX", date(2020, 2, 4), 6.0),
        ),
        "factor.factor_return": rows(
            "source vintage factor month_end ret",
            *(
                ("library", v, f, FEB, r)
                for v, r in (("201912", 0.1), ("202012", 0.2))
                for f in "xy"
            ),
            *(("library", "202012", f, FEB, 0.3) for f in ("HML", "RF")),
            *(("library", "201912", f, FEB, 0.4) for f in ("HML", "UMD", "RF")),
            ("library", "202112", "HML", FEB, 0.5),
            ("own", None, "HML", FEB, 0.6),
        ),
    }
    return Warehouse(published_file(tmp_path, tables))


def test_candidates_know_the_end_of_the_month_before_and_every_signal(warehouse):
    result = warehouse.read_months(load_sql("backtest/candidates"), MonthRange.of_months(FEB, MAR))
    shown = result.select(
        *("security_id", "month_end", "book_to_market", "momentum_12_2"),
        *("lagged_market_equity", "lagged_dollar_volume", "exchange", "member", "sector"),
    )
    # Stock 2 was not there at the end of January.
    assert shown.rows() == [
        (1, FEB, 0.5, 0.1, 1e6, 5e4, "NYSE", True, "Energy"),
        (1, MAR, 0.6, None, 2e6, 6e4, "NYSE", False, "Health"),
        (2, MAR, 0.8, 0.4, None, None, None, True, None),
    ]


def test_daily_prices_are_those_of_what_was_held_through_the_month(warehouse):
    result = warehouse.read_months(load_sql("backtest/daily_prices"), FEBRUARY)
    assert result.rows() == [
        (1, FEB, date(2020, 2, 14), 10.5, 1.0, 0.1, 10.0),
        (1, FEB, date(2020, 2, 18), 5.5, 2.0, 0.0, 10.0),
        (3, FEB, date(2020, 2, 18), 8.0, 1.0, 0.0, 7.0),
    ]


def test_levels_of_a_benchmark_reach_back_to_the_month_before(warehouse):
    result = warehouse.read_months(load_sql("backtest/benchmark_level"), FEBRUARY, symbol="IDX")
    assert result.rows() == [(JAN, 2.0), (date(2020, 2, 3), 3.0)]


def test_library_factors_are_of_the_vintage_asked_for(warehouse):
    query = load_sql("backtest/library_factors")
    assert warehouse.read(query, vintage="201912").rows() == [(FEB, "HML", 0.4), (FEB, "UMD", 0.4)]
    assert warehouse.read(query, vintage="202012").rows() == [(FEB, "HML", 0.3)]


def test_the_latest_vintage_is_the_newest_of_those_with_most_factors(warehouse):
    # The newer one has no momentum: no model may take that from the older.
    assert warehouse.read(load_sql("factor/library_vintage")).rows() == [("201912",)]
