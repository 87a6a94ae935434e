"""Sections of the settings file: their keys, defaults and accepted values."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationInfo,
    model_validator,
)

from factor_pipeline.cron import cron_line

LONGEST_BETA_WINDOW = 120
LONGEST_DAILY_BETA_WINDOW = 1260

_MONTH = re.compile(r"(1[89]|2[01])\d\d-(0[1-9]|1[0-2])")
_VINTAGE = re.compile(r"\d{4}(0[1-9]|1[0-2])")


def _month(value: object) -> object:
    text = f"{value:%Y-%m}" if _is_day(value) and value.day == 1 else value  # type: ignore[attr-defined]
    if isinstance(text, str) and _MONTH.fullmatch(text):
        return date.fromisoformat(f"{text}-01")
    raise ValueError(
        f'{value!s:.40} is not a month from 1800 to 2199; write it as "YYYY-MM", such as "1999-11"'
    )


def _day(value: object) -> object:
    if _is_day(value):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{value!s:.40} is not a day; write it as 2001-10-30") from None


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _whole(value: object) -> object:
    # A choice among numbers would take true for 1 and 2.0 for 2.
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError(f"{value!s:.40} is not a whole number; write 1, 2, 3, 4, 6 or 12")


def _filled(value: object) -> object:
    if value == "":
        raise ValueError("the path is empty; name a folder or file, relative to the settings file")
    return value


def _existing(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    try:
        resolved = (base / path.expanduser()).resolve()
        found = resolved.exists()
    except (OSError, RuntimeError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise ValueError(f"{path!s:.40} cannot be looked up: {reason}") from None
    # A folder that has gone does not end what was built from it before: see `ingestion`.
    if not found and not (info.context or {}).get("may_be_gone"):
        raise ValueError(f"nothing exists at {resolved}; paths are relative to the settings file")
    return resolved


def _vintage(value: str) -> str:
    if value == "latest" or _VINTAGE.fullmatch(value):
        return value
    raise ValueError(
        f'{value!r:.40} is not a vintage; write "latest", or year and month as in "202412"'
    )


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'{value!r:.40} is not a time zone; write "UTC" or a name such as "America/New_York"'
        ) from None
    return value


Month = Annotated[date, BeforeValidator(_month)]
Day = Annotated[date, BeforeValidator(_day)]
Whole = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Premium = Annotated[float, Strict(), Field(ge=-0.5, le=0.5, allow_inf_nan=False)]
YesNo = Annotated[bool, Strict()]
RebalanceMonths = Annotated[Literal[1, 2, 3, 4, 6, 12], BeforeValidator(_whole)]
ExistingPath = Annotated[Path, BeforeValidator(_filled), AfterValidator(_existing)]


class Section(BaseModel):
    """A table of the settings file: immutable, and any key it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSetSection(Section):
    """Which source serves a data set, where its files are, and which of them to leave out."""

    source: str
    path: ExistingPath | None = None
    exclude: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _path_and_source_agree(self) -> Self:
        reads_files = self.source not in {"simulated", "none"}
        if reads_files and self.path is None:
            raise ValueError(f'source "{self.source}" reads files: set path to their folder')
        if not reads_files and self.path is not None:
            raise ValueError(
                f'path is set, but source "{self.source}" reads no files: name the source of the '
                "files, or leave path out"
            )
        return self


class PricesSettings(DataSetSection):
    """Daily prices."""

    source: Literal["simulated", "alphavantage"] = "simulated"


class FundamentalsSettings(DataSetSection):
    """Annual statements."""

    source: Literal["simulated", "simfin", "none"] = "simulated"


class LibrarySettings(DataSetSection):
    """The factor library; ``vintage`` serves the risk-free rate and the comparison by default."""

    source: Literal["simulated", "ken_french"] = "simulated"
    vintage: Annotated[str, AfterValidator(_vintage)] = "latest"


class MembershipSettings(DataSetSection):
    """Index membership over time."""

    source: Literal["simulated", "intervals", "none"] = "simulated"


class BenchmarkSettings(DataSetSection):
    """Benchmark levels; ``symbol`` is the series strategies are compared with."""

    source: Literal["simulated", "yahoo", "none"] = "simulated"
    symbol: str = "SIMTR"

    @model_validator(mode="after")
    def _files_need_a_symbol(self) -> Self:
        if self.path and "symbol" not in self.model_fields_set:
            raise ValueError('symbol is missing: name the benchmark, such as "^SP500TR"')
        return self


class MacroSettings(DataSetSection):
    """Macroeconomic series."""

    source: Literal["simulated", "fred", "none"] = "simulated"


class ListingSettings(DataSetSection):
    """Names, sectors, exchanges, share classes."""

    source: Literal["simulated", "alphavantage", "none"] = "simulated"


class DelistingSettings(DataSetSection):
    """Delisting dates, reasons and returns."""

    source: Literal["simulated", "none"] = "simulated"


class PremiaSettings(Section):
    """Expected returns of the embedded market's factors, decimals per year."""

    mkt: Premium = 0.07
    smb: Premium = 0.02
    hml: Premium = 0.04
    rmw: Premium = 0.03
    cma: Premium = 0.025
    umd: Premium = 0.07


class SimulationSettings(Section):
    """The embedded market; ``constant_betas`` keeps loadings as they are at a listing."""

    stocks: Whole = Field(default=1000, ge=20, le=50_000)
    years: Whole = Field(default=20, ge=3, le=100)
    start: Month = date(2004, 1, 1)
    seed: Whole = Field(default=1, ge=0, le=2**63 - 1)
    premia: PremiaSettings = PremiaSettings()
    constant_betas: YesNo = False


class Splice(Section):
    """A vendor's series that joins two companies: rows before ``date`` are another security."""

    vendor_id: str
    date: Day


class PanelSettings(Section):
    """How prices and filings become the monthly panel."""

    filing_lag_months: Whole = Field(default=4, ge=0, le=24)
    max_fundamental_age_months: Whole = Field(default=18, ge=6, le=60)
    add_deferred_taxes: Literal["until_1993", "always", "never"] = "until_1993"
    delisting_return: Literal["none", "-30%", "by_exchange"] = "-30%"
    disputed_return: Literal["null", "computed", "vendor"] = "null"
    splices: tuple[Splice, ...] = ()

    @model_validator(mode="after")
    def _one_splice_per_series(self) -> Self:
        spliced = [splice.vendor_id for splice in self.splices]
        if repeated := sorted({name for name in spliced if spliced.count(name) > 1}):
            raise ValueError(f"splices names {repeated[0]} twice; a series can be spliced once")
        return self


class BetasSettings(Section):
    """Rolling regressions on the factor models; ``factors`` says whose factors.

    ``exposure_model`` is the one whose betas stocks are ranked, sorted and typed by.
    """

    window_months: Whole = Field(default=60, ge=12, le=LONGEST_BETA_WINDOW)
    min_months: Whole = Field(default=24, ge=8)
    daily_window_days: Whole = Field(default=252, ge=60, le=LONGEST_DAILY_BETA_WINDOW)
    daily_min_days: Whole = Field(default=120, ge=20)
    factors: Literal["library", "own"] = "library"
    models: tuple[Literal["CAPM", "FF3", "Carhart", "FF5"], ...] = Field(
        default=("CAPM", "FF3", "Carhart", "FF5"), min_length=1
    )
    exposure_model: Literal["CAPM", "FF3", "Carhart", "FF5"] = "FF3"

    @model_validator(mode="after")
    def _models_can_be_estimated(self) -> Self:
        if self.min_months > self.window_months:
            raise ValueError("min_months is more than window_months")
        if self.daily_min_days > self.daily_window_days:
            raise ValueError("daily_min_days is more than daily_window_days")
        if self.exposure_model not in self.models:
            accepted = " or ".join(f'"{model}"' for model in dict.fromkeys(self.models))
            raise ValueError(
                f'exposure_model "{self.exposure_model}" is not one of models; write {accepted}'
            )
        return self


class BacktestSettings(Section):
    """Parameters of the default strategies, and of others where they do not say."""

    universe: Literal["index", "all"] = "index"
    top_share: Number = Field(default=0.2, gt=0, le=0.5)
    weighting: Literal["equal", "value", "capped"] = "equal"
    rebalance_months: RebalanceMonths = 3
    cost_per_traded: Number = Field(default=0.0010, ge=0, le=0.1)
    borrow_cost: Number = Field(default=0.0, ge=0, le=1)
    min_names: Whole = Field(default=10, ge=1)
    max_volume_share: Number = Field(default=0.1, gt=0, le=1)
    bootstrap_draws: Whole = Field(default=1_000, ge=0, le=100_000)
    bootstrap_block_months: Whole = Field(default=12, ge=1, le=120)
    bootstrap_seed: Whole = Field(default=1, ge=0, le=2**63 - 1)


class ScheduleSettings(Section):
    """When the nightly run starts."""

    cron: Annotated[str, AfterValidator(cron_line)] = "30 2 * * *"
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
