import csv
import gzip
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources.alphavantage import AlphaVantageDaily, AlphaVantageListing
from factor_pipeline.sources.protocol import Parsed


@dataclass
class Vendor:
    folder: Path
    parsed: dict[str, Parsed]
    refused: dict[str, BadFileError]

    def day(self, ticker: str, day: date) -> dict[str, object]:
        return self.parsed[ticker].frame.row(by_predicate=pl.col("date") == day, named=True)

    def lines(self, ticker: str) -> list[list[str]]:
        with gzip.open(self.folder / f"{ticker}.csv.gz", "rt", newline="") as file:
            return list(csv.reader(file))


@pytest.fixture(scope="module")
def vendor(vendor_data: Path) -> Vendor:
    source = AlphaVantageDaily(vendor_data / "alphavantage" / "daily_adjusted")
    vendor = Vendor(source.folder, {}, {})
    for file in source.files():
        ticker = file.name.removesuffix(".csv.gz")
        try:
            vendor.parsed[ticker] = source.parse(file, file.read())
        except BadFileError as error:
            vendor.refused[ticker] = error
    return vendor


def test_exactly_one_file_is_bad(vendor):
    assert len(vendor.parsed) == 504
    assert {ticker: error.rule for ticker, error in vendor.refused.items()} == {"BF.B": "api_error"}


def test_no_line_is_lost(vendor):
    counted = {
        ticker: gzip.decompress((vendor.folder / f"{ticker}.csv.gz").read_bytes()).count(b"\n") - 1
        for ticker in vendor.parsed
    }
    assert sum(counted.values()) == 2_402_891
    assert {ticker: parsed.frame.height for ticker, parsed in vendor.parsed.items()} == counted
    assert sum(parsed.rejected.height for parsed in vendor.parsed.values()) == 0


@pytest.mark.parametrize("ticker", ["A", "BRK.B", "GOOGL", "VAR"])
def test_every_number_is_the_double_nearest_to_its_text(vendor, ticker):
    _, *lines = vendor.lines(ticker)
    expected = sorted((date.fromisoformat(day), *map(float, rest)) for day, *rest in lines)
    assert vendor.parsed[ticker].frame.drop("vendor_id", "ticker").rows() == expected


def test_a_file_with_one_fault_gives_the_same_rows_but_for_it(vendor):
    whole = vendor.parsed["AAPL"].frame
    header, *lines = vendor.lines("AAPL")
    lines[100][4] = "n/a"
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *reversed(lines)])
    source = AlphaVantageDaily(vendor.folder)
    file = next(file for file in source.files() if file.name == "AAPL.csv.gz")
    parsed = source.parse(file, buffer.getvalue().encode())
    assert parsed.frame.equals(whole.filter(pl.col("date") != date.fromisoformat(lines[100][0])))
    assert parsed.rejected.select("row", "rule").rows() == [(len(lines) + 1 - 100, "not_a_number")]


def test_the_true_crashes_are_kept(vendor):
    aig = [vendor.day("AIG", date(2008, 9, day))["close"] for day in (12, 15)]
    apple = [vendor.day("AAPL", date(2000, 9, day))["close"] for day in (28, 29)]
    assert aig == [12.14, 4.76]  # -61 %
    assert apple == [53.5, 25.75]  # -52 %


def test_a_split_is_on_its_day(vendor):
    assert vendor.day("AAPL", date(2020, 8, 31))["split"] == 4.0
    assert vendor.parsed["AAPL"].frame.filter(pl.col("split") != 1).height == 4


def test_the_list_names_every_price_file(vendor, vendor_data):
    path = vendor_data / "alphavantage" / "constituents.csv"
    source = AlphaVantageListing(path)
    (file,) = source.files()
    parsed = source.parse(file, file.read())
    with path.open(newline="") as lines:
        expected = sorted(tuple(row) for row in csv.reader(lines))
    expected.remove(("Symbol", "Name", "Sector"))
    assert parsed.frame.select("ticker", "name", "sector").rows() == expected
    assert {*vendor.parsed, *vendor.refused} == set(parsed.frame["vendor_id"])
    assert parsed.rejected.is_empty()
