"""Strategies as declarations: which signals, which stocks, which weights, when, at what cost."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from types import MappingProxyType
from typing import Literal

from factor_pipeline.errors import SettingsError

BENCHMARK = "benchmark"
"""Name of the buy-and-hold index; no strategy may have it."""

_MONTHS_PER_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One rule-based portfolio of index members.

    Attributes
    ----------
    name
        Identity in every table; unique, and not ``benchmark``.
    signals
        Signal column to its weight in the score. A negative weight prefers low values. Only the
        proportions matter: ``{"a": 1, "b": 1}`` is the plain mean of both z-scores.
    kind
        ``long_only`` holds the top of the ranking; ``long_short`` holds the top and is short the
        bottom, each leg as large as the capital.
    top_share
        Share of the ranked securities in a leg, in (0, 1], for ``long_short`` at most 0.5.
    weighting
        ``equal``, or ``value``: by market equity at formation.
    rebalance_months
        Months between two rebalances, counted from January of year 0, so that 3 means new
        holdings at the start of January, April, July and October whatever months are computed.
    cost_per_traded
        Cost as a decimal share of the traded notional, buys and sells alike.
    min_names
        Fewest securities in a leg; with fewer there is no rebalance and the old holdings stay.
    """

    name: str
    signals: Mapping[str, float] = field(hash=False)
    kind: Literal["long_only", "long_short"] = "long_only"
    top_share: float = 0.2
    weighting: Literal["equal", "value"] = "equal"
    rebalance_months: int = 3
    cost_per_traded: float = 0.0010
    min_names: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot be traded.

        Raises
        ------
        SettingsError
            Naming the strategy, the wrong value and what is accepted.
        """
        largest_share = 0.5 if self.kind == "long_short" else 1.0
        rules = {
            f"name must be neither empty nor {BENCHMARK!r}": self.name not in {"", BENCHMARK},
            "signals must name at least one column, with finite weights other than 0": bool(
                self.signals
            )
            and all(math.isfinite(weight) and weight != 0 for weight in self.signals.values()),
            f"top_share must be above 0 and at most {largest_share} for {self.kind}": (
                0 < self.top_share <= largest_share
            ),
            "rebalance_months must be at least 1": self.rebalance_months >= 1,
            "cost_per_traded must be from 0 to 0.1": 0 <= self.cost_per_traded <= 0.1,  # noqa: PLR2004 - 10 %
            "min_names must be at least 1": self.min_names >= 1,
        }
        for rule, holds in rules.items():
            if not holds:
                raise SettingsError(f"strategy {self.name!r}: {rule}; change it where it is set")
        object.__setattr__(self, "signals", MappingProxyType(dict(sorted(self.signals.items()))))

    def rebalances_in(self, month: date) -> bool:
        """Whether new holdings start at the start of the month of ``month``."""
        return (month.year * _MONTHS_PER_YEAR + month.month - 1) % self.rebalance_months == 0

    def as_long_short(self) -> "Strategy":
        """Return the long-short form, named ``<name>_long_short``."""
        return replace(self, name=f"{self.name}_long_short", kind="long_short")


def require_distinct(strategies: Sequence[Strategy]) -> None:
    """Refuse strategies that share a name.

    Raises
    ------
    SettingsError
        Naming the first name used twice.
    """
    names = sorted(strategy.name for strategy in strategies)
    for name, following in pairwise(names):
        if name == following:
            raise SettingsError(f"two strategies are named {name!r}; rename one")


def default_strategies(
    *,
    top_share: float = 0.2,
    rebalance_months: int = 3,
    cost_per_traded: float = 0.0010,
    min_names: int = 10,
) -> tuple[Strategy, ...]:
    """Value, momentum and their combination, each long-only and long-short, equal weighted.

    Parameters
    ----------
    top_share, rebalance_months, cost_per_traded, min_names
        As in `Strategy`, the same for all.

    Returns
    -------
    tuple of Strategy
        ``value`` (book_to_market), ``momentum`` (momentum_12_2), ``value_momentum`` (both), then
        their ``_long_short`` forms.

    References
    ----------
    Asness, Moskowitz and Pedersen (2013), *Journal of Finance* 68(3).
    """
    signals: dict[str, dict[str, float]] = {
        "value": {"book_to_market": 1.0},
        "momentum": {"momentum_12_2": 1.0},
        "value_momentum": {"book_to_market": 1.0, "momentum_12_2": 1.0},
    }
    long_only = tuple(
        Strategy(
            name=name,
            signals=weights,
            top_share=top_share,
            rebalance_months=rebalance_months,
            cost_per_traded=cost_per_traded,
            min_names=min_names,
        )
        for name, weights in signals.items()
    )
    return long_only + tuple(strategy.as_long_short() for strategy in long_only)
