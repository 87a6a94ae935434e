"""A simulated market in vendors' files, and tools to put faults into them."""

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from factor_pipeline.months import add_months
from factor_pipeline.sources.simulated import SimulationParameters
from factor_pipeline.sources.simulated.vendor_files import write

Row = dict[str, str]
Edit = Callable[[list[Row]], list[Row] | None]

MARKET = SimulationParameters(stocks=50, years=5, seed=1)
LAST_DAY = date(2008, 12, 31)
PLAIN = "ZSLH"
"""Listed and in the index throughout, pays dividends, never splits, one share class."""
STEADY = "CPJG"
"""Listed and in the index throughout, neither pays dividends nor splits, one share class."""
SPLIT = "DGFB"
"""Listed throughout, no dividends, one split: three for one."""
SPLIT_DAY = date(2007, 8, 16)
BENCHMARK = "SIMTR"
FUND = "SIMVAL"
EDITION = "200812"

_PRICES = ("open", "high", "low", "close", "adjusted_close")
_MEMBER_WRITTEN = (2008, 12, 31, 0, 0, 0)


@dataclass(frozen=True)
class Vendor:
    """Files of a clean market; ``paths`` by data set as the settings take them."""

    paths: dict[str, Path]

    @classmethod
    def written(cls, folder: Path, parameters: SimulationParameters = MARKET) -> "Vendor":
        return cls(write(parameters, folder))

    def content(self, data_set: str, name: str) -> bytes:
        path = self.paths[data_set]
        return (path / name if path.is_dir() else path).read_bytes()

    @property
    def tickers(self) -> list[str]:
        return sorted(p.name.removesuffix(".csv.gz") for p in self.paths["prices"].iterdir())

    def prices(self, ticker: str) -> list[Row]:
        """Days of a price file, the earliest first."""
        text = gzip.decompress(self.content("prices", f"{ticker}.csv.gz")).decode()
        return table(text)[::-1]

    def price_text(self, ticker: str) -> str:
        return gzip.decompress(self.content("prices", f"{ticker}.csv.gz")).decode()

    @cached_property
    def calendar(self) -> list[date]:
        """Trading days of the market."""
        return [day_of(row) for row in self.prices(PLAIN)]

    def days(self, first: date, last: date) -> list[date]:
        return [day for day in self.calendar if first <= day <= last]

    def quiet_day(self, ticker: str, month: date) -> date:
        """Day in the midst of a month: no dividend in it, and not its highest close."""
        rows = [r for r in self.prices(ticker) if month <= day_of(r) < add_months(month, 1)]
        assert all(float(r["dividend_amount"]) == 0 for r in rows), f"{ticker} pays in {month}"
        ranked = sorted(rows[8:-8], key=lambda r: float(r["close"]))
        return day_of(ranked[len(ranked) // 2])

    def statements(self, statement: str) -> list[Row]:
        packed = self.content("fundamentals", f"us-{statement}-annual.zip")
        return table(member(packed), separator=";")


def month_end(day: date) -> date:
    return date.fromordinal(add_months(day, 1).toordinal() - 1)


def day_of(row: Row) -> date:
    return date.fromisoformat(row["timestamp"])


def table(text: str, separator: str = ",") -> list[Row]:
    return list(csv.DictReader(io.StringIO(text), delimiter=separator))


def untable(rows: Sequence[Row], separator: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=separator, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def packed(text: str | bytes) -> bytes:
    return gzip.compress(text if isinstance(text, bytes) else text.encode(), mtime=0)


def zipped(*members: tuple[str, str], written: Sequence[int] = _MEMBER_WRITTEN) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members:
            archive.writestr(zipfile.ZipInfo(name, tuple(written)), text)
    return buffer.getvalue()


def member(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(archive.namelist()[0]).decode()


def price_file(rows: Iterable[Row]) -> bytes:
    """A price file of these days, the latest first, as the vendor serves it."""
    return packed(untable(sorted(rows, key=lambda r: r["timestamp"], reverse=True)))


def line_of(rows: Sequence[Row], day: date) -> int:
    """Line of a day in ``price_file(rows)``."""
    newest_first = sorted((day_of(row) for row in rows), reverse=True)
    return newest_first.index(day) + 2


def scale(row: Row, factor: float, columns: Iterable[str] = _PRICES) -> None:
    """Multiply prices of a day."""
    for name in columns:
        row[name] = f"{float(row[name]) * factor:.6f}"


def statement_file(statement: str, rows: Sequence[Row], **kwargs: Sequence[int]) -> bytes:
    return zipped((f"us-{statement}-annual.csv", untable(rows, ";")), **kwargs)


def days_of(frame: pl.DataFrame) -> frozenset[date]:
    return frozenset(frame["date"])
