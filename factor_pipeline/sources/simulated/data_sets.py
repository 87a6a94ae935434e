"""The nine data sets of a market."""

from collections.abc import Sequence

import polars as pl

from factor_pipeline.sources.simulated.benchmarks import benchmark_frame, fund_frame, macro_frame
from factor_pipeline.sources.simulated.fundamentals import fundamental_frame
from factor_pipeline.sources.simulated.identities import (
    delisting_frame,
    listing_frame,
    membership_frame,
)
from factor_pipeline.sources.simulated.library import library_frame
from factor_pipeline.sources.simulated.market import Market, simulate_market
from factor_pipeline.sources.simulated.names import Spell, ticker_spells
from factor_pipeline.sources.simulated.parameters import SimulationParameters
from factor_pipeline.sources.simulated.prices import price_frame


def data_sets(parameters: SimulationParameters) -> dict[str, pl.DataFrame]:
    """Generate a market and everything its vendors tell about it.

    A thousand stocks over twenty years are five million prices and take 0.8 GB of memory; both
    grow with stocks times years.

    Returns
    -------
    dict
        Frames by data set as in ``schemas.raw.DATA_SETS``, with the contract's columns but
        ``file``, in a fixed order; nothing in them is NaN or infinite.
    """
    market = simulate_market(parameters)
    return data_sets_of(market, ticker_spells(market))


def data_sets_of(market: Market, spells: Sequence[Spell]) -> dict[str, pl.DataFrame]:
    """Tell what vendors tell about a market and its ``ticker_spells``, as ``data_sets`` does."""
    return {
        "prices": price_frame(market, spells),
        "fundamentals": fundamental_frame(market, spells),
        "library": library_frame(market.parameters, market.economy),
        "membership": membership_frame(market, spells),
        "benchmark": benchmark_frame(market),
        "etf": fund_frame(market),
        "macro": macro_frame(market),
        "listing": listing_frame(market, spells),
        "delisting": delisting_frame(market, spells),
    }
