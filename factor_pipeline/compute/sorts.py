"""Sorts as declarations: by which signals, at which breakpoints, how often."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from typing import Final, Literal, Self

from factor_pipeline.errors import SettingsError

Rebalance = Literal["monthly", "june"]
Basis = Literal["nyse", "all"]
Scheme = Literal["decile", "quintile", "tercile", "2x3", "5x5"]

JULY = 7
"""The month whose row decides in sorts that rebalance in June: it holds what June ended with."""

_MAX_DIMENSIONS = 2


@dataclass(frozen=True, slots=True)
class Dimension:
    """One signal cut into groups.

    Attributes
    ----------
    signal
        Column with the values to sort on.
    probabilities
        Quantiles the breakpoints are, ascending, each strictly between 0 and 1.
    labels
        Names of the groups from lowest to highest, one more than ``probabilities``.
    """

    signal: str
    probabilities: tuple[float, ...]
    labels: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse groups that cannot be told apart.

        Raises
        ------
        SettingsError
            Naming the signal and what is accepted.
        """
        edges = (0.0, *self.probabilities, 1.0)
        if not all(low < high for low, high in pairwise(edges)):
            raise SettingsError(
                f"sort on {self.signal!r}: probabilities must ascend strictly between 0 and 1, "
                f"not {self.probabilities}"
            )
        if len(self.labels) != len(self.probabilities) + 1:
            raise SettingsError(
                f"sort on {self.signal!r}: {len(self.probabilities)} breakpoints make "
                f"{len(self.probabilities) + 1} groups; give as many labels, not {self.labels}"
            )


@dataclass(frozen=True, slots=True)
class Sort:
    """A rule that puts stocks into cells; every dimension is cut independently of the others.

    Attributes
    ----------
    name
        Identity in every table.
    dimensions
        None (all stocks in the one cell ``All``), one, or two.
    rebalance
        ``monthly``: the cells of a month follow from that month's row. ``june``: they follow from
        the July row, which holds what was known at the end of June, and stay until next June.
    basis
        Whose quantiles its breakpoints are; by default those of the rule they are drawn with.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """

    name: str
    dimensions: tuple[Dimension, ...] = ()
    rebalance: Rebalance = "monthly"
    basis: Basis | None = None

    def __post_init__(self) -> None:
        """Refuse a sort whose cells are not well defined.

        Raises
        ------
        SettingsError
            Naming the sort and what is accepted.
        """
        signals = [dimension.signal for dimension in self.dimensions]
        if len(signals) > _MAX_DIMENSIONS or len(set(signals)) < len(signals):
            raise SettingsError(
                f"sort {self.name!r}: give at most two dimensions on different signals"
            )
        if len(set(self.cells)) < len(self.cells):
            raise SettingsError(f"sort {self.name!r}: cells repeat a name: {self.cells}")

    def renamed(self, name: str, *, basis: Basis | None) -> Self:
        """Return the same sort under another name, with breakpoints of ``basis``."""
        return replace(self, name=name, basis=basis)

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of all cells: joined labels, the first dimension varying slowest."""
        if not self.dimensions:
            return ("All",)
        return tuple(map("".join, product(*(dimension.labels for dimension in self.dimensions))))

    @property
    def has_spread(self) -> bool:
        """Whether the highest cell minus the lowest means something: one dimension only."""
        return len(self.dimensions) == 1

    @property
    def spread(self) -> str:
        """Name of the return difference between the highest and the lowest cell."""
        return f"{self.cells[-1]}-{self.cells[0]}"


MARKET = Sort("market")
SIZE: Final = "size"

_WITH_SIZE: Final = {
    "book_to_market": ("value", ("G", "N", "V")),
    "momentum_12_2": ("momentum", ("L", "M", "H")),
    "operating_profitability": ("profitability", ("W", "N", "R")),
    "investment": ("investment", ("C", "N", "A")),
    "quality": ("quality", ("J", "N", "Q")),
}
"""What signals are called beside size in the papers: growth, neutral, value; losers, medium,
winners (low to high); weak, neutral, robust; conservative, neutral, aggressive; junk to quality."""

_IN_TERCILES: Final = ("book_to_market", "momentum_12_2", "volatility_252d")

_LOW_TO_HIGH: Final = ("L", "M", "H")
_FIFTHS: Final = tuple(group / 5 for group in range(1, 5))


def two_by_three(signal: str, rebalance: Rebalance) -> Sort:
    """Size median times the 30th and 70th percentile of ``signal``.

    Parameters
    ----------
    signal
        Column of the second dimension; the first is ``size``.
    rebalance
        As in `Sort`.

    Returns
    -------
    Sort
        ``size_value_2x3`` and the like, ``size_<signal>_2x3`` for most signals. Cells are S or B
        followed by the label of the group: G, N, V for book-to-market; L, M, H for most.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """
    called, labels = _WITH_SIZE.get(signal, (signal, _LOW_TO_HIGH))
    size = Dimension(SIZE, (0.5,), ("S", "B"))
    other = Dimension(signal, (0.3, 0.7), labels)
    return Sort(f"{SIZE}_{called}_2x3", (size, other), rebalance)


def five_by_five(signal: str, rebalance: Rebalance) -> Sort:
    """Fifths of size times fifths of ``signal``: cells ``S1Q1`` (small, low) to ``S5Q5``."""
    called, _ = _WITH_SIZE.get(signal, (signal, _LOW_TO_HIGH))
    size = Dimension(SIZE, _FIFTHS, tuple(f"S{group}" for group in range(1, 6)))
    other = Dimension(signal, _FIFTHS, tuple(f"Q{group}" for group in range(1, 6)))
    return Sort(f"{SIZE}_{called}_5x5", (size, other), rebalance)


def decile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Ten groups of ``signal``, D01 (lowest) to D10."""
    labels = tuple(f"D{group:02d}" for group in range(1, 11))
    dimension = Dimension(signal, tuple(group / 10 for group in range(1, 10)), labels)
    return Sort(f"{signal}_decile", (dimension,), rebalance)


def quintile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Five groups of ``signal``, Q1 (lowest) to Q5."""
    labels = tuple(f"Q{group}" for group in range(1, 6))
    return Sort(f"{signal}_quintile", (Dimension(signal, _FIFTHS, labels),), rebalance)


def tercile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Low, Mid and High ``signal``, cut at its 30th and 70th percentile."""
    dimension = Dimension(signal, (0.3, 0.7), ("Low", "Mid", "High"))
    return Sort(f"{signal}_tercile", (dimension,), rebalance)


SCHEMES: Final[dict[Scheme, Callable[[str, Rebalance], Sort]]] = {
    "decile": decile_sort,
    "quintile": quintile_sort,
    "tercile": tercile_sort,
    "2x3": two_by_three,
    "5x5": five_by_five,
}
"""How a signal can be sorted on; the last two cross it with size."""


def two_dimensional(scheme: Scheme) -> bool:
    """Whether the scheme crosses a signal with size."""
    return scheme in {"2x3", "5x5"}


def default_sorts(
    signals: Sequence[str], *, june_signals: Collection[str] = frozenset({"book_to_market"})
) -> tuple[Sort, ...]:
    """Every sort the warehouse keeps without being asked.

    Parameters
    ----------
    signals
        Signal columns; each gets a decile sort, named ``<signal>_decile``.
    june_signals
        Those of them that change once a year, in the July row; their sorts rebalance in June.

    Returns
    -------
    tuple of Sort
        ``market``; the 2x3 sorts that factors are made of, ``size_value_2x3`` (on ``size`` and
        ``book_to_market``), ``size_momentum_2x3``, ``size_profitability_2x3``,
        ``size_investment_2x3``, ``size_quality_2x3``, and ``size_value_5x5``, as far as their
        signals are there; ``<signal>_tercile`` of the signals that factors and shipped queries cut
        at 30/70; then the deciles.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1); Carhart (1997), *Journal of
    Finance* 52(1); Fama and French (2015), *Journal of Financial Economics* 116(1); Asness,
    Frazzini and Pedersen (2019), *Review of Accounting Studies* 24(1).
    """
    crossed = [(signal, two_by_three) for signal in _WITH_SIZE]
    crossed.append(("book_to_market", five_by_five))
    # Each sort is a row per stock and month: ten groups of every signal, three where they are used.
    terciles = [(signal, tercile_sort) for signal in _IN_TERCILES]
    deciles = [(signal, decile_sort) for signal in signals]
    made = [
        make(signal, "june" if signal in june_signals else "monthly")
        for signal, make in (*crossed, *terciles, *deciles)
        if signal in signals
    ]
    return (MARKET, *made)
