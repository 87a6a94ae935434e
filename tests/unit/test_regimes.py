"""Regimes of economies made by hand, transition by transition."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.regimes.inputs import (
    LAG_MONTHS,
    MAX_CARRIED_MONTHS,
    PUBLISHED_LATE,
    SERIES,
    missing_series,
)
from factor_pipeline.compute.regimes.rule import REGIME_SCHEMA, regimes
from factor_pipeline.errors import DataError
from factor_pipeline.months import add_months

START = date(2000, 1, 1)
MONTHS = 80
# One rounding of a quotient or sum of numbers of order 1.
ROUNDING = 1e-14


def month(i: int) -> date:
    return add_months(START, i)


def economy(months: int = MONTHS, **changed: object) -> pl.DataFrame:
    """Prices and production grow by 0.2 % a month, rates stand still, no recession.

    ``changed`` maps a series to another function of the month's number; None is a blank.
    """
    calm = {
        "CPIAUCSL": lambda i: 100 * 1.002**i,
        "INDPRO": lambda i: 100 * 1.002**i,
        "FEDFUNDS": lambda _: 3.0,
        "T10Y2Y": lambda _: 1.0,
        "USREC": lambda _: 0.0,
    }
    rows = []
    for name, value in (calm | changed).items():
        for i in range(months):
            day = last_trading_day(month(i)) if name == "T10Y2Y" else month(i)
            rows.append({"series": name, "date": day, "value": value(i)})
    return pl.DataFrame(rows, schema_overrides={"value": pl.Float64}).drop_nulls("value")


def of_variant(macro: pl.DataFrame, variant: str = "final") -> dict[date, dict[str, object]]:
    rows = regimes(macro).filter(pl.col("variant") == variant).iter_rows(named=True)
    return {row["month_end"].replace(day=1): row for row in rows}


def told(macro: pl.DataFrame, *numbers: int, variant: str = "final") -> list[str | None]:
    rows = of_variant(macro, variant)
    return [rows[month(i)]["regime"] for i in numbers]


def recession_from(first: int, last: int):
    return lambda i: float(first <= i <= last)


def production(*, peak: int, trough: int, fall: float, regain: int):
    """100 until ``peak``, a straight fall to ``trough``, and a straight way back to 100."""

    def level(i: int) -> float:
        points = [(0, 100.0), (peak, 100.0), (trough, 100.0 * (1 - fall)), (regain, 100.0)]
        return float(np.interp(i, *zip(*points, strict=True)))

    return level


def test_a_calm_economy_expands_once_inflation_has_a_past():
    # Inflation needs a year, and its mean 24 months more; until then only that the policy rate
    # stands still says that the economy does not overheat, which takes a year of it.
    assert told(economy(), 11, 12, 36, MONTHS - 1) == [None, "expansion", "expansion", "expansion"]


def test_a_recession_is_that_of_nber_and_recovery_lasts_until_production_is_back():
    macro = economy(
        USREC=recession_from(41, 46),
        INDPRO=production(peak=40, trough=46, fall=0.06, regain=52),
    )
    expected = ["expansion", "recession", "recession", "recovery", "recovery", "expansion"]
    assert told(macro, 40, 41, 46, 47, 51, 52) == expected


def test_recovery_ends_after_24_months_even_without_a_new_peak():
    macro = economy(
        USREC=recession_from(41, 46),
        INDPRO=production(peak=40, trough=46, fall=0.06, regain=1000),
    )
    assert told(macro, 47, 70, 71) == ["recovery", "recovery", "expansion"]


def test_a_new_recession_interrupts_a_recovery_and_starts_its_own():
    macro = economy(
        USREC=lambda i: float(41 <= i <= 43 or 50 <= i <= 52),
        INDPRO=production(peak=40, trough=46, fall=0.06, regain=1000),
    )
    assert told(macro, 49, 50, 53, 76, 77) == [
        *("recovery", "recession", "recovery", "recovery", "expansion"),
    ]


def rising_prices(i: int) -> float:
    return 100 * 1.002**i * 1.004 ** max(0, i - 50)


def raised_rate(i: int) -> float:
    return 3.0 if i <= 50 else 3.5


def test_high_and_rising_inflation_with_a_raised_rate_is_the_late_cycle():
    macro = economy(CPIAUCSL=rising_prices, FEDFUNDS=raised_rate)
    # Both rise from month 51 on; a year later the rate is what it was a year before.
    assert told(macro, 50, 51, 62, 63) == ["expansion", "late cycle", "late cycle", "expansion"]


def slowed_prices(i: int) -> float:
    """1 % a month up to month 30, then hardly anything, but ever faster."""
    return 100 * 1.01 ** min(i, 30) * 1.0001 ** (i**1.2)


@pytest.mark.parametrize(
    "changed",
    [
        {"CPIAUCSL": rising_prices},
        {"CPIAUCSL": lambda _: 100.0, "FEDFUNDS": raised_rate},
        {"CPIAUCSL": slowed_prices, "FEDFUNDS": raised_rate},
    ],
    ids=["rate not raised", "inflation stands still", "inflation below its mean"],
)
def test_one_sign_of_overheating_missing_is_still_an_expansion(changed):
    macro = economy(**changed)
    assert told(macro, 57, 60) == ["expansion"] * 2
    # What is missing in each case is what its name says.
    row = of_variant(macro)[month(57)]
    signs = (
        row["inflation"] > row["inflation_mean"],
        row["inflation_change"] > 0,
        row["fed_funds_change"] > 0,
    )
    assert signs in {(True, True, False), (False, False, True), (False, True, True)}


@pytest.mark.parametrize(("slope", "regime"), [(0.25, "late cycle"), (0.26, "expansion")])
def test_a_flat_curve_is_the_late_cycle(slope, regime):
    assert told(economy(T10Y2Y=lambda _: slope), 40) == [regime]


def test_recession_and_recovery_come_before_the_late_cycle():
    macro = economy(
        T10Y2Y=lambda _: -1.0,
        USREC=recession_from(41, 46),
        INDPRO=production(peak=40, trough=46, fall=0.06, regain=52),
    )
    found = ["late cycle", "recession", "recovery", "late cycle"]
    assert told(macro, 40, 41, 47, 52) == found


def test_the_measures_are_those_worked_out_by_hand():
    macro = economy(
        CPIAUCSL=rising_prices,
        FEDFUNDS=raised_rate,
        INDPRO=production(peak=40, trough=46, fall=0.06, regain=1000),
    )
    row = of_variant(macro)[month(52)]
    assert row["inflation"] == pytest.approx(1.002**12 * 1.004**2 - 1, abs=ROUNDING)
    # The first yearly rate is that of month 12; of months 12 to 51 only the last is higher.
    mean = (1.002**12 * (39 + 1.004)) / 40 - 1
    assert row["inflation_mean"] == pytest.approx(mean, abs=ROUNDING)
    assert row["inflation_change"] == pytest.approx(1.002**12 * (1.004**2 - 1), abs=ROUNDING)
    level = 94 + 6 * (52 - 46) / (1000 - 46)
    assert row["production_growth"] == pytest.approx(level / 94 - 1, abs=ROUNDING)
    assert row["production_from_peak"] == pytest.approx(level / 100 - 1, abs=ROUNDING)
    assert row["fed_funds"] == pytest.approx(0.035, abs=ROUNDING)
    assert row["fed_funds_change"] == pytest.approx(0.005, abs=ROUNDING)
    assert (row["yield_slope"], row["carried_inputs"], row["recession"]) == (0.01, 0, False)


def test_the_mean_of_inflation_is_of_the_60_months_before():
    macro = economy(
        months=90, CPIAUCSL=lambda i: 100 * 1.02 ** min(i, 13) * 1.002 ** max(0, i - 13)
    )
    rows = of_variant(macro)
    # Month 25 is the first whose year lies wholly after the change of pace.
    assert rows[month(85)]["inflation_mean"] == pytest.approx(1.002**12 - 1, abs=ROUNDING)
    assert rows[month(84)]["inflation_mean"] > 1.002**12 - 1 + 1e-6


def test_the_slope_of_a_month_is_the_mean_of_its_days():
    macro = economy()
    first_days = [{"series": "T10Y2Y", "date": month(40), "value": 0.0}]
    row = of_variant(pl.concat([macro, pl.DataFrame(first_days)]))[month(40)]
    assert row["yield_slope"] == 0.005


def test_in_real_time_a_fall_of_production_by_two_percent_in_six_months_is_a_recession():
    # 0.55 of 100 a month from month 40 on: down by 2.2 % in month 44, known before month 46.
    macro = economy(INDPRO=production(peak=40, trough=48, fall=0.044, regain=54))
    assert told(macro, 45, 46, variant="real_time") == ["expansion", "recession"]
    # On the way back, six months take 2.05 % in month 49 and 0.75 % in month 50.
    rows = of_variant(macro, "real_time")
    assert rows[month(51)]["production_growth"] < -0.02 < rows[month(52)]["production_growth"]
    # The old peak is reached in month 54, known before month 56.
    assert told(macro, 51, 52, 55, 56, variant="real_time") == [
        *("recession", "recovery", "recovery", "expansion"),
    ]


def test_in_real_time_nber_is_not_listened_to():
    macro = economy(USREC=recession_from(41, 46))
    assert told(macro, 41, 46, variant="real_time") == ["expansion"] * 2


def test_real_time_rows_show_the_observations_published_before_the_month():
    macro = economy(INDPRO=lambda i: 100.0 - i / 10, FEDFUNDS=float, T10Y2Y=float)
    row = of_variant(macro, "real_time")[month(50)]
    assert row["production_growth"] == pytest.approx(95.2 / 95.8 - 1, abs=ROUNDING)
    assert (row["fed_funds"], row["yield_slope"]) == (0.48, 0.49)


def known_before(macro: pl.DataFrame, first_day: date) -> pl.DataFrame:
    """What had been published before a day, by the lags of the series."""
    lags = pl.col("series").replace_strict(LAG_MONTHS, default=0, return_dtype=pl.Int64)
    monthly = pl.col("series") != "T10Y2Y"
    usable = pl.col("date").dt.offset_by(pl.format("{}mo", lags)) <= first_day
    return macro.filter(
        pl.when(monthly)
        .then(usable | (pl.col("series") == "USREC"))
        .otherwise(pl.col("date") < first_day)
    )


def noisy_economy(seed: int, months: int = MONTHS) -> pl.DataFrame:
    draws = np.random.default_rng(seed).normal(size=(4, months))
    blank = np.random.default_rng(seed + 1).uniform(size=(4, months)) < 0.04
    paths = {
        "CPIAUCSL": 100 * np.cumprod(1.002 + 0.003 * draws[0]),
        "INDPRO": 100 * np.cumprod(1.001 + 0.008 * draws[1]),
        "FEDFUNDS": 3 + np.cumsum(0.1 * draws[2]),
        "T10Y2Y": 0.5 + np.cumsum(0.1 * draws[3]),
    }
    changed = {
        name: (lambda i, row=row, path=path: None if blank[row, i] else float(path[i]))
        for row, (name, path) in enumerate(paths.items())
    }
    # The clock of the data has no gap at its end.
    changed["T10Y2Y"] = lambda i: float(paths["T10Y2Y"][i])
    return economy(months, **changed, USREC=lambda i: float(draws[1][i] < -1.5))


def test_real_time_regimes_are_the_same_bits_on_what_was_known_before_the_month():
    macro = noisy_economy(1)
    full = regimes(macro).filter(pl.col("variant") == "real_time")
    assert full["regime"].n_unique() == 5
    for i in range(5, MONTHS + 1):
        then = regimes(known_before(macro, month(i))).filter(pl.col("variant") == "real_time")
        until = full.filter(pl.col("month_end") < month(i + 1))
        assert then.tail(1)["month_end"].item().replace(day=1) == month(i)
        assert then.equals(until)


def test_final_regimes_are_the_same_bits_on_observations_up_to_their_month():
    macro = noisy_economy(2)
    full = regimes(macro).filter(pl.col("variant") == "final")
    for i in range(4, MONTHS):
        until = macro.filter(pl.col("date") < month(i + 1))
        then = regimes(until).filter(pl.col("variant") == "final")
        assert then.equals(full.filter(pl.col("month_end") < month(i + 1)))


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_observations_changes_no_bit(seed):
    macro = noisy_economy(3, months=48)
    assert regimes(macro.sample(fraction=1, shuffle=True, seed=seed)).equals(regimes(macro))


def test_a_blank_is_carried_on_and_counted_for_three_months_at_most():
    gone = range(45, 45 + MAX_CARRIED_MONTHS + 1)
    macro = economy(FEDFUNDS=lambda i: None if i in gone else 3.0 + i)
    rows = of_variant(macro)
    assert [rows[month(i)]["carried_inputs"] for i in (44, 45, 47, 48, 49)] == [0, 1, 1, 0, 0]
    assert [rows[month(i)]["fed_funds"] for i in (44, 47, 48, 49)] == [0.47, 0.47, None, 0.52]


def test_inflation_over_a_blank_base_is_blank_too():
    macro = economy(CPIAUCSL=lambda i: None if i == 45 else 100 * 1.002**i * 1.0001 ** (i * i))
    rows = of_variant(macro)
    assert rows[month(45)]["inflation"] == rows[month(44)]["inflation"]
    assert rows[month(57)]["inflation"] == rows[month(56)]["inflation"]
    assert rows[month(58)]["inflation"] > rows[month(57)]["inflation"]
    assert [rows[month(i)]["carried_inputs"] for i in (44, 45, 46, 57, 58)] == [0, 1, 0, 1, 0]


def test_an_observation_that_came_out_late_is_used_late():
    (name, observed), published = min(PUBLISHED_LATE.items())
    assert (name, observed, published) == ("INDPRO", date(2025, 9, 1), date(2025, 12, 3))
    months = 12 * 26
    rows = of_variant(economy(months, INDPRO=lambda i: float(1 + i)), "real_time")
    # Levels of August (308 months after the start) and of November 2025.
    shown = {at: rows[at]["production_growth"] for at in rows if at >= date(2025, 10, 1)}
    assert shown == {
        date(2025, 10, 1): 308 / 302 - 1,
        date(2025, 11, 1): 308 / 302 - 1,
        date(2025, 12, 1): 308 / 302 - 1,
        date(2026, 1, 1): 311 / 305 - 1,
    }
    assert rows[date(2025, 12, 1)]["carried_inputs"] == 1


def test_rows_end_with_the_last_month_whose_yield_curve_is_complete():
    macro = economy()
    running = {"series": "T10Y2Y", "date": month(MONTHS) + timedelta(days=9), "value": 1.0}
    for given_rows in (macro, pl.concat([macro, pl.DataFrame([running])])):
        assert max(of_variant(given_rows)) == month(MONTHS - 1)
        assert max(of_variant(given_rows, "real_time")) == month(MONTHS)


@pytest.mark.parametrize("name", SERIES)
def test_without_one_of_the_series_there_are_no_regimes(name):
    macro = economy().filter(pl.col("series") != name)
    assert missing_series(macro) == [name]
    found = regimes(macro)
    assert found.is_empty()
    assert found.schema == REGIME_SCHEMA


def test_two_observations_of_a_day_are_refused():
    macro = economy()
    with pytest.raises(DataError, match="two observations have the same series CPIAUCSL"):
        regimes(pl.concat([macro, macro.head(1)]))
