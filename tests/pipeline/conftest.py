"""A small simulated market, built once, and helpers to run the pipeline on it."""

import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl
import pytest

SMALL_MARKET = """
[simulation]
stocks = 60
years = 4
[portfolios]
min_market_stocks = 10
[backtest]
min_names = 3
"""


@dataclass(frozen=True)
class Home:
    """A home folder and its settings file, driven through the command line."""

    folder: Path
    config: Path

    @property
    def published(self) -> Path:
        return self.folder / "factors.duckdb"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "FACTOR_HOME": str(self.folder),
            "FACTOR_CONFIG": str(self.config),
            "PYTHONWARNINGS": "ignore",
        }

    def start(self, *arguments: str, log: Path | None = None) -> subprocess.Popen[str]:
        """Start a command; what prints more than a pipe holds must print into ``log``."""
        with log.open("w") if log else nullcontext(subprocess.PIPE) as output:
            return subprocess.Popen(
                [sys.executable, "-m", "factor_pipeline.cli", *arguments],
                env=self.environment,
                cwd=self.folder.parent,
                stdout=output,
                stderr=subprocess.STDOUT if log else subprocess.PIPE,
                text=True,
            )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def tables(self) -> dict[str, pl.DataFrame]:
        """Every published table but those of times and builds, in stored order."""
        return published_tables(self.published)


def published_tables(path: Path) -> dict[str, pl.DataFrame]:
    with duckdb.connect(str(path), read_only=True) as connection:
        names = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables() order by 1"
        ).fetchall()
        return {
            name: connection.sql(f"from {name}").pl().drop("known_from", strict=False)
            for (name,) in names
            if name not in {"quality.build", "quality.freshness", "raw.ingest_log", "raw.snapshot"}
        }


def make_home(folder: Path, settings: str = SMALL_MARKET) -> Home:
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "settings.toml"
    config.write_text(settings)
    return Home(folder / "home", config)


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Home:
    """A home in which one run built and published the small market."""
    home = make_home(tmp_path_factory.mktemp("built"))
    result = home.run("run")
    assert result.returncode == 0, result.stderr
    return home
