"""Faults that no single row shows: the results computed from all of them do."""

from datetime import date

from tests.faults.fault import Fault, Injected
from tests.faults.vendor import (
    BENCHMARK,
    LAST_DAY,
    Vendor,
    day_of,
    month_end,
    price_file,
    statement_file,
    table,
    untable,
)

_FIRST_MONTH = date(2004, 1, 31)
_LAST_MONTH = month_end(LAST_DAY)
_FAILED = date(2008, 1, 1)
_OLD = date(2006, 12, 1)


def _half_of_the_files_end(vendor: Vendor) -> Injected:
    """Every second firm that reaches the last day has nothing of the last year.

    Only older firms: a file that lost most of its rows would be a bad file.
    """
    names = vendor.tickers
    alone = [name for name in names if "." not in name and f"{name}.B" not in names]
    reaching = [name for name in alone if day_of(vendor.prices(name)[-1]) == LAST_DAY]
    cut = {
        ticker: [row for row in vendor.prices(ticker) if day_of(row) < _FAILED]
        for ticker in reaching[::2]
        if day_of(vendor.prices(ticker)[0]) < _OLD
    }
    return Injected(
        {f"{ticker}.csv.gz": price_file(rows) for ticker, rows in cut.items() if rows},
        called="market",
        flagged=(month_end(_FAILED),),
        days=frozenset(vendor.days(_FAILED, LAST_DAY)),
        months=(month_end(_FAILED), _LAST_MONTH),
    )


def _inverse_benchmark(vendor: Vendor) -> Injected:
    rows = table(vendor.content("benchmark", f"{BENCHMARK}.csv").decode())
    for row in rows[1:]:
        level = f"{1e6 / float(row['Adj Close']):.6f}"
        row.update(dict.fromkeys(("Open", "High", "Low", "Close", "Adj Close"), level))
    return Injected(
        {f"{BENCHMARK}.csv": untable(rows).encode()},
        subject=BENCHMARK,
        called=f"benchmark/{BENCHMARK}",
        flagged=(date(2006, 1, 31),),
        days=frozenset(date.fromisoformat(row["Date"]) for row in rows[1:]),
    )


def _all_shares_in_thousands(vendor: Vendor) -> Injected:
    files: dict[str, bytes | None] = {}
    days = set()
    for statement in ("balance", "cashflow", "income"):
        rows = vendor.statements(statement)
        for row in rows:
            row["Shares (Basic)"] = str(round(int(row["Shares (Basic)"]) / 1000))
        files[f"us-{statement}-annual.zip"] = statement_file(statement, rows)
        days |= {date.fromisoformat(row["Report Date"]) for row in rows}
    return Injected(
        files,
        flagged=(*(date(year, 12, 31) for year in range(2004, 2009)), date(2009, 1, 31)),
        days=frozenset(days),
        months=(_FIRST_MONTH, _LAST_MONTH),
    )


BAD_RESULTS = (
    Fault(
        "half_of_the_stocks_end",
        "Every second price file lacks the last year.",
        "prices",
        "coverage_drop",
        "flag",
        "The months have no row; no return is made up for them.",
        _half_of_the_files_end,
        drops=True,
        also=frozenset(
            {
                "ends_early",
                "distribution_shift",
                "total_market_equity_jump",
                "benchmark_leaves_market",
            }
        ),
    ),
    Fault(
        "inverse_benchmark",
        "The levels of an inverse fund in place of the benchmark's.",
        "benchmark",
        "benchmark_leaves_market",
        "flag",
        "Kept: strategies are compared with it.",
        _inverse_benchmark,
    ),
    Fault(
        "all_shares_in_thousands",
        "The vendor gives all share counts in thousands from now on, in the past too.",
        "fundamentals",
        "distribution_shift",
        "flag",
        "Kept: shares and market equity are a thousandth, in all months.",
        _all_shares_in_thousands,
        alters=frozenset({"shares", "market_equity", "firm_market_equity"}),
        also=frozenset({"book_to_market_extreme"}),
    ),
)
