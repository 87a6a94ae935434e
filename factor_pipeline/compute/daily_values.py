"""Daily values of portfolios whose holdings drift within the month."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.ordering import sorted_by_key

DAILY_VALUE_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "month_end": pl.Date(),
        "date": pl.Date(),
        "value": pl.Float64(),
    }
)

_Floats = npt.NDArray[np.float64]
_Integers = npt.NDArray[np.int64]


def daily_values(
    holdings: pl.DataFrame, returns: pl.DataFrame, prices: pl.DataFrame
) -> pl.DataFrame:
    r"""Value at each close of 1 invested at the start of the month.

    Parameters
    ----------
    holdings
        ``strategy``, ``security_id``, ``month_end``, ``weight``, ``ret`` as in
        ``Backtest.holdings``.
    returns
        Unique ``strategy``, ``month_end`` with ``cost``, ``net`` and ``n``, as in
        ``Backtest.returns``.
    prices
        Unique ``security_id``, ``date`` with ``month_end`` (of that day), ``close``, ``split`` (new
        shares per old one on its day), ``dividend`` (per share after the split) and
        ``opening_price`` (last close of the month before; null: the first close stands for it).

    Returns
    -------
    pl.DataFrame
        ``strategy``, ``month_end``, ``date``, ``value``, a row per strategy and day some held
        security has a close, sorted by month, strategy and day. Each month depends on its own rows
        alone. A security without a close on a day keeps its last value. A month in cash (``n`` is
        0) has one row, of its last trading day.

    Notes
    -----
    With weights w after trading and growth :math:`G_{id}` from the month's start to day d,

    .. math:: V_d = (1 - cost) \left(1 + \sum_i w_i (G_{id} - 1)\right),

    not below 0. What has no daily price comes on the month's last day, whose value is
    1 + ``net`` exactly: the return of cash, fees on shorts, delisting returns.
    """
    quotes = sorted_by_key(prices, ("month_end", "security_id", "date"), what="daily prices")
    held = holdings.filter((pl.col("weight") != 0) & pl.col("ret").is_not_null())
    known = returns.filter(pl.col("net").is_not_null())
    parts = [pl.DataFrame(schema=DAILY_VALUE_SCHEMA)]
    by_month = {
        key: frame.sort("strategy", "security_id")
        for (key,), frame in held.partition_by("month_end", as_dict=True).items()
    }
    results = known.partition_by("month_end", as_dict=True)
    for (month_end,), month_quotes in quotes.partition_by(
        "month_end", as_dict=True, maintain_order=True
    ).items():
        if month_end in by_month and (month_end,) in results:
            parts.append(_month(by_month[month_end], results[month_end,], month_quotes))
    return pl.concat([*parts, _in_cash(known)]).sort("month_end", "strategy", "date")


def _in_cash(returns: pl.DataFrame) -> pl.DataFrame:
    rows = returns.filter(pl.col("n") == 0)
    ends = {end: last_trading_day(end) for end in rows["month_end"].unique()}
    return rows.select(
        "strategy",
        "month_end",
        date=pl.col("month_end").replace_strict(ends, return_dtype=pl.Date),
        value=1.0 + pl.col("net"),
    )


def index_values(levels: pl.DataFrame, returns: pl.DataFrame, name: str) -> pl.DataFrame:
    """Value at each close of 1 invested in an index at the start of the month.

    Parameters
    ----------
    levels
        Unique ``date`` with ``level`` (dividends included), the month before the first one too.
    returns
        ``strategy``, ``month_end``, ``net``: the months to give are those of ``name`` with a
        return, whose last day has the value 1 + ``net`` exactly.
    name
        Strategy the index is called.

    Returns
    -------
    pl.DataFrame
        As from `daily_values`.
    """
    mine = returns.filter((pl.col("strategy") == name) & pl.col("net").is_not_null())
    days = sorted_by_key(levels, ("date",), what="levels").with_columns(
        month_end=pl.col("date").dt.month_end()
    )
    closing = days.group_by("month_end").agg(pl.col("level").last()).sort("month_end")
    opening = closing.select(
        pl.col("month_end").dt.offset_by("1mo").dt.month_end(), opening="level"
    )
    rows = days.join(opening, on="month_end", maintain_order="left").join(
        mine.select("month_end", "net"), on="month_end", maintain_order="left"
    )
    is_last = pl.col("date") == pl.col("date").max().over("month_end")
    value = (
        pl.when(is_last).then(1.0 + pl.col("net")).otherwise(pl.col("level") / pl.col("opening"))
    )
    return rows.select(pl.lit(name).alias("strategy"), "month_end", "date", value=value)


def _month(held: pl.DataFrame, results: pl.DataFrame, quotes: pl.DataFrame) -> pl.DataFrame:
    days = quotes["date"].unique().sort()
    securities, growth = _growth(quotes, days)
    positions = held.filter(pl.col("security_id").is_in(securities.implode()))
    runs = positions["strategy"].rle().struct
    edges = np.concatenate([[0], np.cumsum(runs.field("len").to_numpy())]).astype(np.int64)
    place = securities.search_sorted(positions["security_id"]).cast(pl.Int64).to_numpy()
    gains = positions["weight"].to_numpy()[:, None] * (growth[place] - 1.0)
    figures = {row["strategy"]: row for row in results.iter_rows(named=True)}
    values = []
    names = [name for name in runs.field("value").to_list() if name in figures]
    for name, (start, end) in zip(runs.field("value").to_list(), pairwise(edges), strict=True):
        if name in figures:
            earned = np.add.reduce(gains[start:end], axis=0)
            value = np.maximum((1.0 - figures[name]["cost"]) * (1.0 + earned), 0.0)
            value[-1] = 1.0 + figures[name]["net"]
            values.append(value)
    month_end = quotes["month_end"][0]
    return pl.DataFrame(
        {
            "strategy": pl.Series(names, dtype=pl.String).gather(
                np.repeat(np.arange(len(names)), len(days))
            ),
            "month_end": pl.repeat(month_end, len(names) * len(days), eager=True),
            "date": pl.concat([days] * len(names)) if names else days.clear(),
            "value": np.concatenate(values) if values else np.zeros(0),
        },
        schema=DAILY_VALUE_SCHEMA,
    )


def _growth(quotes: pl.DataFrame, days: pl.Series) -> tuple[pl.Series, _Floats]:
    """Securities, ascending, and their growth from the month's start, shape (securities, days)."""
    runs = quotes["security_id"].rle().struct
    lengths = runs.field("len").to_numpy()
    first = np.cumsum(lengths, dtype=np.int64) - lengths
    close = quotes["close"].to_numpy()
    before = np.concatenate([[np.nan], close[:-1]])
    opening = quotes["opening_price"].to_numpy()[first]
    # Without a price to start from, the first day shows what it pays, not how it moved.
    before[first] = np.where(np.isnan(opening), close[first], opening)
    paid = close * quotes["split"].to_numpy() + quotes["dividend"].to_numpy()
    growth = np.ones((lengths.size, len(days)))
    row: _Integers = np.repeat(np.arange(lengths.size), lengths)
    column = days.search_sorted(quotes["date"]).cast(pl.Int64).to_numpy()
    growth[row, column] = np.divide(paid, before, out=np.ones(paid.size), where=before > 0)
    return runs.field("value"), np.multiply.accumulate(growth, axis=1)
