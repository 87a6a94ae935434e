"""Which source serves a data set, by the names the settings use."""

from collections.abc import Callable
from pathlib import Path

from factor_pipeline.errors import SettingsError
from factor_pipeline.settings import Settings
from factor_pipeline.sources.alphavantage import AlphaVantageDaily, AlphaVantageListing
from factor_pipeline.sources.fred import Fred
from factor_pipeline.sources.ken_french import KenFrench
from factor_pipeline.sources.membership_intervals import MembershipIntervals
from factor_pipeline.sources.protocol import Source
from factor_pipeline.sources.simfin import SimFin
from factor_pipeline.sources.simulated import Premia, Simulated, SimulationParameters
from factor_pipeline.sources.yahoo import Yahoo

_ON_FILES: dict[tuple[str, str], Callable[[Path], Source]] = {
    ("prices", "alphavantage"): AlphaVantageDaily,
    ("fundamentals", "simfin"): SimFin,
    ("library", "ken_french"): KenFrench,
    ("membership", "intervals"): MembershipIntervals,
    ("benchmark", "yahoo"): lambda path: Yahoo(path, "benchmark"),
    ("etf", "yahoo"): lambda path: Yahoo(path, "etf"),
    ("macro", "fred"): Fred,
    ("listing", "alphavantage"): AlphaVantageListing,
}


def source_of(settings: Settings, data_set: str) -> Source | None:
    """Return the source the settings name for ``data_set``; null when they name none."""
    name = settings.source_of(data_set)
    if name == "none":
        return None
    if name == "simulated":
        return Simulated(data_set, simulation_of(settings))
    path = getattr(settings, data_set).path
    if path is None:
        raise SettingsError(f"{data_set}.path is missing; name the folder of the files")
    return _ON_FILES[data_set, name](path)


def parser_of(data_set: str, provider: str) -> Source | None:
    """Return what parses files that a provider served once; null for one without files."""
    make = _ON_FILES.get((data_set, provider))
    return make(Path()) if make else None


def simulation_of(settings: Settings) -> SimulationParameters:
    """Return the simulated market the settings describe."""
    market = settings.simulation
    return SimulationParameters(
        stocks=market.stocks,
        years=market.years,
        start=market.start,
        seed=market.seed,
        premia=Premia(**market.premia.model_dump()),
        constant_betas=market.constant_betas,
    )
