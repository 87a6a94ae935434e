"""A study anyone can check with a pencil: from daily prices and filings to panel and signals."""

from collections.abc import Sequence
from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.fundamentals import balance_facts
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.compute.signals import DAILY_RISK_SCHEMA, SignalInputs, characteristics
from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.statements import statement_facts
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.schemas.raw import FUNDAMENTAL, INDEX_MEMBER

MILLION = 1e6
RULES = PanelRules(max_fundamental_age_months=18, delisting_return="-30%", disputed_return="null")

# Decimal fractions are not exact in binary; a few operations are off by a few 1.1e-16.
BINARY = 1e-14

PRICE = {
    "security_id": pl.Int64,
    "date": pl.Date,
    "close": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
    "adjusted_close": pl.Float64,
    "volume": pl.Float64,
}

Day = tuple[int, date, float, float, float]


def day(when: date, close: float, security: int = 1, *, split=1.0, dividend=0.0) -> Day:
    return security, when, close, split, dividend


def month_ends(first: date, closes: Sequence[float | None], security: int = 1) -> list[Day]:
    """One price on the last trading day of each month; None is a month without a price."""
    days = [last_trading_day(add_months(first, i)) for i in range(len(closes))]
    return [
        day(when, close, security)
        for when, close in zip(days, closes, strict=True)
        if close is not None
    ]


def security(number=1, *, firm=None, **known) -> dict[str, object]:
    return {
        "security_id": number,
        "firm_id": number if firm is None else firm,
        "vendor_id": f"V{number}",
        "ticker": f"T{number}",
        "valid_from": date(1990, 1, 2),
        "exchange": "NYSE",
    } | known


def sheet(number=1, *, period_end, filed_at, equity=None, shares=None, basis=None, assets=None):
    return {
        "security_id": number,
        "statement": "balance",
        "total_assets": assets,
        "fiscal_year": period_end.year,
        "period_end": period_end,
        "filed_at": filed_at,
        "total_equity": equity,
        "shares": shares,
        "shares_basis_date": basis,
    }


def flows(number=1, *, period_end, filed_at, statement="income", **figures):
    """A filed income statement, or the ``statement`` named, with ``figures``."""
    return {
        "security_id": number,
        "statement": statement,
        "fiscal_year": period_end.year,
        "period_end": period_end,
        "filed_at": filed_at,
    } | figures


class Study:
    """The panel and the signals of a handful of securities."""

    def __init__(
        self,
        prices: list[Day],
        *,
        securities=None,
        sheets=(),
        statements=(),
        daily_risk=(),
        rules=RULES,
        end=None,
    ):
        self.days = pl.DataFrame([(*row, None, None) for row in prices], schema=PRICE, orient="row")
        ids = self.days["security_id"].unique().sort()
        names = [security(number) for number in ids] if securities is None else securities
        self.data_end = self.days["date"].max() if end is None else end
        schema = {"security_id": pl.Int64, **FUNDAMENTAL.polars_schema}
        self.facts = balance_facts(
            pl.DataFrame(list(sheets), schema=schema),
            filing_lag_months=4,
            deferred_taxes="until_1993",
        )
        self.statements = statement_facts(
            pl.DataFrame(list(statements), schema=schema), filing_lag_months=4
        )
        self.daily_risk = pl.DataFrame(list(daily_risk), schema=DAILY_RISK_SCHEMA, orient="row")
        self.months = MonthRange.of_months(self.days["date"].min(), self.data_end)
        self.panel = security_months(
            PanelInputs(
                prices=self.days,
                securities=pl.DataFrame(names, schema=SECURITY.polars_schema),
                facts=self.facts,
                splits=self.days.filter(pl.col("split") != 1).select(
                    "security_id", "date", "split"
                ),
                members=INDEX_MEMBER.empty(),
                data_end=self.data_end,
            ),
            self.months,
            rules,
        )

    def of(self, month_end: date, number=1) -> dict[str, object]:
        """Return the panel row."""
        return self._only(self.panel, month_end, number)

    def signals(self, month_end: date, number=1, *, min_stocks=2) -> dict[str, object]:
        """Return the signals for the month."""
        return self._only(self.all_signals(month_end, min_stocks=min_stocks), month_end, number)

    def all_signals(self, month_end: date, *, min_stocks=2) -> pl.DataFrame:
        """Return the signals of all securities for the month."""
        return characteristics(
            self.inputs,
            MonthRange.of_months(month_end, month_end),
            max_fundamental_age_months=18,
            breakpoint_rule=BreakpointRule(min_stocks=min_stocks),
        )

    def known(self, month_end: date) -> Known:
        """Return what is known before the month."""
        months = MonthRange.of_months(month_end, month_end)
        return Known.before(months, self.inputs, max_fundamental_age_months=18)

    @property
    def inputs(self) -> SignalInputs:
        return SignalInputs(self.panel, self.facts, self.statements, self.daily_risk)

    @staticmethod
    def _only(frame: pl.DataFrame, month_end: date, number: int) -> dict[str, object]:
        here = (pl.col("month_end") == month_end) & (pl.col("security_id") == number)
        return frame.row(by_predicate=here, named=True)


def approx(value: float) -> object:
    return pytest.approx(value, rel=BINARY)
