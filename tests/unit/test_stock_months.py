from datetime import date

import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError, SchemaError

JAN, FEB = date(2000, 1, 31), date(2000, 2, 29)


def panel(*rows: tuple[date | None, int | None, float | None]) -> pl.DataFrame:
    schema = {"month_end": pl.Date, "security_id": pl.Int64, "ret": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_rows_come_in_order_of_month_then_security():
    rows = StockMonths.of(panel((FEB, 1, 0.1), (JAN, 2, 0.2), (JAN, 1, 0.3)), ["ret"])
    assert rows.frame["ret"].to_list() == [0.3, 0.2, 0.1]
    assert rows.months.to_list() == [JAN, FEB]
    assert rows.counts.tolist() == [2, 1]
    assert list(rows.segments()) == [slice(0, 2), slice(2, 3)]


def test_what_is_not_a_finite_number_reads_as_missing():
    values = (0.5, None, float("nan"), float("inf"), float("-inf"))
    rows = StockMonths.of(panel(*((JAN, i, v) for i, v in enumerate(values))), ["ret"])
    assert np.isnan(rows.values("ret")).tolist() == [False, True, True, True, True]


def test_no_rows_make_no_months():
    rows = StockMonths.of(panel(), ["ret"])
    assert rows.months.to_list() == []
    assert list(rows.segments()) == []
    assert rows.positions(rows).tolist() == []


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(SchemaError, match=r"lack the columns \['exchange'\]"):
        StockMonths.of(panel(), ["ret", "exchange"])


def test_a_security_twice_in_a_month_is_refused_whatever_is_between():
    with pytest.raises(DataError, match="two rows in one month"):
        StockMonths.of(panel((JAN, 1, 0.1), (FEB, 1, 0.1), (JAN, 1, 0.1)), ["ret"])


@pytest.mark.parametrize("row", [(None, 1, 0.1), (JAN, None, 0.1)])
def test_a_row_without_its_key_is_refused(row):
    with pytest.raises(DataError, match="no month_end or no security_id"):
        StockMonths.of(panel(row), ["ret"])


def test_positions_find_each_key_in_its_own_month():
    here = StockMonths.of(panel((JAN, 1, 0), (JAN, 5, 0), (FEB, 3, 0), (FEB, 5, 0)), [])
    wanted = StockMonths.of(panel((FEB, 5, 0), (JAN, 5, 0)), [])
    assert here.positions(wanted).tolist() == [1, 3]


@pytest.mark.parametrize(
    "stray", [(JAN, 4, 0), (JAN, 9, 0), (FEB, 1, 0), (date(2000, 3, 31), 5, 0)]
)
def test_a_key_that_is_not_here_has_no_position(stray):
    # The first security of February is above all of January: no neighbour may stand in.
    here = StockMonths.of(panel((JAN, 1, 0), (JAN, 5, 0), (FEB, 9, 0), (FEB, 12, 0)), [])
    with pytest.raises(DataError, match=f"assigned in {stray[0]} has no row"):
        here.positions(StockMonths.of(panel(stray), []))


def test_rows_of_another_month_are_found_by_security_or_not_at_all():
    here = StockMonths.of(panel((JAN, 1, 0.0), (JAN, 3, 0.0), (JAN, 7, 0.0)), [])
    wanted = StockMonths.of(panel((FEB, 0, 0.0), (FEB, 3, 0.0), (FEB, 7, 0.0), (FEB, 9, 0.0)), [])
    assert here.rows_in([JAN], wanted).tolist() == [-1, 1, 2, -1]
    assert here.rows_in([FEB], wanted).tolist() == [-1] * 4
