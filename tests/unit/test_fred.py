import gzip
from datetime import date
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.errors import BadFileError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import MACRO
from factor_pipeline.sources.fred import Fred
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Source, SourceFile


def parse(text, *, name="CPIAUCSL.csv"):
    source: Source = Fred(Path("macro"))
    content = text if isinstance(text, bytes) else text.encode()
    parsed = source.parse(SourceFile(name, Path(name)), content)
    assert parsed.frame.schema == contract(MACRO)
    assert parsed.rejected.schema == REJECT_SCHEMA
    return parsed


def faults(parsed):
    return parsed.rejected.select("row", "rule", "value").rows()


@pytest.mark.parametrize("header", ["date,value", "observation_date,CPIAUCSL", "DATE,CPIAUCSL"])
def test_both_forms_of_the_header_give_the_same_rows(header):
    parsed = parse(f"{header}\n1980-02-01,79.0\n1980-01-01,-78.5\n")
    assert parsed.rejected.is_empty()
    assert parsed.frame.rows() == [
        ("CPIAUCSL", date(1980, 1, 1), -78.5),
        ("CPIAUCSL", date(1980, 2, 1), 79.0),
    ]


def test_compressed_bytes_give_the_same_rows():
    text = "date,value\n1980-01-01,78\n"
    packed = parse(gzip.compress(text.encode()), name="CPIAUCSL.csv.gz")
    assert_frame_equal(packed.frame, parse(text).frame)


@pytest.mark.parametrize("blank", ["", " ", ".", " . "])
def test_a_blank_is_no_observation_and_no_fault(blank):
    parsed = parse(f"date,value\n2025-09-01,324.4\n2025-10-01,{blank}\n2025-11-01,325.0\n")
    assert parsed.frame["date"].to_list() == [date(2025, 9, 1), date(2025, 11, 1)]
    assert parsed.rejected.is_empty()


def test_a_series_of_blanks_gives_no_rows():
    parsed = parse("date,value\n2025-09-01,\n2025-10-01,.\n")
    assert parsed.frame.is_empty()
    assert parsed.rejected.is_empty()


@pytest.mark.parametrize(
    ("row", "rule", "value"),
    [
        ("1980-02-30,1", "not_a_date", "1980-02-30"),
        ("1980-02-30,", "not_a_date", "1980-02-30"),
        ("Feb 1980,1", "not_a_date", "Feb 1980"),
        (",1", "missing_date", None),
        ("1980-02-01,n/a", "not_a_number", "n/a"),
        ("1980-02-01,nan", "not_a_number", "nan"),
        ("1980-02-01,inf", "not_a_number", "inf"),
        ('1980-02-01,"1,234"', "not_a_number", "1,234"),
        ("1980-02-01,1,2", "ragged_row", "1980-02-01,1,2"),
    ],
)
def test_a_bad_row_is_rejected_alone_with_its_line(row, rule, value):
    parsed = parse(f"date,value\n1980-01-01,78\n{row}\n1980-03-01,80\n")
    assert parsed.frame["value"].to_list() == [78.0, 80.0]
    assert faults(parsed) == [(3, rule, value)]


def test_a_repeated_date_counts_once_and_a_contradicted_date_not_at_all():
    rows = ["1980-01-01,78", "1980-02-01,79", "1980-01-01,78.0", "1980-02-01,79.5", "1980-02-01,."]
    parsed = parse("date,value\n" + "\n".join(rows))
    assert parsed.frame["date"].to_list() == [date(1980, 1, 1)]
    assert faults(parsed) == [
        (3, "conflicting_date", "1980-02-01"),
        (4, "duplicate_date", "1980-01-01"),
        (5, "conflicting_date", "1980-02-01"),
    ]


@pytest.mark.parametrize(
    ("header", "rule"),
    [
        ("observation_date,INDPRO", "wrong_series"),
        ("date,Value", "wrong_series"),
        ("day,value", "renamed_columns"),
        ("value,date", "renamed_columns"),
        ("date,value,realtime_start", "renamed_columns"),
        ("date", "renamed_columns"),
        ("date,date", "renamed_columns"),
    ],
)
def test_any_other_header_is_refused(header, rule):
    row = ",".join(["1980-01-01", "1", "1980-01-01"][: header.count(",") + 1])
    with pytest.raises(BadFileError) as caught:
        parse(f"{header}\n{row}\n")
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"<!DOCTYPE html>", "html_page"),
        (b'{"error_code":400}', "api_error"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content, rule):
    with pytest.raises(BadFileError) as caught:
        parse(content)
    assert caught.value.rule == rule


def test_files_are_listed_by_series(tmp_path):
    for name in ("USREC.csv", "CPIAUCSL.csv"):
        (tmp_path / name).touch()
    assert [file.name for file in Fred(tmp_path).files()] == ["CPIAUCSL.csv", "USREC.csv"]
