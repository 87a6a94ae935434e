"""Signals of each security and month: values known before the month begins."""

from datetime import date
from functools import reduce
from operator import mul

import polars as pl

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints
from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.fundamentals import latest_public
from factor_pipeline.compute.ordering import finite, sorted_by_key
from factor_pipeline.compute.panel import DELISTED
from factor_pipeline.compute.sorts import JULY, Dimension, Sort
from factor_pipeline.months import MonthRange, formation_july

# Momentum of a July row needs the price thirteen months before; one month more is the row's own.
HISTORY_MONTHS = 14

_FORMATION = 12
_SKIP = 1
_VALUE_CLASS = Sort(
    "value_class",
    (Dimension("book_to_market", (0.3, 0.7), ("Growth", "Neutral", "Value")),),
    "june",
)


def history_of(months: MonthRange) -> MonthRange:
    """Months of the panel the signals of ``months`` are computed from."""
    return months.since(formation_july(months.start)).widened(back=HISTORY_MONTHS)


def characteristics(
    panel: pl.DataFrame,
    facts: pl.DataFrame,
    months: MonthRange,
    *,
    max_fundamental_age_months: int,
    breakpoint_rule: BreakpointRule,
) -> pl.DataFrame:
    """All signals for ``months``: one row per security that could be bought when they begin.

    That is a security with a price in the month before which was not delisted in it.

    Parameters
    ----------
    panel
        Rows of ``panel.security_month`` of ``history_of(months)``: ``security_id, firm_id,
        month_end, ret, price, firm_market_equity, exchange, flags``; one row per security and
        month. Rows of the month itself are not used for it.
    facts
        ``panel.book_equity``.
    max_fundamental_age_months
        Book equity whose period ended earlier is not used for the monthly book-to-market.
    breakpoint_rule
        For the 30/70 classes of book-to-market.

    Returns
    -------
    pl.DataFrame
        ``signal.characteristic``, sorted by security and month: a row of month t is a function of
        panel rows up to t-1 and filings public by then. Missing values are null, never NaN or
        infinite.

    Raises
    ------
    DataError
        When a security has two rows in a month of ``panel``, or two filings of one period on a
        day.

    References
    ----------
    Fama and French (1992), *Journal of Finance* 47(2), and (1993), *Journal of Financial
    Economics* 33(1), for size and book-to-market; Asness and Frazzini (2013), *Journal of
    Portfolio Management* 39(4), for the monthly one.
    """
    book = facts.filter(pl.col("book_equity").is_not_null()).select(
        "security_id", "period_end", "filed_at", "book_equity"
    )
    rows = _rows(panel, months.since(formation_july(months.start)))
    frame = rows.join(price_signals(panel), on=["security_id", "known_month_end"], how="left")
    frame = _with_book_to_market(frame, panel, book)
    frame = _with_monthly_book_to_market(frame, book, max_fundamental_age_months)
    frame = frame.sort("month_end", "security_id")
    classes = assignments(
        frame, breakpoints(frame, [_VALUE_CLASS], breakpoint_rule), [_VALUE_CLASS], months
    ).select("security_id", "month_end", value_class="cell")
    return (
        frame.filter(pl.col("month_end").is_between(months.start, months.end, "left"))
        .join(classes, on=["security_id", "month_end"], how="left")
        .select(
            "security_id",
            "month_end",
            "size",
            "book_to_market",
            "book_to_market_monthly",
            "momentum_12_2",
            "reversal_1",
            "value_class",
        )
        .sort("security_id", "month_end")
    )


def price_signals(panel: pl.DataFrame) -> pl.DataFrame:
    r"""Momentum and reversal as known at the end of each month of ``panel``.

    Parameters
    ----------
    panel
        ``security_id, month_end, ret``; one row per security and month, months may be missing.

    Returns
    -------
    pl.DataFrame
        ``security_id, known_month_end, momentum_12_2, reversal_1``, for use in the month after
        ``known_month_end``. Momentum is null unless all eleven returns are there.

    Raises
    ------
    DataError
        When a security has two rows in a month.

    Notes
    -----
    With t the month after ``known_month_end``,

    .. math:: m_{it} = \prod_{j=2}^{12} (1 + r_{i,t-j}) - 1

    A product of shifted factors, not a rolling sum of logs: a rolling sum carries state from
    earlier rows, so a month computed alone and in a range would differ in the last bit.

    References
    ----------
    Jegadeesh and Titman (1993), *Journal of Finance* 48(1); Jegadeesh (1990), 45(3).
    """
    lags = range(_SKIP, _FORMATION)
    growth = [1 + pl.col("ret").shift(lag) for lag in lags]
    first = pl.col("month_end").shift(_FORMATION - 1)
    is_gapless = first == pl.col("month_end").dt.offset_by(f"-{_FORMATION - 1}mo").dt.month_end()
    momentum = pl.when(is_gapless).then(finite(reduce(mul, growth) - 1))
    return (
        sorted_by_key(panel, ("security_id", "month_end"), what="panel rows")
        .with_columns(momentum_12_2=momentum.over("security_id"))
        .select(
            "security_id", "momentum_12_2", known_month_end="month_end", reversal_1=pl.col("ret")
        )
    )


def _rows(panel: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Rows of ``months``: the securities listed at the end of the month before."""
    earlier = months.widened(back=1)
    is_delisted = pl.col("flags").str.split(",").list.contains(DELISTED).fill_null(value=False)
    return (
        panel.filter(
            pl.col("month_end").is_between(earlier.start, earlier.end, "left"),
            pl.col("price").is_not_null(),
            ~is_delisted,
        )
        .select(
            "security_id",
            "firm_id",
            "exchange",
            month_end=pl.col("month_end").dt.offset_by("1mo").dt.month_end(),
            known_month_end="month_end",
            size="firm_market_equity",
        )
        .filter(pl.col("month_end") < months.end)
    )


def _with_book_to_market(
    frame: pl.DataFrame, panel: pl.DataFrame, book: pl.DataFrame
) -> pl.DataFrame:
    """June variant: book equity of the fiscal year ending in calendar year y-1 over ME of Dec y-1.

    y is the year of the formation, at the end of June; the filing must be public by then.
    """
    month = pl.col("month_end")
    year = month.dt.year() - (month.dt.month() < JULY).cast(pl.Int32)
    formed = frame.with_columns(formation_year=year)
    years = formed["formation_year"].unique().sort()
    deadlines = pl.DataFrame(
        {
            "formation_year": years,
            "deadline": pl.Series([last_trading_day(date(y, 6, 1)) for y in years], dtype=pl.Date),
        }
    )
    filed = (
        book.with_columns(formation_year=pl.col("period_end").dt.year() + 1)
        .join(deadlines, on="formation_year")
        .filter(pl.col("filed_at") < pl.col("deadline"))
        .sort("security_id", "period_end", "filed_at")
        .unique(["security_id", "formation_year"], keep="last", maintain_order=True)
        .select("security_id", "formation_year", "book_equity")
    )
    december = panel.filter(pl.col("month_end").dt.month() == 12).select(  # noqa: PLR2004
        "security_id",
        "firm_market_equity",
        december_firm="firm_id",
        formation_year=pl.col("month_end").dt.year() + 1,
    )
    # A class listed since December takes the December of its firm.
    firm = pl.coalesce("december_firm", "firm_id")
    return (
        formed.join(filed, on=["security_id", "formation_year"], how="left")
        .join(december.drop("firm_market_equity"), on=["security_id", "formation_year"], how="left")
        .with_columns(december_firm=firm)
        .join(
            december.drop("security_id").unique(["december_firm", "formation_year"]),
            on=["december_firm", "formation_year"],
            how="left",
        )
        .with_columns(
            book_to_market=_positive_ratio(pl.col("book_equity"), pl.col("firm_market_equity"))
        )
        .drop("book_equity", "firm_market_equity", "formation_year", "december_firm")
    )


def _with_monthly_book_to_market(
    frame: pl.DataFrame, book: pl.DataFrame, max_age_months: int
) -> pl.DataFrame:
    """Latest public book equity over market equity, both at the end of the month before."""
    ends = {end: last_trading_day(end) for end in frame["known_month_end"].unique().sort()}
    known_on = pl.col("known_month_end").replace_strict(ends, return_dtype=pl.Date)
    known = latest_public(
        frame.with_columns(known_on=known_on), book, on="known_on", max_age_months=max_age_months
    )
    return known.with_columns(
        book_to_market_monthly=_positive_ratio(pl.col("book_equity"), pl.col("size"))
    )


def _positive_ratio(book: pl.Expr, market: pl.Expr) -> pl.Expr:
    return pl.when(book > 0, market > 0).then(finite(book / market))
