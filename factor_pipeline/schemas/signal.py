"""Signal tables: what is known about a security before a month begins."""

from typing import Final, get_args

import polars as pl

from factor_pipeline.compute.sorts import Rebalance
from factor_pipeline.schemas.panel import MONTH_END, OF_SECURITY, SECURITY_ID
from factor_pipeline.schemas.signal_definitions import SIGNALS, Family
from factor_pipeline.schemas.table import Column, Table

_LABELS: Final = (
    Column(
        "value_class",
        pl.String,
        "name",
        "Value above the 70th, Growth at or below the 30th percentile of book_to_market at "
        "the June formation, else Neutral.",
        nullable=True,
        values=("Growth", "Neutral", "Value"),
    ),
    Column(
        "quality_parts",
        pl.String,
        "names",
        "Parts quality is the mean of, comma-separated: profitability, growth, safety.",
        nullable=True,
        values=(
            "profitability",
            "profitability,growth",
            "profitability,safety",
            "profitability,growth,safety",
        ),
    ),
)

CHARACTERISTIC = Table(
    layer="signal",
    name="characteristic",
    description=(
        "Signals of each security, known before the month begins: join with returns of the SAME "
        "month_end. Each value uses only what was public by the end of the month before."
    ),
    key=("security_id", "month_end"),
    columns=(SECURITY_ID, MONTH_END, *(signal.as_column() for signal in SIGNALS), *_LABELS),
    monthly=True,
    references=(OF_SECURITY,),
)

DEFINITION = Table(
    layer="signal",
    name="definition",
    description="What each signal of signal.characteristic is, and which premium is expected.",
    key=("signal",),
    columns=(
        Column("signal", pl.String, "name", "Column of signal.characteristic."),
        Column("family", pl.String, "name", "What it is about.", values=get_args(Family)),
        Column("unit", pl.String, "name", "Unit of its values."),
        Column("formula", pl.String, "text", "How it is computed; t is the month of the row."),
        Column("timing", pl.String, "text", "When its ingredients were known."),
        Column("paper", pl.String, "text", "Where it comes from."),
        Column(
            "expected_sign",
            pl.Int64,
            "sign",
            "1 when the paper finds that high values earn more, after risk; -1 when low ones do; "
            "0 when it expects neither.",
            minimum=-1,
            maximum=1,
        ),
        Column(
            "rebalance",
            pl.String,
            "name",
            "When sorts on it are formed.",
            values=get_args(Rebalance),
        ),
    ),
)


def definitions() -> pl.DataFrame:
    """Rows of ``signal.definition``, in the order of the columns."""
    rows = [
        {name: getattr(signal, name) for name in DEFINITION.column_names if name != "signal"}
        | {"signal": signal.column}
        for signal in SIGNALS
    ]
    return pl.DataFrame(rows, schema=DEFINITION.polars_schema)
