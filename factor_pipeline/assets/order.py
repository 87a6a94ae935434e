"""The order in which table assets can be filled one after the other."""

from collections.abc import Iterable
from graphlib import TopologicalSorter

from factor_pipeline.assets.common import TableAsset


def in_dependency_order(assets: Iterable[TableAsset]) -> tuple[TableAsset, ...]:
    """Sort assets so that each comes after those that fill what it reads.

    Dagster finds this order by itself; whoever fills tables without it needs it, as an asset that
    reads a table too early finds it empty and no error says so.

    Raises
    ------
    graphlib.CycleError
        When assets read each other.
    """
    filled = {key: asset for asset in assets for key in asset.keys}
    graph = {
        asset: [filled[key] for key in asset.read_keys if key in filled]
        for asset in dict.fromkeys(filled.values())
    }
    return tuple(TopologicalSorter(graph).static_order())
