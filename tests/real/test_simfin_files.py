import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.sources.protocol import Parsed
from factor_pipeline.sources.simfin import SimFin

STATEMENTS = ("balance", "cashflow", "income")


@pytest.fixture(scope="module")
def parsed(vendor_data: Path) -> dict[str, Parsed]:
    source = SimFin(vendor_data / "simfin")
    return {
        statement: source.parse(file, file.read())
        for statement, file in zip(STATEMENTS, source.files(), strict=True)
    }


@pytest.fixture(scope="module")
def lines(vendor_data: Path) -> dict[str, list[dict[str, str]]]:
    """The same files through the standard library."""
    tables = {}
    for statement in STATEMENTS:
        with zipfile.ZipFile(vendor_data / "simfin" / f"us-{statement}-annual.zip") as archive:
            text = archive.read(f"us-{statement}-annual.csv").decode()
        tables[statement] = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    return tables


def apple(parsed: Parsed, year: int) -> dict[str, object]:
    mine = (pl.col("vendor_id") == "AAPL") & (pl.col("fiscal_year") == year)
    return parsed.frame.row(by_predicate=mine, named=True)


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_row_is_there_but_the_one_in_euros(parsed, lines, statement):
    euros = [row for row, line in enumerate(lines[statement], 2) if line["Currency"] != "USD"]
    rejected = parsed[statement].rejected
    assert parsed[statement].frame.height == 19_900 - len(euros)
    assert rejected.select("row", "rule", "value").rows() == [
        (row, "foreign_currency", "EUR") for row in euros
    ]
    assert len(euros) == (statement == "balance")


@pytest.mark.parametrize(
    "figure",
    [
        ("balance", "total_assets", "Total Assets", 1),
        ("balance", "total_liabilities", "Total Liabilities", 1),
        ("balance", "total_equity", "Total Equity", 1),
        ("balance", "shares", "Shares (Basic)", 1),
        ("income", "revenue", "Revenue", 1),
        ("income", "cost_of_revenue", "Cost of Revenue", -1),
        ("income", "selling_general_administrative", "Selling, General & Administrative", -1),
        ("income", "interest_expense", "Interest Expense, Net", -1),
        ("income", "net_income", "Net Income (Common)", 1),
        ("cashflow", "operating_cash_flow", "Net Cash from Operating Activities", 1),
        ("cashflow", "depreciation", "Depreciation & Amortization", 1),
        ("cashflow", "dividends_paid", "Dividends Paid", -1),
    ],
    ids=lambda figure: figure[1],
)
def test_every_figure_is_that_of_the_file(parsed, lines, figure):
    statement, column, vendor_column, sign = figure
    expected = {
        (line["Ticker"], line["SimFinId"], date.fromisoformat(line["Report Date"])): (
            sign * float(line[vendor_column]) if line[vendor_column] else None
        )
        for line in lines[statement]
        if line["Currency"] == "USD"
    }
    frame = parsed[statement].frame
    found = {
        tuple(key): value
        for *key, value in frame.select("vendor_id", "firm", "period_end", column).iter_rows()
    }
    assert found == expected


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_filing_dated_on_the_end_of_its_period_has_no_filing_date(parsed, lines, statement):
    expected = sorted(
        (line["Ticker"], date.fromisoformat(line["Report Date"]))
        for line in lines[statement]
        if line["Publish Date"] <= line["Report Date"]
    )
    unknown = parsed[statement].frame.filter(pl.col("filed_at").is_null())
    assert unknown.select("vendor_id", "period_end").rows() == expected
    assert len(expected) == 122


def test_shares_and_filing_of_apple_2012_are_those_of_its_annual_report(parsed):
    row = apple(parsed["balance"], 2012)
    # 934.8 million shares in the report; 28 for 1 by the splits of 2014 and 2020.
    assert row["shares"] == 26_174_904_000 == 934_818_000 * 28
    assert row["filed_at"] == date(2012, 10, 31)
    assert row["shares_basis_date"] == date(2021, 4, 3)
    assert row["total_equity"] == 118_210e6


def test_income_of_apple_2012_is_that_of_its_annual_report(parsed):
    row = apple(parsed["income"], 2012)
    assert row["revenue"] == 156_508e6
    assert row["cost_of_revenue"] == 87_846e6
    assert row["selling_general_administrative"] == 10_040e6
    assert row["net_income"] == 41_733e6
    assert apple(parsed["cashflow"], 2012)["dividends_paid"] == 2_488e6


def test_the_vendor_dates_restated_figures_by_the_first_publication(parsed):
    row = apple(parsed["income"], 2008)
    assert row["filed_at"] == date(2008, 11, 5)
    assert row["revenue"] == 37_491e6  # 32,479 in the report of that day


def test_the_company_called_true_is_there(parsed):
    tickers = parsed["income"].frame["vendor_id"]
    assert "TRUE" in tickers
    assert tickers.n_unique() == 2_283
    assert tickers.str.ends_with("_old").any()
    assert tickers.str.ends_with("_delist").any()
