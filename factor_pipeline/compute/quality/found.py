"""What a rule finds, in the columns of ``quality.flag`` that the rule itself knows."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.quality.days import PriceDays

FOUND: Final = pl.Schema(
    {
        "rule": pl.String,
        "subject": pl.String,
        "fault_date": pl.Date,
        "known_date": pl.Date,
        "figure": pl.Float64,
        "expected": pl.Float64,
        "detail": pl.String,
    }
)

Numbers = NDArray[np.float64] | Sequence[float] | float


def found(  # noqa: PLR0913 - the columns of a flag, by keyword
    rule: str,
    days: PriceDays,
    rows: NDArray[np.integer],
    *,
    fault_day: NDArray[np.integer] | None = None,
    known_day: NDArray[np.integer] | None = None,
    figure: Numbers,
    expected: Numbers | None = None,
    detail: str,
) -> pl.DataFrame:
    """Make flags of some ``rows``; fault and known day are those of the rows unless told.

    Parameters
    ----------
    rule
        Its name.
    days, rows
        Where the rows are, and which, shape (F,).
    fault_day, known_day
        Days since 1970-01-01, shape (F,).
    figure, expected
        Shape (F,) or one number; NaN and infinite become null.
    detail
        What ``figure`` and ``expected`` are.

    Returns
    -------
    pl.DataFrame
        Columns `FOUND`, in the order of ``rows``.
    """
    own = days.day[rows]
    return pl.DataFrame(
        {
            "rule": [rule] * len(rows),
            "subject": [days.names[series] for series in days.series[rows]],
            "fault_date": _dates(own if fault_day is None else fault_day),
            "known_date": _dates(own if known_day is None else known_day),
            "figure": _column(figure, len(rows)),
            "expected": _column(np.nan if expected is None else expected, len(rows)),
            "detail": [detail] * len(rows),
        },
        schema=FOUND,
    )


def _dates(day: NDArray[np.integer]) -> pl.Series:
    return pl.Series(day.astype(np.int32), dtype=pl.Int32).cast(pl.Date)


def _column(values: Numbers, length: int) -> pl.Series:
    numbers = np.broadcast_to(np.asarray(values, dtype=np.float64), (length,))
    column = pl.Series(numbers)
    return column.set(~column.is_finite(), None)
