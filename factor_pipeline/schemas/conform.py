"""The gate in front of every table: a frame either is what the table declares, or is refused."""

import polars as pl

from factor_pipeline.errors import SchemaError
from factor_pipeline.schemas.table import Column, Table


def conformed(table: Table, frame: pl.DataFrame) -> pl.DataFrame:
    """Return ``frame`` in the declared columns, order and types of ``table``.

    Types widen (integers to longer ones or to floats, categories to text) but never lose
    anything: a float is not rounded into an integer column, text is not read as a number.

    Raises
    ------
    SchemaError
        When columns are missing or unknown, a type does not fit, a required value is null, or a
        number is NaN or infinite: NaN ranks highest and poisons averages in every engine, so it
        never gets in.
    """
    name = table.qualified_name
    missing = sorted(set(table.column_names) - set(frame.columns))
    extra = sorted(set(frame.columns) - set(table.column_names))
    if missing or extra:
        raise SchemaError(f"{name}: missing columns {missing}, unexpected columns {extra}")
    for column in table.columns:
        given = frame.schema[column.name]
        if not _fits(given, column.dtype()):
            raise SchemaError(
                f"{name}.{column.name}: {given} does not fit the declared {column.dtype()}"
            )
    try:
        incoming = frame.select(table.column_names).cast(table.polars_schema)
    except pl.exceptions.PolarsError as error:
        raise SchemaError(f"{name}: {error}") from error
    for column in table.columns:
        _refuse_bad_values(name, column, incoming[column.name])
    return incoming


def _fits(given: pl.DataType, declared: pl.DataType) -> bool:
    """Whether every value of type ``given`` has its equal in ``declared``, overflow aside."""
    if given in (declared, pl.Null()):
        return True
    if declared.is_float():
        return given.is_integer() or given.is_float()
    if declared.is_integer():
        return given.is_integer()
    if isinstance(declared, pl.String):
        return isinstance(given, pl.Categorical | pl.Enum)
    if isinstance(declared, pl.Datetime):
        return isinstance(given, pl.Datetime) and given.time_zone is None
    return False


def _refuse_bad_values(table_name: str, column: Column, values: pl.Series) -> None:
    if not column.nullable and values.null_count():
        raise SchemaError(f"{table_name}.{column.name}: {values.null_count()} nulls, none allowed")
    if column.dtype is pl.Float64 and not values.is_finite().all():
        raise SchemaError(f"{table_name}.{column.name}: a value is NaN or infinite")
