"""Annual statements that can be true and are not."""

from collections.abc import Callable, Iterable
from datetime import date

from tests.faults.fault import Fault, Injected
from tests.faults.vendor import PLAIN, SPLIT, Row, Vendor, statement_file

_YEAR = date(2006, 8, 31)
_AND_BACK = (_YEAR, date(2007, 8, 31))
_IN_FORCE = (date(2006, 10, 31), date(2007, 9, 30))
_NO_PRICES = "DXAW"
_ALL = ("balance", "cashflow", "income")
_SIZE = frozenset({"shares", "market_equity", "firm_market_equity"})
_NAMES = ("Ticker", "SimFinId", "Currency", "Fiscal Year", "Fiscal Period", "Shares (Basic)")
_DATES = ("Report Date", "Publish Date", "Restated Date")

Change = Callable[[list[Row], int], None]
"""Changes the rows of a statement; the number is that of the firm's row of the year."""


def _at(
    change: Change,
    statements: Iterable[str] = ("balance",),
    months: tuple[date, date] | None = None,
    *,
    ticker: str = PLAIN,
    year: date = _YEAR,
    flagged: tuple[date, ...] | None = None,
    days: Iterable[date] | None = None,
) -> Callable[[Vendor], Injected]:
    """Change the year's row of the firm in each of ``statements``."""

    def inject(vendor: Vendor) -> Injected:
        files: dict[str, bytes | None] = {}
        for statement in statements:
            rows = vendor.statements(statement)
            at = next(
                i
                for i, row in enumerate(rows)
                if (row["Ticker"], row["Report Date"]) == (ticker, year.isoformat())
            )
            change(rows, at)
            files[f"us-{statement}-annual.zip"] = statement_file(statement, rows)
        return Injected(
            files,
            subject=ticker,
            flagged=(year,) if flagged is None else flagged,
            days=frozenset((year,) if days is None else days),
            months=months,
        )

    return inject


def _shares_times(factor: float) -> Change:
    def change(rows: list[Row], at: int) -> None:
        rows[at]["Shares (Basic)"] = str(round(int(rows[at]["Shares (Basic)"]) * factor))

    return change


def _negative_equity(rows: list[Row], at: int) -> None:
    row = rows[at]
    assets, equity = int(row["Total Assets"]), int(row["Total Equity"])
    row["Total Equity"], row["Total Liabilities"] = str(-equity), str(assets + equity)


def _published(day: str) -> Change:
    return lambda rows, at: rows[at].update({"Publish Date": day, "Restated Date": day})


def _amended(rows: list[Row], at: int) -> None:
    later = {"Publish Date": "2007-03-15", "Restated Date": "2007-03-15"}
    revenue = round(0.9 * int(rows[at]["Revenue"]))
    rows.insert(at + 1, {**rows[at], **later, "Revenue": str(revenue)})


def _assets_too_large(rows: list[Row], at: int) -> None:
    rows[at]["Total Assets"] = str(round(1.2 * int(rows[at]["Total Assets"])))


def _in_thousands(rows: list[Row], at: int) -> None:
    for name in _figures(rows[at]):
        rows[at][name] = str(round(int(rows[at][name]) / 1000))


def _as_the_year_before(rows: list[Row], at: int) -> None:
    rows[at].update({name: rows[at - 1][name] for name in _figures(rows[at])})


def _figures(row: Row) -> list[str]:
    return [name for name in row if name not in {*_NAMES, *_DATES}]


def _left_out(rows: list[Row], at: int) -> None:
    del rows[at]


def _negative_revenue(rows: list[Row], at: int) -> None:
    rows[at]["Revenue"] = str(-int(rows[at]["Revenue"]))


def _ended_early(rows: list[Row], at: int) -> None:
    rows[at]["Report Date"] = "2006-03-31"


def _filer_without_prices(rows: list[Row], at: int) -> None:
    rows.append({**rows[at], "Ticker": _NO_PRICES, "SimFinId": "F9999999"})


def _firm_without_prices(vendor: Vendor) -> Injected:
    inject = _at(_filer_without_prices, _ALL)
    injected = inject(vendor)
    return Injected(injected.files, subject=_NO_PRICES, flagged=(_YEAR,), days=frozenset({_YEAR}))


def _flagged(
    name: str,
    what: str,
    rule: str,
    inject: Callable[[Vendor], Injected],
    outcome: str,
    alters: Iterable[str] = (),
    also: Iterable[str] = (),
) -> Fault:
    return Fault(
        name,
        what,
        "fundamentals",
        rule,
        "flag",
        outcome,
        inject,
        alters=frozenset(alters),
        also=frozenset(also),
    )


_UNTIL_NEXT = "until the next filing"
_NO_ROW = "Kept: no row of the panel changes; signals of the statement do from its filing on."

BAD_STATEMENTS = (
    _flagged(
        "shares_times_thousand",
        "A share count a thousand times too large.",
        "shares_power_of_ten",
        _at(_shares_times(1000), months=_IN_FORCE, flagged=_AND_BACK),
        f"Kept: shares and market equity are a thousand times too large {_UNTIL_NEXT}.",
        _SIZE,
        also={"market_equity_share", "market_equity_jump", "total_market_equity_jump"},
    ),
    _flagged(
        "shares_times_ten",
        "A share count ten times too large.",
        "shares_power_of_ten",
        _at(_shares_times(10), months=_IN_FORCE, flagged=_AND_BACK),
        f"Kept: shares and market equity are ten times too large {_UNTIL_NEXT}.",
        _SIZE,
        also={"market_equity_jump"},
    ),
    _flagged(
        "shares_before_the_split",
        "A share count that is not restated for a split of three for one, as all others are.",
        "shares_off_by_split",
        _at(
            _shares_times(1 / 3),
            months=(date(2007, 2, 28), date(2008, 1, 31)),
            ticker=SPLIT,
            year=date(2006, 12, 31),
            flagged=(date(2006, 12, 31), date(2007, 12, 31)),
        ),
        f"Kept: shares and market equity are a third {_UNTIL_NEXT}.",
        _SIZE,
        also={"market_equity_jump", "shares_jump"},
    ),
    _flagged(
        "shares_jump",
        "A share count 2.7 times as large as the year before and the year after.",
        "shares_jump",
        _at(_shares_times(2.7), months=_IN_FORCE, flagged=_AND_BACK),
        f"Kept: shares and market equity are 2.7 times as large {_UNTIL_NEXT}.",
        _SIZE,
        also={"market_equity_jump"},
    ),
    _flagged(
        "negative_equity",
        "Liabilities above total assets.",
        "negative_equity",
        _at(_negative_equity),
        "Kept: no book-to-market from its filing on.",
    ),
    _flagged(
        "filed_on_the_last_day_of_the_year",
        "The vendor writes the period's end as the day of publication, as it knows none.",
        "filing_date_unknown",
        _at(_published(_YEAR.isoformat()), months=(date(2006, 10, 31), date(2006, 12, 31))),
        "The day counts as unknown: the statement is used from four months after the period on.",
        _SIZE,
    ),
    _flagged(
        "filed_late",
        "Published 400 days after the period's end.",
        "filed_late",
        _at(_published("2007-10-05"), months=_IN_FORCE),
        "Kept: the year's figures are used from that day on, those of the year before till then, "
        "or none once these are too old.",
        _SIZE,
    ),
    _flagged(
        "amended_filing",
        "The year is filed again, with less revenue.",
        "amended_filing",
        _at(_amended, ("income",)),
        "Both stay: the amended figures count from their own day on.",
    ),
    _flagged(
        "balance_does_not_add_up",
        "Total assets a fifth above liabilities and equity.",
        "balance_does_not_add_up",
        _at(_assets_too_large),
        _NO_ROW,
    ),
    _flagged(
        "figures_in_thousands",
        "The income statement of one year is in thousands, those around it in dollars.",
        "figures_power_of_thousand",
        _at(_in_thousands, ("income",), flagged=_AND_BACK),
        _NO_ROW,
    ),
    _flagged(
        "repeated_year",
        "The income statement repeats the figures of the year before.",
        "repeated_figures",
        _at(_as_the_year_before, ("income",)),
        _NO_ROW,
    ),
    _flagged(
        "missing_fiscal_year",
        "All statements of one year are left out.",
        "missing_fiscal_year",
        _at(_left_out, _ALL, _IN_FORCE, flagged=_AND_BACK[1:]),
        "The figures of the year before stay in use until they are too old, then there are none.",
        _SIZE,
    ),
    _flagged(
        "short_fiscal_year",
        "A fiscal year that ends after seven months.",
        "short_fiscal_year",
        _at(
            _ended_early,
            _ALL,
            flagged=(date(2006, 3, 31),),
            days=(_YEAR, date(2006, 3, 31)),
        ),
        _NO_ROW,
        also={"missing_fiscal_year"},
    ),
    _flagged(
        "negative_revenue",
        "Revenue below 0.",
        "negative_revenue",
        _at(_negative_revenue, ("income",)),
        _NO_ROW,
    ),
    _flagged(
        "statement_missing",
        "The cash-flow statement of one year is left out.",
        "statement_missing",
        _at(_left_out, ("cashflow",)),
        _NO_ROW,
    ),
    _flagged(
        "filer_without_prices",
        "Statements of a member of the index of which there are no prices.",
        "no_prices_of_filer",
        _firm_without_prices,
        "Kept in the raw table; no other table has it.",
    ),
)
