"""Strategies and sweeps of the settings file: their keys, defaults and accepted values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, model_validator

from factor_pipeline.compute.strategies import (
    BENCHMARK,
    HalfSpread,
    Strategy,
    Weighting,
    default_strategies,
    require_distinct,
)
from factor_pipeline.errors import SettingsError
from factor_pipeline.schemas.signal_definitions import SIGNAL_COLUMNS
from factor_pipeline.settings_sections import (
    BacktestSettings,
    Month,
    Number,
    RebalanceMonths,
    Section,
    Whole,
)

MAX_SWEEP = 1_000
"""Most strategies one sweep may make."""
MAX_LAG = 12
"""Oldest signals a strategy may use, in months."""


def _name(value: str) -> str:
    if value == BENCHMARK or value.startswith(f"{BENCHMARK}_") or not value or "/" in value:
        raise ValueError(
            f'"{value:.40}" cannot be a name: it is empty, has a "/", or is that of the benchmark'
        )
    return value


def _signals(value: object) -> object:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            "name at least one signal and its weight, such as { book_to_market = 1.0 }"
        )
    for signal, weight in value.items():
        if signal not in SIGNAL_COLUMNS:
            raise ValueError(
                f'"{signal!s:.40}" is no signal; write one of {", ".join(SIGNAL_COLUMNS)}'
            )
        is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
        if not is_number or not math.isfinite(weight) or weight == 0:
            raise ValueError(
                f"{signal} has the weight {weight!s:.40}; write a number other than 0, below 0 "
                "where low is good"
            )
    return {str(signal): float(weight) for signal, weight in value.items()}


Signals = Annotated[
    Mapping[str, float],
    BeforeValidator(_signals),
    AfterValidator(MappingProxyType),
    PlainSerializer(dict),
]
Share = Annotated[Number, Field(gt=0, le=1)]
Names = Annotated[Whole, Field(ge=1, le=100_000)]
Lag = Annotated[Whole, Field(ge=0, le=MAX_LAG)]
Buffer = Annotated[Number, Field(ge=0, le=10)]
Cost = Annotated[Number, Field(ge=0, le=0.1)]


class HalfSpreadSettings(Section):
    """Further cost of trades in small stocks."""

    up_to: Share
    half_spread: Cost


class StrategySettings(Section):
    """One strategy; a key that is left out takes the value of [backtest]."""

    name: Annotated[str, AfterValidator(_name)]
    signals: Signals
    universe: Literal["index", "all"] | None = None
    kind: Literal["long_only", "long_short"] = "long_only"
    top_share: Share | None = None
    names: Names | None = None
    weighting: Weighting | None = None
    rebalance_months: RebalanceMonths | None = None
    lag_months: Lag | None = None
    sector_cap: Share | None = None
    turnover_buffer: Buffer | None = None
    cost_per_traded: Cost | None = None
    spread_by_size: tuple[HalfSpreadSettings, ...] | None = None
    borrow_cost: Annotated[Number, Field(ge=0, le=1)] | None = None
    benchmark: str | None = None
    start: Month | None = None
    end: Month | None = None
    min_names: Annotated[Whole, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _legs_can_be_formed(self) -> Self:
        if self.top_share is not None and self.names is not None:
            raise ValueError("top_share and names both say how many are held; leave one out")
        if self.kind == "long_short" and (self.top_share or 0) > 0.5:  # noqa: PLR2004 - half
            raise ValueError(
                f"top_share {self.top_share} is not accepted with long_short; "
                "write a number above 0 and up to 0.5"
            )
        if self.names is not None and self.min_names is not None and self.min_names > self.names:
            raise ValueError(f"min_names {self.min_names} is more than names {self.names}")
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end:%Y-%m} is before start {self.start:%Y-%m}")
        return self

    @model_validator(mode="after")
    def _spreads_ascend(self) -> Self:
        require_ascending(self.spread_by_size or ())
        return self


class SweepSettings(Section):
    """Every combination of the lists, each a variant of the strategy ``base``."""

    base: str
    top_share: tuple[Share, ...] = ()
    names: tuple[Names, ...] = ()
    weighting: tuple[Weighting, ...] = ()
    rebalance_months: tuple[RebalanceMonths, ...] = ()
    lag_months: tuple[Lag, ...] = ()
    sector_cap: tuple[Share, ...] = ()
    turnover_buffer: tuple[Buffer, ...] = ()
    cost_per_traded: tuple[Cost, ...] = ()

    @model_validator(mode="after")
    def _lists_make_a_sweep(self) -> Self:
        lists = self.lists()
        if not lists:
            raise ValueError(
                "nothing varies; give at least one list, such as rebalance_months = [1, 3, 12]"
            )
        if self.top_share and self.names:
            raise ValueError("top_share and names both say how many are held; leave one out")
        for key, values in lists.items():
            if len(set(values)) < len(values):
                raise ValueError(f"{key} repeats a value; name each once")
        if (count := math.prod(map(len, lists.values()))) > MAX_SWEEP:
            raise ValueError(f"the lists make {count} strategies, at most {MAX_SWEEP} are accepted")
        return self

    def lists(self) -> dict[str, tuple[Any, ...]]:
        """Return the lists that are given, by key."""
        keys = [key for key in type(self).model_fields if key != "base"]
        return {key: getattr(self, key) for key in keys if getattr(self, key)}

    def variants(self) -> list[tuple[str, dict[str, Any]]]:
        """Name and changed keys of every combination, in the order of the lists."""
        lists = self.lists()
        combinations = (
            dict(zip(lists, values, strict=True)) for values in product(*lists.values())
        )
        return [
            ("/".join([self.base, *(f"{key}={value}" for key, value in one.items())]), one)
            for one in combinations
        ]


def require_ascending(steps: Sequence[HalfSpreadSettings]) -> None:
    """Refuse a table of spreads whose bounds do not ascend."""
    bounds = [step.up_to for step in steps]
    if bounds != sorted(set(bounds)):
        raise ValueError("spread_by_size must have up_to ascending, each once")


@dataclass(frozen=True, slots=True)
class StrategySet:
    """Everything that is run.

    Attributes
    ----------
    strategies
        Names are unique.
    sweeps
        Names of the variants of each sweep: the trials one of them was picked from.
    """

    strategies: tuple[Strategy, ...]
    sweeps: tuple[tuple[str, ...], ...]

    @classmethod
    def of(
        cls,
        defaults: BacktestSettings,
        strategies: Sequence[StrategySettings],
        sweeps: Sequence[SweepSettings],
    ) -> "StrategySet":
        """Strategies of the settings, or the default ones where there are none, and all variants.

        Raises
        ------
        SettingsError
            Naming a strategy that cannot be run, a name used twice or a base that does not exist.
        """
        singles = tuple(_strategy(one, defaults) for one in strategies) or _default(defaults)
        bases = {strategy.name: strategy for strategy in singles}
        unknown = [sweep.base for sweep in sweeps if sweep.base not in bases]
        if unknown:
            raise SettingsError(
                f"sweeps: there is no strategy {unknown[0]!r}; base is one of {', '.join(bases)}"
            )
        groups = [
            tuple(_variant(bases[sweep.base], name, keys) for name, keys in sweep.variants())
            for sweep in sweeps
        ]
        every = (*singles, *(variant for group in groups for variant in group))
        require_distinct(every)
        return cls(every, tuple(tuple(one.name for one in group) for group in groups))


def _default(defaults: BacktestSettings) -> tuple[Strategy, ...]:
    shared = _shared(defaults)
    return tuple(replace(one, **shared) for one in default_strategies(top_share=defaults.top_share))


def _shared(defaults: BacktestSettings) -> dict[str, Any]:
    """Keys of [backtest] that are a strategy's."""
    keys = (
        "universe",
        "weighting",
        "rebalance_months",
        "cost_per_traded",
        "borrow_cost",
        "min_names",
    )
    return {key: getattr(defaults, key) for key in keys}


def _strategy(one: StrategySettings, defaults: BacktestSettings) -> Strategy:
    given = {
        key: value for key in type(one).model_fields if (value := getattr(one, key)) is not None
    }
    spreads = tuple(HalfSpread(step.up_to, step.half_spread) for step in one.spread_by_size or ())
    size: dict[str, Any] = {"top_share": defaults.top_share}
    if one.names is not None:
        size = {"top_share": None, "min_names": min(defaults.min_names, one.names)}
    return Strategy(**{**_shared(defaults), **size, **given, "spread_by_size": spreads})


def _variant(base: Strategy, name: str, keys: dict[str, Any]) -> Strategy:
    changes = {**keys, "name": name}
    if "names" in keys:
        changes |= {"top_share": None, "min_names": min(base.min_names, keys["names"])}
    if "top_share" in keys:
        changes |= {"names": None}
    return replace(base, **changes)
