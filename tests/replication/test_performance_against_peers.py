"""The summary against empyrical and quantstats, and where their definitions differ from ours.

=======================  =======================================================================
differs                  why
=======================  =======================================================================
alpha (empyrical)        compounded, (1 + a)^12 - 1; ours is 12 a, what the regression says
information ratio        theirs is per month; ours is annualised by sqrt(12)
Sharpe, Sortino          theirs take one rate for all months; so both are given excess returns
CAGR, Calmar (quantstats) count days between the first and the last date: not compared
=======================  =======================================================================

Drawdowns agree: all three let wealth start before the first return.
"""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest

from factor_pipeline.compute.performance import summary

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import empyrical
    import quantstats

# Sums of some hundred numbers of like size in another order, then a handful of operations.
ROUNDING = 1e-10
MONTHS = pd.date_range("1990-01-31", periods=300, freq="ME")


@pytest.fixture(scope="module", params=[1, 2, 3])
def case(request):
    draw = np.random.default_rng(request.param)
    benchmark = draw.normal(0.008, 0.045, 300)
    # Falls from the first month on, so that the start of wealth counts in the drawdown.
    benchmark[0], rates = -0.05, draw.uniform(0, 0.004, 300)
    returns = 0.8 * benchmark + draw.normal(0.002, 0.03, 300)
    frame = pl.concat(
        pl.DataFrame(
            {
                "strategy": name,
                "month_end": MONTHS.date.tolist(),
                "gross": values,
                "net": values,
                "turnover": 0.0,
            }
        )
        for name, values in {"ours": returns, "benchmark": benchmark}.items()
    )
    cash = pl.DataFrame({"month_end": MONTHS.date.tolist(), "rf": rates})
    values = dict(
        summary(frame, cash).filter(strategy="ours").select("metric", "value").iter_rows()
    )
    series = [pd.Series(x, MONTHS) for x in (returns, benchmark, rates)]
    return values, *series


def same(value):
    return pytest.approx(float(value), rel=ROUNDING)


def test_figures_equal_those_of_empyrical(case):
    ours, returns, benchmark, rates = case
    monthly = {"period": "monthly"}
    excess, market = returns - rates, benchmark - rates
    assert ours["cagr"] == same(empyrical.cagr(returns, **monthly))
    assert ours["volatility"] == same(empyrical.annual_volatility(returns, **monthly))
    assert ours["sharpe"] == same(empyrical.sharpe_ratio(excess, **monthly))
    assert ours["return_to_risk"] == same(empyrical.sharpe_ratio(returns, **monthly))
    assert ours["sortino"] == same(empyrical.sortino_ratio(excess, **monthly))
    assert ours["max_drawdown"] == same(empyrical.max_drawdown(returns))
    assert ours["calmar"] == same(empyrical.calmar_ratio(returns, **monthly))
    assert ours["beta"] == same(empyrical.beta(excess, market))
    compounded = (1 + ours["alpha"] / 12) ** 12 - 1
    assert compounded == same(empyrical.alpha(excess, market, **monthly))
    per_month = empyrical.excess_sharpe(returns, benchmark)
    assert ours["information_ratio"] == same(per_month * np.sqrt(12))


def test_figures_equal_those_of_quantstats(case):
    ours, returns, benchmark, rates = case
    stats = quantstats.stats
    excess = returns - rates
    assert ours["volatility"] == same(stats.volatility(returns, periods=12))
    assert ours["sharpe"] == same(stats.sharpe(excess, periods=12))
    assert ours["sortino"] == same(stats.sortino(excess, periods=12))
    assert ours["max_drawdown"] == same(stats.max_drawdown(returns))
    assert ours["best_month"] == same(stats.best(returns))
    assert ours["worst_month"] == same(stats.worst(returns))
    assert ours["hit_rate"] == same(stats.win_rate(returns))
    per_month = stats.information_ratio(returns, benchmark)
    assert ours["information_ratio"] == same(per_month * np.sqrt(12))
