from datetime import date
from itertools import pairwise

import numpy as np
import pytest

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.sources.simulated import FACTORS, Premia, SimulationParameters
from factor_pipeline.sources.simulated.economy import simulate_economy

SEEDS = range(1, 9)


@pytest.fixture(scope="module", params=SEEDS)
def century(request):
    return simulate_economy(SimulationParameters(stocks=20, years=100, seed=request.param))


def test_the_exchange_was_open_as_often_as_its_calendars_say():
    # NYSE's yearly counts; 2004, 2012 and 2018 had one, two and one extra closings on top.
    counts = {2003: 252, 2010: 252, 2015: 252, 2020: 253, 2021: 252, 2022: 251, 2023: 250}
    counts |= {2004: 252 + 1, 2012: 250 + 2, 2018: 251 + 1, 2024: 252}
    for year, count in counts.items():
        assert len(trading_days(date(year, 1, 1), date(year + 1, 1, 1))) == count, year


@pytest.mark.parametrize(
    "holiday",
    [
        "2022-12-26",
        "2021-12-24",
        "2023-01-02",
        "2024-03-29",
        "2022-06-20",
        "2021-07-05",
        "2024-01-15",
    ],
)
def test_holidays_are_kept_on_the_days_the_exchange_kept_them(holiday):
    day = date.fromisoformat(holiday)
    assert day not in trading_days(day.replace(day=1), date(2025, 1, 1))


@pytest.mark.parametrize("day", ["2021-12-31", "2021-06-18", "1997-01-20", "2010-12-31"])
def test_days_that_only_look_like_holidays_are_open(day):
    day = date.fromisoformat(day)
    assert day in trading_days(day, date(2022, 1, 1))


def test_month_ends_are_those_of_the_panel():
    days = trading_days(date(1963, 1, 1), date(2064, 1, 1))
    ends = [day for day, after in pairwise(days) if day.month != after.month]
    assert [last_trading_day(day) for day in ends] == ends


def test_there_is_a_bear_market_and_a_recession_within_the_first_three_years(century):
    assert century.bear[:36].any()
    assert century.recession[:36].any()


def test_markets_fall_in_bear_phases(century):
    total = century.monthly[:, 0] + century.rf_monthly
    assert total[century.bear].mean() < -0.02
    wealth = np.cumprod(1 + total)
    assert (wealth / np.maximum.accumulate(wealth) - 1).min() < -0.25


def test_daily_market_returns_have_fat_tails_and_clustered_volatility(century):
    market = century.daily[:, 0] - century.daily[:, 0].mean()
    assert (market**4).mean() / (market**2).mean() ** 2 > 3.5
    size = np.abs(market)
    assert np.corrcoef(size[1:], size[:-1])[0, 1] > 0.15


def test_mean_factor_returns_are_the_premia_within_their_standard_errors(century):
    premia = Premia()
    for i, factor in enumerate(FACTORS):
        annual = century.daily[:, i] * 252
        # Four standard errors: one of 48 means is outside with probability .003.
        tolerance = 4 * annual.std() / np.sqrt(len(annual))
        assert annual.mean() == pytest.approx(getattr(premia, factor), abs=tolerance), factor


def test_without_premia_no_factor_is_rewarded():
    # Premia move each day's return by a constant but for rounding at 1e-6 a day.
    with_premia = simulate_economy(SimulationParameters(stocks=20, years=50))
    without = simulate_economy(SimulationParameters(stocks=20, years=50, premia=Premia.zero()))
    difference = (with_premia.daily - without.daily)[:, 1:] * 252
    expected = [getattr(Premia(), factor) for factor in FACTORS[1:]]
    np.testing.assert_allclose(difference.mean(axis=0), expected, atol=252e-6)
    drift = (with_premia.daily - without.daily)[:, 0]
    assert drift.mean() * 252 == pytest.approx(0.07, rel=0.05)


def test_a_month_compounds_its_days(century):
    for month in (0, 17, 600, 1199):
        rows = century.rows(month)
        total = np.prod(1 + century.daily[rows, 0] + century.rf_daily[rows]) - 1
        rf = np.prod(1 + century.rf_daily[rows]) - 1
        hml = np.prod(1 + century.daily[rows, 2]) - 1
        # Months are rounded to six decimals, the excess return twice.
        assert century.monthly[month, 0] == pytest.approx(total - rf, abs=1.1e-6)
        assert century.monthly[month, 2] == pytest.approx(hml, abs=0.6e-6)
        assert century.rf_monthly[month] == pytest.approx(rf, abs=0.6e-6)


def test_rates_are_positive_and_fall_in_recessions(century):
    assert century.short_rate.min() >= 0.001
    change = np.diff(century.short_rate)
    assert change[century.recession[1:]].mean() < change[~century.recession[1:]].mean()


def test_more_years_and_more_stocks_leave_the_economy_as_it_was():
    short = simulate_economy(SimulationParameters(stocks=20, years=5))
    long = simulate_economy(SimulationParameters(stocks=99, years=30))
    days, months = len(short.days), len(short.months)
    assert long.days[:days] == short.days
    assert np.array_equal(long.daily[:days], short.daily)
    assert np.array_equal(long.monthly[:months], short.monthly)
    assert np.array_equal(long.recession[:months], short.recession)
    assert np.array_equal(long.short_rate[:months], short.short_rate)
