"""Yahoo Finance: daily closes of indices and exchange-traded funds, one file per symbol."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final, Literal

import polars as pl

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources.archive import gunzip
from factor_pipeline.sources.csv_folder import csv_files, stem
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule

_FIRST_DAY: Final = date(1900, 1, 1)
_QUOTED: Final = "Close"
_ADJUSTED: Final = "Adj Close"


@dataclass(frozen=True, slots=True)
class Yahoo:
    """Files ``SYMBOL.csv`` or ``SYMBOL.csv.gz`` in one of two forms.

    Either Yahoo's own export (``Date,Open,High,Low,Close,Adj Close,Volume``), or ``Date,Close``
    alone, where the close is the adjusted one.

    Attributes
    ----------
    folder
        Folder of the files.
    data_set
        What the symbols are for.
    """

    folder: Path
    data_set: Literal["benchmark", "etf"]
    name: ClassVar[str] = "yahoo"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """One file per symbol, sorted by name.

        Raises
        ------
        SettingsError
            When the folder has no such file.
        """
        return csv_files(self.folder, data_set=self.data_set)

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn one file into rows of ``raw.benchmark_daily``, sorted by date.

        Parameters
        ----------
        file
            Its name up to ``.csv`` is the symbol.
        content
            Its bytes, compressed or not. Days may be in any order.

        Returns
        -------
        Parsed
            One row per day, in USD; ``close`` is null in the short form. Rejected are rows
            without a date or price, also where Yahoo writes ``null`` (``null_price``); days
            before 1900; prices that are not above 0 (``price_not_positive``); and repeated days
            (``duplicate_day``, the first stays; ``conflicting_day``, none stays). Prices of the
            day and volume are not looked at.

        Raises
        ------
        BadFileError
            ``renamed_columns`` for any other form, as a close is not known to be adjusted then;
            and see ``screen_table`` and ``gunzip``.
        """
        screen = screen_table(gunzip(content), required=("Date", _QUOTED), dates=("Date",))
        prices = _price_columns(screen.rows.columns)
        screen.reject(
            *map(Rule.missing, ("Date", *prices)),
            Rule(
                "before_1900",
                "there are no prices of that time",
                pl.col("Date") < _FIRST_DAY,
                pl.col("Date"),
            ),
            *(
                Rule("null_price", f"{name} is null", pl.col(name) == "null", pl.col(name))
                for name in prices
            ),
        )
        screen.parse_numbers(*prices)
        screen.reject(
            *(
                Rule(
                    "price_not_positive", f"{name} is not above 0", pl.col(name) <= 0, pl.col(name)
                )
                for name in prices
            )
        )
        quoted = pl.col(_QUOTED) if _ADJUSTED in prices else pl.lit(None, pl.Float64)
        screen.rows = screen.rows.select(
            "row",
            pl.lit(self.data_set).alias("data_set"),
            pl.lit(stem(file.name)).alias("symbol"),
            pl.col("Date").alias("date"),
            quoted.alias("close"),
            pl.col(prices[-1]).alias("adjusted_close"),
        )
        screen.reject_repeats("date", noun="day")
        return Parsed(screen.rows.drop("row").sort("date"), screen.rejected)


def _price_columns(found: list[str]) -> tuple[str, ...]:
    """Close and adjusted close, or the close alone; the adjusted one comes last."""
    if _ADJUSTED in found:
        return (_QUOTED, _ADJUSTED)
    if set(found) == {"row", "Date", _QUOTED}:
        return (_QUOTED,)
    raise BadFileError(
        "renamed_columns",
        f"the header lacks {_ADJUSTED} and is not just Date,Close; "
        "fetch the file with adjusted closes",
        row=1,
        value=", ".join(found[1:])[:80],
    )
