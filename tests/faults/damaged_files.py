"""Faults of whole files: what is served is not what was asked for, or written in another way."""

from collections.abc import Callable

from tests.faults.fault import By, Fault, Injected
from tests.faults.vendor import (
    EDITION,
    FUND,
    PLAIN,
    Vendor,
    member,
    packed,
    statement_file,
    table,
    untable,
    zipped,
)

_FILE = f"{PLAIN}.csv.gz"
_FACTORS = f"{EDITION}/F-F_Research_Data_Factors_CSV.zip"
_BALANCE = "us-balance-annual.zip"
_STALE = "The file's last good rows stay; the log calls it stale."
_OUTAGE = (
    "The data set stays as it was, as more than `quality.max_bad_file_share` of its files are bad, "
    "and the run says so and how old its rows are."
)
_SAME = "The same rows are read; nothing changes."

_HTML = b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n"
_API = b'{"Error Message": "Invalid API call. Please retry for TIME_SERIES_DAILY_ADJUSTED."}\n'
_NOTE = b"Thank you for using this service! The limit is 25 requests per day.\n"


def _prices(name: str, what: str, rule: str, damage: Callable[[str], bytes]) -> Fault:
    """A price file whose text is damaged; of some sixty files it is the only one."""
    return _damaged("prices", _FILE, name, what, rule, lambda v: damage(v.price_text(PLAIN)))


def _damaged(
    data_set: str,
    file: str,
    name: str,
    what: str,
    rule: str,
    damage: Callable[[Vendor], bytes],
    by: By = "quarantine",
) -> Fault:
    def inject(vendor: Vendor) -> Injected:
        return Injected({file: damage(vendor)}, subject=f"{data_set}/{file}", lines=None)

    outcome = _OUTAGE if by == "outage" else _STALE
    return Fault(name, what, data_set, rule, by, outcome, inject)


def _harmless(name: str, what: str, write: Callable[[str], bytes]) -> Fault:
    def inject(vendor: Vendor) -> Injected:
        return Injected({_FILE: write(vendor.price_text(PLAIN))})

    return Fault(name, what, "prices", "", "nothing", _SAME, inject)


def _header(old: str, new: str) -> Callable[[str], bytes]:
    def damage(text: str) -> bytes:
        first, _, rest = text.partition("\n")
        assert old in first.split(",")
        return packed(first.replace(old, new) + "\n" + rest)

    return damage


def _without(column: str) -> Callable[[str], bytes]:
    return lambda text: packed(
        untable([{k: v for k, v in row.items() if k != column} for row in table(text)])
    )


def _reordered(text: str) -> bytes:
    return packed(untable([dict(reversed(row.items())) for row in table(text)]))


def _with_column(text: str) -> bytes:
    return packed(untable([{**row, "currency": "USD"} for row in table(text)]))


def _with_blank_lines(text: str) -> bytes:
    return packed(text.replace("\n", "\n\n"))


def _unclosed(text: str) -> bytes:
    lines = text.splitlines(keepends=True)
    return packed("".join([*lines[:5], '"', *lines[5:]]))


def _flipped(text: str) -> bytes:
    data = bytearray(packed(text))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def _flipped_zip(text: str) -> bytes:
    data = bytearray(zipped(("one.csv", text)))
    data[len(data) // 2] ^= 0xFF
    return bytes(data)


def _table_twice(text: str) -> bytes:
    described, rows = text.split("\r\n,", 1)
    again = f"\r\n,{rows.partition('Copyright')[0]}"
    return zipped(("one.csv", described + again + again))


def _library(name: str, what: str, rule: str, damage: Callable[[str], bytes]) -> Fault:
    def of(vendor: Vendor) -> bytes:
        return damage(member(vendor.content("library", _FACTORS)))

    return _damaged("library", _FACTORS, name, what, rule, of, "outage")


def _statements(name: str, what: str, rule: str, damage: Callable[[Vendor], bytes]) -> Fault:
    return _damaged("fundamentals", _BALANCE, name, what, rule, damage, "outage")


def _fund_without_adjusted_close(vendor: Vendor) -> bytes:
    rows = table(vendor.content("etf", f"{FUND}.csv").decode())
    return untable([{**row, "Volume": "0"} for row in rows]).encode()


def _renamed_series(vendor: Vendor) -> bytes:
    text = vendor.content("macro", "CPIAUCSL.csv").decode()
    return text.replace("date,value", "observation_date,CPILFESL").encode()


DAMAGED_FILES = (
    _prices(
        "truncated_gzip",
        "A download that broke off: the gzip file ends half way.",
        "truncated_gzip",
        lambda text: packed(text)[: len(packed(text)) // 2],
    ),
    _prices(
        "corrupt_gzip",
        "One byte in the middle of the gzip file is flipped.",
        "corrupt_gzip",
        _flipped,
    ),
    _prices("empty_file", "The file has no bytes.", "empty_file", lambda _: b""),
    _prices(
        "header_alone",
        "A table without rows: the header and nothing else.",
        "empty_file",
        lambda text: packed(text.partition("\n")[0] + "\n"),
    ),
    _prices(
        "html_page", "A web page of a proxy in place of a table.", "html_page", lambda _: _HTML
    ),
    _prices(
        "api_error", "The vendor's JSON error in place of a table.", "api_error", lambda _: _API
    ),
    _prices(
        "api_note",
        "The vendor's note about request limits, as plain text in place of a table.",
        "renamed_columns",
        lambda _: _NOTE + b"Please visit the premium page.\n",
    ),
    _prices(
        "utf_16",
        "The text is saved as UTF-16.",
        "not_text",
        lambda text: packed(text.encode("utf-16")),
    ),
    _prices(
        "not_utf_8",
        "A byte that is no UTF-8 in the midst of the text.",
        "not_text",
        lambda text: packed(text.replace("\n", "\n\xe9", 2).encode("latin-1")),
    ),
    _prices(
        "renamed_column",
        "The column `split_coefficient` is called `split_factor`.",
        "renamed_columns",
        _header("split_coefficient", "split_factor"),
    ),
    _prices(
        "missing_column",
        "The adjusted close is left out: the free variant of the endpoint.",
        "renamed_columns",
        _without("adjusted_close"),
    ),
    _prices(
        "repeated_column",
        "Two columns have the same name.",
        "renamed_columns",
        _header("volume", "close"),
    ),
    _prices("unclosed_quote", "A quote opens and never closes.", "ragged_rows", _unclosed),
    _prices(
        "gzip_bomb",
        "A small gzip file that unpacks to a hundred times what any price file has.",
        "unsafe_gzip",
        lambda _: packed(b"0" * 8 * 2**20),
    ),
    _harmless(
        "byte_order_mark",
        "A spreadsheet's byte order mark in front of the header.",
        lambda text: packed(b"\xef\xbb\xbf" + text.encode()),
    ),
    _harmless(
        "windows_lines", "Lines end in CRLF.", lambda text: packed(text.replace("\n", "\r\n"))
    ),
    _harmless("reordered_columns", "The columns stand in another order.", _reordered),
    _harmless(
        "oldest_first",
        "The days stand in another order.",
        lambda text: packed(untable(table(text)[::-1])),
    ),
    _harmless("unknown_column", "A column more than asked for.", _with_column),
    _harmless("blank_lines", "A blank line after every row.", _with_blank_lines),
    _harmless("unpacked", "The file is served without compression.", str.encode),
    _library(
        "zip_of_two",
        "The archive holds two tables.",
        "wrong_members",
        lambda text: zipped(("one.csv", text), ("two.csv", text)),
    ),
    _library(
        "truncated_zip",
        "A download that broke off: the archive ends half way.",
        "truncated_zip",
        lambda text: zipped(("one.csv", text))[:400],
    ),
    _library(
        "corrupt_zip", "One byte of the archive's table is flipped.", "corrupt_zip", _flipped_zip
    ),
    _library(
        "zip_that_leaves_its_folder",
        "The name of the table inside the archive points outside of it.",
        "unsafe_zip",
        lambda text: zipped(("../one.csv", text)),
    ),
    _library(
        "library_column_twice",
        "Two columns of the library have the same name.",
        "ambiguous_columns",
        lambda text: zipped(("one.csv", text.replace(",HML,", ",SMB,"))),
    ),
    _library(
        "library_block_twice",
        "The table of the library stands in the file twice.",
        "repeated_block",
        _table_twice,
    ),
    _library("zip_is_no_zip", "The bare table in place of the archive.", "not_a_zip", str.encode),
    _library("zip_is_html", "A web page in place of the archive.", "html_page", lambda _: _HTML),
    _library(
        "another_edition",
        "The file of another edition in the folder of this one.",
        "vintage_mismatch",
        lambda text: zipped(("one.csv", text.replace(f"the {EDITION}", "the 200712"))),
    ),
    _library(
        "library_text_alone",
        "The description without the table.",
        "no_table",
        lambda text: zipped(("one.csv", text.split("\r\n,")[0])),
    ),
    _statements(
        "undated_archive",
        "The archive does not say when it was made, so the split basis of its shares is unknown.",
        "undated_archive",
        lambda v: statement_file("balance", v.statements("balance"), written=(1980, 1, 1, 0, 0, 0)),
    ),
    _statements(
        "renamed_statement_column",
        "Total Equity is called Shareholders Equity.",
        "renamed_columns",
        lambda v: zipped(
            (
                "us-balance-annual.csv",
                untable(v.statements("balance"), ";").replace(
                    "Total Equity", "Shareholders Equity"
                ),
            )
        ),
    ),
    _damaged(
        "etf",
        f"{FUND}.csv",
        "fund_without_adjusted_close",
        "Closes of a fund that are not said to be adjusted.",
        "renamed_columns",
        _fund_without_adjusted_close,
        "outage",
    ),
    _damaged(
        "macro",
        "CPIAUCSL.csv",
        "another_series",
        "The file of one series holds another one.",
        "wrong_series",
        _renamed_series,
        "outage",
    ),
    _damaged(
        "membership",
        "ticker_start_end.csv",
        "membership_html",
        "A web page in place of the index members.",
        "html_page",
        lambda _: _HTML,
        "outage",
    ),
)
