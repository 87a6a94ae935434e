import re

import polars as pl
import pytest

from factor_pipeline.compute.signals.registry import SIGNALS as FUNCTIONS
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.signal import CHARACTERISTIC, DEFINITION, definitions
from factor_pipeline.schemas.signal_definitions import SIGNALS
from factor_pipeline.settings import Settings

SORTS = Settings().portfolios.all_sorts()

of_each = pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.column)


def test_every_definition_has_its_function_and_every_function_its_definition():
    defined = [signal.column for signal in SIGNALS]
    assert len(set(defined)) == len(defined)
    assert set(defined) == set(FUNCTIONS)
    assert {
        name for name, dtype in CHARACTERISTIC.polars_schema.items() if dtype == pl.Float64
    } == set(defined)


@of_each
def test_a_signal_names_a_paper_of_a_year_and_when_it_is_known(signal):
    assert re.fullmatch(r"[A-Z].* (19|20)\d\d", signal.paper)
    assert signal.formula.endswith(".")
    assert signal.timing.endswith(".")
    assert (FUNCTIONS[signal.column].__doc__ or "").count(signal.paper[-4:]) >= 1


@of_each
def test_functions_name_the_paper_of_the_definition(signal):
    author = re.split(r"[ ,]", signal.paper)[0]
    assert author in FUNCTIONS[signal.column].__doc__


@of_each
def test_sorts_on_a_signal_are_formed_when_its_values_change(signal):
    own = [s for s in SORTS if [d.signal for d in s.dimensions] == [signal.column]]
    assert f"{signal.column}_decile" in [sort.name for sort in own]
    assert {sort.rebalance for sort in own} == {signal.rebalance}


def test_definitions_are_rows_of_their_table():
    rows = conformed(DEFINITION, definitions())
    assert rows["signal"].to_list() == [signal.column for signal in SIGNALS]
    sign = dict(rows.select("signal", "expected_sign").iter_rows())
    assert (sign["investment"], sign["book_to_market"], sign["beta"]) == (-1, 1, -1)
    for column in CHARACTERISTIC.columns:
        if column.name in sign:
            assert rows.filter(signal=column.name)["formula"].item() in column.description
