from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.drawdown import DRAWDOWN_SCHEMA, drawdowns

MONTH_ENDS = (
    pl.date_range(date(2019, 12, 1), date(2030, 1, 1), "1mo", eager=True).dt.month_end().to_list()
)


def series(returns, name="test"):
    """Returns from January 2020 on."""
    return pl.DataFrame(
        {"strategy": name, "month_end": MONTH_ENDS[1 : len(returns) + 1], "net": returns},
        schema={"strategy": pl.String, "month_end": pl.Date, "net": pl.Float64},
    )


def wealth_of(returns):
    wealth = [1.0]
    for ret in returns:
        wealth.append(wealth[-1] * (1 + ret))
    return wealth


def test_depth_and_dates_of_a_fall_and_its_recovery():
    # Wealth 1.25, 1, 0.75, 1, 1.25: the high is touched again, not passed.
    result = drawdowns(series([0.25, -0.2, -0.25, 1 / 3, 0.25]))
    assert result.rows() == [
        ("test", -0.4, date(2020, 1, 31), date(2020, 3, 31), date(2020, 5, 31))
    ]


def test_a_fall_from_the_start_peaks_on_the_day_before_the_first_month():
    result = drawdowns(series([-0.5, 0.5]))
    assert result.rows() == [("test", -0.5, date(2019, 12, 31), date(2020, 1, 31), None)]


def test_the_peak_is_the_last_month_at_the_high_and_the_trough_the_first_at_the_low():
    result = drawdowns(series([0.0, 0.0, -0.5, 0.0, 0.0, 1.0]))
    assert result.rows() == [
        ("test", -0.5, date(2020, 2, 29), date(2020, 3, 31), date(2020, 6, 30))
    ]


def test_spells_are_listed_one_after_the_other():
    result = drawdowns(series([-0.5, 1.0, -0.25, 1.0, -0.125]))
    assert result["depth"].to_list() == [-0.5, -0.25, -0.125]
    assert result["peak"].to_list() == [MONTH_ENDS[0], MONTH_ENDS[2], MONTH_ENDS[4]]
    assert result["recovery"].to_list() == [MONTH_ENDS[2], MONTH_ENDS[4], None]


def test_a_total_loss_never_recovers():
    result = drawdowns(series([0.5, -1.0, 5.0]))
    assert result.rows() == [("test", -1.0, MONTH_ENDS[1], MONTH_ENDS[2], None)]


def test_months_without_a_return_leave_wealth_as_it_is():
    result = drawdowns(series([0.5, None, -0.5, None, 1.0]))
    assert result.rows() == [("test", -0.5, MONTH_ENDS[1], MONTH_ENDS[3], MONTH_ENDS[5])]


@pytest.mark.parametrize("returns", [[], [None], [0.1, 0.0, 0.2]])
def test_without_a_fall_there_is_no_row(returns):
    result = drawdowns(series(returns))
    assert result.is_empty()
    assert result.schema == DRAWDOWN_SCHEMA


def test_strategies_are_kept_apart_whatever_the_order_of_rows():
    both = pl.concat([series([0.5, -0.5], "b"), series([-0.25], "a")])
    assert drawdowns(both)["depth"].to_list() == [-0.25, -0.5]
    assert drawdowns(both.reverse()).equals(drawdowns(both))


monthly = st.lists(st.floats(-0.9, 2.0), min_size=1, max_size=60)


@given(returns=monthly)
def test_the_deepest_spell_is_the_worst_of_all_pairs_of_months(returns):
    wealth = wealth_of(returns)
    pairs = [
        wealth[j] / wealth[i] - 1 for i in range(len(wealth)) for j in range(i + 1, len(wealth))
    ]
    found = drawdowns(series(returns))["depth"].min() or 0.0
    # The same divisions of the same products: equal to the bit.
    assert found == min(*pairs, 0.0)


@given(returns=monthly)
def test_wealth_at_the_dates_is_what_they_say(returns):
    wealth = dict(zip(MONTH_ENDS, wealth_of(returns), strict=False))
    for _, depth, peak, trough, recovery in drawdowns(series(returns)).iter_rows():
        before = [w for day, w in wealth.items() if day <= peak]
        below = [
            w for day, w in wealth.items() if peak < day and (recovery is None or day < recovery)
        ]
        assert wealth[peak] == max(before)
        assert all(w < wealth[peak] for w in below)
        assert wealth[trough] == min(below)
        assert depth == wealth[trough] / wealth[peak] - 1
        assert recovery is None or wealth[recovery] >= wealth[peak]
