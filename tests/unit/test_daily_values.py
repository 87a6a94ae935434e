from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.compute.daily_values import daily_values, index_values
from factor_pipeline.compute.drawdown import daily_drawdowns, drawdowns

JAN, FEB = date(2020, 1, 31), date(2020, 2, 29)
# A handful of roundings of numbers near 1.
ROUNDING = 1e-15


def table(columns, *rows):
    return pl.DataFrame(rows, schema=columns.split(), orient="row")


def prices(*rows):
    columns = "security_id date close split dividend opening_price"
    frame = table(columns, *rows).with_columns(pl.col("opening_price").cast(pl.Float64))
    return frame.with_columns(month_end=pl.col("date").dt.month_end())


HOLDINGS = table(
    "strategy security_id month_end weight ret",
    ("long", 1, JAN, 0.5, 0.2),
    ("long", 2, JAN, 0.5, 0.0),
    ("short", 1, JAN, -1.0, 0.2),
)
RETURNS = table(
    "strategy month_end cost net n", ("long", JAN, 0.01, 0.08, 2), ("short", JAN, 0.0, -0.2, 1)
)
PRICES = prices(
    (1, date(2020, 1, 2), 55.0, 2.0, 0.0, 100.0),
    (1, date(2020, 1, 3), 44.0, 1.0, 11.0, 100.0),
    (1, date(2020, 1, 31), 48.0, 1.0, 0.0, 100.0),
    (2, date(2020, 1, 2), 9.0, 1.0, 0.0, 10.0),
    (2, date(2020, 1, 31), 10.0, 1.0, 0.0, 10.0),
)


def test_holdings_drift_through_splits_dividends_and_days_without_a_price():
    values = daily_values(HOLDINGS, RETURNS, PRICES)
    long = values.filter(pl.col("strategy") == "long")
    # Security 1 is worth 1.1, then 1.1, then 1.2 times its start; security 2 0.9, 0.9 (no price).
    assert long["date"].to_list() == [date(2020, 1, 2), date(2020, 1, 3), JAN]
    assert long["value"].to_list() == [
        pytest.approx(0.99 * (1 + 0.05 - 0.05), abs=ROUNDING),
        pytest.approx(0.99 * (1 + 0.05 - 0.05), abs=ROUNDING),
        1.08,
    ]
    short = values.filter(pl.col("strategy") == "short")["value"].to_list()
    assert short == [pytest.approx(0.9, abs=ROUNDING), pytest.approx(0.9, abs=ROUNDING), 0.8]


def test_without_a_price_before_the_month_the_first_close_stands_for_it():
    new = PRICES.with_columns(opening_price=pl.lit(None, dtype=pl.Float64))
    short = daily_values(HOLDINGS, RETURNS, new).filter(pl.col("strategy") == "short")
    # The split of the first day is all that can be seen of it.
    assert short["value"].to_list()[0] == pytest.approx(0.0, abs=ROUNDING)


def test_a_loss_is_at_most_everything():
    rocket = PRICES.with_columns(close=pl.col("close") * pl.lit(5.0))
    short = daily_values(HOLDINGS, RETURNS, rocket).filter(pl.col("strategy") == "short")
    assert short["value"].to_list() == [0.0, 0.0, 0.8]


def test_a_month_in_cash_is_told_on_its_last_trading_day():
    idle = table(
        "strategy month_end cost net n", ("cash", FEB, 0.0, 0.002, 0), ("none", FEB, 0.0, None, 0)
    )
    benchmark = idle.head(1).with_columns(strategy=pl.lit("index"), n=None)
    values = daily_values(HOLDINGS, pl.concat([RETURNS, idle, benchmark]), PRICES)
    assert values.filter(month_end=FEB).rows() == [("cash", FEB, date(2020, 2, 28), 1.002)]
    assert values.filter(month_end=JAN).equals(daily_values(HOLDINGS, RETURNS, PRICES))


def random_case(months=4, seed=1):
    draw = np.random.default_rng(seed)
    days = pl.date_range(date(2020, 1, 1), date(2020, months, 28), "1d", eager=True)
    quotes = [
        (i, day, float(draw.lognormal(3, 0.1)), 1.0, 0.0, 20.0)
        for i in range(20)
        for day in days
        if draw.random() < 0.8
    ]
    ends = sorted({*days.dt.month_end()})
    holdings = [
        (name, i, end, draw.normal(), 0.0)
        for name in ("a", "b")
        for end in ends
        for i in draw.choice(20, 12, replace=False).tolist()
    ]
    returns = [(name, end, 0.001, draw.normal() / 50, 12) for name in ("a", "b") for end in ends]
    return (
        table("strategy security_id month_end weight ret", *holdings),
        table("strategy month_end cost net n", *returns),
        prices(*quotes),
    )


def test_neither_order_nor_other_months_and_strategies_change_a_bit():
    case = random_case()
    whole = daily_values(*case)
    shuffled = daily_values(*(f.sample(fraction=1, shuffle=True, seed=3) for f in case))
    assert_frame_equal(shuffled, whole, check_exact=True)
    months = [
        daily_values(*(f.filter(month_end=end) for f in case))
        for end in whole["month_end"].unique().sort()
    ]
    assert_frame_equal(pl.concat(months), whole, check_exact=True)
    alone = daily_values(case[0].filter(strategy="b"), *case[1:])
    assert_frame_equal(alone, whole.filter(strategy="b"), check_exact=True)


def test_an_index_is_worth_its_level_over_that_before_the_month():
    levels = table(
        "date level",
        *((date(2019, 12, 30), 90.0), (date(2019, 12, 31), 100.0)),
        *((date(2020, 1, 2), 95.0), (JAN, 110.0), (date(2020, 2, 3), 99.0), (FEB, 121.0)),
    )
    returns = table("strategy month_end net", ("index", JAN, 0.1), ("other", FEB, 0.1))
    values = index_values(levels.sample(fraction=1, shuffle=True, seed=1), returns, "index")
    assert values.rows() == [
        ("index", JAN, date(2020, 1, 2), 0.95),
        ("index", JAN, JAN, 1.1),
    ]


def test_daily_drawdowns_link_the_months():
    values = table(
        "strategy month_end date value",
        *(("a", JAN, date(2020, 1, 2), 1.2), ("a", JAN, JAN, 1.0)),
        *(("a", FEB, date(2020, 2, 3), 0.6), ("a", FEB, FEB, 1.5)),
    )
    assert daily_drawdowns(values).rows() == [
        ("a", pytest.approx(-0.5), date(2020, 1, 2), date(2020, 2, 3), FEB)
    ]


def test_days_fall_at_least_as_deep_as_the_month_ends_they_contain():
    case = random_case()
    deepest = {
        name: dict(frame.group_by("strategy").agg(pl.col("depth").min()).iter_rows())
        for name, frame in {
            "months": drawdowns(case[1]),
            "days": daily_drawdowns(daily_values(*case)),
        }.items()
    }
    for strategy, depth in deepest["months"].items():
        assert deepest["days"][strategy] <= depth + ROUNDING


def test_nothing_held_gives_no_values():
    empty = daily_values(HOLDINGS.clear(), RETURNS.clear(), PRICES.clear())
    assert empty.is_empty()
    assert empty.columns == ["strategy", "month_end", "date", "value"]
