"""Returns of the cells of sorts, weighted by value, equally, or by capped value."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.cell_returns import (
    DEFAULT_PORTFOLIO_RULE,
    Grid,
    PortfolioRule,
    Weighting,
    cell_returns,
    holdings,
)
from factor_pipeline.compute.cells import NO_CELL
from factor_pipeline.compute.sorts import Sort
from factor_pipeline.compute.stock_months import StockMonths
from factor_pipeline.errors import DataError

PORTFOLIO_RETURN_SCHEMA = pl.Schema(
    {
        "sort": pl.String(),
        "cell": pl.String(),
        "weighting": pl.String(),
        "month_end": pl.Date(),
        "ret": pl.Float64(),
        "stocks": pl.Int64(),
        "missing": pl.Int64(),
        "market_equity": pl.Float64(),
    }
)


def portfolio_returns(
    stocks: pl.DataFrame,
    assignments: pl.DataFrame,
    sorts: Sequence[Sort],
    rule: PortfolioRule = DEFAULT_PORTFOLIO_RULE,
) -> pl.DataFrame:
    r"""Compute the returns of all cells in all months of ``stocks``.

    Parameters
    ----------
    stocks
        Every stock of the months to compute: unique ``month_end`` (last day of the month),
        ``security_id``, with ``ret`` (decimal), ``lagged_market_equity`` (currency, end of the
        month before; both Float64; null, NaN and infinite values count as missing) and
        ``exchange`` (String, nullable).
    assignments
        As `compute.assignments.assignments` returns them; other months and sorts are ignored.
    sorts
        Names are unique.
    rule
        By default all weightings and at least three stocks.

    Returns
    -------
    pl.DataFrame
        ``sort``, ``cell``, ``weighting``, ``month_end``, ``ret`` (decimal), ``stocks`` (whose
        returns enter), ``missing`` (members left out: without a return that month or, unless
        weighted equally, without a positive market equity) and ``market_equity`` (sum of the
        ``stocks``' at the end of the month before, in its unit). One row per sort, cell,
        weighting and month, empty cells included; a sort of one dimension has a further cell such
        as ``D10-D01``, the return of the highest minus that of the lowest, with the counts and
        market equity of both together.
        ``ret`` is null with fewer than ``rule.min_stocks`` stocks, for a spread when either cell's
        is null, and if capped in a month without a cap. Ordered by month, then as declared.
        Each month depends on its own rows alone.

    Raises
    ------
    SchemaError
        When ``stocks`` lacks a column.
    DataError
        When a security has two rows in a month or two cells of a sort, when an assigned one has
        no row in ``stocks``, or when a cell is unknown to its sort.

    Notes
    -----
    .. math:: r_{pt} = \sum_{i \in p} w_{i,t-1} r_{it} \Big/ \sum_{i \in p} w_{i,t-1}

    over the stocks that have both. Sums run in order of ``security_id``.
    """
    rows = StockMonths.of(stocks, ["ret", "lagged_market_equity", "exchange"])
    return cell_portfolio_returns(rows, assigned_cells(rows, assignments, sorts), rule)


def assigned_cells(
    rows: StockMonths, assignments: pl.DataFrame, sorts: Sequence[Sort]
) -> Iterator[tuple[Sort, NDArray[np.int16]]]:
    """Give each sort with the index of the cell of each of ``rows``, -1 where it has none.

    Raises
    ------
    DataError
        When an assigned security has no row, or a cell is unknown to its sort.
    """
    # Taken apart once: with two sorts for each signal, looking for each among all rows adds up.
    members = assignments.partition_by("sort", as_dict=True, include_key=False)
    nobody = assignments.clear()
    for sort in sorts:
        yield sort, _assigned(rows, members.get((sort.name,), nobody), sort)


def cell_portfolio_returns(
    rows: StockMonths,
    cells: Iterable[tuple[Sort, NDArray[np.int16]]],
    rule: PortfolioRule = DEFAULT_PORTFOLIO_RULE,
) -> pl.DataFrame:
    """Compute what `portfolio_returns` does from cells that are at hand as numbers.

    Parameters
    ----------
    rows
        With ``ret``, ``lagged_market_equity`` and ``exchange``.
    cells
        Sorts, and the index of the cell of each row in each of them, -1 where it has none.
    rule
        As in `portfolio_returns`.
    """
    held = holdings(rows, rule)
    parts = [pl.DataFrame(schema=PORTFOLIO_RETURN_SCHEMA)]
    for sort, of_sort in cells:
        grid = Grid.of(rows, of_sort, sort)
        columns = cell_returns(grid, held.values(), min_stocks=rule.min_stocks)
        parts += [
            _as_frame(rows.months, sort, weighting, of_weighting)
            for weighting, of_weighting in zip(held, columns, strict=True)
        ]
    return pl.concat(parts).sort("month_end", maintain_order=True)


def _assigned(rows: StockMonths, assignments: pl.DataFrame, sort: Sort) -> NDArray[np.int16]:
    """Index of the cell of each row in ``sort``, whose ``assignments`` are."""
    held = StockMonths.of(
        assignments.filter(pl.col("month_end").is_in(rows.months.implode())), ["cell"]
    )
    try:
        cell = held.frame["cell"].cast(pl.Enum(sort.cells)).to_physical().to_numpy()
    except pl.exceptions.InvalidOperationError as error:
        raise DataError(
            f"sort {sort.name!r} is assigned to other cells than {sort.cells}; "
            "make the assignments anew"
        ) from error
    cells = np.full(rows.frame.height, NO_CELL, dtype=np.int16)
    cells[rows.positions(held)] = cell
    return cells


def _with_spread(name: str, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Append highest minus lowest return, or what both cells hold together."""
    combine = np.subtract if name == "ret" else np.add
    return np.column_stack([cells, combine(cells[:, -1], cells[:, 0])])


def _as_frame(
    months: pl.Series, sort: Sort, weighting: Weighting, cells: dict[str, NDArray[np.float64]]
) -> pl.DataFrame:
    """Turn months times cells into rows, months varying slowest."""
    names = sort.cells
    if sort.has_spread:
        names += (sort.spread,)
        cells = {name: _with_spread(name, values) for name, values in cells.items()}
    return pl.DataFrame(
        {
            "month_end": months.gather(np.repeat(np.arange(len(months)), len(names))),
            "cell": list(names) * len(months),
        }
        | {name: values.ravel() for name, values in cells.items()},
        nan_to_null=True,
    ).select(
        pl.lit(sort.name).alias("sort"),
        "cell",
        pl.lit(weighting).alias("weighting"),
        "month_end",
        "ret",
        pl.col("stocks", "missing").cast(pl.Int64),
        "market_equity",
    )
