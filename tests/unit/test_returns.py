import math
from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.returns import (
    DISPUTE_TOLERANCE,
    daily_returns,
    disputed,
    monthly_returns,
)
from factor_pipeline.errors import DataError

# A product of at most 23 factors is off by at most 23 roundings of 1.1e-16.
PRODUCT_NOISE = 1e-14

# A dividend of a few percent earns at most a few tens of percent until the end of its month.
REINVESTED = 0.02

# Wealth of 260 days carries some 1,000 roundings.
WEALTH_NOISE = 1e-12

SCHEMA = {
    "security_id": pl.Int64,
    "date": pl.Date,
    "close": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
    "adjusted_close": pl.Float64,
    "volume": pl.Float64,
}

# A busy machine may take its time.
unhurried = settings(deadline=None)


def prices(*rows: tuple[object, ...]) -> pl.DataFrame:
    """Rows of ``date, close`` and, as far as given, split, dividend, adjusted close, volume."""
    defaults = (1.0, 0.0, None, 100.0)
    filled = [(1, *row, *defaults[len(row) - 2 :]) for row in rows]
    return pl.DataFrame(filled, schema=SCHEMA, orient="row")


def months(frame: pl.DataFrame, dispute="null") -> pl.DataFrame:
    return monthly_returns(daily_returns(frame), dispute=dispute)


def computed(frame: pl.DataFrame) -> list[float | None]:
    return daily_returns(frame)["computed_return"].to_list()


def test_a_return_is_the_change_of_the_close():
    assert computed(prices((date(2020, 1, 2), 100.0), (date(2020, 1, 3), 110.0))) == [
        None,
        pytest.approx(0.10),
    ]


@pytest.mark.parametrize(
    ("close", "split", "dividend", "expected"),
    [
        (51.0, 2.0, 0.0, 0.02),  # two for one: 2 x 51 for 100
        (1020.0, 0.1, 0.0, 0.02),  # one for ten
        (99.0, 1.0, 1.5, 0.005),  # the dividend is paid on top
        (49.0, 2.0, 0.5, -0.015),  # a dividend per old share beside a split
        (100.0, 1.5, 0.0, 0.50),
    ],
)
def test_splits_and_dividends_count_on_their_ex_date(close, split, dividend, expected):
    frame = prices((date(2020, 1, 2), 100.0), (date(2020, 1, 3), close, split, dividend))
    assert computed(frame)[1] == pytest.approx(expected, rel=1e-12)


def test_a_halt_inside_two_neighbouring_months_does_not_break_the_chain():
    frame = prices((date(2020, 1, 2), 100.0), (date(2020, 2, 28), 120.0))
    assert computed(frame)[1] == pytest.approx(0.2)
    assert months(frame)["ret"].to_list() == [None, pytest.approx(0.2)]


def test_a_month_without_a_price_leaves_the_month_after_it_without_a_return():
    frame = prices(
        (date(2020, 1, 31), 100.0),
        (date(2020, 3, 2), 120.0),
        (date(2020, 3, 31), 130.0),
        (date(2020, 4, 30), 143.0),
    )
    found = months(frame)
    assert found["month_end"].to_list() == [
        date(2020, 1, 31),
        date(2020, 3, 31),
        date(2020, 4, 30),
    ]
    assert found["ret"].to_list() == [None, None, pytest.approx(0.1)]


def test_a_december_is_followed_by_a_january():
    frame = prices((date(2019, 12, 31), 100.0), (date(2020, 1, 2), 101.0))
    assert computed(frame)[1] == pytest.approx(0.01)


def test_the_month_of_the_first_price_has_no_return():
    frame = prices(*((date(2020, 1, day), 100.0 + day) for day in (2, 3, 6)))
    assert months(frame)["ret"].to_list() == [None]


def test_a_month_keeps_its_last_price_its_days_and_its_dollars():
    frame = prices(
        (date(2020, 1, 2), 10.0, 1.0, 0.0, None, 5.0),
        (date(2020, 1, 30), 12.0, 1.0, 0.0, None, None),
        (date(2020, 1, 31), 11.0, 1.0, 0.0, None, 3.0),
    )
    row = months(frame).row(0, named=True)
    assert (row["price"], row["last_date"], row["trading_days"]) == (11.0, date(2020, 1, 31), 3)
    assert row["dollar_volume"] == 10.0 * 5.0 + 11.0 * 3.0


def test_a_month_without_any_volume_has_no_dollar_volume_rather_than_none_traded():
    unknown = prices((date(2020, 1, 2), 10.0, 1.0, 0.0, None, None))
    untraded = prices((date(2020, 1, 2), 10.0, 1.0, 0.0, None, 0.0))
    assert months(unknown)["dollar_volume"].to_list() == [None]
    assert months(untraded)["dollar_volume"].to_list() == [0.0]


@pytest.fixture
def split_booked_late() -> pl.DataFrame:
    """Two for one on the 3rd in the prices, on the 6th in the split column."""
    return prices(
        (date(2020, 1, 2), 100.0, 1.0, 0.0, 50.0),
        (date(2020, 2, 3), 50.0, 1.0, 0.0, 50.0),
        (date(2020, 2, 4), 51.0, 2.0, 0.0, 51.0),
        (date(2020, 2, 5), 52.02, 1.0, 0.0, 52.02),
    )


def test_days_on_which_the_vendor_contradicts_itself_are_found(split_booked_late):
    found = disputed(daily_returns(split_booked_late))
    assert found["date"].to_list() == [date(2020, 2, 3), date(2020, 2, 4)]
    assert found["difference"].to_list() == pytest.approx([-0.5, 1.02])


@pytest.mark.parametrize(
    ("dispute", "expected"),
    [("null", None), ("computed", 0.5 * 2.04 * 1.02 - 1), ("vendor", 1.02 * 1.02 - 1)],
)
def test_a_disputed_month_is_what_the_rule_says(split_booked_late, dispute, expected):
    row = months(split_booked_late, dispute).row(1, named=True)
    assert row["disputed"]
    assert row["ret"] == (None if expected is None else pytest.approx(expected, rel=PRODUCT_NOISE))


def test_a_difference_within_the_tolerance_is_rounding():
    near = 101.0 + 100 * DISPUTE_TOLERANCE * 0.99
    beyond = 101.0 + 100 * DISPUTE_TOLERANCE * 1.01
    for adjusted, expected in ((near, False), (beyond, True)):
        frame = prices(
            (date(2020, 1, 31), 100.0, 1.0, 0.0, 100.0),
            (date(2020, 2, 3), 101.0, 1.0, 0.0, adjusted),
        )
        assert months(frame)["disputed"].to_list() == [False, expected]


def test_without_an_adjusted_close_nothing_is_disputed():
    frame = prices(
        (date(2020, 1, 31), 100.0, 1.0, 0.0, 100.0),
        (date(2020, 2, 3), 101.0, 1.0, 0.0, None),
        (date(2020, 2, 4), 102.01, 1.0, 0.0, 700.0),
    )
    found = months(frame)
    assert found["disputed"].to_list() == [False, False]
    assert found["ret"].to_list() == [None, pytest.approx(0.0201)]


def test_two_prices_of_a_security_on_a_day_are_refused():
    frame = prices((date(2020, 1, 2), 100.0), (date(2020, 1, 2), 110.0))
    with pytest.raises(DataError, match="two prices have the same security_id 1, date 2020-01-02"):
        daily_returns(frame)


def test_two_returns_of_a_security_on_a_day_are_refused():
    days = daily_returns(prices((date(2020, 1, 2), 100.0)))
    with pytest.raises(DataError, match="two daily returns have the same security_id 1"):
        monthly_returns(pl.concat([days, days]), dispute="null")


def test_no_prices_have_no_returns():
    empty = pl.DataFrame(schema=SCHEMA)
    assert daily_returns(empty).is_empty()
    assert disputed(daily_returns(empty)).is_empty()
    assert months(empty).is_empty()
    assert months(empty).schema == months(prices((date(2020, 1, 2), 1.0))).schema


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    """Eight securities over thirteen months, with splits, dividends and halts."""
    draw = np.random.default_rng(11)
    days = pd.bdate_range("2019-11-01", "2020-11-30")
    frames = []
    for security in range(8):
        traded = days[draw.random(len(days)) < 0.9]
        count = len(traded)
        split = np.where(draw.random(count) < 0.01, draw.choice([2.0, 0.25, 1.5], count), 1.0)
        growth = np.exp(draw.normal(0, 0.02, count)) / split
        close = 50 * np.cumprod(growth)
        dividend = np.where(draw.random(count) < 0.01, 0.01 * close, 0.0)
        frames.append(
            pl.DataFrame(
                {
                    "security_id": np.full(count, security),
                    "date": traded.date.tolist(),
                    "close": close,
                    "split": split,
                    "dividend": dividend,
                    "adjusted_close": [None] * count,
                    "volume": draw.integers(0, 10**6, count).astype(float),
                },
                schema=SCHEMA,
            )
        )
    return pl.concat(frames)


def test_a_month_is_what_a_buyer_of_its_first_price_ends_with(market):
    """Witness: one share bought at the last price of the month before, dividends reinvested."""
    found = months(market)
    for (security,), rows in market.sort("date").group_by("security_id"):
        wealth, held, worth = 1.0, 0.0, {}
        for row in rows.iter_rows(named=True):
            held = wealth / row["close"] if not held else held * row["split"]
            held += held / row["split"] * row["dividend"] / row["close"]
            wealth = held * row["close"]
            worth[row["date"].replace(day=1)] = wealth
        ends = list(worth.values())
        expected = [end / start - 1 for start, end in pairwise(ends)]
        own = found.filter(pl.col("security_id") == security).sort("month_end")
        assert own["ret"].to_list()[1:] == pytest.approx(expected, abs=WEALTH_NOISE)
        assert own["ret"][0] is None


def test_returns_follow_an_adjusted_close_made_backwards_as_vendors_do(market):
    """Witness: the adjusted close of CRSP's method, from the last day back."""
    one = market.filter(pl.col("security_id") == 3).sort("date")
    close, split, dividend = (one[name].to_numpy() for name in ("close", "split", "dividend"))
    gross = (close[1:] * split[1:] + dividend[1:]) / close[:-1]
    level = np.concatenate([[1.0], np.cumprod(gross)])
    adjusted = one.with_columns(adjusted_close=pl.Series(level / level[-1] * close[-1]))
    assert disputed(daily_returns(adjusted)).is_empty()
    vendor = monthly_returns(daily_returns(adjusted), dispute="vendor")
    ends = adjusted.group_by(pl.col("date").dt.month_end(), maintain_order=True).agg(
        pl.col("adjusted_close").last()
    )
    change = ends["adjusted_close"].to_numpy()
    assert vendor["ret"][1:].to_list() == pytest.approx(
        (change[1:] / change[:-1] - 1).tolist(), abs=WEALTH_NOISE
    )


def test_highs_and_dividends_are_on_the_split_basis_of_the_months_end():
    """Each day's close restated by hand: 2:1 on the 10th, 3:1 on the 20th."""
    frame = prices(
        (date(2020, 1, 31), 50.0, 5.0),
        (date(2020, 2, 3), 120.0, 1.0, 0.6),
        (date(2020, 2, 10), 66.0, 2.0, 0.9),
        (date(2020, 2, 12), 60.0, 1.0, 0.3),
        (date(2020, 2, 20), 21.0, 3.0, 0.0),
        (date(2020, 3, 2), 25.0, 1.0, 0.2),
    )
    found = months(frame)
    # 120 / 6, 66 / 3, 60 / 3, 21; of an old share on the 10th, of a new one on the 12th.
    assert found["high"].to_list() == [50.0, 22.0, 25.0]
    assert found["split"].to_list() == [5.0, 6.0, 1.0]
    paid = 0.6 / 6 + 0.9 / 6 + 0.3 / 3
    assert found["dividend"].to_list() == pytest.approx([0.0, paid, 0.2], rel=PRODUCT_NOISE)


def test_dividends_add_up_to_the_return_that_prices_leave(market):
    """Witness: over a month without a split, return = price change + dividends over price,
    but for dividends reinvested within the month."""
    found = months(market).with_columns(
        before=pl.col("price").shift().over("security_id"),
        is_first=pl.col("security_id") != pl.col("security_id").shift(),
    )
    plain = found.filter(pl.col("split") == 1, pl.col("ret").is_not_null(), ~pl.col("is_first"))
    left = (
        plain["ret"] - (plain["price"] / plain["before"] - 1) - plain["dividend"] / plain["before"]
    )
    assert plain.filter(pl.col("dividend") > 0).height > 10
    assert left.abs().max() < REINVESTED


@unhurried
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_no_bit(market, seed):
    shuffled = market.sample(fraction=1, shuffle=True, seed=seed)
    assert months(shuffled).equals(months(market))


def test_a_month_needs_only_itself_and_the_month_before(market):
    whole = months(market)
    for end in whole["month_end"].unique().sort()[1:]:
        start = end.replace(day=1)
        before = (start - timedelta(days=1)).replace(day=1)
        alone = months(market.filter(pl.col("date").is_between(before, end)))
        of_month = pl.col("month_end") == end
        assert alone.filter(of_month).equals(whole.filter(of_month))


def test_a_security_gives_the_same_bits_alone(market):
    whole = months(market)
    for security in range(8):
        own = pl.col("security_id") == security
        assert months(market.filter(own)).equals(whole.filter(own))


extreme = st.floats(min_value=5e-324, max_value=1.7e308)


@unhurried
@given(
    st.lists(st.tuples(extreme, extreme, extreme | st.just(0.0), extreme | st.none()), max_size=6)
)
def test_extreme_prices_give_numbers_or_nulls_and_no_return_below_a_total_loss(rows):
    frame = prices(
        *(
            (date(2020, 1, 1) + timedelta(days=15 * i), close, split, dividend, adjusted, close)
            for i, (close, split, dividend, adjusted) in enumerate(rows)
        )
    )
    for dispute in ("null", "computed", "vendor"):
        found = months(frame, dispute)
        for column in ("ret", "dollar_volume", "price", "high", "split", "dividend"):
            values = found[column].drop_nulls().to_list()
            assert all(math.isfinite(value) for value in values)
        assert all(ret >= -1 for ret in found["ret"].drop_nulls())
