"""Checks a user can run when something does not work: each says what to do."""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from factor_pipeline.errors import FactorPipelineError, SettingsError
from factor_pipeline.settings import DATA_SETS, Settings

_FREE_GIB = 2.0
_GIB = 2**30
_PACKAGES = ("dagster", "duckdb", "polars", "great-expectations", "statsmodels")


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check, and what to do when it failed."""

    subject: str
    passed: bool
    said: str
    advice: str = ""


def examine(home: Path, settings: Settings) -> list[Finding]:
    """Look at versions, home folder, disk and every source of the settings."""
    return [
        Finding(
            "versions",
            passed=True,
            said=", ".join(
                [f"python {sys.version.split()[0]}", *(f"{p} {version(p)}" for p in _PACKAGES)]
            ),
        ),
        Finding("settings", passed=True, said=os.environ.get("FACTOR_CONFIG", "defaults")),
        _home(home),
        _disk(home),
        *(_source(settings, name) for name in DATA_SETS),
    ]


def _home(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    return Finding(
        "home",
        passed=os.access(existing, os.W_OK),
        said=str(home),
        advice=f"{existing} is not writable; set FACTOR_HOME to a folder that is",
    )


def _disk(home: Path) -> Finding:
    existing = next(folder for folder in (home, *home.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / _GIB
    return Finding(
        "disk",
        passed=free >= _FREE_GIB,
        said=f"{free:.1f} GiB free",
        advice=f"free at least {_FREE_GIB:g} GiB, or set FACTOR_HOME to another disk",
    )


def _source(settings: Settings, data_set: str) -> Finding:
    try:
        return _offer(settings, data_set)
    except (FactorPipelineError, OSError) as error:
        advice = f"check {data_set}.path in the settings"
        return Finding(data_set, passed=False, said=str(error), advice=advice)


def _offer(settings: Settings, data_set: str) -> Finding:
    from factor_pipeline.sources.registry import source_of  # noqa: PLC0415

    source = source_of(settings, data_set)
    if source is None:
        return Finding(data_set, passed=True, said="none: what needs it stays empty")
    path = getattr(settings, data_set).path
    if path and not path.exists():
        raise SettingsError(f"nothing exists at {path}")
    files = list(source.files())
    return Finding(
        data_set,
        passed=bool(files),
        said=f"{source.name}: {len(files)} file{'s' if len(files) != 1 else ''}",
        advice=f"no file is offered; check {data_set}.path in the settings",
    )
