"""The day in the past that the warehouse is to be of, and the folder it has then."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

from factor_pipeline.errors import SettingsError

AS_OF_VARIABLE = "FACTOR_AS_OF"


def as_of_day(today: date | None = None, *, named_by: str = AS_OF_VARIABLE) -> date | None:
    """Day that ``FACTOR_AS_OF`` names; null when it names none and the warehouse is that of now.

    Messages call it by ``named_by``: the command line sets it from an option too.

    Raises
    ------
    SettingsError
        When it is no day, or one after ``today`` (UTC).
    """
    text = os.environ.get(AS_OF_VARIABLE)
    if not text:
        return None
    today = today or datetime.now(UTC).date()
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"{named_by} {text!r:.40} is not a day; write it as YYYY-MM-DD, such as {today}"
        ) from error
    if day > today:
        raise SettingsError(
            f"{named_by} {day} is in the future; nobody knows yet what will be known then"
        )
    return day


def working_folder(home: Path, day: date | None) -> Path:
    """Folder of work file, published file, runs and reports: the home itself without a day."""
    return home if day is None else home / "as_of" / day.isoformat()
