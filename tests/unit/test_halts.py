from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.halts import HALT_MONTHS, position_returns
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months

# A product of three numbers near 1.
ROUNDING = 1e-15
START = date(2020, 1, 1)


PANEL = {
    "security_id": pl.Int64,
    "month_end": pl.Date,
    "price": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
    "delisting_return": pl.Float64,
    "ret": pl.Float64,
    "flags": pl.String,
}


def panel(*rows):
    """Rows of security 1 (month code, price and what differs from a quiet month)."""
    quiet = {"security_id": 1, "split": 1.0, "dividend": 0.0}
    full = [
        dict.fromkeys(PANEL) | quiet | {"month": add_months(START, code), "price": price} | more
        for code, price, more in rows
    ]
    frame = pl.DataFrame(full, schema={**PANEL, "month": pl.Date})
    return frame.with_columns(month_end=pl.col("month").dt.month_end()).drop("month")


def told(frame, first, last):
    months = MonthRange(add_months(START, first), add_months(START, last + 1))
    return position_returns(frame, months).select("ret", "halted_months").rows()


def test_a_gap_ends_with_its_whole_return():
    """Ten shares' worth 10; two for one, 0.5 a share, 6 at the end: 2 * 6.5 / 10."""
    frame = panel((0, 10.0, {}), (3, 6.0, {"split": 2.0, "dividend": 0.5}), (4, 6.6, {"ret": 0.1}))
    assert told(frame, 1, 4) == [
        (None, 0),
        (None, 1),
        (pytest.approx(0.3, abs=ROUNDING), 2),
        (0.1, 0),
    ]


def test_a_delisting_in_the_month_trading_resumes_is_compounded():
    frame = panel((0, 10.0, {}), (2, 8.0, {"delisting_return": -0.5, "ret": -0.5}))
    assert told(frame, 2, 2) == [(pytest.approx(-0.6, abs=ROUNDING), 1)]


def test_a_delisting_without_a_price_has_its_own_return():
    frame = panel((0, 10.0, {}), (2, None, {"delisting_return": -0.5, "ret": -0.5}))
    assert told(frame, 1, 3) == [(None, 0), (-0.5, 1), (None, 2)]


def test_a_disputed_month_has_no_return_with_a_gap_before_it_or_not():
    disputed = {"flags": "disputed_return,price_gap"}
    frame = panel((0, 10.0, {}), (1, 12.0, disputed), (3, 13.0, disputed), (4, 13.0, {"ret": 0.0}))
    assert told(frame, 1, 4) == [(None, 0), (None, 0), (None, 1), (0.0, 0)]


def test_an_excluded_month_has_no_return_with_a_gap_before_it_or_not():
    excluded = {"flags": "price_gap,excluded,missing_day"}
    frame = panel((0, 10.0, {}), (1, 12.0, excluded), (3, 13.0, excluded), (4, 13.0, {"ret": 0.0}))
    assert told(frame, 1, 4) == [(None, 0), (None, 0), (None, 1), (0.0, 0)]


def test_a_rule_that_is_named_like_a_flag_takes_no_return_of_a_gap():
    named = {"flags": "undisputed_return,excluded_by_nobody"}
    frame = panel((0, 10.0, {}), (2, 12.0, named))
    assert told(frame, 2, 2) == [(pytest.approx(0.2, abs=ROUNDING), 1)]


def test_after_a_year_nothing_is_told_of_the_gap():
    frame = panel((0, 10.0, {}), (HALT_MONTHS, 20.0, {}))
    assert told(frame, HALT_MONTHS, HALT_MONTHS) == [(1.0, HALT_MONTHS - 1)]
    frame = panel((0, 10.0, {}), (HALT_MONTHS + 1, 20.0, {}))
    assert told(frame, HALT_MONTHS, HALT_MONTHS + 1) == [(None, 11), (None, HALT_MONTHS)]
    assert told(panel((0, 10.0, {})), HALT_MONTHS, HALT_MONTHS + 1) == [(None, HALT_MONTHS - 1)]


def test_a_security_twice_in_a_month_is_refused():
    with pytest.raises(DataError, match="panel months"):
        told(panel((0, 10.0, {}), (0, 11.0, {})), 0, 0)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_months_alone_on_truncated_history_and_shuffled_give_the_same_bits(seed):
    draw = np.random.default_rng(seed)
    count = 40
    flags = [None, None, None, "disputed_return"]
    rows = [
        {
            "security_id": security,
            "month_end": date(2020, 1, 31),
            "code": code,
            "price": None if draw.random() < 0.1 else draw.lognormal(),
            "split": draw.choice([1.0, 1.0, 2.0]),
            "dividend": draw.choice([0.0, 0.1]),
            "delisting_return": draw.choice([None, None, 0.1]),
            "ret": draw.choice([None, draw.normal(0, 0.1)]),
            "flags": draw.choice(flags),
        }
        for security in range(4)
        for code in range(count)
        if draw.random() < draw.choice([0.05, 0.6])
    ]
    frame = pl.DataFrame(rows, schema={**PANEL, "code": pl.Int64}).with_columns(
        month_end=pl.lit(START).dt.offset_by(pl.format("{}mo", "code")).dt.month_end()
    )
    whole = position_returns(frame, MonthRange(START, add_months(START, count)))
    assert whole["ret"].is_finite().all()
    for code in range(count):
        month = MonthRange(add_months(START, code), add_months(START, code + 1))
        read = pl.col("month_end").is_between(
            add_months(START, code - HALT_MONTHS), month.end, closed="left"
        )
        alone = position_returns(frame.filter(read).sample(fraction=1, shuffle=True, seed=1), month)
        mine = whole.filter(pl.col("month_end").is_between(month.start, month.end, closed="left"))
        assert_frame_equal(alone, mine, check_exact=True)
