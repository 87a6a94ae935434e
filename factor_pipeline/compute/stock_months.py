"""Stock-months in the one order in which everything is counted and summed."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.errors import DataError, SchemaError

KEY = ("month_end", "security_id")


@dataclass(frozen=True, slots=True)
class StockMonths:
    """Rows of a panel sorted by month and security, and where each month begins.

    Floating-point sums depend on their order, and engines choose theirs by the size of the input.
    Sums over these rows are taken in row order within a month, so that a month gives the same bits
    alone, in any range of months and for any order of the input.

    Attributes
    ----------
    frame
        ``month_end``, ``security_id`` (unique together) and the requested columns.
    months
        Distinct ``month_end`` values, ascending; length M.
    counts
        Rows of each month, shape (M,).
    """

    frame: pl.DataFrame
    months: pl.Series
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, panel: pl.DataFrame, columns: Iterable[str]) -> Self:
        """Sort ``panel``, keeping its key and ``columns``.

        Raises
        ------
        SchemaError
            When ``panel`` lacks a column.
        DataError
            When a security has two rows in a month, or a key is null.
        """
        kept = list(dict.fromkeys((*KEY, *columns)))
        absent = sorted(set(kept) - set(panel.columns))
        if absent:
            raise SchemaError(f"stock-months lack the columns {absent}; add them to the input")
        frame = panel.select(kept)
        if sum(frame.select(KEY).null_count().row(0)):
            raise DataError("a stock-month has no month_end or no security_id; remove the row")
        if not _in_order(frame):
            frame = frame.sort(KEY)
            if not _in_order(frame):
                raise DataError("a security has two rows in one month; keep one row of each")
        runs = frame["month_end"].rle().struct.unnest()
        return cls(frame, runs["value"].alias("month_end"), runs["len"].cast(pl.Int64).to_numpy())

    def values(self, column: str) -> NDArray[np.float64]:
        """Return the column as an array of shape (rows,); NaN where null, NaN or infinite."""
        values = self.frame[column].cast(pl.Float64).to_numpy()
        return np.where(np.isfinite(values), values, np.nan)

    def segments(self) -> Iterator[slice]:
        """Rows of each month, in the order of ``months``."""
        end = 0
        for count in self.counts.tolist():
            yield slice(end, end := end + count)

    def positions(self, wanted: "StockMonths") -> NDArray[np.int64]:
        """Return the row here of each row of ``wanted``, by key; shape (rows of wanted,).

        Raises
        ------
        DataError
            When a key of ``wanted`` is not here.
        """
        positions = self.rows_in(wanted.months.to_list(), wanted)
        if (positions < 0).any():
            month = wanted.frame["month_end"][int(np.argmax(positions < 0))]
            raise DataError(
                f"a security that is assigned in {month} has no row in that month; "
                "make the assignments from the same stocks"
            )
        return positions

    def rows_in(self, months: Sequence[date], wanted: "StockMonths") -> NDArray[np.int64]:
        """Return the rows here of the securities of ``wanted``, in other months than theirs.

        Parameters
        ----------
        months
            Month to look in for each month of ``wanted``.
        wanted
            Stock-months to look up.

        Returns
        -------
        ndarray
            Shape (rows of wanted,); -1 where the security has no row in that month.
        """
        here = dict(zip(self.months, self.segments(), strict=True))
        own_ids = self.frame["security_id"].to_numpy()
        wanted_ids = wanted.frame["security_id"].to_numpy()
        positions = np.full(len(wanted_ids), -1, dtype=np.int64)
        for month, segment in zip(months, wanted.segments(), strict=True):
            rows = here.get(month, slice(0, 0))
            ids = own_ids[rows]
            if not len(ids):
                continue
            # Ids ascend within a month on both sides; a join of the whole frames is far slower.
            found = np.minimum(np.searchsorted(ids, wanted_ids[segment]), len(ids) - 1)
            known = ids[found] == wanted_ids[segment]
            positions[segment] = np.where(known, rows.start + found, -1)
        return positions


def _in_order(frame: pl.DataFrame) -> bool:
    """Whether each row's key is above the one before; equal keys are not."""
    month, security = frame["month_end"].to_physical().to_numpy(), frame["security_id"].to_numpy()
    later, same = month[1:] > month[:-1], month[1:] == month[:-1]
    return bool(np.all(later | (same & (security[1:] > security[:-1]))))
