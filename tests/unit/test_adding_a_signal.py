"""The page on adding a signal, done as it says."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.signals import price
from factor_pipeline.compute.signals.registry import SIGNALS as FUNCTIONS
from factor_pipeline.compute.sorts import default_sorts
from factor_pipeline.errors import SchemaError
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.signal_definitions import SIGNALS, SignalDefinition
from tests.replication import study
from tests.replication.study import Study, month_ends

PAGE = (Path(__file__).parents[2] / "docs" / "adding_a_signal.md").read_text(encoding="utf-8")


@pytest.fixture
def blocks(monkeypatch) -> tuple[str, str, str]:
    """Function, schema line and test of the page; what the function registers goes away after."""
    function, line, test = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    monkeypatch.setitem(FUNCTIONS, "momentum_6_2", FUNCTIONS["size"])
    exec(function, dict(vars(price)))  # noqa: S102 - our own page
    return function, line, test


def definition(line: str) -> SignalDefinition:
    (defined,) = eval(f"({line})", {"SignalDefinition": SignalDefinition})  # noqa: S307
    return defined


def test_the_test_of_the_page_passes_with_its_function_and_fails_without(blocks, monkeypatch):
    namespace = dict(vars(study)) | {"date": date}
    exec(blocks[2], namespace)  # noqa: S102
    (run,) = (made for name, made in namespace.items() if name.startswith("test_"))
    run()
    monkeypatch.setitem(FUNCTIONS, "momentum_6_2", FUNCTIONS["momentum_12_2"])
    with pytest.raises(AssertionError):
        run()


def test_the_schema_line_makes_the_column_and_the_sorts(blocks):
    added = definition(blocks[1])
    columns = (*CHARACTERISTIC.columns, added.as_column())
    frame = Study(month_ends(date(2019, 6, 1), [100.0] * 14)).all_signals(date(2020, 7, 31))
    stored = conformed(replace(CHARACTERISTIC, columns=columns), frame)
    assert stored["momentum_6_2"].to_list() == [0.0]
    sorts = default_sorts([signal.column for signal in (*SIGNALS, added)])
    assert "momentum_6_2_decile" in {sort.name for sort in sorts}


def test_without_the_schema_line_the_column_is_refused(blocks):
    assert "momentum_6_2" in blocks[1]
    frame = Study(month_ends(date(2019, 6, 1), [100.0] * 14)).all_signals(date(2020, 7, 31))
    with pytest.raises(SchemaError, match="unexpected columns \\['momentum_6_2'\\]"):
        conformed(CHARACTERISTIC, frame)


def test_every_call_the_page_names_exists():
    known = Study(month_ends(date(2019, 6, 1), [100.0] * 14)).known(date(2020, 7, 31))
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]
    named = re.findall(r"`(known\.[^`]*)`", "\n".join(rows))
    assert len(named) >= 6
    for call in named:
        assert len(eval(call, {"known": known})) == 1  # noqa: S307
    for column in re.findall(r'`"(\w+)"`', "\n".join(rows)):
        assert isinstance(known.rows[column], pl.Series)
