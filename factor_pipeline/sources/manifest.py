"""The versions of files, written beside their bytes: a lost work file does not lose them."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_MARK = re.compile(rb'^\{"until": "([^"]+)"\}\n', re.MULTILINE)
_TAIL_BYTES = 4096
_TIMES = ("known_from", "known_to")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file of JSON lines: rows of ``raw.snapshot`` of a data set, and marks of what is whole.

    Rows are appended as versions begin and end; the later row of a version counts. A mark closes
    each batch, so that one which a power loss has cut does not count.

    Attributes
    ----------
    path
        The file; it need not exist.
    """

    path: Path

    @classmethod
    def beside(cls, folder: Path, data_set: str) -> "Manifest":
        """Return the manifest of a data set whose bytes are kept in ``folder``."""
        return cls(folder / "manifest" / f"{data_set}.jsonl")

    def until(self) -> datetime | None:
        """When the last version that it tells of began or ended, UTC; null when it has none."""
        return self._end()[1]

    def append(self, rows: Iterable[Mapping[str, object]], until: datetime) -> None:
        """Add versions, the last of which began or ended at ``until``; all of them or none."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(row, default=datetime.isoformat) for row in rows]
        batch = "\n".join([*lines, json.dumps({"until": until.isoformat()}), ""])
        end, _ = self._end()
        with self.path.open("r+b" if self.path.exists() else "wb") as file:
            file.truncate(end)
            file.seek(end)
            file.write(batch.encode())
            file.flush()
            os.fsync(file.fileno())

    def versions(self) -> list[dict[str, object]]:
        """Return the rows, by file and time, in the last state of each."""
        end, _ = self._end()
        if not end:
            return []
        found: dict[tuple[str, str], dict[str, object]] = {}
        for line in self.path.read_bytes()[:end].splitlines():
            row = json.loads(line)
            if "until" not in row:
                found[row["file"], row["known_from"]] = row | {
                    name: row[name] and datetime.fromisoformat(row[name]) for name in _TIMES
                }
        return [found[version] for version in sorted(found)]

    def _end(self) -> tuple[int, datetime | None]:
        """Where the last whole batch ends, in bytes, and its mark."""
        if not self.path.exists():
            return 0, None
        with self.path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            for span in (_TAIL_BYTES, size):
                start = max(size - span, 0)
                file.seek(start)
                if marks := list(_MARK.finditer(file.read())):
                    last = marks[-1]
                    return start + last.end(), datetime.fromisoformat(last[1].decode())
        return 0, None
