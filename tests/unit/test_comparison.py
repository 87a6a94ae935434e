from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.comparison import comparison

# statsmodels solves by pseudo-inverse, we by exactly rounded sums.
SOLVER_NOISE = 1e-12

MONTHS = pl.date_range(date(2000, 1, 1), date(2009, 12, 1), "1mo", eager=True).dt.month_end()
STATISTICS = ("correlation", "slope", "intercept", "r2", "mean_difference")


def series(values, factor="HML", first=0, **more: str):
    return pl.DataFrame(
        {"month_end": MONTHS[first : first + len(values)], "ret": values},
        schema_overrides={"ret": pl.Float64},
    ).with_columns(
        factor=pl.lit(factor),
        stocks=100 + first + pl.int_range(pl.len()),
        **{name: pl.lit(v) for name, v in more.items()},
    )


def library(values, vintage="202412", **more):
    return series(values, vintage=vintage, **more)


def noisy_pair(months, seed=1):
    rng = np.random.default_rng(seed)
    theirs = rng.normal(0.004, 0.03, months)
    return 0.001 + 0.8 * theirs + rng.normal(0, 0.01, months), theirs


def only(frame):
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize("months", [24, 120])
def test_statistics_are_those_of_statsmodels(months):
    ours, theirs = noisy_pair(months)
    found = only(comparison(series(ours), library(theirs)))
    model = sm.OLS(ours, sm.add_constant(theirs)).fit()
    assert found["intercept"] == pytest.approx(model.params[0], abs=SOLVER_NOISE)
    assert found["slope"] == pytest.approx(model.params[1], abs=SOLVER_NOISE)
    assert found["r2"] == pytest.approx(model.rsquared, abs=SOLVER_NOISE)
    assert found["correlation"] == pytest.approx(np.corrcoef(ours, theirs)[0, 1], abs=SOLVER_NOISE)
    assert found["mean_difference"] == pytest.approx(np.mean(ours - theirs), abs=SOLVER_NOISE)


def test_only_months_both_have_are_compared():
    ours, theirs = noisy_pair(60)
    expected = only(comparison(series(ours[10:50], first=10), library(theirs[10:50], first=10)))
    found = only(comparison(series(ours[:50]), library(theirs[10:], first=10)))
    assert found == expected
    assert (found["months"], found["first_month"], found["last_month"]) == (
        40,
        date(2000, 11, 30),
        date(2004, 2, 29),
    )


def test_a_missing_return_on_either_side_leaves_its_month_out():
    ours, theirs = (values.tolist() for values in noisy_pair(30))
    gaps_ours = [None, float("nan"), *ours[2:]]
    gaps_theirs = [*theirs[:28], None, float("inf")]
    found = only(comparison(series(gaps_ours), library(gaps_theirs)))
    expected = only(comparison(series(ours[2:28], first=2), library(theirs[2:28], first=2)))
    assert found == expected
    assert found["months"] == 26


def test_fewer_than_24_months_keep_the_window_but_no_statistics():
    ours, theirs = noisy_pair(23)
    found = only(comparison(series(ours), library(theirs)))
    assert [found[name] for name in STATISTICS] == [None] * len(STATISTICS)
    assert (found["months"], found["last_month"]) == (23, date(2001, 11, 30))


def test_no_common_month_leaves_an_empty_window():
    ours, theirs = noisy_pair(24)
    found = only(comparison(series(ours), library(theirs, first=24)))
    assert (found["months"], found["first_month"], found["last_month"]) == (0, None, None)


def test_stocks_are_counted_over_the_common_months():
    ours, theirs = noisy_pair(60)
    found = only(comparison(series(ours[:50]), library(theirs[10:], first=10)))
    assert found["stocks"] == 100 + (10 + 49) / 2


def test_a_factor_without_any_return_is_reported_all_the_same():
    _, theirs = noisy_pair(30)
    found = only(comparison(series([None] * 30), library(theirs)))
    assert (found["factor"], found["months"], found["stocks"]) == ("HML", 0, None)


def test_vintages_are_compared_apart_and_other_factors_left_out():
    ours, theirs = noisy_pair(36)
    old, new = library(theirs, "202412"), library(theirs * 2, "202512")
    rates = library(theirs, "202412", factor="RF")
    own = pl.concat([series(ours), series(ours, factor="BAB")])
    found = comparison(own, pl.concat([new, rates, old]))
    assert found["factor", "vintage"].rows() == [("HML", "202412"), ("HML", "202512")]
    assert found["slope"][0] == pytest.approx(2 * found["slope"][1], rel=1e-12)
    assert found["correlation"][0] == pytest.approx(found["correlation"][1], rel=1e-12)


def test_a_series_that_never_moves_has_no_correlation():
    ours, theirs = noisy_pair(24)
    flat = [0.1] * 24  # whose mean is not 0.1 in binary when summed naively
    of_library = only(comparison(series(ours), library(flat)))
    assert [of_library[name] for name in STATISTICS[:-1]] == [None] * 4
    assert of_library["mean_difference"] == pytest.approx(np.mean(ours) - 0.1, abs=SOLVER_NOISE)
    of_ours = only(comparison(series(flat), library(theirs)))
    assert (of_ours["correlation"], of_ours["r2"], of_ours["slope"]) == (None, None, 0.0)


@settings(deadline=None)
@given(seed=st.integers(0, 1000), scale=st.floats(1e-8, 1e3))
def test_equal_series_correlate_perfectly_and_never_more(seed, scale):
    _, theirs = noisy_pair(40, seed)
    found = only(comparison(series(theirs * scale), library(theirs)))
    assert found["correlation"] == pytest.approx(1, abs=SOLVER_NOISE)
    assert found["correlation"] <= 1
    assert found["slope"] == pytest.approx(scale, rel=SOLVER_NOISE)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_no_bit(seed):
    ours, theirs = noisy_pair(50)
    own = pl.concat([series(ours), series(theirs, factor="SMB")])
    both = pl.concat([library(theirs), library(ours, factor="SMB")])
    found = comparison(
        own.sample(fraction=1, shuffle=True, seed=seed),
        both.sample(fraction=1, shuffle=True, seed=seed + 1),
    )
    assert found.equals(comparison(own, both))


def test_nothing_to_compare_is_no_row():
    found = comparison(series([]), library([]))
    assert found.is_empty()
    assert found.schema == comparison(series([0.1]), library([0.1])).schema
