"""All rules of daily prices that are found in the rows of one series at a time."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import polars as pl

from factor_pipeline.compute.quality.actions import (
    adjusted_close_disagrees,
    dividend_like_spin_off,
    split_on_wrong_day,
    split_without_price_move,
)
from factor_pipeline.compute.quality.days import PriceDays
from factor_pipeline.compute.quality.found import FOUND
from factor_pipeline.compute.quality.jumps import (
    Jumps,
    decimal_shift,
    extreme_return,
    level_break,
    spike_reversal,
    unbooked_split,
)
from factor_pipeline.compute.quality.market_calendar import (
    MarketCalendar,
    day_off_calendar,
    long_gap,
    missing_day,
    partial_last_bar,
    price_gap_months,
)
from factor_pipeline.compute.quality.runs import adjusted_close_missing, stale_price, zero_volume

# A ticker that nobody traded for a year is most likely given to another company: exchanges delist
# what is suspended for so long.
_SPLICE_MONTHS: Final = 12


def series_flags(
    days: PriceDays,
    calendar: MarketCalendar,
    data_end: date,
    thresholds: Mapping[str, float],
) -> pl.DataFrame:
    """Flag some series by every rule that needs no other series but for the calendar.

    Parameters
    ----------
    days
        Prices of whole series.
    calendar
        Of all series.
    data_end
        Last day of any price.
    thresholds
        Threshold by rule.

    Returns
    -------
    pl.DataFrame
        Columns `FOUND`, unique by rule, subject and fault_date.
    """
    jumps = Jumps.of(days, thresholds["spike_reversal"])
    parts = [
        adjusted_close_flags(days, thresholds),
        split_without_price_move(
            days,
            thresholds["split_without_price_move"],
            int(thresholds["split_on_wrong_day"]),
        ),
        dividend_like_spin_off(days, thresholds["dividend_like_spin_off"]),
        extreme_return(jumps, thresholds["extreme_return"]),
        spike_reversal(jumps, thresholds["spike_reversal"]),
        decimal_shift(jumps, thresholds["decimal_shift"]),
        level_break(jumps, thresholds["ticker_splice"]),
        long_gap(days, _SPLICE_MONTHS),
        stale_price(days, thresholds["stale_price"]),
        zero_volume(days),
        missing_day(days, calendar),
        price_gap_months(days),
        day_off_calendar(days, calendar),
        partial_last_bar(days, data_end, thresholds["partial_last_bar"]),
    ]
    return pl.concat([pl.DataFrame(schema=FOUND), *parts])


def adjusted_close_flags(days: PriceDays, thresholds: Mapping[str, float]) -> pl.DataFrame:
    """Flag by the rules that read the adjusted close, which vendors restate back to the start.

    Parameters, columns and key are those of `series_flags`.
    """
    jumps = Jumps.of(days, thresholds["spike_reversal"])
    return pl.concat(
        [
            adjusted_close_disagrees(days, thresholds["adjusted_close_disagrees"]),
            adjusted_close_missing(days),
            split_on_wrong_day(days, thresholds["split_on_wrong_day"]),
            unbooked_split(jumps, thresholds["unbooked_split"]),
        ]
    )
