"""Backtest tables: holdings, returns, exits, and what they add up to."""

import polars as pl

from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.table import Column, Table

STRATEGY = Column("strategy", pl.String, "name", "Strategy, or benchmark.")

HOLDING = Table(
    layer="backtest",
    name="holding",
    description="What each strategy held in each month; weights are shares of its capital.",
    key=("strategy", "security_id", "month_end"),
    columns=(
        STRATEGY,
        SECURITY_ID,
        MONTH_END,
        Column("drifted_weight", pl.Float64, "share", "Weight before trading."),
        Column("weight", pl.Float64, "share", "Weight after trading; negative for shorts."),
        Column("traded", pl.Float64, "share", "Absolute change by trading.", minimum=0.0),
        Column(
            "ret",
            pl.Float64,
            "decimal",
            "Return of the month, or of the whole gap when trading resumes after a halt. NULL when "
            "sold at its start, or without one (halted, or the vendor contradicts itself): the "
            "position then keeps its value.",
            nullable=True,
            minimum=-1.0,
        ),
        Column("closing_weight", pl.Float64, "share", "Weight at the end of the month."),
        Column(
            "status",
            pl.String,
            "name",
            "entered, held (also through a halt), sold (by a rebalance) or exited (left the "
            "market).",
            values=("entered", "held", "sold", "exited"),
        ),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

BACKTEST_RETURN = Table(
    layer="backtest",
    name="backtest_return",
    description=(
        "Monthly returns of each strategy before and after costs, from its first holdings on. In a "
        "month in cash (n = 0) it earns the risk-free rate; a return that is not known is NULL."
    ),
    key=("strategy", "month_end"),
    columns=(
        STRATEGY,
        MONTH_END,
        Column("gross", pl.Float64, "decimal", "Return before costs.", nullable=True, minimum=-1.0),
        Column(
            "cost", pl.Float64, "decimal", "Cost of trading at its start.", nullable=True, minimum=0
        ),
        Column(
            "borrow_cost",
            pl.Float64,
            "decimal",
            "Fee on shorts, paid at its end.",
            nullable=True,
            minimum=0,
        ),
        Column(
            "net",
            pl.Float64,
            "decimal",
            "(1 - cost)(1 + gross - borrow_cost) - 1.",
            nullable=True,
            minimum=-1.0,
        ),
        Column(
            "turnover",
            pl.Float64,
            "share",
            "One-way turnover: half of what was traded.",
            nullable=True,
            minimum=0,
        ),
        Column(
            "traded",
            pl.Float64,
            "share",
            "Notional bought and sold, as a share of the capital.",
            nullable=True,
            minimum=0,
        ),
        Column("n", pl.Int64, "count", "Securities held; NULL for the benchmark.", nullable=True),
        Column(
            "gross_exposure",
            pl.Float64,
            "share",
            "Long and short positions after trading.",
            nullable=True,
            minimum=0,
        ),
        Column(
            "net_exposure", pl.Float64, "share", "Long less short after trading.", nullable=True
        ),
        Column("cash_weight", pl.Float64, "share", "Cash after trading.", nullable=True),
        Column(
            "capacity",
            pl.Float64,
            "USD",
            "Largest capital whose trades stay within max_volume_share of the dollar volume each "
            "security had in the month before; NULL without trades or volumes.",
            nullable=True,
            minimum=0,
        ),
        Column(
            "cash_ret", pl.Float64, "decimal", "Return of cash: the risk-free rate.", nullable=True
        ),
        Column(
            "rebalanced", pl.Boolean, "yes/no", "Whether it traded to its targets.", nullable=True
        ),
    ),
    monthly=True,
)

LEDGER = Table(
    layer="backtest",
    name="ledger",
    description="Survivorship ledger: which holding left the market, why, with which return.",
    key=("strategy", "security_id", "month_end"),
    columns=(
        STRATEGY,
        SECURITY_ID,
        MONTH_END,
        Column(
            "reason",
            pl.String,
            "name",
            "Reason of the delisting; else worthless (lost everything) or no return (12 months "
            "without a price: it leaves at its last value).",
        ),
        Column("weight", pl.Float64, "share", "Weight at the start of the month."),
        Column(
            "ret",
            pl.Float64,
            "decimal",
            "Return of the month, delisting included; NULL without one.",
            nullable=True,
            minimum=-1.0,
        ),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

SUMMARY = Table(
    layer="backtest",
    name="summary",
    description="Statistics of each strategy's net returns, one row per metric.",
    key=("strategy", "metric"),
    columns=(
        STRATEGY,
        Column("metric", pl.String, "name", "Statistic, e.g. cagr, volatility, sharpe."),
        Column(
            "value",
            pl.Float64,
            "see metric",
            "Its value; returns are decimals per year.",
            nullable=True,
        ),
    ),
)

DAILY_VALUE = Table(
    layer="backtest",
    name="daily_value",
    description=(
        "Value at each close of 1 invested in a strategy at the start of the month; the value of "
        "the month's last day is 1 + net, which links the months."
    ),
    key=("strategy", "month_end", "date"),
    columns=(
        STRATEGY,
        MONTH_END,
        Column("date", pl.Date, "date", "Trading day."),
        Column("value", pl.Float64, "ratio", "Value, net of costs.", minimum=0.0),
    ),
    monthly=True,
)

DRAWDOWN = Table(
    layer="backtest",
    name="drawdown",
    description="Every spell of a strategy's wealth below its last high, monthly and daily.",
    key=("strategy", "frequency", "peak"),
    columns=(
        STRATEGY,
        Column(
            "frequency",
            pl.String,
            "name",
            "Whether wealth is looked at on month ends or every day.",
            values=("monthly", "daily"),
        ),
        Column("depth", pl.Float64, "decimal", "Deepest fall from the high.", maximum=0.0),
        Column("peak", pl.Date, "date", "Last month-end (or day) at the high."),
        Column("trough", pl.Date, "date", "First one at the lowest wealth."),
        Column("recovery", pl.Date, "date", "First one back at the high, if any.", nullable=True),
    ),
)

CORRELATION = Table(
    layer="backtest",
    name="correlation",
    description="Correlation of monthly net returns of each pair of strategies.",
    key=("strategy", "other"),
    columns=(
        STRATEGY,
        Column("other", pl.String, "name", "The other one, later in the alphabet."),
        Column("months", pl.Int64, "count", "Months both have.", minimum=0),
        Column(
            "correlation",
            pl.Float64,
            "decimal",
            "Correlation; NULL with fewer than 12 months or a constant series.",
            nullable=True,
            minimum=-1.0,
            maximum=1.0,
        ),
    ),
)

ILLUSTRATION = Table(
    layer="backtest",
    name="illustration",
    description=(
        "Figures of a widely quoted illustration of factor investing beside those of this "
        "warehouse, and why they differ."
    ),
    key=("subject", "metric"),
    columns=(
        Column(
            "subject",
            pl.String,
            "name",
            "Strategy; or library factor: hml, umd, hml_umd (half of each).",
        ),
        Column("metric", pl.String, "name", "Figure of backtest.summary it is compared with."),
        Column("quoted", pl.Float64, "see metric", "As quoted."),
        Column(
            "ours",
            pl.Float64,
            "see metric",
            "As computed over the window; NULL without the series or with fewer than 12 months.",
            nullable=True,
        ),
        Column("first_month", pl.Date, "date", "First month of the window.", nullable=True),
        Column("last_month", pl.Date, "date", "Last month of the window.", nullable=True),
        Column("explanation", pl.String, "text", "Why the two differ."),
    ),
)
