"""Sections on where the numbers come from and how far to trust them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from factor_pipeline.reporting import formats, quality, tables
from factor_pipeline.reporting.blocks import Block, Chart, Facts, Part, Section
from factor_pipeline.reporting.charts import Line, Scale, line_chart
from factor_pipeline.reporting.published import NotInBuildError, Published

_LISTED_FILES = 1000
_SHORT_HASH = 16


def _headline(published: Published) -> Sequence[Block]:
    build = published.build
    size = published.rows("panel_size").row(0, named=True)
    pairs = [
        ("Months", formats.window(size["first_month"], size["last_month"])),
        ("Securities", formats.count(size["securities"])),
        ("Stock-months", formats.count(size["stock_months"])),
        ("Data", "simulated market" if build["simulated"] else sources(published)),
        ("Built", _time(build["finished_at"])),
        *_checks_in_short(published),
        *_survivorship_in_short(published),
    ]
    return [Facts(pairs, cards=True)]


def sources(published: Published) -> str:
    """Name the sources of the data, each once, prices first."""
    frame = published.rows("input_sets").sort(pl.col("data_set") != "prices", "data_set")
    return ", ".join(dict.fromkeys(frame["source"]))


def _checks_in_short(published: Published) -> Iterator[tuple[str, str]]:
    try:
        frame = published.rows("check_counts")
    except NotInBuildError:
        return
    failed = frame.filter(~pl.col("passed"))
    by_severity = dict(failed.select("severity", "checks").iter_rows())
    passed = frame.filter("passed").select(pl.col("checks").sum()).item()
    said = [f"{formats.count(passed)} passed"]
    said += [
        f"{formats.count(n)} {word}"
        for key, word in (("warn", "warn"), ("error", "failed"))
        if (n := by_severity.get(key))
    ]
    yield "Checks", ", ".join(said)


def _survivorship_in_short(published: Published) -> Iterator[tuple[str, str]]:
    try:
        worst = published.rows("index_coverage")["missing_share"].max()
    except NotInBuildError:
        return
    if isinstance(worst, float):
        yield "Index members without prices", f"up to {formats.percent(worst)}"


def _coverage(published: Published) -> Sequence[Block]:
    frame = published.rows("index_coverage")
    window = formats.window(frame["month_end"][0], frame["month_end"][-1])
    worst = frame.sort("missing_share", descending=True).row(0, named=True)
    line = Line("without prices", 2, frame["missing_share"])
    return [
        Chart(
            name="chart-coverage",
            title=f"Index members without prices, {window}",
            alt=f"Line: share of index members without prices, {window}, highest in "
            f"{formats.month(worst['month_end'])} with {formats.percent(worst['missing_share'])}.",
            spec=line_chart(
                frame["month_end"], [line], Scale("Share", ".2~%", zero=True), height=180
            ),
            note="Firms that left the index are missing more often than those that stayed: returns "
            "of months with a wide gap carry survivorship bias.",
        )
    ]


def _checks(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Check", "check_name"),
        tables.name("Table", "table_name"),
        tables.Field(
            "Outcome",
            lambda row: "failed" if row["severity"] == "error" else "warns",
            numeric=False,
        ),
        tables.count("Rows", "failing_rows"),
        tables.name("Seen", "observed"),
    ]
    frame = published.rows("checks_not_passed")
    return [tables.table("Checks that did not pass", frame, fields)]


def _quarantine(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Data set", "data_set"),
        tables.name("Rule", "rule"),
        tables.count("Files", "bad_files"),
        tables.count("Rows", "bad_rows"),
        tables.name("Example", "example_file"),
        tables.name("Reason", "example_reason"),
    ]
    frame = published.rows("quarantine")
    return [tables.table("Left out: files and rows in quarantine", frame, fields)]


def _contradictions(published: Published) -> Sequence[Block]:
    frame = published.rows("contradictions")
    fields = [
        tables.name("Ticker", "ticker"),
        tables.value("Day", "date", formats.text),
        tables.percent("From close, split, dividend", "computed_return"),
        tables.percent("From adjusted close", "vendor_return"),
    ]
    title = (
        f"Days on which the price vendor contradicts itself: {formats.count(frame['all_days'][0])}"
    )
    note = (
        "panel.disputed_return in the settings says what becomes of them. The largest are listed."
    )
    return [tables.table(title, frame, fields, note=note, fold=True)]


def _departures(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Strategy", "strategy"),
        tables.name("Reason", "reason"),
        tables.count("Holdings", "departures"),
        tables.count("With a return", "with_return"),
        tables.percent("Mean return of the last month", "mean_return"),
    ]
    frame = published.rows("departures")
    return [tables.table("Holdings that left the market", frame, fields, fold=True)]


def _settings(published: Published) -> Sequence[Block]:
    pairs = list(_flat(published.settings))
    frame = pl.DataFrame(pairs, schema={"key": pl.String, "value": pl.String}, orient="row")
    fields = [tables.name("Setting", "key"), tables.name("Value", "value")]
    return [tables.table("Settings in force", frame, fields, fold=True)]


def _flat(section: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for key, value in section.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", formats.text(value)


def _run(published: Published) -> Sequence[Block]:
    build = published.build
    return [
        Facts(
            [
                ("Run", build["run_id"]),
                ("Finished", _time(build["finished_at"])),
                ("Months built", formats.window(build["first_month"], build["last_month"])),
                ("Code version", build["code_version"]),
                ("Hash of the inputs", build["inputs"]),
            ]
        )
    ]


def _inputs(published: Published) -> Sequence[Block]:
    fields = [
        tables.name("Data set", "data_set"),
        tables.name("Source", "source"),
        tables.count("Files", "files"),
        tables.count("Rows", "read_rows"),
        tables.count("Rejected", "rejected"),
        tables.value("Size", "bytes", formats.bytes_of),
        tables.name("Vintages", "vintages"),
        tables.value("Newest", "newest", _time, numeric=False),
    ]
    return [tables.table("What was read", published.rows("input_sets"), fields)]


def _files(published: Published) -> Sequence[Block]:
    frame = published.rows("input_files")
    fields = [
        tables.name("Data set", "data_set"),
        tables.name("File", "file"),
        tables.Field("SHA-256", lambda row: f"{row['sha256'][:_SHORT_HASH]}…", numeric=False),
        tables.name("Vintage", "vintage"),
        tables.name("Status", "status"),
    ]
    more = frame.height - _LISTED_FILES
    note = "Whole hashes are in raw.ingest_log" + (
        f", with {more:,} more files." if more > 0 else "."
    )
    return [tables.table("Files", frame.head(_LISTED_FILES), fields, note=note, fold=True)]


def _time(moment: datetime | None) -> str:
    return formats.MISSING if moment is None else f"{moment:%Y-%m-%d %H:%M} UTC"


HEADLINE = Section("headline", "At a glance", "", (Part("overview", _headline),))
QUALITY = Section(
    "quality",
    "Data quality and survivorship",
    "Nothing is dropped silently: what is old, rejected, disputed, missing or looks faulty is "
    "counted here.",
    (
        Part("panel.index_coverage", _coverage),
        quality.AGES,
        Part("checks", _checks, when_empty="Every check passed."),
        quality.RULES,
        quality.FLAGS,
        Part("quarantine", _quarantine, when_empty="Nothing is in quarantine."),
        Part(
            "vendor contradictions",
            _contradictions,
            when_empty="The price vendor does not contradict itself on any day.",
        ),
        Part("departures", _departures, when_empty="No holding left the market."),
        quality.STATE,
    ),
)
PROVENANCE = Section(
    "provenance",
    "Where the numbers come from",
    "The same inputs, settings and code give the same numbers.",
    (
        Part("quality.build", _run),
        Part("raw.ingest_log", _inputs),
        Part("list of files", _files),
        Part("settings", _settings),
    ),
)
