"""The deepest fall of the S&P 500 with dividends, from daily levels."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.daily_values import index_values
from factor_pipeline.compute.drawdown import daily_drawdowns


def test_the_total_return_index_fell_as_published(vendor_data: Path) -> None:
    file = vendor_data / "benchmarks" / "^SP500TR.csv"
    levels = pl.read_csv(file, try_parse_dates=True).select(
        date="Date", level=pl.col("Adj Close").cast(pl.Float64, strict=False)
    )
    levels = levels.drop_nulls().sort("date")
    closing = (
        levels.group_by(month_end=pl.col("date").dt.month_end())
        .agg(pl.col("level").last())
        .sort("month_end")
    )
    returns = closing.select(
        pl.lit("index").alias("strategy"),
        "month_end",
        net=pl.col("level") / pl.col("level").shift() - 1,
    ).drop_nulls()
    spells = daily_drawdowns(index_values(levels, returns, "index")).sort("depth")
    deepest = spells.row(0, named=True)
    assert (deepest["peak"], deepest["trough"]) == (date(2007, 10, 9), date(2009, 3, 9))
    assert deepest["recovery"] == date(2012, 4, 2)
    # S&P 500 total return, as published: -55.25 %; the price index -56.78 %.
    assert deepest["depth"] == pytest.approx(-0.5525, abs=5e-5)
