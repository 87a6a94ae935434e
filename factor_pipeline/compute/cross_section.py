"""The loadings of a month side by side: who has them all, and how many stand below whom."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.betas.models import Model
from factor_pipeline.compute.stock_months import StockMonths


def beta_columns(model: Model) -> tuple[str, ...]:
    """Columns with the loadings of ``model``."""
    return tuple(f"beta_{loading}" for loading in model.loadings)


@dataclass(frozen=True, slots=True)
class CrossSection:
    """Stock-months with the loadings of one model.

    Attributes
    ----------
    rows
        Ordered by month and security.
    is_ranked
        Which rows have every loading of the model, shape (rows,).
    stocks
        How many of its month have, shape (rows,).
    """

    rows: StockMonths
    is_ranked: NDArray[np.bool_]
    stocks: NDArray[np.int64]

    @classmethod
    def of(cls, loadings: pl.DataFrame, model: Model) -> Self:
        """Sort ``loadings`` and find out which rows have all of ``model``.

        Raises
        ------
        SchemaError
            When ``loadings`` lacks a column.
        DataError
            When a security has two rows in a month.
        """
        names = beta_columns(model)
        rows = StockMonths.of(loadings, names)
        is_ranked = np.all([np.isfinite(rows.values(name)) for name in names], axis=0)
        month = np.repeat(np.arange(len(rows.months)), rows.counts)
        ranked = np.bincount(month[is_ranked], minlength=len(rows.months)).astype(np.int64)
        return cls(rows, is_ranked, ranked[month])

    def at_most(self, column: str, *, lowest_first: bool = False) -> NDArray[np.int64]:
        """Count the ranked stocks of the month whose value is at most a stock's, itself included.

        With ``lowest_first`` those whose value is at least the stock's. Shape (rows,); 0 for stocks
        that are not ranked.
        """
        values = np.where(self.is_ranked, self.rows.values(column), np.nan)
        counted = pl.col("value").rank("max", descending=lowest_first).over("month_end")
        counts = self.rows.frame.select(
            "month_end", pl.Series("value", values, nan_to_null=True)
        ).select(counted.fill_null(0).cast(pl.Int64))
        return counts.to_series().to_numpy()
