from datetime import date

import numpy as np
import polars as pl
import pytest

from factor_pipeline.errors import SettingsError
from factor_pipeline.sources.simulated import monthly_factors, monthly_market

STOCKS, MONTHS = 400, 180


@pytest.fixture(scope="module")
def market():
    return monthly_market(STOCKS, MONTHS, seed=2)


def test_rows_are_keyed_sorted_and_finite(market):
    key = ("month_end", "security_id")
    assert market.select(key).is_duplicated().any() is False
    assert market.equals(market.sort(key))
    assert (market["month_end"] == market["month_end"].dt.month_end()).all()
    for column in market:
        if column.dtype == pl.Float64:
            assert column.drop_nulls().is_finite().all(), column.name
    assert market["lagged_market_equity"].min() > 0
    assert market["ret"].min() > -1


def test_months_run_from_the_second_to_the_last(market):
    assert market["month_end"].min() == date(1963, 2, 28)
    assert market["month_end"].max() == date(1977, 12, 31)
    assert market["month_end"].n_unique() == MONTHS - 1


def test_securities_enter_leave_and_have_gaps(market):
    spans = market.group_by("security_id").agg(
        first=pl.col("month_end").min(), last=pl.col("month_end").max(), rows=pl.len()
    )
    entered = spans.filter(pl.col("first") > date(1963, 12, 31)).height
    left = spans.filter(pl.col("last") < date(1976, 12, 31)).height
    assert 0.3 * STOCKS < entered < 1.5 * STOCKS
    assert 0.3 * STOCKS < left < 1.5 * STOCKS
    months = (
        spans["last"].dt.year() * 12
        + spans["last"].dt.month()
        - spans["first"].dt.year() * 12
        - spans["first"].dt.month()
        + 1
    )
    gaps = (months - spans["rows"]).sum()
    assert gaps / market.height == pytest.approx(1 / 500, rel=0.3)


def month_number(column):
    return column.dt.year() * 12 + column.dt.month()


def test_a_return_after_a_gap_is_not_told(market):
    gap = month_number(pl.col("month_end")).diff().over("security_id")
    after = market.with_columns(gap=gap).filter(pl.col("gap") > 1)
    assert after.height > 50
    assert after["ret"].null_count() == after.height
    assert market["ret"].null_count() == after.height + first_gaps(market)


def first_gaps(market):
    """Securities whose first month has no row: the one after has no return either."""
    first = market.filter(pl.col("month_end") == pl.col("month_end").min().over("security_id"))
    return first["ret"].null_count()


def test_momentum_needs_a_year_of_the_same_security(market):
    number = month_number(pl.col("month_end"))
    age = market.with_columns(age=number - number.min().over("security_id"))
    assert age.filter(pl.col("age") < 11)["momentum_12_2"].null_count() > 0
    # The first row is that of the second month, or of the third after a gap.
    assert age.drop_nulls("momentum_12_2")["age"].min() >= 11
    assert age.filter(pl.col("age") >= 12)["momentum_12_2"].null_count() == 0


def test_signals_are_those_of_the_returns_before(market):
    calendar = market.select(pl.col("month_end").unique().sort())
    grid = calendar.join(market.select(pl.col("security_id").unique()), how="cross")
    full = grid.join(market, on=["month_end", "security_id"], how="left").sort(
        "security_id", "month_end"
    )
    growth = [1 + pl.col("ret").shift(lag).over("security_id") for lag in range(2, 13)]
    product = growth[0]
    for factor in growth[1:]:
        product = product * factor
    checked = full.with_columns(
        momentum=product - 1,
        reversal=pl.col("ret").shift().over("security_id"),
        equity=pl.col("lagged_market_equity") * (1 + pl.col("ret")),
    ).drop_nulls(["momentum", "momentum_12_2"])
    assert checked.height > 0.7 * market.height
    assert (checked["momentum"] - checked["momentum_12_2"]).abs().max() < 1e-12
    both = checked.drop_nulls(["reversal", "reversal_1"])
    assert (both["reversal"] - both["reversal_1"]).abs().max() == 0


def test_market_equity_follows_the_return(market):
    follows = market.sort("security_id", "month_end").with_columns(
        grown=(pl.col("lagged_market_equity") * (1 + pl.col("ret"))).shift().over("security_id"),
        before=pl.col("month_end").shift().over("security_id"),
    )
    consecutive = follows.filter(
        pl.col("before") == pl.col("month_end").dt.offset_by("-1mo").dt.month_end()
    )
    ratio = consecutive["lagged_market_equity"] / consecutive["grown"]
    # Dividends take up to 1.2 % a quarter; shares issued change up to 5 % once a year.
    assert ratio.drop_nulls().is_between(0.94, 1.06).all()
    assert ratio.median() == pytest.approx(1, abs=1e-9)


def test_june_book_to_market_is_held_for_a_year(market):
    held = market.drop_nulls("book_to_market").with_columns(
        formed=pl.col("month_end").dt.offset_by("-6mo").dt.year()
    )
    values = held.group_by("security_id", "formed").agg(pl.col("book_to_market").n_unique())
    assert values["book_to_market"].max() == 1
    assert held["month_end"].min() == date(1964, 7, 31)
    monthly = market.group_by("security_id", pl.col("month_end").dt.year()).agg(
        pl.col("book_to_market_monthly").n_unique(), pl.len()
    )
    assert (monthly["book_to_market_monthly"] == monthly["len"]).mean() > 0.99


def test_december_ratio_is_what_july_holds(market):
    # The monthly ratio of a January row is that of the end of December.
    january = market.filter(pl.col("month_end").dt.month() == 1).select(
        "security_id",
        month_end=pl.col("month_end").dt.offset_by("6mo").dt.month_end(),
        december="book_to_market_monthly",
    )
    july = market.join(january, on=["security_id", "month_end"]).drop_nulls("book_to_market")
    assert july.height > 10 * STOCKS
    assert (july["book_to_market"] - july["december"]).abs().max() == 0


def test_the_value_weighted_market_is_the_factor(market):
    weighted = (
        market.drop_nulls("ret")
        .group_by("month_end")
        .agg(
            ret=(pl.col("ret") * pl.col("lagged_market_equity")).sum()
            / pl.col("lagged_market_equity").sum()
        )
    )
    joined = weighted.join(monthly_factors(MONTHS, seed=2), on="month_end")
    gap = (joined["ret"] - joined["rf"] - joined["mkt"]).to_numpy()
    # What is left are missing months and delisting returns.
    assert np.std(gap) < 0.001
    assert joined.select(pl.corr("ret", pl.col("mkt") + pl.col("rf"))).item() > 0.999


def test_fewer_months_are_the_beginning_of_more(market):
    short = monthly_market(STOCKS, 61, seed=2)
    assert short.equals(market.filter(pl.col("month_end") <= date(1968, 1, 31)))
    assert monthly_factors(61, 2).equals(monthly_factors(MONTHS, 2).head(61))


def test_another_seed_is_another_market(market):
    assert not monthly_market(STOCKS, MONTHS, seed=3).equals(market)


@pytest.mark.parametrize(
    ("stocks", "months", "message"),
    [(19, 60, "stocks is 19"), (100, 0, "months is 0"), (100, 1201, "years is 101")],
)
def test_numbers_out_of_range_are_refused(stocks, months, message):
    with pytest.raises(SettingsError, match=message):
        monthly_market(stocks, months)
