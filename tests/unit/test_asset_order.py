from dataclasses import replace
from graphlib import CycleError
from itertools import permutations

import pytest

from factor_pipeline.assets.common import TableAsset, Upstream
from factor_pipeline.assets.order import in_dependency_order
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.risk import ROLLING_BETA


def asset(name, table, *reads, **scope):
    return TableAsset(
        name=name,
        tables=(table,),
        reads=tuple(reads),
        build=lambda _: (),
        kinds=frozenset(),
        monthly=False,
        scope=tuple(scope.items()),
    )


LIBRARY = asset("library_factor", FACTOR_RETURN, source="library")
PANEL = asset("security_month", SECURITY_MONTH, Upstream(SECURITY))
BETAS = asset(
    "rolling_beta",
    ROLLING_BETA,
    Upstream(SECURITY_MONTH),
    Upstream(FACTOR_RETURN, asset="library_factor"),
)


@pytest.mark.parametrize("given", list(permutations([LIBRARY, PANEL, BETAS])))
def test_what_an_asset_reads_comes_before_it_whatever_the_order_given(given):
    assert in_dependency_order(given)[-1] is BETAS


def test_assets_that_read_each_other_are_refused():
    circular = replace(PANEL, reads=(Upstream(ROLLING_BETA),))
    with pytest.raises(CycleError):
        in_dependency_order([LIBRARY, circular, BETAS])
