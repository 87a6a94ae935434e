import gzip
import io
import struct
import zipfile
from contextlib import suppress
from datetime import date
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources import archive
from factor_pipeline.sources.archive import MAX_RATIO, gunzip, single_member

TEXT = b"Date,Close\n2020-01-02,1.5\n"
MEBI = 2**20


def zipped(*members, method=zipfile.ZIP_DEFLATED, when=(2021, 4, 3, 7, 17, 10)):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as target:
        for name, content in members:
            info = zipfile.ZipInfo(name, when)
            info.compress_type = method
            target.writestr(info, content)
    return buffer.getvalue()


def refused(read, content):
    with pytest.raises(BadFileError) as caught:
        read(content)
    assert caught.value.reason
    return caught.value.rule


def test_the_only_member_comes_back_with_its_name_and_day():
    member = single_member(zipped(("folder/a.csv", TEXT)))
    assert (member.name, member.content) == ("folder/a.csv", TEXT)
    assert member.modified == date(2021, 4, 3)


def test_the_suffix_is_compared_without_case_and_other_files_are_ignored():
    content = zipped(("readme.txt", b"hello"), ("A.CSV", TEXT))
    assert single_member(content).name == "A.CSV"
    assert single_member(content, suffix=".TXT").content == b"hello"


def test_an_archive_that_states_no_day_counts_as_of_the_first_day_of_zip_time():
    content = bytearray(zipped(("a.csv", TEXT)))
    for signature, offset in ((b"PK\x03\x04", 12), (b"PK\x01\x02", 14)):
        at = content.index(signature) + offset
        content[at : at + 2] = b"\0\0"  # month 0 and day 0
    assert single_member(bytes(content)).modified == date(1980, 1, 1)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "empty_file"),
        (b" \r\n", "empty_file"),
        (b"<!DOCTYPE html><html>busy</html>", "html_page"),
        (b"\xef\xbb\xbf\n <html>", "html_page"),
        (b'{"error": "limit"}', "not_a_zip"),
        (TEXT, "not_a_zip"),
        (zipped(("a.txt", TEXT)), "wrong_members"),
        (zipped(("a.csv", TEXT), ("b.csv", TEXT)), "wrong_members"),
        (zipped(("../a.csv", TEXT)), "unsafe_zip"),
        (zipped(("/etc/a.csv", TEXT)), "unsafe_zip"),
        (zipped(("..\\a.csv", TEXT)), "unsafe_zip"),
        (zipped(("\\a.csv", TEXT)), "unsafe_zip"),
        (zipped(("C:\\a.csv", TEXT)), "unsafe_zip"),
        (zipped(("a.csv", TEXT), ("../../b.txt", b"x")), "unsafe_zip"),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_BZIP2), "unsafe_zip"),
        (zipped(("a.csv", TEXT), method=zipfile.ZIP_LZMA), "unsafe_zip"),
    ],
)
def test_what_is_no_safe_zip_of_one_table_is_refused_by_name(content, rule):
    assert refused(single_member, content) == rule


def test_a_page_in_place_of_a_zip_is_not_quoted_because_it_may_repeat_a_key():
    with pytest.raises(BadFileError) as caught:
        single_member(b"<html>your key ABC123SECRET is wrong</html>")
    assert "ABC123SECRET" not in f"{caught.value.reason}{caught.value.value}"


def test_an_encrypted_member_is_refused():
    content = bytearray(zipped(("a.csv", TEXT)))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    assert refused(single_member, bytes(content)) == "unsafe_zip"


def test_every_way_to_cut_a_zip_short_is_truncation():
    content = zipped(("a.csv", TEXT * 50))
    end = content.index(b"PK\x05\x06")
    assert {refused(single_member, content[:cut]) for cut in range(2, end + 1)} == {"truncated_zip"}


def test_bytes_that_do_not_match_the_checksum_are_refused():
    content = zipped(("a.csv", TEXT), method=zipfile.ZIP_STORED)
    damaged = content.replace(b"1.5", b"9.5", 1)
    assert refused(single_member, damaged) == "corrupt_zip"


def test_a_zip_that_claims_less_than_it_holds_is_corrupt():
    assert refused(single_member, claiming(10)) == "corrupt_zip"


def test_a_zip_that_claims_gigabytes_is_read_for_what_it_holds():
    assert single_member(claiming(2**31)).content == TEXT


def claiming(size):
    content = bytearray(zipped(("a.csv", TEXT)))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + offset, size)
    return bytes(content)


@pytest.mark.parametrize(("read", "kind"), [(single_member, "zip"), (gunzip, "gzip")])
def test_a_bomb_is_refused_by_its_ratio_before_it_fills_memory(read, kind):
    bomb = b"\0" * (8 * MEBI)
    content = zipped(("a.csv", bomb)) if kind == "zip" else gzip.compress(bomb)
    assert len(bomb) > 4 * MAX_RATIO * len(content)
    assert refused(read, content) == f"unsafe_{kind}"


@pytest.mark.parametrize(("read", "kind"), [(single_member, "zip"), (gunzip, "gzip")])
def test_reading_stops_at_the_largest_size(read, kind):
    table = b"".join(b"%d,1\n" % number for number in range(300_000))
    content = zipped(("a.csv", table)) if kind == "zip" else gzip.compress(table)
    with patch.object(archive, "MAX_BYTES", len(table) - 1):
        assert refused(read, content) == f"{kind}_too_large"
    with patch.object(archive, "MAX_BYTES", len(table)):
        assert read(content) in (table, archive.Member("a.csv", table, date(2021, 4, 3)))


def test_a_small_file_may_compress_well():
    dull = b"2020-01-02,0\n" * 40_000
    content = zipped(("a.csv", dull))
    assert len(dull) > MAX_RATIO * len(content)
    assert single_member(content).content == dull


@pytest.mark.parametrize("content", [b"", TEXT, b"\x1f", b"<html>"])
def test_bytes_that_are_no_gzip_pass_through(content):
    assert gunzip(content) == content


def test_members_of_a_gzip_are_joined_and_zero_padding_is_dropped():
    assert gunzip(gzip.compress(TEXT) + gzip.compress(TEXT) + b"\0" * 100) == TEXT * 2


def test_every_way_to_cut_a_gzip_short_is_truncation():
    content = gzip.compress(TEXT * 50, mtime=0)
    cuts = range(2, len(content))
    assert {refused(gunzip, content[:cut]) for cut in cuts} == {"truncated_gzip"}


def test_a_gzip_with_a_wrong_checksum_or_a_tail_is_corrupt():
    content = bytearray(gzip.compress(TEXT))
    assert refused(gunzip, bytes(content) + b"tail") == "corrupt_gzip"
    content[-6] ^= 0xFF
    assert refused(gunzip, bytes(content)) == "corrupt_gzip"


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_archive_gives_the_right_bytes_or_a_named_refusal(data):
    read, content = data.draw(
        st.sampled_from(
            [
                (lambda raw: single_member(raw).content, zipped(("a.csv", TEXT * 9))),
                (gunzip, gzip.compress(TEXT * 9, mtime=0)),
            ]
        )
    )
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(2, len(content) - 1))] = data.draw(st.integers(0, 255))
    with suppress(BadFileError):
        assert read(bytes(damaged)) == TEXT * 9
