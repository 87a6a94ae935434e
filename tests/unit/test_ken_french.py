"""Layouts and faults of library files, on texts written for the purpose."""

import io
import zipfile
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FRENCH_RETURN
from factor_pipeline.sources.ken_french import KenFrench
from factor_pipeline.sources.ken_french_format import Line, decode, split_blocks
from factor_pipeline.sources.protocol import REJECT_SCHEMA, SourceFile

SOURCE = KenFrench(Path("library"))
PREAMBLE = """This file was created by CMPT_RETS using the 202410 CRSP database.
It contains returns of small, big, and other portfolios.

Missing data are indicated by -99.99 or -999.

"""
FACTORS = """,Mkt-RF,SMB ,RF
192607,   2.96,  -2.56,   0.22
192608,   2.64,  -1.17,   0.25
"""
ANNUAL = """
 Annual Factors:
January-December
,Mkt-RF,SMB ,RF
  1927,  29.47,  -2.04,   3.12

Copyright 2024 Eugene F. Fama and Kenneth R. French
"""


def zipped(text):
    content = text if isinstance(text, bytes) else text.encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("NAME.CSV", content)
    return buffer.getvalue()


def parse(text, *, name="202410/F-F_CSV.zip", vintage="202410"):
    parsed = SOURCE.parse(SourceFile(name, Path(name), vintage), zipped(text))
    assert parsed.frame.schema == contract(FRENCH_RETURN)
    assert parsed.rejected.schema == REJECT_SCHEMA
    assert parsed.frame["value"].drop_nulls().is_finite().all()
    return parsed


def refused(text, **where):
    with pytest.raises(BadFileError) as caught:
        parse(text, **where)
    return caught.value


def faults(parsed):
    return parsed.rejected.select("row", "rule", "value").rows()


def values(parsed, series="SMB"):
    rows = parsed.frame.filter(pl.col("series") == series)
    return dict(zip(rows["date"], rows["value"], strict=True))


def block(title, row="192607, 1.00", columns=",A"):
    return f"\n  {title}\n{columns}\n{row}\n"


def test_each_cell_becomes_a_row_in_decimals_at_the_end_of_its_period():
    parsed = parse(PREAMBLE + FACTORS + ANNUAL)
    monthly, annual = "", "Annual Factors: January-December"
    assert parsed.vintage == "202410"
    assert parsed.rejected.is_empty()
    assert parsed.frame.drop("data_set", "vintage", "unit").rows() == [
        ("monthly", monthly, "Mkt-RF", date(1926, 7, 31), 2.96 / 100),
        ("monthly", monthly, "SMB", date(1926, 7, 31), -2.56 / 100),
        ("monthly", monthly, "RF", date(1926, 7, 31), 0.22 / 100),
        ("monthly", monthly, "Mkt-RF", date(1926, 8, 31), 2.64 / 100),
        ("monthly", monthly, "SMB", date(1926, 8, 31), -1.17 / 100),
        ("monthly", monthly, "RF", date(1926, 8, 31), 0.25 / 100),
        ("annual", annual, "Mkt-RF", date(1927, 12, 31), 29.47 / 100),
        ("annual", annual, "SMB", date(1927, 12, 31), -2.04 / 100),
        ("annual", annual, "RF", date(1927, 12, 31), 3.12 / 100),
    ]
    assert parsed.frame.select(pl.col("data_set", "vintage", "unit").unique()).rows() == [
        ("F-F", "202410", "decimal")
    ]


def test_daily_dates_stay_as_they_are_and_leap_months_end_on_the_29th():
    daily = parse(",A\n20240228, 1.00\n20240229, 2.00\n")
    assert values(daily, "A") == {date(2024, 2, 28): 0.01, date(2024, 2, 29): 0.02}
    assert set(daily.frame["frequency"]) == {"daily"}
    assert list(values(parse(",A\n202402, 1.00\n"), "A")) == [date(2024, 2, 29)]


@pytest.mark.parametrize(
    "text",
    [
        FACTORS,  # neither preamble nor footer, as in 202412
        PREAMBLE + FACTORS,
        (PREAMBLE + FACTORS).replace("\n", "\r\n"),
        (PREAMBLE + FACTORS).replace("\n", "\r"),
        FACTORS.replace("\n", "   \n"),
        FACTORS.replace("\n", ",\n"),
        FACTORS.rstrip(),
        FACTORS.replace("192608", "\n192608"),
        FACTORS.replace("192607", "  192607"),
        FACTORS.replace(",Mkt-RF,SMB ,RF", ", Mkt-RF ,SMB,RF\t"),
        PREAMBLE.rstrip() + "\n" + FACTORS,
        "\ufeff" + FACTORS,
        ("Moody\u2019s and café\n\n" + FACTORS).encode("cp1252"),
        ("Moody\u2019s, in UTF-8\n\n" + FACTORS).encode(),
        b"a line with \x85 and \x0c in it\n\n" + FACTORS.encode(),
        FACTORS + "Copyright 2024",
        FACTORS + "\nCopyright 2024 Eugene F. Fama and Kenneth R. French\n\x1a",
    ],
)
def test_the_same_numbers_in_any_dress_give_the_same_rows(text):
    parsed = parse(text)
    assert parsed.rejected.is_empty()
    assert_frame_equal(parsed.frame, parse(FACTORS).frame)


@pytest.mark.parametrize("code", ["-99.99", "-99.9900", "  -99.99 ", "-999", "-999.00", "-999.0"])
@pytest.mark.parametrize(
    "title",
    ["", "Number of Firms in Portfolios", "Average Firm Size", "Value Weight Average of BE / ME"],
)
def test_missing_codes_become_null_in_every_kind_of_block(code, title):
    assert values(parse(block(title, f"192607,{code}")), "A") == {date(1926, 7, 31): None}


@pytest.mark.parametrize("text", ["-99.98", "-99.7455", "-121.3", "-9.99", "99.99", "999", "0"])
def test_numbers_close_to_the_codes_are_numbers(text):
    returns = values(parse(block("", f"192607,{text}")), "A")
    ratios = values(parse(block("Sum of BE / Sum of ME", f"192607,{text}")), "A")
    assert list(returns.values()) == [float(text) / 100]
    assert list(ratios.values()) == [float(text)]


@pytest.mark.parametrize(
    ("title", "unit", "value"),
    [
        ("Average Value Weighted Returns -- Monthly", "decimal", 0.44),
        ("Equal Weight Returns -- Annual from January to December", "decimal", 0.44),
        ("Equally-Weighted Average of Prior Returns", "decimal", 0.44),
        ("Annual Factors: January-December", "decimal", 0.44),
        ("Number of Firms in Portfolios", "count", 44.0),
        ("Average Market Cap", "usd_million", 44.0),
        ("Average Firm Size", "usd_million", 44.0),
        ("Sum of BE / Sum of ME", "ratio", 44.0),
        ("Value Weight Average of OP Calculated as:", "ratio", 44.0),
        ("Value Weight Average of investment (rate of growth of assets)", "ratio", 44.0),
    ],
)
def test_the_title_tells_the_unit(title, unit, value):
    frame = parse(PREAMBLE + block(title, "192607, 44")).frame
    assert frame.select("block", "unit", "value").rows() == [(title, unit, value)]


def test_a_block_of_unknown_unit_is_set_aside_and_the_others_are_kept():
    parsed = parse(FACTORS + block("Portfolio Turnover", "192607, 44\n192608, 45"))
    assert_frame_equal(parsed.frame, parse(FACTORS).frame)
    assert faults(parsed) == [(n, "unknown_unit", "Portfolio Turnover") for n in (7, 8)]


def test_titles_of_several_lines_are_joined_and_tell_blocks_apart():
    shared = "For portfolios formed in June of year t"
    text = "".join(
        block(f"{shared}\n   Value  Weight Average of {what} Calculated as: \n  Sum[ME] / Sum[ME] ")
        for what in ("BE/ME", "OP")
    )
    assert parse(PREAMBLE + text).frame["block"].to_list() == [
        f"{shared} Value Weight Average of {what} Calculated as: Sum[ME] / Sum[ME]"
        for what in ("BE/ME", "OP")
    ]


def test_a_title_set_apart_from_its_columns_by_a_blank_line_still_counts():
    text = block("Average Value Weighted Returns -- Monthly") + (
        "\nsome remark\n\n  Average Equal Weighted Returns -- Monthly\n\n,A\n\n192607, 2.00\n"
    )
    assert parse(text).frame.select("block", "value").rows() == [
        ("Average Value Weighted Returns -- Monthly", 0.01),
        ("Average Equal Weighted Returns -- Monthly", 0.02),
    ]


def test_lines_padded_with_commas_by_a_spreadsheet_read_the_same():
    text = PREAMBLE + FACTORS + ANNUAL
    assert_frame_equal(parse(text.replace("\n", ",,,\n")).frame, parse(text).frame)


def test_a_title_may_follow_the_rows_above_without_a_blank_line():
    parsed = parse(FACTORS + ANNUAL.lstrip())
    assert parsed.rejected.is_empty()
    assert_frame_equal(parsed.frame, parse(FACTORS + ANNUAL).frame)


def test_text_between_rows_is_a_damaged_row_and_text_after_them_is_not():
    text = FACTORS.replace("192608", "-- page 2 --\n\f\ncontinued\n192608") + "end of file\n"
    parsed = parse(text)
    assert parsed.frame.height == 3
    assert faults(parsed)[-1] == (6, "row_outside_block", "192608,   2.64,  -1.17,   0.25")
    parsed = parse(text.replace("\f\n", ""))
    assert_frame_equal(parsed.frame, parse(FACTORS).frame)
    assert faults(parsed) == [(3, "field_count", "-- page 2 --"), (4, "field_count", "continued")]


def test_blocks_may_differ_in_columns_and_start():
    parsed = parse(
        block("Average Firm Size", "192607, 1, 2", ",A,B")
        + block("Number of Firms", "196307, 3", ",C")
    )
    assert parsed.frame.select("series", "date", "value").rows() == [
        ("A", date(1926, 7, 31), 1.0),
        ("B", date(1926, 7, 31), 2.0),
        ("C", date(1963, 7, 31), 3.0),
    ]


@pytest.mark.parametrize(
    ("damaged", "rule", "value"),
    [
        ("192608,   2.64,  -1.17", "field_count", "192608,   2.64,  -1.17"),
        ("192608,   2.64,  -1.17,", "field_count", "192608,   2.64,  -1.17"),
        ("192608, 2.64, -1.17, 0.25, 7", "field_count", "192608, 2.64, -1.17, 0.25, 7"),
        ("192608", "field_count", "192608"),
        ("192608,   2.64,  n/a,   0.25", "bad_number", "n/a"),
        ("192608,   2.64,     ,   0.25", "bad_number", ""),
        ("192608,   inf,  -1.17,   0.25", "bad_number", "inf"),
        ("192608,   2.64,  NaN,   0.25", "bad_number", "NaN"),
        ("192608,   2.64,  -1.17,   0.2.5", "bad_number", "0.2.5"),
        ("192608, 1e999,  -1.17,   0.25", "bad_number", "1e999"),
        ("192613,   2.64,  -1.17,   0.25", "bad_date", "192613"),
        ("192600,   2.64,  -1.17,   0.25", "bad_date", "192600"),
        ("19260A,   2.64,  -1.17,   0.25", "bad_date", "19260A"),
        ("1926,   2.64,  -1.17,   0.25", "bad_date", "1926"),
        ("19260831,   2.64,  -1.17,   0.25", "bad_date", "19260831"),
        (",   2.64,  -1.17,   0.25", "bad_date", ""),
        (",   2.64,  -1.17,   n/a", "bad_date", ""),
        ("202411,   2.64,  -1.17,   0.25", "date_after_vintage", "202411"),
    ],
)
def test_a_damaged_row_is_rejected_alone_with_its_line_and_reason(damaged, rule, value):
    text = PREAMBLE + FACTORS.replace("192608,   2.64,  -1.17,   0.25", damaged)
    parsed = parse(text + "192609,   0.36,  -1.40,   0.23\n" + ANNUAL)
    assert faults(parsed) == [(8, rule, value)]
    assert text.split("\n")[7] == damaged
    monthly = parsed.frame.filter(pl.col("frequency") == "monthly")
    assert monthly["date"].unique().to_list() == [date(1926, 7, 31), date(1926, 9, 30)]
    assert parsed.frame.filter(pl.col("frequency") == "annual").height == 3


def test_days_that_do_not_exist_are_rejected():
    parsed = parse(",A\n20230228, 1\n20230229, 1\n20230230, 1\n20231301, 1\n")
    assert list(values(parsed, "A")) == [date(2023, 2, 28)]
    assert [rule for _, rule, _ in faults(parsed)] == ["bad_date"] * 3


def test_the_last_period_a_vintage_can_hold_is_kept_and_the_next_rejected():
    monthly = parse(",A\n202410, 1\n202411, 1\n")
    daily = parse(",A\n20241031, 1\n20241101, 1\n")
    annual = parse(",A\n2024, 1\n2025, 1\n")
    assert [faults(p) for p in (monthly, daily, annual)] == [
        [(3, "date_after_vintage", "202411")],
        [(3, "date_after_vintage", "20241101")],
        [(3, "date_after_vintage", "2025")],
    ]


def test_a_first_row_that_is_damaged_does_not_decide_the_frequency():
    parsed = parse(",A\n1926, 1\n192608, 2\n192609, 3\n")
    assert set(parsed.frame["frequency"]) == {"monthly"}
    assert faults(parsed) == [(2, "bad_date", "1926")]


def test_a_block_without_one_readable_date_gives_no_rows():
    parsed = parse(FACTORS + block("Average Firm Size", "1, 2\n3, 4"))
    assert_frame_equal(parsed.frame, parse(FACTORS).frame)
    assert [rule for _, rule, _ in faults(parsed)] == ["bad_date", "bad_date"]


def test_a_repeated_row_counts_once_and_contradicting_rows_not_at_all():
    rows = ["192607, 1.00", "192608, 2.00", "192607,  1.0", "192608, 2.50", "192609, 3.00"]
    parsed = parse(",A\n" + "\n".join(rows))
    assert values(parsed, "A") == {date(1926, 7, 31): 0.01, date(1926, 9, 30): 0.03}
    assert faults(parsed) == [
        (3, "conflicting_date", "1926-08-31"),
        (4, "duplicate_date", "1926-07-31"),
        (5, "conflicting_date", "1926-08-31"),
    ]


def test_rows_below_a_title_without_columns_are_not_taken_for_the_block_before():
    text = FACTORS + "\n  Average Equal Weighted Returns\n192607, 9.0, 9.0, 9.0\n"
    parsed = parse(text)
    assert_frame_equal(parsed.frame, parse(FACTORS).frame)
    assert faults(parsed) == [(6, "row_outside_block", "192607, 9.0, 9.0, 9.0")]


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "some words, and more\n",
        ",Mkt-RF,SMB\n",
        "Date,Mkt-RF,SMB\n192607,1,2\n",
        "192607,1,2\n192608,3,4\n",
        ";Mkt-RF;SMB\n192607;1;2\n",
        FACTORS.encode("utf-16"),
        bytes(range(256)),
    ],
)
def test_a_file_without_a_table_is_refused(text):
    padded = text if isinstance(text, bytes) else text + " "
    assert refused(padded).rule == "no_table"


@pytest.mark.parametrize("columns", [",A,A", ",A, A", ",A,,B", ",,A", ",BIG  LoBM,BIG LoBM"])
def test_columns_that_cannot_be_told_apart_are_refused_with_their_line(columns):
    error = refused(f"\n{columns}\n192607,1,2\n")
    assert (error.rule, error.row, error.value) == ("ambiguous_columns", 2, columns)


def test_two_blocks_of_one_title_are_refused_unless_their_frequency_differs():
    title = "Average Firm Size"
    error = refused(block(title) + block(title, "192608, 2"))
    assert (error.rule, error.row, error.value) == ("repeated_block", 7, title)
    both = parse(block(title) + block(title, "1927, 2"))
    assert both.frame["frequency"].to_list() == ["monthly", "annual"]


def test_weekly_files_are_refused_rather_than_called_daily():
    error = refused(FACTORS, name="202410/F-F_Research_Data_Factors_weekly_CSV.zip")
    assert error.rule == "weekly_data"


def test_a_file_under_another_vintage_than_it_states_is_refused():
    error = refused(PREAMBLE + FACTORS, vintage="202412")
    assert (error.rule, error.row, error.value) == ("vintage_mismatch", 1, "202410")


def test_the_stated_vintage_serves_a_file_outside_of_a_vintage_folder():
    assert parse(PREAMBLE + FACTORS, vintage=None).vintage == "202410"
    wrapped = "Made using\nthe 202409 Bloomberg database.\n\n" + FACTORS
    assert parse(wrapped, vintage=None).vintage == "202409"


@pytest.mark.parametrize("text", [FACTORS, PREAMBLE.replace("202410", "202413") + FACTORS])
def test_a_file_of_unknown_vintage_is_refused(text):
    assert refused(text, vintage=None).rule == "no_vintage"


def test_what_is_no_zip_is_refused():
    file = SourceFile("202410/F-F_CSV.zip", Path("F-F_CSV.zip"), "202410")
    for content, rule in ((b"<html>", "html_page"), (FACTORS.encode(), "not_a_zip")):
        with pytest.raises(BadFileError) as caught:
            SOURCE.parse(file, content)
        assert caught.value.rule == rule


def test_files_are_listed_by_name_with_the_vintage_of_their_folder(tmp_path):
    for name in (
        "202412/F-F_CSV.zip",
        "202410/F-F_CSV.zip",
        "202410/._F-F_CSV.zip",
        "202410/notes.txt",
        "202413/F-F_CSV.zip",
        "25_Portfolios_csv.ZIP",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    files = KenFrench(tmp_path).files()
    assert [(file.name, file.vintage) for file in files] == [
        ("202410/F-F_CSV.zip", "202410"),
        ("202412/F-F_CSV.zip", "202412"),
        ("202413/F-F_CSV.zip", None),
        ("25_Portfolios_csv.ZIP", None),
    ]
    assert [file.read() for file in files] == [file.name.encode() for file in files]
    assert [f.vintage for f in KenFrench(tmp_path / "202412").files()] == ["202412"]


def test_a_folder_without_library_files_is_a_matter_of_settings(tmp_path):
    with pytest.raises(SettingsError, match=r"library\.path"):
        KenFrench(tmp_path).files()


cells = st.decimals(-98, 2000, places=4, allow_nan=False).map(str)
months = st.dates(date(1926, 7, 1), date(2024, 10, 31)).map(lambda day: f"{day:%Y%m}")


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(months, st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=30))
def test_every_cell_written_is_read_back_to_the_last_bit(table):
    text = ",A,B,C\n" + "".join(f"{key},{','.join(row)}\n" for key, row in table.items())
    parsed = parse(text)
    assert parsed.rejected.is_empty()
    assert [value for _, _, value in parsed.frame.select("date", "series", "value").rows()] == [
        float(cell) / 100 for row in table.values() for cell in row
    ]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | st.text(",-.\n 0123456789AB", max_size=400).map(str.encode))
def test_any_bytes_give_contract_rows_or_a_named_refusal(content):
    try:
        parsed = parse(content)
    except BadFileError as error:
        refusal = error
    else:
        key = ["frequency", "block", "series", "date"]
        assert not parsed.frame.select(key).is_duplicated().any()
        return
    assert refusal.rule in {
        "no_table",
        "ambiguous_columns",
        "repeated_block",
        "empty_file",
    }


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 1), st.text(",-.x 023456789", min_size=1, max_size=40))
def test_whatever_one_row_turns_into_it_is_counted_and_the_others_stay(which, damaged):
    rows = [*FACTORS.rstrip("\n").split("\n"), "192609,   0.36,  -1.40,   0.23"]
    dates = [date(1926, 7, 31), date(1926, 8, 31), date(1926, 9, 30)]
    del dates[which]
    rows[1 + which] = damaged
    parsed = parse(PREAMBLE + "\n".join(rows))
    assert list(values(parsed)) == dates
    assert len(faults(parsed)) == bool(damaged.strip(" ,"))


def test_layout_keeps_line_numbers_and_stated_vintage():
    layout = split_blocks(decode((PREAMBLE + FACTORS).encode()))
    assert layout.vintage == Line(1, "202410")
    assert [line.number for line in layout.blocks[0].rows] == [7, 8]
    assert layout.blocks[0].columns == ("Mkt-RF", "SMB", "RF")
