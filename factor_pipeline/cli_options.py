"""Options that commands share, and the settings, folders and files they choose."""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from factor_pipeline.as_of import AS_OF_VARIABLE, as_of_day, working_folder
from factor_pipeline.errors import QueryError
from factor_pipeline.settings import (
    CONFIG_VARIABLE,
    HOME_VARIABLE,
    PUBLISHED_FILE,
    Settings,
    home,
    load_settings,
)

if TYPE_CHECKING:
    from factor_pipeline.runs import Pipeline

Config = Annotated[
    Path | None,
    typer.Option("--config", help="Settings file; else $FACTOR_CONFIG, else the embedded data."),
]


def parse_month(text: str) -> date:
    """Return the first day of a month written YYYY-MM."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a month; write it as YYYY-MM") from error


def parse_day(text: str) -> date:
    """Return the day written YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day; write it as YYYY-MM-DD") from error


AsOf = Annotated[
    date | None,
    typer.Option(
        "--as-of",
        parser=parse_day,
        metavar="YYYY-MM-DD",
        help="The warehouse made of the files known at the end of that day (UTC).",
    ),
]
Month = Annotated[date | None, typer.Option(parser=parse_month, metavar="YYYY-MM")]


def chosen_settings(config: Path | None) -> Settings:
    """Load the settings and let Dagster, which reads the environment, see the same ones."""
    settings = load_settings(config)
    if config:
        os.environ[CONFIG_VARIABLE] = str(config.resolve())
    elif named := os.environ.get(CONFIG_VARIABLE):
        os.environ[CONFIG_VARIABLE] = str(Path(named).resolve())
    os.environ[HOME_VARIABLE] = str(home())
    return settings


def chosen_folder(as_of: date | None) -> tuple[Path, date | None]:
    """Return the folder to work in, and the day it is of if Dagster shall build that of a day."""
    if as_of:
        os.environ[AS_OF_VARIABLE] = as_of.isoformat()
    day = as_of_day(named_by="--as-of" if as_of else AS_OF_VARIABLE)
    return working_folder(home(), day), day


def published_file(as_of: date | None) -> Path:
    """Return the published file, which must exist if it is that of a day."""
    folder, day = chosen_folder(as_of)
    published = folder / PUBLISHED_FILE
    if day and not published.exists():
        raise QueryError(
            f"the warehouse as of {day} is not built yet; run `factor-pipeline run --as-of {day}`"
        )
    return published


def pipeline_of(config: Path | None, as_of: date | None = None) -> "Pipeline":
    """Return the pipeline of the folder and settings that were chosen."""
    settings = chosen_settings(config)
    folder, _ = chosen_folder(as_of)
    # Dagster takes seconds to import: wrong settings are told before.
    from factor_pipeline.runs import Pipeline  # noqa: PLC0415

    return Pipeline(folder, settings)


def fillable_pipeline(config: Path | None, as_of: date | None = None) -> "Pipeline":
    """Return the pipeline if there is something to fill it from, on the day it is of."""
    pipeline = pipeline_of(config, as_of)
    from factor_pipeline.deliveries import Deliveries  # noqa: PLC0415

    Deliveries(home(), as_of_day()).prepare()
    return pipeline
