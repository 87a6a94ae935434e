"""Quality: profitable, growing and safe firms, as far as the data allow."""

from collections.abc import Mapping
from functools import reduce
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.signals.annual import accruals, gross_profit, gross_profitability, over
from factor_pipeline.compute.signals.known import Known
from factor_pipeline.compute.signals.ranks import mean_score, rank_scores
from factor_pipeline.compute.signals.registry import signal
from factor_pipeline.compute.signals.risk import beta

Floats = NDArray[np.float64]

PARTS: Final = ("profitability", "growth", "safety")

_GROWTH_YEARS = 5
_MEASURES_OF_A_PART = 2


@signal
def quality(known: Known) -> Floats:
    r"""Mean z-score of the ranks of a stock's profitability, growth and safety.

    Each part is the z-scored rank of a mean of z-scored ranks, of

    - profitability: gross profits over assets, return on equity, return on assets, operating
      cash flow over assets, gross margin, and low accruals;
    - growth: five-year change of gross profits, net income and operating cash flow over the
      assets of five years ago, of net income over book equity then, and of gross profits over
      revenue then;
    - safety: low beta, low leverage (liabilities over assets), and a low standard deviation of the
      return on equity over five fiscal years.

    A part needs two of its measures, quality needs profitability; `quality_parts` says which parts
    a stock has. Beta is that of the month before, all else of the last formation.

    References
    ----------
    Asness, Frazzini and Pedersen (2019), *Review of Accounting Studies* 24(1), whose growth is per
    share, and whose safety knows two bankruptcy scores more.
    """
    month = known.rows["month_end"]
    scores = {
        part: rank_scores(
            month,
            mean_score(
                [rank_scores(month, values) for values in measures.values()],
                at_least=_MEASURES_OF_A_PART,
            ),
        )
        for part, measures in _measures(known).items()
    }
    mean = mean_score(list(scores.values()), at_least=1)
    return np.where(np.isnan(scores["profitability"]), np.nan, mean)


def quality_parts(known: Known) -> pl.Series:
    """Parts that `quality` is the mean of, comma-separated; null where it is missing."""
    has = {
        part: reduce(np.add, [np.isfinite(v).astype(int) for v in measures.values()])
        >= _MEASURES_OF_A_PART
        for part, measures in _measures(known).items()
    }
    named = [pl.when(pl.Series(has[part])).then(pl.lit(part)) for part in PARTS]
    parts = pl.concat_str(named, separator=",", ignore_nulls=True)
    return pl.select(pl.when(pl.Series(has["profitability"])).then(parts)).to_series()


def _measures(known: Known) -> Mapping[str, Mapping[str, Floats]]:
    """Measures of each part, high is good; NaN or infinite where missing."""
    return {
        "profitability": _profitability(known),
        "growth": _growth(known),
        "safety": _safety(known),
    }


def _profitability(known: Known) -> dict[str, Floats]:
    assets = known.fiscal_year("total_assets")
    return {
        "gross_profitability": gross_profitability(known),
        "return_on_equity": _return_on_equity(known),
        "return_on_assets": over(known.fiscal_year("net_income"), assets),
        "cash_flow_over_assets": over(known.fiscal_year("operating_cash_flow"), assets),
        "gross_margin": over(gross_profit(known), known.fiscal_year("revenue")),
        "low_accruals": 0.0 - accruals(known),
    }


def _growth(known: Known) -> dict[str, Floats]:
    def change(name: str) -> Floats:
        return known.fiscal_year(name) - known.fiscal_year(name, _GROWTH_YEARS)

    profit = gross_profit(known) - gross_profit(known, _GROWTH_YEARS)
    assets = known.fiscal_year("total_assets", _GROWTH_YEARS)
    equity = known.fiscal_year("book_equity", _GROWTH_YEARS)
    return {
        "gross_profitability": over(profit, assets),
        "return_on_equity": over(change("net_income"), equity),
        "return_on_assets": over(change("net_income"), assets),
        "cash_flow_over_assets": over(change("operating_cash_flow"), assets),
        "gross_margin": over(profit, known.fiscal_year("revenue", _GROWTH_YEARS)),
    }


def _safety(known: Known) -> dict[str, Floats]:
    assets = known.fiscal_year("total_assets")
    return {
        "low_beta": 0.0 - beta(known),
        "low_leverage": over(known.fiscal_year("book_equity"), assets),
        "steady_return_on_equity": 0.0
        - _deviation([_return_on_equity(known, years) for years in range(_GROWTH_YEARS)]),
    }


def _return_on_equity(known: Known, years_before: int = 0) -> Floats:
    equity = known.fiscal_year("book_equity", years_before)
    return over(known.fiscal_year("net_income", years_before), equity)


def _deviation(values: list[Floats]) -> Floats:
    """Take the standard deviation (n - 1) of each row, one array after the other."""
    mean = reduce(np.add, values) / len(values)
    squares = reduce(np.add, [(value - mean) ** 2 for value in values])
    return np.asarray(np.sqrt(squares / (len(values) - 1)))
