"""What the report reads: the SELECTs under ``sql/report`` on one version of the published file."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from factor_pipeline.errors import QueryError, UnknownTableError
from factor_pipeline.reporting.palette import SERIES
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.query import snapshot

BENCHMARK = "benchmark"


def styles_of(strategies: Sequence[str]) -> dict[str, int]:
    """Return as many strategies as charts can tell apart, each with its style of the palette.

    The benchmark comes first and has style 0, which no other gets; the rest is in order.
    """
    others = sorted(name for name in strategies if name != BENCHMARK)
    styles = dict(zip(others, range(1, SERIES), strict=False))
    return {BENCHMARK: 0, **styles} if BENCHMARK in strategies else styles


class NotInBuildError(Exception):
    """The published file has no rows for a part of the report."""


class EmptyTableError(NotInBuildError):
    """The table is there and has no rows."""


class Published:
    """The published tables as the report asks for them."""

    def __init__(self, answer: Callable[[str], pl.DataFrame]) -> None:
        self._answer = answer

    def rows(self, name: str) -> pl.DataFrame:
        """Rows of ``sql/report/<name>.sql``.

        Raises
        ------
        NotInBuildError
            When a table is missing, or lacks a column, as in the file of another release.
        EmptyTableError
            When there are no rows.
        """
        try:
            frame = self._answer(load_sql(f"report/{name}"))
        except UnknownTableError as error:
            raise NotInBuildError("") from error
        except QueryError as error:
            raise NotInBuildError(str(error).splitlines()[0]) from error
        if frame.is_empty():
            raise EmptyTableError("")
        return frame

    @cached_property
    def build(self) -> dict[str, Any]:
        """The newest build: run, inputs, settings, code, whether simulated, months."""
        return self.rows("build").row(0, named=True)

    @cached_property
    def settings(self) -> dict[str, Any]:
        """Settings of the build, by section."""
        settings: dict[str, Any] = json.loads(self.build["settings"])
        return settings

    @cached_property
    def strategy_path(self) -> pl.DataFrame:
        """Rows of ``strategy_path``: strategies month by month."""
        return self.rows("strategy_path")

    @cached_property
    def strategy_names(self) -> list[str]:
        """All strategies, the benchmark first."""
        names = self.strategy_path["strategy"].unique().to_list()
        return sorted(names, key=lambda name: (name != BENCHMARK, name))

    @property
    def charted(self) -> dict[str, int]:
        """Strategies that charts show, each with its style."""
        return styles_of(self.strategy_names)

    def vintage(self, frame: pl.DataFrame) -> str | None:
        """Return the library vintage of the settings, else the newest in column ``vintage``."""
        vintages = frame["vintage"].drop_nulls().unique().sort().to_list()
        chosen = self.settings.get("library", {}).get("vintage")
        if chosen in vintages:
            return str(chosen)
        return str(vintages[-1]) if vintages else None


@contextmanager
def published_tables(path: Path) -> Iterator[Published]:
    """Open the published file for the length of the block.

    Raises
    ------
    QueryError
        When nothing is published yet.
    """
    with snapshot(path) as answer:
        yield Published(answer)
