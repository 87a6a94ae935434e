"""Rules of days on which nothing happens: no trade, no new price, no adjusted close."""

import numpy as np
import polars as pl

from factor_pipeline.compute.quality.days import Flags, Integers, PriceDays
from factor_pipeline.compute.quality.found import found


def stale_price(days: PriceDays, threshold: float) -> pl.DataFrame:
    """Find runs of ``threshold`` rows or more with the very same close, known on that row."""
    same = (np.diff(days.close, prepend=np.nan) == 0) & (days.gap > 0)
    starts, lengths = _runs(~same)
    fewest = int(threshold)
    first = starts[lengths >= fewest]
    return found(
        "stale_price",
        days,
        first,
        known_day=days.day[first + fewest - 1],
        figure=days.close[first],
        detail=f"close of {fewest} days in a row",
    )


def zero_volume(days: PriceDays) -> pl.DataFrame:
    """First rows of runs on which no share was traded."""
    rows = _beginnings(days, days.volume == 0)
    return found("zero_volume", days, rows, figure=0.0, detail="shares traded")


def adjusted_close_missing(days: PriceDays) -> pl.DataFrame:
    """First rows of runs without an adjusted close."""
    rows = _beginnings(days, np.isnan(days.adjusted))
    detail = "first of the rows without an adjusted close"
    return found("adjusted_close_missing", days, rows, figure=np.nan, detail=detail)


def _runs(begins: Flags) -> tuple[Integers, Integers]:
    starts = np.flatnonzero(begins)
    return starts, np.diff(starts, append=len(begins))


def _beginnings(days: PriceDays, holds: Flags) -> Integers:
    """Rows on which ``holds``, and not on the row before of the series."""
    rows = np.flatnonzero(holds)
    before = holds[np.maximum(rows - 1, 0)] & (days.gap[rows] > 0)
    return rows[~before]
