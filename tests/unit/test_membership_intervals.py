import gzip
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.errors import BadFileError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import INDEX_MEMBER
from factor_pipeline.sources.membership_intervals import MembershipIntervals
from factor_pipeline.sources.protocol import REJECT_SCHEMA, Source, SourceFile

HEADER = "ticker,start_date,end_date\n"
SOURCE: Source = MembershipIntervals(Path("members.csv"))


def parse(text):
    content = text if isinstance(text, bytes) else text.encode()
    parsed = SOURCE.parse(SourceFile("members.csv", Path("members.csv")), content)
    assert parsed.frame.schema == contract(INDEX_MEMBER)
    assert parsed.rejected.schema == REJECT_SCHEMA
    return parsed


def faults(parsed):
    return parsed.rejected.select("row", "rule", "value").rows()


def test_spells_come_sorted_and_an_open_end_is_null():
    text = HEADER + "TRUE,2013-06-24,\nA,2005-01-03,2006-01-03\nA,2000-06-05,2005-01-03\n"
    parsed = parse(text)
    assert parsed.rejected.is_empty()
    assert parsed.frame.rows() == [
        ("A", date(2000, 6, 5), date(2005, 1, 3)),
        ("A", date(2005, 1, 3), date(2006, 1, 3)),  # leaving and joining on one day: no overlap
        ("TRUE", date(2013, 6, 24), None),
    ]
    assert_frame_equal(parse(gzip.compress(text.encode())).frame, parsed.frame)


def test_columns_are_found_by_name_and_others_are_ignored():
    parsed = parse("name,end_date,start_date,ticker\nAgilent,,2000-06-05,A\n")
    assert parsed.frame.rows() == [("A", date(2000, 6, 5), None)]


@pytest.mark.parametrize(
    ("row", "rule", "value"),
    [
        ("B,2001-02-30,2002-01-01", "not_a_date", "2001-02-30"),
        ("B,2001-01-01,soon", "not_a_date", "soon"),
        (",2001-01-01,2002-01-01", "missing_ticker", None),
        ("B,,2002-01-01", "missing_start_date", None),
        ("B,2001-01-02,2001-01-01", "end_before_start", "2001-01-01 <= 2001-01-02"),
        ("B,2001-01-01,2001-01-01", "end_before_start", "2001-01-01 <= 2001-01-01"),
        ("B,2001-01-01", "ragged_row", "B,2001-01-01"),
        ("A,2000-06-05,", "duplicate_spell", "A 2000-06-05"),
    ],
)
def test_a_bad_spell_is_rejected_alone_with_its_line(row, rule, value):
    parsed = parse(f"{HEADER}A,2000-06-05,\n{row}\nC,2000-06-05,\n")
    assert parsed.frame["ticker"].to_list() == ["A", "C"]
    assert faults(parsed) == [(3, rule, value)]


def test_one_start_with_two_ends_is_rejected_as_a_whole():
    parsed = parse(f"{HEADER}A,2000-01-03,2001-01-02\nA,2000-01-03,\nB,2000-01-03,\n")
    assert parsed.frame["ticker"].to_list() == ["B"]
    assert faults(parsed) == [
        (2, "conflicting_spell", "A 2000-01-03"),
        (3, "conflicting_spell", "A 2000-01-03"),
    ]


def test_spells_of_one_ticker_that_overlap_are_rejected_and_others_stay():
    rows = [
        "A,1996-01-02,2010-01-04",
        "A,1998-01-02,1999-01-04",  # inside the first
        "A,2009-01-02,2011-01-04",  # reaches into the first
        "A,2012-01-02,",
        "B,1996-01-02,2010-01-04",
        "C,1996-01-02,",  # was never closed
        "C,2005-01-03,",
    ]
    parsed = parse(HEADER + "\n".join(rows))
    assert parsed.frame.select("ticker", "start_date").rows() == [
        ("A", date(2012, 1, 2)),
        ("B", date(1996, 1, 2)),
    ]
    assert [(row, rule) for row, rule, _ in faults(parsed)] == [
        (row, "overlapping_spell") for row in (2, 3, 4, 7, 8)
    ]


starts = st.integers(0, 60)
lengths = st.none() | st.integers(1, 20)
spells = st.lists(
    st.tuples(st.sampled_from("AB"), starts, lengths),
    min_size=1,
    max_size=12,
    unique_by=lambda s: s[:2],
)


@settings(max_examples=200, deadline=None)
@given(spells)
def test_exactly_the_spells_that_share_a_day_with_another_are_rejected(drawn):
    def span(spell):
        _, start, length = spell
        return set(range(start, 100 if length is None else start + length))

    overlapping = {
        spell
        for pair in combinations(drawn, 2)
        for spell in pair
        if pair[0][0] == pair[1][0] and span(pair[0]) & span(pair[1])
    }
    day_zero = date(2000, 1, 1)
    lines = [
        f"{ticker},{day_zero + timedelta(start)},"
        f"{'' if length is None else day_zero + timedelta(start + length)}"
        for ticker, start, length in drawn
    ]
    parsed = parse(HEADER + "\n".join(lines))
    expected = sorted(
        (ticker, day_zero + timedelta(start)) for ticker, start, length in set(drawn) - overlapping
    )
    assert parsed.frame.select("ticker", "start_date").rows() == expected
    assert set(parsed.rejected["row"]) == {2 + drawn.index(spell) for spell in overlapping}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b"<html>", "html_page"),
        (b"symbol,start_date,end_date\nA,2000-01-03,\n", "renamed_columns"),
    ],
)
def test_what_is_no_table_of_spells_is_refused_by_name(content, rule):
    with pytest.raises(BadFileError) as caught:
        parse(content)
    assert caught.value.rule == rule


def test_a_file_and_a_folder_are_listed_alike(tmp_path):
    path = tmp_path / "members.csv"
    path.write_text(HEADER)
    by_file, by_folder = (MembershipIntervals(p).files() for p in (path, tmp_path))
    assert by_file == by_folder == [SourceFile("members.csv", path)]
