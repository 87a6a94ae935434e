"""Returns of positions that stop trading for a while, and trade again or not."""

import polars as pl

from factor_pipeline.compute.ordering import finite, sorted_by_key
from factor_pipeline.compute.panel import EXCLUDED
from factor_pipeline.months import MonthRange

HALT_MONTHS = 12
"""Months without a price after which a position is given up: exchanges delist a security that is
suspended for long, within a year and a half at most, and its last price then says little."""

_KEY = ("security_id", "month_end")
_YEAR = 12


def position_returns(panel: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    r"""Return of each month to someone who held the security through every halt before it.

    Parameters
    ----------
    panel
        Unique ``security_id``, ``month_end`` as in ``panel.security_month`` with ``price``,
        ``split``, ``dividend``, ``delisting_return``, ``ret`` and ``flags``, of ``months`` and the
        `HALT_MONTHS` before them. Later rows are ignored, and earlier ones change nothing.
    months
        Months to give.

    Returns
    -------
    pl.DataFrame
        ``security_id``, ``month_end``, ``ret`` (decimal, null where nothing is known) and
        ``halted_months`` (months without a price up to the end of the month before, at most
        `HALT_MONTHS`; 0: could be traded when the month began), sorted by security and month. A
        security has rows in the months of its own and in those without a price that follow, up to
        `HALT_MONTHS`. Where trading resumes ``ret`` is that of the whole gap; elsewhere it is the
        panel's. A disputed or excluded month has none, nor does the gap that ends in one.

    Raises
    ------
    DataError
        When a security has two rows in a month.

    Notes
    -----
    After a gap, with the last price P before it, and price, split, dividend and delisting return
    (0 without one) of the month in which trading resumes,

    .. math:: r = (P_t + D_t) \, S_t / P \cdot (1 + dl_t) - 1 .

    Splits and dividends of days without a price are not known.
    """
    month = pl.col("month_end").dt.year().cast(pl.Int64) * _YEAR + pl.col("month_end").dt.month()
    rows = sorted_by_key(
        panel.filter(pl.col("month_end") < months.end), _KEY, what="panel months"
    ).with_columns(month=month)
    quoted = pl.when(pl.col("price").is_not_null())
    rows = rows.with_columns(
        last_quoted=quoted.then("month").forward_fill().over("security_id"),
        last_price=pl.col("price").forward_fill().over("security_id"),
        next_month=pl.col("month").shift(-1).over("security_id"),
    ).with_columns(
        quoted_before=pl.col("last_quoted").shift().over("security_id"),
        price_before=pl.col("last_price").shift().over("security_id"),
    )
    halted = (pl.col("month") - pl.col("quoted_before") - 1).clip(upper_bound=HALT_MONTHS)
    known = rows.with_columns(halted_months=halted.fill_null(HALT_MONTHS)).with_columns(
        ret=pl.when(_resumes()).then(_of_gap()).otherwise("ret")
    )
    return (
        pl.concat([known.select(*_KEY, "ret", "halted_months"), _without_rows(rows, months)])
        .filter(pl.col("month_end").is_between(months.start, months.end, closed="left"))
        .sort(_KEY)
    )


def _resumes() -> pl.Expr:
    """Whether the security trades again after a halt that is not too long."""
    return pl.col("price").is_not_null() & pl.col("halted_months").is_between(1, HALT_MONTHS - 1)


def _of_gap() -> pl.Expr:
    """Return from the last price before the halt; null where the month has none by choice."""
    named = pl.col("flags").fill_null("").str.split(",")
    without = named.list.contains("disputed_return") | named.list.contains(EXCLUDED)
    paid = (pl.col("price") + pl.col("dividend")) * pl.col("split")
    delisting = 1.0 + pl.col("delisting_return").fill_null(0.0)
    return pl.when(~without).then(finite(paid / pl.col("price_before") * delisting - 1.0))


def _without_rows(rows: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Months of a halt, which the panel has no rows of."""
    end = months.end.year * _YEAR + months.end.month
    missing = rows.with_columns(
        first=pl.col("month") + 1,
        stop=pl.min_horizontal(
            pl.col("next_month").fill_null(end), pl.col("last_quoted") + HALT_MONTHS + 1
        ),
    ).filter(pl.col("last_quoted").is_not_null() & (pl.col("first") < pl.col("stop")))
    halts = missing.select(
        "security_id", "last_quoted", month=pl.int_ranges("first", "stop")
    ).explode("month", empty_as_null=True)
    start = pl.date((pl.col("month") - 1) // _YEAR, (pl.col("month") - 1) % _YEAR + 1, 1)
    return halts.select(
        "security_id",
        month_end=start.dt.month_end(),
        ret=pl.lit(None, dtype=pl.Float64),
        halted_months=pl.col("month") - pl.col("last_quoted") - 1,
    )
