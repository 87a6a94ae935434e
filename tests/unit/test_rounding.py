import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.rounding import reproducible

# Half a unit of the tenth digit of a number that begins with 1, and rounding of the test itself.
LARGEST_ERROR = 5.001e-10


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        (-0.058988353012585176, -0.05898835301),
        (-0.058988353012585204, -0.05898835301),
        (123456789.123, 123456789.1),
        (1e300 / 3, 3.333333333e299),
        (0.0, 0.0),
        (-math.inf, -math.inf),
    ],
)
def test_ten_digits_stay(value, rounded):
    assert reproducible(value) == rounded


def test_what_is_no_number_stays_none():
    assert math.isnan(reproducible(math.nan))


@given(st.floats(1e-300, 1e300))
def test_rounding_is_small_and_done_once(value):
    rounded = reproducible(value)
    assert abs(rounded - value) <= LARGEST_ERROR * value
    assert reproducible(rounded) == rounded
    assert reproducible(-value) == -rounded
