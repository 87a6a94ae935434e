"""Rolling regressions of every stock on factor models, by calendar month."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

import numpy as np
import polars as pl

from factor_pipeline.compute.betas.models import MODELS, Model
from factor_pipeline.compute.betas.output import ModelRows, alike, estimate
from factor_pipeline.compute.betas.windows import Floats, Integers, window_moments
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError, SchemaError, SettingsError
from factor_pipeline.months import MonthRange

WINDOW_MONTHS: Final = 60
MIN_MONTHS: Final = 24

# Sums of this many stocks at a time stay in the processor's cache.
_STOCKS_AT_ONCE: Final = 256


def rolling_betas(  # noqa: PLR0913 - inputs, and choices by keyword
    panel: pl.DataFrame,
    factors: pl.DataFrame,
    months: MonthRange,
    *,
    models: Sequence[Model] = MODELS,
    window_months: int = WINDOW_MONTHS,
    min_months: int = MIN_MONTHS,
) -> pl.DataFrame:
    r"""Regress excess returns on factors over the calendar window that ends with each month.

    Parameters
    ----------
    panel
        Unique ``month_end, security_id`` with ``ret`` (decimal; null, NaN and infinite are
        missing), in any order. A window of month t uses rows of t - ``window_months`` + 1 to t;
        what lies outside the windows of ``months`` is not used.
    factors
        Unique ``month_end`` with ``rf`` and the series of the models (decimals; ``mkt`` in excess
        of ``rf``), missing where null. A month without ``rf`` or a factor is no observation of the
        models that need it.
    months
        Months to estimate, ``t``.
    models
        Models to estimate.
    window_months
        Length of the window in calendar months, at least 2.
    min_months
        Fewest observations of an estimate; more than the coefficients of the largest model.

    Returns
    -------
    pl.DataFrame
        One row per model and row of ``panel`` in ``months``, ordered by model, month and security:
        ``security_id, month_end, model``, ``alpha`` (decimal per month), ``beta_*``, standard
        errors ``se_*``, ``t_*``, ``r2``, ``residual_volatility`` (decimal per month, n - K - 1
        degrees of freedom), ``n`` (observations in the window) and ``reason`` (of ``REASONS``),
        null for estimates. Loadings a model does not have are null; so are all estimates with a
        reason, ``r2`` of returns that do not vary and ``t_*`` of an exact fit.

    Raises
    ------
    SettingsError
        When ``min_months`` leaves a model no degree of freedom.
    SchemaError
        When a column is missing.
    DataError
        When a key of ``panel`` or ``factors`` is repeated.

    Notes
    -----
    .. math:: r_{it} - r_{ft} = \alpha_i + \sum_k \beta_{ik} f_{kt} + e_{it}

    The bits of a row depend on the returns and factors of its own window only: neither on other
    stocks, nor on the order of rows, nor on the other months computed with it.
    """
    for model in models:
        if min_months <= model.parameters:
            raise SettingsError(
                f"min_months is {min_months}, but {model.name} has {model.parameters} "
                f"coefficients; choose at least {model.parameters + 1}"
            )
    stocks = StockMonths.of(panel, ["ret"])
    rows = _Rows.of(stocks, months)
    calendar = _Calendar.of(factors, months, models, window_months)
    keys = stocks.frame.select("security_id", "month_end").slice(rows.first, rows.count)
    tables = [ModelRows.of(model, keys.height) for model in models]
    with np.errstate(over="ignore", invalid="ignore"):
        for block in _blocks(months, window_months):
            _estimate(block, rows, calendar, tables, min_months)
    return pl.concat([table.frame(keys) for table in tables])


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows of the panel as arrays, sorted by month and security.

    The ``count`` rows from ``first`` on belong to the months to estimate.
    """

    month: Integers
    security: Integers
    ret: Floats
    first: int
    count: int

    @classmethod
    def of(cls, stocks: StockMonths, months: MonthRange) -> Self:
        numbers = np.array([_month_number(day) for day in stocks.months], dtype=np.int64)
        month = np.repeat(numbers, stocks.counts)
        security = stocks.frame["security_id"].to_numpy()
        bounds = [_month_number(months.start), _month_number(months.end)]
        first, end = np.searchsorted(month, bounds).tolist()
        return cls(month, security, stocks.values("ret"), first, end - first)

    def between(self, start: int, end: int) -> slice:
        """Rows of the months from ``start`` to before ``end``."""
        first, last = np.searchsorted(self.month, [start, end]).tolist()
        return slice(first, last)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """Factors by month from ``start`` on, NaN where missing; ``values`` is months x series."""

    start: int
    names: tuple[str, ...]
    values: Floats

    @classmethod
    def of(
        cls, factors: pl.DataFrame, months: MonthRange, models: Sequence[Model], window: int
    ) -> Self:
        names = ("rf", *dict.fromkeys(series for model in models for series in model.series))
        absent = sorted({"month_end", *names} - set(factors.columns))
        if absent:
            raise SchemaError(f"the factors lack the columns {absent}; add them to the input")
        if factors["month_end"].is_duplicated().any():
            raise DataError("the factors have two rows in one month; keep one row of each")
        # Two whole blocks are looked at, whatever part of them the windows need.
        start = (_month_number(months.start) // window - 1) * window
        values = np.full((_month_number(months.end) - start + window, len(names)), np.nan)
        needed = factors.filter(
            pl.col("month_end") < months.end,
            pl.col("month_end") >= months.widened(back=window - 1).start,
        )
        number = np.array([_month_number(day) for day in needed["month_end"]], dtype=np.int64)
        given = needed.select(pl.col(names).cast(pl.Float64)).to_numpy()
        values[number - start] = np.where(np.isfinite(given), given, np.nan)
        return cls(start, names, values)

    def of_block(self, block: "_Block", names: Sequence[str]) -> Floats:
        """Series in the two blocks, shape (2 W, series)."""
        first = block.start - block.size - self.start
        columns = [self.names.index(name) for name in names]
        return self.values[first : first + 2 * block.size, columns]


@dataclass(frozen=True, slots=True)
class _Block:
    """A block that windows end in: its first month, its length, positions of the ends."""

    start: int
    size: int
    ends: range


def _blocks(months: MonthRange, window: int) -> Iterator[_Block]:
    first, end = _month_number(months.start), _month_number(months.end)
    for start in range(first // window * window, end, window):
        yield _Block(start, window, range(max(first - start, 0), min(end - start, window)))


def _estimate(
    block: _Block, rows: _Rows, calendar: _Calendar, tables: list[ModelRows], min_months: int
) -> None:
    """Fill the rows whose windows end in a block."""
    end = block.start + block.ends.stop
    ends = rows.between(block.start + block.ends.start, end)
    if ends.start == ends.stop:
        return
    used = rows.between(block.start + block.ends.start - block.size + 1, end)
    excess, targets = _grids(rows, used, ends, block)
    excess -= calendar.of_block(block, ["rf"])
    for group, names in alike(tables, lambda series: calendar.of_block(block, series)):
        factors = calendar.of_block(block, names)
        observed = np.isfinite(excess) & np.isfinite(factors).all(axis=1, keepdims=True)
        for first in range(0, excess.shape[1], _STOCKS_AT_ONCE):
            part = slice(first, first + _STOCKS_AT_ONCE)
            moments = window_moments(excess[:, part], observed[:, part], factors, names, block.ends)
            estimate(moments, targets[:, part].ravel(), group, min_months)


def _grids(rows: _Rows, used: slice, ends: slice, block: _Block) -> tuple[Floats, Integers]:
    """Lay out two blocks by month and stock: returns (NaN: none), rows of the ends (-1: none)."""
    securities = np.unique(rows.security[ends])
    shape = (2 * block.size, len(securities))
    column = np.searchsorted(securities, rows.security[used])
    column[column == len(securities)] = 0
    cell = (rows.month[used] - (block.start - block.size)) * len(securities) + column
    targets = np.full(shape, -1, dtype=np.int64)
    asked = slice(ends.start - used.start, ends.stop - used.start)
    targets.ravel()[cell[asked]] = np.arange(ends.start - rows.first, ends.stop - rows.first)
    known = np.flatnonzero(securities[column] == rows.security[used])
    returns = np.full(shape, np.nan)
    returns.ravel()[cell[known]] = rows.ret[used][known]
    first = block.size + block.ends.start
    return returns, targets[first : first + len(block.ends)]


def _month_number(day: date) -> int:
    return day.year * 12 + day.month - 1
