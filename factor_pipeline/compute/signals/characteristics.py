"""All signals side by side."""

import numpy as np
import polars as pl

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints

# Importing a module of signals registers them.
from factor_pipeline.compute.signals import annual, combination, price, risk  # noqa: F401
from factor_pipeline.compute.signals.known import Known, SignalInputs
from factor_pipeline.compute.signals.quality import quality_parts
from factor_pipeline.compute.signals.registry import SIGNALS
from factor_pipeline.compute.sorts import Dimension, Sort
from factor_pipeline.months import MonthRange, formation_july

_VALUE_CLASS = Sort(
    "value_class",
    (Dimension("book_to_market", (0.3, 0.7), ("Growth", "Neutral", "Value")),),
    "june",
)


def characteristics(
    inputs: SignalInputs,
    months: MonthRange,
    *,
    max_fundamental_age_months: int,
    breakpoint_rule: BreakpointRule,
) -> pl.DataFrame:
    """All signals for ``months``: one row per security that could be bought when they begin.

    That is a security with a price in the month before which was not delisted in it.

    Parameters
    ----------
    inputs
        See `SignalInputs`.
    max_fundamental_age_months
        Book equity whose period ended earlier is not used for the monthly book-to-market.
    breakpoint_rule
        For the 30/70 classes of book-to-market.

    Returns
    -------
    pl.DataFrame
        ``signal.characteristic``, sorted by security and month: a row of month t is a function of
        panel and daily risk rows up to t-1 and filings public by then; ranks are taken among the
        rows of the month. Missing values are null, never NaN or infinite.

    Raises
    ------
    DataError
        When a security has two rows in a month of the panel or of daily risk, or two filings of
        one period on a day.
    """
    known = Known.before(
        months.since(formation_july(months.start)),
        inputs,
        max_fundamental_age_months=max_fundamental_age_months,
    )
    with np.errstate(all="ignore"):
        signals = {name: _column(function(known)) for name, function in SIGNALS.items()}
        frame = known.rows.select("security_id", "month_end", "exchange").with_columns(
            **signals, quality_parts=quality_parts(known)
        )
    cuts = breakpoints(frame, [_VALUE_CLASS], breakpoint_rule)
    classes = assignments(frame, cuts, [_VALUE_CLASS], months).select(
        "security_id", "month_end", value_class="cell"
    )
    return (
        frame.drop("exchange")
        .filter(pl.col("month_end").is_between(months.start, months.end, "left"))
        .join(classes, on=["security_id", "month_end"], how="left")
        .sort("security_id", "month_end")
    )


def _column(values: np.ndarray) -> pl.Series:
    """Null where NaN or infinite: an overflow is no value."""
    return pl.Series(np.where(np.isfinite(values), values, np.nan), nan_to_null=True)
