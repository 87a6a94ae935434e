"""Files and rows that are rejected, each as the corpus says, and changing no more than it says."""

import pytest

from tests.faults.bad_rows import BAD_ROWS
from tests.faults.damaged_files import DAMAGED_FILES
from tests.faults.expectations import expect_what_is_said
from tests.faults.fault import Fault
from tests.faults.trial import Bench

FAULTS = (*DAMAGED_FILES, *BAD_ROWS)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("faults"))


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_a_fault_is_seen_and_changes_nothing_beyond_what_is_said(bench: Bench, fault: Fault):
    expect_what_is_said(bench.trial(fault))
