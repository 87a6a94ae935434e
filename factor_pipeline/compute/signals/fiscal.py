"""Fiscal years as they were public at the formation, at the end of each June."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.fundamentals import FILING_KEY, as_of_each_filing
from factor_pipeline.compute.ordering import sorted_by_key

YEARS = 6
"""Fiscal years a formation looks at: the last one and the five before it."""

BALANCE = ("book_equity", "total_assets")
FLOWS = (
    "revenue",
    "cost_of_revenue",
    "selling_general_administrative",
    "interest_expense",
    "net_income",
    "operating_cash_flow",
    "depreciation",
)


def fiscal_years(
    facts: pl.DataFrame, statements: pl.DataFrame, formation_years: Sequence[int]
) -> pl.DataFrame:
    """Figures of the last fiscal years at each formation.

    Fiscal year 0 of the formation in June of y is the last one ending in calendar year y-1 of
    which a balance sheet or another statement was public before June's last trading day; k is
    that ending in y-1-k. All figures of a fiscal year are those of one period, each from the
    latest filing that was public by then, whatever was restated later.

    Parameters
    ----------
    facts
        ``panel.book_equity``.
    statements
        ``panel.statement``.
    formation_years
        Calendar years y.

    Returns
    -------
    pl.DataFrame
        Unique ``security_id, formation_year, years_before`` (0 to 5), sorted by them, with the
        figures (currency) and ``period_end``; null where not public.

    Raises
    ------
    DataError
        When a security has two filings of one period on a day.

    References
    ----------
    Fama and French (1992), *Journal of Finance* 47(2), for the timing.
    """
    stated = facts.filter(pl.any_horizontal(pl.col(BALANCE).is_not_null()))
    parts = [
        sorted_by_key(part, FILING_KEY, what="filings").select(*FILING_KEY, *figures)
        for part, figures in ((stated, BALANCE), (statements, FLOWS))
    ]
    deadlines = pl.DataFrame(
        {
            "formation_year": formation_years,
            "deadline": [last_trading_day(date(year, 6, 1)) for year in formation_years],
        },
        schema={"formation_year": pl.Int32, "deadline": pl.Date},
    )
    years = pl.DataFrame({"years_before": range(YEARS)}, schema={"years_before": pl.Int32})
    key = ("security_id", "formation_year", "years_before")
    return (
        as_of_each_filing(parts)
        .join(years, how="cross")
        .with_columns(
            formation_year=pl.col("period_end").dt.year() + 1 + pl.col("years_before"),
        )
        .join(deadlines, on="formation_year")
        .filter(pl.col("filed_at") < pl.col("deadline"))
        .sort(*key, "period_end", "filed_at")
        .unique(key, keep="last", maintain_order=True)
        .drop("filed_at", "deadline")
    )


@dataclass(frozen=True, slots=True)
class FiscalYears:
    """Fiscal years as seen from rows of months.

    Attributes
    ----------
    figures
        As `fiscal_years` returns them.
    position
        Index in ``figures`` for each row and year before, shape (rows, 6); -1 for none.
    """

    figures: pl.DataFrame
    position: NDArray[np.int64]

    @classmethod
    def of(cls, figures: pl.DataFrame, rows: pl.DataFrame) -> Self:
        """Find the fiscal years of the ``security_id, formation_year`` of ``rows``."""
        key = ("security_id", "formation_year")
        numbered = figures.select(*key, "years_before").with_row_index("position")
        formed = rows.select(key)
        positions = [
            formed.join(
                numbered.filter(pl.col("years_before") == years),
                on=key,
                how="left",
                maintain_order="left",
            )["position"]
            .cast(pl.Int64)
            .fill_null(-1)
            .to_numpy()
            for years in range(YEARS)
        ]
        return cls(figures, np.column_stack(positions))

    def figure(self, name: str, years_before: int) -> NDArray[np.float64]:
        """Column ``name`` of the fiscal year so many before the last; NaN where not public."""
        # The last entry is what the index -1 finds.
        values = np.append(self.figures[name].to_numpy(), np.nan)
        return np.asarray(values[self.position[:, years_before]])
