"""Levels of the index and of funds with known exposures, and macroeconomic series."""

from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import BENCHMARK_DAILY, MACRO
from factor_pipeline.sources.simulated.draws import Draws, Flags, Floats
from factor_pipeline.sources.simulated.economy import Economy
from factor_pipeline.sources.simulated.market import Market
from factor_pipeline.sources.simulated.parameters import FACTORS

INDEX_SYMBOL: Final = "SIMTR"
"""Total return index of the value-weighted index members."""

FUNDS: Final = {
    "SIMGRO": {"mkt": 1.0, "hml": -0.4},
    "SIMLOV": {"mkt": 0.7, "rmw": 0.2},
    "SIMMKT": {"mkt": 1.0},
    "SIMMOM": {"mkt": 1.0, "umd": 0.5},
    "SIMQLT": {"mkt": 0.95, "rmw": 0.5},
    "SIMSML": {"mkt": 1.0, "smb": 0.8, "hml": 0.1},
    "SIMVAL": {"mkt": 1.0, "smb": 0.1, "hml": 0.5},
}
"""Funds and their exposures to the true factors: growth, low volatility, market, momentum,
quality, small, value."""

FUND_FEE: Final = 0.0015
"""Yearly fee of a fund, taken evenly day by day."""

_DAYS_PER_YEAR: Final = 252
_TRACKING_NOISE: Final = 0.0004
_FIRST_INDEX_LEVEL: Final = 1000.0
_FIRST_FUND_PRICE: Final = 50.0
_LEVEL_DECIMALS: Final = 6
_NO_ENTITY: Final = np.zeros(1, dtype=np.int64)


def benchmark_frame(market: Market) -> pl.DataFrame:
    """Rows of ``raw.benchmark_daily`` for the index, dividends reinvested."""
    level = np.round(_FIRST_INDEX_LEVEL * np.cumprod(1 + market.index_return), _LEVEL_DECIMALS)
    return pl.DataFrame(
        {
            "data_set": "benchmark",
            "symbol": INDEX_SYMBOL,
            "date": pl.Series(market.economy.days),
            "close": level,
            "adjusted_close": level,
        },
        schema=contract(BENCHMARK_DAILY),
    )


def fund_frame(market: Market) -> pl.DataFrame:
    """Rows of ``raw.benchmark_daily`` for the funds: adjusted closes only, by symbol and date.

    A fund returns the risk-free rate plus its exposures times the true factors, less its fee,
    with a tracking error of 0.04 % a day.
    """
    economy = market.economy
    draws = Draws(market.parameters.seed)
    days = np.arange(len(economy.days))
    frames = []
    for number, (symbol, exposures) in enumerate(sorted(FUNDS.items())):
        returns = economy.rf_daily - FUND_FEE / _DAYS_PER_YEAR
        returns = returns + _TRACKING_NOISE * draws.normal("fund", _NO_ENTITY + number, days)
        for factor, exposure in exposures.items():
            returns = returns + exposure * economy.daily[:, FACTORS.index(factor)]
        returns[0] = 0.0
        frame = pl.DataFrame(
            {
                "data_set": "etf",
                "symbol": symbol,
                "date": pl.Series(economy.days),
                "close": None,
                "adjusted_close": np.round(
                    _FIRST_FUND_PRICE * np.cumprod(1 + returns), _LEVEL_DECIMALS
                ),
            },
            schema=contract(BENCHMARK_DAILY),
        )
        frames.append(frame)
    return pl.concat(frames)


def macro_frame(market: Market) -> pl.DataFrame:
    """Rows of ``raw.macro``, sorted by series and date.

    Monthly ``USREC`` (1 in a recession), ``CPIAUCSL``, ``INDPRO`` (indices), ``FEDFUNDS``
    (percent a year) and daily ``T10Y2Y`` (percentage points), as FRED serves them.
    """
    economy = market.economy
    draws = Draws(market.parameters.seed)
    months = np.arange(len(economy.months))
    prices = 0.0021 + 0.0018 * draws.normal("prices", _NO_ENTITY, months)
    output = 0.0024 - 0.009 * economy.recession + 0.006 * draws.normal("output", _NO_ENTITY, months)
    monthly = {
        "CPIAUCSL": np.round(185.0 * np.cumprod(1 + prices), 3),
        "FEDFUNDS": np.round(100 * economy.short_rate, 2),
        "INDPRO": np.round(90.0 * np.cumprod(1 + output), 4),
        "USREC": economy.recession.astype(np.float64),
    }
    schema = contract(MACRO)
    first_days = pl.Series(economy.months)
    frames = [
        pl.DataFrame({"series": name, "date": first_days, "value": values}, schema=schema)
        for name, values in sorted(monthly.items())
    ]
    in_recession = economy.recession[np.repeat(months, np.diff(economy.first_row))]
    slope = {
        "series": "T10Y2Y",
        "date": pl.Series(economy.days),
        "value": _yield_curve(draws, economy, in_recession),
    }
    return pl.concat([*frames, pl.DataFrame(slope, schema=schema)])


def _yield_curve(draws: Draws, economy: Economy, in_recession: Flags) -> Floats:
    """Ten-year less two-year yield in percentage points; it steepens in recessions."""
    news = draws.normal("yield curve", _NO_ENTITY, np.arange(len(economy.days)))
    slope, path = 0.9, []
    for steepens, shock in zip(in_recession.tolist(), news.tolist(), strict=True):
        slope += 0.004 * (0.7 + 1.3 * steepens - slope) + 0.03 * shock
        path.append(slope)
    return np.round(np.array(path), 2)
