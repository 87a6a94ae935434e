"""Fetched bytes, kept forever under their SHA-256."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path


def sha256(content: bytes) -> str:
    """SHA-256 of ``content`` in hex."""
    return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class RawStore:
    """A folder of files named by the hash of what they hold."""

    folder: Path

    def path_of(self, digest: str) -> Path:
        """Where the bytes with this SHA-256 are kept."""
        return self.folder / digest[:2] / digest

    def put(self, content: bytes, digest: str) -> None:
        """Keep ``content``; a crash leaves either nothing or all of it."""
        path = self.path_of(digest)
        # A file of another size was cut by a power loss.
        if path.exists() and path.stat().st_size == len(content):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(content)
        partial.replace(path)
