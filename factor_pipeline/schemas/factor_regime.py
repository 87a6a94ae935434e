"""Tables of regimes: which month was in which, and what factors returned in each."""

import polars as pl

from factor_pipeline.compute.regimes.claims import EXPOSURES, VERDICTS
from factor_pipeline.compute.regimes.inputs import SERIES, VARIANTS
from factor_pipeline.compute.regimes.rule import REGIMES
from factor_pipeline.schemas.panel import MONTH_END
from factor_pipeline.schemas.table import Column, Table

_VARIANT = Column(
    "variant",
    pl.String,
    "name",
    "final: from observations of months up to this one, known long after it (to explain returns); "
    "real_time: from what had been published BEFORE the month began, so usable for trading in it, "
    "but in final revisions (approximate).",
    values=VARIANTS,
)
_REGIME = Column("regime", pl.String, "name", "Regime of the business cycle.", values=REGIMES)
_FACTOR = Column("factor", pl.String, "name", "Factor, as in factor.factor_return.")
_SOURCE = Column("source", pl.String, "name", "Who computed it.", values=("own", "library"))
_VINTAGE = Column("vintage", pl.String, "YYYYMM", "Library vintage; NULL for own.", nullable=True)


def _measure(name: str, unit: str, description: str, *, maximum: float | None = None) -> Column:
    return Column(
        name, pl.Float64, unit, f"{description} NULL when unknown.", nullable=True, maximum=maximum
    )


REGIME = Table(
    layer="factor",
    name="regime",
    description=(
        "Regime of the US business cycle by month, and what it is told from. In this order: "
        "recession, NBER's (final) or industrial production down by 2 % or more in six months "
        "(real_time); recovery, after a recession until production is at its highest so far again, "
        "24 months at most; late cycle, inflation above its mean of the 60 months before and both "
        "it and the policy rate higher than a year before, or the ten-year yield at most 0.25 "
        "points above the two-year one; else expansion. Empty when a macro series is missing. A "
        "real_time row is known BEFORE its month begins: join it with returns of the same "
        "month_end. See docs/regimes.md."
    ),
    key=("variant", "month_end"),
    columns=(
        MONTH_END,
        _VARIANT,
        Column(
            "regime",
            pl.String,
            "name",
            "Regime of the month; real_time: known BEFORE it begins. NULL where inputs lack.",
            nullable=True,
            values=REGIMES,
        ),
        Column(
            "recession",
            pl.Boolean,
            "yes/no",
            "final: USREC, NBER's recession months (those of the last year or so may change); "
            "real_time: production_growth of -2 % or less. NULL when unknown.",
            nullable=True,
        ),
        _measure(
            "inflation",
            "decimal/year",
            "CPIAUCSL over that of a year before, less 1; where a blank leaves none, that of the "
            "month before.",
        ),
        _measure(
            "inflation_mean",
            "decimal/year",
            "Mean of inflation over the 60 months before, 24 at least.",
        ),
        _measure("inflation_change", "decimal", "Inflation less that of a year before."),
        _measure("production_growth", "decimal", "INDPRO over that of six months before, less 1."),
        _measure(
            "production_from_peak",
            "decimal",
            "INDPRO over its highest level so far, less 1; 0 at a peak.",
            maximum=0.0,
        ),
        _measure("fed_funds", "decimal/year", "FEDFUNDS."),
        _measure("fed_funds_change", "decimal", "FEDFUNDS less that of a year before."),
        _measure(
            "yield_slope",
            "decimal/year",
            "T10Y2Y, ten-year less two-year Treasury yield, mean over the days of a month.",
        ),
        Column(
            "carried_inputs",
            pl.Int64,
            "count",
            "Of CPIAUCSL, INDPRO, FEDFUNDS and T10Y2Y, those whose observation is missing and "
            "taken from up to three months before.",
            minimum=0,
            maximum=float(len(SERIES) - 1),
        ),
    ),
)


def _statistic(name: str, unit: str, description: str) -> Column:
    return Column(name, pl.Float64, unit, description, nullable=True)


_MONTHS = Column("months", pl.Int64, "count", "Months in the regime with a return.", minimum=0)
_OTHER_MONTHS = Column(
    "other_months", pl.Int64, "count", "Months in other regimes with a return.", minimum=0
)

REGIME_PERFORMANCE = Table(
    layer="factor",
    name="regime_performance",
    description=(
        "What every factor returned in each regime, and the difference from all other months. "
        "With `final` regimes it explains the past; only `real_time` regimes could be traded on. "
        "Statistics are NULL with fewer than 12 months."
    ),
    key=("factor", "source", "vintage", "variant", "regime"),
    columns=(
        _FACTOR,
        _SOURCE,
        _VINTAGE,
        _VARIANT,
        _REGIME,
        _MONTHS,
        _OTHER_MONTHS,
        Column("first_month", pl.Date, "date", "First month of any regime.", nullable=True),
        Column("last_month", pl.Date, "date", "Last month of any regime.", nullable=True),
        _statistic("mean", "decimal/month", "Mean return in the regime."),
        _statistic("annual_mean", "decimal/year", "12 times it."),
        _statistic("volatility", "decimal/year", "Standard deviation in the regime, times √12."),
        _statistic("t", "ratio", "t of the mean, Newey-West with hac_lag lags."),
        _statistic("difference", "decimal/month", "Mean less the mean of the other months."),
        _statistic(
            "difference_t",
            "ratio",
            "t of the difference: slope on a dummy of the regime, Newey-West with hac_lag lags.",
        ),
        Column(
            "hac_lag",
            pl.Int64,
            "months",
            "Lags, floor(4 (T / 100)^(2/9)) for T months of all regimes.",
            nullable=True,
            minimum=0,
        ),
    ),
)

REGIME_CLAIM = Table(
    layer="factor",
    name="regime_claim",
    description=(
        "What is commonly said about factors in regimes, line by line, against own and library "
        "factors. Supported: the difference from the other months has the claimed sign and a t "
        "beyond 1.65 (5 %, one-sided), from at least 24 months in the regime and outside. Of 64 "
        "lines on pure noise about 3 would be. Commodities, bonds and defensive stocks are not in "
        "the data."
    ),
    key=("variant", "source", "regime", "exposure"),
    columns=(
        _VARIANT,
        _SOURCE,
        _REGIME,
        Column(
            "effect",
            pl.String,
            "name",
            "What the regime is said to do to the exposure.",
            values=("favours", "hurts"),
        ),
        Column(
            "exposure",
            pl.String,
            "name",
            "What the claim is about; size is small stocks less large ones.",
            values=tuple(exposure.name for exposure in EXPOSURES),
        ),
        Column(
            "factor",
            pl.String,
            "name",
            "Factor that measures it: UMD, SMB, HML (growth: short HML), QMJ, else RMW for "
            "quality, LOWVOL; NULL when the source has none.",
            nullable=True,
        ),
        Column("sign", pl.Int64, "number", "1, or -1 where the exposure is short the factor."),
        _VINTAGE,
        _MONTHS,
        _OTHER_MONTHS,
        _statistic("mean", "decimal/month", "Mean return of the exposure in the regime."),
        _statistic("difference", "decimal/month", "It less the mean of the other months."),
        _statistic("difference_t", "ratio", "Newey-West t of the difference."),
        Column("verdict", pl.String, "name", "What the data say of the claim.", values=VERDICTS),
    ),
)
