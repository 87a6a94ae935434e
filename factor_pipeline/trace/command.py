"""What ``factor-pipeline trace`` prints."""

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Literal

from rich.console import Console

from factor_pipeline.as_of import working_folder
from factor_pipeline.settings import PUBLISHED_FILE
from factor_pipeline.trace.show import as_document, as_text
from factor_pipeline.trace.trace import trace

# Wide enough for a file with its SHA-256 where the output is not a terminal.
_WIDTH = 250


def trace_and_tell(  # noqa: PLR0913 - the options of the command, by keyword
    home: Path,
    table: str,
    key: Sequence[str],
    *,
    columns: Sequence[str] = (),
    output: Literal["tree", "json"] = "tree",
    all_files: bool = False,
    verify: bool = False,
    day: date | None = None,
) -> bool:
    """Trace a row of what ``home`` publishes, of now or as of a day, and print it.

    Returns
    -------
    bool
        Whether all bytes that were verified are those that were fetched.
    """
    found = trace(working_folder(home, day) / PUBLISHED_FILE, table, key, columns, home / "raw")
    if output == "json":
        document = as_document(found, verify=verify)
        sys.stdout.write(json.dumps(document, indent=1, default=_as_text) + "\n")
    else:
        terminal = Console(highlight=False)
        wide = Console(highlight=False, width=None if terminal.is_terminal else _WIDTH)
        for part in as_text(found, all_files=all_files, verify=verify):
            wide.print(part)
    return not verify or all(file.is_verified for file in found.files)


def _as_text(value: object) -> str:
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if isoformat else value)
