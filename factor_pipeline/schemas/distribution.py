"""How numbers are spread in each build, to see what the next one changes."""

import polars as pl

from factor_pipeline.schemas.table import Column, Table


def _quantile(name: str, description: str) -> Column:
    return Column(name, pl.Float64, "column's unit", description, nullable=True)


DISTRIBUTION = Table(
    layer="quality",
    name="distribution",
    description="Spread of important columns by calendar year, in each of the last ten builds.",
    key=("build", "table_name", "column_name", "year"),
    columns=(
        Column("build", pl.Int64, "number", "Build, see quality.build."),
        Column("table_name", pl.String, "name", "Table."),
        Column("column_name", pl.String, "name", "Column; of factor.factor_return: the factor."),
        Column("year", pl.Int32, "year", "Calendar year of month_end."),
        Column("months", pl.Int32, "count", "Months of the year that have rows.", minimum=1),
        Column("last_month", pl.Date, "date", "Last month of the year that has rows."),
        Column("rows", pl.Int64, "count", "Rows of the year.", minimum=1),
        Column("null_share", pl.Float64, "share", "Rows without a value.", minimum=0, maximum=1),
        _quantile("mean", "Mean of the values."),
        _quantile("standard_deviation", "Standard deviation of the values."),
        _quantile("p01", "1st percentile."),
        _quantile("p25", "25th percentile."),
        _quantile("median", "Median."),
        _quantile("p75", "75th percentile."),
        _quantile("p99", "99th percentile."),
        Column(
            "compared_with",
            pl.Int64,
            "number",
            "Build before, where it has the same months of the year.",
            nullable=True,
        ),
        Column(
            "distance",
            pl.Float64,
            "share",
            "How far the year is from that of the build before: the largest of the share of rows "
            "gone or new, of values gone or new, and of values that moved past a quartile.",
            nullable=True,
            minimum=0,
            maximum=1,
        ),
        Column(
            "note",
            pl.String,
            "text",
            "Why another distribution is no fault, such as other settings.",
            nullable=True,
        ),
    ),
)
