"""Frames as tables of the page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from factor_pipeline.reporting import formats
from factor_pipeline.reporting.blocks import Cell, Heading, Table
from factor_pipeline.reporting.palette import LEVELS

Row = dict[str, Any]
Write = Callable[[Any], str]
MONTHS = "Months of data"


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table: its head and what its cells say of a row."""

    label: str
    write: Callable[[Row], str | Cell]
    numeric: bool = True


def value(label: str, column: str, write: Write, *, numeric: bool = True) -> Field:
    """Return a field that writes one column."""
    return Field(label, lambda row: write(row[column]), numeric)


def name(label: str, column: str) -> Field:
    """Return a field of text."""
    return value(label, column, formats.text, numeric=False)


def percent(label: str, column: str, digits: int = 1) -> Field:
    """Return a field of decimals, written as percent."""
    return value(label, column, lambda given: formats.percent(given, digits))


def number(label: str, column: str, digits: int = 2) -> Field:
    """Return a field of numbers."""
    return value(label, column, lambda given: formats.number(given, digits))


def count(label: str, column: str) -> Field:
    """Return a field of whole numbers."""
    return value(label, column, formats.count)


def window(label: str = "Months of data") -> Field:
    """Return a field of the first and last month."""
    return Field(
        label, lambda row: formats.window(row["first_month"], row["last_month"]), numeric=False
    )


def table(
    caption: str,
    frame: pl.DataFrame,
    fields: Sequence[Field],
    *,
    note: str = "",
    fold: bool = False,
) -> Table:
    """Return a table of ``fields``, one row per row of ``frame``."""
    return Table(
        caption,
        [Heading(one.label, one.numeric) for one in fields],
        [[_cell(one.write(row)) for one in fields] for row in frame.iter_rows(named=True)],
        note=note,
        folded=fold,
    )


def matrix(
    caption: str,
    headings: Sequence[Heading],
    rows: Sequence[str],
    cells: Mapping[tuple[str, str], Cell],
    *,
    note: str = "",
) -> Table:
    """Return a grid of short cells, by row and heading; what is not in ``cells`` stays blank.

    The first heading is that of the rows' names.
    """
    return Table(
        caption,
        headings,
        [[Cell(row), *(cells.get((row, h.label), Cell("")) for h in headings[1:])] for row in rows],
        note=note,
        compact=True,
    )


def headings(first: str, others: Iterable[str]) -> list[Heading]:
    """Return a heading for the rows' names and one for each column of numbers."""
    return [Heading(first), *(Heading(other, numeric=True) for other in others)]


def windows(frame: pl.DataFrame, name: str) -> Iterator[tuple[str, Cell]]:
    """Give each value of the column ``name`` with the months its rows are of, as a cell."""
    spans = frame.group_by(name, maintain_order=True).agg(
        pl.col("first_month").min(), pl.col("last_month").max()
    )
    for of, first, last in spans.iter_rows():
        yield of, Cell(formats.window(first, last))


def window_of(frame: pl.DataFrame) -> str:
    """Write the months from the earliest first to the latest last one."""
    return formats.window(
        *frame.select(pl.col("first_month").min(), pl.col("last_month").max()).row(0)
    )


def level(given: float | None, steps: Sequence[float]) -> int | None:
    """Shade of a value: how many of the ascending ``steps`` its size reaches, with its sign."""
    if given is None:
        return None
    reached = min(sum(abs(given) >= step for step in steps), LEVELS)
    return reached if given > 0 else -reached


def in_order(values: Iterable[str], first: Sequence[str]) -> list[str]:
    """Distinct values, those named in ``first`` before the others, which follow the alphabet."""
    places = {one: place for place, one in enumerate(first)}
    return sorted(set(values), key=lambda one: (places.get(one, len(places)), one))


def _cell(written: str | Cell) -> Cell:
    return written if isinstance(written, Cell) else Cell(written)
