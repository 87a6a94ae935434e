"""Each rule of daily prices on a case made for it, and on what it must leave alone."""

from datetime import date
from functools import cache

import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.schemas.raw import PRICE_DAILY
from tests.unit.price_days import DATED, flags_in, prices, warehouse_of

DAYS = trading_days(date(2010, 1, 1), date(2011, 1, 1))
AT = 100
DAY = DAYS[AT]
NEXT = DAYS[AT + 1]
# Closes have four decimals, their quotients about six good digits.
ROUNDING = 1e-3
SERIES = 11  # one in eleven is under a tenth


def walk(seed: int, count: int = len(DAYS)) -> list[float]:
    """Closes of a stock with a volatility of 1 % a day, in cents of cents."""
    steps = 0.01 * np.random.default_rng(seed).standard_normal(count)
    return np.round(50 * np.exp(np.cumsum(steps)), 4).tolist()


@cache
def market(*left_out: date) -> pl.DataFrame:
    """Clean series, which make the calendar."""
    days = [day for day in DAYS if day not in left_out]
    return pl.concat(prices(f"C{i}", days, walk(i, len(days))) for i in range(SERIES))


def scaled(closes, factor, first=AT, last=None):
    return [
        round(close * factor, 4) if first <= i < (last or len(closes)) else close
        for i, close in enumerate(closes)
    ]


def column(value, usual, at=AT):
    return [value if i == at else usual for i in range(len(DAYS))]


@pytest.fixture(scope="module")
def flags(tmp_path_factory):
    """Flags of a series among clean ones."""
    store = warehouse_of(market(), tmp_path_factory.mktemp("rules"))

    def of(series: pl.DataFrame, clean: pl.DataFrame | None = None) -> pl.DataFrame:
        store.replace(PRICE_DAILY, pl.concat([market() if clean is None else clean, series]))
        return flags_in(store)

    return of


def found(flags: pl.DataFrame) -> list[tuple]:
    dated = flags.filter(pl.col("rule").is_in(DATED))
    return dated.select("rule", "subject", "fault_date", "known_date").rows()


def test_clean_series_have_no_flag(flags):
    assert flags(prices("X", DAYS, walk(50))).is_empty()


def test_a_true_crash_is_flagged_as_extreme_and_as_nothing_else(flags):
    closes = scaled(walk(50), 0.45)
    low, high = ([c * f for c in closes] for f in (0.98, 1.02))
    high[AT] = closes[AT - 1]
    series = prices("X", DAYS, closes, high=high, low=low)
    assert found(flags(series)) == [("extreme_return", "X", DAY, DAY)]


def test_a_booked_split_the_price_follows_is_no_fault(flags):
    series = prices("X", DAYS, scaled(walk(50), 0.5), split=column(2.0, 1.0))
    assert found(flags(series)) == []


def test_a_split_the_price_does_not_follow_is_found(flags):
    got = flags(prices("X", DAYS, walk(50), split=column(2.0, 1.0)))
    assert ("split_without_price_move", "X", DAY, DAY) in found(got)
    row = got.row(by_predicate=pl.col("rule") == "split_without_price_move", named=True)
    assert row["figure"] == pytest.approx(walk(50)[AT] / walk(50)[AT - 1])
    assert (row["expected"], row["file"]) == (0.5, "prices/X.csv")


@pytest.mark.parametrize(("booked", "known"), [(AT - 3, AT), (AT + 2, AT + 2)])
def test_a_split_booked_days_before_or_after_the_move_is_on_the_wrong_day(flags, booked, known):
    series = prices("X", DAYS, scaled(walk(50), 1 / 3), split=column(3.0, 1.0, booked))
    expected = ("split_on_wrong_day", "X", DAYS[booked], DAYS[known])
    got = found(flags(series))
    assert expected in got
    # Until the move comes, a split that is booked early is one without a move.
    early = ("split_without_price_move", "X", DAYS[booked], DAYS[booked])
    assert (early in got) == (booked < AT)


def test_a_split_that_only_the_adjusted_close_has_a_day_early_is_on_the_wrong_day(flags):
    closes = scaled(walk(50), 0.5)
    adjusted = scaled(walk(50), 0.5, first=0, last=AT - 1)
    adjusted = scaled(adjusted, 0.5)
    adjusted[AT - 1] = closes[AT - 1]
    got = found(flags(prices("X", DAYS, closes, adjusted_close=adjusted)))
    assert ("split_on_wrong_day", "X", DAYS[AT - 1], DAY) in got
    assert ("adjusted_close_disagrees", "X", DAYS[AT - 1], DAYS[AT - 1]) in got
    assert ("unbooked_split", "X", DAY, NEXT) in got


@pytest.mark.parametrize("ratio", [2.0, 4.0, 0.1])
def test_a_split_nobody_booked_is_found_on_a_quiet_day(flags, ratio):
    got = found(flags(prices("X", DAYS, scaled(walk(50), 1 / ratio))))
    assert ("unbooked_split", "X", DAY, NEXT) in got
    assert "ticker_splice" not in {row[0] for row in got}


def test_a_small_split_nobody_booked_is_found_where_the_adjusted_close_stands_still(flags):
    closes = scaled(walk(50), 2 / 3)
    by_price_alone = found(flags(prices("X", DAYS, closes)))
    assert by_price_alone == []
    got = found(flags(prices("X", DAYS, closes, adjusted_close=walk(50))))
    assert got == [
        ("adjusted_close_disagrees", "X", DAY, DAY),
        ("unbooked_split", "X", DAY, NEXT),
    ]


def test_a_spike_is_known_once_it_is_back_and_is_no_unbooked_split(flags):
    got = found(flags(prices("X", DAYS, scaled(walk(50), 0.5, last=AT + 1))))
    assert got[-1] == ("spike_reversal", "X", DAY, NEXT)
    assert {row[0] for row in got} == {"extreme_return", "spike_reversal"}


def test_a_day_of_high_volatility_that_reverts_is_no_spike(flags):
    closes = scaled(walk(50), 0.75, last=AT + 1)
    series = prices(
        "X", DAYS, closes, high=[c * 1.2 for c in closes], low=[c / 1.2 for c in closes]
    )
    assert found(flags(series)) == []


def test_a_decimal_point_for_a_day_is_one_flag_and_for_good_is_one(flags):
    for last in (AT + 1, None):
        got = found(flags(prices("X", DAYS, scaled(walk(50), 100, last=last))))
        shifts = [row for row in got if row[0] == "decimal_shift"]
        assert shifts == [("decimal_shift", "X", DAY, DAY)]


def test_a_reverse_split_that_is_booked_is_no_decimal_shift(flags):
    series = prices("X", DAYS, scaled(walk(50), 10), split=column(0.1, 1.0))
    assert found(flags(series)) == []


def test_another_company_in_the_series_is_a_splice(flags):
    got = found(flags(prices("X", DAYS, scaled(walk(50), 2.6))))
    assert got == [("extreme_return", "X", DAY, DAY), ("ticker_splice", "X", DAY, NEXT)]


def test_a_series_that_goes_on_after_a_year_is_a_splice(flags):
    years = trading_days(date(2010, 1, 1), date(2012, 1, 1))
    clean = pl.concat(prices(f"C{i}", years, walk(i, len(years))) for i in range(3))
    mine = [day for day in years if not date(2010, 5, 20) < day < date(2011, 6, 1)]
    got = found(flags(prices("X", mine, walk(50, len(mine))), clean))
    assert got == [
        ("price_gap_months", "X", date(2010, 6, 1), date(2011, 6, 1)),
        ("ticker_splice", "X", date(2011, 6, 1), date(2011, 6, 1)),
    ]


def test_a_dividend_of_a_quarter_of_the_price_looks_like_a_spin_off(flags):
    closes = scaled(walk(50), 0.75)
    paid = round(closes[AT - 1] / 4, 4)
    got = flags(prices("X", DAYS, closes, dividend=column(paid, 0.0)))
    assert found(got) == [("dividend_like_spin_off", "X", DAY, DAY)]
    assert got["figure"][0] == pytest.approx(0.25, abs=ROUNDING)


def test_a_usual_dividend_is_none(flags):
    assert found(flags(prices("X", DAYS, walk(50), dividend=column(0.5, 0.0)))) == []


def test_a_dividend_and_a_split_on_one_day_are_found(flags):
    series = prices(
        "X", DAYS, scaled(walk(50), 0.5), split=column(2.0, 1.0), dividend=column(0.2, 0.0)
    )
    assert found(flags(series)) == [("dividend_and_split_same_day", "X", DAY, DAY)]


def test_an_adjusted_close_that_goes_its_own_way_is_found(flags):
    adjusted = scaled(walk(50), 1.01)
    got = flags(prices("X", DAYS, walk(50), adjusted_close=adjusted))
    assert found(got) == [("adjusted_close_disagrees", "X", DAY, DAY)]
    ours, theirs = got.select("figure", "expected").row(0)
    assert theirs - ours == pytest.approx(0.01, abs=ROUNDING)


def test_the_first_row_without_adjusted_close_is_found(flags):
    adjusted = [None if AT <= i < AT + 5 else close for i, close in enumerate(walk(50))]
    got = found(flags(prices("X", DAYS, walk(50), adjusted_close=adjusted)))
    assert got == [("adjusted_close_missing", "X", DAY, DAY)]


def test_eight_equal_closes_are_stale_and_seven_are_not(flags):
    for count in (7, 8):
        closes = walk(50)
        closes[AT : AT + count] = [closes[AT]] * count
        got = found(flags(prices("X", DAYS, closes)))
        assert got == ([("stale_price", "X", DAY, DAYS[AT + 7])] if count > 7 else [])


def test_the_first_day_of_a_run_without_trades_is_found(flags):
    volume = [0.0 if i in {AT, AT + 1, AT + 5} else 1e6 for i in range(len(DAYS))]
    got = found(flags(prices("X", DAYS, walk(50), volume=volume)))
    assert got == [("zero_volume", "X", day, day) for day in (DAY, DAYS[AT + 5])]


def test_days_the_market_traded_without_the_series_are_missing(flags):
    mine = [*DAYS[:AT], *DAYS[AT + 2 :]]
    got = flags(prices("X", mine, walk(50, len(mine))))
    assert found(got) == [("missing_day", "X", DAY, DAYS[AT + 2])]
    assert got["figure"].to_list() == [2.0]


def test_a_day_on_which_the_market_did_not_trade_is_not_missing(flags):
    mine = [day for day in DAYS if day != DAY]
    assert found(flags(prices("X", mine, walk(50, len(mine))), market(DAY))) == []


def test_a_row_on_a_day_without_a_market_is_off_the_calendar(flags):
    got = flags(prices("X", DAYS, walk(50)), market(DAY))
    assert found(got) == [("day_off_calendar", "X", DAY, DAY)]
    assert got.select("figure", "expected").row(0) == (1.0, SERIES + 1)


def test_a_holiday_on_which_a_third_trade_is_off_the_calendar(flags):
    holiday = date(2010, 7, 5)
    mine = sorted([*DAYS, holiday])
    some = pl.concat(prices(name, mine, walk(50, len(mine))) for name in ("X", "Y", "Z"))
    few = pl.concat(prices(f"C{i}", DAYS, walk(i)) for i in range(6))
    rules = {row[0] for row in found(flags(some, few))}
    assert "day_off_calendar" in rules


def test_months_without_a_row_are_one_gap_and_no_missing_days(flags):
    mine = [day for day in DAYS if day.month not in {5, 6}]
    got = flags(prices("X", mine, walk(50, len(mine))))
    assert found(got) == [("price_gap_months", "X", date(2010, 5, 1), date(2010, 7, 1))]
    assert got["figure"].to_list() == [2.0]


def test_a_copy_of_another_series_is_found_on_its_sixty_third_day(flags):
    closes = walk(50)
    closes[40 : 40 + 90] = walk(3)[40 : 40 + 90]
    got = flags(prices("X", DAYS, closes)).filter(pl.col("rule") == "same_prices_as_another")
    assert found(got) == [("same_prices_as_another", "X", DAYS[40], DAYS[40 + 62])]
    assert got["detail"].to_list() == ["days in a row with the closes of C3"]


def test_two_series_that_stand_still_are_no_copies(flags):
    got = flags(pl.concat(prices(name, DAYS, [10.0] * len(DAYS)) for name in ("X", "Y")))
    assert set(got["rule"]) == {"stale_price"}


def test_data_that_end_within_a_month_say_so(flags):
    cut = [day for day in DAYS if day <= date(2010, 11, 17)]
    clean = pl.concat(prices(f"C{i}", cut, walk(i, len(cut))) for i in range(3))
    got = flags(prices("X", cut[:-2], walk(50, len(cut) - 2)), clean)
    rows = got.select("rule", "subject", "fault_date", "known_date").rows()
    assert rows == [
        ("ends_early", "X", cut[-3], cut[-1]),
        ("partial_last_month", "every series", cut[-1], cut[-1]),
    ]


def test_a_bar_of_the_first_hour_is_a_partial_bar(flags):
    closes, last = walk(50), len(DAYS) - 1
    series = prices(
        "X",
        DAYS,
        closes,
        volume=column(1e5, 1e6, last),
        high=[c * (1.0005 if i == last else 1.005) for i, c in enumerate(closes)],
        low=[c * (0.9995 if i == last else 0.995) for i, c in enumerate(closes)],
    )
    got = flags(series)
    assert set(got["rule"]) == {"partial_last_bar"}
    assert got["figure"].to_list() == [pytest.approx(0.1)]
