"""Which tables the rows of a table are made of, as the assets declare it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pkgutil import iter_modules

from factor_pipeline import assets
from factor_pipeline.assets.common import TableAsset, Upstream
from factor_pipeline.schemas.lineage import column_sources, is_declared, naming_columns
from factor_pipeline.schemas.table import Table

Settings = Callable[[str], object]
"""Value of a setting, by its name such as ``betas.window_months``, when a row was built."""


@dataclass(frozen=True, slots=True)
class Node:
    """The rows of a table that one asset fills; raw tables are filled by none.

    ``scope`` are the values that tell them from those of another asset.
    """

    table: Table
    scope: tuple[tuple[str, str], ...] = ()
    asset: TableAsset | None = None

    @property
    def name(self) -> str:
        """Table, and what tells its rows from those of another asset."""
        values = ", ".join(value for _, value in self.scope)
        return f"{self.table.qualified_name} ({values})" if values else self.table.qualified_name


@dataclass(frozen=True, slots=True)
class Link:
    """Rows of ``reader`` are made of rows of ``source``; ``upstream`` tells which.

    ``into`` are the columns of the reader that are, ``columns`` those of the source they are made
    of.
    """

    reader: Node
    source: Node
    upstream: Upstream
    into: tuple[str, ...]
    columns: tuple[str, ...]

    @property
    def is_followed(self) -> bool:
        """Whether what the rows of ``source`` are made of belongs to the trace."""
        return self.source != self.reader


@cache
def declared_assets() -> tuple[TableAsset, ...]:
    """All table assets that modules of `assets` declare, without the code location's settings."""
    names = sorted(module.name for module in iter_modules(assets.__path__))
    modules = [import_module(f"{assets.__name__}.{name}") for name in names]
    return tuple(asset for module in modules for asset in getattr(module, "ASSETS", ()))


def node_of(table: Table, row: dict[str, object]) -> Node:
    """Node that a row of a table belongs to."""
    for node in _nodes(table):
        if all(row[column] == value for column, value in node.scope):
            return node
    return Node(table)


def links_behind(start: Node, columns: Iterable[str], settings: Settings) -> list[Link]:
    """Links that lead from columns of a node to the raw tables, those of a reader before others.

    A link counts where a column that is asked for has sources in its table; of that table those
    sources are asked for. Columns that name a row are traced no further than where it is.

    Raises
    ------
    graphlib.CycleError
        When tables are made of each other.
    """
    asked: dict[Node, set[str]] = defaultdict(set, {start: set(columns) - set(start.table.key)})
    found = []
    for node in _readers_first(start):
        if node != start:
            asked[node] -= naming_columns(node.table)
        asked[node] = _with_own_sources(node.table, asked[node])
        for upstream in _upstreams(node):
            link = _link(node, upstream, asked[node])
            if link and _applies(upstream, settings):
                found.append(link)
                asked[link.source] |= set(link.columns)
    return found


def _link(reader: Node, upstream: Upstream, asked: set[str]) -> Link | None:
    """Link for the columns asked for; null when none of them comes from there."""
    source = _filled_by(upstream)
    if not is_declared(reader.table):
        return Link(reader, source, upstream, tuple(sorted(asked)), source.table.column_names)
    sources, name = column_sources(reader.table), source.table.qualified_name
    limited = asked & set(upstream.rows.columns) if upstream.rows.columns else asked
    into = [column for column in sorted(limited) if column in sources]
    pairs = [(column, table_column) for column in into for table_column in sources[column]]
    made = {column: found for column, (table, found) in pairs if table == name}
    if not made:
        return None
    columns = dict.fromkeys(found for _, (table, found) in pairs if table == name)
    return Link(reader, source, upstream, tuple(made), tuple(columns))


def _with_own_sources(table: Table, asked: set[str]) -> set[str]:
    """Columns asked for, and those of the same table that they are made of."""
    sources, todo = column_sources(table), set(asked)
    known = set(asked)
    while todo:
        column = todo.pop()
        own = {c for t, c in sources.get(column, ()) if t == table.qualified_name}
        todo |= own - known
        known |= own
    return known


def _applies(upstream: Upstream, settings: Settings) -> bool:
    when = upstream.rows.when
    return when is None or settings(when[0]) == when[1]


def _readers_first(start: Node) -> list[Node]:
    """All nodes that lie behind one, each after all that may be made of it."""
    graph: dict[Node, list[Node]] = {}
    todo = [start]
    while todo:
        node = todo.pop()
        if node not in graph:
            sources = [_filled_by(upstream) for upstream in _upstreams(node)]
            graph[node] = [source for source in sources if source != node]
            todo += graph[node]
    return list(TopologicalSorter(graph).static_order())[::-1]


def _nodes(table: Table) -> list[Node]:
    return [Node(table, asset.scope, asset) for asset in declared_assets() if table in asset.tables]


def _upstreams(node: Node) -> Iterator[Upstream]:
    if node.asset is None:
        return
    for upstream in (*node.asset.reads, *node.asset.links):
        if not upstream.rows.through and (not upstream.into or node.table in upstream.into):
            yield upstream


def _filled_by(upstream: Upstream) -> Node:
    for node in _nodes(upstream.table):
        if node.asset and upstream.key in node.asset.keys:
            return node
    return Node(upstream.table)
