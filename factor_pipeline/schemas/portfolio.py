"""Portfolio tables: breakpoints, who is in which cell, what the cells returned."""

import polars as pl

from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.table import Column, Table

_SORT = Column("sort", pl.String, "name", "Sort, e.g. size_value_2x3 or momentum_12_2_decile.")
_CELL = Column(
    "cell",
    pl.String,
    "name",
    "Cell, e.g. SV (small value), D10 (highest decile) or D10-D01 (spread).",
)

BREAKPOINT = Table(
    layer="portfolio",
    name="breakpoint",
    description="Signal values at which sorts cut the cross-section, in their formation months.",
    key=("sort", "dimension", "probability", "month_end"),
    columns=(
        _SORT,
        MONTH_END,
        Column("dimension", pl.String, "name", "Signal that is cut."),
        Column(
            "probability", pl.Float64, "decimal", "Quantile, e.g. 0.3.", minimum=0.0, maximum=1.0
        ),
        Column(
            "value",
            pl.Float64,
            "signal's unit",
            "Breakpoint; NULL with too few stocks.",
            nullable=True,
        ),
        Column("stocks", pl.Int64, "count", "Stocks it is drawn from.", minimum=0),
        Column("basis", pl.String, "name", "Whose quantile it is.", values=("nyse", "all")),
    ),
    monthly=True,
)

ASSIGNMENT = Table(
    layer="portfolio",
    name="assignment",
    description="Cell of each stock in each sort, formed on what was known before the month.",
    key=("month_end", "security_id", "sort"),
    columns=(_SORT, SECURITY_ID, MONTH_END, _CELL),
    monthly=True,
    references=(OF_SECURITY,),
)

PORTFOLIO_RETURN = Table(
    layer="portfolio",
    name="portfolio_return",
    description="Monthly return of each cell of each sort, and top minus bottom of each signal.",
    key=("sort", "cell", "weighting", "month_end"),
    columns=(
        _SORT,
        _CELL,
        Column(
            "weighting",
            pl.String,
            "name",
            "value: by market equity of the month before; equal; capped: by value, at most the "
            "80th percentile.",
            values=("value", "equal", "capped"),
        ),
        MONTH_END,
        Column(
            "ret",
            pl.Float64,
            "decimal",
            "Return of the month; NULL with fewer stocks than portfolios.min_portfolio_stocks.",
            nullable=True,
        ),
        Column("stocks", pl.Int64, "count", "Stocks whose returns enter.", minimum=0),
        Column("missing", pl.Int64, "count", "Members without a return or weight.", minimum=0),
        Column(
            "market_equity",
            pl.Float64,
            "USD",
            "Sum over the stocks at the end of the month before; of spreads both sides'.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "turnover",
            pl.Float64,
            "share",
            "One-way turnover at the start of the month: half of what is traded to go from the "
            "drifted weights of the month before to those of this one; of spreads both sides' sum.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "dollar_volume",
            pl.Float64,
            "USD",
            "Traded in the members in the month before: what the portfolio can trade at all; of "
            "spreads that of the side with less. NULL where no volume is known.",
            nullable=True,
            minimum=0.0,
        ),
    ),
    monthly=True,
)
