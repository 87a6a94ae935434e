import gzip
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import LISTING, PRICE_DAILY
from factor_pipeline.sources.alphavantage import AlphaVantageDaily, AlphaVantageListing
from factor_pipeline.sources.protocol import Parsed, Source, SourceFile

HEADER = "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,split_coefficient"
COLUMNS = HEADER.split(",")
MONDAY = "2020-01-06,10.0,11.0,9.0,10.5,5.25,1000,0.0,1.0"
TUESDAY = "2020-01-07,10.5,12.0,10.0,11.5,5.75,2000,0.25,2.0"
DAYS = [date(2020, 1, 6), date(2020, 1, 7)]


def parse(*lines: str, header: str = HEADER, end: str = "\n", name: str = "XYZ.csv") -> Parsed:
    content = end.join([header, *lines, ""]).encode()
    return AlphaVantageDaily(Path()).parse(SourceFile(name, Path(name)), content)


def monday(**fields: str) -> str:
    return ",".join((dict(zip(COLUMNS, MONDAY.split(","), strict=True)) | fields).values())


def verdicts(parsed: Parsed) -> list[tuple[int, str]]:
    return parsed.rejected.select("row", "rule").rows()


def test_a_file_becomes_rows_of_the_contract():
    parsed = parse(MONDAY, TUESDAY)
    assert parsed.frame.schema == contract(PRICE_DAILY)
    assert parsed.frame.rows() == [
        ("XYZ", "XYZ", DAYS[0], 10.0, 11.0, 9.0, 10.5, 5.25, 1000.0, 0.0, 1.0),
        ("XYZ", "XYZ", DAYS[1], 10.5, 12.0, 10.0, 11.5, 5.75, 2000.0, 0.25, 2.0),
    ]
    assert parsed.rejected.is_empty()


@settings(deadline=None)
@given(order=st.permutations(range(6)), end=st.sampled_from(["\n", "\r\n"]))
def test_the_order_of_days_and_the_line_ends_do_not_matter(order, end):
    lines = [monday(timestamp=f"2020-01-{day:02}") for day in (6, 7, 8, 9, 10, 13)]
    assert parse(*(lines[i] for i in order), end=end).frame.equals(parse(*lines).frame)


def test_columns_may_be_in_another_order_and_more_than_needed():
    turned = ",".join(reversed([*MONDAY.split(","), "extra"]))
    header = ",".join(reversed([*COLUMNS, "more"]))
    assert parse(turned, header=header).frame.equals(parse(MONDAY).frame)


def test_a_byte_order_mark_does_not_matter():
    assert parse(MONDAY, header="\ufeff" + HEADER).frame.equals(parse(MONDAY).frame)


@pytest.mark.parametrize(
    ("name", "ticker"),
    [("BRK.B.csv.gz", "BRK.B"), ("TRUE.csv", "TRUE"), ("NA.csv", "NA"), ("nan.csv.gz", "nan")],
)
def test_the_ticker_is_the_name_of_the_file(name, ticker):
    frame = parse(MONDAY, name=name).frame
    assert frame.select("vendor_id", "ticker").rows() == [(ticker, ticker)]


@pytest.mark.parametrize(
    ("fields", "rule", "value"),
    [
        ({"close": "ten"}, "not_a_number", "ten"),
        ({"volume": "1,000"}, "ragged_row", None),
        ({"volume": "nan"}, "not_a_number", "nan"),
        ({"dividend_amount": "inf"}, "not_a_number", "inf"),
        ({"timestamp": "2020-02-30"}, "not_a_date", "2020-02-30"),
        ({"timestamp": "06/01/2020"}, "not_a_date", "06/01/2020"),
        ({"timestamp": ""}, "missing_timestamp", None),
        ({"timestamp": "1899-12-29"}, "before_1900", "1899-12-29"),
        ({"timestamp": "2020-01-05"}, "weekend", "2020-01-05"),
        ({"timestamp": "2020-01-11"}, "weekend", "2020-01-11"),
        ({"close": ""}, "missing_close", None),
        ({"close": "0.0"}, "zero_close", "0.0"),
        ({"close": "-10.5"}, "negative_price", "-10.5"),
        ({"open": "-1"}, "negative_price", "-1.0"),
        ({"adjusted_close": "-0.5"}, "negative_price", "-0.5"),
        ({"high": "8.5"}, "high_below_low", "8.5 < 9.0"),
        ({"close": "105.0"}, "close_outside_range", "105.0 not in [9.0, 11.0]"),
        ({"close": "1.05"}, "close_outside_range", "1.05 not in [9.0, 11.0]"),
        ({"volume": "-1"}, "negative_volume", "-1.0"),
        ({"dividend_amount": "-0.1"}, "negative_dividend", "-0.1"),
        ({"dividend_amount": ""}, "missing_dividend_amount", None),
        ({"split_coefficient": "0.0"}, "split_not_positive", "0.0"),
        ({"split_coefficient": "-2"}, "split_not_positive", "-2.0"),
        ({"split_coefficient": ""}, "missing_split_coefficient", None),
    ],
)
def test_a_row_with_an_impossible_field_is_rejected_and_the_others_stay(fields, rule, value):
    parsed = parse(TUESDAY, monday(**fields))
    assert parsed.frame["date"].to_list() == DAYS[1:]
    assert verdicts(parsed) == [(3, rule)]
    if value is not None:
        assert parsed.rejected["value"].item() == value


@pytest.mark.parametrize("text", ["", "0.0"])
@pytest.mark.parametrize("column", ["open", "high", "low", "adjusted_close"])
def test_a_price_of_the_day_that_is_empty_or_zero_is_missing(column, text):
    parsed = parse(monday(**{column: text}))
    assert parsed.rejected.is_empty()
    assert parsed.frame[column].to_list() == [None]
    assert parsed.frame["close"].to_list() == [10.5]


def test_a_day_without_trades_keeps_its_volume_of_zero():
    parsed = parse(monday(volume="0"))
    assert parsed.frame["volume"].to_list() == [0.0]


@pytest.mark.parametrize("close", ["11.01", "8.99"])
def test_a_close_outside_the_range_by_rounding_stays(close):
    assert parse(monday(close=close)).frame.height == 1


def test_a_crash_is_no_fault():
    crash = "2020-01-07,0.5,0.6,0.4,0.5,0.25,900000,0.0,1.0"
    assert parse(MONDAY, crash).frame["close"].to_list() == [10.5, 0.5]


def test_of_a_day_repeated_with_the_same_values_the_first_row_stays():
    parsed = parse(MONDAY, TUESDAY, MONDAY)
    assert parsed.frame["date"].to_list() == DAYS
    assert verdicts(parsed) == [(4, "duplicate_day")]


def test_of_a_day_repeated_with_other_values_no_row_stays():
    parsed = parse(MONDAY, TUESDAY, monday(close="10.6"))
    assert parsed.frame["date"].to_list() == DAYS[1:]
    assert verdicts(parsed) == [(2, "conflicting_day"), (4, "conflicting_day")]


def test_an_impossible_row_does_not_contradict_a_possible_one_of_the_same_day():
    parsed = parse(monday(close="-10.5"), MONDAY)
    assert parsed.frame["close"].to_list() == [10.5]
    assert verdicts(parsed) == [(2, "negative_price")]


DAY = st.sampled_from([MONDAY, TUESDAY, monday(close="10.6"), monday(close="x"), "2020-01-06,1"])


@settings(deadline=None)
@given(lines=st.lists(DAY, max_size=8))
def test_every_line_is_either_a_row_or_a_rejected_row(lines):
    parsed = parse(TUESDAY, *lines)
    assert parsed.frame.height + parsed.rejected.height == len(lines) + 1
    assert parsed.rejected["row"].is_unique().all()
    assert parsed.frame["date"].is_unique().all()


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (f"{HEADER}\n".encode(), "empty_file"),
        (b"{\n    Error Message\n}\n", "api_error"),
        (b"<html><body>503</body></html>", "html_page"),
        (f"{HEADER}\n{MONDAY}".replace("close", "last").encode(), "renamed_columns"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-12], "truncated_gzip"),
        (gzip.compress(b"{ Error Message }", mtime=0), "api_error"),
    ],
)
def test_a_file_that_is_no_table_of_prices_is_refused(content, rule):
    with pytest.raises(BadFileError) as caught:
        AlphaVantageDaily(Path()).parse(SourceFile("XYZ.csv", Path()), content)
    assert caught.value.rule == rule


def test_compressed_bytes_give_the_same_rows():
    source, file = AlphaVantageDaily(Path()), SourceFile("XYZ.csv.gz", Path())
    compressed = gzip.compress(f"{HEADER}\n{MONDAY}\n".encode())
    assert source.parse(file, compressed).frame.equals(parse(MONDAY).frame)


def test_files_are_listed_by_name_and_a_plain_one_goes_before_a_compressed_one(tmp_path):
    for name in ("B.csv.gz", "B.csv", "A.csv.gz", "BRK.B.csv.gz", "notes.txt", "._A.csv"):
        (tmp_path / name).write_text("")
    names = [file.name for file in AlphaVantageDaily(tmp_path).files()]
    assert names == ["A.csv.gz", "B.csv", "BRK.B.csv.gz"]


def test_a_folder_without_price_files_is_a_wrong_setting(tmp_path):
    with pytest.raises(SettingsError, match=r"prices\.path"):
        AlphaVantageDaily(tmp_path / "nowhere").files()


def listing(text: str) -> Parsed:
    path = Path("constituents.csv")
    return AlphaVantageListing(path).parse(SourceFile(path.name, path), text.encode())


def test_the_list_of_companies_becomes_rows_of_the_contract():
    parsed = listing('Symbol,Name,Sector\nTRUE,"TrueCar, Inc.",\nMMM,3M Company,Industrials\n')
    assert parsed.frame.schema == contract(LISTING)
    assert parsed.frame.select("vendor_id", "ticker", "name", "sector").rows() == [
        ("MMM", "MMM", "3M Company", "Industrials"),
        ("TRUE", "TRUE", "TrueCar, Inc.", None),
    ]
    unknown = parsed.frame.select("firm", "valid_from", "valid_to", "exchange")
    assert unknown.null_count().row(0) == (2, 2, 2, 2)


def test_a_symbol_that_is_empty_or_repeated_is_rejected():
    parsed = listing("Symbol,Name,Sector\n,No,X\nA,Same,X\nA,Same,X\nB,One,X\nB,Two,X\n")
    assert parsed.frame["ticker"].to_list() == ["A"]
    assert verdicts(parsed) == [
        (2, "missing_symbol"),
        (4, "duplicate_symbol"),
        (5, "conflicting_symbol"),
        (6, "conflicting_symbol"),
    ]


def test_both_are_sources(tmp_path):
    path = tmp_path / "constituents.csv"
    path.write_text("Symbol,Name,Sector\nA,B,C\n")
    sources: list[Source] = [AlphaVantageDaily(tmp_path), AlphaVantageListing(path)]
    for source in sources:
        (file,) = source.files()
        assert (source.name, file.name, file.read()) == (
            "alphavantage",
            "constituents.csv",
            path.read_bytes(),
        )
