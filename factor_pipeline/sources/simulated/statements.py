"""Annual statements: what a fiscal year looks like in the books."""

from typing import Final

import numpy as np
import polars as pl

from factor_pipeline.sources.simulated.draws import Draws, Floats, Integers
from factor_pipeline.sources.simulated.fiscal_years import FiscalYears

STATEMENTS: Final = {
    "balance": (
        "total_assets",
        "total_liabilities",
        "total_equity",
        "preferred_stock",
        "deferred_taxes",
    ),
    "cashflow": ("operating_cash_flow", "depreciation", "dividends_paid"),
    "income": (
        "revenue",
        "cost_of_revenue",
        "selling_general_administrative",
        "interest_expense",
        "net_income",
    ),
}
"""Statements and the figures each of them states."""

_THOUSAND: Final = 1000.0
_NEGATIVE_EQUITY_SHARE: Final = 0.01
_PREFERRED_SHARE: Final = 0.10
_DEFERRED_SHARE: Final = 0.5
_ONE_COST_ITEM_SHARE: Final = 0.08
_OVERSTATED_SHARE: Final = 0.7
_CORRECTION: Final = (0.02, 0.13)
_EARLIEST_MONTH: Final = -60  # fiscal years are told from four years before the market at most


def draw_time(years: FiscalYears) -> Integers:
    """Address of draws by fiscal year, from 0 on."""
    return years.month - _EARLIEST_MONTH


def statement_figures(draws: Draws, years: FiscalYears) -> pl.DataFrame:
    """Figures of all statements, one row per fiscal year, in whole thousands of dollars.

    Book equity is ``total_equity - preferred_stock`` (one firm in a hundred states a negative
    one), operating profitability ``(revenue - cost_of_revenue - selling_general_administrative
    - interest_expense) / book equity``. Preferred stock, deferred taxes and cost of revenue are
    null for firms that do not state them. ``corrected_*`` are the figures of a restatement.
    """
    year, entity, time = years.year, years.entity, draw_time(years)

    def states(stream: str, share: float) -> np.ndarray:
        return draws.uniform(stream, entity) < share

    assets = year.book * year.leverage
    interest = 0.025 * (assets - year.book)
    before_costs = year.profitability * year.book + interest
    turnover = 0.4 + draws.uniform("turnover", entity)
    revenue = np.maximum(turnover * assets, 1.6 * before_costs)
    one_item = states("one cost item", _ONE_COST_ITEM_SHARE)
    overhead = np.where(one_item, revenue - before_costs, 0.2 * revenue)
    goods = np.where(one_item, np.nan, revenue - before_costs - overhead)
    preferred = np.where(states("preferred", _PREFERRED_SHARE), 0.08 * year.book, np.nan)
    deferred = np.where(states("deferred", _DEFERRED_SHARE), 0.03 * assets, np.nan)
    negative = states("negative equity", _NEGATIVE_EQUITY_SHARE)
    equity = np.where(negative, -0.05 * assets, year.book) + np.nan_to_num(preferred)
    correction = _correction(draws, entity, time)
    depreciation = 0.04 * assets
    accruals = 0.02 * assets * draws.normal("cash", entity, time)
    figures = {
        "total_assets": assets,
        "total_equity": equity,
        "corrected_total_equity": equity + correction * np.abs(equity),
        "preferred_stock": preferred,
        "deferred_taxes": deferred,
        "revenue": revenue,
        "cost_of_revenue": goods,
        "selling_general_administrative": overhead,
        "interest_expense": interest,
        "net_income": year.net_income,
        "corrected_net_income": year.net_income + correction * np.abs(equity),
        "operating_cash_flow": year.net_income + depreciation + accruals,
        "depreciation": depreciation,
        "dividends_paid": year.dividends,
    }
    rounded = {name: _in_thousands(values) for name, values in figures.items()}
    return pl.DataFrame(rounded, nan_to_null=True)


def _correction(draws: Draws, entity: Integers, time: Integers) -> Floats:
    """Change of equity by a restatement, as a share of it: two to fifteen percent."""
    least, span = _CORRECTION
    size = least + span * draws.uniform("correction", entity, time)
    overstated = draws.uniform("overstated", entity, time) < _OVERSTATED_SHARE
    return np.where(overstated, -size, size)


def _in_thousands(values: Floats) -> Floats:
    # Adding 0.0 turns -0.0 into 0.0.
    rounded: Floats = np.rint(values / _THOUSAND) * _THOUSAND + 0.0
    return rounded
