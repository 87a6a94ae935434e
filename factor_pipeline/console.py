"""What the command line prints: tables on stdout, everything else on stderr."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from rich.console import Console
from rich.table import Table
from rich.text import Text

from factor_pipeline.as_of import as_of_day
from factor_pipeline.compute.freshness import aged
from factor_pipeline.doctor import Finding
from factor_pipeline.errors import UnknownTableError
from factor_pipeline.freshness import complaints
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.quality import FRESHNESS
from factor_pipeline.warehouse.query import query_published

if TYPE_CHECKING:
    from factor_pipeline.runs import Pipeline

_OUT = Console(highlight=False)

_STRATEGIES = """
select
    strategy,
    cast(max(value) filter (metric = 'months') as integer) as months,
    max(value) filter (metric = 'cagr') as cagr,
    max(value) filter (metric = 'volatility') as volatility,
    max(value) filter (metric = 'max_drawdown') as max_drawdown,
    max(value) filter (metric = 'sharpe') as sharpe
from backtest.summary
group by strategy
order by strategy
"""
_FACTORS = """
select factor, vintage, months, correlation, slope, mean_difference * 1200 as mean_diff_pct_year
from factor.comparison
order by factor, vintage
"""
_WARNINGS = """
select table_name, check_name, observed
from quality.check_result
where
    not passed and check_name <> 'is_up_to_date'
    and check_name not in (select rule from quality.flag)
order by table_name, check_name
"""
_FLAGS = """
select severity, count(*) as flags, count(distinct rule) as rules
from quality.flag
group by severity
order by severity
"""
_SHARES = frozenset({"cagr", "volatility", "max_drawdown"})


def after_run(pipeline: "Pipeline", months: MonthRange | None) -> None:
    """Say what was built, what it gives, and where to look next.

    Where months are stale still, the published file is of an earlier build: it is not shown.
    """
    from factor_pipeline.builds import State  # noqa: PLC0415

    if months is None:
        _OUT.print("Nothing new: every month is built from the present inputs and settings.")
    else:
        _OUT.print(f"Built {months}.")
    stale = State.of(pipeline.warehouse).first_stale_month(pipeline.settings)
    if stale:
        say(f"Not published: months from {stale:%Y-%m} on are stale; run `{_command('run')}`.")
        return
    if not pipeline.published.exists():
        _OUT.print("Nothing is published yet.")
        return
    if pipeline.settings.is_simulated:
        _OUT.print(
            "[bold]The data are a simulated market[/bold], not real prices: "
            "set a settings file for real ones (see README, Sources)."
        )
    if months is not None:
        _show("Strategies, net of costs (each over its own months)", pipeline, _STRATEGIES)
        _show("Own factors against the library", pipeline, _FACTORS)
        _warnings(pipeline)
    if not pipeline.settings.is_simulated:
        _ages_of(pipeline)
    _OUT.print(f"Published: {pipeline.published}", soft_wrap=True)
    _OUT.print("Look next:")
    _OUT.print(f"  {_command('sql')}", '"select * from backtest.summary"', markup=False)
    _OUT.print("  factor-pipeline queries      # questions to start from")
    _OUT.print("  factor-pipeline ui           # lineage, checks, schedule on 127.0.0.1:3000")


def status(pipeline: "Pipeline") -> None:
    """Say what is published, how old it is, what runs and what is stale."""
    from factor_pipeline.builds import State  # noqa: PLC0415
    from factor_pipeline.instance import is_running  # noqa: PLC0415

    running = pipeline.home.exists() and is_running(pipeline.home)
    _OUT.print(f"home       {pipeline.home}", soft_wrap=True)
    _OUT.print(f"running    {'yes' if running else 'no'}")
    if not pipeline.published.exists():
        say(f"published  nothing yet; run `{_command('run')}`")
        return
    builds = query_published(
        pipeline.published, "select * from quality.build order by build desc limit 1"
    )
    build = builds.row(0, named=True)
    _OUT.print(f"published  {pipeline.published}", soft_wrap=True)
    _OUT.print(f"           build {build['build']} of {build['finished_at']:%Y-%m-%d %H:%M} UTC")
    _OUT.print(f"data       {'simulated market' if build['simulated'] else 'vendor files'}")
    if running:
        _OUT.print("to build   unknown until the run ends")
    else:
        state = State.of(pipeline.warehouse)
        stale = state.first_stale_month(pipeline.settings)
        _OUT.print(f"prices to  {state.data_end or 'none'}")
        _OUT.print(f"stale      {f'from {stale:%Y-%m} on' if stale else 'nothing'}")
        _OUT.print(f"to build   {state.needed(pipeline.settings) or 'nothing'}")
        if _is_behind(pipeline):
            say(f"to publish what is built or newly known; run `{_command('run')}`")
        _ages_of(pipeline)
    _warnings(pipeline)


def _warnings(pipeline: "Pipeline") -> None:
    """Say which checks warn; rows that look faulty are told by `factor-pipeline quality`."""
    try:
        _show("Warnings", pipeline, _WARNINGS)
        _show("Rows that look faulty, see `factor-pipeline quality`", pipeline, _FLAGS)
    except UnknownTableError:
        say(f"The published file was made by another release; `{_command('run')}` makes it anew.")


def today() -> date:
    """Day by which ages are stated, UTC."""
    return datetime.now(UTC).date()


def say(line: str) -> None:
    """Print a line as it is."""
    _OUT.print(line, markup=False, soft_wrap=True)


def titled(title: str, frame: pl.DataFrame) -> None:
    """Print all rows under a title; nothing where there are none."""
    if not frame.is_empty():
        _OUT.print(f"\n[bold]{title}[/bold]")
        table(frame)


def ages(as_of: pl.DataFrame) -> None:
    """Say how old each data set is, and what is wrong with that, in a line each."""
    titled(
        "Age of the data",
        as_of.select(
            "data_set",
            "source",
            "last_day",
            pl.col("age_days").alias("days"),
            pl.col("max_age_days").cast(pl.String).fill_null("any").alias("allowed"),
            "files",
        ),
    )
    for row in as_of.iter_rows(named=True):
        for complaint in complaints(row):
            say(complaint)


def _is_behind(pipeline: "Pipeline") -> bool:
    from factor_pipeline.publishing import is_behind  # noqa: PLC0415

    # Only a run can make the work file of another release one of this one.
    known = pipeline.warehouse.has(FRESHNESS)
    return known and is_behind(pipeline.warehouse, pipeline.settings, pipeline.published)


def _ages_of(pipeline: "Pipeline") -> None:
    """Say how old the data of the work file are, unless another release has filled it."""
    if pipeline.warehouse.has(FRESHNESS):
        ages(aged(pipeline.warehouse.table(FRESHNESS), as_of_day() or today()))


def _command(name: str) -> str:
    """Return a command as it is typed for the warehouse at hand, that of now or of a day."""
    day = as_of_day()
    return f"factor-pipeline {name}{f' --as-of {day}' if day else ''}"


def queries(texts: Mapping[str, str]) -> None:
    """List shipped queries with the question each answers."""
    grid = Table(box=None, show_header=False)
    for name, text in texts.items():
        comments = [line[3:] for line in text.splitlines() if line.startswith("-- ")]
        question = next((c for c in comments if not c.startswith("Grain:")), "")
        grid.add_row(name, question)
    _OUT.print(grid)


def written(path: Path) -> None:
    """Say where a file was written."""
    _OUT.print(f"Written: {path}", soft_wrap=True)


def findings(results: Sequence[Finding]) -> None:
    """Print what `doctor` found, with what to do."""
    for finding in results:
        mark = "[green]ok[/green]  " if finding.passed else "[red]fail[/red]"
        _OUT.print(f"{mark}  {finding.subject:<14} {finding.said}", soft_wrap=True)
        if not finding.passed:
            _OUT.print(f"                      {finding.advice}", soft_wrap=True)


def table(frame: pl.DataFrame) -> None:
    """Print all rows."""
    grid = Table(box=None)
    for name, dtype in frame.schema.items():
        grid.add_column(name, justify="right" if dtype.is_numeric() else "left", no_wrap=True)
    for row in frame.iter_rows():
        grid.add_row(*(_cell(value) for value in row))
    wide = Console(highlight=False, width=None if _OUT.is_terminal else 10_000)
    wide.print(grid)


def _show(title: str, pipeline: "Pipeline", query: str) -> None:
    frame = query_published(pipeline.published, query)
    if frame.is_empty():
        return
    shares = [c for c in frame.columns if c in _SHARES]
    _OUT.print(f"\n[bold]{title}[/bold]")
    grid = Table(box=None)
    for name, dtype in frame.schema.items():
        grid.add_column(name, justify="right" if dtype.is_numeric() else "left", overflow="fold")
    for row in frame.iter_rows(named=True):
        grid.add_row(
            *(
                f"{value:.1%}" if name in shares and value is not None else _cell(value)
                for name, value in row.items()
            )
        )
    _OUT.print(grid)


def _cell(value: object) -> str | Text:
    if isinstance(value, float):
        return f"{value:.6g}"
    # A unit such as [decimal] is text, not markup.
    return Text("" if value is None else str(value))
