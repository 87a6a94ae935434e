"""Sorts as declarations: by which signals, at which breakpoints, how often."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Literal

from factor_pipeline.errors import SettingsError

Rebalance = Literal["monthly", "june"]

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

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """

    name: str
    dimensions: tuple[Dimension, ...] = ()
    rebalance: Rebalance = "monthly"

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


def two_by_three(
    name: str, signal: str, labels: tuple[str, str, str], rebalance: Rebalance
) -> Sort:
    """Size median times the 30th and 70th percentile of ``signal``.

    Parameters
    ----------
    name
        Name of the sort.
    signal
        Column of the second dimension; the first is ``size``.
    labels
        Names of the low, middle and high group; cells are S or B followed by one of them.
    rebalance
        As in `Sort`.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1).
    """
    size = Dimension("size", (0.5,), ("S", "B"))
    return Sort(name, (size, Dimension(signal, (0.3, 0.7), labels)), rebalance)


def decile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Ten groups of ``signal``, D01 (lowest) to D10."""
    labels = tuple(f"D{group:02d}" for group in range(1, 11))
    dimension = Dimension(signal, tuple(group / 10 for group in range(1, 10)), labels)
    return Sort(f"{signal}_decile", (dimension,), rebalance)


def quintile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Five groups of ``signal``, Q1 (lowest) to Q5."""
    labels = tuple(f"Q{group}" for group in range(1, 6))
    dimension = Dimension(signal, tuple(group / 5 for group in range(1, 5)), labels)
    return Sort(f"{signal}_quintile", (dimension,), rebalance)


def tercile_sort(signal: str, rebalance: Rebalance) -> Sort:
    """Low, Mid and High ``signal``, cut at its 30th and 70th percentile."""
    dimension = Dimension(signal, (0.3, 0.7), ("Low", "Mid", "High"))
    return Sort(f"{signal}_tercile", (dimension,), rebalance)


def default_sorts(
    signals: Sequence[str], *, june_signals: Collection[str] = frozenset({"book_to_market"})
) -> tuple[Sort, ...]:
    """Every sort the warehouse keeps.

    Parameters
    ----------
    signals
        Signal columns; each gets a decile and a 30/70 sort, named ``<signal>_decile`` and
        ``<signal>_tercile``.
    june_signals
        Those of them that change once a year, in the July row; their sorts rebalance in June.

    Returns
    -------
    tuple of Sort
        ``market``, ``size_value_2x3`` (on ``size`` and ``book_to_market``), ``size_momentum_2x3``
        (on ``size`` and ``momentum_12_2``), then two sorts per signal.

    References
    ----------
    Fama and French (1993), *Journal of Financial Economics* 33(1); Carhart (1997), *Journal of
    Finance* 52(1).
    """
    univariate = [
        make(signal, "june" if signal in june_signals else "monthly")
        for signal in signals
        for make in (decile_sort, tercile_sort)
    ]
    return (
        MARKET,
        two_by_three("size_value_2x3", "book_to_market", ("G", "N", "V"), "june"),
        two_by_three("size_momentum_2x3", "momentum_12_2", ("L", "M", "H"), "monthly"),
        *univariate,
    )
