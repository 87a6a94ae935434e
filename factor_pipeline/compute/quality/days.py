"""Daily prices laid out for rules: columns as arrays, and where each series begins."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# A long weekend is four days, September 2001 was seven; after more it is no return of a day.
FOLLOWING_DAYS: Final = 10

_KEY = ("vendor_id", "date")


@dataclass(frozen=True, slots=True)
class PriceDays:
    """Rows of ``raw.price_daily`` sorted by series and day; arrays of shape (N,), NaN for null.

    Attributes
    ----------
    names
        ``vendor_id`` of each series, shape (S,).
    starts
        First row of each series, and N; shape (S + 1,).
    series
        Place in ``names`` of each row.
    day
        Days since 1970-01-01.
    close, high, low, adjusted, volume, dividend, split
        The columns.
    gap
        Calendar days since the row before; 0 in the first row of a series.
    total
        ``(close x split + dividend) / close before``, the total return plus 1; NaN where ``gap`` is
        0 or more than a long weekend.
    """

    names: list[str]
    starts: Integers
    series: Integers
    day: Integers
    close: Floats
    high: Floats
    low: Floats
    adjusted: Floats
    volume: Floats
    dividend: Floats
    split: Floats
    gap: Integers
    total: Floats

    @classmethod
    def of(cls, prices: pl.DataFrame) -> Self:
        """Lay out rows in any order; of two rows of a day that with the lower close counts.

        Parameters
        ----------
        prices
            ``vendor_id, date, close, high, low, adjusted_close, volume, dividend, split``.
        """
        rows = _ordered(prices)
        runs = rows["vendor_id"].rle().struct.unnest()
        lengths = runs["len"].cast(pl.Int64).to_numpy()
        starts = np.concatenate([[0], np.cumsum(lengths)])
        day = rows["date"].to_physical().cast(pl.Int64).to_numpy()
        gap = np.diff(day, prepend=0)
        gap[starts[:-1]] = 0
        close, split, dividend = (_numbers(rows, name) for name in ("close", "split", "dividend"))
        before = np.roll(close, 1)
        with np.errstate(all="ignore"):
            total = (close * split + dividend) / before
        total[(gap == 0) | (gap > FOLLOWING_DAYS) | ~np.isfinite(total)] = np.nan
        return cls(
            names=runs["value"].to_list(),
            starts=starts,
            series=np.repeat(np.arange(lengths.size), lengths),
            day=day,
            close=close,
            high=_numbers(rows, "high"),
            low=_numbers(rows, "low"),
            adjusted=_numbers(rows, "adjusted_close"),
            volume=_numbers(rows, "volume"),
            dividend=dividend,
            split=split,
            gap=gap,
            total=total,
        )

    def end_of(self, row: int) -> int:
        """Row after the last one of the series of ``row``."""
        return int(self.starts[self.series[row] + 1])

    def begin_of(self, row: int) -> int:
        """First row of the series of ``row``."""
        return int(self.starts[self.series[row]])


def _ordered(prices: pl.DataFrame) -> pl.DataFrame:
    """Rows by series and day; sorting millions that are in order already would take long."""
    name, day = prices["vendor_id"], prices["date"]
    changes = (name != name.shift()).fill_null(value=True)
    ascending = ((day > day.shift()) | changes).fill_null(value=True).all()
    if ascending and prices.select(changes).sum().item() == name.n_unique():
        return prices
    return prices.sort(pl.all()).unique(_KEY, keep="first", maintain_order=True)


def _numbers(rows: pl.DataFrame, column: str) -> Floats:
    values: Floats = rows[column].cast(pl.Float64).to_numpy()
    return values
