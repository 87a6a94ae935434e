"""A simulated market with known truth: the source that needs no vendor and no network.

Stocks load on six factors and earn their premia; they pay dividends, split, merge, fail, change
tickers and restate accounts. ``truth`` tells what estimates should find.
"""

from factor_pipeline.sources.simulated.monthly import monthly_factors, monthly_market
from factor_pipeline.sources.simulated.parameters import FACTORS, Premia, SimulationParameters
from factor_pipeline.sources.simulated.source import Simulated, release, truth_behind
from factor_pipeline.sources.simulated.truth import truth

__all__ = [
    "FACTORS",
    "Premia",
    "Simulated",
    "SimulationParameters",
    "monthly_factors",
    "monthly_market",
    "release",
    "truth",
    "truth_behind",
]
