"""Nightly factor-investing warehouse on Dagster, DuckDB and Polars."""
