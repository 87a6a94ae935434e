"""Signals from annual statements, formed at the end of June and held from July to June."""

import numpy as np
from numpy.typing import NDArray

from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.signals.registry import signal

Floats = NDArray[np.float64]

_COSTS = ("cost_of_revenue", "selling_general_administrative", "interest_expense")


@signal
def book_to_market(known: Known) -> Floats:
    """Book equity over the firm's market equity of December, where both are positive.

    References
    ----------
    Fama and French (1992), *Journal of Finance* 47(2).
    """
    book = known.fiscal_year("book_equity")
    return _positive(over(book, known.column("december_market_equity")))


@signal
def book_to_market_monthly(known: Known) -> Floats:
    """Latest public book equity over market equity, both at the end of the month before.

    References
    ----------
    Asness and Frazzini (2013), *Journal of Portfolio Management* 39(4).
    """
    book = known.column("latest_book_equity")
    return _positive(over(book, known.column("firm_market_equity")))


@signal
def earnings_to_price(known: Known) -> Floats:
    """Net income over the firm's market equity of December; negative for a loss.

    References
    ----------
    Basu (1983), *Journal of Financial Economics* 12(1); timing of Fama and French (1992).
    """
    return over(known.fiscal_year("net_income"), known.column("december_market_equity"))


@signal
def cash_flow_to_price(known: Known) -> Floats:
    """Net income plus depreciation over the firm's market equity of December.

    Fama and French count only equity's share of depreciation.

    References
    ----------
    Lakonishok, Shleifer and Vishny (1994), *Journal of Finance* 49(5).
    """
    cash_flow = known.fiscal_year("net_income") + known.fiscal_year("depreciation")
    return over(cash_flow, known.column("december_market_equity"))


@signal
def operating_profitability(known: Known) -> Floats:
    """Revenue less costs of goods, overhead and interest, over positive book equity.

    Needs revenue and one of the costs; the others count as 0 where the firm states none.

    References
    ----------
    Fama and French (2015), *Journal of Financial Economics* 116(1).
    """
    costs = np.array([known.fiscal_year(name) for name in _COSTS])
    profit = known.fiscal_year("revenue")
    for cost in costs:
        profit = profit - np.where(np.isnan(cost), 0.0, cost)
    states_one = ~np.isnan(costs).all(axis=0)
    return np.where(states_one, over(profit, known.fiscal_year("book_equity")), np.nan)


@signal
def gross_profitability(known: Known) -> Floats:
    """Revenue less cost of goods sold, over total assets; needs both figures.

    References
    ----------
    Novy-Marx (2013), *Journal of Financial Economics* 108(1).
    """
    return over(gross_profit(known), known.fiscal_year("total_assets"))


@signal
def investment(known: Known) -> Floats:
    """Growth of total assets over the fiscal year; "asset growth" elsewhere.

    References
    ----------
    Fama and French (2015), *Journal of Financial Economics* 116(1); Cooper, Gulen and Schill
    (2008), *Journal of Finance* 63(4).
    """
    return over(known.fiscal_year("total_assets"), known.fiscal_year("total_assets", 1)) - 1


@signal
def accruals(known: Known) -> Floats:
    """Net income less operating cash flow, over the mean of this and last year's total assets.

    References
    ----------
    Sloan (1996), *The Accounting Review* 71(3).
    """
    assets = (known.fiscal_year("total_assets") + known.fiscal_year("total_assets", 1)) / 2
    earned_in_cash = known.fiscal_year("operating_cash_flow")
    return over(known.fiscal_year("net_income") - earned_in_cash, assets)


def gross_profit(known: Known, years_before: int = 0) -> Floats:
    """Revenue less cost of goods sold; NaN without either."""
    revenue = known.fiscal_year("revenue", years_before)
    return revenue - known.fiscal_year("cost_of_revenue", years_before)


def over(numerator: Floats, denominator: Floats) -> Floats:
    """``numerator`` over a positive ``denominator``, else NaN."""
    return np.where(denominator > 0, numerator / denominator, np.nan)


def _positive(ratio: Floats) -> Floats:
    return np.where(ratio > 0, ratio, np.nan)
