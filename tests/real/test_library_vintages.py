"""The library's own editions on the days they came, and the warehouse as of the day before."""

import shutil
from datetime import UTC, date, datetime

import polars as pl
import pytest

from factor_pipeline.settings import parse_settings
from factor_pipeline.sources.simulated import SimulationParameters
from factor_pipeline.sources.simulated.vendor_files import write
from tests.unit.dated_home import DatedHome, assets_of

OLD, NEW = "202412", "202512"
FIRST_DAY, SECOND_DAY = date(2025, 2, 3), date(2026, 2, 2)
# Both editions are printed to the second decimal of a percent.
ROUNDING = 1e-12


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 3, tzinfo=UTC)


@pytest.fixture(scope="module")
def home(vendor_data, tmp_path_factory):
    """Stocks of a small simulated market, the real library."""
    folder = tmp_path_factory.mktemp("home")
    market = SimulationParameters(stocks=20, years=3, seed=4)
    stocks = write(market, folder / "vendor")
    library = folder / "library"
    library.mkdir()
    shutil.copytree(vendor_data / "ken_french" / OLD, library / OLD)
    document = {
        "first_month": f"{market.start:%Y-%m}",
        "prices": {"source": "alphavantage", "path": str(stocks["prices"])},
        "fundamentals": {"source": "simfin", "path": str(stocks["fundamentals"])},
        "library": {"source": "ken_french", "path": str(library)},
        "portfolios": {"min_market_stocks": 5},
        "backtest": {"min_names": 2, "universe": "all"},
    }
    settings = parse_settings(document, base=folder)
    return DatedHome(folder / "var", settings, assets_of(settings, folder / "location"))


@pytest.fixture(scope="module")
def days(home, vendor_data):
    """What was published when the older edition was the newest, and a year later."""
    first = home.build(at(FIRST_DAY))
    shutil.copytree(vendor_data / "ken_french" / NEW, home.settings.library.path / NEW)
    return first, home.build(at(SECOND_DAY))


def test_as_of_the_day_before_the_new_edition_all_tables_are_those_of_then(home, days):
    first, second = days
    again = home.build(datetime(2026, 6, 1, tzinfo=UTC), date(2026, 2, 1))
    assert [name for name in first if not first[name].equals(again[name])] == []
    # The newest edition is the one that calculations use: much differs since.
    differing = {name for name in first if not first[name].equals(second[name])}
    assert {"raw.french_return", "factor.factor_return", "factor.comparison"} <= differing
    assert second["raw.snapshot"]["known_to"].null_count() == second["raw.snapshot"].height


def test_the_drift_between_editions_is_shown_and_is_no_restatement(days):
    first, second = days
    assert first["factor.vintage_drift"].is_empty()
    drift = second["factor.vintage_drift"]
    assert set(drift.select("older_vintage", "newer_vintage").rows()) == {(OLD, NEW)}
    hml = drift.filter(pl.col("factor") == "HML")
    changed = hml.filter(pl.col("difference") != 0)
    assert (hml.height, changed.height) == (1_182, 1_098)
    assert changed["difference"].abs().max() == pytest.approx(0.0142, abs=ROUNDING)
    assert second["quality.vintage_diff"].is_empty()
    assert set(second["factor.comparison"]["vintage"]) == {OLD, NEW}
