"""Factor tables: own and library returns side by side, and how they compare."""

import polars as pl

from factor_pipeline.schemas.panel import MONTH_END
from factor_pipeline.schemas.table import Column, Table

_FACTOR = Column(
    "factor",
    pl.String,
    "name",
    "MKT (in excess of RF), SMB, SMB_FF5 (size factor of the five-factor model), HML, UMD, RMW, "
    "CMA; library also RF; own also UMD_EW (equal-weighted 30/70 momentum), QMJ (quality minus "
    "junk), BAB (betting against beta), LOWVOL (low minus high volatility, 30/70, value-weighted).",
)

FACTOR_RETURN = Table(
    layer="factor",
    name="factor_return",
    description="Monthly factor returns: own ones, and each vintage of the library.",
    key=("source", "vintage", "factor", "month_end"),
    columns=(
        MONTH_END,
        _FACTOR,
        Column("source", pl.String, "name", "Who computed it.", values=("own", "library")),
        Column("vintage", pl.String, "YYYYMM", "Library vintage; NULL for own.", nullable=True),
        Column("ret", pl.Float64, "decimal", "Return of the month.", nullable=True),
    ),
    monthly=True,
)

VINTAGE_DRIFT = Table(
    layer="factor",
    name="vintage_drift",
    description="What two vintages of the library say about the same month of a factor.",
    key=("factor", "older_vintage", "newer_vintage", "month_end"),
    columns=(
        _FACTOR,
        MONTH_END,
        Column("older_vintage", pl.String, "YYYYMM", "The earlier of the two vintages."),
        Column("newer_vintage", pl.String, "YYYYMM", "The later one."),
        Column("older_ret", pl.Float64, "decimal", "Return of the month in the earlier one."),
        Column("newer_ret", pl.Float64, "decimal", "Return of the month in the later one."),
        Column("difference", pl.Float64, "decimal", "Newer minus older."),
    ),
)

COMPARISON = Table(
    layer="factor",
    name="comparison",
    description=(
        "Own factors against each library vintage over the months both have. Vintages differ in "
        "most months: closeness is expected, equality is not."
    ),
    key=("factor", "vintage"),
    columns=(
        _FACTOR,
        Column("library_factor", pl.String, "name", "Library factor it is compared with."),
        Column("vintage", pl.String, "YYYYMM", "Library vintage."),
        Column("months", pl.Int64, "count", "Months both have.", minimum=0),
        Column("first_month", pl.Date, "date", "First of them.", nullable=True),
        Column("last_month", pl.Date, "date", "Last of them.", nullable=True),
        Column(
            "stocks",
            pl.Float64,
            "count",
            "Mean number of stocks our factor is made of in them.",
            nullable=True,
            minimum=0.0,
        ),
        Column("correlation", pl.Float64, "decimal", "Correlation.", nullable=True, minimum=-1.0),
        Column("slope", pl.Float64, "ratio", "Slope of own on library.", nullable=True),
        Column("intercept", pl.Float64, "decimal/month", "Intercept of it.", nullable=True),
        Column("r2", pl.Float64, "decimal", "R-squared of it.", nullable=True, minimum=0.0),
        Column(
            "mean_difference",
            pl.Float64,
            "decimal/month",
            "Mean of own minus library.",
            nullable=True,
        ),
    ),
)
