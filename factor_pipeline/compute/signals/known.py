"""What is known about each security before each month begins: all that a signal may use."""

from dataclasses import dataclass, field
from functools import partial
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.fundamentals import latest_public
from factor_pipeline.compute.ordering import sorted_by_key
from factor_pipeline.compute.panel import DELISTED
from factor_pipeline.compute.signals.fiscal import FiscalYears, fiscal_years
from factor_pipeline.compute.signals.history import MonthlyHistory
from factor_pipeline.compute.sorts import JULY
from factor_pipeline.compute.statements import STATEMENT_SCHEMA
from factor_pipeline.months import MonthRange

Floats = NDArray[np.float64]

HISTORY_MONTHS = 60
"""Months before its own that a row may look back on: long-term reversal begins in t-60."""

RISK_MEASURES = ("beta", "volatility_252d", "idiosyncratic_volatility")

DAILY_RISK_SCHEMA = pl.Schema(
    {
        "security_id": pl.Int64(),
        "month_end": pl.Date(),
        **dict.fromkeys(RISK_MEASURES, pl.Float64()),
    }
)


def history_of(months: MonthRange) -> MonthRange:
    """Months of the panel the signals of ``months`` are computed from.

    They hold the December before the formation of ``months`` too, nineteen months back at most.
    """
    return months.widened(back=HISTORY_MONTHS)


@dataclass(frozen=True, slots=True)
class SignalInputs:
    """What the signals of a range of months are made from.

    Attributes
    ----------
    panel
        Rows of ``panel.security_month`` of ``history_of`` the months; one row per security and
        month. Rows of a month itself are not used for it.
    facts
        ``panel.book_equity``.
    statements
        ``panel.statement``; without it signals from income and cash flow are null.
    daily_risk
        ``security_id, month_end, beta, volatility_252d, idiosyncratic_volatility`` as known at
        the END of ``month_end``, from the month before the months on; one row per security and
        month. Without it these signals are null.
    """

    panel: pl.DataFrame
    facts: pl.DataFrame
    statements: pl.DataFrame = field(default_factory=partial(pl.DataFrame, schema=STATEMENT_SCHEMA))
    daily_risk: pl.DataFrame = field(
        default_factory=partial(pl.DataFrame, schema=DAILY_RISK_SCHEMA)
    )


@dataclass(frozen=True, slots=True)
class Known:
    """What is known before the month of each row begins; arrays have one entry per row.

    Attributes
    ----------
    rows
        Securities with a price in the month before that were not delisted in it, sorted by
        ``security_id`` and ``month_end``.
    history
        The panel up to the month before.
    fiscal
        Fiscal years public at the last formation, at the end of June.
    """

    rows: pl.DataFrame
    history: MonthlyHistory
    fiscal: FiscalYears

    @classmethod
    def before(
        cls, months: MonthRange, inputs: SignalInputs, *, max_fundamental_age_months: int
    ) -> Self:
        """Collect what is known before each of ``months``.

        Raises
        ------
        DataError
            When a security has two rows in a month, or two filings of one period on a day.
        """
        panel = sorted_by_key(inputs.panel, ("security_id", "month_end"), what="panel rows")
        listed = _listed(panel.with_row_index("position"), months)
        rows = (
            listed.join(_decembers(panel), on=["security_id", "formation_year"], how="left")
            .with_columns(december_firm=pl.coalesce("december_firm", "firm_id"))
            .join(_firm_decembers(panel), on=["december_firm", "formation_year"], how="left")
            .join(_risk(inputs.daily_risk), on=["security_id", "known_month_end"], how="left")
            .sort("security_id", "month_end")
        )
        rows = rows.with_columns(
            latest_book_equity=_latest_book_equity(rows, inputs.facts, max_fundamental_age_months)
        )
        years = rows["formation_year"].unique().sort().to_list()
        return cls(
            rows.drop("position", "december_firm"),
            MonthlyHistory.of(panel, rows["position"].cast(pl.Int64).to_numpy()),
            FiscalYears.of(fiscal_years(inputs.facts, inputs.statements, years), rows),
        )

    def column(self, name: str) -> Floats:
        """Values of a column of ``rows``, NaN where null."""
        return self.rows[name].cast(pl.Float64).to_numpy()

    def months_ago(self, name: str, months: int) -> Floats:
        """Panel column ``name`` of the month t - ``months``, ``months`` at least 1.

        NaN where null, and where the security has no row in that month.
        """
        return self.history.months_ago(name, months)

    def fiscal_year(self, name: str, years_before: int = 0) -> Floats:
        """Figure of the fiscal year that ended in the calendar year before the last formation.

        Or ``years_before`` calendar years earlier. As public before the last trading day of the
        June of the formation; NaN where it was not.
        """
        return self.fiscal.figure(name, years_before)


def _listed(panel: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    """Rows of ``months``: the securities listed at the end of the month before."""
    earlier = months.widened(back=1)
    is_delisted = pl.col("flags").str.split(",").list.contains(DELISTED).fill_null(value=False)
    month = pl.col("month_end")
    return (
        panel.filter(
            month.is_between(earlier.start, earlier.end, "left"),
            pl.col("price").is_not_null(),
            ~is_delisted,
        )
        .select(
            "security_id",
            "firm_id",
            "exchange",
            "position",
            month_end=month.dt.offset_by("1mo").dt.month_end(),
            known_month_end="month_end",
            firm_market_equity="firm_market_equity",
        )
        .filter(month < months.end)
        .with_columns(formation_year=month.dt.year() - (month.dt.month() < JULY).cast(pl.Int32))
    )


def _december_rows(panel: pl.DataFrame) -> pl.DataFrame:
    return panel.filter(pl.col("month_end").dt.month() == 12).select(  # noqa: PLR2004
        "security_id",
        december_market_equity="firm_market_equity",
        december_firm="firm_id",
        formation_year=pl.col("month_end").dt.year() + 1,
    )


def _decembers(panel: pl.DataFrame) -> pl.DataFrame:
    """Firm of each security in the December before the formation."""
    return _december_rows(panel).drop("december_market_equity")


def _firm_decembers(panel: pl.DataFrame) -> pl.DataFrame:
    """Market equity of each firm: a class listed since takes the December of its firm."""
    return _december_rows(panel).drop("security_id").unique(["december_firm", "formation_year"])


def _risk(daily_risk: pl.DataFrame) -> pl.DataFrame:
    measured = sorted_by_key(daily_risk, ("security_id", "month_end"), what="daily risk rows")
    return measured.select("security_id", *RISK_MEASURES, known_month_end="month_end")


def _latest_book_equity(rows: pl.DataFrame, facts: pl.DataFrame, max_age_months: int) -> pl.Series:
    """Latest public book equity at the end of the month before, for rows in key order."""
    ends = {end: last_trading_day(end) for end in rows["known_month_end"].unique().sort()}
    book = facts.filter(pl.col("book_equity").is_not_null()).select(
        "security_id", "period_end", "filed_at", "book_equity"
    )
    known_on = pl.col("known_month_end").replace_strict(ends, return_dtype=pl.Date)
    known = latest_public(
        rows.select("security_id", known_on=known_on),
        book,
        on="known_on",
        max_age_months=max_age_months,
    )
    return known["book_equity"]
