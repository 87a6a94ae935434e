"""What a run says while it works: one line per finished step, or a bar on a terminal."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

_LOGGER = "factor_pipeline.steps"
_NOT_RUN = "Dependencies for step"


class _StepHandler(logging.Handler):
    """Passes the end of each step on; warnings and errors of user code go to stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.progress: Progress | None = None

    def emit(self, record: logging.LogRecord) -> None:
        meta = getattr(record, "dagster_meta", {})
        event = meta.get("dagster_event")
        if event is None:
            said = str(meta.get("orig_message"))
            # Of a failed step the first failure tells; the list of what then did not run hides it.
            if record.levelno >= logging.WARNING and not said.startswith(_NOT_RUN):
                self._say(f"  {record.levelname.lower()}: {said}")
        elif event.event_type_value == dg.DagsterEventType.STEP_SUCCESS.value:
            self._step(event.step_key, event.step_success_data.duration_ms / 1000)

    def _step(self, key: str, seconds: float) -> None:
        if self.progress and self.progress.tasks:
            self.progress.update(self.progress.tasks[-1].id, advance=1, step=key)
        else:
            self._say(f"  {key:<50} {seconds:7.1f} s")

    def _say(self, line: str) -> None:
        if self.progress:
            self.progress.console.print(line, markup=False, highlight=False)
        else:
            sys.stderr.write(line + "\n")
            sys.stderr.flush()


_HANDLER = _StepHandler()


def _steps_logger(_: dg.InitLoggerContext) -> logging.Logger:
    """Replace Dagster's debug log on stderr; its event log keeps everything."""
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.handlers = [_HANDLER]
    return logger


console_logger = dg.LoggerDefinition(_steps_logger, description="One line per finished step.")


@contextmanager
def progress(title: str, steps: int) -> Iterator[None]:
    """Show a bar on a terminal, plain lines elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        sys.stderr.write(f"{title}\n")
        sys.stderr.flush()
        yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[step]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        bar.add_task(title, total=steps, step="")
        _HANDLER.progress = bar
        try:
            yield
        finally:
            _HANDLER.progress = None
