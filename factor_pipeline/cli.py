"""The command line: ``factor-pipeline``."""

import json
import os
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Literal, NoReturn

import polars as pl
import typer

from factor_pipeline import console
from factor_pipeline.as_of import as_of_day
from factor_pipeline.cli_options import (
    AsOf,
    Config,
    Month,
    chosen_settings,
    fillable_pipeline,
    parse_month,
    pipeline_of,
    published_file,
)
from factor_pipeline.errors import FactorPipelineError, SettingsError, StoppedError
from factor_pipeline.settings import home

app = typer.Typer(
    help="Nightly factor-investing warehouse: ingest, compute, check, publish, query.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def run(config: Config = None, start: Month = None, end: Month = None, as_of: AsOf = None) -> None:
    """Ingest what is new, compute the months that need it, publish."""
    pipeline = fillable_pipeline(config, as_of)
    months = pipeline.run(start, end)
    console.after_run(pipeline, months)


@app.command()
def nightly(config: Config = None) -> None:
    """Do what the nightly schedule does, now."""
    pipeline = fillable_pipeline(config)
    console.after_run(pipeline, pipeline.nightly())


@app.command()
def sql(
    query: Annotated[str, typer.Argument(help="SQL, or the name of a shipped query.")],
    output: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    as_of: AsOf = None,
) -> None:
    """Query the published tables. `factor-pipeline queries` lists questions to start from."""
    from factor_pipeline.warehouse.models import shipped_queries  # noqa: PLC0415
    from factor_pipeline.warehouse.query import query_published  # noqa: PLC0415

    text = shipped_queries().get(query, query)
    frame = query_published(published_file(as_of), text)
    if output == "csv":
        sys.stdout.write(frame.write_csv())
    elif output == "json":
        rows = frame.with_columns(pl.selectors.temporal().cast(pl.String)).to_dicts()
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
    else:
        console.table(frame)


@app.command()
def queries() -> None:
    """List the shipped queries; run one with `factor-pipeline sql NAME`."""
    from factor_pipeline.warehouse.models import shipped_queries  # noqa: PLC0415

    console.queries(shipped_queries())


@app.command()
def trace(  # noqa: PLR0913, PLR0917 - arguments and options of the command
    table: Annotated[str, typer.Argument(help="Published table, such as risk.rolling_beta.")],
    key: Annotated[
        list[str] | None,
        typer.Argument(help="Key of the row: ticker=AAPL month=2015-06 model=FF3.", metavar="KEY"),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option("--column", help="Trace this column only; may be repeated.")
    ] = None,
    output: Annotated[
        Literal["tree", "json"], typer.Option("--format", help="How to print the trace.")
    ] = "tree",
    files: Annotated[  # noqa: FBT002 - a flag on the command line
        bool, typer.Option("--files", help="List all files, however many.")
    ] = False,
    verify: Annotated[  # noqa: FBT002 - a flag on the command line
        bool, typer.Option("--verify", help="Hash the kept bytes again; exit 1 where they differ.")
    ] = False,
    config: Config = None,
    as_of: AsOf = None,
) -> None:
    """Trace a published row back: build, settings, rows in between, files and their hashes."""
    chosen_settings(config)
    published_file(as_of)
    from factor_pipeline.trace.command import trace_and_tell  # noqa: PLC0415

    as_fetched = trace_and_tell(
        home(),
        table,
        key or [],
        columns=column or [],
        output=output,
        all_files=files,
        verify=verify,
        day=as_of_day(),
    )
    if not as_fetched:
        sys.stderr.write(
            "factor-pipeline: bytes are missing or not as fetched; restore raw/ from a backup\n"
        )
        raise typer.Exit(1)


@app.command()
def report(
    config: Config = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder; $FACTOR_HOME/reports by default.")
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Write the published results as one HTML page and one Excel workbook."""
    chosen_settings(config)
    from factor_pipeline.reporting.report import write_report  # noqa: PLC0415
    from factor_pipeline.reporting.workbook import FILE_NAME, write_workbook  # noqa: PLC0415

    published = published_file(as_of)
    folder = out or published.parent / "reports"
    console.written(write_report(published, folder))
    write_workbook(published, folder / FILE_NAME)
    console.written(folder / FILE_NAME)


@app.command()
def quality(
    config: Config = None,
    table: Annotated[
        str | None, typer.Option("--table", help="One table in detail, such as raw.price_daily.")
    ] = None,
    output: Annotated[
        Literal["table", "json"], typer.Option("--format", help="How to print it.")
    ] = "table",
    docs: Annotated[
        Path | None,
        typer.Option("--docs", help="Write Great Expectations' Data Docs into this folder."),
    ] = None,
    as_of: AsOf = None,
) -> None:
    """Show the state of the published data: checks, flags, quarantine, age."""
    chosen_settings(config)
    published = published_file(as_of)
    if docs:
        # Great Expectations takes seconds to import.
        from factor_pipeline.checks.data_docs import write_data_docs  # noqa: PLC0415

        console.written(write_data_docs(published, docs))
        return
    from factor_pipeline import console_quality  # noqa: PLC0415
    from factor_pipeline.quality_state import quality_state, table_state  # noqa: PLC0415

    if table:
        seen = table_state(published, table)
        if output == "table":
            console_quality.table(seen)
            return
        document = seen.as_document()
    else:
        state = quality_state(published, console.today())
        if output == "table":
            console_quality.state(state)
            return
        document = state.as_document()
    sys.stdout.write(json.dumps(document, indent=1) + "\n")


@app.command()
def status(config: Config = None, as_of: AsOf = None) -> None:
    """Show what is published, how old it is, what is running or waiting to be rebuilt."""
    console.status(pipeline_of(config, as_of))


@app.command()
def doctor(config: Config = None) -> None:
    """Check settings, sources, disk and versions; says what to do about each problem."""
    from factor_pipeline.doctor import examine  # noqa: PLC0415

    findings = examine(home(), chosen_settings(config))
    console.findings(findings)
    if any(not finding.passed for finding in findings):
        raise typer.Exit(1)


@app.command()
def audit(
    config: Config = None,
    at: Annotated[
        list[date] | None,
        typer.Option(
            parser=parse_month,
            metavar="YYYY-MM",
            help="Month after which the data are cut and changed; by default three months.",
        ),
    ] = None,
) -> None:
    """Look for look-ahead: rebuild without the future, and with another one, and compare."""
    pipeline = pipeline_of(config)
    from factor_pipeline.audit.command import audit_and_tell  # noqa: PLC0415

    if not audit_and_tell(pipeline.home, pipeline.settings, at or ()):
        raise typer.Exit(1)


@app.command()
def ui(
    config: Config = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    read_only: Annotated[  # noqa: FBT002 - a flag on the command line
        bool, typer.Option("--read-only", help="Look, but start nothing; no daemon.")
    ] = False,
) -> None:
    """Start the Dagster UI and the daemon that fires the schedule, on 127.0.0.1."""
    from factor_pipeline.supervisor import serve  # noqa: PLC0415

    pipeline = pipeline_of(config)
    raise typer.Exit(serve(pipeline, port=port, read_only=read_only))


def main() -> NoReturn:
    """Run the command line; exit 0 when done, 1 when data or a source fail, 2 on wrong use."""
    code = _exit_code()
    sys.stdout.flush()
    sys.stderr.flush()
    # Leaving at once: on a normal exit DuckDB 2.0's binding prints a page of leak reports about
    # objects the interpreter no longer frees. Nothing is open that would need it.
    os._exit(code)


def _exit_code() -> int:
    try:
        app(standalone_mode=True)
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else int(bool(finished.code))
    except SettingsError as error:
        return _told(error, 2)
    except StoppedError as error:
        return _told(error, 130)
    except FactorPipelineError as error:
        return _told(error, 1)
    return 0


def _told(message: object, code: int) -> int:
    sys.stderr.write(f"factor-pipeline: {message}\n")
    return code


if __name__ == "__main__":
    main()
