"""Figures of the summary that need more than one series: sweeps, benchmarks, draws, days."""

import math
from datetime import date

import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.bootstrap import Bootstrap, drawdown_interval, sharpe_interval
from factor_pipeline.compute.deflation import deflated_sharpe, expected_maximum
from factor_pipeline.compute.performance import summary

MONTHS = pl.date_range(date(2000, 1, 1), date(2004, 12, 1), "1mo", eager=True).dt.month_end()
DRAW = np.random.default_rng(11)
RETURNS = {
    name: DRAW.normal(mean, 0.04, len(MONTHS))
    for name, mean in {
        "a": 0.02,
        "b": 0.01,
        "c": 0.0,
        "benchmark": 0.01,
        "benchmark_X": 0.0,
    }.items()
}
RATES = DRAW.uniform(0, 0.004, len(MONTHS))
CASH = pl.DataFrame({"month_end": MONTHS, "rf": RATES})
TABLE = pl.concat(
    pl.DataFrame(
        {"strategy": name, "month_end": MONTHS, "gross": net, "net": net, "turnover": 0.1}
    ).with_columns(capacity=pl.Series([None, 3.0, 1.0, 10.0] + [None] * 56))
    for name, net in RETURNS.items()
)


def metrics(**options):
    result = summary(TABLE, CASH, **options)
    return {(s, m): v for s, m, v in result.iter_rows()}


def test_a_sweep_deflates_each_variant_by_the_luck_of_all():
    values = metrics(sweeps=[("a", "b", "c")])
    excess = {name: RETURNS[name] - RATES for name in "abc"}
    monthly = [x.mean() / x.std(ddof=1) for x in excess.values()]
    threshold = expected_maximum(monthly, 3)
    for name, mine in excess.items():
        assert values[name, "trials"] == 3
        expected = deflated_sharpe(mine, threshold)
        assert values[name, "deflated_sharpe"] == pytest.approx(expected, rel=1e-9)
    assert values["benchmark", "trials"] is None
    assert metrics()["a", "deflated_sharpe"] is None


def test_a_variant_without_a_sharpe_ratio_counts_as_a_trial():
    values = metrics(sweeps=[("a", "b", "never_invested")])
    excess = {name: RETURNS[name] - RATES for name in "ab"}
    threshold = expected_maximum([x.mean() / x.std(ddof=1) for x in excess.values()], 3)
    assert values["a", "trials"] == 3
    expected = deflated_sharpe(excess["a"], threshold)
    assert values["a", "deflated_sharpe"] == pytest.approx(expected, rel=1e-9)


def test_a_sweep_of_one_has_nothing_to_deflate_by():
    values = metrics(sweeps=[("a",)])
    assert values["a", "trials"] == 1
    assert values["a", "deflated_sharpe"] is None


def test_a_strategy_is_compared_with_its_own_benchmark():
    values = metrics(benchmarks={"b": "benchmark_X"})
    for name, benchmark in {"a": "benchmark", "b": "benchmark_X"}.items():
        active = RETURNS[name] - RETURNS[benchmark]
        expected = active.std(ddof=1) * math.sqrt(12)
        assert values[name, "tracking_error"] == pytest.approx(expected, rel=1e-12)
    for benchmark in ("benchmark", "benchmark_X"):
        assert values[benchmark, "beta"] is None
        assert values[benchmark, "sharpe"] is not None


def test_intervals_are_those_of_the_draws_the_summary_names():
    bootstrap = Bootstrap(draws=50, block_months=6, seed=9)
    values, places = metrics(bootstrap=bootstrap), bootstrap.places(len(MONTHS))
    sharpe = sharpe_interval(RETURNS["a"] - RATES, places)
    assert (values["a", "sharpe_low"], values["a", "sharpe_high"]) == sharpe
    depth = drawdown_interval(RETURNS["a"], places)
    assert (values["a", "max_drawdown_low"], values["a", "max_drawdown_high"]) == depth
    told = [values["a", f"bootstrap_{name}"] for name in ("draws", "block_months", "seed")]
    assert told == [50, 6, 9]
    assert metrics(bootstrap=Bootstrap(draws=0))["a", "sharpe_low"] is None


def test_the_daily_drawdown_is_that_of_the_daily_values():
    days = pl.DataFrame(
        {
            "strategy": ["a", "a"],
            "month_end": [MONTHS[0]] * 2,
            "date": [date(2000, 1, 14), date(2000, 1, 31)],
            "value": [0.4, 1.0],
        }
    )
    values = metrics(daily=days)
    assert values["a", "max_drawdown_daily"] == pytest.approx(-0.6)
    assert values["b", "max_drawdown_daily"] is None


def test_the_capacity_is_the_median_of_the_rebalances():
    assert metrics()["a", "capacity"] == 3.0
