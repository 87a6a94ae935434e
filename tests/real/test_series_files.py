"""Benchmark, fund, macro and membership files as their vendors serve them, against pandas."""

from datetime import date

import pandas as pd
import polars as pl
import pytest

from factor_pipeline.sources.fred import Fred
from factor_pipeline.sources.membership_intervals import MembershipIntervals
from factor_pipeline.sources.yahoo import Yahoo


def parsed(source):
    results = {file.name: (file.path, source.parse(file, file.read())) for file in source.files()}
    assert all(result.rejected.is_empty() for _, result in results.values())
    return results


def read(path):
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def texts(column):
    return column.cast(pl.String).fill_null("").to_list()


@pytest.mark.parametrize(
    ("folder", "data_set", "adjusted"),
    [("benchmarks", "benchmark", "Adj Close"), ("etf", "etf", "Close")],
)
def test_every_day_of_every_fund_is_read_to_the_last_bit(vendor_data, folder, data_set, adjusted):
    results = parsed(Yahoo(vendor_data / folder, data_set))
    assert len(results) == {"benchmark": 2, "etf": 8}[data_set]
    for name, (path, result) in results.items():
        table = read(path)
        assert set(result.frame["symbol"]) == {name.removesuffix(".csv")}
        assert texts(result.frame["date"]) == list(table["Date"])
        assert result.frame["adjusted_close"].to_list() == list(map(float, table[adjusted]))
        has_quote = adjusted != "Close"
        quoted = list(map(float, table["Close"])) if has_quote else [None] * len(table)
        assert result.frame["close"].to_list() == quoted


def test_every_observation_of_every_series_is_read_and_blanks_are_left_out(vendor_data):
    results = parsed(Fred(vendor_data / "fred"))
    observed = {}
    for name, (path, result) in results.items():
        table = read(path)
        table = table[table.iloc[:, 1] != ""]
        assert texts(result.frame["date"]) == list(table.iloc[:, 0])
        assert result.frame["value"].to_list() == [float(text) for text in table.iloc[:, 1]]
        observed[name] = len(table)
    assert observed == {
        "CPIAUCSL.csv": 550,
        "FEDFUNDS.csv": 551,
        "INDPRO.csv": 551,
        "T10Y2Y.csv": 11_500,
        "USREC.csv": 2_053,
    }


def test_every_spell_is_read_and_the_index_always_has_about_500_members(vendor_data):
    ((path, result),) = parsed(MembershipIntervals(vendor_data / "sp500")).values()
    table = read(path).sort_values(["ticker", "start_date"])
    assert result.frame.height == len(table) == 1_230
    for column in table:
        assert texts(result.frame[column]) == list(table[column])
    start, end = pl.col("start_date"), pl.col("end_date")
    for year in range(1997, 2026):
        day = date(year, 6, 30)
        members = result.frame.filter(start <= day, end.is_null() | (end > day))
        assert members["ticker"].is_unique().all()
        assert 480 <= members.height <= 510
