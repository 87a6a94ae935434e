"""AlphaVantage: daily prices as traded, one file per ticker, and the list of companies.

https://www.alphavantage.co/documentation/#dailyadj
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from factor_pipeline.sources.archive import gunzip
from factor_pipeline.sources.csv_folder import csv_files, stem
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule

_PRICES: Final = ("open", "high", "low", "close", "adjusted_close")
_NUMBERS: Final = (*_PRICES, "volume", "dividend_amount", "split_coefficient")

_FIRST_DAY: Final = date(1900, 1, 1)
_FRIDAY: Final = 5
_ROUNDING: Final = 0.01  # USD; vendors round the four prices of a day apart from each other


def _below_zero(name: str, rule: str) -> Rule:
    return Rule(rule, f"{name} is below 0", pl.col(name) < 0, pl.col(name))


def _outside_range() -> pl.Expr:
    low, high, close = pl.col("low"), pl.col("high"), pl.col("close")
    above = (high > 0) & (close > high + _ROUNDING)
    below = (low > 0) & (close < low - _ROUNDING)
    return above | below


_RULES: Final = (
    *map(Rule.missing, ("timestamp", "close", "dividend_amount", "split_coefficient")),
    Rule(
        "before_1900",
        "there are no prices of that time",
        pl.col("timestamp") < _FIRST_DAY,
        pl.col("timestamp"),
    ),
    Rule(
        "weekend",
        "exchanges are closed on that day",
        pl.col("timestamp").dt.weekday() > _FRIDAY,
        pl.col("timestamp"),
    ),
    *(_below_zero(name, "negative_price") for name in _PRICES),
    Rule("zero_close", "close is 0", pl.col("close") == 0, pl.col("close")),
    Rule(
        "high_below_low",
        "high is below low",
        (pl.col("high") > 0) & (pl.col("high") < pl.col("low")),
        pl.format("{} < {}", "high", "low"),
    ),
    Rule(
        "close_outside_range",
        "close is not between low and high",
        _outside_range(),
        pl.format("{} not in [{}, {}]", "close", "low", "high"),
    ),
    _below_zero("volume", "negative_volume"),
    _below_zero("dividend_amount", "negative_dividend"),
    Rule(
        "split_not_positive",
        "split_coefficient is not above 0",
        pl.col("split_coefficient") <= 0,
        pl.col("split_coefficient"),
    ),
)


@dataclass(frozen=True, slots=True)
class AlphaVantageDaily:
    """``TIME_SERIES_DAILY_ADJUSTED`` files, ``TICKER.csv`` or ``TICKER.csv.gz``.

    Where both exist the plain one is read, as it is what the vendor serves.

    Attributes
    ----------
    folder
        Folder of the files.
    """

    folder: Path
    name: ClassVar[str] = "alphavantage"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """One file per ticker, sorted by name.

        Raises
        ------
        SettingsError
            When the folder has no such file.
        """
        return csv_files(self.folder, data_set="prices")

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn one file into rows of ``raw.price_daily``, sorted by date.

        Parameters
        ----------
        file
            Its name up to ``.csv`` is the ticker.
        content
            Its bytes, compressed or not. Days may be in any order.

        Returns
        -------
        Parsed
            One row per day with prices in USD as traded. Open, high, low and adjusted close are
            null where empty or 0, the vendor's sign for "none". Rejected are rows without date,
            close, dividend or split; days before 1900 and at weekends; prices, volumes and
            dividends below 0, a close of 0, splits not above 0; a high below the low or a close
            more than a cent outside of them; and repeated days (``duplicate_day``, the first
            stays; ``conflicting_day``, none stays). The size of a price change is no ground for
            rejection: true crashes look like errors.

        Raises
        ------
        BadFileError
            For a file that is no table of daily prices, see ``screen_table`` and ``gunzip``.
        """
        screen = screen_table(
            gunzip(content),
            required=("timestamp", *_NUMBERS),
            numbers=_NUMBERS,
            dates=("timestamp",),
        )
        screen.reject(*_RULES)
        ticker = pl.lit(stem(file.name))
        screen.rows = screen.rows.select(
            "row",
            ticker.alias("vendor_id"),
            ticker.alias("ticker"),
            pl.col("timestamp").alias("date"),
            *(_above_zero(name) for name in _PRICES),
            "volume",
            pl.col("dividend_amount").alias("dividend"),
            pl.col("split_coefficient").alias("split"),
        )
        screen.reject_repeats("date", noun="day")
        return Parsed(screen.rows.drop("row").sort("date"), screen.rejected)


@dataclass(frozen=True, slots=True)
class AlphaVantageListing:
    """The list of companies that goes with the price files: ``Symbol,Name,Sector``.

    It is a list of one day. Names and sectors are taken as valid for all time, and it is no
    historical universe.

    Attributes
    ----------
    path
        The file.
    """

    path: Path
    name: ClassVar[str] = "alphavantage"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """Return the one file."""
        return [SourceFile(self.path.name, self.path)]

    def parse(self, file: Offer, content: bytes) -> Parsed:  # noqa: ARG002 - one file, one meaning
        """Turn the file into rows of ``raw.listing``, sorted by ticker.

        Parameters
        ----------
        file
            The file.
        content
            Its bytes, compressed or not.

        Returns
        -------
        Parsed
            One row per ticker; firm, dates and exchange are null, as the vendor does not say.
            Rejected are rows without ``Symbol`` and repeated symbols (``duplicate_symbol``,
            ``conflicting_symbol``).

        Raises
        ------
        BadFileError
            For a file that is no such table, see ``screen_table`` and ``gunzip``.
        """
        screen = screen_table(gunzip(content), required=("Symbol", "Name", "Sector"))
        screen.reject(Rule.missing("Symbol"))
        screen.rows = screen.rows.select(
            "row",
            pl.col("Symbol").alias("vendor_id"),
            pl.lit(None, pl.String).alias("firm"),
            pl.col("Symbol").alias("ticker"),
            pl.lit(None, pl.Date).alias("valid_from"),
            pl.lit(None, pl.Date).alias("valid_to"),
            pl.col("Name").alias("name"),
            pl.col("Sector").alias("sector"),
            pl.lit(None, pl.String).alias("exchange"),
        )
        screen.reject_repeats("vendor_id", noun="symbol")
        return Parsed(screen.rows.drop("row").sort("vendor_id"), screen.rejected)


def _above_zero(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name))
