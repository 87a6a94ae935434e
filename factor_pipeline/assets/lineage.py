"""Columns of a table as Dagster shows them: types, units, and where they come from."""

from collections.abc import Iterable, Sequence

import dagster as dg

from factor_pipeline.schemas.lineage import column_sources
from factor_pipeline.schemas.table import Table

FilledBy = Sequence[tuple[Table, dg.AssetKey]]
"""Tables that an asset reads, with the asset that fills each.

One that two assets fill (own and library factors) is there for each that is read.
"""

_SHOWN_COLUMNS = 6


def table_schema(table: Table, filled_by: FilledBy = ()) -> dg.TableSchema:
    """Dagster view of a table's columns: unit, meaning, and links to what they are made of.

    The open-source UI draws no graph of columns: the descriptions tell what `column_lineage` does.
    """
    sources = column_lineage(table, filled_by).deps_by_column
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=column.name,
                type=column.sql_type,
                description=column.comment + _from(sources.get(column.name, ())),
                constraints=dg.TableColumnConstraints(nullable=column.nullable),
            )
            for column in table.columns
        ]
    )


def column_lineage(table: Table, filled_by: FilledBy) -> dg.TableColumnLineage:
    """Columns of other assets that each column of a table is made of."""
    keys = list(dict.fromkeys(filled_by))
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(key, source_column)
                for source, source_column in sources
                for read, key in keys
                if read.qualified_name == source
            ]
            for column, sources in column_sources(table).items()
        }
    )


def _from(sources: Iterable[dg.TableColumnDep]) -> str:
    """Name the sources as Markdown, by asset."""
    columns: dict[str, list[str]] = {}
    for source in sources:
        columns.setdefault("/".join(source.asset_key.path), []).append(source.column_name)
    links = [f"[{asset}](/assets/{asset}) ({_few(names)})" for asset, names in columns.items()]
    return f" From {', '.join(links)}." if links else ""


def _few(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN_COLUMNS
    shown = ", ".join(names[:_SHOWN_COLUMNS])
    return f"{shown} and {more} more" if more > 0 else shown
