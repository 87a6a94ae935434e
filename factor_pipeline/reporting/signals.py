"""Sections on what signals and betas earned."""

from collections.abc import Sequence

import polars as pl

from factor_pipeline.reporting import formats
from factor_pipeline.reporting.blocks import Block, Chart, Group, Part, Section
from factor_pipeline.reporting.charts import Bar, Line, Scale, bar_chart, from_one, line_chart
from factor_pipeline.reporting.performance import legend_of
from factor_pipeline.reporting.published import Published

_SPREAD = "D10-D01"
_DECILE, _BOTH_ENDS = "s1", "s2"


def _deciles(published: Published) -> Sequence[Block]:
    frame = published.rows("decile_returns")
    charts = [
        _decile_chart(signal, rows)
        for (signal,), rows in frame.group_by("signal_name", maintain_order=True)
    ]
    return [Group(charts, narrow=True)]


def _decile_chart(signal: object, rows: pl.DataFrame) -> Chart:
    spread = rows.filter(pl.col("cell") == _SPREAD).row(0, named=True)
    bars = [
        Bar(
            "10−1" if row["cell"] == _SPREAD else row["cell"].removeprefix("D").lstrip("0"),
            row["annual_mean"],
            _BOTH_ENDS if row["cell"] == _SPREAD else _DECILE,
            {"t": formats.number(row["t_newey_west"], 1), "Months": formats.count(row["months"])},
        )
        for row in rows.sort(pl.col("cell") == _SPREAD, "cell").iter_rows(named=True)
    ]
    t = formats.number(spread["t_newey_west"], 1)
    said = f"{formats.percent(spread['annual_mean'])} (t {t})"
    window = formats.window(spread["first_month"], spread["last_month"])
    return Chart(
        name=f"chart-decile-{signal}",
        title=str(signal),
        alt=f"Bars: mean annual return of the deciles of {signal}, lowest to highest; "
        f"highest less lowest {said}.",
        spec=bar_chart(bars, Scale("Mean return p.a.", ".0%")),
        note=f"10−1: {said}, {window}",
    )


def _beta_portfolios(published: Published) -> Sequence[Block]:
    frame = published.rows("beta_portfolios")
    lines = [
        Line("Highest beta_HML", 1, frame["high"]),
        Line("Lowest beta_HML", 2, frame["low"]),
        Line("Highest less lowest", 0, frame["spread"]),
    ]
    window = formats.window(frame["month_end"][0], frame["month_end"][-1])
    return [
        Chart(
            name="chart-beta-hml",
            title=f"Growth of 1 by beta_HML, {window}",
            alt="Lines on a logarithmic scale: growth of 1 in the quintiles of highest and lowest "
            f"beta_HML and their spread, {window}.",
            spec=line_chart(
                *from_one(frame["month_end"], lines),
                Scale("Growth of 1 (log)", ".2f", log=True),
                height=260,
            ),
            keys=legend_of(lines),
            note="Value-weighted quintiles, betas known before each month. The spread is a "
            "difference of returns, compounded.",
        )
    ]


DECILES = Section(
    "deciles",
    "Deciles by signal",
    "Mean return per year of ten value-weighted portfolios, from the lowest value of the "
    "signal (1) to the highest (10), and of the highest less the lowest. Sorted on what was known "
    "before the month.",
    (Part("portfolio.portfolio_return", _deciles),),
)
BETAS = Section(
    "betas",
    "High against low beta_HML",
    "Stocks that move with the value factor against stocks that move against it.",
    (Part("risk.beta_portfolio_return", _beta_portfolios),),
)
