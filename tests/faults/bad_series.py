"""Series and lists that can be true and are not: library, index, benchmark, macro, listings."""

from collections.abc import Callable, Iterable
from datetime import date

import polars as pl

from factor_pipeline.schemas.raw import DELISTING
from factor_pipeline.sources.alphavantage import AlphaVantageListing
from tests.faults.fault import By, Fault, Injected
from tests.faults.vendor import (
    BENCHMARK,
    EDITION,
    FUND,
    LAST_DAY,
    PLAIN,
    STEADY,
    Row,
    Vendor,
    member,
    month_end,
    table,
    untable,
    zipped,
)

_MOMENTUM = "F-F_Momentum_Factor"
_FACTORS = "F-F_Research_Data_Factors"
_MAY = date(2006, 5, 31)
_LAST_MONTH = month_end(LAST_DAY)


def _fault(
    name: str,
    what: str,
    data_set: str,
    rule: str,
    inject: Callable[[Vendor], Injected],
    outcome: str,
    *,
    by: By = "flag",
    alters: Iterable[str] = (),
    also: Iterable[str] = (),
) -> Fault:
    return Fault(
        name,
        what,
        data_set,
        rule,
        by,
        outcome,
        inject,
        alters=frozenset(alters),
        also=frozenset(also),
    )


def _library(
    data_set: str,
    edit: Callable[[list[str], list[int]], list[int]],
    *,
    since: str = "200605",
    until: str = "200605",
    edition: str = EDITION,
    flagged: Iterable[date] | None = None,
) -> Callable[[Vendor], Injected]:
    """Edit the lines of the months or days ``since`` to ``until``; it gives those it changed."""

    def inject(vendor: Vendor) -> Injected:
        name = f"{edition}/{data_set}_CSV.zip"
        lines = member(vendor.content("library", name)).split("\r\n")
        hit = [
            i
            for i, line in enumerate(lines)
            if line[: len(since)].isdigit() and since <= line.partition(",")[0] <= until
        ]
        days = frozenset(_day(lines[i].partition(",")[0]) for i in edit(lines, hit))
        return Injected(
            {name: zipped((f"{data_set}.csv", "\r\n".join(lines)))},
            subject=data_set,
            called=f"library/{name}",
            flagged=tuple(sorted(days if flagged is None else flagged)),
            days=days,
        )

    return inject


def _day(text: str) -> date:
    if len(text) == len("200605"):
        return month_end(date(int(text[:4]), int(text[4:]), 1))
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _values(line: str) -> list[float]:
    return [float(value) for value in line.split(",")[1:]]


def _line(key: str, values: Iterable[float]) -> str:
    return ",".join([key, *(f"{value:10.4f}" for value in values)])


def _rewritten(change: Callable[[list[str], int], list[float]]) -> Callable[..., list[int]]:
    def edit(lines: list[str], hit: list[int]) -> list[int]:
        for i in hit:
            lines[i] = _line(lines[i].partition(",")[0], change(lines, i))
        return hit

    return edit


def _missing_month(vendor: Vendor) -> Injected:
    name = f"{EDITION}/{_MOMENTUM}_CSV.zip"
    lines = member(vendor.content("library", name)).split("\r\n")
    kept = [line for line in lines if not line.startswith("200605,")]
    return Injected(
        {name: zipped((f"{_MOMENTUM}.csv", "\r\n".join(kept)))},
        subject=_MOMENTUM,
        called=f"library/{name}",
        flagged=(_MAY,),
        days=frozenset({_MAY}),
    )


def _levels(
    edit: Callable[[list[Row]], tuple[list[int], list[int]]],
    data_set: str = "benchmark",
    symbol: str = BENCHMARK,
) -> Callable[[Vendor], Injected]:
    """Edit the levels; ``edit`` gives the rows it changed and those to be flagged."""

    def inject(vendor: Vendor) -> Injected:
        rows = table(vendor.content(data_set, f"{symbol}.csv").decode())
        days = [date.fromisoformat(row["Date"]) for row in rows]
        changed, flagged = edit(rows)
        return Injected(
            {f"{symbol}.csv": untable([row for row in rows if row["Close"]]).encode()},
            subject=symbol,
            called=f"{data_set}/{symbol}",
            flagged=tuple(days[i] for i in flagged),
            days=frozenset(days[i] for i in changed),
        )

    return inject


def _level(row: Row, factor: float) -> None:
    for name in ("Open", "High", "Low", "Close", "Adj Close"):
        row[name] = f"{factor * float(row[name]):.6f}"


def _level_spike(rows: list[Row]) -> tuple[list[int], list[int]]:
    _level(rows[600], 1.3)
    return [600], [600]


def _level_decimal_shift(rows: list[Row]) -> tuple[list[int], list[int]]:
    for row in rows[600:]:
        _level(row, 0.1)
    return list(range(600, len(rows))), [600]


def _level_gap(rows: list[Row]) -> tuple[list[int], list[int]]:
    for row in rows[600:615]:
        row["Close"] = ""
    return list(range(600, 615)), [600]


def _level_stale(rows: list[Row]) -> tuple[list[int], list[int]]:
    for row in rows[601:615]:
        row.update({**rows[600], "Date": row["Date"]})
    return list(range(601, 615)), [600]


def _level_ends_early(rows: list[Row]) -> tuple[list[int], list[int]]:
    for row in rows[-40:]:
        row["Close"] = ""
    return list(range(len(rows) - 40, len(rows))), [len(rows) - 41]


def _quote_of_the_day(vendor: Vendor) -> Injected:
    """Closes of a fund in whole cents, and a last one that is none."""
    rows = table(vendor.content("etf", f"{FUND}.csv").decode())
    *closes, quote = rows[-5:]
    for row in closes:
        row["Close"] = f"{float(row['Close']):.2f}"
    quote["Close"] = f"{float(quote['Close']):.2f}5"
    funds = len(list(vendor.paths["etf"].iterdir()))
    return Injected(
        {f"{FUND}.csv": untable(rows).encode()},
        subject=FUND,
        called="etf/",
        flagged=(LAST_DAY,) * funds,
        days=frozenset(date.fromisoformat(row["Date"]) for row in rows[-5:]),
    )


def _members(
    edit: Callable[[list[Row]], list[Row]],
    day: date,
    *,
    subject: str = "",
    called: str = "",
    days: Iterable[date] = (),
    months: tuple[date, date] | None = None,
) -> Callable[[Vendor], Injected]:
    def inject(vendor: Vendor) -> Injected:
        rows = edit(table(vendor.content("membership", "").decode()))
        return Injected(
            {"ticker_start_end.csv": untable(rows).encode()},
            subject=subject,
            called=called,
            flagged=(day,),
            days=frozenset(days),
            months=months,
        )

    return inject


_HALVED = date(2006, 7, 3)


def _half_leave(rows: list[Row]) -> list[Row]:
    """Every second founding member that is still there leaves on one day."""
    staying = [r for r in rows if r["start_date"] == "2004-01-02" and not r["end_date"]]
    for row in staying[::2]:
        row["end_date"] = _HALVED.isoformat()
    return rows


def _member_of_the_future(rows: list[Row]) -> list[Row]:
    return [*rows, {"ticker": "AJHC", "start_date": "2030-01-02", "end_date": ""}]


def _series(
    series: str, edit: Callable[[list[Row]], tuple[list[str], list[str]]]
) -> Callable[[Vendor], Injected]:
    """Edit the observations; ``edit`` gives the days it changed and those to be flagged."""

    def inject(vendor: Vendor) -> Injected:
        rows = table(vendor.content("macro", f"{series}.csv").decode())
        changed, flagged = edit(rows)
        return Injected(
            {f"{series}.csv": untable(rows).encode()},
            subject=series,
            flagged=tuple(map(date.fromisoformat, flagged)),
            days=frozenset(map(date.fromisoformat, changed)),
        )

    return inject


def _macro_constant(rows: list[Row]) -> tuple[list[str], list[str]]:
    for row in rows[1:25]:
        row["value"] = rows[0]["value"]
    return [row["date"] for row in rows[1:25]], [rows[0]["date"]]


def _macro_gap(rows: list[Row]) -> tuple[list[str], list[str]]:
    lost = [row["date"] for row in rows[20:23]]
    del rows[20:23]
    return lost, lost[:1]


def _macro_jump(rows: list[Row]) -> tuple[list[str], list[str]]:
    for row in rows[30:]:
        row["value"] = f"{10 * float(row['value']):.4f}"
    return [row["date"] for row in rows[30:]], [rows[30]["date"]]


def _macro_future(rows: list[Row]) -> tuple[list[str], list[str]]:
    rows.append({**rows[-1], "date": "2030-01-01"})
    return ["2030-01-01"], ["2030-01-01"]


def _macro_blank(rows: list[Row]) -> tuple[list[str], list[str]]:
    rows[20]["value"] = ""
    return [rows[20]["date"]], [rows[20]["date"]]


def _listed(**second: object) -> Callable[[Vendor], Injected]:
    """The listing with one more spell of a stock."""

    def inject(vendor: Vendor) -> Injected:
        source = AlphaVantageListing(vendor.paths["listing"])
        (file,) = source.files()
        clean = source.parse(file, file.read()).frame
        own = clean.row(by_predicate=pl.col("vendor_id") == STEADY, named=True)
        spell = pl.DataFrame([{**own, **second}], schema=clean.schema)
        day = spell["valid_from"].item()
        return Injected(
            rows=pl.concat([clean, spell]),
            subject=STEADY,
            flagged=(day,),
            days=frozenset({day}),
        )

    return inject


def _delisted(
    vendor_id: str, flagged: date, months: tuple[date, date] | None
) -> Callable[[Vendor], Injected]:
    row = {
        "vendor_id": vendor_id,
        "date": _MAY,
        "reason": "performance",
        "delisting_return": -0.5,
    }
    columns = {name: DELISTING.polars_schema[name] for name in row}

    def inject(_: Vendor) -> Injected:
        return Injected(
            rows=pl.DataFrame([row], schema=columns),
            subject=vendor_id,
            flagged=(flagged,),
            days=frozenset({_MAY}),
            months=months,
        )

    return inject


_OWN_MONTH = "Kept: the library's factor has the figure of that month as it is."
_LEVELS = "Kept: the benchmark's returns are those of the file."
_OBSERVED = "Kept: regimes are told from it."

BAD_SERIES = (
    _fault(
        "library_month_missing",
        "A month is left out of a file of the library.",
        "library",
        "library_month_missing",
        _missing_month,
        "The factor has no return in that month; none is made up.",
    ),
    _fault(
        "library_missing_code",
        "A missing code, -99.99, in the midst of a series.",
        "library",
        "library_missing_code",
        _library(_MOMENTUM, _rewritten(lambda *_: [-99.99])),
        "NULL, never a return of -99.99 %.",
    ),
    _fault(
        "library_in_decimals",
        "A file of the library in decimals, where percent are expected.",
        "library",
        "library_off_scale",
        _library(
            _MOMENTUM,
            _rewritten(lambda lines, i: [value / 100 for value in _values(lines[i])]),
            since="200401",
            until="200812",
            flagged=[date(year, 12, 31) for year in range(2004, 2009)],
        ),
        "Kept: the factor's returns are a hundredth.",
    ),
    _fault(
        "library_days_against_months",
        "Five points are added to one day of the daily factors.",
        "library",
        "library_days_against_months",
        _library(
            f"{_FACTORS}_daily",
            _rewritten(lambda lines, i: [value + 5 for value in _values(lines[i])]),
            since="20060517",
            until="20060517",
            flagged=[_MAY],
        ),
        "Kept: monthly factors are not made from daily ones.",
    ),
    _fault(
        "library_repeated_values",
        "A month of the library repeats the figures of the month before.",
        "library",
        "library_repeated_values",
        _library(_FACTORS, _rewritten(lambda lines, i: _values(lines[i - 1]))),
        _OWN_MONTH,
        also={"library_days_against_months"},
    ),
    _fault(
        "revised_edition",
        "An old edition has another figure than the one in use.",
        "library",
        "",
        _library(
            _MOMENTUM,
            _rewritten(lambda lines, i: [value + 0.05 for value in _values(lines[i])]),
            edition="200712",
            flagged=(),
        ),
        "Kept apart: editions never mix, and results are of the one in use.",
        by="nothing",
    ),
    _fault(
        "half_the_members_gone",
        "Half of the founding members leave the index on one day.",
        "membership",
        "member_count_jump",
        _members(
            _half_leave,
            _HALVED,
            called="members",
            days=[date(2004, 1, 2)],
            months=(month_end(_HALVED), _LAST_MONTH),
        ),
        "Kept: strategies within the index have fewer stocks to choose from.",
        alters={"index_member"},
    ),
    _fault(
        "future_spell",
        "A membership that starts in 2030.",
        "membership",
        "future_spell",
        _members(
            _member_of_the_future,
            date(2030, 1, 2),
            subject="AJHC",
            days=[date(2030, 1, 2)],
        ),
        "Kept: no month of the warehouse has it.",
    ),
    _fault(
        "benchmark_spike",
        "A level 30 % too high on one day.",
        "benchmark",
        "level_spike_reversal",
        _levels(_level_spike),
        _LEVELS,
    ),
    _fault(
        "benchmark_decimal_shift",
        "The decimal point one place to the left from a day on.",
        "benchmark",
        "level_decimal_shift",
        _levels(_level_decimal_shift),
        _LEVELS,
        also={"benchmark_leaves_market"},
    ),
    _fault(
        "benchmark_gap",
        "Fifteen trading days are left out.",
        "benchmark",
        "level_gap",
        _levels(_level_gap),
        _LEVELS,
    ),
    _fault(
        "benchmark_stale",
        "Fifteen trading days with the same level.",
        "benchmark",
        "level_stale",
        _levels(_level_stale),
        _LEVELS,
    ),
    _fault(
        "benchmark_ends_early",
        "The last forty trading days are left out.",
        "benchmark",
        "level_ends_early",
        _levels(_level_ends_early),
        "Strategies are compared with it as far as it goes.",
    ),
    _fault(
        "fund_quoted_during_the_day",
        "The last level of a fund is in fractions of a cent, those before in whole ones.",
        "etf",
        "level_partial_last_bar",
        _quote_of_the_day,
        "Kept; so are the last levels of the other funds, which were fetched with it.",
    ),
    _fault(
        "macro_constant",
        "Two years of one value: a series filled up backwards.",
        "macro",
        "macro_constant",
        _series("INDPRO", _macro_constant),
        _OBSERVED,
        also={"macro_jump"},
    ),
    _fault(
        "macro_gap",
        "Three months are left out.",
        "macro",
        "macro_gap",
        _series("INDPRO", _macro_gap),
        "The months carry the observation before them on, and say so.",
    ),
    _fault(
        "macro_blank",
        "A blank in place of an observation, the vendor's way to say that there is none.",
        "macro",
        "macro_gap",
        _series("CPIAUCSL", _macro_blank),
        "The month carries the observation before it on, and says so.",
    ),
    _fault(
        "macro_jump",
        "A series ten times as large from a month on.",
        "macro",
        "macro_jump",
        _series("INDPRO", _macro_jump),
        _OBSERVED,
    ),
    _fault(
        "macro_of_the_future",
        "An observation of 2030.",
        "macro",
        "macro_future_date",
        _series("INDPRO", _macro_future),
        "Kept: no month of the warehouse has it.",
        also={"macro_gap"},
    ),
    _fault(
        "ticker_of_two",
        "The listing gives a stock the ticker of another one.",
        "listing",
        "ticker_of_two_securities",
        _listed(ticker=PLAIN, valid_from=date(2006, 1, 3)),
        "Kept: tickers of the panel are those of the prices.",
        also={"listing_spell_overlap"},
    ),
    _fault(
        "overlapping_listing",
        "The listing gives a stock two tickers at a time.",
        "listing",
        "listing_spell_overlap",
        _listed(ticker="ZZZZ", valid_from=date(2006, 1, 3), valid_to=date(2006, 12, 29)),
        "Kept: tickers of the panel are those of the prices.",
    ),
    _fault(
        "prices_after_delisting",
        "A delisting of a stock that trades for years after it.",
        "delisting",
        "prices_after_delisting",
        _delisted(STEADY, date(2006, 6, 1), (_MAY, _MAY)),
        "Kept: the delisting return enters the month's return, and prices go on.",
        alters={"ret", "delisting_return"},
    ),
    _fault(
        "delisting_without_prices",
        "A delisting of a stock of which there are no prices.",
        "delisting",
        "delisting_without_prices",
        _delisted("ZZZZ", _MAY, None),
        "Kept in the raw table; no other table has it.",
    ),
)
