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
class Step:
    """Rows of one node that belong to a trace; of raw tables by file.

    ``links`` lead from it to the steps it is made of.
    """

    node: Node
    span: Span
    files: Mapping[str, Span]
    links: tuple[Link, ...] = ()


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
        step = _taken(answer, node, query, f"rows_{number}", kept)
        if step is None:
            continue
        behind = [link for link in links if link.reader == node]
        steps.append(Step(node, step.span, step.files, tuple(behind)))
        for link in behind:
            if not link.is_followed:
                further = _spans(answer, node, f"({other_rows(link, kept[node], settings)})")
                others += [Others(link, span) for span in further.values() if span.rows]
    return Path(tuple(steps), tuple(others))


def _readers_first(start: Node, links: Sequence[Link]) -> list[Node]:
    readers, sources = [link.reader for link in links], [link.source for link in links]
    return list(dict.fromkeys([start, *readers, *sources]))


def _leads(link: Link, node: Node, kept: Mapping[Node, str]) -> bool:
    return link.source == node and link.is_followed and link.reader in kept


def _taken(answer: Answer, node: Node, query: str, name: str, kept: dict[Node, str]) -> Step | None:
    """Count the rows of ``query`` and keep those that lead further; null where there are none."""
    if has_files(node):
        by_file = {file: span for file, span in _spans(answer, node, f"({query})").items() if file}
        return Step(node, _whole(by_file.values()), by_file) if by_file else None
    answer.keep(name, query)
    (span,) = _spans(answer, node, name).values()
    if not span.rows:
        return None
    kept[node] = name
    return Step(node, span, {})


def _spans(answer: Answer, node: Node, rows: str) -> dict[str | None, Span]:
    return {file: Span(*rest) for file, *rest in answer(count(node, rows)).iter_rows()}


def _whole(spans: Iterable[Span]) -> Span:
    spans = list(spans)
    firsts = [span.first for span in spans if span.first]
    lasts = [span.last for span in spans if span.last]
    return Span(
        sum(span.rows for span in spans), min(firsts, default=None), max(lasts, default=None)
    )
