"""What every source is: it lists files, and turns a file's bytes into contract rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

REJECT_SCHEMA = pl.Schema(
    {"row": pl.Int64(), "rule": pl.String(), "reason": pl.String(), "value": pl.String()}
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file a provider offers; nothing is read until ``read`` is called.

    ``name`` is its identity: a later file of the same name replaces it.
    """

    name: str
    path: Path
    vintage: str | None = None

    def read(self) -> bytes:
        """Bytes of the file as the vendor served them."""
        return self.path.read_bytes()


class Offer(Protocol):
    """What ingestion needs of a file: a name, a vintage, bytes."""

    @property
    def name(self) -> str:
        """Identity of the file within its data set."""

    @property
    def vintage(self) -> str | None:
        """The vendor's own label of the edition, when known before reading."""

    def read(self) -> bytes:
        """Bytes as the vendor served them."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """Rows of one file: the good ones in contract columns, the bad ones with a reason.

    Attributes
    ----------
    frame
        Columns of ``schemas.provenance.contract`` of the data set's raw table.
    rejected
        Columns of ``REJECT_SCHEMA``: ``row`` is the one-based line of the (uncompressed) file,
        ``value`` the offending text, shortened.
    vintage
        The vintage the file states about itself, when it does.
    """

    frame: pl.DataFrame
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECT_SCHEMA))
    vintage: str | None = None


class Source(Protocol):
    """A provider of one data set."""

    @property
    def name(self) -> str:
        """Provider as settings name it, e.g. ``alphavantage``."""

    @property
    def version(self) -> int:
        """Raised when ``parse`` would give other rows for the same bytes."""

    def files(self) -> Iterable[Offer]:
        """Files on offer, sorted by name."""

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn the bytes of ``file`` into rows.

        Raises
        ------
        BadFileError
            When the file as a whole is not what the data set promises.
        """
