import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FUNDAMENTAL
from factor_pipeline.sources.protocol import Parsed, SourceFile
from factor_pipeline.sources.simfin import SimFin

COMMON = {
    "Ticker": "ABC",
    "SimFinId": "77",
    "Currency": "USD",
    "Fiscal Year": "2012",
    "Fiscal Period": "FY",
    "Report Date": "2012-09-30",
    "Publish Date": "2012-10-31",
    "Restated Date": "2013-10-30",
    "Shares (Basic)": "1000",
    "Shares (Diluted)": "1100",
}
ROW = {
    "balance": COMMON
    | {
        "Fiscal Period": "Q4",
        "Total Assets": "900",
        "Total Liabilities": "1000",
        "Total Equity": "-100",
    },
    "income": COMMON
    | {
        "Revenue": "500",
        "Cost of Revenue": "-300",
        "Selling, General & Administrative": "-50",
        "Interest Expense, Net": "-10",
        "Net Income": "120",
        "Net Income (Common)": "110",
    },
    "cashflow": COMMON
    | {
        "Depreciation & Amortization": "40",
        "Net Cash from Operating Activities": "160",
        "Dividends Paid": "-20",
    },
}
FIGURES = {
    "balance": {"total_assets": 900.0, "total_liabilities": 1000.0, "total_equity": -100.0},
    "income": {
        "revenue": 500.0,
        "cost_of_revenue": 300.0,
        "selling_general_administrative": 50.0,
        "interest_expense": 10.0,
        "net_income": 110.0,
    },
    "cashflow": {"operating_cash_flow": 160.0, "depreciation": 40.0, "dividends_paid": 20.0},
}
DOWNLOADED = (2021, 4, 3, 7, 17, 0)


def table(rows: list[dict[str, str]]) -> str:
    header = ";".join(f'"{name}"' if " " in name else name for name in rows[0])
    return "\n".join([header, *(";".join(row.values()) for row in rows), ""])


def archive(text: str, *, made: tuple[int, ...] = DOWNLOADED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(zipfile.ZipInfo("us.csv", date_time=made), text)
    return buffer.getvalue()


def parse_bytes(statement: str, content: bytes) -> Parsed:
    name = f"us-{statement}-annual.zip"
    return SimFin(Path()).parse(SourceFile(name, Path(name)), content)


def parse(*changes: dict[str, str], statement: str = "balance") -> Parsed:
    return parse_bytes(statement, archive(table([ROW[statement] | change for change in changes])))


@pytest.mark.parametrize("statement", ["balance", "income", "cashflow"])
def test_each_statement_becomes_rows_of_the_contract(statement):
    parsed = parse({}, statement=statement)
    assert parsed.frame.schema == contract(FUNDAMENTAL)
    assert parsed.frame.to_dicts() == [
        dict.fromkeys(contract(FUNDAMENTAL))
        | {
            "vendor_id": "ABC",
            "firm": "77",
            "statement": statement,
            "fiscal_year": 2012,
            "period_end": date(2012, 9, 30),
            "filed_at": date(2012, 10, 31),
            "restated_at": date(2013, 10, 30),
            "currency": "USD",
            "shares": 1000.0,
            "shares_basis_date": date(2021, 4, 3),
        }
        | FIGURES[statement]
    ]
    assert parsed.rejected.is_empty()
    assert parsed.vintage == "2021-04-03"


@pytest.mark.parametrize("ticker", ["TRUE", "NA", "NAN", "null", "ABC_old", "ABC_delist", "1E5"])
def test_a_ticker_is_text_whatever_it_looks_like(ticker):
    assert parse({"Ticker": ticker}).frame["vendor_id"].to_list() == [ticker]


def test_costs_are_positive_an_income_in_their_place_is_negative_and_zero_has_no_sign():
    parsed = parse(
        {"Interest Expense, Net": "15", "Cost of Revenue": "0", "Revenue": ""}, statement="income"
    )
    costs = parsed.frame.select("interest_expense", "cost_of_revenue", "revenue").row(0)
    assert costs == (-15.0, 0.0, None)
    assert str(costs[1]) == "0.0"


def test_an_empty_figure_is_null_and_a_loss_is_no_fault():
    parsed = parse({"Total Assets": "", "Total Equity": "-1"})
    assert parsed.frame.select("total_assets", "total_equity").row(0) == (None, -1.0)


@pytest.mark.parametrize(
    ("published", "filed_at"),
    [
        ("", None),
        ("2012-09-30", None),
        ("2012-06-30", None),
        ("2012-10-01", date(2012, 10, 1)),
    ],
)
def test_a_publication_not_after_the_end_of_the_period_is_unknown(published, filed_at):
    parsed = parse({"Publish Date": published})
    assert parsed.frame["filed_at"].to_list() == [filed_at]
    assert parsed.rejected.is_empty()


@pytest.mark.parametrize(
    ("published", "restated", "restated_at"),
    [
        ("2012-10-31", "", None),
        ("2012-10-31", "2012-10-30", None),
        ("2012-10-31", "2012-10-31", date(2012, 10, 31)),
        ("", "2013-10-30", date(2013, 10, 30)),
    ],
)
def test_a_restatement_before_the_publication_is_unknown(published, restated, restated_at):
    parsed = parse({"Publish Date": published, "Restated Date": restated})
    assert parsed.frame["restated_at"].to_list() == [restated_at]


@pytest.mark.parametrize("shares", ["", "0"])
def test_no_shares_are_missing_shares_and_the_row_stays(shares):
    frame = parse({"Shares (Basic)": shares}).frame
    assert frame.select("shares", "total_assets").row(0) == (None, 900.0)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"Ticker": ""}, "missing_ticker"),
        ({"SimFinId": " "}, "missing_simfinid"),
        ({"Currency": ""}, "missing_currency"),
        ({"Currency": "EUR"}, "foreign_currency"),
        ({"Fiscal Year": ""}, "missing_fiscal_year"),
        ({"Fiscal Year": "12"}, "not_a_year"),
        ({"Fiscal Year": "2012.5"}, "not_a_year"),
        ({"Fiscal Period": "Q2"}, "not_annual"),
        ({"Fiscal Period": ""}, "not_annual"),
        ({"Report Date": ""}, "missing_report_date"),
        ({"Report Date": "2012-09-31"}, "not_a_date"),
        ({"Publish Date": "soon"}, "not_a_date"),
        ({"Shares (Basic)": "-5"}, "negative_shares"),
        ({"Total Assets": "900 million"}, "not_a_number"),
        ({"Total Equity": "nan"}, "not_a_number"),
        ({"Publish Date": "2021-04-04"}, "dated_after_download"),
        ({"Restated Date": "2031-01-01"}, "dated_after_download"),
        ({"Report Date": "2021-04-04"}, "dated_after_download"),
    ],
)
def test_a_row_that_cannot_be_right_is_rejected_and_the_others_stay(change, rule):
    parsed = parse(change, {"Ticker": "OTHER"})
    assert parsed.frame["vendor_id"].to_list() == ["OTHER"]
    assert parsed.rejected.select("row", "rule").rows() == [(2, rule)]


def test_a_date_on_the_day_of_the_download_is_possible():
    assert parse({"Restated Date": "2021-04-03"}).rejected.is_empty()


def test_repeated_filings_stay_once_if_equal_and_not_at_all_if_different():
    parsed = parse(
        {"Ticker": "SAME"},
        {"Ticker": "DIFF"},
        {"Ticker": "SAME"},
        {"Ticker": "DIFF", "Total Assets": "901"},
        {"Ticker": "SAME", "Publish Date": "2012-11-01"},
    )
    assert parsed.frame["filed_at"].to_list() == [date(2012, 10, 31), date(2012, 11, 1)]
    assert parsed.rejected.select("row", "rule", "value").rows() == [
        (3, "conflicting_filing", "DIFF 2012-09-30 2012-10-31"),
        (4, "duplicate_filing", "SAME 2012-09-30 2012-10-31"),
        (5, "conflicting_filing", "DIFF 2012-09-30 2012-10-31"),
    ]


def test_filings_without_a_publication_date_repeat_each_other():
    parsed = parse({"Publish Date": ""}, {"Publish Date": "2012-09-30"})
    assert parsed.frame.height == 1
    assert parsed.rejected["rule"].to_list() == ["duplicate_filing"]


@settings(deadline=None)
@given(order=st.permutations(range(6)))
def test_the_order_of_rows_does_not_matter(order):
    changes = [
        {"Ticker": ticker, "Fiscal Year": year, "Report Date": f"{year}-09-30"}
        for ticker in ("A", "B_old", "TRUE")
        for year in ("2011", "2012")
    ]
    shuffled = parse(*(changes[i] for i in order))
    assert shuffled.frame.equals(parse(*changes).frame)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"<html>log in</html>", "html_page"),
        (archive(table([ROW["balance"]]))[:-30], "truncated_zip"),
        (archive(""), "empty_file"),
        (archive('{"error": "no such dataset"}'), "api_error"),
        (archive(table([ROW["income"]])), "renamed_columns"),
        (archive(table([ROW["balance"]]).replace(";", ",")), "renamed_columns"),
        (archive(table([ROW["balance"]]), made=(1980, 1, 1, 0, 0, 0)), "undated_archive"),
    ],
)
def test_a_file_that_is_no_table_of_the_statement_is_refused(content, rule):
    with pytest.raises(BadFileError) as caught:
        parse_bytes("balance", content)
    assert caught.value.rule == rule


def test_a_file_of_another_name_is_refused():
    with pytest.raises(BadFileError, match="unknown_statement"):
        parse_bytes("derived", archive(table([ROW["balance"]])))


def test_all_three_files_must_be_there(tmp_path):
    for name in ("us-balance-annual.zip", "us-cashflow-annual.zip"):
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(SettingsError, match=r"us-income-annual\.zip"):
        SimFin(tmp_path).files()
    (tmp_path / "us-income-annual.zip").write_bytes(b"income")
    files = SimFin(tmp_path).files()
    assert [file.name for file in files] == [f"us-{s}-annual.zip" for s in sorted(ROW)]
    assert files[-1].read() == b"income"
