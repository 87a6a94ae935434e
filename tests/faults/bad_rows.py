"""Faults of single rows that no true row can have: they are set aside with their line."""

from collections.abc import Callable
from datetime import date

from tests.faults.fault import Fault, Injected
from tests.faults.vendor import (
    BENCHMARK,
    EDITION,
    PLAIN,
    Row,
    Vendor,
    day_of,
    line_of,
    member,
    month_end,
    packed,
    price_file,
    statement_file,
    table,
    untable,
    zipped,
)

MONTH = date(2006, 5, 1)
_REJECTED = "The row stays out; the month is compounded over the days around it."
_ADDED_REJECTED = "The row stays out; nothing else changes."
_LOST_DAY = frozenset({"trading_days", "dollar_volume"})


def _spoilt(
    name: str, what: str, rule: str, spoil: Callable[[Row], None], months: date = MONTH
) -> Fault:
    """A price row of a day amid a month that is spoilt, and so missing."""

    def inject(vendor: Vendor) -> Injected:
        rows = vendor.prices(PLAIN)
        day = vendor.quiet_day(PLAIN, months)
        line = line_of(rows, day)
        spoil(next(row for row in rows if day_of(row) == day))
        newest_first = rows[::-1]
        return Injected(
            {f"{PLAIN}.csv.gz": packed(untable(newest_first))},
            subject=PLAIN,
            days=frozenset({day}),
            months=(month_end(day), month_end(day)),
            lines=(line,),
        )

    return Fault(
        name,
        what,
        "prices",
        rule,
        "quarantine",
        _REJECTED,
        inject,
        alters=_LOST_DAY,
        also=frozenset({"missing_day"}),
    )


def _setting(**values: str) -> Callable[[Row], None]:
    return lambda row: row.update(values)


def _crossed(row: Row) -> None:
    row["high"], row["low"] = row["low"], row["high"]


def _doubled_close(row: Row) -> None:
    row["close"] = str(2 * float(row["high"]))


def _duplicate_day(vendor: Vendor) -> Injected:
    rows, day = vendor.prices(PLAIN), vendor.quiet_day(PLAIN, MONTH)
    line = line_of(rows, day)
    newest_first = rows[::-1]
    newest_first.insert(line - 1, dict(newest_first[line - 2]))
    return Injected(
        {f"{PLAIN}.csv.gz": packed(untable(newest_first))}, subject=PLAIN, lines=(line + 1,)
    )


def _conflicting_day(vendor: Vendor) -> Injected:
    rows, day = vendor.prices(PLAIN), vendor.quiet_day(PLAIN, MONTH)
    line = line_of(rows, day)
    newest_first = rows[::-1]
    other = dict(newest_first[line - 2])
    other["close"] = str(float(other["close"]) - 0.01)
    other["low"] = str(min(float(other["low"]), float(other["close"])))
    newest_first.insert(line - 1, other)
    return Injected(
        {f"{PLAIN}.csv.gz": packed(untable(newest_first))},
        subject=PLAIN,
        days=frozenset({day}),
        months=(month_end(day), month_end(day)),
        lines=(line, line + 1),
    )


def _added_day(day: date) -> Callable[[Vendor], Injected]:
    """The row of the trading day before, once more on ``day``."""

    def inject(vendor: Vendor) -> Injected:
        rows = vendor.prices(PLAIN)
        before = [row for row in rows if day_of(row) < day]
        rows.append({**(before or rows)[-1], "timestamp": day.isoformat()})
        return Injected(
            {f"{PLAIN}.csv.gz": price_file(rows)}, subject=PLAIN, lines=(line_of(rows, day),)
        )

    return inject


def _ragged(vendor: Vendor) -> Injected:
    rows, day = vendor.prices(PLAIN), vendor.quiet_day(PLAIN, MONTH)
    line = line_of(rows, day)
    lines = vendor.price_text(PLAIN).splitlines()
    lines[line - 1] = ",".join(lines[line - 1].split(",")[:5])
    return Injected(
        {f"{PLAIN}.csv.gz": packed("\n".join(lines) + "\n")},
        subject=PLAIN,
        days=frozenset({day}),
        months=(month_end(day), month_end(day)),
        lines=(line,),
    )


def _rejected_rows(
    name: str,
    what: str,
    data_set: str,
    rule: str,
    inject: Callable[[Vendor], Injected],
    outcome: str = _ADDED_REJECTED,
    **more: frozenset[str],
) -> Fault:
    return Fault(name, what, data_set, rule, "quarantine", outcome, inject, **more)


def _extra_statement(**values: str) -> Callable[[Vendor], Injected]:
    """A cash-flow row of a further year, with ``values`` in place of good ones."""

    def inject(vendor: Vendor) -> Injected:
        rows = vendor.statements("cashflow")
        own = [row for row in rows if row["Ticker"] == PLAIN]
        rows.append({**own[0], "Fiscal Year": "1999", "Report Date": "1999-12-31"} | values)
        return Injected(
            {"us-cashflow-annual.zip": statement_file("cashflow", rows)},
            subject=PLAIN,
            lines=(len(rows) + 1,),
        )

    return inject


def _repeated_statement(vendor: Vendor) -> Injected:
    rows = vendor.statements("cashflow")
    at = next(i for i, row in enumerate(rows) if row["Ticker"] == PLAIN)
    rows.insert(at, dict(rows[at]))
    return Injected(
        {"us-cashflow-annual.zip": statement_file("cashflow", rows)}, subject=PLAIN, lines=(at + 3,)
    )


def _contradicting_statement(vendor: Vendor) -> Injected:
    rows = vendor.statements("cashflow")
    at = next(i for i, row in enumerate(rows) if row["Ticker"] == PLAIN)
    other = dict(rows[at])
    other["Dividends Paid"] = str(2 * int(other["Dividends Paid"]))
    rows.insert(at, other)
    return Injected(
        {"us-cashflow-annual.zip": statement_file("cashflow", rows)},
        subject=PLAIN,
        days=frozenset({date.fromisoformat(other["Report Date"])}),
        lines=(at + 2, at + 3),
    )


def _members(edit: Callable[[list[Row]], tuple[int, ...]]) -> Callable[[Vendor], Injected]:
    def inject(vendor: Vendor) -> Injected:
        rows = table(vendor.content("membership", "").decode())
        lines = edit(rows)
        return Injected(
            {"ticker_start_end.csv": untable(rows).encode()}, subject=PLAIN, lines=lines
        )

    return inject


def _backwards_spell(rows: list[Row]) -> tuple[int, ...]:
    rows.append({"ticker": "AJHC", "start_date": "2006-07-03", "end_date": "2006-01-03"})
    return (len(rows) + 1,)


def _twice_the_same_spell(rows: list[Row]) -> tuple[int, ...]:
    rows.append(dict(rows[0]))
    return (len(rows) + 1,)


def _spell_without_start(rows: list[Row]) -> tuple[int, ...]:
    rows.append({"ticker": "AJHC", "start_date": "", "end_date": "2006-01-03"})
    return (len(rows) + 1,)


def _two_ends(vendor: Vendor) -> Injected:
    return _second_spell(vendor, {"end_date": "2006-06-01"})


def _overlapping_spells(vendor: Vendor) -> Injected:
    return _second_spell(vendor, {"start_date": "2006-03-01", "end_date": "2006-06-01"})


def _second_spell(vendor: Vendor, other: Row) -> Injected:
    """One more spell of a member, as the one it has but for ``other``."""
    rows = table(vendor.content("membership", "").decode())
    at = next(i for i, row in enumerate(rows) if row["ticker"] == PLAIN)
    rows.append({**rows[at], **other})
    first = date.fromisoformat(rows[at]["start_date"])
    return Injected(
        {"ticker_start_end.csv": untable(rows).encode()},
        subject=PLAIN,
        days=frozenset({first}),
        months=(date(2004, 1, 31), date(2008, 12, 31)),
        lines=(at + 2, len(rows) + 1),
    )


def _level(**values: str) -> Callable[[Vendor], Injected]:
    def inject(vendor: Vendor) -> Injected:
        rows = table(vendor.content("benchmark", f"{BENCHMARK}.csv").decode())
        rows[600] |= values
        return Injected(
            {f"{BENCHMARK}.csv": untable(rows).encode()},
            subject=BENCHMARK,
            days=frozenset({date.fromisoformat(rows[600]["Date"])}),
            lines=(602,),
        )

    return inject


_MOMENTUM = f"{EDITION}/F-F_Momentum_Factor_CSV.zip"


def _library(
    edit: Callable[[list[str], int], tuple[int, ...]], *, lost: bool
) -> Callable[[Vendor], Injected]:
    """Edit the lines of the momentum factor's file at its row of May 2006, which is lost or not."""

    def inject(vendor: Vendor) -> Injected:
        lines = member(vendor.content("library", _MOMENTUM)).split("\r\n")
        at = next(i for i, line in enumerate(lines) if line.startswith("200605,"))
        hit = edit(lines, at)
        return Injected(
            {_MOMENTUM: zipped(("F-F_Momentum_Factor.csv", "\r\n".join(lines)))},
            subject="F-F_Momentum_Factor",
            days=frozenset({date(2006, 5, 31)} if lost else ()),
            lines=hit,
        )

    return inject


def _word_for_number(lines: list[str], at: int) -> tuple[int, ...]:
    lines[at] = "200605,    n/a"
    return (at + 1,)


def _one_value_too_many(lines: list[str], at: int) -> tuple[int, ...]:
    lines[at] += ",    1.0000"
    return (at + 1,)


def _month_13(lines: list[str], at: int) -> tuple[int, ...]:
    lines[at] = lines[at].replace("200605", "200613")
    return (at + 1,)


def _two_values_of_a_month(lines: list[str], at: int) -> tuple[int, ...]:
    lines.insert(at + 1, "200605,    9.9999")
    return (at + 1, at + 2)


def _beyond_the_vintage(lines: list[str], at: int) -> tuple[int, ...]:
    last = max(i for i, line in enumerate(lines) if i > at and line.startswith("2008"))
    lines.insert(last + 1, "200901,    1.0000")
    return (last + 2,)


def _series(edit: Callable[[list[Row]], tuple[date | None, int]]) -> Callable[[Vendor], Injected]:
    def inject(vendor: Vendor) -> Injected:
        rows = table(vendor.content("macro", "INDPRO.csv").decode())
        day, line = edit(rows)
        return Injected(
            {"INDPRO.csv": untable(rows).encode()},
            subject="INDPRO",
            days=frozenset({day} if day else ()),
            lines=(line,),
        )

    return inject


def _no_number(rows: list[Row]) -> tuple[date | None, int]:
    rows[20]["value"] = "#N/A"
    return date.fromisoformat(rows[20]["date"]), 22


def _observed_twice(rows: list[Row]) -> tuple[date | None, int]:
    rows.insert(20, dict(rows[20]))
    return None, 23


def _company_without_symbol(vendor: Vendor) -> Injected:
    rows = table(vendor.content("listing", "").decode())
    rows.append({**rows[0], "Symbol": ""})
    return Injected({"constituents.csv": untable(rows).encode()}, lines=(len(rows) + 1,))


def _symbol_twice(vendor: Vendor) -> Injected:
    rows = table(vendor.content("listing", "").decode())
    rows.append(dict(rows[0]))
    return Injected(
        {"constituents.csv": untable(rows).encode()},
        subject=rows[0]["Symbol"],
        lines=(len(rows) + 1,),
    )


_SATURDAY = date(2006, 5, 20)

BAD_ROWS = (
    _spoilt("negative_price", "A close below 0.", "negative_price", _setting(close="-1.0")),
    _spoilt("zero_close", "A close of 0.", "zero_close", _setting(close="0")),
    _spoilt("high_below_low", "High and low are swapped.", "high_below_low", _crossed),
    _spoilt(
        "close_outside_range",
        "A close of twice the day's high.",
        "close_outside_range",
        _doubled_close,
    ),
    _spoilt("missing_close", "The close is empty.", "missing_close", _setting(close="")),
    _spoilt("missing_date", "The day is empty.", "missing_timestamp", _setting(timestamp="")),
    _spoilt(
        "missing_dividend",
        "The dividend is empty, where 0 says that there is none.",
        "missing_dividend_amount",
        _setting(dividend_amount=""),
    ),
    _spoilt(
        "missing_split",
        "The split factor is empty, where 1 says that there is none.",
        "missing_split_coefficient",
        _setting(split_coefficient=""),
    ),
    _spoilt("close_is_a_word", "N/A in place of a close.", "not_a_number", _setting(close="N/A")),
    _spoilt("close_is_nan", "nan in place of a close.", "not_a_number", _setting(close="nan")),
    _spoilt("infinite_volume", "inf in place of a volume.", "not_a_number", _setting(volume="inf")),
    _spoilt(
        "american_date", "A day written 05/17/2006.", "not_a_date", _setting(timestamp="05/17/2006")
    ),
    _spoilt("negative_volume", "A volume below 0.", "negative_volume", _setting(volume="-100")),
    _spoilt(
        "negative_dividend",
        "A dividend below 0.",
        "negative_dividend",
        _setting(dividend_amount="-0.5"),
    ),
    _spoilt(
        "split_of_zero",
        "A split factor of 0.",
        "split_not_positive",
        _setting(split_coefficient="0"),
    ),
    Fault(
        "short_row",
        "A row that breaks off after five fields.",
        "prices",
        "ragged_row",
        "quarantine",
        _REJECTED,
        _ragged,
        alters=_LOST_DAY,
        also=frozenset({"missing_day"}),
    ),
    Fault(
        "conflicting_day",
        "Two rows of one day with different closes.",
        "prices",
        "conflicting_day",
        "quarantine",
        "Both rows stay out; the month is compounded over the days around them.",
        _conflicting_day,
        alters=_LOST_DAY,
        also=frozenset({"missing_day"}),
    ),
    _rejected_rows(
        "duplicate_day", "The same row twice.", "prices", "duplicate_day", _duplicate_day
    ),
    _rejected_rows("weekend", "A row on a Saturday.", "prices", "weekend", _added_day(_SATURDAY)),
    _rejected_rows(
        "before_1900", "A row of 1899.", "prices", "before_1900", _added_day(date(1899, 12, 29))
    ),
    _rejected_rows(
        "foreign_currency",
        "A statement in euros.",
        "fundamentals",
        "foreign_currency",
        _extra_statement(Currency="EUR"),
    ),
    _rejected_rows(
        "quarterly_statement",
        "A quarter among whole years.",
        "fundamentals",
        "not_annual",
        _extra_statement(**{"Fiscal Period": "Q2"}),
    ),
    _rejected_rows(
        "negative_shares",
        "A share count below 0.",
        "fundamentals",
        "negative_shares",
        _extra_statement(**{"Shares (Basic)": "-1000"}),
    ),
    _rejected_rows(
        "filing_of_tomorrow",
        "A statement published after the download.",
        "fundamentals",
        "dated_after_download",
        _extra_statement(**{"Publish Date": "2009-03-01", "Restated Date": "2009-03-01"}),
    ),
    _rejected_rows(
        "fiscal_year_of_two_digits",
        "A fiscal year written 99.",
        "fundamentals",
        "not_a_year",
        _extra_statement(**{"Fiscal Year": "99"}),
    ),
    *(
        _rejected_rows(
            f"statement_without_{rule}",
            f"A statement without {column}.",
            "fundamentals",
            f"missing_{rule}",
            _extra_statement(**{column: ""}),
        )
        for rule, column in (
            ("ticker", "Ticker"),
            ("simfinid", "SimFinId"),
            ("currency", "Currency"),
            ("report_date", "Report Date"),
        )
    ),
    _rejected_rows(
        "duplicate_filing",
        "The same statement twice.",
        "fundamentals",
        "duplicate_filing",
        _repeated_statement,
    ),
    _rejected_rows(
        "conflicting_filing",
        "Two statements of one filing with different figures.",
        "fundamentals",
        "conflicting_filing",
        _contradicting_statement,
        "Both rows stay out; the fiscal year has no such statement.",
        also=frozenset({"statement_missing"}),
    ),
    _rejected_rows(
        "spell_ends_before_it_starts",
        "A membership that ends before it starts.",
        "membership",
        "end_before_start",
        _members(_backwards_spell),
    ),
    _rejected_rows(
        "duplicate_spell",
        "The same membership twice.",
        "membership",
        "duplicate_spell",
        _members(_twice_the_same_spell),
    ),
    _rejected_rows(
        "conflicting_spells",
        "Two memberships of one ticker from one day on with different ends.",
        "membership",
        "conflicting_spell",
        _two_ends,
        "Both spells stay out: the stock is no member, and loses no number.",
        alters=frozenset({"index_member"}),
    ),
    _rejected_rows(
        "spell_without_start",
        "A membership without its first day.",
        "membership",
        "missing_start_date",
        _members(_spell_without_start),
    ),
    _rejected_rows(
        "overlapping_spells",
        "A membership within another one of the same ticker.",
        "membership",
        "overlapping_spell",
        _overlapping_spells,
        "Both spells stay out: the stock is no member, and loses no number.",
        alters=frozenset({"index_member"}),
    ),
    _rejected_rows(
        "benchmark_of_zero",
        "A level of 0.",
        "benchmark",
        "price_not_positive",
        _level(**{"Adj Close": "0"}),
        "The row stays out; the month is measured by its last day.",
    ),
    _rejected_rows(
        "benchmark_of_null",
        "The word null in place of a level.",
        "benchmark",
        "null_price",
        _level(**{"Close": "null", "Adj Close": "null"}),
        "The row stays out; the month is measured by its last day.",
    ),
    _rejected_rows(
        "benchmark_without_level",
        "The adjusted close is empty.",
        "benchmark",
        "missing_adj_close",
        _level(**{"Adj Close": ""}),
        "The row stays out; the month is measured by its last day.",
    ),
    _rejected_rows(
        "library_row_of_three",
        "A row of the library with one value too many.",
        "library",
        "field_count",
        _library(_one_value_too_many, lost=True),
        "The month of the file stays out.",
        also=frozenset({"library_month_missing"}),
    ),
    _rejected_rows(
        "library_word_for_number",
        "n/a in place of a return of the library.",
        "library",
        "bad_number",
        _library(_word_for_number, lost=True),
        "The month of the file stays out.",
        also=frozenset({"library_month_missing"}),
    ),
    _rejected_rows(
        "library_month_13",
        "A month 200613 in the library.",
        "library",
        "bad_date",
        _library(_month_13, lost=True),
        "The month of the file stays out.",
        also=frozenset({"library_month_missing"}),
    ),
    _rejected_rows(
        "library_month_twice",
        "Two different returns of one month in the library.",
        "library",
        "conflicting_date",
        _library(_two_values_of_a_month, lost=True),
        "Both rows stay out, and with them the month.",
        also=frozenset({"library_month_missing"}),
    ),
    _rejected_rows(
        "library_beyond_its_edition",
        "A month after the edition of the file.",
        "library",
        "date_after_vintage",
        _library(_beyond_the_vintage, lost=False),
    ),
    _rejected_rows(
        "macro_word_for_number",
        "#N/A in place of an observation.",
        "macro",
        "not_a_number",
        _series(_no_number),
        "The observation stays out.",
        also=frozenset({"macro_gap"}),
    ),
    _rejected_rows(
        "macro_twice",
        "The same observation twice.",
        "macro",
        "duplicate_date",
        _series(_observed_twice),
    ),
    _rejected_rows(
        "company_without_symbol",
        "A company without a symbol.",
        "listing",
        "missing_symbol",
        _company_without_symbol,
    ),
    _rejected_rows(
        "symbol_twice", "The same company twice.", "listing", "duplicate_symbol", _symbol_twice
    ),
)
