"""The true factors in the shape of Ken French's data library, in two editions."""

from datetime import timedelta
from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.months import add_months
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FRENCH_RETURN
from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers
from factor_pipeline.sources.simulated.economy import Economy
from factor_pipeline.sources.simulated.parameters import FACTORS, SimulationParameters

DATA_SETS: Final = {
    "F-F_Research_Data_Factors": ("Mkt-RF", "SMB", "HML", "RF"),
    "F-F_Research_Data_5_Factors_2x3": ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "RF"),
    "F-F_Momentum_Factor": ("Mom",),
}
"""Monthly data sets and their series; the daily ones have ``_daily`` appended to the name."""

PERCENT_DECIMALS: Final = 4

_SERIES: Final = ("Mkt-RF", "SMB", "HML", "RMW", "CMA", "Mom", "RF")
_REVISED_SHARE: Final = 0.6
_REVISION: Final = {"monthly": 0.0008, "daily": 0.0001}
_MARKET_REVISION: Final = 0.1  # of that of the other factors
_EDITION_AGE_MONTHS: Final = 12


def vintages(parameters: SimulationParameters) -> tuple[str, str]:
    """Last months of the two editions, YYYYMM, the older one first."""
    last = add_months(parameters.end, -1)
    return f"{add_months(last, -_EDITION_AGE_MONTHS):%Y%m}", f"{last:%Y%m}"


def library_frame(parameters: SimulationParameters, economy: Economy) -> pl.DataFrame:
    """Rows of ``raw.french_return``, sorted by its key.

    The later edition states the true factors exactly, in percent with four decimals. The
    earlier one ends twelve months before and differs a little in most months, as an edition of
    the library does from the next; its risk-free rate is the same.
    """
    month_ends = [add_months(month, 1) - timedelta(days=1) for month in economy.months]
    monthly = np.column_stack([economy.monthly, economy.rf_monthly])
    daily = np.column_stack([economy.daily, economy.rf_daily])
    draws = Draws(parameters.seed)
    older, latest = vintages(parameters)
    months = np.arange(len(month_ends))
    month_of_day = np.repeat(months, np.diff(economy.first_row))
    old_months, old_days = (m < len(months) - _EDITION_AGE_MONTHS for m in (months, month_of_day))
    dates = {"monthly": pl.Series(month_ends), "daily": pl.Series(economy.days)}
    parts = []
    for frequency, values, kept in (("monthly", monthly, old_months), ("daily", daily, old_days)):
        revised = values + _revision(draws, frequency, np.arange(len(values)))
        day = dates[frequency]
        parts.append(_edition(latest, frequency, day, values))
        parts.append(_edition(older, frequency, day.filter(pl.Series(kept)), revised[kept]))
    return pl.concat(parts).sort(FRENCH_RETURN.key)


def _revision(draws: Draws, frequency: str, time: Integers) -> Floats:
    factor = np.arange(len(FACTORS))
    size = np.full(len(FACTORS), _REVISION[frequency])
    size[0] *= _MARKET_REVISION
    happens = draws.uniform(f"{frequency} revised", factor, time[:, None]) < _REVISED_SHARE
    change = happens * size * draws.normal(f"{frequency} revision", factor, time[:, None])
    return np.column_stack([change, np.zeros(len(time))])


def _edition(vintage: str, frequency: str, day: pl.Series, values: Floats) -> pl.DataFrame:
    # Percent first, as the library prints them: parsing its files gives the same bits.
    percent = np.round(values * 100, PERCENT_DECIMALS)
    suffix = "" if frequency == "monthly" else f"_{frequency}"
    frames = [
        pl.DataFrame(
            {
                "data_set": data_set + suffix,
                "vintage": vintage,
                "frequency": frequency,
                "block": "",
                "series": name,
                "date": day,
                "value": percent[:, _SERIES.index(name)] / 100,
                "unit": "decimal",
            },
            schema=contract(FRENCH_RETURN),
        )
        for data_set, series in DATA_SETS.items()
        for name in series
    ]
    return pl.concat(frames)
