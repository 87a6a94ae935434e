"""A trace as a person reads it on a terminal, and as a script does."""

from collections.abc import Iterator, Mapping, Sequence

from rich.table import Table as Grid
from rich.text import Text
from rich.tree import Tree

from factor_pipeline.builds import code_version
from factor_pipeline.trace.follow import Span, Step
from factor_pipeline.trace.graph import Node
from factor_pipeline.trace.trace import File, Trace, default_settings

_LISTED_FILES = 12
_LOGGED = ("data_set", "source", "sha256", "vintage", "ingested_at")


def as_document(trace: Trace, *, verify: bool) -> dict[str, object]:
    """Trace as JSON takes it; days and times are ISO 8601 text."""
    return {
        "table": trace.table.qualified_name,
        "key": trace.key,
        "columns": list(trace.columns),
        "row": dict(trace.row),
        "build": trace.build,
        "made_of": [_step_document(trace, step) for step in trace.path.steps],
        "not_followed": [
            {"table": other.link.source.name, "for": list(other.link.into)} | _span(other.span)
            for other in trace.path.others
        ],
        "files": [_file_document(file, verify=verify) for file in trace.files],
    }


def as_text(trace: Trace, *, all_files: bool, verify: bool) -> Iterator[Grid | Tree | Text]:
    """Give the parts of a trace in the order they are read in."""
    yield Text(f"{trace.table.qualified_name}  {_values(trace.key)}", style="bold")
    yield _row_grid(trace)
    yield _build_grid(trace)
    if len(trace.path.steps) > 1 or trace.path.others:
        yield _tree(trace)
    if not trace.files:
        yield Text("No file: the row follows from the code and the settings alone.")
    elif all_files or len(trace.files) <= _LISTED_FILES:
        yield _file_grid(trace.files, verify=verify)
    else:
        yield _file_summary(trace)


def _row_grid(trace: Trace) -> Grid:
    grid = Grid(box=None, show_header=False)
    for name in trace.columns:
        if name not in trace.table.key and trace.row[name] is not None:
            grid.add_row(f"  {name}", Text(_cell(trace.row[name])))
    return grid


def _build_grid(trace: Trace) -> Grid:
    grid = Grid(box=None, show_header=False)
    build = trace.build
    if build:
        grid.add_row("built", f"build {build['build']}, {build['finished_at']:%Y-%m-%d %H:%M} UTC")
        grid.add_row("run", str(build["run_id"]))
        grid.add_row("code", _code(str(build["code_version"])))
        grid.add_row("data", "simulated market" if build["simulated"] else "vendor files")
        changed = dict(_changed(build["settings"], default_settings()))
        said = _values(changed) or "all by default"
        grid.add_row("settings", Text(said))
    elif trace.path.steps[0].node.asset:
        grid.add_row(
            "built", "by no build that is logged; the settings are taken to be the defaults"
        )
    return grid


def _code(version: str) -> str:
    """Version of the code that built a row; what it is made of is told as this one has it."""
    now = code_version()
    return version if version == now else f"{version}, traced by {now}: links may differ"


def _changed(settings: object, defaults: object, name: str = "") -> Iterator[tuple[str, object]]:
    """Give the settings other than the defaults, by their names."""
    if not isinstance(settings, Mapping):
        if settings != defaults:
            yield name, f"({len(settings)})" if isinstance(settings, list) else settings
        return
    known = defaults if isinstance(defaults, Mapping) else {}
    for part, value in settings.items():
        yield from _changed(value, known.get(part), f"{name}.{part}" if name else part)


def _tree(trace: Trace) -> Tree:
    first = trace.path.steps[0].node
    tree = Tree("made of")
    _grow(tree, trace, first, {first})
    for other in trace.path.others:
        more, columns = _counted(other.span), ", ".join(other.link.into)
        source = other.link.source.name
        tree.add(Text(f"not followed: {more} more of {source}, for {columns}"))
    return tree


def _grow(tree: Tree, trace: Trace, node: Node, shown: set[Node]) -> None:
    for step in trace.path.made_of(node):
        if step.node in shown:
            tree.add(Text(f"{step.node.name}  (above)"))
            continue
        shown.add(step.node)
        names = trace.path.files_behind(step.node)
        files = next(iter(names)) if len(names) == 1 else f"{len(names)} files"
        said = f"{step.node.name}  {_counted(step.span)}{_days(step.span)}, {files}"
        _grow(tree.add(Text(said)), trace, step.node, shown)


def _file_grid(files: Sequence[File], *, verify: bool) -> Grid:
    grid = Grid(box=None)
    for title in ("file", "rows", "vintage", "fetched (UTC)", "sha256", "bytes"):
        grid.add_column(title, justify="right" if title == "rows" else "left", no_wrap=True)
    for file in files:
        log = file.log
        fetched = f"{log['ingested_at']:%Y-%m-%d %H:%M}" if log else ""
        grid.add_row(
            Text(file.name),
            f"{sum(file.rows.values()):,}",
            str(log.get("vintage") or ""),
            fetched,
            str(log.get("sha256") or ""),
            _state(file, verify=verify),
        )
    return grid


def _file_summary(trace: Trace) -> Text:
    sets: dict[str, int] = {}
    for file in trace.files:
        data_set = str(file.log.get("data_set") or file.name.partition("/")[0])
        sets[data_set] = sets.get(data_set, 0) + 1
    counts = ", ".join(f"{count} of {name}" for name, count in sorted(sets.items()))
    return Text(f"{len(trace.files)} files: {counts}; --files lists them")


def _state(file: File, *, verify: bool) -> str:
    if not file.log:
        return "no longer logged"
    if not file.is_kept:
        return "missing"
    if not verify:
        return "kept"
    return "verified" if file.is_verified else "CHANGED"


def _step_document(trace: Trace, step: Step) -> dict[str, object]:
    return {
        "table": step.node.name,
        **_span(step.span),
        "files": len(trace.path.files_behind(step.node)),
        "made_of": [source.node.name for source in trace.path.made_of(step.node)],
    }


def _file_document(file: File, *, verify: bool) -> dict[str, object]:
    return {
        "file": file.name,
        **{name: file.log.get(name) for name in _LOGGED},
        "rows": dict(file.rows),
        "path": str(file.path) if file.path else None,
        "state": _state(file, verify=verify),
    }


def _span(span: Span) -> dict[str, object]:
    return {"rows": span.rows, "first": span.first, "last": span.last}


def _counted(span: Span) -> str:
    return f"{span.rows:,} row{'' if span.rows == 1 else 's'}"


def _days(span: Span) -> str:
    if span.first is None or span.last is None:
        return ""
    return f", {span.first}" if span.first == span.last else f", {span.first} to {span.last}"


def _values(values: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_cell(value)}" for name, value in values.items())


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.8g}"
    return "" if value is None else str(value)
