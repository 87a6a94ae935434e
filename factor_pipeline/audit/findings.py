"""What an audit reports: one finding per check and date, with the first offending value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

ABSENT = "(no such row)"
"""Stands for a value whose whole row is missing on one side."""


@dataclass(frozen=True, slots=True)
class Offence:
    """One value that breaks a rule.

    Attributes
    ----------
    table, key, column
        Where it stands; ``key`` is written ``column=value, ...``; ``column`` is ``row`` when the
        whole row is there on one side only.
    stored, expected
        The value in the warehouse, and what it should be or is without the future.
    """

    table: str
    key: str
    column: str
    stored: str
    expected: str

    def __str__(self) -> str:
        """Where, and the two values, on one line."""
        return (
            f"{self.table}.{self.column} at {self.key}: stored {self.stored}, "
            f"expected {self.expected}"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check.

    Attributes
    ----------
    check
        ``truncation``, ``perturbation``, ``filing`` or ``survivorship``.
    cutoff
        Last day that was left as it was; null for checks of all months.
    tables, rows
        How many were compared.
    cells
        Offending values; a row that is there on one side only counts once.
    first
        First of them: in the order data flow through the tables, then by date and key.
    """

    check: str
    cutoff: date | None
    tables: int
    rows: int
    cells: int
    first: Offence | None = None


@dataclass(frozen=True, slots=True)
class AuditReport:
    """Findings in the order the checks ran."""

    findings: tuple[Finding, ...]

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """Findings with offending values."""
        return tuple(finding for finding in self.findings if finding.cells)

    def frame(self) -> pl.DataFrame:
        """One row per finding: ``check, at, tables, rows, offending_cells``."""
        return pl.DataFrame(
            [
                (
                    finding.check,
                    f"{finding.cutoff:%Y-%m}" if finding.cutoff else "all months",
                    finding.tables,
                    finding.rows,
                    finding.cells,
                )
                for finding in self.findings
            ],
            schema={
                "check": pl.String,
                "at": pl.String,
                "tables": pl.Int64,
                "rows": pl.Int64,
                "offending_cells": pl.Int64,
            },
            orient="row",
        )


def written(value: object) -> str:
    """Write a value so that two that differ look different: floats with all their digits."""
    return "NULL" if value is None else str(value)


def key_of(row: dict[str, object], columns: Sequence[str]) -> str:
    """``column=value, ...`` of the given columns of a row."""
    return ", ".join(f"{column}={written(row[column])}" for column in columns)
