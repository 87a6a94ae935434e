"""The tutorial, typed as it stands, on a small market in place of the default one.

Figures differ there, so printed lines are compared with their numbers taken out.
"""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import PROJECT

TUTORIAL = (PROJECT / "docs" / "tutorial.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?%?")
# The page holds a tenth of the index members, of which there are some twenty here.
_STRATEGIES = "min_names = 1\n"
_MARKET = """
[simulation]
stocks = 50
years = 4
[portfolios]
min_market_stocks = 10
"""
SMALL_MARKET = f"{_MARKET}[backtest]\n{_STRATEGIES}"


@dataclass(frozen=True)
class Command:
    """A line to type, what it should print, and the exit code the page promises."""

    typed: str
    printed: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """A file the reader is told to write."""

    name: str
    text: str


def steps() -> list[Command | File]:
    """Commands and files of the page, in order."""
    found: list[Command | File] = []
    for kind, name, text in _BLOCK.findall(TUTORIAL):
        if kind == "console":
            found += commands(text)
        elif name:
            found.append(File(name, text))
    return found


def commands(block: str) -> list[Command]:
    parts = re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]
    return [Command(lines[0], tuple(lines[1:])) for lines in map(str.splitlines, parts)]


def on_a_small_market(settings: str) -> str:
    """Settings of the page, for 50 stocks and 4 years."""
    if "[backtest]\n" in settings:
        return settings.replace("[backtest]\n", f"[backtest]\n{_STRATEGIES}") + _MARKET
    return settings + SMALL_MARKET


def without_numbers(line: str) -> str:
    return " ".join(_NUMBER.sub("#", line).split())


def pattern(line: str) -> str:
    """Pattern of a printed line, in which ``...`` stands for anything."""
    return ".*".join(map(re.escape, map(without_numbers, line.split("..."))))


def require_printed(command: Command, output: str) -> None:
    """Expect the lines of the page in the output, in their order; exactly them without ``...``."""
    lines = iter([without_numbers(line) for line in output.splitlines()])
    for line in command.printed:
        if line.strip() == "...":
            continue
        assert any(re.fullmatch(pattern(line), one) for one in lines), (command.typed, line, output)
    if "..." not in [line.strip() for line in command.printed]:
        assert list(lines) == [], command.typed


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What commands of the page find: the program, its examples, a market that is small."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in {"factor-pipeline": "-m factor_pipeline.cli", "python": ""}.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    (tmp_path / "small.toml").write_text(SMALL_MARKET)
    (tmp_path / "examples").symlink_to(PROJECT / "examples")
    kept = {name: value for name, value in os.environ.items() if name != "FACTOR_HOME"}
    return kept | {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "FACTOR_CONFIG": str(tmp_path / "small.toml"),
        "PYTHONPATH": str(PROJECT),
        "PYTHONWARNINGS": "ignore",
    }


@pytest.mark.slow
def test_everything_on_the_page_works_as_it_says(tmp_path, environment):
    code = 0
    for number, step in enumerate(steps()):
        if isinstance(step, File):
            small = on_a_small_market(step.text) if step.name.endswith(".toml") else step.text
            (tmp_path / step.name).write_text(small)
        elif step.typed == "echo $?":
            assert step.printed == (str(code),)
            code = 0
        else:
            assert code == 0, f"step {number - 1} failed, which the page does not say"
            done = subprocess.run(
                ["bash", "-c", step.typed],  # noqa: S607 - as a reader's shell does
                cwd=tmp_path,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            code = done.returncode
            require_printed(step, done.stdout)
    assert code == 0


def test_the_page_installs_as_the_readme_does():
    (install,) = [text.strip() for kind, _, text in _BLOCK.findall(TUTORIAL) if kind == "shell"]
    assert install in (PROJECT / "README.md").read_text(encoding="utf-8")


def test_every_command_of_the_page_is_tested():
    assert TUTORIAL.count("\n$ ") == sum(isinstance(step, Command) for step in steps())
    assert len(steps()) > 10
