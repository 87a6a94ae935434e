"""Frames to arrays and back, for the backtest: strategies and securities get dense codes."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import numpy as np
import polars as pl

from factor_pipeline.compute.accounting import Book, Integers, Market, Positions
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True)
class Codes:
    """What dense codes stand for; all codes count from 0.

    Attributes
    ----------
    strategies
        Names, ascending.
    securities
        Identifiers of the securities that can be held, ascending.
    months
        Months of the run.
    """

    strategies: pl.Series
    securities: pl.Series
    months: MonthRange

    @classmethod
    def of(
        cls, strategies: Sequence[str], months: MonthRange, held: Sequence[pl.DataFrame]
    ) -> "Codes":
        """Codes for ``strategies`` and every ``security_id`` of the frames in ``held``."""
        names = pl.Series("strategy", sorted(strategies), dtype=pl.String)
        securities = pl.concat([frame["security_id"] for frame in held]).unique().sort()
        return cls(names, securities, months)

    @property
    def month_ends(self) -> pl.Series:
        """Last calendar day of each month of the run."""
        days = [
            add_months(self.months.start, code + 1) - timedelta(days=1)
            for code in range(len(self.months))
        ]
        return pl.Series("month_end", days, dtype=pl.Date)

    def month(self, frame: pl.DataFrame) -> Integers:
        """Code of each row's month; below 0 before the run."""
        first = self.months.start.year * _MONTHS_PER_YEAR + self.months.start.month

        def code(ends: pl.Series) -> pl.Series:
            return ends.dt.year().cast(pl.Int64) * _MONTHS_PER_YEAR + ends.dt.month() - first

        return _of_runs(frame["month_end"], code)

    def book(self, frame: pl.DataFrame) -> Book:
        """Book of one month's ``strategy``, ``security_id``, ``weight``, all with codes."""
        key = self._key(frame)
        order = np.argsort(key)
        return Book(key[order], frame["weight"].to_numpy()[order])

    def monthly_books(self, targets: pl.DataFrame) -> Iterator[Book]:
        """Book of targets of each month of the run; empty where there are none.

        Raises
        ------
        DataError
            When a strategy has two targets for a security and month.
        """
        size = len(self.strategies) * len(self.securities)
        month = self.month(targets)
        place = month * size + self._key(targets)
        # Timsort: targets come as sorted runs, one per strategy.
        order = np.argsort(place, kind="stable")
        place, weight = place[order], targets["weight"].to_numpy()[order]
        if (np.diff(place) == 0).any():
            raise DataError("targets repeat a strategy, security and month; keep one row of each")
        edges = np.searchsorted(place, np.arange(len(self.months) + 1) * size).tolist()
        for code, (start, end) in enumerate(pairwise(edges)):
            yield Book(place[start:end] - code * size, weight[start:end])

    def markets(
        self, returns: pl.DataFrame, delistings: pl.DataFrame, cash_ret: pl.Series
    ) -> Iterator[Market]:
        """Market of each month of the run.

        Parameters
        ----------
        returns
            ``security_id``, ``month_end``, ``ret`` of all securities, months of the run only.
        delistings
            ``security_id``, ``month_end`` of these months.
        cash_ret
            One per month; null counts as 0.

        Raises
        ------
        DataError
            When a security that can be held has two returns in a month.
        """
        shape = (len(self.months), len(self.securities))
        with_return = returns.filter(pl.col("ret").is_not_null()).select(
            pl.col("month_end").unique()
        )
        observed = np.zeros(len(self.months), dtype=np.bool_)
        observed[self.month(with_return)] = True
        holdable = self._holdable(returns)
        cell = self.month(holdable), self._security(holdable)
        is_known = np.zeros(shape, dtype=np.bool_)
        is_known[cell] = True
        if is_known.sum() < holdable.height:
            raise DataError("returns repeat a security and month; keep one row of each")
        ret = np.full(shape, np.nan)
        ret[cell] = holdable["ret"].to_numpy()
        leaving = self._holdable(delistings)
        delisted = np.zeros(shape, dtype=np.bool_)
        delisted[self.month(leaving), self._security(leaving)] = True
        for code, rate in enumerate(cash_ret.fill_null(0.0)):
            yield Market(ret[code], delisted[code], rate, is_observed=bool(observed[code]))

    def positions(self, parts: Sequence[tuple[int, Positions]]) -> pl.DataFrame:
        """``strategy``, ``security_id``, ``month_end`` and the fields of positions.

        Parameters
        ----------
        parts
            At least one, each with the code of its month; order is kept. NaN becomes null.
        """
        sizes = [part.key.size for _, part in parts]
        month = np.repeat(np.array([code for code, _ in parts], dtype=np.int64), sizes)
        fields = {
            name: np.concatenate([getattr(part, name) for _, part in parts])
            for name in Positions.__slots__
        }
        strategy, security = np.divmod(fields.pop("key"), max(len(self.securities), 1))
        return pl.DataFrame(
            {
                "strategy": self.strategies.gather(strategy),
                "security_id": self.securities.gather(security),
                "month_end": self.month_ends.gather(month),
                **fields,
            }
        ).with_columns(pl.col("ret").fill_nan(None))

    def _key(self, frame: pl.DataFrame) -> Integers:
        strategy = _of_runs(frame["strategy"], self.strategies.search_sorted)
        return strategy * len(self.securities) + self._security(frame)

    def _security(self, frame: pl.DataFrame) -> Integers:
        return self.securities.search_sorted(frame["security_id"]).cast(pl.Int64).to_numpy()

    def _holdable(self, frame: pl.DataFrame) -> pl.DataFrame:
        return frame.filter(pl.col("security_id").is_in(self.securities.implode()))


def _of_runs(values: pl.Series, code: Callable[[pl.Series], pl.Series]) -> Integers:
    """Code of each value; sorted frames repeat one many times, so only runs are looked up."""
    runs = values.rle().struct
    codes = code(runs.field("value")).cast(pl.Int64).to_numpy()
    return np.repeat(codes, runs.field("len").to_numpy())
