"""The rule that tells the regime of a month from its measures."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from factor_pipeline.compute.ordering import sorted_by_key
from factor_pipeline.compute.regimes.inputs import INPUTS_SCHEMA, cycle_inputs

EXPANSION: Final = "expansion"
LATE_CYCLE: Final = "late cycle"
RECESSION: Final = "recession"
RECOVERY: Final = "recovery"

REGIMES: Final = (EXPANSION, LATE_CYCLE, RECESSION, RECOVERY)

RECOVERY_MONTHS: Final = 24
"""Longest recovery: production may take many years to regain its peak, as after 2009."""

FLAT_CURVE: Final = 0.0025
"""Ten-year less two-year yield up to which the curve is flat or inverted, decimal."""

REGIME_SCHEMA = pl.Schema(
    {"month_end": pl.Date(), "variant": pl.String(), "regime": pl.String()} | dict(INPUTS_SCHEMA)
)


@dataclass(slots=True)
class _Cycle:
    """What the regime of a month depends on beside its own measures.

    ``since`` counts months from the last recession; null when it has been recovered from.
    """

    since: int | None = None

    def regime(self, month: dict[str, float | None]) -> str | None:
        """Regime of the next month; null when its measures do not tell."""
        if month["recession"]:
            self.since = 0
            return RECESSION
        if self.since is not None:
            self.since += 1
            distance = month["production_from_peak"]
            if self.since > RECOVERY_MONTHS or (distance is not None and distance >= 0):
                self.since = None
        if month["recession"] is None:
            return None
        if self.since is not None:
            return RECOVERY
        late = _either(_is_overheating(month), _is_flat(month))
        if late is None:
            return None
        return LATE_CYCLE if late else EXPANSION


def regimes(macro: pl.DataFrame) -> pl.DataFrame:
    """Regime of each month, with the measures it is told from.

    In this order: a month is in *recession* when NBER says so (``final``), or when industrial
    production has fallen by 2 % or more in six months (``real_time``); in *recovery* after a
    recession until production is at its highest level so far again, for 24 months at most; in the
    *late cycle* when inflation is above its mean of the 60 months before (24 at least) and both
    it and the policy rate are higher than a year before, or when the ten-year yield is less than
    0.25 points above the two-year one; else in *expansion*.

    Parameters
    ----------
    macro
        As `inputs.cycle_inputs` takes it.

    Returns
    -------
    pl.DataFrame
        ``REGIME_SCHEMA``, ordered by variant and month; ``regime`` is null where the measures do
        not tell. A ``final`` row of month t uses observations of months up to t, a ``real_time``
        one what had been published before t began (in its final revision).

    Raises
    ------
    DataError
        When a series has two observations of a day.
    """
    ordered = sorted_by_key(
        macro.select("series", "date", "value"), ("series", "date"), what="observations"
    )
    inputs = cycle_inputs(ordered)
    told = []
    for _, months in inputs.group_by("variant", maintain_order=True):
        cycle = _Cycle()
        told += [cycle.regime(month) for month in months.iter_rows(named=True)]
    return inputs.with_columns(regime=pl.Series(told, dtype=pl.String)).select(
        REGIME_SCHEMA.names()
    )


def _is_overheating(month: dict[str, float | None]) -> bool | None:
    """Whether inflation is high and rising and the policy rate has been raised."""
    inflation, mean = month["inflation"], month["inflation_mean"]
    above = None if inflation is None or mean is None else inflation > mean
    conditions = (above, _rises(month["inflation_change"]), _rises(month["fed_funds_change"]))
    if False in conditions:
        return False
    return None if None in conditions else True


def _rises(change: float | None) -> bool | None:
    return None if change is None else change > 0


def _is_flat(month: dict[str, float | None]) -> bool | None:
    slope = month["yield_slope"]
    return None if slope is None else slope <= FLAT_CURVE


def _either(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - a truth table
    if one or other:
        return True
    return None if one is None or other is None else False
