"""Rolling regressions of daily returns on factor models, by market day."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.day_windows import day_window_moments
from factor_pipeline.compute.betas.market_days import DailyReturns
from factor_pipeline.compute.betas.models import MODELS, Model
from factor_pipeline.compute.betas.output import (
    NO_FACTORS,
    ModelRows,
    alike,
    estimate,
    statistics_of,
)
from factor_pipeline.compute.betas.windows import Flags, Floats, Integers, Moments
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import SettingsError
from factor_pipeline.months import MonthRange

WINDOW_DAYS: Final = 252
MIN_DAYS: Final = 120
DAILY_MODELS: Final = tuple(model for model in MODELS if model.name in {"CAPM", "FF3"})
"""Models whose factors the library has by day in one file."""
DAILY_LOADINGS: Final = ("mkt", "smb", "hml")
"""Loadings of these models."""

# Sums of a month of this many stocks stay in the processor's cache.
_STOCKS_AT_ONCE: Final = 512


@dataclass(frozen=True, slots=True)
class WindowEnds:
    """Windows to estimate: the days they end on, and the row that each stock's result goes to.

    Attributes
    ----------
    positions
        Market days, ascending, shape (E,).
    targets
        Row by end and stock, -1 where none is asked for; shape (E, S).
    end_of_row
        Which of the ends a row belongs to, shape (rows,).
    """

    positions: Integers
    targets: Integers
    end_of_row: Integers

    @classmethod
    def of_months(cls, returns: DailyReturns, rows: StockMonths, months: MonthRange) -> Self:
        """Windows that end with the last market days of the months of ``rows``."""
        end_of_row = np.repeat(
            [len(MonthRange(months.start, month.replace(day=1))) for month in rows.months],
            rows.counts,
        ).astype(np.int64)
        ids = rows.frame["security_id"].to_numpy()
        targets = np.full((len(months), len(returns.securities)), -1, dtype=np.int64)
        if targets.size:
            column = np.searchsorted(returns.securities, ids)
            column[column == len(returns.securities)] = 0
            known = returns.securities[column] == ids
            targets[end_of_row[known], column[known]] = np.flatnonzero(known)
        return cls(returns.days.last_of_months(months), targets, end_of_row)

    @classmethod
    def of_days(cls, returns: DailyReturns, months: MonthRange) -> Self:
        """Windows that end on the days of ``months``, of stocks that have a return on the day."""
        positions = returns.days.of_months(months)
        shown = np.isfinite(returns.values[positions])
        targets = np.full(shown.shape, -1, dtype=np.int64)
        targets[shown] = np.arange(np.count_nonzero(shown))
        return cls(positions, targets, np.nonzero(shown)[0])

    def moments(  # noqa: PLR0913, PLR0917 - what a sum is taken over
        self,
        returns: DailyReturns,
        y: Floats,
        factors: Floats,
        names: Sequence[str],
        window_days: int,
        part: slice,
    ) -> Iterator[tuple[Moments, Integers]]:
        """Moments of the windows of some stocks, ``y`` being theirs, and the rows they go to."""
        observed = np.isfinite(y) & np.isfinite(factors).all(axis=1, keepdims=True)
        for some, moments in day_window_moments(
            y, observed, factors, names, returns.days.bounds, self.positions, window_days
        ):
            yield moments, self.targets[some, part].ravel()

    def without(self, known: Flags, window_days: int) -> Flags:
        """Rows whose windows have no day that is ``known``; shape (rows,)."""
        before = np.concatenate([[0], np.cumsum(known)])
        starts = np.maximum(self.positions - window_days + 1, 0)
        none: Flags = before[self.positions + 1] == before[starts]
        return none[self.end_of_row]


def daily_betas(  # noqa: PLR0913 - inputs, and choices by keyword
    returns: DailyReturns,
    factors: pl.DataFrame,
    rows: pl.DataFrame,
    months: MonthRange,
    *,
    models: Sequence[Model] = DAILY_MODELS,
    window_days: int = WINDOW_DAYS,
    min_days: int = MIN_DAYS,
) -> pl.DataFrame:
    r"""Regress daily excess returns on factors over the market days up to each month's last.

    Parameters
    ----------
    returns
        Returns of the stocks by market day.
    factors
        Unique ``date`` with ``rf`` and the series of the models (decimals; ``mkt`` in excess of
        ``rf``), missing where null. A day without ``rf`` or a factor is no observation of the
        models that need it.
    rows
        Unique ``security_id, month_end`` to estimate, in any order.
    months
        Months of ``rows``.
    models
        Models to estimate.
    window_days
        Length of the window in market days of the calendar, not rows of the stock.
    min_days
        Fewest observations of an estimate; more than the coefficients of the largest model.

    Returns
    -------
    pl.DataFrame
        One row per model and row of ``rows``, ordered by model, month and security:
        ``security_id, month_end, model``, ``alpha`` (decimal per day), ``beta_*``, standard errors
        ``se_*``, ``t_*``, ``r2``, ``residual_volatility`` (decimal per day, n - K - 1 degrees of
        freedom), ``n`` (observations in the window) and ``reason`` (of ``DAILY_REASONS``), null for
        estimates. What is null, and when, is as in ``rolling_betas``.

    Raises
    ------
    SettingsError
        When ``min_days`` leaves a model no degree of freedom, or windows are too short.
    SchemaError
        When a column is missing.
    DataError
        When a key of ``rows`` is repeated.

    Notes
    -----
    .. math:: r_{it} - r_{ft} = \alpha_i + \sum_k \beta_{ik} f_{kt} + e_{it}

    The bits of a row depend on the days of its own window only: neither on other stocks, nor on
    the order of rows, nor on where data or months begin or end.
    """
    asked = StockMonths.of(rows, [])
    ends = WindowEnds.of_months(returns, asked, months)
    tables = _estimates(returns, factors, ends, models, window_days, min_days)
    keys = asked.frame.select("security_id", "month_end")
    return pl.concat([table.frame(keys, statistics_of(DAILY_LOADINGS)) for table in tables])


def betas_of_every_day(  # noqa: PLR0913 - inputs, and choices by keyword
    returns: DailyReturns,
    factors: pl.DataFrame,
    months: MonthRange,
    *,
    models: Sequence[Model] = DAILY_MODELS,
    window_days: int = WINDOW_DAYS,
    min_days: int = MIN_DAYS,
) -> pl.DataFrame:
    """Estimate the windows that end on every day of ``months``.

    Parameters and errors are those of ``daily_betas``.

    Returns
    -------
    pl.DataFrame
        One row per model, day and stock that has a return on the day, ordered so, with the
        columns of ``daily_betas`` and ``date`` in place of ``month_end``. On the last market day
        of a month they have the bits of its row.
    """
    ends = WindowEnds.of_days(returns, months)
    tables = _estimates(returns, factors, ends, models, window_days, min_days)
    stock = np.nonzero(ends.targets >= 0)[1]
    dates = pl.Series(returns.days.days[ends.positions]).cast(pl.Int32).cast(pl.Date)
    keys = pl.DataFrame(
        {
            "security_id": pl.Series(returns.securities[stock], dtype=pl.Int64),
            "date": dates.gather(pl.Series(ends.end_of_row, dtype=pl.UInt32)),
        }
    )
    return pl.concat([table.frame(keys, statistics_of(DAILY_LOADINGS)) for table in tables])


def _estimates(  # noqa: PLR0913, PLR0917 - inputs and choices
    returns: DailyReturns,
    factors: pl.DataFrame,
    ends: WindowEnds,
    models: Sequence[Model],
    window_days: int,
    min_days: int,
) -> list[ModelRows]:
    for model in models:
        if min_days <= model.parameters:
            raise SettingsError(
                f"min_days is {min_days}, but {model.name} has {model.parameters} "
                f"coefficients; choose at least {model.parameters + 1}"
            )
    tables = [ModelRows.of(model, len(ends.end_of_row)) for model in models]
    rf = returns.days.values(factors, ["rf"])
    with np.errstate(over="ignore", invalid="ignore"):
        for part in returns.buckets(_STOCKS_AT_ONCE):
            excess = returns.values[:, part] - rf
            for group, names in alike(tables, lambda series: returns.days.values(factors, series)):
                known = returns.days.values(factors, names)
                for moments, targets in ends.moments(
                    returns, excess, known, names, window_days, part
                ):
                    estimate(moments, targets, group, min_days)
    for table in tables:
        known = np.isfinite(returns.days.values(factors, ("rf", *table.model.series)))
        table.explain(ends.without(np.logical_and.reduce(known, axis=1), window_days), NO_FACTORS)
    return tables
