"""Charts as Vega-Lite specifications, small: numbers to five digits, in columns."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import polars as pl

from factor_pipeline.reporting.blocks import Spec
from factor_pipeline.reporting.palette import variable

POINTED_AT = "pointed_at"
"""Name of the layer that answers to a pointer."""

_DIGITS = 5
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
_DASHES: tuple[list[int], ...] = ([4, 3], [1, 0], [1, 0], [1, 0], [7, 3], [7, 3], [2, 2], [2, 2])
_FEW_MONTHS = 30
_MONTHS_PER_TICK = 360
# From coarse to fine; the first with enough marks is taken.
_LOG_STEPS: tuple[tuple[float, ...], ...] = (
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 5.0, 7.0),
    (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0),
    (*(tenth / 10 for tenth in range(10, 20)), *(half / 2 for half in range(4, 20))),
    *(tuple(i / parts for i in range(parts, 10 * parts)) for parts in (10, 20, 100)),
)
_ENOUGH_MARKS = 3
_MUTED = "muted"
# Stands for the data while a chart is described; its rows come after.
_ROWS = alt.NamedData("rows")


@dataclass(frozen=True, slots=True)
class Line:
    """A series: its name, its style of the palette, one value per month (null: no line)."""

    name: str
    style: int
    values: pl.Series


@dataclass(frozen=True, slots=True)
class Scale:
    """The vertical axis: what it measures, how numbers on it are written (d3-format)."""

    title: str
    format: str
    log: bool = False
    zero: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar: its label, height, colour of the palette, and more to say about it."""

    label: str
    value: float
    colour: str
    said: Mapping[str, str]


def line_chart(
    months: pl.Series,
    lines: Sequence[Line],
    scale: Scale,
    *,
    height: int = 260,
    legend: bool = False,
) -> Spec:
    """Lines over months; pointing at a month tells all values of it.

    Parameters
    ----------
    months
        Month-ends, ascending. Lines break where a calendar month is missing.
    lines
        Series of the same length.
    height
        In pixels; the width is that of what holds the chart.
    legend
        Whether the chart has a legend of its own. Without one, the parameter ``muted`` takes the
        names (``s0``, ``s1``...) of lines that step back.
    """
    keys = [f"s{i}" for i in range(len(lines))]
    base = alt.Chart(_ROWS)
    x = alt.X(
        "m:T",
        title=None,
        scale=alt.Scale(type="utc"),
        axis=_time_axis(len(months)),
    )
    muted = alt.param(name=_MUTED, value=[])
    drawn = (
        base.transform_fold([*keys], as_=["s", "v"])
        .mark_line(strokeWidth=1.8, interpolate="linear")
        .encode(
            x=x,
            y=alt.Y("v:Q", title=scale.title, scale=_scale(scale), axis=_axis(scale, lines)),
            color=alt.Color(
                "s:N",
                scale=alt.Scale(domain=keys, range=[variable(f"s{line.style}") for line in lines]),
                legend=_legend(keys, lines) if legend else None,
            ),
            strokeDash=alt.StrokeDash(
                "s:N",
                scale=alt.Scale(domain=keys, range=[_DASHES[line.style] for line in lines]),
                legend=None,
            ),
            opacity=alt.condition(f"indexof({_MUTED}, datum.s) < 0", alt.value(1), alt.value(0.08)),
        )
        .add_params(muted)
    )
    hover = alt.selection_point(
        name="month",
        fields=["m"],
        nearest=True,
        on="pointermove",
        clear="pointerout",
        empty=False,
    )
    told = [alt.Tooltip("m:T", title="Month", timeUnit="utcyearmonth", format="%Y-%m")]
    told += [
        alt.Tooltip(f"{key}:Q", title=line.name, format=scale.format)
        for key, line in zip(keys, lines, strict=True)
    ]
    rule = (
        base.mark_rule(color=variable("muted"), strokeWidth=1)
        .properties(name=POINTED_AT)
        .encode(x=x, opacity=alt.condition(hover, alt.value(0.6), alt.value(0)), tooltip=told)
        .add_params(hover)
    )
    columns = {key: line.values for key, line in zip(keys, lines, strict=True)}
    frame = _every_month(pl.DataFrame({"m": months, **columns})).with_columns(
        pl.col("m").cast(pl.String), pl.col(keys).cast(pl.Float64).round_sig_figs(_DIGITS)
    )
    # Vega's reader of CSV, which is shorter, evaluates strings as code: the page forbids that.
    rows = [{k: v for k, v in row.items() if v is not None} for row in frame.iter_rows(named=True)]
    data = {"values": rows}
    return _finished(alt.layer(drawn, rule), data, height)


def _every_month(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the months between that have no row: a line breaks there."""
    first, last = frame["m"][0], frame["m"][-1]
    every = pl.date_range(first.replace(day=1), last, "1mo", eager=True).dt.month_end()
    return pl.DataFrame({"m": every}).join(frame, on="m", how="left", maintain_order="left")


def from_one(months: pl.Series, lines: Sequence[Line]) -> tuple[pl.Series, list[Line]]:
    """Put the 1 that growth starts from before the first month of each line that has it."""
    start = months.head(1).dt.month_start().dt.offset_by("-1d")
    begun = [
        Line(line.name, line.style, pl.concat([_one(line.values), line.values])) for line in lines
    ]
    return pl.concat([start, months]), begun


def _one(values: pl.Series) -> pl.Series:
    return pl.Series([None if values[0] is None else 1.0], dtype=pl.Float64)


def bar_chart(bars: Sequence[Bar], scale: Scale, *, height: int = 150) -> Spec:
    """Bars in the given order; pointing at one tells what is said about it."""
    keys = list(bars[0].said) if bars else []
    told = [alt.Tooltip("label:N", title=" "), alt.Tooltip("v:Q", title=scale.title, format=".2%")]
    told += [alt.Tooltip(f"t{i}:N", title=key) for i, key in enumerate(keys)]
    chart = (
        alt.Chart(_ROWS)
        .mark_bar(cornerRadius=1)
        .encode(
            x=alt.X(
                "label:N",
                sort=None,
                title=None,
                axis=alt.Axis(labelAngle=0, ticks=False, labelOverlap=False),
                scale=alt.Scale(paddingInner=0.25),
            ),
            y=alt.Y(
                "v:Q",
                title=None,
                axis=alt.Axis(format=scale.format, tickCount=4),
                scale=alt.Scale(zero=True),
            ),
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=told,
        )
    )
    values = [
        {
            "label": bar.label,
            "v": _rounded(bar.value),
            "colour": variable(bar.colour),
            **{f"t{i}": said for i, said in enumerate(bar.said.values())},
        }
        for bar in bars
    ]
    return _finished(chart, {"values": values}, height)


def _finished(chart: alt.TopLevelMixin, data: dict[str, Any], height: int) -> Spec:
    spec: Spec = chart.properties(width="container", height=height).to_dict(
        validate=False, context={"pre_transform": False}
    )
    # The address of the schema is of no use on a page that loads nothing.
    spec.pop("$schema", None)
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return {**spec, "data": data, "config": _CONFIG}


def _scale(scale: Scale) -> alt.Scale:
    if scale.log:
        return alt.Scale(type="log", nice=False)
    return alt.Scale(zero=scale.zero)


def _time_axis(months: int) -> alt.Axis:
    if months <= _FEW_MONTHS:
        return alt.Axis(format="%Y-%m", tickCount=alt.ExprRef("ceil(width / 90)"))
    years = {"interval": "year", "step": max(1, months // _MONTHS_PER_TICK)}
    return alt.Axis(format="%Y", tickCount=years, labelOverlap="greedy", labelSeparation=8)


def _axis(scale: Scale, lines: Sequence[Line]) -> alt.Axis:
    if not scale.log:
        return alt.Axis(format=scale.format, tickCount=5)
    known = pl.concat([line.values for line in lines]).drop_nulls()
    # The marks Vega chooses for a short logarithmic axis overlap or say too little.
    return alt.Axis(format="~g", values=log_marks(known.to_list()))


def log_marks(values: Sequence[float]) -> list[float]:
    """Round numbers within the values, few but enough to read the scale by."""
    low, high = min(values, default=1.0), max(values, default=1.0)
    marks: list[float] = []
    for steps in _LOG_STEPS:
        every = [round(step * 10.0**power, 6) for power in range(-4, 7) for step in steps]
        marks = [mark for mark in every if low <= mark <= high]
        if len(marks) >= _ENOUGH_MARKS:
            break
    return marks


def _legend(keys: Sequence[str], lines: Sequence[Line]) -> alt.Legend:
    names = json.dumps(dict(zip(keys, (line.name for line in lines), strict=True)))
    return alt.Legend(
        title=None,
        orient="top",
        columns=3,
        columnPadding=24,
        labelLimit=220,
        labelExpr=f"({names})[datum.label]",
    )


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


_CONFIG: Spec = {
    "aria": False,  # what holds the chart says what it shows
    "background": "transparent",
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "domainColor": variable("line"),
        "gridColor": {
            "condition": {"test": "datum.value === 0", "value": variable("muted")},
            "value": variable("line"),
        },
        "gridOpacity": 0.6,
        "tickColor": variable("line"),
        "labelColor": variable("muted"),
        "titleColor": variable("muted"),
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
    },
    "axisX": {"grid": False},
    "legend": {"labelColor": variable("ink"), "labelFontSize": 12, "symbolStrokeWidth": 3},
}
