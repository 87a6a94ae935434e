"""What a month's regime is told from: measures of public macroeconomic series."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from math import fsum
from typing import Final, Literal

import polars as pl

from factor_pipeline.compute.calendar import last_complete_month
from factor_pipeline.months import add_months

Variant = Literal["final", "real_time"]

VARIANTS: Final[tuple[Variant, ...]] = ("final", "real_time")
"""Told from the observations of the month itself, or from what was published before it began."""

CONSUMER_PRICES: Final = "CPIAUCSL"
POLICY_RATE: Final = "FEDFUNDS"
PRODUCTION: Final = "INDPRO"
YIELD_CURVE: Final = "T10Y2Y"
RECESSIONS: Final = "USREC"

SERIES: Final = (CONSUMER_PRICES, POLICY_RATE, PRODUCTION, YIELD_CURVE, RECESSIONS)
"""FRED series the regimes need, all of them."""

LAG_MONTHS: Final = {
    # BLS, "Schedule of Releases for the Consumer Price Index": between the 10th and the 18th of
    # the month after. Known before the month after that begins.
    CONSUMER_PRICES: 2,
    # Federal Reserve, release G.17: around the 16th of the month after.
    PRODUCTION: 2,
    # The average of a month is complete once its last day's rate is out, on the day after.
    POLICY_RATE: 2,
    # Treasury, par yield curve rates: on the evening of the day.
    YIELD_CURVE: 1,
}
"""Months from that of an observation to the first one that begins with it known."""

PUBLISHED_LATE: Final = {
    # Federal Reserve, release G.17: delayed by the shutdown of the government in autumn 2025.
    (PRODUCTION, date(2025, 9, 1)): date(2025, 12, 3),
    (PRODUCTION, date(2025, 10, 1)): date(2025, 12, 23),
    (PRODUCTION, date(2025, 11, 1)): date(2025, 12, 23),
}
"""Days on which observations came out that were not published in time."""

MAX_CARRIED_MONTHS: Final = 3
"""Longest time a missing observation is replaced by the one before it."""

INFLATION_MEAN_MONTHS: Final = 60
INFLATION_MEAN_MIN_MONTHS: Final = 24
PRODUCTION_GROWTH_MONTHS: Final = 6
PRODUCTION_SLUMP: Final = -0.02
"""Growth of industrial production over six months at which real time calls a recession."""

INPUTS_SCHEMA = pl.Schema(
    {
        "month_end": pl.Date(),
        "variant": pl.String(),
        "recession": pl.Boolean(),
        "inflation": pl.Float64(),
        "inflation_mean": pl.Float64(),
        "inflation_change": pl.Float64(),
        "production_growth": pl.Float64(),
        "production_from_peak": pl.Float64(),
        "fed_funds": pl.Float64(),
        "fed_funds_change": pl.Float64(),
        "yield_slope": pl.Float64(),
        "carried_inputs": pl.Int64(),
    }
)

_YEAR = 12
_PERCENT = 100

_Levels = Mapping[date, float]
# Measures of one series in one month, by column.
_Measures = dict[str, float | None]
# Those of each series, by month.
_AllMeasures = Mapping[str, Mapping[date, _Measures]]


def missing_series(macro: pl.DataFrame) -> list[str]:
    """Series of ``SERIES`` that have no row in ``macro`` (``series``, ``date``, ``value``)."""
    there = set(macro["series"].unique())
    return [name for name in SERIES if name not in there]


def cycle_inputs(macro: pl.DataFrame) -> pl.DataFrame:
    """Measures of the business cycle for each month, in both variants.

    Parameters
    ----------
    macro
        ``series``, ``date`` (unique together; first day of the period) with ``value`` as FRED
        serves it: monthly ``CPIAUCSL`` and ``INDPRO`` (indices), ``FEDFUNDS`` (percent a year),
        ``USREC`` (0 or 1), daily ``T10Y2Y`` (percentage points). Missing observations have no
        row. Other series are not looked at.

    Returns
    -------
    pl.DataFrame
        ``INPUTS_SCHEMA``, ordered by variant and month, without gaps; no row when a series of
        ``SERIES`` is missing altogether. ``final`` runs from the first month of INDPRO and USREC
        to the last one that USREC and all days of T10Y2Y cover, ``real_time`` to the month after
        the last covered by T10Y2Y. Rates are decimals. A measure whose observation is missing is
        that of up to three months before (counted in ``carried_inputs``), else null.
    """
    if missing_series(macro):
        return INPUTS_SCHEMA.to_frame()
    levels = {name: _monthly(macro, name) for name in SERIES}
    measures = {
        CONSUMER_PRICES: _each(levels[CONSUMER_PRICES], _inflation(levels[CONSUMER_PRICES])),
        PRODUCTION: _each(levels[PRODUCTION], _production(levels[PRODUCTION])),
        POLICY_RATE: _each(levels[POLICY_RATE], _policy_rate(levels[POLICY_RATE])),
        YIELD_CURVE: _each(levels[YIELD_CURVE], _slope(levels[YIELD_CURVE])),
    }
    begin, covered = min(levels[PRODUCTION]), max(levels[YIELD_CURVE], default=None)
    if covered is None:
        return INPUTS_SCHEMA.to_frame()
    recessions = levels[RECESSIONS]
    rows = [
        _final(month, measures, recessions)
        for month in _months(max(begin, min(recessions)), min(covered, max(recessions)))
    ] + [
        _real_time(month, measures)
        for month in _months(add_months(begin, LAG_MONTHS[PRODUCTION]), add_months(covered, 1))
    ]
    return pl.DataFrame(rows, schema=INPUTS_SCHEMA, orient="row")


def _monthly(macro: pl.DataFrame, name: str) -> _Levels:
    """Level of a series by month: its observation, or the mean of its days."""
    rows = macro.filter(pl.col("series") == name, pl.col("value").is_finite()).sort("date")
    observed: dict[date, list[float]] = {}
    for day, value in rows.select("date", "value").iter_rows():
        observed.setdefault(add_months(day, 0), []).append(value)
    if name == YIELD_CURVE and observed:
        # The days of a month that has not ended would be a mean of their own.
        complete = last_complete_month(rows["date"][-1])
        observed = {month: days for month, days in observed.items() if month <= complete}
    return {month: fsum(values) / len(values) for month, values in observed.items()}


def _each(levels: _Levels, measure: Callable[[date], _Measures | None]) -> dict[date, _Measures]:
    found = ((month, measure(month)) for month in levels)
    return {month: measures for month, measures in found if measures is not None}


def _inflation(levels: _Levels) -> Callable[[date], _Measures | None]:
    yearly = {
        month: level / levels[before] - 1
        for month, level in levels.items()
        if (before := add_months(month, -_YEAR)) in levels
    }

    def measure(month: date) -> _Measures | None:
        if month not in yearly:
            return None
        past = (add_months(month, -back) for back in range(1, INFLATION_MEAN_MONTHS + 1))
        known = [yearly[one] for one in past if one in yearly]
        enough = len(known) >= INFLATION_MEAN_MIN_MONTHS
        before = _latest(yearly, add_months(month, -_YEAR))
        return {
            "inflation": yearly[month],
            "inflation_mean": fsum(known) / len(known) if enough else None,
            "inflation_change": None if before is None else yearly[month] - before,
        }

    return measure


def _production(levels: _Levels) -> Callable[[date], _Measures | None]:
    peaks: dict[date, float] = {}
    peak = 0.0
    for month in sorted(levels):
        peak = max(peak, levels[month])
        peaks[month] = peak

    def measure(month: date) -> _Measures:
        before = _latest(levels, add_months(month, -PRODUCTION_GROWTH_MONTHS))
        return {
            "production_growth": None if before is None else levels[month] / before - 1,
            "production_from_peak": levels[month] / peaks[month] - 1,
        }

    return measure


def _policy_rate(levels: _Levels) -> Callable[[date], _Measures | None]:
    def measure(month: date) -> _Measures:
        before = _latest(levels, add_months(month, -_YEAR))
        return {
            "fed_funds": levels[month] / _PERCENT,
            "fed_funds_change": None if before is None else (levels[month] - before) / _PERCENT,
        }

    return measure


def _slope(levels: _Levels) -> Callable[[date], _Measures | None]:
    return lambda month: {"yield_slope": levels[month] / _PERCENT}


def _latest(values: _Levels, month: date) -> float | None:
    """Value of ``month``, else of one of the three before."""
    return next((values[one] for one in _back_from(month) if one in values), None)


def _final(month: date, measures: _AllMeasures, recessions: _Levels) -> dict[str, object]:
    row = _row(month, "final", dict.fromkeys(measures, month), measures)
    flag = recessions.get(month)
    return row | {"recession": None if flag is None else flag > 0}


def _real_time(month: date, measures: _AllMeasures) -> dict[str, object]:
    due = {name: add_months(month, -LAG_MONTHS[name]) for name in measures}
    published = {
        name: {
            one: found[one]
            for one in _back_from(due[name])
            if one in found and PUBLISHED_LATE.get((name, one), date.min) < month
        }
        for name, found in measures.items()
    }
    row = _row(month, "real_time", due, published)
    growth = row.get("production_growth")
    return row | {"recession": growth <= PRODUCTION_SLUMP if isinstance(growth, float) else None}


def _row(
    month: date, variant: Variant, due: Mapping[str, date], measures: _AllMeasures
) -> dict[str, object]:
    """Newest measures of each series as of the month in which its observation is due."""
    row: dict[str, object] = {
        "month_end": add_months(month, 1) - timedelta(days=1),
        "variant": variant,
    }
    carried = 0
    for name, found in measures.items():
        newest = next((one for one in _back_from(due[name]) if one in found), None)
        if newest is not None:
            row |= found[newest]
            carried += newest < due[name]
    return row | {"carried_inputs": carried}


def _back_from(month: date) -> list[date]:
    """``month`` and the months before it whose observation may stand in for its own."""
    return [add_months(month, -back) for back in range(MAX_CARRIED_MONTHS + 1)]


def _months(first: date, last: date) -> list[date]:
    count = (last.year - first.year) * _YEAR + last.month - first.month + 1
    return [add_months(first, i) for i in range(count)]
