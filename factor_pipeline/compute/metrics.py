"""Figures of the backtest's summary: their names, units and meanings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure of the summary: its name, its unit, what it means."""

    name: str
    unit: str
    description: str


METRICS = (
    Metric("months", "count", "Months with a return."),
    Metric("missing_months", "count", "Months without a return, left out everywhere."),
    Metric("rf_months", "count", "Months with a return and a risk-free rate."),
    Metric("benchmark_months", "count", "Months with a return and a benchmark return."),
    Metric("annual_return", "decimal", "12 x mean net return."),
    Metric("gross_annual_return", "decimal", "12 x mean return before costs, same months."),
    Metric("cagr", "decimal", "Compound net return per year, prod(1 + r)^(12 / months) - 1."),
    Metric("volatility", "decimal", "sd(r) x sqrt(12), with n - 1."),
    Metric("sharpe", "ratio", "mean(r - rf) / sd(r - rf) x sqrt(12)."),
    Metric("sharpe_low", "ratio", "2.5th percentile of sharpe over bootstrap draws."),
    Metric("sharpe_high", "ratio", "97.5th percentile of it."),
    Metric("return_to_risk", "ratio", "mean(r) / sd(r) x sqrt(12): a Sharpe ratio with rf = 0."),
    Metric(
        "sortino",
        "ratio",
        "mean(r - rf) / sqrt(mean(min(r - rf, 0)^2)) x sqrt(12), all rf_months in the mean.",
    ),
    Metric("max_drawdown", "decimal", "Deepest fall of month-end wealth from its high, at most 0."),
    Metric("max_drawdown_low", "decimal", "2.5th percentile of max_drawdown over bootstrap draws."),
    Metric("max_drawdown_high", "decimal", "97.5th percentile of it."),
    Metric("max_drawdown_daily", "decimal", "Deepest fall of daily wealth from its high."),
    Metric("calmar", "ratio", "cagr / -max_drawdown."),
    Metric("best_month", "decimal", "Largest net return."),
    Metric("worst_month", "decimal", "Smallest net return."),
    Metric("hit_rate", "decimal", "Share of months with a net return above 0."),
    Metric("tracking_error", "decimal", "sd(r - benchmark) x sqrt(12)."),
    Metric("information_ratio", "ratio", "mean(r - benchmark) / sd(r - benchmark) x sqrt(12)."),
    Metric("beta", "ratio", "Slope of r - rf on benchmark - rf."),
    Metric("alpha", "decimal", "12 x intercept of the same regression."),
    Metric("alpha_t", "ratio", "t of alpha, Newey-West with alpha_lag lags."),
    Metric("alpha_lag", "months", "Lags of alpha_t, floor(4 (T / 100)^(2/9)) for T months."),
    Metric("average_turnover", "decimal", "Mean one-way turnover per month."),
    Metric("capacity", "USD", "Median of the capacity at rebalances."),
    Metric("bootstrap_draws", "count", "Series drawn for the intervals, in blocks of months."),
    Metric("bootstrap_block_months", "months", "Mean length of a block."),
    Metric("bootstrap_seed", "number", "Seed of the draws."),
    Metric("trials", "count", "Variants of the sweep it is one of."),
    Metric(
        "deflated_sharpe",
        "probability",
        "That its true sharpe is above what the best of the trials would have by luck alone.",
    ),
)
"""All figures of the summary, in order."""
