"""Charts, tables and written numbers of the report."""

import base64
import json
import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.reporting import formats, tables
from factor_pipeline.reporting.charts import (
    Bar,
    Line,
    Scale,
    bar_chart,
    from_one,
    line_chart,
    log_marks,
)
from factor_pipeline.reporting.palette import DARK, LIGHT, SERIES
from factor_pipeline.reporting.published import styles_of
from factor_pipeline.reporting.run_charts import factors_markdown, strategies_markdown

JAN, FEB, MAR, APR = (date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31), date(2020, 4, 30))
LOG = Scale("Growth", ".2f", log=True)
# Contrast that WCAG 2.2 asks of text, and of graphics.
TEXT_CONTRAST, GRAPHICS_CONTRAST = 4.5, 3.0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.percent(-0.1234), "−12.3%"),
        (formats.percent(-0.0001), "0.0%"),
        (formats.percent(None), "–"),
        (formats.number(-1234.5, 1), "−1,234.5"),
        (formats.number(-0.001), "0.00"),
        (formats.count(1234567.0), "1,234,567"),
        (formats.month(MAR), "2020-03"),
        (formats.window(JAN, MAR), "2020-01 to 2020-03"),
        (formats.window(None, None), "–"),
        (formats.bytes_of(5_300_000), "5 MiB"),
        (formats.bytes_of(3 * 2**30), "3.0 GiB"),
        (formats.text(None), "–"),
    ],
)
def test_numbers_are_written_for_people(written, expected):
    assert written == expected


@given(st.floats(-1e6, 1e6))
def test_a_written_percentage_reads_back_within_half_its_last_digit(value):
    read = float(formats.percent(value).replace("−", "-").removesuffix("%"))
    assert read == pytest.approx(100 * value, abs=0.05 + 1e-7)


@pytest.mark.parametrize(
    ("value", "shade"), [(0.0, 0), (0.1, 1), (-0.29, -1), (0.3, 2), (-9.0, -4), (None, None)]
)
def test_shades_grow_with_the_size_and_follow_the_sign(value, shade):
    assert tables.level(value, (0.1, 0.3, 0.5, 0.7)) == shade


def test_a_line_breaks_where_a_month_is_missing():
    chart = line_chart(pl.Series([JAN, APR]), [Line("a", 1, pl.Series([1.0, 2.0]))], LOG)
    assert chart["data"]["values"] == [
        {"m": "2020-01-31", "s0": 1.0},
        {"m": "2020-02-29"},
        {"m": "2020-03-31"},
        {"m": "2020-04-30", "s0": 2.0},
    ]


def test_growth_starts_at_one_the_month_before():
    months, (old, young) = from_one(
        pl.Series([FEB, MAR]),
        [Line("old", 1, pl.Series([1.1, 1.2])), Line("young", 2, pl.Series([None, 1.3]))],
    )
    assert months.to_list() == [JAN, FEB, MAR]
    assert old.values.to_list() == [1.0, 1.1, 1.2]
    assert young.values.to_list() == [None, None, 1.3]


@given(st.floats(0.01, 100.0), st.floats(1.03, 500.0))
def test_a_logarithmic_axis_has_few_marks_but_enough(low, ratio):
    marks = log_marks([low, low * ratio])
    assert all(low <= mark <= low * ratio for mark in marks)
    assert marks == sorted(set(marks))
    assert 2 <= len(marks) <= 20


def test_the_benchmark_keeps_its_style_and_no_two_strategies_share_one():
    names = [f"s{i}" for i in range(20)]
    with_it, without = styles_of(["a", "benchmark", *names]), styles_of(names)
    assert with_it["benchmark"] == 0
    assert 0 not in without.values()
    for styles in (with_it, without):
        assert len(set(styles.values())) == len(styles) <= SERIES


def test_a_bar_tells_what_is_said_of_it():
    chart = bar_chart([Bar("1", 0.05, "s1", {"t": "2.0"})], Scale("Mean", ".0%"))
    assert chart["data"]["values"] == [
        {"label": "1", "v": 0.05, "colour": "var(--s1)", "t0": "2.0"}
    ]
    assert [one["title"] for one in chart["encoding"]["tooltip"]] == [" ", "Mean", "t"]


def test_no_chart_names_an_address():
    chart = line_chart(pl.Series([JAN]), [Line("a", 1, pl.Series([1.0]))], LOG)
    assert "http" not in json.dumps(chart)


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_and_lines_stand_out_from_what_is_behind_them(theme):
    for text in ("ink", "muted", "accent"):
        assert contrast(theme[text], theme["page"]) >= TEXT_CONTRAST, text
    for shade in ("n1", "n2", "n3", "p1", "p2", "p3"):
        assert contrast(theme["ink"], theme[shade]) >= TEXT_CONTRAST, shade
    for shade in ("n4", "p4"):
        assert contrast(theme["on_strong"], theme[shade]) >= TEXT_CONTRAST, shade
    assert contrast("#ffffff", theme["banner"]) >= TEXT_CONTRAST
    for i in range(SERIES):
        assert contrast(theme[f"s{i}"], theme["page"]) >= GRAPHICS_CONTRAST, i


def pictures(markdown: str) -> list[str]:
    found = re.findall(r"!\[[^\]]*\]\(data:image/svg\+xml;base64,([^)]*)\)", markdown)
    return [base64.b64decode(one).decode() for one in found]


def test_a_run_shows_its_strategies_as_one_picture():
    path = pl.DataFrame({"strategy": ["a<b", "a<b"], "month_end": [JAN, FEB], "growth": [1.0, 1.5]})
    (picture,) = pictures(strategies_markdown(path))
    assert "a&lt;b" in picture
    assert "var(--" not in picture


def test_a_run_shows_each_main_factor_beside_the_newest_vintage():
    rows = [
        {"factor": factor, "library_factor": factor, "vintage": vintage, "month_end": month}
        | {"own_growth": 1.1, "library_growth": 1.2}
        for factor in ("HML", "MKT")
        for vintage in ("202401", "202501")
        for month in (JAN, FEB)
    ]
    first, second = pictures(factors_markdown(pl.DataFrame(rows)))
    assert "library MKT, 202501" in first
    assert "library HML, 202501" in second


def test_a_run_without_returns_has_nothing_to_show():
    path = pl.DataFrame(schema={"strategy": pl.String, "month_end": pl.Date, "growth": pl.Float64})
    growth = pl.DataFrame(schema={"factor": pl.String, "vintage": pl.String})
    assert strategies_markdown(path) == factors_markdown(growth) == "Nothing to show yet."
