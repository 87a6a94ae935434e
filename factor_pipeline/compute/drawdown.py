"""Drawdowns: how far and how long wealth was below its last high."""

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

DRAWDOWN_SCHEMA = pl.Schema(
    {
        "strategy": pl.String(),
        "depth": pl.Float64(),
        "peak": pl.Date(),
        "trough": pl.Date(),
        "recovery": pl.Date(),
    }
)


def drawdowns(returns: pl.DataFrame) -> pl.DataFrame:
    r"""Every spell of monthly wealth below its last high.

    Parameters
    ----------
    returns
        Unique ``strategy``, ``month_end`` with ``net`` (decimal). Months without a return are
        left out: wealth stays as it is.

    Returns
    -------
    pl.DataFrame
        One row per spell, by strategy and time: ``depth`` (decimal, below 0), ``peak`` (last
        month-end at the high; the day the first month begins from when wealth fell at once),
        ``trough`` (first month-end at the lowest wealth), ``recovery`` (first month-end at or above
        the high again, null if not yet).

    Notes
    -----
    .. math:: W_0 = 1, \quad W_t = W_{t-1} (1 + r_t), \quad
              depth = \min_t W_t / \max_{s \le t} W_s - 1 .
    """
    known = returns.filter(pl.col("net").is_finite()).sort("strategy", "month_end")
    rows = []
    for (name,), one in known.group_by("strategy", maintain_order=True):
        wealth = np.multiply.accumulate(1.0 + one["net"].to_numpy())
        days = one["month_end"].to_list()
        rows += [(name, *spell) for spell in _spells(wealth, days, days[0].replace(day=1))]
    return pl.DataFrame(rows, schema=DRAWDOWN_SCHEMA, orient="row")


def daily_drawdowns(values: pl.DataFrame) -> pl.DataFrame:
    """Every spell of daily wealth below its last high.

    Parameters
    ----------
    values
        Unique ``strategy``, ``date`` with ``month_end`` (of that day) and ``value`` (at its close
        of 1 at the start of the month; of the last day the whole month's). Months without rows are
        left out.

    Returns
    -------
    pl.DataFrame
        As from `drawdowns`, with days in place of month ends.
    """
    known = values.sort("strategy", "date")
    rows = []
    for (name,), one in known.group_by("strategy", maintain_order=True):
        value, days = one["value"].to_numpy(), one["date"].to_list()
        lengths = one["month_end"].rle().struct.field("len").to_numpy()
        whole = value[np.cumsum(lengths) - 1]
        before = np.concatenate([[1.0], np.cumprod(whole)[:-1]])
        wealth = np.repeat(before, lengths) * value
        rows += [(name, *spell) for spell in _spells(wealth, days, days[0].replace(day=1))]
    return pl.DataFrame(rows, schema=DRAWDOWN_SCHEMA, orient="row")


def _spells(
    levels: npt.NDArray[np.float64], dates: list[date], first_day: date
) -> list[tuple[float, date, date, date | None]]:
    """Depth, peak, trough and recovery of each spell of wealth that was 1 before ``first_day``."""
    wealth = np.concatenate([[1.0], levels])
    days = [first_day - timedelta(days=1), *dates]
    is_below = wealth < np.maximum.accumulate(wealth)
    # Wealth starts at a high, so edges come in pairs once an open end is closed.
    edges = np.flatnonzero(np.diff(is_below, append=False)).tolist()
    spells = []
    for peak, last in zip(edges[::2], edges[1::2], strict=True):
        trough = peak + 1 + int(np.argmin(wealth[peak + 1 : last + 1]))
        depth = float(wealth[trough] / wealth[peak] - 1.0)
        recovery = days[last + 1] if last + 1 < len(days) else None
        spells.append((depth, days[peak], days[trough], recovery))
    return spells
