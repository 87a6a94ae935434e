"""Values that may be true and are flagged, changing no more than the corpus says."""

import pytest

from tests.faults.bad_prices import BAD_PRICES
from tests.faults.bad_results import BAD_RESULTS
from tests.faults.bad_series import BAD_SERIES
from tests.faults.bad_statements import BAD_STATEMENTS
from tests.faults.expectations import expect_what_is_said
from tests.faults.fault import Fault
from tests.faults.trial import Bench

FAULTS = (*BAD_PRICES, *BAD_STATEMENTS, *BAD_SERIES, *BAD_RESULTS)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_is_seen_and_changes_nothing_beyond_what_is_said(bench: Bench, fault: Fault):
    expect_what_is_said(bench.trial(fault))
