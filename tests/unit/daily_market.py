"""A small daily market for tests: a calendar with a closing, factors, stocks with gaps."""

from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.market_days import DailyReturns, MarketDays
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.months import MonthRange, add_months

START = date(1997, 1, 1)
CLOSED = [date(2001, 9, day) for day in (11, 12, 13, 14)]


def month_range(first: int, count: int) -> MonthRange:
    """``count`` months from the ``first`` after START on."""
    start = add_months(START, first)
    return MonthRange(start, add_months(start, count))


def factors_of(count: int, seed: int = 5) -> pl.DataFrame:
    """Daily factors of ``count`` months."""
    months = month_range(0, count)
    dates = [day for day in trading_days(months.start, months.end) if day not in CLOSED]
    rng = np.random.default_rng(seed)
    draws = {
        name: 0.0003 + 0.01 * rng.standard_normal(len(dates)) for name in ("mkt", "smb", "hml")
    }
    return pl.DataFrame({"date": dates, "rf": 0.0001 + 0.0001 * rng.random(len(dates)), **draws})


def returns_of(values: dict[int, list[float | None]], factors: pl.DataFrame) -> pl.DataFrame:
    """One row per stock and day, from the first day of the factors on; none where it is None."""
    dates = factors["date"].to_list()
    rows = [
        (stock, day, ret)
        for stock, own in values.items()
        for day, ret in zip(dates, own, strict=False)
        if ret is not None
    ]
    schema = {"security_id": pl.Int64, "date": pl.Date, "ret": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def random_returns(factors: pl.DataFrame, stocks: int, seed: int) -> pl.DataFrame:
    """Stocks that enter, leave, pause and have days without a return."""
    rng = np.random.default_rng(seed)
    days = factors.height
    market = factors["mkt"].to_numpy()
    values: dict[int, list[float | None]] = {}
    for stock in range(stocks):
        first, last = sorted(rng.integers(0, days + 1, 2).tolist())
        ret = rng.normal(1, 0.3) * market + rng.normal(0.0005, 0.02, days)
        alive = (np.arange(days) >= first) & (np.arange(days) < last)
        shown = alive & (rng.random(days) > 0.05)
        ret[rng.random(days) < 0.03] = np.nan
        values[stock] = [float(v) if s else None for v, s in zip(ret, shown, strict=True)]
    return returns_of(values, factors)


def laid_out(returns: pl.DataFrame, factors: pl.DataFrame, months: MonthRange) -> DailyReturns:
    """Returns on the market days that windows of ``months`` need."""
    return DailyReturns.of(returns, MarketDays.of(factors, months))


def stock_months(stocks: int, months: MonthRange) -> pl.DataFrame:
    """A row for every stock and month."""
    ends = pl.date_range(months.start, months.end, "1mo", closed="left", eager=True)
    ids = pl.DataFrame({"security_id": pl.Series(range(stocks), dtype=pl.Int64)})
    return pl.DataFrame({"month_end": ends.dt.month_end()}).join(ids, how="cross")
