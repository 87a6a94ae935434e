from datetime import date

import numpy as np
import polars as pl

from factor_pipeline.compute.sorts import MARKET, Dimension, Sort
from factor_pipeline.compute.statistics.capacity import cell_dollar_volumes
from factor_pipeline.compute.stock_months import StockMonths

JAN, FEB = date(2020, 1, 31), date(2020, 2, 29)
HALVES = Sort("size_halves", (Dimension("size", (0.5,), ("Low", "High")),))


def volumes(sort: Sort, cells: list[int], given: list[float | None]) -> dict:
    frame = pl.DataFrame(
        {
            "month_end": [JAN, JAN, JAN, FEB, FEB, FEB],
            "security_id": [1, 2, 3, 1, 2, 3],
            "lagged_dollar_volume": pl.Series(given, dtype=pl.Float64),
        }
    )
    rows = StockMonths.of(frame, ["lagged_dollar_volume"])
    found = cell_dollar_volumes(rows, [(sort, np.array(cells, dtype=np.int16))])
    return {(cell, end): value for _, cell, end, value in found.iter_rows()}


def test_volumes_of_members_add_up_and_the_smaller_side_limits_a_spread():
    found = volumes(HALVES, [0, 0, 1, 0, 1, 1], [1e6, 2e6, 5e6, 4e6, 1e6, 2e6])
    assert found == {
        ("Low", JAN): 3e6,
        ("High", JAN): 5e6,
        ("High-Low", JAN): 3e6,
        ("Low", FEB): 4e6,
        ("High", FEB): 3e6,
        ("High-Low", FEB): 3e6,
    }


def test_an_unknown_volume_is_left_out_and_a_side_without_any_has_no_capacity():
    found = volumes(HALVES, [0, 0, 1, 0, 1, -1], [1e6, None, None, 4e6, 1e6, 9e6])
    assert found["Low", JAN] == 1e6
    assert found["High", JAN] is None
    assert found["High-Low", JAN] is None
    assert found["High", FEB] == 1e6


def test_a_sort_without_a_spread_has_its_cells_only():
    assert volumes(MARKET, [0] * 6, [1.0] * 6) == {("All", JAN): 3.0, ("All", FEB): 3.0}
