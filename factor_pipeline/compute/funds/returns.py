"""Monthly returns of funds from their daily adjusted closes."""

import polars as pl

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.ordering import sorted_by_key


def fund_returns(levels: pl.DataFrame) -> pl.DataFrame:
    """Total returns of funds in complete calendar months.

    Parameters
    ----------
    levels
        ``symbol``, ``date`` (unique together) with ``adjusted_close`` (above 0).

    Returns
    -------
    pl.DataFrame
        ``symbol``, ``month_end``, ``ret`` (decimal), ordered by them, for months whose last
        trading day and that of the month before both have a price. The newest row of a fund is
        not used: its day may not have ended when the file was fetched.

    Raises
    ------
    DataError
        When a symbol has two rows of a day.
    """
    rows = sorted_by_key(
        levels.select("symbol", "date", "adjusted_close"), ("symbol", "date"), what="fund prices"
    )
    closes = (
        rows.filter(pl.col("date") < pl.col("date").max().over("symbol"))
        .group_by("symbol", pl.col("date").dt.month_end().alias("month_end"), maintain_order=True)
        .last()
    )
    ends = closes["month_end"].unique().sort()
    last_days = pl.DataFrame(
        {"month_end": ends, "last_day": [last_trading_day(end) for end in ends.to_list()]},
        schema={"month_end": pl.Date, "last_day": pl.Date},
    )
    complete = (
        closes.join(last_days, on="month_end", how="left", maintain_order="left")
        .filter(pl.col("date") >= pl.col("last_day"))
        .sort("symbol", "month_end")
    )
    before = pl.col("month_end").shift().over("symbol")
    return (
        complete.with_columns(
            ret=pl.col("adjusted_close") / pl.col("adjusted_close").shift().over("symbol") - 1,
            follows=before == pl.col("month_end").dt.offset_by("-1mo").dt.month_end(),
        )
        .filter("follows")
        .select("symbol", "month_end", "ret")
    )
