"""What ``factor-pipeline audit`` does and prints."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from factor_pipeline import console
from factor_pipeline.audit.run import audit
from factor_pipeline.settings import Settings


def audit_and_tell(home: Path, settings: Settings, months: Sequence[date]) -> bool:
    """Audit ``home``, print what was compared and the first offence of each check.

    Returns
    -------
    bool
        Whether nothing offends.
    """
    # The code location prepares the warehouse of the environment when it is imported.
    from factor_pipeline.definitions import table_assets  # noqa: PLC0415

    with _progress() as on_step:
        report = audit(home, settings, table_assets(settings), months, on_step=on_step)
    console.table(report.frame())
    for finding in report.leaks:
        at = f" at {finding.cutoff:%Y-%m}" if finding.cutoff else ""
        sys.stdout.write(f"LEAK {finding.check}{at}: first {finding.first}\n")
    if not report.leaks:
        sys.stdout.write("No value knows anything that was not known at its time.\n")
    return not report.leaks


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on a terminal, plain lines elsewhere."""
    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield _line
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=terminal, transient=True) as bar:
        task = bar.add_task("Auditing", total=None)
        yield lambda title, done, steps: bar.update(
            task, description=title, completed=done, total=steps
        )


def _line(title: str, done: int, steps: int) -> None:
    sys.stderr.write(f"  {done + 1}/{steps} {title}\n")
    sys.stderr.flush()
