"""Typed settings: one TOML file plus environment variables; nothing happens on import."""

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any, Self, get_args

from pydantic import ValidationError, model_validator

from factor_pipeline.errors import SettingsError
from factor_pipeline.months import add_months
from factor_pipeline.settings_etf import EtfSettings
from factor_pipeline.settings_messages import one_line
from factor_pipeline.settings_portfolios import PortfolioSettings
from factor_pipeline.settings_quality import QualitySettings
from factor_pipeline.settings_sections import (
    BacktestSettings,
    BenchmarkSettings,
    BetasSettings,
    DelistingSettings,
    FundamentalsSettings,
    LibrarySettings,
    ListingSettings,
    MacroSettings,
    MembershipSettings,
    Month,
    PanelSettings,
    PricesSettings,
    ScheduleSettings,
    Section,
    SimulationSettings,
)
from factor_pipeline.settings_strategies import StrategySet, StrategySettings, SweepSettings
from factor_pipeline.settings_tilts import DEFAULT_TILTS, TiltSettings

__all__ = [
    "CONFIG_VARIABLE",
    "DATA_SETS",
    "DEFAULT_HOME",
    "HOME_VARIABLE",
    "OPTIONAL_DATA_SETS",
    "PUBLISHED_FILE",
    "WORK_FILE",
    "BacktestSettings",
    "PanelSettings",
    "PortfolioSettings",
    "Settings",
    "home",
    "load_settings",
    "parse_settings",
]

CONFIG_VARIABLE = "FACTOR_CONFIG"
HOME_VARIABLE = "FACTOR_HOME"
DEFAULT_HOME = "var"
WORK_FILE = "warehouse.duckdb"
PUBLISHED_FILE = "factors.duckdb"

OPTIONAL_DATA_SETS = (
    "fundamentals",
    "membership",
    "benchmark",
    "etf",
    "macro",
    "listing",
    "delisting",
)
DATA_SETS = ("prices", "library", *OPTIONAL_DATA_SETS)

_BARE_MONTH = re.compile(r"=\s*\d{4}-\d{2}\s*(#|$)", re.MULTILINE)


class Settings(Section):
    """Everything a user can choose; every key has a default but the vendors' paths."""

    first_month: Month | None = None
    last_month: Month | None = None
    prices: PricesSettings = PricesSettings()
    fundamentals: FundamentalsSettings = FundamentalsSettings()
    library: LibrarySettings = LibrarySettings()
    membership: MembershipSettings = MembershipSettings()
    benchmark: BenchmarkSettings = BenchmarkSettings()
    etf: EtfSettings = EtfSettings()
    macro: MacroSettings = MacroSettings()
    listing: ListingSettings = ListingSettings()
    delisting: DelistingSettings = DelistingSettings()
    simulation: SimulationSettings = SimulationSettings()
    panel: PanelSettings = PanelSettings()
    portfolios: PortfolioSettings = PortfolioSettings()
    betas: BetasSettings = BetasSettings()
    tilts: tuple[TiltSettings, ...] = DEFAULT_TILTS
    backtest: BacktestSettings = BacktestSettings()
    strategies: tuple[StrategySettings, ...] = ()
    sweeps: tuple[SweepSettings, ...] = ()
    quality: QualitySettings = QualitySettings()
    schedule: ScheduleSettings = ScheduleSettings()

    @model_validator(mode="before")
    @classmethod
    def _vendor_files_bring_no_simulated_data(cls, document: object) -> object:
        """With real prices, a data set that is not mentioned is absent, not simulated."""
        prices = document.get("prices") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(prices, dict):
            return document
        if prices.get("source", "simulated") == "simulated":
            return document
        return {**{name: {"source": "none"} for name in OPTIONAL_DATA_SETS}, **document}

    @model_validator(mode="after")
    def _real_and_simulated_never_mix(self) -> Self:
        simulated = [name for name in DATA_SETS if self.source_of(name) == "simulated"]
        real = [n for n in DATA_SETS if self.source_of(n) not in {"simulated", "none"}]
        if simulated and real:
            section = type(getattr(self, simulated[0]))
            choices = get_args(section.model_fields["source"].annotation)
            accepted = " or ".join(f'"{name}"' for name in choices if name != "simulated")
            raise ValueError(
                f"[{real[0]}] is real but [{simulated[0]}] is simulated: "
                f"set {simulated[0]}.source to {accepted}"
            )
        return self

    @model_validator(mode="after")
    def _months_make_a_range(self) -> Self:
        if self.first_month is None and not self.is_simulated:
            raise ValueError(
                'first_month is missing, vendor files need it; write it as "YYYY-MM", such as '
                '"1999-11"'
            )
        if self.last_month and self.last_month < self.start_month:
            raise ValueError(
                f"last_month {self.last_month:%Y-%m} is before the first month, "
                f"{self.start_month:%Y-%m}"
            )
        return self

    @model_validator(mode="after")
    def _index_universe_needs_membership(self) -> Self:
        for section in ("portfolios", "backtest"):
            if getattr(self, section).universe == "index" and self.membership.source == "none":
                raise ValueError(
                    f'{section}.universe is "index" but membership.source is "none": '
                    'give a membership file or set universe to "all"'
                )
        return self

    @model_validator(mode="after")
    def _tilts_have_names_and_estimates(self) -> Self:
        names = [tilt.name for tilt in self.tilts]
        for tilt in self.tilts:
            if names.count(tilt.name) > 1:
                raise ValueError(f'tilts names "{tilt.name}" twice; rename one')
            # Those that nobody wrote are left out where their model is.
            if "tilts" in self.model_fields_set and tilt.model not in self.betas.models:
                accepted = " or ".join(f'"{model}"' for model in self.betas.models)
                raise ValueError(
                    f'tilts: {tilt.name} is on model "{tilt.model}", which is not one of '
                    f"betas.models; write {accepted}"
                )
        return self

    @model_validator(mode="after")
    def _strategies_have_what_they_need(self) -> Self:
        if any(strategy.universe == "index" for strategy in self.strategies) and (
            self.membership.source == "none"
        ):
            raise ValueError(
                'strategies: universe is "index" but membership.source is "none": '
                'give a membership file or set universe to "all"'
            )
        capped = any(strategy.sector_cap for strategy in self.strategies) or any(
            sweep.sector_cap for sweep in self.sweeps
        )
        if capped and self.listing.source == "none":
            raise ValueError(
                'sector_cap is set but listing.source is "none": give a listing file, which has '
                "the sectors, or leave sector_cap out"
            )
        return self

    @model_validator(mode="after")
    def _strategies_can_be_run(self) -> Self:
        try:
            _ = self.strategy_set
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return self

    @property
    def strategy_set(self) -> StrategySet:
        """Strategies to run, and which of them are variants of one."""
        return StrategySet.of(self.backtest, self.strategies, self.sweeps)

    @property
    def is_simulated(self) -> bool:
        """Whether all data come from the embedded market."""
        return self.prices.source == "simulated"

    @property
    def start_month(self) -> date:
        """First month of the warehouse, as the first day of that month."""
        return self.first_month or self.simulation.start

    @property
    def final_month(self) -> date | None:
        """Last month there can be data for, null when open-ended.

        For the simulated market the month after its last day: signals for it are known.
        """
        if self.last_month or not self.is_simulated:
            return self.last_month
        return add_months(self.simulation.start, 12 * self.simulation.years)

    def source_of(self, data_set: str) -> str:
        """Name of the source that serves ``data_set``."""
        source: str = getattr(self, data_set).source
        return source


def load_settings(config: Path | None = None) -> Settings:
    """Read ``config``, else the file named by ``FACTOR_CONFIG``, else the defaults.

    Raises
    ------
    SettingsError
        With one line that names the first wrong key and what it accepts.
    """
    variable = os.environ.get(CONFIG_VARIABLE)
    if config is None and not variable:
        return Settings()
    named = config or Path(variable or "")
    whose = "" if config else f" named by {CONFIG_VARIABLE}"
    try:
        text = named.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(f"settings file {named}{whose} is not UTF-8 text") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"cannot read settings file {named}{whose}: {reason}") from error
    try:
        document = tomllib.loads(text)
    # A number with thousands of digits is a plain ValueError, deep nesting a RecursionError.
    except (ValueError, RecursionError) as error:
        hint = '; months are written in quotes, "YYYY-MM"' if _BARE_MONTH.search(text) else ""
        raise SettingsError(f"{named} is not a TOML file: {error}{hint}") from error
    built_before = (home() / WORK_FILE).exists()
    base = named.resolve().parent
    return parse_settings(document, base=base, name=str(named), may_be_gone=built_before)


def parse_settings(
    document: dict[str, Any], *, base: Path, name: str = "settings", may_be_gone: bool = False
) -> Settings:
    """Validate a settings document; relative paths in it start at ``base``.

    Where ``may_be_gone``, a path at which nothing is any more is let through: the warehouse may
    have last good rows of its files, which ingestion knows.

    Raises
    ------
    SettingsError
        With one line that starts with ``name`` and names the first wrong key and what it accepts.
    """
    try:
        context = {"base": base, "may_be_gone": may_be_gone}
        return Settings.model_validate(document, context=context)
    except ValidationError as error:
        raise SettingsError(f"{name}: {one_line(error, Settings)}") from error


def home() -> Path:
    """Folder everything is written under: ``FACTOR_HOME``, else ``var`` here.

    Raises
    ------
    SettingsError
        When it exists and is not a folder.
    """
    folder = Path(os.environ.get(HOME_VARIABLE) or DEFAULT_HOME).expanduser().resolve()
    if folder.exists() and not folder.is_dir():
        raise SettingsError(f"{HOME_VARIABLE}: {folder} is not a folder; name one to write into")
    return folder
