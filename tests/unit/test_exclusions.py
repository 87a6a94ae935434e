from datetime import date

import polars as pl
import pytest

from factor_pipeline.checks.exclusions import found_exclusions
from factor_pipeline.compute.exclusions import Span, excluded_months
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.settings import parse_settings
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.test_betas_in_the_warehouse import padded

# Security 1 was renamed in the middle of March; 2 has its old ticker since, and left in May.
SECURITIES = pl.DataFrame(
    [
        (1, "V1", "OLD", date(2020, 1, 2), date(2020, 3, 13)),
        (1, "V1", "NEW", date(2020, 3, 16), date(2020, 12, 31)),
        (2, "V2", "OLD", date(2020, 3, 16), date(2020, 5, 11)),
    ],
    schema=["security_id", "vendor_id", "ticker", "valid_from", "valid_to"],
    orient="row",
)


def months(first: date, last: date, **name: str) -> list[tuple[int, int]]:
    """Months of 2020 that are left out, by security."""
    frame = excluded_months(SECURITIES, [Span(first, last, **name)])
    assert (frame["month_end"] == frame["month_end"].dt.month_end()).all()
    return [(security, end.month) for security, end in frame.rows()]


@pytest.mark.parametrize(
    ("name", "first", "last", "expected"),
    [
        ({"vendor_id": "V1"}, date(2020, 2, 28), date(2020, 4, 1), [(1, 2), (1, 3), (1, 4)]),
        ({"ticker": "OLD"}, date(2020, 2, 28), date(2020, 4, 1), [(1, 2), (1, 3), (2, 3), (2, 4)]),
        ({"ticker": "OLD"}, date(2020, 2, 3), date(2020, 2, 3), [(1, 2)]),
        ({"ticker": "NEW"}, date(2020, 1, 1), date(2020, 2, 28), []),
        ({"ticker": "OLD"}, date(2020, 7, 1), date(2020, 7, 1), [(2, 7)]),
        ({"ticker": "NONE"}, date(2020, 1, 1), date(2020, 12, 31), []),
    ],
    ids=["an id", "a ticker of two", "a day", "before the name", "after the last price", "nobody"],
)
def test_the_months_are_those_the_days_touch_under_the_name(name, first, last, expected):
    assert months(first, last, **name) == expected


def test_spans_that_overlap_leave_a_month_out_once():
    days = (date(2020, 2, 3), date(2020, 2, 20))
    spans = [Span(*days, vendor_id="V1"), Span(*days, ticker="OLD")]
    assert excluded_months(SECURITIES, spans).height == 1
    assert excluded_months(SECURITIES, []).schema == {"security_id": pl.Int64, "month_end": pl.Date}


def test_an_exclusion_of_nobody_is_told(tmp_path):
    def settings(*names: str):
        days = {"first_day": "2020-02-03", "last_day": "2020-02-20", "reason": "wrong"}
        spans = [{"ticker": name, **days} for name in names]
        return parse_settings({"quality": {"exclusions": spans}}, base=tmp_path)

    warehouse = Warehouse(tmp_path / "work.duckdb")
    warehouse.prepare([SECURITY])
    warehouse.replace(SECURITY, padded(SECURITY, SECURITIES).select(SECURITY.column_names))
    months = MonthRange.of_months(date(2020, 1, 1), date(2020, 12, 1))
    good = found_exclusions(warehouse, settings("OLD"), months)
    assert (good.passed, good.observed) == (True, "1 exclusions, all of a security")
    bad = found_exclusions(warehouse, settings("OLD", "ODL"), months)
    assert (bad.passed, bad.failing_rows) == (False, 1)
    assert bad.observed == "no security is named ODL on 2020-02-03; correct quality.exclusions"
