"""Signal tables: what is known about a security before a month begins."""

import polars as pl

from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.table import Column, Table

CHARACTERISTIC = Table(
    layer="signal",
    name="characteristic",
    description=(
        "Signals of each security, known before the month begins: join with returns of the SAME "
        "month_end. Each value uses only what was public by the end of the month before."
    ),
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        MONTH_END,
        Column(
            "size",
            pl.Float64,
            "USD",
            "Firm market equity at the end of the month before (Fama and French 1993).",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "book_to_market",
            pl.Float64,
            "ratio",
            "July t to June t+1: book equity of the fiscal year ending in calendar t-1, public by "
            "the end of June t, over market equity at the end of December t-1; NULL unless "
            "positive (Fama and French 1992).",
            nullable=True,
            minimum=0.0,
            likely=(1e-4, 20.0),
        ),
        Column(
            "book_to_market_monthly",
            pl.Float64,
            "ratio",
            "Latest public book equity over market equity, both at the end of the month before "
            "(Asness and Frazzini 2013).",
            nullable=True,
            minimum=0.0,
            likely=(1e-4, 20.0),
        ),
        Column(
            "momentum_12_2",
            pl.Float64,
            "decimal",
            "Compound return of the months t-12 to t-2 (Jegadeesh and Titman 1993).",
            nullable=True,
            minimum=-1.0,
        ),
        Column(
            "reversal_1",
            pl.Float64,
            "decimal",
            "Return of the month t-1 (Jegadeesh 1990).",
            nullable=True,
            minimum=-1.0,
        ),
        Column(
            "value_class",
            pl.String,
            "name",
            "Value above the 70th, Growth at or below the 30th percentile of book_to_market at "
            "the June formation, else Neutral.",
            nullable=True,
            values=("Growth", "Neutral", "Value"),
        ),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)
