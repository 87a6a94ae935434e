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
"""Name of the buy-and-hold index, and what the names of further ones begin with."""
VOLATILITY = "volatility_252d"
"""Signal that ``inverse_volatility`` weights are made of."""

Kind = Literal["long_only", "long_short"]
Weighting = Literal["equal", "value", "capped", "inverse_volatility"]
Universe = Literal["index", "all"]

_MONTHS_PER_YEAR = 12
_LARGEST_COST = 0.1


@dataclass(frozen=True, slots=True)
class HalfSpread:
    """What a trade in a small stock costs on top.

    Attributes
    ----------
    up_to
        Share of the market's stocks, smallest first, this holds up to; in (0, 1].
    half_spread
        Cost as a decimal share of the traded notional, from 0 to 0.1.
    """

    up_to: float
    half_spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Strategy:
    """One rule-based portfolio.

    Attributes
    ----------
    name
        Identity in every table; unique, and not ``benchmark`` or beginning with ``benchmark_``.
    universe
        ``index``: members on the formation date; ``all``: every stock.
    signals
        Signal column to its weight in the score. A negative weight prefers low values. Only the
        proportions matter: ``{"a": 1, "b": 1}`` is the plain mean of both z-scores.
    kind
        ``long_only`` holds the top of the ranking; ``long_short`` holds the top and is short the
        bottom, each leg as large as the capital.
    top_share
        Share of the ranked securities in a leg, in (0, 1], for ``long_short`` at most 0.5; null
        where ``names`` counts them.
    names
        Securities in a leg; null where ``top_share`` says how many.
    weighting
        ``equal``; ``value``: by market equity at formation; ``capped``: by market equity, but no
        more than the 80th percentile of NYSE stocks'; ``inverse_volatility``: by one over
        ``volatility_252d``.
    rebalance_months
        Months between two rebalances, counted from January of year 0, so that 3 means new
        holdings at the start of January, April, July and October whatever months are computed.
    lag_months
        Age of the signals at formation: 0 is what was known before the month.
    sector_cap
        Largest share of a leg, by names and by weight, in one sector, in (0, 1]; null is none.
    turnover_buffer
        A holding stays while its rank is within ``1 + turnover_buffer`` times the cut; 0 to 10.
    cost_per_traded
        Cost as a decimal share of the traded notional, buys and sells alike.
    spread_by_size
        Further cost of small stocks, ``up_to`` ascending; stocks above the last have none.
    borrow_cost
        Fee per year as a decimal share of the notional that is short.
    benchmark
        Symbol of the series it is compared with; null is the benchmark of the settings.
    start, end
        First and last month it runs in; null is the first and last there are. It also rebalances
        in ``start``.
    min_names
        Fewest securities in a leg; with fewer there is no rebalance and the old holdings stay.
    """

    name: str
    signals: Mapping[str, float] = field(hash=False)
    universe: Universe = "index"
    kind: Kind = "long_only"
    top_share: float | None = 0.2
    names: int | None = None
    weighting: Weighting = "equal"
    rebalance_months: int = 3
    lag_months: int = 0
    sector_cap: float | None = None
    turnover_buffer: float = 0.0
    cost_per_traded: float = 0.0010
    spread_by_size: tuple[HalfSpread, ...] = ()
    borrow_cost: float = 0.0
    benchmark: str | None = None
    start: date | None = None
    end: date | None = None
    min_names: int = 10

    def __post_init__(self) -> None:
        """Refuse what cannot be traded.

        Raises
        ------
        SettingsError
            Naming the strategy, the wrong value and what is accepted.
        """
        for rule, holds in {**self._rules_of_legs(), **self._rules_of_costs()}.items():
            if not holds:
                raise SettingsError(f"strategy {self.name!r}: {rule}; change it where it is set")
        object.__setattr__(self, "signals", MappingProxyType(dict(sorted(self.signals.items()))))

    def _rules_of_legs(self) -> dict[str, bool]:
        largest_share = 0.5 if self.kind == "long_short" else 1.0
        reserved = self.name == BENCHMARK or self.name.startswith(f"{BENCHMARK}_")
        weights = self.signals.values()
        return {
            f"name must be neither empty nor {BENCHMARK!r} nor begin with '{BENCHMARK}_'": bool(
                self.name
            )
            and not reserved,
            "signals must name at least one column, with finite weights other than 0": bool(
                self.signals
            )
            and all(math.isfinite(weight) and weight != 0 for weight in weights),
            "give either top_share or names": (self.top_share is None) != (self.names is None),
            f"top_share must be above 0 and at most {largest_share} for {self.kind}": (
                self.top_share is None or 0 < self.top_share <= largest_share
            ),
            "names must be at least 1 and at least min_names": self.names is None
            or self.names >= max(self.min_names, 1),
            "sector_cap must be above 0 and at most 1": self.sector_cap is None
            or 0 < self.sector_cap <= 1,
            "turnover_buffer must be from 0 to 10": 0 <= self.turnover_buffer <= 10,  # noqa: PLR2004 - eleven times the cut
            "rebalance_months must be at least 1": self.rebalance_months >= 1,
            "lag_months must be from 0 to 12": 0 <= self.lag_months <= _MONTHS_PER_YEAR,
            "min_names must be at least 1": self.min_names >= 1,
            "start must not be after end": not (self.start and self.end) or self.start <= self.end,
        }

    def _rules_of_costs(self) -> dict[str, bool]:
        bounds = [0.0, *(step.up_to for step in self.spread_by_size)]
        spreads = [step.half_spread for step in self.spread_by_size]
        return {
            "cost_per_traded must be from 0 to 0.1": 0 <= self.cost_per_traded <= _LARGEST_COST,
            "spread_by_size must have up_to ascending, above 0 and at most 1": bounds[-1] <= 1
            and all(low < high for low, high in pairwise(bounds)),
            "each half_spread must be from 0 to 0.1": all(
                0 <= spread <= _LARGEST_COST for spread in spreads
            ),
            "borrow_cost must be from 0 to 1": 0 <= self.borrow_cost <= 1,
        }

    def is_live(self, month: date) -> bool:
        """Whether it runs in the month of ``month``."""
        first = month.replace(day=1)
        return (self.start or first) <= first <= (self.end or first)

    def rebalances_in(self, month: date) -> bool:
        """Whether new holdings start at the start of the month of ``month``."""
        index = month.year * _MONTHS_PER_YEAR + month.month - 1
        is_due = index % self.rebalance_months == 0 or month.replace(day=1) == self.start
        return is_due and self.is_live(month)

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
    universe: Universe = "index",
    top_share: float = 0.2,
    rebalance_months: int = 3,
    cost_per_traded: float = 0.0010,
    min_names: int = 10,
) -> tuple[Strategy, ...]:
    """Value, momentum and their combination, each long-only and long-short, equal weighted.

    Parameters
    ----------
    universe, top_share, rebalance_months, cost_per_traded, min_names
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
            universe=universe,
            signals=weights,
            top_share=top_share,
            rebalance_months=rebalance_months,
            cost_per_traded=cost_per_traded,
            min_names=min_names,
        )
        for name, weights in signals.items()
    )
    return long_only + tuple(strategy.as_long_short() for strategy in long_only)
