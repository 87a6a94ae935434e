import gzip
from datetime import date
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.errors import BadFileError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import BENCHMARK_DAILY
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Source, SourceFile
from factor_pipeline.sources.yahoo import Yahoo

EXPORT = "Date,Open,High,Low,Close,Adj Close,Volume\n"
SHORT = "Date,Close\n"


def parse(text, *, name="SPY.csv", data_set="benchmark"):
    source: Source = Yahoo(Path("prices"), data_set)
    content = text if isinstance(text, bytes) else text.encode()
    parsed = source.parse(SourceFile(name, Path(name)), content)
    assert parsed.frame.schema == contract(BENCHMARK_DAILY)
    assert parsed.rejected.schema == REJECT_SCHEMA
    return parsed


def days(parsed):
    return parsed.frame.select("date", "close", "adjusted_close").rows()


def faults(parsed):
    return parsed.rejected.select("row", "rule", "value").rows()


def test_an_export_gives_close_and_adjusted_close():
    text = EXPORT + "1993-01-29,43.9,44.0,43.7,43.9375,25.968958,1003200\n"
    parsed = parse(text)
    assert parsed.rejected.is_empty()
    assert parsed.frame.rows() == [
        ("benchmark", "SPY", date(1993, 1, 29), 43.9375, 25.968958),
    ]


def test_the_only_close_of_the_short_form_is_the_adjusted_one():
    parsed = parse(SHORT + "2013-04-18,43.59392166137695\n", name="^X.csv", data_set="etf")
    assert parsed.frame.rows() == [
        ("etf", "^X", date(2013, 4, 18), None, 43.59392166137695),
    ]


def test_compressed_bytes_give_the_same_rows():
    text = SHORT + "2020-01-02,1.5\n"
    packed = parse(gzip.compress(text.encode()), name="SPY.csv.gz")
    assert_frame_equal(packed.frame, parse(text).frame)


def test_columns_are_found_by_name():
    text = "Volume,Adj Close,Date,Close\n7,1.5,2020-01-02,3.0\n"
    assert days(parse(text)) == [(date(2020, 1, 2), 3.0, 1.5)]


@pytest.mark.parametrize(
    "header",
    [
        "Date,Open,High,Low,Close,Volume",
        "Date,Close,Volume",
        "Date,Open,High,Low,Close,Adj. Close,Volume",
        "Date,Close,Close*",
        "date,close",
        "Date,Adj Close",
    ],
)
def test_a_close_that_may_not_be_adjusted_is_not_taken_for_one(header):
    values = ["2020-01-02", *("1" * header.count(","))]
    with pytest.raises(BadFileError) as caught:
        parse(f"{header}\n{','.join(values)}\n")
    assert caught.value.rule == "renamed_columns"


@pytest.mark.parametrize(
    ("row", "rule", "value"),
    [
        ("2020-01-03,null,null,null,null,null,null", "null_price", "null"),
        ("2020-01-03,1,1,1,1,null,1", "null_price", "null"),
        ("2020-01-03,1,1,1,,1,1", "missing_close", None),
        ("2020-01-03,1,1,1,1,,1", "missing_adj_close", None),
        (",1,1,1,1,1,1", "missing_date", None),
        ("2020-02-30,1,1,1,1,1,1", "not_a_date", "2020-02-30"),
        ("03/01/2020,1,1,1,1,1,1", "not_a_date", "03/01/2020"),
        ("0020-01-03,1,1,1,1,1,1", "before_1900", "0020-01-03"),
        ("2020-01-03,1,1,1,abc,1,1", "not_a_number", "abc"),
        ("2020-01-03,1,1,1,1,nan,1", "not_a_number", "nan"),
        ("2020-01-03,1,1,1,1,inf,1", "not_a_number", "inf"),
        ("2020-01-03,1,1,1,0,1,1", "price_not_positive", "0.0"),
        ("2020-01-03,1,1,1,1,-2.5,1", "price_not_positive", "-2.5"),
        ("2020-01-03,1,1,1,1,1", "ragged_row", "2020-01-03,1,1,1,1,1"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_its_line(row, rule, value):
    parsed = parse(f"{EXPORT}2020-01-02,1,1,1,1.5,1.25,1\n{row}\n2020-01-06,1,1,1,2.5,2.25,1\n")
    assert days(parsed) == [(date(2020, 1, 2), 1.5, 1.25), (date(2020, 1, 6), 2.5, 2.25)]
    assert faults(parsed) == [(3, rule, value)]


def test_a_repeated_day_counts_once_and_a_contradicted_day_not_at_all():
    rows = ["2020-01-02,1", "2020-01-03,2", "2020-01-02,1.0", "2020-01-03,2.5", "2020-01-06,3"]
    parsed = parse(SHORT + "\n".join(rows))
    assert days(parsed) == [(date(2020, 1, 2), None, 1.0), (date(2020, 1, 6), None, 3.0)]
    assert faults(parsed) == [
        (3, "conflicting_day", "2020-01-03"),
        (4, "duplicate_day", "2020-01-02"),
        (5, "conflicting_day", "2020-01-03"),
    ]


@given(st.randoms(use_true_random=False))
def test_the_order_of_days_in_the_file_does_not_matter(order: Random):
    rows = [f"2020-01-{day:02d},{100 + day / 7}" for day in range(1, 29)]
    shuffled = order.sample(rows, len(rows))
    assert_frame_equal(
        parse(SHORT + "\n".join(shuffled)).frame, parse(SHORT + "\n".join(rows)).frame
    )


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"<html>Will be right back</html>", "html_page"),
        (b'{"chart":{"error":"Not Found"}}', "api_error"),
        (gzip.compress(b"Date,Close\n2020-01-02,1.5\n", mtime=0)[:-4], "truncated_gzip"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content, rule):
    with pytest.raises(BadFileError) as caught:
        parse(content)
    assert caught.value.rule == rule


def test_files_are_listed_by_symbol(tmp_path):
    for name in ("SPY.csv", "^SP500TR.csv", "QUAL.csv.gz"):
        (tmp_path / name).touch()
    listed = [file.name for file in Yahoo(tmp_path, "etf").files()]
    assert listed == ["QUAL.csv.gz", "SPY.csv", "^SP500TR.csv"]
