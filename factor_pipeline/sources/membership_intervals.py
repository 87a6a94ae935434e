"""Index membership as a table of spells: ``ticker,start_date,end_date``."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from factor_pipeline.sources.archive import gunzip
from factor_pipeline.sources.csv_folder import csv_files
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule

_COLUMNS: Final = ("ticker", "start_date", "end_date")
_START: Final = pl.col("start_date")
_END: Final = pl.col("end_date").fill_null(date.max)


@dataclass(frozen=True, slots=True)
class MembershipIntervals:
    """A CSV file of membership spells, or a folder of such files.

    Attributes
    ----------
    path
        The file or the folder.
    """

    path: Path
    name: ClassVar[str] = "intervals"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """Return the file, or those of the folder, sorted by name.

        Raises
        ------
        SettingsError
            When the folder has no such file.
        """
        if self.path.is_dir():
            return csv_files(self.path, data_set="membership")
        return [SourceFile(self.path.name, self.path)]

    def parse(self, file: Offer, content: bytes) -> Parsed:  # noqa: ARG002 - no meaning in a name
        """Turn a file into rows of ``raw.index_member``, sorted by ticker and start.

        Parameters
        ----------
        file
            The file.
        content
            Its bytes, compressed or not.

        Returns
        -------
        Parsed
            One row per spell; ``end_date`` is the first day outside of the index, null for a
            member today. Rejected are rows without ticker or start, ends on or before the start
            (``end_before_start``), repeated spells (``duplicate_spell``, the first stays;
            ``conflicting_spell``, one start and several ends, none stays), and all spells of a
            ticker that overlap (``overlapping_spell``): nothing says which is right.

        Raises
        ------
        BadFileError
            For a file that is no such table, see ``screen_table`` and ``gunzip``.
        """
        screen = screen_table(gunzip(content), required=_COLUMNS, dates=("start_date", "end_date"))
        screen.rows = screen.rows.select("row", *_COLUMNS)
        screen.reject(
            Rule.missing("ticker"),
            Rule.missing("start_date"),
            Rule(
                "end_before_start",
                "the spell ends on or before the day it starts",
                _END <= _START,
                pl.format("{} <= {}", "end_date", "start_date"),
            ),
        )
        screen.reject_repeats("ticker", "start_date", noun="spell")
        screen.reject(
            Rule(
                "overlapping_spell",
                "spells of one ticker overlap; none of them is used",
                _overlaps_earlier() | _overlaps_later(),
                pl.format("{} from {}", "ticker", "start_date"),
            )
        )
        return Parsed(screen.rows.drop("row").sort("ticker", "start_date"), screen.rejected)


def _overlaps_earlier() -> pl.Expr:
    latest_end = _END.cum_max().shift(1).over("ticker", order_by="start_date")
    return latest_end > _START


def _overlaps_later() -> pl.Expr:
    next_start = _START.shift(-1).over("ticker", order_by="start_date")
    return next_start < _END
