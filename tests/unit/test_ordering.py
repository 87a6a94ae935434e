import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.ordering import codes_in, finite, reduce_runs, sorted_by_key
from factor_pipeline.errors import DataError

numbers = st.floats(-1e6, 1e6)
runs = st.lists(st.lists(numbers | st.none(), min_size=1, max_size=300), max_size=5)

# A sum of n numbers up to m is off by at most n ulp of n * m: 300 * 2e-16 * 300 * 1e6.
SUM_NOISE = 3e-5


def flat(values: list[list[float | None]]) -> pl.Series:
    return pl.Series([v for run in values for v in run], dtype=pl.Float64)


def lengths(values: list[list[float | None]]) -> np.ndarray:
    return np.array([len(run) for run in values], dtype=np.int64)


@given(runs)
def test_a_run_gives_the_same_bits_alone_and_among_others(values):
    together = reduce_runs(np.add, flat(values), lengths(values)).to_list()
    alone = [reduce_runs(np.add, flat([run]), lengths([run])).item() for run in values]
    assert together == alone


@given(runs)
def test_sums_are_those_of_exact_arithmetic(values):
    found = reduce_runs(np.add, flat(values), lengths(values)).to_list()
    for run, total in zip(values, found, strict=True):
        known = [v for v in run if v is not None]
        assert total == (pytest.approx(math.fsum(known), abs=SUM_NOISE) if known else None)


def test_products_leave_out_nulls_and_a_run_of_nulls_is_null():
    values = pl.Series([2.0, None, 3.0, None, None, 0.5])
    found = reduce_runs(np.multiply, values, np.array([3, 2, 1]))
    assert found.to_list() == [6.0, None, 0.5]


def test_the_highest_leaves_out_nulls_and_may_be_negative():
    values = pl.Series([-2.0, None, -3.0, None, None, 0.5])
    found = reduce_runs(np.fmax, values, np.array([3, 2, 1]))
    assert found.to_list() == [-2.0, None, 0.5]


def test_a_number_that_overflows_is_null():
    values = pl.Series([1e300, 1e300, -1e308, -1e308, 1.0])
    assert reduce_runs(np.multiply, values, np.array([2, 2, 1])).to_list() == [None, None, 1.0]
    assert reduce_runs(np.add, values, np.array([2, 2, 1])).to_list() == [2e300, None, 1.0]


def test_no_runs_have_no_results():
    found = reduce_runs(np.add, pl.Series([], dtype=pl.Float64), np.array([], dtype=np.int64))
    assert found.to_list() == []
    assert found.dtype == pl.Float64


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True), st.randoms())
def test_rows_come_in_the_order_of_their_key(keys, random):
    shuffled = [*keys]
    random.shuffle(shuffled)
    schema = {"a": pl.Int64, "b": pl.Int64}
    frame = pl.DataFrame(shuffled, schema=schema, orient="row")
    assert sorted_by_key(frame, ["b", "a"], what="rows").rows() == sorted(
        keys, key=lambda key: key[::-1]
    )


def test_rows_with_the_same_key_are_refused_by_name():
    frame = pl.DataFrame({"id": [1, 2, 1], "day": [5, 5, 5], "x": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError, match="two prices have the same id 1, day 5; keep one of them"):
        sorted_by_key(frame, ["id", "day"], what="prices")


def test_a_row_without_a_part_of_its_key_is_refused():
    frame = pl.DataFrame({"id": [1, None], "day": [5, 5]})
    with pytest.raises(DataError, match="one of the prices has no id or no day"):
        sorted_by_key(frame, ["id", "day"], what="prices")


def test_what_is_no_finite_number_is_null():
    frame = pl.DataFrame({"x": [1.0, float("nan"), float("inf"), -float("inf"), None]})
    assert frame.select(finite(pl.col("x")))["x"].to_list() == [1.0, None, None, None, None]


@pytest.mark.parametrize("step", [1, 3, 10**9])
def test_codes_are_the_places_of_values_near_and_far_apart(step):
    known = pl.Series([step * i - 5 for i in range(40)])
    draw = np.random.default_rng(1).integers(0, 40, 200)
    assert codes_in(known, known.gather(draw)).tolist() == draw.tolist()
    assert codes_in(known, known.clear()).size == 0
