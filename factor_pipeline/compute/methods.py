"""Methods: the choices that factors can be made with."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final, get_args

from factor_pipeline.compute.breakpoints import BreakpointRule, Quantile
from factor_pipeline.compute.cell_returns import WEIGHTINGS, PortfolioRule, Weighting
from factor_pipeline.compute.delisting import Imputation
from factor_pipeline.compute.sorts import Basis, Rebalance, Sort, two_by_three

BASES: Final[tuple[Basis, ...]] = get_args(Basis)
QUANTILES: Final[tuple[Quantile, ...]] = get_args(Quantile)
IMPUTATIONS: Final[tuple[Imputation, ...]] = get_args(Imputation)


@dataclass(frozen=True, slots=True)
class Choices:
    """How a factor is made; see ``factor.method_variant`` for each."""

    signal: str
    rebalance: Rebalance
    breakpoints: Basis
    quantile: Quantile
    weighting: Weighting
    delisting_return: Imputation

    @property
    def sort(self) -> Sort:
        """The 2x3 sort these choices need; choices about weights and returns share one."""
        sort = two_by_three(self.signal, self.rebalance)
        name = "_".join([sort.name, self.rebalance, self.breakpoints, self.quantile])
        return sort.renamed(name, basis=self.breakpoints)


@dataclass(frozen=True, slots=True)
class Family:
    """Factors of one 2x3 sort, the signals it can be made with, and when it can be formed.

    The first signal and the first time are the default.
    """

    factors: tuple[str, ...]
    signals: tuple[str, ...]
    rebalances: tuple[Rebalance, ...]


FAMILIES: Final = (
    Family(("SMB", "HML"), ("book_to_market", "book_to_market_monthly"), ("june", "monthly")),
    Family(("UMD",), ("momentum_12_2",), ("monthly",)),
    Family(("RMW",), ("operating_profitability",), ("june", "monthly")),
    Family(("CMA",), ("investment",), ("june", "monthly")),
)


@dataclass(frozen=True, slots=True)
class Method:
    """The method of the settings, that variants depart from one way or another."""

    breakpoint_rule: BreakpointRule
    portfolio_rule: PortfolioRule
    delisting_return: Imputation

    def default(self, family: Family) -> Choices:
        """Choices behind ``factor.factor_return``."""
        return Choices(
            family.signals[0],
            family.rebalances[0],
            self.breakpoint_rule.basis,
            self.breakpoint_rule.quantile,
            "value",
            self.delisting_return,
        )

    def variants(self, family: Family) -> Iterator[Choices]:
        """Every combination of the choices but quantiles, which vary one at a time."""
        default = self.default(family)
        for signal, rebalance, basis, weighting, imputation in product(
            family.signals, family.rebalances, BASES, WEIGHTINGS, IMPUTATIONS
        ):
            yield Choices(signal, rebalance, basis, default.quantile, weighting, imputation)
        for quantile in QUANTILES:
            if quantile != default.quantile:
                yield replace(default, quantile=quantile)
