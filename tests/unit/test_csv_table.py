import csv
import io
import math
import re
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import REJECT_SCHEMA


def screened(content: bytes, **options):
    return screen_table(content, required=("day", "x"), numbers=("x",), dates=("day",), **options)


def refusal(content: bytes) -> BadFileError:
    with pytest.raises(BadFileError) as caught:
        screened(content)
    return caught.value


@pytest.mark.parametrize(
    "content", [b"", b"\n \r\n", b"\xef\xbb\xbf", b'""\n', "\u00a0".encode(), b"day,x\n", b"day,x"]
)
def test_a_file_without_rows_is_empty(content):
    assert refusal(content).rule == "empty_file"


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf", b"\r\n  "])
def test_a_web_page_is_refused(start):
    assert refusal(start + b"<!DOCTYPE html><html>day,x\n</html>").rule == "html_page"


@pytest.mark.parametrize(
    "content",
    [
        b"{\n    Error Message\n}\n",
        b'{"Error Message": "Invalid API call."}',
        b'[{"error": "no such dataset"}]',
    ],
)
def test_an_answer_of_the_api_is_refused(content):
    assert refusal(content).rule == "api_error"


def test_a_message_that_repeats_the_api_key_is_quoted_without_it():
    error = refusal(b'{"Information": "We have detected your API key as K3YK3YK3YK3YK3YK and"}')
    assert error.value == '{"Information": "We have detected your API key as *** and"}'
    assert "K3YK3Y" not in str(error)


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (b"day,x\n2020-01-02,1\n2020-01-03\0,2\n", 3),
        (b"day,x\n2020-01-02,\xe9\n", 2),
        ("day,x\n2020-01-02,1\n".encode("utf-16"), 1),
    ],
)
def test_bytes_that_are_not_utf_8_text_are_refused_with_their_line(content, row):
    error = refusal(content)
    assert (error.rule, error.row) == ("not_text", row)


def test_a_renamed_column_is_named_with_what_was_found():
    error = refusal(b"date,x\n2020-01-02,1\n")
    assert error.rule == "renamed_columns"
    assert "lacks day" in error.reason
    assert error.value == "date, x"


@pytest.mark.parametrize("header", [b"day,x,x", b"day,day,x", b"day,x,row", b"day,x,,"])
def test_names_that_do_not_tell_columns_apart_are_refused(header):
    width = header.count(b",")
    assert refusal(header + b"\n2020-01-02" + b",1" * width + b"\n").rule == "renamed_columns"


def test_a_quote_that_never_closes_refuses_the_file():
    error = refusal(b'day,x\n2020-01-02,1\n"2020-01-03,2\n2020-01-04,3\n')
    assert (error.rule, error.row) == ("ragged_rows", 3)


def test_a_file_of_which_no_row_fits_the_header_is_refused():
    error = refusal(b"day,x\n2020-01-02,1,2\n2020-01-03,1,2\n")
    assert (error.rule, error.row, error.value) == ("ragged_rows", 2, "2020-01-02,1,2")


def test_text_is_stripped_and_empty_text_is_null():
    table = screen_table(b"day , x,name\n a , ,NA\nb,TRUE,\n", required=("day", "x")).rows
    assert table.rows() == [(2, "a", None, "NA"), (3, "b", "TRUE", None)]
    assert table.schema == {"row": pl.Int64, **dict.fromkeys(("day", "x", "name"), pl.String)}


PLAIN = "day,x\n2020-01-02,1.5\n2020-01-03,-2\n"


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.strip().encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        b'"day","x"\n"2020-01-02","1.5"\n"2020-01-03","-2"\n',
        b"day,x\n 2020-01-02 , 1.5 \n2020-01-03,-2 ",
    ],
    ids=["lf", "crlf", "cr", "no last line end", "bom", "quoted", "blanks"],
)
def test_the_way_a_file_is_written_does_not_change_its_rows(content):
    assert screened(content).rows.rows() == [(2, date(2020, 1, 2), 1.5), (3, date(2020, 1, 3), -2)]


def test_columns_are_found_by_name_in_any_order():
    screen = screened(b"more;x;day\nn;1.5;2020-01-02\n", separator=";")
    assert screen.rows.to_dicts() == [
        {"row": 2, "more": "n", "x": 1.5, "day": date(2020, 1, 2)},
    ]


def test_names_of_columns_are_stripped_even_of_those_nobody_asked_for():
    assert screen_table(b"day, x \na,1\n", required=()).rows.columns == ["row", "day", "x"]


def test_line_numbers_are_those_of_the_file():
    content = b'\nday,x\n\n2020-01-02,1\n,"a\nb"\n2020-01-03,3\n'
    screen = screened(content)
    assert screen.rows["row"].to_list() == [4, 7]
    assert screen.rejected["row"].to_list() == [5]
    assert content.split(b"\n")[4 - 1] == b"2020-01-02,1"


def test_single_faulty_rows_are_rejected_with_line_rule_and_value():
    screen = screened(b"day,x\n2020-02-30,1\n2020-01-02,n/a\n2020-01-03\n2020-01-06,2\n")
    assert screen.rows.rows() == [(5, date(2020, 1, 6), 2.0)]
    assert screen.rejected.schema == REJECT_SCHEMA
    assert screen.rejected.select("row", "rule", "value").rows() == [
        (2, "not_a_date", "2020-02-30"),
        (3, "not_a_number", "n/a"),
        (4, "ragged_row", "2020-01-03"),
    ]


def test_a_row_cut_off_in_the_last_line_is_not_taken_for_one_with_empty_fields():
    screen = screen_table(b"day,x,y\n2020-01-02,1,2\n2020-01-03,1", required=("day", "x", "y"))
    assert screen.rows.height == 1
    assert screen.rejected["rule"].to_list() == ["ragged_row"]


def test_short_and_long_rows_do_not_make_up_for_each_other():
    content = b"a,b,c\n1,2\n1,2,3,4\n1,2,3\n"
    screen = screen_table(content, required=("a", "b", "c"), numbers=("a", "b", "c"))
    assert screen.rows.rows() == [(4, 1.0, 2.0, 3.0)]
    assert screen.rejected["row"].to_list() == [2, 3]


def test_a_separator_inside_quotes_does_not_make_up_for_a_missing_field():
    content = b'a,b,c\n1,"2,3"\n1,2,3\n'
    screen = screen_table(content, required=("a", "b", "c"))
    assert screen.rows.rows() == [(3, "1", "2", "3")]
    assert screen.rejected.select("row", "rule").rows() == [(2, "ragged_row")]


def test_blank_lines_count_before_the_header_and_in_a_file_of_one_column():
    assert screened(b"\nday,x\n2020-01-02,1\n").rows["row"].to_list() == [3]
    one_column = screen_table(b"x\n1\n\n2\n", required=("x",), numbers=("x",))
    assert one_column.rows.rows() == [(2, 1.0), (4, 2.0)]


@pytest.mark.parametrize("x", [b"nan", b"-inf", b"1e400"])
def test_what_a_parser_takes_for_a_number_but_is_none_is_rejected(x):
    screen = screened(b"day,x\n2020-01-02,1\n2020-01-03," + x + b"\n")
    assert screen.rows["x"].to_list() == [1.0]
    assert screen.rejected.select("row", "value").rows() == [(3, x.decode())]


def test_a_lone_carriage_return_ends_a_line():
    screen = screen_table(b"a,b\n1,2\n1,2\r3\n", required=("a", "b"))
    assert screen.rows["row"].to_list() == [2, 3]
    assert screen.rejected.select("row", "value").rows() == [(4, "3")]


CELL = st.text(alphabet="0123456789.-+einfa xTNUL\t", max_size=8) | st.sampled_from(
    [
        "",
        " ",
        "2020-01-02",
        "2020-1-2",
        "2020-13-01",
        "+2020-01-2",
        "0001-01-01",
        "nan",
        "inf",
        "-Infinity",
        "1e400",
        "1e-400",
        "1.",
        ".5",
        "-0",
        "0x1",
        "3.141592653589793",
        "1,5",
        "a\rb",
        "é",
        "\u0661",
    ]
)
LINE = st.lists(CELL, min_size=3, max_size=3) | st.lists(CELL, max_size=4)


def by_hand(text: str) -> tuple[list[tuple], list[tuple[int, str]]]:
    """Good rows and rejected ones, one field at a time, without Polars."""
    good, bad = [], []
    reader = csv.reader(io.StringIO(text, newline=""))
    next(reader)
    end = reader.line_num
    for record in reader:
        row, end = end + 1, reader.line_num
        if len(record) < 2 and not "".join(record).strip():
            continue
        fields = [field.strip() or None for field in record]
        if len(fields) != 3:
            bad.append((row, "ragged_row"))
            continue
        day, x, name = fields
        if day is not None:
            is_iso = re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", day)
            try:
                day = date.fromisoformat(day) if is_iso else ""
            except ValueError:
                day = ""
        if x is not None:
            is_ascii = re.fullmatch("[-+.eE0-9]+", x)
            try:
                x = float(x) if is_ascii else math.nan
            except ValueError:
                x = math.nan
        if day == "":
            bad.append((row, "not_a_date"))
        elif x is not None and not math.isfinite(x):
            bad.append((row, "not_a_number"))
        else:
            good.append((row, day, x, name))
    return good, bad


@settings(deadline=None)
@given(
    lines=st.lists(LINE, max_size=6),
    line_end=st.sampled_from(["\n", "\r\n"]),
    first=st.sampled_from(["2020-01-02,1,2", '2020-01-02,"1",2']),
)
def test_any_text_gives_the_rows_that_reading_field_by_field_gives(lines, line_end, first):
    text = line_end.join(["day,x,name", first, *map(",".join, lines)])
    good, bad = by_hand(text)
    screen = screen_table(
        text.encode(), required=("day", "x", "name"), numbers=("x",), dates=("day",)
    )
    assert screen.rows.rows() == good
    assert screen.rejected.select("row", "rule").rows() == bad


PIECE = st.sampled_from(
    [
        b"day",
        b"x",
        b",",
        b";",
        b"\n",
        b"\r",
        b'"',
        b" ",
        b"1",
        b"2020-01-02",
        b"\xef\xbb\xbf",
        b"\xff",
    ]
)


@settings(deadline=None)
@given(content=st.binary(max_size=40) | st.lists(PIECE, max_size=25).map(b"".join))
def test_any_bytes_give_rows_or_a_named_refusal(content):
    try:
        screen = screened(b"day,x\n" * (not content.startswith(b"day")) + content)
    except BadFileError:
        return
    assert screen.rows.height + screen.rejected.height > 0
