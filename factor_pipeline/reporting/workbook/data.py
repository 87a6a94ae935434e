"""What the workbook reads from the published file, as frames."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from factor_pipeline.errors import QueryError
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.query import Answer, snapshot

OWN = "own"
"""Edition of the warehouse's own factors."""


@dataclass(frozen=True, slots=True)
class Build:
    """What the published tables were made of."""

    run_id: str
    inputs: str
    code_version: str
    simulated: bool
    finished_at: datetime
    first_day: date
    last_day: date


@dataclass(frozen=True, slots=True)
class WorkbookData:
    """Frames of the workbook; a missing value is null.

    Attributes
    ----------
    build
        The newest build.
    returns
        Unique ``strategy``, ``month_end`` with ``gross``, ``cost``, ``net``, ``traded``,
        ``holding_cost`` (decimals), months with a return only; never empty.
    risk_free
        Unique ``month_end`` with ``rf`` (decimal) and the library ``vintage`` it is from.
    factors
        Unique ``month_end``, ``factor``, ``edition`` with ``ret`` (decimal): own factors, and
        those of the vintage of the risk-free rate.
    holdings
        Holdings of the newest month of the backtest, a row per strategy and security.
    signals
        All columns of ``signal.characteristic`` in its newest month, with ticker, company, sector.
    files
        Files the numbers stem from, with SHA-256.
    """

    build: Build
    returns: pl.DataFrame
    risk_free: pl.DataFrame
    factors: pl.DataFrame
    holdings: pl.DataFrame
    signals: pl.DataFrame
    files: pl.DataFrame


def read_workbook_data(published: Path) -> WorkbookData:
    """Read what the workbook shows.

    Parameters
    ----------
    published
        The published file; it is read as of the call, whatever is published meanwhile.

    Raises
    ------
    QueryError
        When nothing is published, or no strategy has returns yet.
    """
    with snapshot(published) as answer:
        returns = _rows(answer, "returns")
        if returns.is_empty():
            raise QueryError(
                "no strategy has a return yet, so there is nothing to put into a workbook; "
                "run `factor-pipeline run` over more months"
            )
        risk_free = _rows(answer, "risk_free")
        editions = [OWN, *risk_free["vintage"].unique().to_list()]
        return WorkbookData(
            build=Build(**_rows(answer, "build").row(0, named=True)),
            returns=returns,
            risk_free=risk_free,
            factors=_rows(answer, "factors").filter(pl.col("edition").is_in(editions)),
            holdings=_rows(answer, "holdings"),
            signals=_rows(answer, "signals"),
            files=_rows(answer, "files"),
        )


def _rows(answer: Answer, name: str) -> pl.DataFrame:
    return answer(load_sql(f"report/workbook_{name}"))
