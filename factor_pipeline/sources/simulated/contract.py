"""The shape every data set is delivered in."""

import polars as pl

from factor_pipeline.schemas.table import Table


def contract(table: Table) -> pl.Schema:
    """Columns of a raw table without ``file``, which ingestion adds."""
    return pl.Schema({name: dtype for name, dtype in table.polars_schema.items() if name != "file"})
