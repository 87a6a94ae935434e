"""Screens: what a file or row must be to enter the raw tables at all; the rest is quarantined.

Parsers state their reason with each file and row they set aside. Here is what each screen is for.
"""

from dataclasses import dataclass
from typing import Final

LEVELS: Final = ("benchmark", "etf")
CSV: Final = ("prices", "fundamentals", "membership", *LEVELS, "macro", "listing")
GZIP: Final = ("prices", "membership", *LEVELS, "macro", "listing")
ZIP: Final = ("fundamentals", "library")
SIMULATED: Final = (*CSV, "library", "delisting")

_NOT_THE_DATA = "What is read from it would be no data, or those of something else."
_DAMAGED = "Part of the rows would be missing or changed, and nothing would tell."
_UNSAFE = "It may be made to fill the memory or to be written elsewhere."
_NO_KEY = "It could not be told whose figure it is, or of when."
_IMPOSSIBLE = "Returns, ranks and averages would be made with a figure that cannot be."
_TWICE = "The figure would count twice, or the wrong one of two would count."
_NO_TIME = "It could not be told when it was known, or it would be known too early."


@dataclass(frozen=True, slots=True)
class Screen:
    """A reason to leave a file or a row out.

    Attributes
    ----------
    name
        Name in ``quality.quarantine``.
    data_sets
        Data sets whose parsers use it.
    finds
        What such a file or row looks like.
    harm
        What would go wrong if it entered.
    """

    name: str
    data_sets: tuple[str, ...]
    finds: str
    harm: str


def _missing(data_set: str, *columns: str) -> list[Screen]:
    return [
        Screen(f"missing_{column}", (data_set,), f"The row has no {column}.", _NO_KEY)
        for column in columns
    ]


def _repeats(noun: str, *data_sets: str) -> list[Screen]:
    return [
        Screen(
            f"conflicting_{noun}",
            data_sets,
            f"Rows of one {noun} contradict each other; none of them is used.",
            _TWICE,
        ),
        Screen(
            f"duplicate_{noun}",
            data_sets,
            f"The same {noun} with the same values stands further up.",
            _TWICE,
        ),
    ]


_FILES: Final = (
    Screen("empty_file", (*CSV, "library"), "The file is empty, or a header alone.", _NOT_THE_DATA),
    Screen("html_page", (*CSV, "library"), "The file is a web page.", _NOT_THE_DATA),
    Screen("api_error", CSV, "The file is a message of the vendor's server.", _NOT_THE_DATA),
    Screen("not_text", CSV, "The file is no UTF-8 text.", _NOT_THE_DATA),
    Screen("renamed_columns", CSV, "The header lacks a column or repeats one.", _NOT_THE_DATA),
    Screen("ragged_rows", CSV, "No row fits the header, or a quote never closes.", _DAMAGED),
    Screen(
        "lost_rows",
        (*CSV, "library"),
        "The file lacks most of the rows that it had before (quality.max_lost_share).",
        "A vendor's short answer, such as the newest hundred days, would delete history.",
    ),
    Screen("truncated_gzip", GZIP, "The gzip file ends too early.", _DAMAGED),
    Screen("corrupt_gzip", GZIP, "The gzip file is damaged.", _DAMAGED),
    Screen("unsafe_gzip", GZIP, "The gzip file unpacks to far more than its size.", _UNSAFE),
    Screen("gzip_too_large", GZIP, "The gzip file unpacks to more than any table.", _UNSAFE),
    Screen("not_a_zip", ZIP, "The file is no zip archive.", _NOT_THE_DATA),
    Screen("truncated_zip", ZIP, "The zip archive ends too early.", _DAMAGED),
    Screen("corrupt_zip", ZIP, "The zip archive is damaged.", _DAMAGED),
    Screen("unsafe_zip", ZIP, "The archive is encrypted, leaves its folder or is a bomb.", _UNSAFE),
    Screen("zip_too_large", ZIP, "The archive unpacks to more than any table.", _UNSAFE),
    Screen("wrong_members", ZIP, "The archive has not just one table.", _NOT_THE_DATA),
    Screen(
        "undated_archive",
        ("fundamentals",),
        "The archive does not say when it was made.",
        "The split basis of its share counts would be unknown, and market equity wrong.",
    ),
    Screen("unknown_statement", ("fundamentals",), "The name tells no statement.", _NOT_THE_DATA),
    Screen("weekly_data", ("library",), "The file has weekly returns.", _NOT_THE_DATA),
    Screen("no_vintage", ("library",), "Neither file nor folder tells the vintage.", _NO_TIME),
    Screen("vintage_mismatch", ("library",), "File and folder tell two vintages.", _NO_TIME),
    Screen("no_table", ("library",), "No line of column names has rows below.", _NOT_THE_DATA),
    Screen("repeated_block", ("library",), "Two blocks have the same title.", _TWICE),
    Screen("ambiguous_columns", ("library",), "Columns without name, or of one name.", _NO_KEY),
    Screen("wrong_series", ("macro",), "The file holds another series than its name.", _NO_KEY),
    Screen("bad_parameters", SIMULATED, "The parameters of the market cannot be.", _NOT_THE_DATA),
)
_ROWS: Final = (
    Screen("ragged_row", CSV, "The row has too few or too many fields.", _DAMAGED),
    Screen("not_a_number", CSV, "A figure is no finite number.", _IMPOSSIBLE),
    Screen("not_a_date", CSV, "A date is not written YYYY-MM-DD, or is no day.", _NO_KEY),
    *_missing("prices", "timestamp", "close", "dividend_amount", "split_coefficient"),
    *_missing("fundamentals", "ticker", "simfinid", "currency", "fiscal_year", "report_date"),
    *_missing("macro", "date"),
    *_missing("membership", "ticker", "start_date"),
    *_missing("listing", "symbol"),
    *(
        Screen(f"missing_{column}", LEVELS, f"The row has no {column}.", _NO_KEY)
        for column in ("date", "close", "adj_close")
    ),
    Screen("before_1900", ("prices", *LEVELS), "The day is before 1900.", _NO_KEY),
    Screen("weekend", ("prices",), "The day is a Saturday or Sunday.", _NO_KEY),
    Screen("negative_price", ("prices",), "A price is below 0.", _IMPOSSIBLE),
    Screen("zero_close", ("prices",), "The close is 0.", _IMPOSSIBLE),
    Screen("high_below_low", ("prices",), "The high is below the low.", _IMPOSSIBLE),
    Screen(
        "close_outside_range",
        ("prices",),
        "The close is more than a cent above the high or below the low.",
        _IMPOSSIBLE,
    ),
    Screen("negative_volume", ("prices",), "The volume is below 0.", _IMPOSSIBLE),
    Screen("negative_dividend", ("prices",), "The dividend is below 0.", _IMPOSSIBLE),
    Screen("split_not_positive", ("prices",), "The split ratio is not above 0.", _IMPOSSIBLE),
    *_repeats("day", "prices", *LEVELS),
    *_repeats("symbol", "listing"),
    Screen(
        "not_annual",
        ("fundamentals",),
        "The period is not a whole year.",
        "A quarter's figures would be taken for a year's.",
    ),
    Screen("not_a_year", ("fundamentals",), "The fiscal year is no year.", _NO_KEY),
    Screen(
        "foreign_currency",
        ("fundamentals",),
        "The figures are not in USD.",
        "Yen would be divided by dollars: value and size would be off by the exchange rate.",
    ),
    Screen("negative_shares", ("fundamentals",), "The share count is below 0.", _IMPOSSIBLE),
    Screen("dated_after_download", ("fundamentals",), "A date is after the download.", _NO_TIME),
    *_repeats("filing", "fundamentals"),
    Screen("row_outside_block", ("library",), "The row is below no column names.", _NO_KEY),
    Screen(
        "unknown_unit",
        ("library",),
        "The title of the block does not tell the unit.",
        "Percent would be taken for dollars, or the other way round.",
    ),
    Screen("field_count", ("library",), "The row has too few or too many values.", _DAMAGED),
    Screen("bad_date", ("library",), "The date is none of the block's frequency.", _NO_KEY),
    Screen("date_after_vintage", ("library",), "The date is after the vintage.", _NO_TIME),
    Screen("bad_number", ("library",), "A value is no number.", _IMPOSSIBLE),
    *_repeats("date", "library", "macro"),
    Screen("null_price", LEVELS, "A price is written null.", _IMPOSSIBLE),
    Screen("price_not_positive", LEVELS, "A price is not above 0.", _IMPOSSIBLE),
    Screen(
        "end_before_start",
        ("membership",),
        "The spell ends on or before the day it starts.",
        "The stock would be no member on any day, though the vendor says it was.",
    ),
    *_repeats("spell", "membership"),
    Screen(
        "overlapping_spell",
        ("membership",),
        "Spells of one ticker overlap; none of them is used.",
        "The stock would be a member twice.",
    ),
)
SCREENS: Final = (*_FILES, *_ROWS)
"""All screens, those of whole files first."""
