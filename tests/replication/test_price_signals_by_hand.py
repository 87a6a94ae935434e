"""Signals from prices and daily risk, by hand."""

from datetime import date

import pytest

from factor_pipeline.months import add_months
from tests.replication.study import MILLION, Study, approx, day, month_ends, sheet

JUNE, JULY, AUGUST = date(2020, 6, 30), date(2020, 7, 31), date(2020, 8, 31)
FIRST = date(2019, 6, 1)


def peak_and_split() -> Study:
    """A close of 150 in February, two for one in April, 60 at the end of June."""
    prices = month_ends(FIRST, [100] * 10)
    prices.append(day(date(2020, 2, 10), 150, dividend=1.5))
    prices.append(day(date(2020, 4, 15), 50, split=2.0, dividend=1.0))
    prices += month_ends(date(2020, 4, 1), [50, 50, 60, 90])
    prices.append(day(date(2020, 5, 11), 50, dividend=0.25))
    return Study(prices)


def test_the_52_week_high_is_a_daily_close_on_todays_split_basis():
    assert peak_and_split().signals(JULY)["high_52w"] == approx(60 / (150 / 2))


def test_a_stock_at_its_high_is_at_1():
    assert peak_and_split().signals(AUGUST)["high_52w"] == 1.0


def test_a_high_of_thirteen_months_ago_is_forgotten():
    prices = [day(date(2019, 7, 15), 400), *month_ends(FIRST, [100] * 15)]
    found = Study(prices)
    assert found.signals(JULY)["high_52w"] == approx(100 / 400)  # July 2019 to June 2020
    assert found.signals(AUGUST)["high_52w"] == 1.0


def test_a_split_inside_the_month_of_the_high_is_undone():
    prices = month_ends(FIRST, [100] * 12)
    prices += [day(date(2020, 6, 3), 120), day(date(2020, 6, 8), 12, split=10.0), day(JUNE, 9)]
    found = Study(prices)
    assert found.of(JUNE)["high"] == 12.0
    assert found.of(JUNE)["split"] == 10.0
    assert found.signals(JULY)["high_52w"] == approx(9 / 12)


def test_dividends_are_brought_to_todays_shares():
    # 1.50 a share before the split, 1.00 on its day for an old share, 0.25 for a new one.
    found = peak_and_split().signals(JULY)["dividend_yield"]
    assert found == approx((1.5 / 2 + 1.0 / 2 + 0.25) / 60)


def test_the_dividend_of_the_day_of_a_split_is_that_of_the_old_share():
    study = peak_and_split()
    assert study.of(date(2020, 4, 30))["dividend"] == 0.5
    assert study.of(date(2020, 2, 29))["dividend"] == 1.5
    # 2 x 50 + 1 for an old share at 100, as in the return.
    assert study.of(date(2020, 4, 30))["ret"] == approx(0.01)


def test_a_stock_without_dividends_yields_0():
    assert Study(month_ends(FIRST, [100] * 14)).signals(JULY)["dividend_yield"] == 0.0


@pytest.mark.parametrize("column", ["high_52w", "dividend_yield"])
def test_a_year_must_be_complete(column):
    assert Study(month_ends(FIRST, [100] * 13)).signals(JULY)[column] is not None
    too_short = month_ends(date(2019, 7, 1), [100] * 12)
    assert Study(too_short).signals(JULY)[column] is None
    with_a_hole = month_ends(date(2018, 6, 1), [100] * 20 + [None] + [100] * 4)
    assert Study(with_a_hole).signals(JULY)[column] is None


def test_long_term_reversal_is_five_years_to_one_year_ago():
    # 10 at the end of t-61, 25 at the end of t-13, whatever comes between and after.
    between = [7.0 + month % 5 for month in range(47)]
    prices = [10.0, *between, 25.0, *[80.0] * 12]
    first = add_months(JULY, -61)
    assert Study(month_ends(first, prices)).signals(JULY)["reversal_60_13"] == approx(1.5)


def test_long_term_reversal_needs_all_its_months():
    prices: list[float | None] = [10.0] * 61
    first = add_months(JULY, -61)
    assert Study(month_ends(first, prices)).signals(JULY)["reversal_60_13"] == 0.0
    later = month_ends(add_months(first, 1), prices[1:])
    assert Study(later).signals(JULY)["reversal_60_13"] is None
    prices[30] = None
    assert Study(month_ends(first, prices)).signals(JULY)["reversal_60_13"] is None


def test_daily_risk_of_june_is_known_in_july():
    months = (date(2020, 5, 31), JUNE, JULY)
    risk = [(1, end, number / 1, number / 10, number / 100) for number, end in enumerate(months)]
    study = Study(month_ends(FIRST, [100] * 14), daily_risk=risk)
    row = study.signals(JULY)
    assert (row["beta"], row["volatility_252d"], row["idiosyncratic_volatility"]) == (1, 0.1, 0.01)
    assert study.signals(AUGUST)["beta"] == 2
    assert study.signals(date(2020, 5, 31))["beta"] is None


def test_value_and_momentum_of_three_stocks():
    """Momentum 0 %, 10 %, 20 %; book over December's market equity 3, 1 and 2; a fourth has none.

    Ranks 1, 2, 3 are -1, 0, 1 in standard deviations: the means are 0, -0.5 and 0.5.
    """
    prices, sheets = [], []
    for number, (momentum, ratio) in enumerate([(0.0, 3), (0.1, 1), (0.2, 2), (0.9, None)], 1):
        closes = [100.0] * 8 + [100 * (1 + momentum)] * 6
        prices += month_ends(FIRST, closes, number)
        filed = {"shares": MILLION, "equity": ratio and ratio * 100 * MILLION}
        ends = [(date(2018, 12, 31), date(2019, 3, 1)), (date(2019, 12, 31), date(2020, 2, 20))]
        sheets += [sheet(number, period_end=end, filed_at=at, **filed) for end, at in ends]
    study = Study(prices, sheets=sheets)
    found = [study.signals(JULY, number)["value_momentum"] for number in (1, 2, 3, 4)]
    assert found == [0.0, -0.5, 0.5, None]
