import math
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linearmodels.iv import IV2SLS

from factor_pipeline.compute.hac import newey_west_lag
from factor_pipeline.compute.metrics import METRICS
from factor_pipeline.compute.performance import MIN_MONTHS, summary
from factor_pipeline.errors import DataError

MONTH_ENDS = (
    pl.date_range(date(2000, 1, 1), date(2030, 1, 1), "1mo", eager=True).dt.month_end().to_list()
)
# Sums of some hundred numbers of like size in another order, then a handful of operations.
ROUNDING = 1e-12

RETURNS = [0.01, -0.02, 0.03, 0.0, 0.05, -0.04, 0.02, 0.01, -0.01, 0.02, 0.03, -0.02]


def series(returns, name="test", *, gross=None, turnover=0.0):
    count = len(returns)
    return pl.DataFrame(
        {
            "strategy": [name] * count,
            "month_end": MONTH_ENDS[:count],
            "gross": gross or returns,
            "net": returns,
            "turnover": turnover if isinstance(turnover, list) else [turnover] * count,
        },
        schema={
            "strategy": pl.String,
            "month_end": pl.Date,
            "gross": pl.Float64,
            "net": pl.Float64,
            "turnover": pl.Float64,
        },
    )


def cash(rates):
    return pl.DataFrame(
        {"month_end": MONTH_ENDS[: len(rates)], "rf": rates},
        schema={"month_end": pl.Date, "rf": pl.Float64},
    )


def metrics(returns, rates=None, name="test"):
    result = summary(returns, None if rates is None else cash(rates))
    mine = result.filter(pl.col("strategy") == name)
    return dict(mine.select("metric", "value").iter_rows())


def near(value):
    return pytest.approx(value, rel=ROUNDING)


def two_series(months, seed=3):
    """Strategy and benchmark with autocorrelated noise, and a rate."""
    draw = np.random.default_rng(seed)
    benchmark = draw.normal(0.008, 0.04, months)
    noise = draw.normal(0, 0.02, months + 1)
    returns = 0.002 + 0.9 * benchmark + noise[1:] + 0.5 * noise[:-1]
    return returns.tolist(), benchmark.tolist(), draw.uniform(0, 0.004, months).tolist()


def test_statistics_of_a_year_equal_the_formulas_written_out():
    values = metrics(
        series(RETURNS, gross=[r + 0.001 for r in RETURNS], turnover=[0.5, *[0.1] * 11])
    )
    mean = sum(RETURNS) / 12
    deviation = math.sqrt(sum((r - mean) ** 2 for r in RETURNS) / 11)
    assert values["months"] == 12
    assert values["annual_return"] == near(sum(RETURNS))
    assert values["gross_annual_return"] == near(sum(RETURNS) + 0.012)
    assert values["cagr"] == near(math.prod(1 + r for r in RETURNS) - 1)
    assert values["volatility"] == near(deviation * math.sqrt(12))
    assert values["return_to_risk"] == near(mean / deviation * math.sqrt(12))
    assert values["best_month"] == 0.05
    assert values["worst_month"] == -0.04
    assert values["hit_rate"] == near(7 / 12)
    assert values["average_turnover"] == near(1.6 / 12)
    assert values["max_drawdown"] == near(-0.04)
    assert values["calmar"] == near(values["cagr"] / 0.04)


def test_cagr_is_per_year_of_months_with_a_return():
    assert metrics(series([0.01] * 30))["cagr"] == near(1.01**12 - 1)


def test_sharpe_and_sortino_are_over_the_risk_free_rate():
    rates = [0.001 * (month % 4) for month in range(12)]
    values = metrics(series(RETURNS), rates)
    excess = [r - rf for r, rf in zip(RETURNS, rates, strict=True)]
    mean = sum(excess) / 12
    deviation = math.sqrt(sum((x - mean) ** 2 for x in excess) / 11)
    downside = math.sqrt(sum(min(x, 0) ** 2 for x in excess) / 12)
    assert values["sharpe"] == near(mean / deviation * math.sqrt(12))
    assert values["sortino"] == near(mean / downside * math.sqrt(12))
    assert values["return_to_risk"] != values["sharpe"]


def test_without_a_risk_free_rate_there_is_no_sharpe_ratio():
    values = metrics(series(RETURNS))
    assert values["rf_months"] == 0
    assert values["sharpe"] is None
    assert values["sortino"] is None
    assert values["return_to_risk"] is not None


def test_tracking_error_and_information_ratio_are_against_the_benchmark():
    returns, benchmark, _ = two_series(60)
    values = metrics(pl.concat([series(returns), series(benchmark, "benchmark")]))
    active = np.subtract(returns, benchmark)
    assert values["benchmark_months"] == 60
    assert values["tracking_error"] == near(active.std(ddof=1) * 12**0.5)
    assert values["information_ratio"] == near(active.mean() / active.std(ddof=1) * 12**0.5)
    assert values["alpha"] is None  # no risk-free rate


@pytest.mark.parametrize("months", [12, 60, 240])
def test_alpha_and_its_t_value_equal_those_of_linearmodels(months):
    returns, benchmark, rates = two_series(months)
    values = metrics(pl.concat([series(returns), series(benchmark, "benchmark")]), rates)
    market = np.subtract(benchmark, rates)
    lag = {12: 2, 60: 3, 240: 4}[months]
    witness = IV2SLS(
        np.subtract(returns, rates), np.column_stack([np.ones(months), market]), None, None
    ).fit(cov_type="kernel", kernel="bartlett", bandwidth=lag, debiased=False)
    assert values["alpha_lag"] == lag
    # Two ways to solve a well-conditioned 2 x 2 system.
    assert values["alpha"] == pytest.approx(12 * witness.params.iloc[0], rel=1e-9)
    assert values["beta"] == pytest.approx(witness.params.iloc[1], rel=1e-9)
    assert values["alpha_t"] == pytest.approx(witness.tstats.iloc[0], rel=1e-9)


def test_autocorrelation_counts_in_the_t_value_of_alpha():
    returns, benchmark, rates = two_series(240)
    values = metrics(pl.concat([series(returns), series(benchmark, "benchmark")]), rates)
    x, y = np.subtract(benchmark, rates), np.subtract(returns, rates)
    slope, intercept = np.polyfit(x, y, 1)
    residual = y - intercept - slope * x
    spread = x - x.mean()
    plain = (residual @ residual / 238 * (1 / 240 + x.mean() ** 2 / (spread @ spread))) ** 0.5
    # Noise with a first autocorrelation of 0.4 makes the standard error about 1.3 times larger.
    assert abs(values["alpha_t"]) < abs(intercept / plain) * 0.9


@pytest.mark.parametrize(
    ("months", "lag"), [(12, 2), (99, 3), (100, 4), (120, 4), (272, 4), (273, 5), (744, 6)]
)
def test_newey_west_lag_steps_with_the_length_of_the_series(months, lag):
    assert newey_west_lag(months) == lag


def test_months_without_a_return_are_left_out_and_counted():
    holes = series([None, *RETURNS[:6], None, None, *RETURNS[6:]])
    values, complete = metrics(holes), metrics(series(RETURNS))
    assert values.pop("missing_months") == 3
    assert complete.pop("missing_months") == 0
    assert values == complete


def test_statistics_of_excess_returns_use_the_months_that_have_both():
    rates = [None, *[0.001] * 13, float("nan")]
    values = metrics(series([9.0, *RETURNS, None, 9.0]), rates)
    alone = metrics(series(RETURNS), [0.001] * 12)
    assert values["rf_months"] == 12
    assert values["sharpe"] == alone["sharpe"]


def test_fewer_than_twelve_months_give_no_statistic():
    values = metrics(series(RETURNS[: MIN_MONTHS - 1]), [0.0] * 11)
    counts = {"months": 11, "missing_months": 0, "rf_months": 11, "benchmark_months": 0}
    assert {name: value for name, value in values.items() if value is not None} == counts


def test_the_benchmark_is_not_compared_with_itself():
    _, benchmark, rates = two_series(24)
    values = metrics(series(benchmark, "benchmark"), rates, name="benchmark")
    for name in ("tracking_error", "information_ratio", "beta", "alpha", "alpha_t", "alpha_lag"):
        assert values[name] is None
    assert values["sharpe"] is not None


def test_a_strategy_that_is_the_benchmark_has_no_risk_against_it():
    _, benchmark, rates = two_series(24)
    both = pl.concat([series(benchmark), series(benchmark, "benchmark")])
    values = metrics(both, rates)
    assert values["tracking_error"] == 0
    assert values["information_ratio"] is None
    assert values["beta"] == near(1)
    assert values["alpha"] == pytest.approx(0, abs=ROUNDING)
    assert values["alpha_t"] is None


@pytest.mark.parametrize("constant", [0.01, 0.0, 1 / 300])
def test_a_constant_return_has_no_risk_and_so_no_ratio(constant):
    values = metrics(series([constant] * 24), [0.0] * 24)
    assert values["volatility"] == 0
    for name in ("sharpe", "return_to_risk", "sortino", "calmar"):
        assert values[name] is None
    assert values["max_drawdown"] == 0


def test_a_constant_benchmark_has_no_beta():
    both = pl.concat([series(RETURNS), series([0.01] * 12, "benchmark")])
    assert metrics(both, [0.001] * 12)["beta"] is None


def test_a_total_loss_is_a_cagr_of_minus_one():
    values = metrics(series([*RETURNS, -1.0]))
    assert values["cagr"] == -1
    assert values["max_drawdown"] == -1


def test_every_strategy_has_every_metric_in_order():
    result = summary(pl.concat([series(RETURNS, "b"), series([], "none"), series([0.1], "a")]))
    assert result["strategy"].unique(maintain_order=True).to_list() == ["a", "b"]
    assert result["metric"].to_list() == [metric.name for metric in METRICS] * 2
    assert summary(series([])).is_empty()


def test_every_metric_is_described():
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    for metric in METRICS:
        assert metric.unit
        assert metric.description.endswith(".")


@settings(max_examples=30, deadline=None)
@given(
    returns=st.lists(st.none() | st.floats(-1, 10), min_size=12, max_size=40),
    benchmark=st.lists(st.floats(-0.99, 3), min_size=12, max_size=40),
    seed=st.integers(0, 1000),
)
def test_no_value_is_ever_nan_and_the_order_of_rows_changes_no_bit(returns, benchmark, seed):
    both = pl.concat([series(returns), series(benchmark, "benchmark")])
    result = summary(both, cash([0.001] * 40))
    assert result.select(pl.col("value").is_finite().all()).item()
    shuffled = both.sample(fraction=1, shuffle=True, seed=seed)
    assert summary(shuffled, cash([0.001] * 40)).equals(result)


def test_a_repeated_month_is_refused():
    with pytest.raises(DataError, match="repeat a strategy and month"):
        summary(pl.concat([series([0.1]), series([0.2])]))
