"""Portfolios in the settings file: their keys, defaults and accepted values."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from factor_pipeline.compute.sorts import (
    SCHEMES,
    SIZE,
    Basis,
    Rebalance,
    Scheme,
    Sort,
    default_sorts,
    two_dimensional,
)
from factor_pipeline.schemas.signal_definitions import SIGNALS
from factor_pipeline.settings_sections import Section, Whole

_REBALANCE: dict[str, Rebalance] = {signal.column: signal.rebalance for signal in SIGNALS}


def _signal(value: str) -> str:
    if value in _REBALANCE:
        return value
    *others, last = (f'"{name}"' for name in _REBALANCE)
    raise ValueError(f'"{value:.40}" is not a signal; write {", ".join(others)} or {last}')


class SortSettings(Section):
    """One more sort: a signal, cut by a scheme.

    ``breakpoints`` are those of the section unless given, ``rebalance`` that of the signal.
    """

    signal: Annotated[str, AfterValidator(_signal)]
    scheme: Scheme
    breakpoints: Basis | None = None
    rebalance: Rebalance | None = None

    @model_validator(mode="after")
    def _size_is_not_crossed_with_itself(self) -> Self:
        if self.signal == SIZE and two_dimensional(self.scheme):
            raise ValueError(
                f'scheme "{self.scheme}" crosses a signal with size: for size itself write '
                '"decile", "quintile" or "tercile"'
            )
        return self

    def sort(self) -> Sort:
        """Return the sort as the computation takes it; choices that are written name it."""
        sort = SCHEMES[self.scheme](self.signal, self.rebalance or _REBALANCE[self.signal])
        chosen = [choice for choice in (self.breakpoints, self.rebalance) if choice]
        return sort.renamed("_".join([sort.name, *chosen]), basis=self.breakpoints)


class PortfolioSettings(Section):
    """How stocks are sorted and weighted; ``sorts`` come on top of those always made."""

    universe: Literal["all", "index"] = "all"
    breakpoints: Basis = "nyse"
    quantile: Literal["linear", "lower", "higher", "nearest", "midpoint"] = "linear"
    min_breakpoint_stocks: Whole = Field(default=10, ge=2)
    min_portfolio_stocks: Whole = Field(default=3, ge=1)
    min_market_stocks: Whole = Field(default=50, ge=1)
    sorts: tuple[SortSettings, ...] = ()

    @model_validator(mode="after")
    def _every_sort_is_made_once(self) -> Self:
        names = [sort.name for sort in self.all_sorts()]
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"sorts: {repeated[0]} is made already; leave it out, or choose other breakpoints "
                'than the section\'s, "nyse" or "all", or another rebalance, "monthly" or "june"'
            )
        return self

    def all_sorts(self) -> tuple[Sort, ...]:
        """Sorts to make: those always made, then those of the settings."""
        june = {signal for signal, rebalance in _REBALANCE.items() if rebalance == "june"}
        always = default_sorts(tuple(_REBALANCE), june_signals=june)
        return (*always, *(sort.sort() for sort in self.sorts))
