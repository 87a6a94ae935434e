"""Prices that can be true and are not: they stay, and the rule meant for them flags them."""

from collections.abc import Callable, Iterable
from datetime import date

from tests.faults.fault import Fault, Injected
from tests.faults.vendor import (
    LAST_DAY,
    PLAIN,
    SPLIT,
    SPLIT_DAY,
    STEADY,
    Row,
    Vendor,
    day_of,
    month_end,
    price_file,
    scale,
)

_MONTH = date(2006, 5, 1)
_FIRST_MONTH = date(2004, 1, 31)
_LAST_MONTH = month_end(LAST_DAY)
_QUOTED = ("open", "high", "low", "close")
_SIZE = frozenset({"shares", "market_equity", "firm_market_equity"})
_LEVEL = frozenset({"price", "high", "dollar_volume", "market_equity", "firm_market_equity"})


def _injected(
    vendor: Vendor,
    ticker: str,
    rows: Iterable[Row],
    flagged: tuple[date, ...],
    months: tuple[date, date] | None,
) -> Injected:
    """The file of these rows; what differs from the clean one is compared row by row."""
    after = list(rows)
    old = {tuple(row.items()) for row in vendor.prices(ticker)}
    new = {tuple(row.items()) for row in after}
    days = frozenset(date.fromisoformat(dict(row)["timestamp"]) for row in old ^ new)
    return Injected(
        {f"{ticker}.csv.gz": price_file(after)},
        subject=ticker,
        flagged=flagged,
        days=days,
        months=months,
    )


def _on_a_day(
    change: Callable[[Row], None], ticker: str = STEADY, month: date = _MONTH, *, seen: bool = True
) -> Callable[[Vendor], Injected]:
    """Change the row of a day amid a month."""

    def inject(vendor: Vendor) -> Injected:
        day = vendor.quiet_day(ticker, month)
        rows = vendor.prices(ticker)
        change(_row(rows, day))
        months = (month_end(day), month_end(day)) if seen else None
        return _injected(vendor, ticker, rows, (day,), months)

    return inject


def _row(rows: list[Row], day: date) -> Row:
    return next(row for row in rows if day_of(row) == day)


def _since(rows: list[Row], day: date) -> list[Row]:
    return [row for row in rows if day_of(row) >= day]


def _before(rows: list[Row], day: date) -> list[Row]:
    return [row for row in rows if day_of(row) < day]


def _dividend_on_split_day(vendor: Vendor) -> Injected:
    rows = vendor.prices(SPLIT)
    _row(rows, SPLIT_DAY)["dividend_amount"] = "0.9"
    return _injected(vendor, SPLIT, rows, (SPLIT_DAY,), (month_end(SPLIT_DAY),) * 2)


def _split_without_move(vendor: Vendor) -> Injected:
    day = vendor.quiet_day(PLAIN, _MONTH)
    rows = vendor.prices(PLAIN)
    _row(rows, day)["split_coefficient"] = "2.0"
    return _injected(vendor, PLAIN, rows, (day,), (_FIRST_MONTH, month_end(day)))


def _split_a_day_early(vendor: Vendor) -> Injected:
    rows = vendor.prices(SPLIT)
    early = _before(rows, SPLIT_DAY)[-1]
    booked = _row(rows, SPLIT_DAY)
    early["split_coefficient"], booked["split_coefficient"] = booked["split_coefficient"], "1.0"
    return _injected(vendor, SPLIT, rows, (day_of(early),), (month_end(SPLIT_DAY),) * 2)


def _split_nobody_booked(vendor: Vendor) -> Injected:
    rows = vendor.prices(SPLIT)
    factor = float(_row(rows, SPLIT_DAY)["split_coefficient"])
    _row(rows, SPLIT_DAY)["split_coefficient"] = "1.0"
    for row in _before(rows, SPLIT_DAY):
        scale(row, factor, ["adjusted_close"])
    return _injected(vendor, SPLIT, rows, (SPLIT_DAY,), (_FIRST_MONTH, month_end(SPLIT_DAY)))


def _split_lost_by_one_column(vendor: Vendor) -> Injected:
    rows = vendor.prices(SPLIT)
    _row(rows, SPLIT_DAY)["split_coefficient"] = "1.0"
    return _injected(vendor, SPLIT, rows, (SPLIT_DAY,), (_FIRST_MONTH, month_end(SPLIT_DAY)))


def _spin_off(vendor: Vendor) -> Injected:
    day = vendor.quiet_day(STEADY, _MONTH)
    rows = vendor.prices(STEADY)
    row = _row(rows, day)
    row["dividend_amount"] = f"{0.4 * float(row['close']):.6f}"
    for later in _since(rows, day):
        scale(later, 0.6, _QUOTED)
    return _injected(vendor, STEADY, rows, (day,), (month_end(day), _LAST_MONTH))


def _wrong_adjusted_close(vendor: Vendor) -> Injected:
    day = vendor.quiet_day(STEADY, _MONTH)
    rows = vendor.prices(STEADY)
    scale(_row(rows, day), 1.05, ["adjusted_close"])
    back = day_of(_since(rows, day)[1])
    return _injected(vendor, STEADY, rows, (day, back), (month_end(day),) * 2)


def _stale(vendor: Vendor) -> Injected:
    rows = vendor.prices(STEADY)
    first, *held = _since(rows, _MONTH)[:30]
    for row in held:
        row.update(dict.fromkeys((*_QUOTED, "adjusted_close"), first["close"]))
    return _injected(vendor, STEADY, rows, (day_of(first),), (month_end(_MONTH), date(2006, 6, 30)))


def _since_a_day(factor: float) -> Callable[[Vendor], Injected]:
    """All prices from a day on are multiplied, the adjusted close with them."""

    def inject(vendor: Vendor) -> Injected:
        day = vendor.quiet_day(STEADY, _MONTH)
        rows = vendor.prices(STEADY)
        for row in _since(rows, day):
            scale(row, factor)
        return _injected(vendor, STEADY, rows, (day,), (month_end(day), _LAST_MONTH))

    return inject


def _crash(vendor: Vendor) -> Injected:
    """A crash trades through its range: it opens high and closes low."""
    day = vendor.quiet_day(STEADY, _MONTH)
    rows = vendor.prices(STEADY)
    opened = f"{0.6 * float(_row(rows, day)['open']):.4f}"
    for row in _since(rows, day):
        scale(row, 0.35)
    _row(rows, day).update(open=opened, high=opened)
    return _injected(vendor, STEADY, rows, (day,), (month_end(day), _LAST_MONTH))


def _spliced(vendor: Vendor) -> Injected:
    """Before June 2006 the file has another company, which left in 2005."""
    begin, end = date(2006, 6, 1), date(2005, 3, 1)
    rows = vendor.prices(STEADY)
    earlier = _before(vendor.prices("WMGG"), end)
    for row in earlier:
        scale(row, 1.37)
    after = _since(rows, begin)
    return _injected(
        vendor,
        STEADY,
        [*earlier, *after],
        (day_of(after[0]),),
        (_FIRST_MONTH, month_end(begin)),
    )


def _twin(vendor: Vendor) -> Injected:
    rows = vendor.prices(STEADY)
    return Injected(
        {"TWIN.csv.gz": price_file(rows)},
        subject="TWIN",
        flagged=(day_of(rows[0]),),
        days=frozenset(map(day_of, rows)),
        months=(_FIRST_MONTH, _LAST_MONTH),
    )


def _without_days(
    first: date, last: date, *, months: tuple[date, date], flagged: tuple[date, ...]
) -> Callable[[Vendor], Injected]:
    def inject(vendor: Vendor) -> Injected:
        rows = [row for row in vendor.prices(STEADY) if not first <= day_of(row) <= last]
        return _injected(vendor, STEADY, rows, flagged, months)

    return inject


def _without_a_day(vendor: Vendor) -> Injected:
    day = vendor.quiet_day(STEADY, _MONTH)
    rows = [row for row in vendor.prices(STEADY) if day_of(row) != day]
    return _injected(vendor, STEADY, rows, (day,), (month_end(day),) * 2)


def _on_a_holiday(vendor: Vendor) -> Injected:
    day = date(2006, 7, 4)
    rows = vendor.prices(STEADY)
    rows.append({**_before(rows, day)[-1], "timestamp": day.isoformat()})
    return _injected(vendor, STEADY, rows, (day,), (month_end(day),) * 2)


def _cut_in_the_last_month(vendor: Vendor) -> Injected:
    # So late that the youngest stock, since 9 December, keeps more than half of its rows.
    last = date(2008, 12, 22)
    files: dict[str, bytes | None] = {
        f"{ticker}.csv.gz": price_file([r for r in vendor.prices(ticker) if day_of(r) <= last])
        for ticker in vendor.tickers
    }
    days = frozenset(vendor.days(date(2008, 12, 23), LAST_DAY))
    return Injected(
        files, called="every series", flagged=(last,), days=days, months=(_LAST_MONTH, _LAST_MONTH)
    )


def _intraday_bar(vendor: Vendor) -> Injected:
    rows = vendor.prices(STEADY)
    last = rows[-1]
    last.update(dict.fromkeys(_QUOTED, last["close"]))
    last["volume"] = str(int(last["volume"]) // 100)
    return _injected(vendor, STEADY, rows, (LAST_DAY,), (_LAST_MONTH, _LAST_MONTH))


def _newest_rows_alone(vendor: Vendor) -> Injected:
    file = f"{STEADY}.csv.gz"
    content = price_file(vendor.prices(STEADY)[-100:])
    return Injected({file: content}, subject=f"prices/{file}", lines=None)


def _under_two_names(vendor: Vendor) -> Injected:
    plain = vendor.price_text(STEADY).encode()
    return Injected({f"{STEADY}.csv": plain, f"{STEADY}.csv.gz": None})


def _no_adjusted_close(row: Row) -> None:
    row["adjusted_close"] = ""


def _no_volume(row: Row) -> None:
    row["volume"] = "0"


def _flagged(
    name: str,
    what: str,
    rule: str,
    inject: Callable[[Vendor], Injected],
    outcome: str,
    *,
    nulls: Iterable[str] = (),
    alters: Iterable[str] = (),
    adds: bool = False,
    drops: bool = False,
    also: Iterable[str] = (),
) -> Fault:
    return Fault(
        name,
        what,
        "prices",
        rule,
        "flag",
        outcome,
        inject,
        frozenset(nulls),
        frozenset(alters),
        adds,
        drops,
        frozenset(also),
    )


BAD_PRICES = (
    _flagged(
        "dividend_and_split_same_day",
        "A dividend on the day of a split, which the adjusted close does not know.",
        "dividend_and_split_same_day",
        _dividend_on_split_day,
        "The month's return becomes NULL, as the vendor disagrees with itself.",
        nulls={"ret"},
        alters={"dividend"},
        also={"adjusted_close_disagrees"},
    ),
    _flagged(
        "split_without_price_move",
        "A split of two for one on a day on which the price did not move.",
        "split_without_price_move",
        _split_without_move,
        "The month's return becomes NULL; share counts and market equity of all months before are "
        "halved, as they are restated through the split.",
        nulls={"ret"},
        alters={"split", *_SIZE},
        also={"adjusted_close_disagrees", "extreme_return"},
    ),
    _flagged(
        "split_a_day_early",
        "A split booked on the day before the price moved.",
        "split_on_wrong_day",
        _split_a_day_early,
        "The month's return becomes NULL, as the vendor disagrees with itself.",
        nulls={"ret"},
        alters={"high"},
        also={"adjusted_close_disagrees", "extreme_return", "split_without_price_move"},
    ),
    _flagged(
        "unbooked_split",
        "A split that neither the split column nor the adjusted close knows.",
        "unbooked_split",
        _split_nobody_booked,
        "The month's return is the false -67 %; share counts and market equity of all months "
        "before are three times too large.",
        alters={"ret", "split", "high", *_SIZE},
        also={"extreme_return"},
    ),
    _flagged(
        "split_lost_by_one_column",
        "A split that the adjusted close knows and the split column does not.",
        "adjusted_close_disagrees",
        _split_lost_by_one_column,
        "The month's return becomes NULL; share counts and market equity of all months before are "
        "three times too large.",
        nulls={"ret"},
        alters={"split", "high", *_SIZE},
        also={"extreme_return", "unbooked_split"},
    ),
    _flagged(
        "spin_off_as_dividend",
        "A spin-off of 40 % of the price, quoted as a cash dividend.",
        "dividend_like_spin_off",
        _spin_off,
        "Kept: the return counts the dividend, prices and market equity are what they are.",
        alters={"dividend", *_LEVEL},
        also={"market_equity_jump"},
    ),
    _flagged(
        "wrong_adjusted_close",
        "An adjusted close restated wrongly on one day.",
        "adjusted_close_disagrees",
        _wrong_adjusted_close,
        "The month's return becomes NULL, as the vendor disagrees with itself.",
        nulls={"ret"},
    ),
    _flagged(
        "stale_price",
        "Thirty trading days of the same close.",
        "stale_price",
        _stale,
        "Kept: returns of the months are those of the stale closes.",
        alters={"ret", *_LEVEL},
    ),
    _flagged(
        "spike_reversal",
        "Prices 60 % too high on one day, the adjusted close with them.",
        "spike_reversal",
        _on_a_day(lambda row: scale(row, 1.6)),
        "Kept: the month's return is the same, its highest close and volume in dollars are not.",
        alters={"high", "dollar_volume"},
    ),
    _flagged(
        "decimal_shift_of_a_day",
        "The decimal point two places to the left on one day.",
        "decimal_shift",
        _on_a_day(lambda row: scale(row, 0.01)),
        "Kept: the month's return is the same, its volume in dollars is not.",
        alters={"dollar_volume"},
        also={"extreme_return", "spike_reversal"},
    ),
    _flagged(
        "decimal_shift_for_good",
        "The decimal point one place to the left from a day on.",
        "decimal_shift",
        _since_a_day(0.1),
        "Kept: the month has the false return, prices and market equity stay a tenth.",
        alters={"ret", *_LEVEL},
        also={"extreme_return", "unbooked_split"},
    ),
    _flagged(
        "true_crash",
        "A stock that loses 65 % in a day and stays there.",
        "extreme_return",
        _crash,
        "Kept: a true crash looks like this.",
        alters={"ret", *_LEVEL},
    ),
    _flagged(
        "zero_volume",
        "A day without volume.",
        "zero_volume",
        _on_a_day(_no_volume),
        "Kept: the month's volume in dollars is smaller.",
        alters={"dollar_volume"},
    ),
    _flagged(
        "ticker_splice",
        "The file begins with another company, which left more than a year before.",
        "ticker_splice",
        _spliced,
        "Kept under one security, with a gap: `[[panel.splices]]` tells the two apart.",
        alters={"ret", *_LEVEL},
        drops=True,
        also={"price_gap_months"},
    ),
    _flagged(
        "twin_file",
        "A second file with the same prices under another ticker.",
        "same_prices_as_another",
        _twin,
        "Kept as a security of its own.",
        adds=True,
    ),
    _flagged(
        "missing_day",
        "A day is left out on which all others trade.",
        "missing_day",
        _without_a_day,
        "The month is compounded over the days around it.",
        alters={"trading_days", "dollar_volume"},
    ),
    _flagged(
        "row_on_a_holiday",
        "A row on the fourth of July, when the exchange is closed.",
        "day_off_calendar",
        _on_a_holiday,
        "Kept as a trading day of that stock.",
        alters={"trading_days", "dollar_volume"},
    ),
    _flagged(
        "missing_month",
        "A whole month is left out.",
        "price_gap_months",
        _without_days(
            date(2006, 6, 1),
            date(2006, 6, 30),
            months=(date(2006, 6, 30), date(2006, 7, 31)),
            flagged=(date(2006, 6, 1),),
        ),
        "The month has no row, and the month after it no return.",
        nulls={"ret"},
        drops=True,
    ),
    _flagged(
        "ends_early",
        "The last two months are left out, and no delisting is known.",
        "ends_early",
        _without_days(
            date(2008, 11, 1),
            LAST_DAY,
            months=(date(2008, 11, 30), _LAST_MONTH),
            flagged=(date(2008, 10, 31),),
        ),
        "The months have no row; no return is made up for them.",
        drops=True,
    ),
    _flagged(
        "partial_last_month",
        "The vendor's files end in the midst of a month.",
        "partial_last_month",
        _cut_in_the_last_month,
        "The month is flagged partial and has no return.",
        nulls={"ret"},
        alters={*_LEVEL, "trading_days", "last_date", "dividend", "shares"},
    ),
    _flagged(
        "intraday_bar",
        "The last row was fetched during the day: one price, a hundredth of the volume.",
        "partial_last_bar",
        _intraday_bar,
        "Kept: the month's volume in dollars is smaller.",
        alters={"dollar_volume"},
    ),
    _flagged(
        "missing_adjusted_close",
        "A day without adjusted close.",
        "adjusted_close_missing",
        _on_a_day(_no_adjusted_close, seen=False),
        "Kept: nothing changes, but two returns are not compared with the vendor's.",
    ),
    Fault(
        "compact_download",
        "The vendor's compact answer, the newest hundred days, in place of all of them.",
        "prices",
        "lost_rows",
        "quarantine",
        "The file's last good rows stay; the log calls it stale.",
        _newest_rows_alone,
    ),
    Fault(
        "file_under_two_names",
        "A file that was served compressed comes without compression, and so with another name.",
        "prices",
        "none",
        "nothing",
        "Nothing changes: the file of the one name gives way to that of the other.",
        _under_two_names,
    ),
)
