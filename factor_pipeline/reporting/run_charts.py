"""The main charts as pictures in Markdown, for those who watch runs."""

import polars as pl

from factor_pipeline.reporting.blocks import Chart
from factor_pipeline.reporting.charts import Scale, from_one, line_chart
from factor_pipeline.reporting.factors import growth_chart
from factor_pipeline.reporting.performance import strategy_lines
from factor_pipeline.reporting.pictures import svg
from factor_pipeline.reporting.published import NotInBuildError, styles_of

_NOTHING = "Nothing to show yet."
# Each picture costs a run a tenth of a second.
_MAIN_FACTORS = ("MKT", "SMB", "HML", "UMD")
_STRATEGIES_WIDTH, _FACTOR_WIDTH = 640, 320


def strategies_markdown(path: pl.DataFrame) -> str:
    """Draw the growth of 1 in each strategy.

    Parameters
    ----------
    path
        Rows of ``sql/report/strategy_path.sql``.
    """
    styles = styles_of(path["strategy"].unique().to_list())
    try:
        months, lines = strategy_lines(path, styles, "growth")
    except NotInBuildError:
        return _NOTHING
    spec = line_chart(
        *from_one(months, lines),
        Scale("Growth of 1 after costs (log)", ".2f", log=True),
        height=240,
        legend=True,
    )
    return f"![Growth of 1 after costs]({svg(spec, width=_STRATEGIES_WIDTH)})"


def factors_markdown(growth: pl.DataFrame) -> str:
    """Draw the growth of 1 in our main factors beside the library's newest vintage.

    Parameters
    ----------
    growth
        Rows of ``sql/report/factor_growth.sql``.
    """
    charts = [
        growth_chart(factor, rows.filter(pl.col("vintage") == rows["vintage"].max()), legend=True)
        for factor in _MAIN_FACTORS
        if not (rows := growth.filter(pl.col("factor") == factor)).is_empty()
    ]
    return "\n\n".join(_picture(chart) for chart in charts) or _NOTHING


def _picture(chart: Chart) -> str:
    return f"**{chart.title}**\n\n![{chart.alt}]({svg(chart.spec, width=_FACTOR_WIDTH)})"
