"""Following rows from table to table, down to the files they were read from."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from factor_pipeline.trace.graph import Link, Node, Settings, links_behind
from factor_pipeline.trace.statement import (
    count,
    has_files,
    kept_columns,
    other_rows,
    row_itself,
    rows_behind,
)
from factor_pipeline.warehouse.query import Answer


@dataclass(frozen=True, slots=True)
class Span:
    """How many rows, and between which days; no days where rows have none."""

    rows: int
    first: date | None
    last: date | None


@dataclass(frozen=True, slots=True)
class FileRows:
    """Rows of a file in a trace, and the links that lead to them."""

    span: Span
    links: frozenset[Link]


@dataclass(frozen=True, slots=True)
class Step:
    """Rows of one node that belong to a trace; of raw tables by file.

    ``links`` are those that lead to them.
    """

    node: Node
    span: Span
    links: frozenset[Link]
    files: Mapping[str, FileRows]


@dataclass(frozen=True, slots=True)
class Others:
    """Further rows of a node that rows of it are made of, for some of their columns."""

    link: Link
    span: Span


@dataclass(frozen=True, slots=True)
class Path:
    """All that a row is made of: steps, each after all that are made of it, and what is left."""

    steps: tuple[Step, ...]
    others: tuple[Others, ...]

    def made_of(self, node: Node) -> list[Step]:
        """Give the steps that rows of a node are made of."""
        return [step for step in self.steps if any(link.reader == node for link in step.links)]

    def files_behind(self, node: Node) -> set[str]:
        """Names of the files that the rows of a node were read from, or are made of."""
        names: set[str] = set()
        todo, readers = [node], set()
        while todo:
            reader = todo.pop()
            if reader in readers:
                continue
            readers.add(reader)
            for step in self.made_of(reader):
                todo.append(step.node)
                names |= {
                    name
                    for name, rows in step.files.items()
                    if any(link.reader == reader for link in rows.links)
                }
        return names or {name for s in self.steps if s.node == node for name in s.files}


def follow(
    answer: Answer,
    start: Node,
    key: Mapping[str, object],
    columns: Iterable[str],
    settings: Settings,
) -> Path:
    """Find the rows behind ``columns`` of one row.

    Parameters
    ----------
    answer
        The published file.
    start, key
        What the row belongs to, and the values that tell it from others there.
    columns
        Columns of it that are traced.
    settings
        Settings it was built with.

    Returns
    -------
    Path
        Steps without a row are left out, and so is what they would be made of.
    """
    links = links_behind(start, columns, settings)
    kept: dict[Node, str] = {}
    steps, others = [], []
    for number, node in enumerate(_readers_first(start, links)):
        into = {link: kept[link.reader] for link in links if _leads(link, node, kept)}
        columns_kept = kept_columns(node, links)
        if node == start:
            query = row_itself(node, key, columns_kept)
        elif into:
            query = rows_behind(into, columns_kept, settings)
        else:
            continue
        rows = f"rows_{number}"
        if not has_files(node):
            answer.keep(rows, query)
        step = _step(answer, node, f"({query})" if has_files(node) else rows, list(into))
        if not step.span.rows:
            continue
        steps.append(step)
        if not has_files(node):
            kept[node] = rows
        for link in links:
            if link.reader == node and not link.is_followed:
                further = _step(answer, node, f"({other_rows(link, rows, settings)})", [link])
                others += [Others(link, further.span)] if further.span.rows else []
    return Path(tuple(steps), tuple(others))


def _readers_first(start: Node, links: Sequence[Link]) -> list[Node]:
    readers, sources = [link.reader for link in links], [link.source for link in links]
    return list(dict.fromkeys([start, *readers, *sources]))


def _leads(link: Link, node: Node, kept: Mapping[Node, str]) -> bool:
    return link.source == node and link.is_followed and link.reader in kept


def _step(answer: Answer, node: Node, rows: str, links: Sequence[Link]) -> Step:
    """Count rows, which have the bits of ``links``."""
    files: dict[str, FileRows] = {}
    spans: list[Span] = []
    found: set[Link] = set()
    for file, bits, *span in answer(count(node, rows)).iter_rows():
        leading = frozenset(link for i, link in enumerate(links) if (bits or 0) >> i & 1)
        spans.append(Span(*span))
        found |= leading
        if file is not None:
            files[str(file)] = FileRows(spans[-1], leading)
    return Step(node, _whole(spans), frozenset(found), files)


def _whole(spans: Sequence[Span]) -> Span:
    firsts = [span.first for span in spans if span.first]
    lasts = [span.last for span in spans if span.last]
    return Span(
        sum(span.rows for span in spans), min(firsts, default=None), max(lasts, default=None)
    )
