"""What each signal is: the one place a signal is declared in."""

from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from factor_pipeline.compute.sorts import Rebalance
from factor_pipeline.schemas.table import Column

Family = Literal[
    "size", "value", "momentum", "reversal", "profitability", "investment", "quality", "risk"
]

_END_OF_MONTH_BEFORE: Final = "Known at the end of the month before."
_JUNE: Final = (
    "July of y to June of y+1: fiscal year ending in calendar y-1, public before the last trading "
    "day of June of y."
)
_JUNE_AND_DECEMBER: Final = f"{_JUNE} Market equity is the firm's at the end of December y-1."


@dataclass(frozen=True, slots=True)
class SignalDefinition:
    """What a signal is; its column, its sorts and its row of ``signal.definition`` follow.

    Attributes
    ----------
    column
        Name of the column, and of the function in ``compute.signals`` that fills it.
    family
        What it is about.
    unit, formula, timing, paper
        As people read them; ``t`` is the month of the row.
    expected_sign
        1 when the paper finds that high values earn more, after risk, -1 when low ones do,
        0 when it expects neither.
    rebalance
        ``june`` when values change with the July row only: its sorts then rebalance in June.
    minimum, maximum, likely
        As in `Column`.
    """

    column: str
    family: Family
    unit: str
    formula: str
    timing: str
    paper: str
    expected_sign: Literal[-1, 0, 1]
    rebalance: Rebalance
    minimum: float | None = None
    maximum: float | None = None
    likely: tuple[float, float] | None = None

    def as_column(self) -> Column:
        """Column of ``signal.characteristic``."""
        return Column(
            self.column,
            pl.Float64,
            self.unit,
            f"{self.formula} {self.timing} ({self.paper}).",
            nullable=True,
            minimum=self.minimum,
            maximum=self.maximum,
            likely=self.likely,
        )


SIGNALS: Final = (
    SignalDefinition(
        column="size",
        family="size",
        unit="USD",
        formula="Firm market equity.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Fama and French 1993",
        expected_sign=-1,
        rebalance="monthly",
        minimum=0.0,
    ),
    SignalDefinition(
        column="book_to_market",
        family="value",
        unit="ratio",
        formula="Book equity over market equity; NULL unless positive.",
        timing=_JUNE_AND_DECEMBER,
        paper="Fama and French 1992",
        expected_sign=1,
        rebalance="june",
        minimum=0.0,
        likely=(1e-4, 20.0),
    ),
    SignalDefinition(
        column="book_to_market_monthly",
        family="value",
        unit="ratio",
        formula="Latest public book equity over market equity; NULL unless positive.",
        timing="Both at the end of the month before.",
        paper="Asness and Frazzini 2013",
        expected_sign=1,
        rebalance="monthly",
        minimum=0.0,
        likely=(1e-4, 20.0),
    ),
    SignalDefinition(
        column="earnings_to_price",
        family="value",
        unit="ratio",
        formula="Net income over market equity; negative for a loss.",
        timing=_JUNE_AND_DECEMBER,
        paper="Basu 1983",
        expected_sign=1,
        rebalance="june",
        likely=(-5.0, 1.0),
    ),
    SignalDefinition(
        column="cash_flow_to_price",
        family="value",
        unit="ratio",
        formula="Net income plus depreciation over market equity.",
        timing=_JUNE_AND_DECEMBER,
        paper="Lakonishok, Shleifer and Vishny 1994",
        expected_sign=1,
        rebalance="june",
        likely=(-5.0, 2.0),
    ),
    SignalDefinition(
        column="dividend_yield",
        family="value",
        unit="decimal/year",
        formula="Cash dividends of the months t-12 to t-1 over the price; 0 when there are none.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Litzenberger and Ramaswamy 1979",
        expected_sign=1,
        rebalance="monthly",
        minimum=0.0,
        likely=(0.0, 0.5),
    ),
    SignalDefinition(
        column="momentum_12_2",
        family="momentum",
        unit="decimal",
        formula="Compound return of the months t-12 to t-2.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Jegadeesh and Titman 1993",
        expected_sign=1,
        rebalance="monthly",
        minimum=-1.0,
    ),
    SignalDefinition(
        column="high_52w",
        family="momentum",
        unit="ratio",
        formula="Price over the highest close of the months t-12 to t-1, splits undone.",
        timing=_END_OF_MONTH_BEFORE,
        paper="George and Hwang 2004",
        expected_sign=1,
        rebalance="monthly",
        minimum=0.0,
        maximum=1.0,
    ),
    SignalDefinition(
        column="reversal_1",
        family="reversal",
        unit="decimal",
        formula="Return of the month t-1.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Jegadeesh 1990",
        expected_sign=-1,
        rebalance="monthly",
        minimum=-1.0,
    ),
    SignalDefinition(
        column="reversal_60_13",
        family="reversal",
        unit="decimal",
        formula="Compound return of the months t-60 to t-13.",
        timing=_END_OF_MONTH_BEFORE,
        paper="De Bondt and Thaler 1985",
        expected_sign=-1,
        rebalance="monthly",
        minimum=-1.0,
    ),
    SignalDefinition(
        column="operating_profitability",
        family="profitability",
        unit="ratio",
        formula=(
            "Revenue less cost of goods, SG&A and interest, over positive book equity; needs "
            "revenue and one of the costs."
        ),
        timing=_JUNE,
        paper="Fama and French 2015",
        expected_sign=1,
        rebalance="june",
    ),
    SignalDefinition(
        column="gross_profitability",
        family="profitability",
        unit="ratio",
        formula="Revenue less cost of goods, over total assets.",
        timing=_JUNE,
        paper="Novy-Marx 2013",
        expected_sign=1,
        rebalance="june",
    ),
    SignalDefinition(
        column="investment",
        family="investment",
        unit="decimal",
        formula=(
            "Asset growth: total assets over those of the fiscal year ending in calendar y-2, "
            "minus 1."
        ),
        timing=_JUNE,
        paper="Fama and French 2015",
        expected_sign=-1,
        rebalance="june",
        minimum=-1.0,
    ),
    SignalDefinition(
        column="accruals",
        family="investment",
        unit="ratio",
        formula=(
            "Net income less operating cash flow, over the mean of total assets and those of the "
            "fiscal year ending in calendar y-2."
        ),
        timing=_JUNE,
        paper="Sloan 1996",
        expected_sign=-1,
        rebalance="june",
    ),
    SignalDefinition(
        column="quality",
        family="quality",
        unit="z-score",
        formula=(
            "Mean z-score of the ranks of profitability, growth and safety, of those that "
            "quality_parts names."
        ),
        timing="Statements as at the last June formation, beta at the end of the month before.",
        paper="Asness, Frazzini and Pedersen 2019",
        expected_sign=1,
        rebalance="monthly",
    ),
    SignalDefinition(
        column="beta",
        family="risk",
        unit="ratio",
        formula="Market beta of Frazzini and Pedersen, as in risk.market_beta.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Frazzini and Pedersen 2014",
        expected_sign=-1,
        rebalance="monthly",
    ),
    SignalDefinition(
        column="volatility_252d",
        family="risk",
        unit="decimal/year",
        formula="Standard deviation of daily returns over 252 days, annualised.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Ang, Hodrick, Xing and Zhang 2006",
        expected_sign=-1,
        rebalance="monthly",
        minimum=0.0,
    ),
    SignalDefinition(
        column="idiosyncratic_volatility",
        family="risk",
        unit="decimal/day",
        formula="Standard deviation of daily three-factor residuals over betas.daily_window_days.",
        timing=_END_OF_MONTH_BEFORE,
        paper="Ang, Hodrick, Xing and Zhang 2006",
        expected_sign=-1,
        rebalance="monthly",
        minimum=0.0,
    ),
    SignalDefinition(
        column="value_momentum",
        family="value",
        unit="z-score",
        formula=(
            "Mean z-score of the ranks of book_to_market and momentum_12_2, among stocks that "
            "have both."
        ),
        timing=_END_OF_MONTH_BEFORE,
        paper="Asness, Moskowitz and Pedersen 2013",
        expected_sign=1,
        rebalance="monthly",
    ),
)
"""Every signal of the warehouse."""

SIGNAL_COLUMNS: Final = tuple(signal.column for signal in SIGNALS)
"""Columns of ``signal.characteristic`` that stocks can be ranked by."""
