"""Sections on what strategies earned."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import polars as pl

from factor_pipeline.reporting import formats, tables
from factor_pipeline.reporting.blocks import (
    Block,
    Cell,
    Chart,
    Group,
    Heading,
    Key,
    Note,
    Part,
    Section,
    Table,
)
from factor_pipeline.reporting.charts import Line, Scale, from_one, line_chart
from factor_pipeline.reporting.published import NotInBuildError, Published

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR = "Year"
_MONTH_HEADINGS = [
    Heading(""),
    *(Heading(label, numeric=True, short=label[0]) for label in (*_MONTHS, _YEAR)),
]
_MONTH_STEPS = (0.005, 0.02, 0.04, 0.08)
_YEAR_STEPS = (0.02, 0.08, 0.16, 0.32)
_BETA_STEPS = (0.1, 0.3, 0.6, 1.0)


def strategy_lines(
    path: pl.DataFrame, styles: dict[str, int], column: str
) -> tuple[pl.Series, list[Line]]:
    """Months in which any strategy of ``styles`` has a value of ``column``, and their lines.

    Raises
    ------
    NotInBuildError
        When none has one.
    """
    known = path.filter(pl.col(column).is_not_null() & pl.col("strategy").is_in(list(styles)))
    if known.is_empty():
        raise NotInBuildError("")
    months = known.select("month_end").unique().sort("month_end")
    lines = [
        Line(
            strategy,
            style,
            months.join(
                known.filter(pl.col("strategy") == strategy),
                on="month_end",
                how="left",
                maintain_order="left",
            )[column],
        )
        for strategy, style in styles.items()
        if strategy in set(known["strategy"])
    ]
    return months["month_end"], lines


def legend_of(lines: Sequence[Line]) -> list[Key]:
    """Legend of a chart of these lines."""
    return [Key(line.name, f"s{i}", line.style) for i, line in enumerate(lines)]


@dataclass(frozen=True, slots=True)
class _View:
    """A column of the strategies' months as a chart."""

    column: str
    title: str
    alt: str
    scale: Scale
    wide: bool = False

    def chart(self, published: Published) -> Chart:
        months, lines = strategy_lines(published.strategy_path, published.charted, self.column)
        window = formats.window(months[0], months[-1])
        if self.scale.log:
            months, lines = from_one(months, lines)
        return Chart(
            name=f"chart-{self.column}",
            title=f"{self.title}, {window}",
            alt=f"{self.alt}, {window}, of {', '.join(line.name for line in lines)}.",
            spec=line_chart(months, lines, self.scale, height=320 if self.wide else 220),
            keys=legend_of(lines),
        )


_GROWTH = _View(
    "growth",
    "Growth of 1 after costs",
    "Lines on a logarithmic scale: value of 1 invested when the youngest strategy began",
    Scale("Growth of 1 (log)", ".2f", log=True),
    wide=True,
)
_DRAWDOWN = _View(
    "drawdown",
    "Drawdown",
    "Lines: how far month-end wealth was below its last high",
    Scale("Below the last high", ".1~%", zero=True),
    wide=True,
)
_ROLLING = (
    _View(
        "rolling_sharpe",
        "Sharpe ratio over the last 36 months",
        "Lines: mean over deviation of the return above bills, last 36 months, annualised",
        Scale("Sharpe ratio, 36 months", ".1f", zero=True),
    ),
    _View(
        "rolling_beta",
        "Beta on the benchmark over the last 36 months",
        "Lines: slope of the excess return on the benchmark's, last 36 months",
        Scale("Beta, 36 months", ".1f", zero=True),
    ),
)


def _growth(published: Published) -> Sequence[Block]:
    left_out = len(published.strategy_names) - len(published.charted)
    notes = [Note(f"{left_out} more strategies are in the table only.")] if left_out else []
    return [_GROWTH.chart(published), *notes]


def _drawdowns(published: Published) -> Sequence[Block]:
    return [_DRAWDOWN.chart(published)]


def _rolling(published: Published) -> Sequence[Block]:
    charts = []
    for view in _ROLLING:
        with suppress(NotInBuildError):
            charts.append(view.chart(published))
    if not charts:
        raise NotInBuildError("")
    return [Group(charts)]


def _summary(published: Published) -> Sequence[Block]:
    frame = published.rows("strategy_summary")
    fields = [
        tables.name("Strategy", "strategy"),
        tables.window("Months of data"),
        tables.percent("Return p.a.", "cagr"),
        tables.percent("Volatility", "volatility"),
        tables.number("Sharpe", "sharpe"),
        tables.percent("Drawdown", "max_drawdown"),
        tables.value("Peak", "peak", formats.month),
        tables.value("Trough", "trough", formats.month),
        tables.Field("Recovered", _recovery),
        tables.number("Beta", "beta"),
        tables.percent("Alpha p.a.", "alpha"),
        tables.number("t of alpha", "alpha_t", 1),
        tables.percent("Turnover p.m.", "average_turnover"),
    ]
    note = (
        "Net of costs, each strategy over its own months: compare rows of the same months only. "
        "Return compounds; Sharpe is over Treasury bills; drawdowns are of month-ends; alpha and "
        "beta are on the benchmark, t is Newey-West's; turnover is one-way."
    )
    return [tables.table("Strategies", frame, fields, note=note)]


def _recovery(row: tables.Row) -> str:
    if row["peak"] is None or row["recovery"] is not None:
        return formats.month(row["recovery"])
    return "not yet"


def _heat_maps(published: Published) -> Sequence[Block]:
    path = published.strategy_path
    grids = [_heat_map(name, path.filter(pl.col("strategy") == name)) for name in published.charted]
    return [Group(grids)]


def _heat_map(name: str, path: pl.DataFrame) -> Table:
    cells = {}
    for row in path.iter_rows(named=True):
        year = f"{row['month_end']:%Y}"
        cells[year, _MONTHS[row["month_end"].month - 1]] = _shaded(row["net"], _MONTH_STEPS)
        cells[year, _YEAR] = _shaded(row["year_return"], _YEAR_STEPS)
    years = list(dict.fromkeys(year for year, _ in cells))
    return tables.matrix(f"{name}, % net", _MONTH_HEADINGS, years, cells)


def _shaded(ret: float, steps: Sequence[float]) -> Cell:
    return Cell(
        formats.number(100 * ret, 1), tables.level(ret, steps), short=formats.number(100 * ret, 0)
    )


def _illustration(published: Published) -> Sequence[Block]:
    frame = published.rows("illustration")
    fields = [
        tables.name("Subject", "subject"),
        tables.name("Figure", "metric"),
        tables.Field("Quoted", lambda row: _figure(row["metric"], row["quoted"])),
        tables.Field("These data", lambda row: _figure(row["metric"], row["ours"])),
        tables.window(),
        tables.name("Why they differ", "explanation"),
    ]
    return [tables.table("A widely quoted illustration, and these data", frame, fields)]


def _figure(metric: str, given: float | None) -> str:
    is_ratio = any(word in metric for word in ("sharpe", "ratio", "risk"))
    return formats.number(given) if is_ratio else formats.percent(given)


def _exposures(published: Published) -> Sequence[Block]:
    frame = published.rows("strategy_exposure")
    loadings = tables.in_order(frame["loading"], ["beta_mkt", "beta_smb", "beta_hml", "beta_umd"])
    cells = {
        (row["strategy"], row["loading"]): Cell(
            formats.number(row["mean_beta"]), tables.level(row["mean_beta"], _BETA_STEPS)
        )
        for row in frame.iter_rows(named=True)
    }
    models = ", ".join(frame["model"].unique().sort())
    months = {(name, tables.MONTHS): cell for name, cell in tables.windows(frame, "strategy")}
    return [
        tables.matrix(
            f"Betas of the holdings ({models}), means",
            tables.headings("Strategy", [*loadings, tables.MONTHS]),
            list(dict.fromkeys(frame["strategy"])),
            cells | months,
            note="Weighted betas of what was held, known before each month.",
        )
    ]


SUMMARY = Section(
    "summary",
    "Strategies side by side",
    "What each strategy earned after costs, and how it got there.",
    (Part("summary table", _summary),),
)
PERFORMANCE = Section(
    "performance",
    "Growth, drawdowns and stability",
    "Growth starts at 1 in the month in which the youngest strategy starts, so that lines can be "
    "compared. Choose a name above a chart to mute its line.",
    (
        Part("growth of 1", _growth),
        Part("drawdowns", _drawdowns),
        Part("rolling Sharpe ratio and beta", _rolling),
    ),
)
MONTHLY = Section(
    "monthly",
    "Month by month",
    "Net return of each month in percent; the last column compounds the months of the year.",
    (Part("monthly returns", _heat_maps),),
)
EXPOSURES = Section(
    "exposures",
    "Factor exposures of the strategies",
    "What a strategy holds tells its tilts before its returns do.",
    (Part("backtest.exposure", _exposures),),
)
ILLUSTRATION = Section(
    "illustration",
    "Quoted figures, checked",
    "Figures often quoted for factor strategies beside what these data give for the months stated.",
    (Part("backtest.illustration", _illustration),),
)
