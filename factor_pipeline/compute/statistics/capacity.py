"""How much of sorted portfolios changes hands on the market: what can be traded at all."""

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.cell_returns import Grid
from factor_pipeline.compute.sorts import Sort
from factor_pipeline.compute.stock_months import StockMonths

DOLLAR_VOLUME_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "cell": pl.String(),
        "month_end": pl.Date(),
        "dollar_volume": pl.Float64(),
    }
)


def cell_dollar_volumes(
    rows: StockMonths, cells: Iterable[tuple[Sort, NDArray[np.int16]]]
) -> pl.DataFrame:
    """Dollar volume of the members of every cell in the month before.

    Parameters
    ----------
    rows
        With ``lagged_dollar_volume`` (USD traded in the month before; NaN is missing).
    cells
        Sorts, and the index of the cell of each row in each of them, -1 where it has none.

    Returns
    -------
    pl.DataFrame
        Columns of ``DOLLAR_VOLUME_SCHEMA``, ordered by sort as given, month and cell. The sum over
        the members with a volume, null when none has one; of a spread that of the leg with less,
        which is what limits it.
    """
    volume = rows.values("lagged_dollar_volume")
    is_known = np.isfinite(volume)
    known, counted = np.where(is_known, volume, 0.0), is_known.astype(np.float64)
    parts = [pl.DataFrame(schema=DOLLAR_VOLUME_SCHEMA)]
    for sort, of_rows in cells:
        grid = Grid.of(rows, of_rows, sort)
        names, sums = list(sort.cells), np.where(grid.sums(counted) > 0, grid.sums(known), np.nan)
        if sort.has_spread:
            names.append(sort.spread)
            # Not fmin: a leg that nobody trades is no leg.
            sums = np.column_stack([sums, np.minimum(sums[:, -1], sums[:, 0])])
        months = rows.months.gather(np.repeat(np.arange(len(rows.months)), len(names)))
        parts.append(
            pl.DataFrame(
                {
                    "sort": [sort.name] * sums.size,
                    "cell": names * len(rows.months),
                    "month_end": months,
                    "dollar_volume": sums.ravel(),
                },
                schema=DOLLAR_VOLUME_SCHEMA,
                nan_to_null=True,
            )
        )
    return pl.concat(parts)
