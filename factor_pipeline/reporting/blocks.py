"""What a page is made of: sections of tables, charts and notes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

Spec = dict[str, Any]
"""Vega-Lite specification, with its data."""


@dataclass(frozen=True, slots=True)
class Heading:
    """Head of a table's column; numbers are aligned to the right.

    ``short`` takes the label's place on a narrow screen.
    """

    label: str
    numeric: bool = False
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Cell:
    """Text of a cell.

    ``level`` shades it, from -4 (red) to 4 (blue). ``short`` takes its place on a narrow screen.
    """

    text: str
    level: int | None = None
    short: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column names the row.

    ``compact`` tables are grids of short cells, the others turn into cards on a narrow screen.
    """

    caption: str
    headings: Sequence[Heading]
    rows: Sequence[Sequence[Cell]]
    note: str = ""
    compact: bool = False
    folded: bool = False
    kind: str = field(default="table", init=False)


@dataclass(frozen=True, slots=True)
class Key:
    """Entry of a legend: which series, in which style of the palette."""

    label: str
    series: str
    style: int


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart; ``alt`` says in words what it shows."""

    name: str
    title: str
    alt: str
    spec: Spec
    keys: Sequence[Key] = ()
    note: str = ""
    kind: str = field(default="chart", init=False)

    @property
    def height(self) -> int:
        """Height in pixels, without axes."""
        return int(self.spec["height"])


@dataclass(frozen=True, slots=True)
class Note:
    """A paragraph."""

    text: str
    kind: str = field(default="note", init=False)


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values; ``cards`` shows them as tiles."""

    pairs: Sequence[tuple[str, str]]
    cards: bool = False
    kind: str = field(default="facts", init=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Blocks side by side, as many as there is room for, folded under a title if it has one."""

    blocks: Sequence["Chart | Table"]
    title: str = ""
    narrow: bool = False
    kind: str = field(default="group", init=False)


Block = Table | Chart | Note | Facts | Group

Data = TypeVar("Data")


@dataclass(frozen=True, slots=True)
class Part(Generic[Data]):
    """Part of a section that can be absent: what it shows, and how it is made.

    ``when_empty`` is said where its table has no rows and that is a result in itself.
    """

    name: str
    build: Callable[[Data], Sequence[Block]]
    when_empty: str = ""


@dataclass(frozen=True, slots=True)
class Section(Generic[Data]):
    """A chapter of the page; ``lead`` says how to read it."""

    name: str
    title: str
    lead: str
    parts: Sequence[Part[Data]]


def charts_of(blocks: Sequence[Block]) -> list[Chart]:
    """All charts among blocks and groups, in order."""
    found = []
    for block in blocks:
        if isinstance(block, Chart):
            found.append(block)
        elif isinstance(block, Group):
            found += [inner for inner in block.blocks if isinstance(inner, Chart)]
    return found
