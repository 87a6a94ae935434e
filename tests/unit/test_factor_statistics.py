"""Descriptions, verdicts, correlations, rolling means and spanning of factor returns."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from statsmodels.regression.linear_model import OLS

from factor_pipeline.compute.statistics.correlation import correlations
from factor_pipeline.compute.statistics.description import describe
from factor_pipeline.compute.statistics.rolling import ROLLING_MONTHS, rolling_means
from factor_pipeline.compute.statistics.spanning import spanning
from factor_pipeline.compute.statistics.verdicts import with_verdicts
from factor_pipeline.errors import DataError

KEY = ("source", "vintage", "factor")
FAMILY = ("source", "vintage")
# Sums of a few hundred doubles of one size.
ROUNDING = 1e-12


def months(count, year=1990):
    return (
        pl.date_range(date(year, 1, 1), date(2100, 1, 1), "1mo", eager=True)
        .head(count)
        .dt.month_end()
    )


def factor(name, returns, *, source="own", vintage=None, year=1990):
    return pl.DataFrame(
        {"factor": name, "month_end": months(len(returns), year), "ret": returns}
    ).with_columns(source=pl.lit(source), vintage=pl.lit(vintage, pl.String))


def several(count=6, length=240, seed=3):
    rng = np.random.default_rng(seed)
    names = ["MKT", "SMB", "HML", "UMD", "RMW", "CMA"][:count]
    common = rng.normal(0.003, 0.02, length)
    return pl.concat(
        [factor(name, common * 0.5 + rng.normal(0.002, 0.03, length)) for name in names]
    )


def test_figures_of_a_period_by_hand():
    # Two years of 10 % and -10 % by turns: wealth falls from the first high for ever.
    row = describe(factor("X", [0.1, -0.1] * 12), KEY, FAMILY).row(0, named=True)
    deviation = 0.1 * math.sqrt(24 / 23)
    assert (row["period"], row["months"], row["nw_lag"]) == ("full", 24, 2)
    assert (row["first_month"], row["last_month"]) == (date(1990, 1, 31), date(1991, 12, 31))
    assert row["mean"] == pytest.approx(0, abs=ROUNDING)
    assert row["volatility"] == pytest.approx(deviation * math.sqrt(12), rel=ROUNDING)
    assert row["cagr"] == pytest.approx(0.99**6 - 1, rel=ROUNDING)
    assert row["excess_kurtosis"] == pytest.approx(-2, rel=ROUNDING)
    assert row["autocorrelation"] == pytest.approx(-23 / 24, rel=ROUNDING)
    assert (row["hit_rate"], row["best_month"], row["worst_month"]) == (0.5, 0.1, -0.1)
    assert row["max_drawdown"] == pytest.approx(0.9 * 0.99**11 - 1, rel=ROUNDING)
    assert row["drawdown_peak"] == date(1990, 1, 31)
    assert row["drawdown_trough"] == date(1991, 12, 31)
    assert row["drawdown_recovery"] is None


def test_figures_equal_those_of_scipy_and_statsmodels():
    ret = np.random.default_rng(5).standard_t(5, 300) * 0.03 + 0.004
    row = describe(factor("X", ret), KEY, FAMILY).filter(period="full").row(0, named=True)
    fit = OLS(ret, np.ones(300)).fit(cov_type="HAC", cov_kwds={"maxlags": row["nw_lag"]})
    assert row["nw_lag"] == 5
    assert row["t_newey_west"] == pytest.approx(fit.tvalues[0], rel=ROUNDING)
    assert row["p_value"] == pytest.approx(fit.pvalues[0], rel=1e-9)
    assert row["t_iid"] == pytest.approx(scipy.stats.ttest_1samp(ret, 0).statistic, rel=ROUNDING)
    assert row["skewness"] == pytest.approx(scipy.stats.skew(ret), rel=1e-10)
    assert row["excess_kurtosis"] == pytest.approx(scipy.stats.kurtosis(ret), rel=1e-10)
    assert row["sharpe"] == pytest.approx(ret.mean() / ret.std(ddof=1) * 12**0.5, rel=ROUNDING)


def test_decades_and_halves_are_descriptions_of_their_own_months():
    rows = describe(several(1, 300), KEY, FAMILY)
    assert rows["period"].to_list() == [
        *("full", "first_half", "second_half"),
        *("1990s", "2000s", "2010s"),
    ]
    returns = several(1, 300)
    nineties = returns.filter(pl.col("month_end") < date(2000, 1, 1))
    alone = describe(nineties, KEY, FAMILY).filter(period="full")
    of_whole = rows.filter(period="1990s")
    family = ("period", "p_adjusted", "verdict")
    assert_frame_equal(alone.drop(family), of_whole.drop(family), check_exact=True)
    assert rows["months"].to_list() == [300, 150, 150, 120, 120, 60]


def test_too_few_months_have_a_window_and_no_figures():
    row = describe(factor("X", [0.01] * 22 + [None, 0.02]), KEY, FAMILY).row(0, named=True)
    assert (row["months"], row["verdict"]) == (23, "too few months")
    assert {k for k, v in row.items() if v is None} >= {"mean", "t_iid", "p_value", "max_drawdown"}


def test_a_series_that_never_varies_has_a_mean_and_no_ratio():
    row = describe(factor("X", [0.01] * 30), KEY, FAMILY).row(0, named=True)
    assert row["mean"] == pytest.approx(0.01)
    assert (row["volatility"], row["sharpe"], row["t_newey_west"]) == (0.0, None, None)


def test_a_total_loss_compounds_to_nothing():
    row = describe(factor("X", [0.01] * 20 + [-1.0] + [0.5] * 9), KEY, FAMILY).row(0, named=True)
    assert (row["cagr"], row["max_drawdown"]) == (-1.0, -1.0)


@pytest.mark.parametrize("compute", [lambda f: describe(f, KEY, FAMILY), correlations, spanning])
def test_the_order_of_rows_changes_no_bit(compute):
    returns = several()
    shuffled = returns.sample(fraction=1, shuffle=True, seed=1)
    assert_frame_equal(compute(returns), compute(shuffled), check_exact=True)


def test_two_rows_for_a_month_are_refused():
    returns = factor("X", [0.01] * 30)
    with pytest.raises(DataError, match="keep one of them"):
        describe(pl.concat([returns, returns.head(1)]), KEY, FAMILY)


def test_no_factors_give_no_rows():
    none = several().clear()
    for frame in (describe(none, KEY, FAMILY), correlations(none), spanning(none)):
        assert frame.is_empty()
    assert rolling_means(none, KEY).is_empty()


def evidence(*t_values, family="a"):
    return pl.DataFrame(
        {"t_newey_west": t_values, "family": family}, schema_overrides={"t_newey_west": pl.Float64}
    )


def test_verdicts_by_hand():
    # p of 1.9600 is 5.0 %, of 2.5758 1.0 %, of 3.2905 0.1 %: times 3 over rank 3 %, 1.5 %, 5 %.
    judged = with_verdicts(evidence(1.96, -3.2905, 2.5758, None), ["family"])
    assert judged["p_value"].to_list()[:3] == pytest.approx([0.05, 0.001, 0.01], rel=1e-3)
    assert judged["p_adjusted"].to_list()[:3] == pytest.approx([0.05, 0.003, 0.015], rel=1e-3)
    assert judged["verdict"].to_list() == [*["significant"] * 3, "too few months"]


def test_the_same_t_can_be_a_discovery_alone_and_chance_in_a_crowd():
    alone, crowd = evidence(2.5), evidence(2.5, *[0.5] * 19, family="b")
    judged = with_verdicts(pl.concat([alone, crowd]), ["family"])
    assert judged["verdict"].to_list()[:2] == ["significant", "not significant"]
    assert judged["p_value"][0] == judged["p_value"][1]


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=40))
def test_adjusting_never_helps_and_keeps_the_order(t_values):
    judged = with_verdicts(evidence(*t_values), [])
    assert (judged["p_adjusted"] >= judged["p_value"] - ROUNDING).all()
    ordered = judged.sort("p_value")["p_adjusted"].to_list()
    assert ordered == sorted(ordered)


def test_correlations_equal_numpys_over_the_common_months():
    returns = pl.concat(
        [several(2), factor("UMD", [None] * 100 + [0.01, -0.02] * 60), factor("NEW", [0.01] * 20)]
    )
    found = correlations(returns)
    assert found.height == 6
    wide = returns.pivot("factor", index="month_end", values="ret").sort("month_end")
    row = found.filter(factor_a="MKT", factor_b="UMD").row(0, named=True)
    both = wide.drop_nulls(["MKT", "UMD"])
    assert (row["months"], row["first_month"]) == (120, date(1998, 5, 31))
    expected = np.corrcoef(both["MKT"], both["UMD"])[0, 1]
    assert row["correlation"] == pytest.approx(expected, rel=1e-10)
    short = found.filter(factor_a="MKT", factor_b="NEW").row(0, named=True)
    assert (short["months"], short["correlation"]) == (20, None)


def test_sources_and_vintages_are_never_mixed():
    library = factor("HML", [0.01, -0.02] * 60, source="library", vintage="202412")
    returns = pl.concat([several(2), library])
    assert correlations(returns)["source"].to_list() == ["own"]
    assert set(spanning(returns)["source"]) == {"own"}


def test_rolling_means_are_of_36_months_without_a_gap():
    ret = list(np.random.default_rng(1).normal(0.01, 0.03, 100))
    ret[50] = None
    found = rolling_means(factor("X", ret), KEY)
    # Months 36 to 50 and 87 to 100 end a full window.
    assert found.height == 15 + 14
    row = found.row(3, named=True)
    window = np.array(ret[3 : 3 + ROLLING_MONTHS])
    fit = OLS(window, np.ones(36)).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    assert row["month_end"] == months(39)[-1]
    assert row["mean"] == pytest.approx(window.mean(), rel=ROUNDING)
    assert row["t_newey_west"] == pytest.approx(fit.tvalues[0], rel=ROUNDING)


@given(st.integers(36, 120), st.integers(1, 6))
def test_a_window_has_the_same_bits_on_truncated_history(length, count):
    returns = several(count, 120)
    end = months(length)[-1]
    past = rolling_means(returns.filter(pl.col("month_end") <= end), KEY)
    whole = rolling_means(returns, KEY).filter(pl.col("month_end") <= end)
    assert past.height == count * (length - 35)
    assert_frame_equal(past, whole, check_exact=True)


def test_spanning_of_a_model_equals_statsmodels():
    returns = several()
    found = spanning(returns).filter(factor="HML", factor_set="FF3")
    assert found["term"].to_list() == ["alpha", "MKT", "SMB"]
    wide = returns.pivot("factor", index="month_end", values="ret").sort("month_end")
    design = np.column_stack([np.ones(240), wide["MKT"], wide["SMB"]])
    fit = OLS(wide["HML"].to_numpy(), design).fit(cov_type="HAC", cov_kwds={"maxlags": 4})
    assert found["coefficient"].to_numpy() == pytest.approx(fit.params, rel=1e-10)
    assert found["t_newey_west"].to_numpy() == pytest.approx(fit.tvalues, rel=1e-10)
    assert found["r2"][0] == pytest.approx(fit.rsquared, abs=ROUNDING)


def test_versions_of_a_factor_do_not_explain_each_other():
    returns = pl.concat([several(3), factor("SMB_FF5", list(several(1, seed=9)["ret"]))])
    found = spanning(returns).filter(factor_set="all")
    terms = {name: rows["term"].to_list() for (name,), rows in found.group_by("factor")}
    assert set(terms["SMB"]) == set(terms["SMB_FF5"]) == {"alpha", "MKT", "HML"}
    assert set(terms["HML"]) == {"alpha", "MKT", "SMB"}


def test_of_spreads_without_a_premium_one_in_twenty_looks_real_and_none_is_called_so():
    rng = np.random.default_rng(12)
    names = [f"signal_{i:03d}" for i in range(200)]
    draws = rng.normal(0, 0.03, (200, 240))
    draws[7] += 0.02
    spreads = pl.concat([factor(*pair) for pair in zip(names, draws, strict=True)])
    full = describe(spreads, KEY, FAMILY).filter(period="full")
    # 200 tests at 5 %: 10 expected, deviation 3.1. Newey-West finds a bit more in 240 months.
    assert 3 <= (full["t_newey_west"].abs() > 1.96).sum() - 1 <= 22
    assert full.filter(verdict="significant")["factor"].to_list() == ["signal_007"]
