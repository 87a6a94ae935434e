"""Market betas for stocks that trade late, and volatilities, from daily returns."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.daily import MIN_DAYS, WINDOW_DAYS, WindowEnds
from factor_pipeline.compute.betas.market_days import LONGEST_WINDOW_DAYS, DailyReturns
from factor_pipeline.compute.betas.output import COLLINEAR, NO_FACTORS, OVERFLOW, TOO_FEW
from factor_pipeline.compute.betas.regression import (
    correlation,
    deviation_ratio,
    least_squares,
    standard_deviation,
)
from factor_pipeline.compute.betas.windows import Flags, Floats, Integers, Moments
from factor_pipeline.compute.logarithms import log_growth
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import SettingsError
from factor_pipeline.months import MonthRange

CORRELATION_DAYS: Final = LONGEST_WINDOW_DAYS
MIN_CORRELATION_DAYS: Final = 750
VOLATILITY_DAYS: Final = 252
MIN_VOLATILITY_DAYS: Final = 120

NO_VARIATION: Final = "no_variation"
REASONS: Final = (TOO_FEW, COLLINEAR, OVERFLOW, NO_FACTORS, NO_VARIATION)
"""Why a figure is missing."""

Windows = Iterable[tuple[Moments, Integers]]
Statistic = Callable[[Moments], tuple[Floats, Flags, str]]
"""What is made of the moments of windows, where it cannot be, and why not."""

_DIMSON: Final = ("lag", "current", "lead")
_MARKET: Final = ("market",)
_SHRINKAGE: Final = 0.6
_PRIOR: Final = 1.0
_STOCKS_AT_ONCE: Final = 512


def market_betas(  # noqa: PLR0913 - inputs, and choices by keyword
    returns: DailyReturns,
    factors: pl.DataFrame,
    rows: pl.DataFrame,
    months: MonthRange,
    *,
    window_days: int = WINDOW_DAYS,
    min_days: int = MIN_DAYS,
) -> pl.DataFrame:
    r"""Betas of Dimson and of Frazzini and Pedersen, and volatilities, at each month's end.

    The market's return is ``mkt + rf``; stocks' returns are total returns too. All days are market
    days, and nothing after a month's last market day, :math:`T`, is used.

    Parameters
    ----------
    returns
        Returns of the stocks by market day.
    factors
        Unique ``date`` with ``mkt`` (in excess of ``rf``) and ``rf``, decimals, missing where null.
    rows
        Unique ``security_id, month_end`` to estimate, in any order.
    months
        Months of ``rows``.
    window_days, min_days
        Window of the Dimson beta, and its fewest observations.

    Returns
    -------
    pl.DataFrame
        One row per row of ``rows``, ordered by month and security.

        ``beta_dimson``: sum of the coefficients of the market of the day before, the day and the
        day after. The last day that is explained is :math:`T - 1`, whose day after is
        :math:`T`; the first is :math:`T` - ``window_days``. ``n_dimson`` of them count: those
        with a return and three of the market.

        ``beta_frazzini_pedersen``: 0.6 times the correlation of three-day log returns times the
        ratio of volatilities, plus 0.4. ``correlation``: of the sums of the log returns of a day
        and the two before it, on the last 1,260 days, at least 750 (``n_correlation``). The ratio
        is that of the standard deviations of log returns in the last 252 days, at least 120, both
        of the days on which stock and market have one.

        ``volatility_252d``: standard deviation (n - 1) of simple returns in the last 252 days, at
        least 120 (``n_volatility``), times the square root of 252.

        ``reason_dimson``, ``reason_frazzini_pedersen``, ``reason_volatility``: one of ``REASONS``
        where the figure is null, else null.

    Raises
    ------
    SettingsError
        When ``min_days`` leaves the Dimson regression no degree of freedom, or windows are too
        short.
    SchemaError
        When a column is missing.
    DataError
        When a key of ``rows`` is repeated.

    Notes
    -----
    .. math:: \hat\beta^{FP}_i = 0.6\, \hat\rho_i \frac{\hat\sigma_i}{\hat\sigma_m} + 0.4

    The bits of a row depend on the days of its own windows only.

    References
    ----------
    Dimson (1979), *Risk measurement when shares are subject to infrequent trading*, Journal of
    Financial Economics 7. Frazzini and Pedersen (2014), *Betting against beta*, Journal of
    Financial Economics 111, section 3.1. Ang, Hodrick, Xing and Zhang (2006), *The cross-section of
    volatility and expected returns*, Journal of Finance 61.
    """
    if min_days <= 1 + len(_DIMSON):
        raise SettingsError(
            f"min_days is {min_days}, but the Dimson regression has {1 + len(_DIMSON)} "
            f"coefficients; choose at least {2 + len(_DIMSON)}"
        )
    asked = StockMonths.of(rows, [])
    ends = WindowEnds.of_months(returns, asked, months)
    values = returns.days.values(factors, ["mkt", "rf"])
    market = values[:, 0] + values[:, 1]
    dimson, fp_correlation, fp_ratio, volatility = (
        _Figure.of(asked.frame.height) for _ in range(4)
    )
    no_market = np.empty((len(market), 0))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        log_market = log_growth(market)
        for part in returns.buckets(_STOCKS_AT_ONCE):
            ret = returns.values[:, part]
            log_ret = log_growth(ret)

            def windows(
                y: Floats, x: Floats, names: tuple[str, ...], days: int, part: slice = part
            ) -> Windows:
                return ends.moments(returns, y, x, names, days, part)

            dimson.fill(
                windows(_later(ret, 1), _around(market), _DIMSON, window_days), min_days, _dimson
            )
            fp_correlation.fill(
                windows(
                    _three_days(log_ret),
                    _three_days(log_market)[:, None],
                    _MARKET,
                    CORRELATION_DAYS,
                ),
                MIN_CORRELATION_DAYS,
                _correlation,
            )
            fp_ratio.fill(
                windows(log_ret, log_market[:, None], _MARKET, VOLATILITY_DAYS),
                MIN_VOLATILITY_DAYS,
                _ratio,
            )
            volatility.fill(
                windows(ret, no_market, (), VOLATILITY_DAYS), MIN_VOLATILITY_DAYS, _annual
            )
    known = np.isfinite(market)
    dimson.explain(ends.without(known, window_days), NO_FACTORS)
    fp_correlation.explain(ends.without(known, CORRELATION_DAYS), NO_FACTORS)
    fp_ratio.explain(ends.without(known, VOLATILITY_DAYS), NO_FACTORS)
    beta = _SHRINKAGE * fp_correlation.values * fp_ratio.values + (1 - _SHRINKAGE) * _PRIOR
    return asked.frame.select("security_id", "month_end").with_columns(
        _column("beta_dimson", dimson.values),
        pl.Series("n_dimson", dimson.n),
        dimson.reason("reason_dimson"),
        _column("beta_frazzini_pedersen", beta),
        _column("correlation", fp_correlation.values),
        pl.Series("n_correlation", fp_correlation.n),
        fp_correlation.reason("reason_frazzini_pedersen").fill_null(
            fp_ratio.reason("reason_frazzini_pedersen")
        ),
        _column("volatility_252d", volatility.values),
        pl.Series("n_volatility", volatility.n),
        volatility.reason("reason_volatility"),
    )


@dataclass(frozen=True, slots=True)
class _Figure:
    """One number per row, NaN where unknown; its observations; why it is unknown."""

    values: Floats
    n: NDArray[np.int32]
    codes: NDArray[np.uint32]

    @classmethod
    def of(cls, rows: int) -> Self:
        codes = np.full(rows, _code(TOO_FEW), dtype=np.uint32)
        return cls(np.full(rows, np.nan), np.zeros(rows, dtype=np.int32), codes)

    def fill(self, windows: Windows, minimum: int, of: Statistic) -> None:
        """Fill the rows of windows with ``minimum`` observations or more."""
        for moments, targets in windows:
            wanted = targets >= 0
            self.n[targets[wanted]] = moments.count[wanted]
            enough = np.flatnonzero(wanted & (moments.count >= minimum))
            rows = targets[enough]
            numbers, without, reason = of(moments.of(enough))
            usable = np.isfinite(numbers) & ~without
            self.values[rows] = np.where(usable, numbers, np.nan)
            failure = np.where(without, _code(reason), _code(OVERFLOW))
            self.codes[rows] = np.where(usable, 0, failure)

    def explain(self, rows: Flags, reason: str) -> None:
        self.codes[rows] = _code(reason)

    def reason(self, name: str) -> pl.Series:
        reasons = pl.Series(name, [None, *REASONS], dtype=pl.String)
        return reasons.gather(pl.Series(self.codes))


def _dimson(moments: Moments) -> tuple[Floats, Flags, str]:
    estimates = least_squares(moments, _DIMSON)
    lag, current, lead = estimates.coefficients[1:]
    # Where squares overflow, errors are the first not to be known.
    known = np.isfinite(estimates.residual_volatility)
    return np.where(known, lag + current + lead, np.nan), estimates.collinear, COLLINEAR


def _correlation(moments: Moments) -> tuple[Floats, Flags, str]:
    rho, without = correlation(moments, *_MARKET)
    return rho, without, NO_VARIATION


def _ratio(moments: Moments) -> tuple[Floats, Flags, str]:
    ratio, without = deviation_ratio(moments, *_MARKET)
    return ratio, without, NO_VARIATION


def _annual(moments: Moments) -> tuple[Floats, Flags, str]:
    deviation = standard_deviation(moments) * np.sqrt(VOLATILITY_DAYS)
    return deviation, np.zeros(deviation.shape, dtype=np.bool_), NO_VARIATION


def _later(values: Floats, days: int) -> Floats:
    """Move values ``days`` later, NaN before."""
    moved = np.full(values.shape, np.nan)
    moved[days:] = values[:-days]
    return moved


def _around(market: Floats) -> Floats:
    """Market two days ago, a day ago and today: around the day before, shape (D, 3)."""
    return np.stack([_later(market, 2), _later(market, 1), market], axis=1)


def _three_days(logs: Floats) -> Floats:
    """Sum the log returns of a day and of the two days before."""
    return _later(logs, 2) + _later(logs, 1) + logs


def _column(name: str, values: Floats) -> pl.Series:
    return pl.Series(name, values, nan_to_null=True)


def _code(reason: str) -> int:
    return 1 + REASONS.index(reason)
