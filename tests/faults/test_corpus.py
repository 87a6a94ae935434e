from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.rules import DATA_RULES
from tests.faults.corpus import CORPUS
from tests.faults.trial import RESULTS

# The parser rejects statements in another currency; factors are held against the library's of
# five years before, which this market is too short for.
UNREACHABLE = {"foreign_currency", "factor_leaves_library"}


def test_names_of_faults_are_unique():
    names = [fault.name for fault in CORPUS]
    assert len(set(names)) == len(names)


def test_every_data_set_has_faults():
    assert {fault.data_set for fault in CORPUS} == set(DATA_SETS)


def test_every_rule_of_the_data_has_a_fault_it_is_meant_for():
    meant = {fault.rule for fault in CORPUS if fault.by == "flag"}
    assert meant - RESULTS == {rule.name for rule in DATA_RULES} - UNREACHABLE


def test_every_rule_of_the_results_sees_a_fault():
    seen = {rule for fault in CORPUS for rule in (fault.rule, *fault.also)}
    assert seen & RESULTS == RESULTS - UNREACHABLE
