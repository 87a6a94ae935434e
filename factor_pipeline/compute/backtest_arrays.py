"""Frames to arrays and back, for the backtest: strategies and securities get dense codes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from factor_pipeline.compute.accounting import (
    Book,
    Booleans,
    Floats,
    Integers,
    Positions,
    Results,
)
from factor_pipeline.compute.ordering import codes_in
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
        cls, strategies: Sequence[str], months: MonthRange, held: Sequence[pl.Series]
    ) -> "Codes":
        """Codes for ``strategies`` and every security of the series in ``held``."""
        names = pl.Series("strategy", sorted(strategies), dtype=pl.String)
        return cls(names, pl.concat(held).unique().sort(), months)

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

    def strategy(self, names: Sequence[str]) -> Integers:
        """Code of each name."""
        return self.strategies.search_sorted(pl.Series(names)).cast(pl.Int64).to_numpy()

    def security(self, frame: pl.DataFrame) -> Integers:
        """Code of each row's security, which must be one that can be held."""
        return codes_in(self.securities, frame["security_id"])

    def holdable(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of securities that can be held."""
        if frame["security_id"].unique().sort().equals(self.securities):
            return frame
        return frame.filter(pl.col("security_id").is_in(self.securities.implode()))

    def matrix(self, frame: pl.DataFrame, column: str, *, what: str) -> tuple[Floats, Booleans]:
        """Values of a column by month and security, NaN where null, and which have a row.

        Raises
        ------
        DataError
            When a security has two rows in a month.
        """
        rows = self.holdable(frame)
        cell = self.month(rows), self.security(rows)
        shape = (len(self.months), len(self.securities))
        is_known = np.zeros(shape, dtype=np.bool_)
        is_known[cell] = True
        if is_known.sum() < rows.height:
            raise DataError(f"{what} repeat a security and month; keep one row of each")
        values = np.full(shape, np.nan)
        values[cell] = rows[column].to_numpy()
        return values, is_known

    def books(self, frame: pl.DataFrame, names: Sequence[str]) -> dict[int, Book]:
        """Books of some strategies, by the code of their month.

        Parameters
        ----------
        frame
            ``strategy``, ``security_id``, ``month_end``, ``weight``; other strategies are ignored.
        names
            In the order the books have.

        Raises
        ------
        DataError
            When a strategy has two weights for a security and month.
        """
        mine = frame.filter(pl.col("strategy").is_in(names))
        place = {name: code for code, name in enumerate(names)}
        order = (
            pl.DataFrame(
                {
                    "month": self.month(mine),
                    "place": mine["strategy"].replace_strict(place, return_dtype=pl.Int64),
                    "security": self.security(mine),
                    "weight": mine["weight"],
                }
            )
            .sort("month", "place", "security")
            .partition_by("month", as_dict=True, include_key=False, maintain_order=True)
        )
        books = {}
        for (month,), rows in order.items():
            if rows.select("place", "security").is_duplicated().any():
                raise DataError(
                    "targets repeat a strategy, security and month; keep one row of each"
                )
            lengths = np.bincount(rows["place"].to_numpy(), minlength=len(names))
            books[int(month)] = Book(
                lengths.astype(np.int64), rows["security"].to_numpy(), rows["weight"].to_numpy()
            )
        return books


Held = tuple[int, Integers, Positions]
"""Code of a month, codes of some strategies, their positions in it."""
Told = tuple[int, Integers, Results]
"""Code of a month, codes of some strategies, their results in it."""


def positions_frame(codes: Codes, parts: Sequence[Held], returns: Floats) -> pl.DataFrame:
    """``strategy``, ``security_id``, ``month_end`` and the fields of positions, by month.

    Parameters
    ----------
    codes
        What the codes stand for.
    parts
        In any order.
    returns
        Total returns by month and security; ``ret`` is null where NaN and where nothing is held.
    """
    sizes = [positions.security.size for _, _, positions in parts]
    columns: dict[str, list[npt.NDArray[Any]]] = {
        "strategy": [np.repeat(names, positions.lengths) for _, names, positions in parts],
        **{
            name: [getattr(positions, name) for _, _, positions in parts]
            for name in Positions.__slots__
            if name != "lengths"
        },
    }
    schema = {"strategy": pl.Int64, "security": pl.Int64, "exited": pl.Boolean}
    month = np.repeat(np.array([month for month, _, _ in parts], dtype=np.int64), sizes)
    frame = pl.DataFrame(
        {
            "month": month,
            **{
                name: pl.Series(
                    name,
                    np.concatenate(arrays) if arrays else [],
                    dtype=schema.get(name, pl.Float64),
                )
                for name, arrays in columns.items()
            },
        }
    ).sort("month", "strategy", "security")
    ret = returns[frame["month"].to_numpy(), frame["security"].to_numpy()]
    held = pl.when(pl.col("weight") != 0)
    return frame.with_columns(
        strategy=codes.strategies.gather(frame["strategy"]),
        security_id=codes.securities.gather(frame["security"]),
        month_end=codes.month_ends.gather(frame["month"]),
        ret=held.then(pl.Series(ret, dtype=pl.Float64).fill_nan(None)),
    )


def results_frame(codes: Codes, parts: Sequence[Told], cash_ret: pl.Series) -> pl.DataFrame:
    """``strategy``, ``month_end``, ``cash_ret`` and the fields of results, by month."""
    schema = {"n": pl.Int64, "rebalanced": pl.Boolean}
    figures = {
        name: [getattr(results, name) for _, _, results in parts] for name in Results.__slots__
    }
    sizes = [names.size for _, names, _ in parts]
    month = np.repeat(np.array([month for month, _, _ in parts], dtype=np.int64), sizes)
    strategy = np.concatenate([np.zeros(0, dtype=np.int64), *(names for _, names, _ in parts)])
    frame = pl.DataFrame(
        {
            "month": month,
            "strategy": strategy,
            **{
                name: pl.Series(
                    name,
                    np.concatenate(arrays) if arrays else [],
                    dtype=schema.get(name, pl.Float64),
                )
                for name, arrays in figures.items()
            },
        }
    ).sort("month", "strategy")
    return frame.with_columns(
        pl.col(pl.Float64).fill_nan(None),
        strategy=codes.strategies.gather(frame["strategy"]),
        month_end=codes.month_ends.gather(frame["month"]),
        cash_ret=cash_ret.gather(frame["month"]),
    )


def code_of_month(month: date, months: MonthRange) -> int:
    """Months from the start of ``months`` to ``month``."""
    return (month.year - months.start.year) * _MONTHS_PER_YEAR + month.month - months.start.month


def _of_runs(values: pl.Series, code: Callable[[pl.Series], pl.Series]) -> Integers:
    """Code of each value; sorted frames repeat one many times, so only runs are looked up."""
    runs = values.rle().struct
    codes = code(runs.field("value")).cast(pl.Int64).to_numpy()
    return np.repeat(codes, runs.field("len").to_numpy())
