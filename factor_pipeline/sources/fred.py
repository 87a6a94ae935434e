"""FRED, the macroeconomic database of the St. Louis Fed: one file per series."""

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources.archive import gunzip
from factor_pipeline.sources.csv_folder import csv_files, stem
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule

_DATE_COLUMNS: Final = ("date", "observation_date", "DATE")
_NO_OBSERVATION: Final = "."


@dataclass(frozen=True, slots=True)
class Fred:
    """Files ``SERIES.csv`` or ``SERIES.csv.gz`` with a column of dates and one of values.

    Attributes
    ----------
    folder
        Folder of the files.
    """

    folder: Path
    name: ClassVar[str] = "fred"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """One file per series, sorted by name.

        Raises
        ------
        SettingsError
            When the folder has no such file.
        """
        return csv_files(self.folder, data_set="macro")

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn one file into rows of ``raw.macro``, sorted by date.

        Parameters
        ----------
        file
            Its name up to ``.csv`` is the series.
        content
            Its bytes, compressed or not; the header is ``date,value`` or
            ``observation_date,SERIES``.

        Returns
        -------
        Parsed
            One row per observation, in the unit of the series. A blank value or ``.`` is FRED's
            way to say that there is none and is left out without being rejected. Rejected are
            rows without a date, values that are no number, and repeated dates
            (``duplicate_date``, the first stays; ``conflicting_date``, none stays).

        Raises
        ------
        BadFileError
            ``renamed_columns`` for any other header, ``wrong_series`` when it names another
            series than the file; and see ``screen_table`` and ``gunzip``.
        """
        series = stem(file.name)
        screen = screen_table(gunzip(content), required=())
        day, value = _columns(screen.rows.columns[1:], series)
        screen.rows = screen.rows.select("row", date=day, value=value)
        screen.parse_dates("date")
        screen.reject(Rule.missing("date"))
        screen.rows = screen.rows.filter(pl.col("value") != _NO_OBSERVATION)
        screen.parse_numbers("value")
        screen.reject_repeats("date", noun="date")
        frame = screen.rows.select(pl.lit(series).alias("series"), "date", "value")
        return Parsed(frame.sort("date"), screen.rejected)


def _columns(found: list[str], series: str) -> tuple[str, str]:
    """Names of the columns with the dates and the values."""
    two = len(found) == 2  # noqa: PLR2004 - a date and a value
    if not two or found[0] not in _DATE_COLUMNS:
        raise BadFileError(
            "renamed_columns",
            "the header is neither date,value nor observation_date,SERIES; "
            "fetch one series per file from FRED",
            row=1,
            value=", ".join(found)[:80],
        )
    if found[1] not in {"value", series}:
        raise BadFileError(
            "wrong_series",
            f"the file is named {series} and holds {found[1]}; name it after its series",
            row=1,
            value=found[1][:80],
        )
    return found[0], found[1]
