from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.fundamentals import as_of_each_filing
from factor_pipeline.compute.statements import statement_facts
from factor_pipeline.schemas.panel import STATEMENT
from factor_pipeline.schemas.raw import FUNDAMENTAL

FY2019 = date(2019, 12, 31)
FEBRUARY, MARCH, MAY = date(2020, 2, 3), date(2020, 3, 2), date(2020, 5, 4)
SCHEMA = {"security_id": pl.Int64, **FUNDAMENTAL.polars_schema}


def facts(*rows: dict[str, object], lag=4) -> pl.DataFrame:
    defaults = {"security_id": 1, "period_end": FY2019, "fiscal_year": 2019}
    frame = pl.DataFrame([defaults | row for row in rows], schema=SCHEMA)
    return statement_facts(frame, filing_lag_months=lag)


def income(filed_at, **figures):
    return {"statement": "income", "filed_at": filed_at} | figures


def cash_flow(filed_at, **figures):
    return {"statement": "cashflow", "filed_at": filed_at} | figures


def known(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.select("filed_at", "revenue", "net_income", "operating_cash_flow").rows()


def test_statements_have_the_shape_of_their_table():
    assert facts().schema == STATEMENT.polars_schema
    assert facts(income(FEBRUARY, revenue=1.0)).schema == STATEMENT.polars_schema


def test_statements_of_one_day_are_one_row():
    found = facts(
        income(FEBRUARY, revenue=9.0, net_income=2.0), cash_flow(FEBRUARY, operating_cash_flow=3.0)
    )
    assert known(found) == [(FEBRUARY, 9.0, 2.0, 3.0)]


def test_a_later_statement_adds_to_what_was_known_and_is_not_known_before():
    found = facts(income(FEBRUARY, revenue=9.0), cash_flow(MARCH, operating_cash_flow=3.0))
    assert known(found) == [(FEBRUARY, 9.0, None, None), (MARCH, 9.0, None, 3.0)]


def test_a_restatement_replaces_its_statement_from_its_day_on():
    found = facts(
        cash_flow(MARCH, operating_cash_flow=3.0),
        income(MAY, revenue=8.0),
        income(FEBRUARY, revenue=9.0, net_income=2.0),
    )
    # The restated statement leaves net income out: what it does not say is not known.
    assert known(found) == [
        (FEBRUARY, 9.0, 2.0, None),
        (MARCH, 9.0, 2.0, 3.0),
        (MAY, 8.0, None, 3.0),
    ]


def test_periods_and_securities_are_kept_apart():
    found = facts(
        income(FEBRUARY, revenue=9.0),
        income(MARCH, revenue=7.0, period_end=date(2018, 12, 31), fiscal_year=2018),
        cash_flow(MAY, operating_cash_flow=1.0, security_id=2),
    )
    assert known(found) == [
        (MARCH, 7.0, None, None),
        (FEBRUARY, 9.0, None, None),
        (MAY, None, None, 1.0),
    ]


def test_balance_sheets_are_left_out():
    assert facts({"statement": "balance", "filed_at": FEBRUARY}).is_empty()


def test_without_a_filing_date_figures_are_public_some_months_later():
    found = facts(income(None, revenue=9.0), lag=3)
    assert found.select("filed_at", "filed_at_assumed").rows() == [(date(2020, 3, 31), True)]


@pytest.mark.parametrize("swapped", [False, True])
def test_a_stated_filing_wins_over_an_assumed_one_of_the_day(swapped):
    rows = [income(date(2020, 4, 30), revenue=1.0), income(None, revenue=2.0)]
    found = facts(*(reversed(rows) if swapped else rows))
    assert found.select("revenue", "filed_at_assumed").rows() == [(1.0, False)]


def test_parts_filed_apart_meet_by_period_and_never_from_a_later_day():
    key = {"security_id": 1, "period_end": FY2019}
    first = pl.DataFrame([key | {"filed_at": FEBRUARY, "a": 1}, key | {"filed_at": MAY, "a": 2}])
    second = pl.DataFrame([key | {"filed_at": MARCH, "b": 5}])
    for parts in ([first, second], [second, first]):
        found = as_of_each_filing(parts).select("filed_at", "a", "b").rows()
        assert found == [(FEBRUARY, 1, None), (MARCH, 1, 5), (MAY, 2, 5)]
