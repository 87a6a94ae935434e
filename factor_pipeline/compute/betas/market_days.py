"""Market days, and returns laid out on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Self

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.windows import Floats, Integers
from factor_pipeline.compute.trading_days import trading_days
from factor_pipeline.errors import DataError, SchemaError
from factor_pipeline.months import MonthRange, add_months

LONGEST_WINDOW_DAYS: Final = 1260
"""Five years of market days."""

# Five years have 1,240 market days or more; two more days lie behind a three-day return.
MONTHS_BEFORE: Final = 66

_EPOCH: Final = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class MarketDays:
    """Days on which the market is open, by calendar month.

    The calendar is that of the factors, as no rule knows closings such as that of September 2001.
    Months the factors do not cover (after the newest edition) have the trading days of the
    exchange's rules. A month's days are the same whatever range of months they are taken for.

    Attributes
    ----------
    days
        Days since 1970-01-01, ascending, shape (D,).
    bounds
        Position of the first day of each calendar month, and D; shape (months + 1,).
    first_month
        First day of the first month.
    """

    days: Integers
    bounds: Integers
    first_month: date

    @classmethod
    def of(cls, factors: pl.DataFrame, months: MonthRange) -> Self:
        """Calendar of ``months`` and of the longest window before them.

        Parameters
        ----------
        factors
            Unique ``date`` (not null), in any order.
        months
            Months in which windows end.

        Raises
        ------
        DataError
            When a day is there twice or missing.
        """
        every = months.widened(back=MONTHS_BEFORE)
        if factors["date"].is_duplicated().any() or factors["date"].null_count():
            raise DataError(
                "the daily factors have two rows on one day, or none; keep one row of each day"
            )
        given = factors.filter(pl.col("date").is_between(every.start, every.end, "left"))["date"]
        own = given.sort().to_physical().cast(pl.Int64).to_numpy()
        parts = []
        for i in range(len(every)):
            first = add_months(every.start, i)
            following = add_months(first, 1)
            start, end = np.searchsorted(own, [_number(first), _number(following)]).tolist()
            by_rule = trading_days(first, following) if start == end else []
            parts.append(np.array([_number(d) for d in by_rule] or own[start:end], dtype=np.int64))
        bounds = np.cumsum([0, *(len(part) for part in parts)])
        return cls(np.concatenate(parts), bounds, every.start)

    def of_months(self, months: MonthRange) -> Integers:
        """Positions of all days of ``months``."""
        first = len(MonthRange(self.first_month, months.start))
        return np.arange(self.bounds[first], self.bounds[first + len(months)])

    def last_of_months(self, months: MonthRange) -> Integers:
        """Positions of the last day of each of ``months``, shape (months,)."""
        first = len(MonthRange(self.first_month, months.start))
        return self.bounds[first + 1 : first + 1 + len(months)] - 1

    def months_of_windows(self, months: MonthRange, window_days: int) -> MonthRange:
        """Months with a day in the windows that end with the last days of ``months``.

        The windows reach ``window_days`` back, and two days more: returns over three days.
        """
        first = int(self.last_of_months(months)[0]) - window_days - 1
        return months.since(add_months(_EPOCH + timedelta(days=int(self.days[first])), 0))

    def positions(self, dates: pl.Series) -> Integers:
        """Position of each date, -1 where it is no market day."""
        wanted = dates.to_physical().cast(pl.Int64).to_numpy()
        found = np.minimum(np.searchsorted(self.days, wanted), len(self.days) - 1)
        return np.where(self.days[found] == wanted, found, -1)

    def values(self, factors: pl.DataFrame, names: Sequence[str]) -> Floats:
        """Series by market day, shape (D, names), NaN where missing.

        Raises
        ------
        SchemaError
            When a series is missing.
        """
        absent = sorted(set(names) - set(factors.columns))
        if absent:
            raise SchemaError(f"the daily factors lack the columns {absent}; add them to the input")
        positions = self.positions(factors["date"])
        given = factors.select(pl.col(names).cast(pl.Float64)).to_numpy()
        values = np.full((len(self.days), len(names)), np.nan)
        known = positions >= 0
        values[positions[known]] = np.where(np.isfinite(given), given, np.nan)[known]
        return values


@dataclass(frozen=True, slots=True)
class DailyReturns:
    """Returns of stocks laid out by market day.

    Attributes
    ----------
    days
        The calendar, D days.
    securities
        Their ``security_id``, ascending, shape (S,).
    values
        Decimals, NaN where missing, shape (D, S).
    """

    days: MarketDays
    securities: Integers
    values: Floats

    @classmethod
    def of(cls, returns: pl.DataFrame, days: MarketDays) -> Self:
        """Lay out ``returns``.

        Parameters
        ----------
        returns
            Unique ``security_id, date`` with ``ret`` (decimal; null, NaN and infinite are
            missing), in any order. Returns on days the market is closed are left out.
        days
            The calendar.

        Raises
        ------
        DataError
            When a security has two returns on a day.
        """
        securities = returns["security_id"].unique().sort().to_numpy()
        shape = (len(days.days), len(securities))
        position = days.positions(returns["date"])
        column = np.searchsorted(securities, returns["security_id"].to_numpy())
        known = position >= 0
        cell = position[known] * len(securities) + column[known]
        taken = np.zeros(shape, dtype=np.bool_)
        taken.ravel()[cell] = True
        if np.count_nonzero(taken) != len(cell):
            raise DataError("a security has two returns on one day; keep one of them")
        ret = returns["ret"].cast(pl.Float64).fill_null(float("nan")).to_numpy()[known]
        values = np.full(shape, np.nan)
        values.ravel()[cell] = np.where(np.isfinite(ret), ret, np.nan)
        return cls(days, securities, values)

    def buckets(self, size: int) -> Iterator[slice]:
        """Columns of ``size`` stocks at a time."""
        for first in range(0, len(self.securities), size):
            yield slice(first, first + size)


def _number(day: date) -> int:
    return (day - _EPOCH).days
