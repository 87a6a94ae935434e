"""Typed settings: one TOML file plus environment variables; nothing happens on import."""

import os
import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    model_validator,
)

from factor_pipeline.errors import SettingsError
from factor_pipeline.months import add_months

CONFIG_VARIABLE = "FACTOR_CONFIG"
HOME_VARIABLE = "FACTOR_HOME"
DEFAULT_HOME = "var"

_CRON = re.compile(r"^\S+( \S+){4}$")


def _month(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", value):
        return date.fromisoformat(f"{value}-01")
    if isinstance(value, date) and value.day == 1:
        return value
    raise ValueError(f'{value!r} is not a month; write it as "YYYY-MM", such as "1999-11"')


def _existing(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    resolved = (base / path.expanduser()).resolve()
    if not resolved.exists():
        raise ValueError(f"nothing exists at {resolved}; paths are relative to the settings file")
    return resolved


def _cron(value: str) -> str:
    if not _CRON.match(value):
        raise ValueError(f'{value!r} is not a cron line of five fields, such as "30 2 * * *"')
    return value


Month = Annotated[date, BeforeValidator(_month)]
ExistingPath = Annotated[Path, AfterValidator(_existing)]
Cron = Annotated[str, AfterValidator(_cron)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=False)


class _DataSet(_Section):
    """Which source serves a data set, and where its files are."""

    source: str
    path: ExistingPath | None = None
    exclude: tuple[str, ...] = Field(
        default=(), description="File names to leave out, with their rows."
    )

    @model_validator(mode="after")
    def _files_need_a_path(self) -> Self:
        if self.source not in {"simulated", "none"} and self.path is None:
            raise ValueError(f'source "{self.source}" reads files: set path to their folder')
        return self


class PricesSettings(_DataSet):
    """Daily prices."""

    source: Literal["simulated", "alphavantage"] = "simulated"


class FundamentalsSettings(_DataSet):
    """Annual statements."""

    source: Literal["simulated", "simfin", "none"] = "simulated"


class LibrarySettings(_DataSet):
    """The factor library; ``vintage`` serves the risk-free rate and the comparison by default."""

    source: Literal["simulated", "ken_french"] = "simulated"
    vintage: Literal["latest"] | Annotated[str, Field(pattern=r"^\d{6}$")] = "latest"


class MembershipSettings(_DataSet):
    """Index membership over time."""

    source: Literal["simulated", "intervals", "none"] = "simulated"


class BenchmarkSettings(_DataSet):
    """Benchmark levels; ``symbol`` is the series strategies are compared with."""

    source: Literal["simulated", "yahoo", "none"] = "simulated"
    symbol: str = "SIMTR"


class EtfSettings(_DataSet):
    """Exchange-traded funds."""

    source: Literal["simulated", "yahoo", "none"] = "simulated"


class MacroSettings(_DataSet):
    """Macroeconomic series."""

    source: Literal["simulated", "fred", "none"] = "simulated"


class ListingSettings(_DataSet):
    """Names, sectors, exchanges, share classes."""

    source: Literal["simulated", "alphavantage", "none"] = "simulated"


class DelistingSettings(_DataSet):
    """Delisting dates, reasons and returns."""

    source: Literal["simulated", "none"] = "simulated"


class SimulationSettings(_Section):
    """The embedded market."""

    stocks: int = Field(default=1000, ge=20, le=50_000)
    years: int = Field(default=20, ge=3, le=100)
    start: Month = date(2004, 1, 1)
    seed: int = Field(default=1, ge=0)


class Splice(_Section):
    """A vendor's series that joins two companies: rows before ``date`` are another security."""

    vendor_id: str
    date: date


class PanelSettings(_Section):
    """How prices and filings become the monthly panel."""

    filing_lag_months: int = Field(default=4, ge=0, le=24)
    max_fundamental_age_months: int = Field(default=18, ge=6, le=60)
    add_deferred_taxes: Literal["until_1993", "always", "never"] = "until_1993"
    delisting_return: Literal["none", "-30%", "by_exchange"] = "-30%"
    disputed_return: Literal["null", "computed", "vendor"] = "null"
    splices: tuple[Splice, ...] = ()


class PortfolioSettings(_Section):
    """How stocks are sorted and weighted."""

    universe: Literal["all", "index"] = "all"
    breakpoints: Literal["nyse", "all"] = "nyse"
    quantile: Literal["linear", "lower", "higher", "nearest", "midpoint"] = "linear"
    min_breakpoint_stocks: int = Field(default=10, ge=2)
    min_portfolio_stocks: int = Field(default=3, ge=1)
    min_market_stocks: int = Field(default=50, ge=1)


class BacktestSettings(_Section):
    """Parameters of the default strategies."""

    universe: Literal["index", "all"] = "index"
    top_share: float = Field(default=0.2, gt=0, le=0.5)
    rebalance_months: Literal[1, 2, 3, 4, 6, 12] = 3
    cost_per_traded: float = Field(default=0.0010, ge=0, le=0.1)
    min_names: int = Field(default=10, ge=1)


class QualitySettings(_Section):
    """When data are too broken to go on."""

    max_bad_file_share: Share = 0.05


class ScheduleSettings(_Section):
    """When the nightly run starts."""

    cron: Cron = "30 2 * * *"
    timezone: str = "UTC"


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


class Settings(_Section):
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
    backtest: BacktestSettings = BacktestSettings()
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
            optional = ' or to "none"' if simulated[0] in OPTIONAL_DATA_SETS else ""
            raise ValueError(
                f"[{real[0]}] is real but [{simulated[0]}] is simulated: "
                f"set {simulated[0]}.source to a vendor{optional}"
            )
        return self

    @model_validator(mode="after")
    def _months_make_a_range(self) -> Self:
        if self.first_month is None and not self.is_simulated:
            raise ValueError('first_month is needed for vendor files; write it as "YYYY-MM"')
        if self.last_month and self.last_month < self.start_month:
            raise ValueError("last_month is before first_month")
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
    named = config or (Path(v) if (v := os.environ.get(CONFIG_VARIABLE)) else None)
    if named is None:
        return Settings()
    try:
        document = tomllib.loads(named.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read settings file {named}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{named} is not a TOML file: {error}") from error
    return parse_settings(document, base=named.resolve().parent, name=str(named))


def parse_settings(document: dict[str, Any], *, base: Path, name: str = "settings") -> Settings:
    """Validate a settings document; relative paths in it start at ``base``."""
    try:
        return Settings.model_validate(document, context={"base": base})
    except ValidationError as error:
        raise SettingsError(f"{name}: {_one_line(error)}") from error


def home() -> Path:
    """Folder everything is written under: ``FACTOR_HOME``, else ``var`` here."""
    return Path(os.environ.get(HOME_VARIABLE, DEFAULT_HOME)).resolve()


def _one_line(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"]) or "settings"
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}; accepted here: {', '.join(_accepted(first['loc']))}"
    if first["type"] in {"value_error", "assertion_error"}:
        return f"{key}: {first['ctx']['error']}"
    return f"{key}: {first['msg']}, got {first['input']!r}"


def _accepted(location: tuple[int | str, ...]) -> list[str]:
    """Keys of the section that holds ``location``."""
    model: type[BaseModel] = Settings
    for part in location[:-1]:
        field = model.model_fields.get(str(part))
        annotation = Splice if str(part) == "splices" else field and field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return sorted(model.model_fields)
