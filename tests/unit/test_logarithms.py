import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.logarithms import log_growth

# A handful of roundings, each of half a unit in the last place.
ROUNDING = 4 * float(np.finfo(np.float64).eps)

returns = st.floats(-0.999999, 1e6) | st.floats(-0.1, 0.1) | st.floats(-1e-9, 1e-9)


@given(returns)
def test_logs_equal_those_of_the_standard_library(value):
    (ours,) = log_growth(np.array([value]))
    assert ours == pytest.approx(math.log1p(value), rel=ROUNDING, abs=1e-300)


def exact(value: float) -> float:
    """The same operations one by one, in floats of Python, which use no vector unit."""
    mantissa, exponent = math.frexp(1 + value)
    if mantissa < 0.7071067811865476:
        mantissa, exponent = 2 * mantissa, exponent - 1
    excess = value if exponent == 0 else mantissa - 1
    ratio = excess / (2 + excess)
    square = ratio * ratio
    series = 1 / 21
    for divisor in range(19, 1, -2):
        series = series * square + 1 / divisor
    return exponent * 0.6931471805599453 + 2 * (ratio + ratio * (square * series))


def test_bits_come_from_exact_operations_alone_whatever_the_length():
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.normal(0, 0.02, 40_000), np.expm1(rng.normal(0, 3, 10_000))])
    logs = log_growth(values)
    assert logs.tolist() == [exact(value) for value in values.tolist()]
    assert log_growth(values.reshape(500, 100).T).T.ravel().tolist() == logs.tolist()


def test_total_losses_and_missing_returns_have_no_log():
    logs = log_growth(np.array([-1.0, -3.0, np.nan, 0.0]))
    assert np.isnan(logs[:3]).all()
    assert logs[3] == 0
    assert log_growth(np.empty((0, 3))).shape == (0, 3)
