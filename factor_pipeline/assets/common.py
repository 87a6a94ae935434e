"""What all table assets share: how a table becomes an asset, and what a run reports."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import dagster as dg
import polars as pl

from factor_pipeline.assets.lineage import column_lineage, table_schema
from factor_pipeline.assets.rows import BY_KEY, Rows
from factor_pipeline.builds import begin_build
from factor_pipeline.months import MonthRange
from factor_pipeline.partitions import BACKFILL, first_month_of, last_partition, months_of
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

OWNERS = ("team:factors",)
WRITER_POOL = "warehouse"


@dataclass(frozen=True, slots=True)
class Upstream:
    """A table another one reads, and how many months around its own month it needs.

    ``asset`` names the asset that fills it where that is not the table's own name. ``rows`` says
    which rows a row is made of where keys and months do not, and ``into`` which tables of the
    asset are made of them, where not all are.
    """

    table: Table
    back: int = 0
    ahead: int = 0
    asset: str | None = None
    rows: Rows = BY_KEY
    into: tuple[Table, ...] = ()

    @property
    def key(self) -> dg.AssetKey:
        """Key of the asset that fills the table."""
        return dg.AssetKey([self.table.layer, self.asset or self.table.name])

    def dependency(self, reader: Table) -> dg.AssetDep:
        """Dagster dependency, with the months mapped when both tables are monthly."""
        mapping = None
        if self.table.monthly and not self.asset and reader.monthly:
            mapping = dg.TimeWindowPartitionMapping(
                start_offset=-self.back,
                end_offset=self.ahead,
                allow_nonexistent_upstream_partitions=True,
            )
        return dg.AssetDep(self.key, partition_mapping=mapping)


@dataclass(frozen=True, slots=True)
class Run:
    """What a table is built from: the warehouse, the settings, the months asked for.

    ``months`` of a table that is not monthly are all months of the warehouse.
    """

    warehouse: Warehouse
    settings: Settings
    months: MonthRange


Frames = Sequence[pl.DataFrame]
Build = Callable[[Run], Frames]
Picture = Callable[[Run], str]


@dataclass(frozen=True, slots=True)
class TableAsset:
    """One or several tables filled together by a function of the run.

    ``scope`` limits what is replaced, for tables that two assets fill (own and library factors).
    ``block_months`` bounds the memory of large tables: a range is built in blocks of so many
    months, which changes no bit, as a month never depends on the range it is built in.
    ``picture`` draws what was filled, as Markdown for the UI. ``links`` lead to rows that are read
    in another way than ``reads`` says, or are the asset's own: they are no dependencies.
    """

    name: str
    tables: tuple[Table, ...]
    reads: tuple[Upstream, ...]
    build: Build
    kinds: frozenset[str]
    monthly: bool
    scope: tuple[tuple[str, str], ...] = ()
    block_months: int | None = None
    picture: Picture | None = None
    links: tuple[Upstream, ...] = ()

    @property
    def keys(self) -> list[dg.AssetKey]:
        """Keys of the Dagster assets, in the order of the tables."""
        return [self._key(table) for table in self.tables]

    @property
    def read_keys(self) -> list[dg.AssetKey]:
        """Keys of the assets it reads."""
        return [upstream.key for upstream in self.reads]

    def definition(
        self, partitions: dg.MonthlyPartitionsDefinition, code_version: str
    ) -> dg.AssetsDefinition:
        """Dagster asset (or assets, of one step) that fills the tables."""
        first = self.tables[0]
        specs = [
            dg.AssetSpec(
                key=self._key(table),
                deps=[upstream.dependency(first) for upstream in self.reads],
                description=table.description,
                group_name=table.layer,
                kinds={"duckdb", *self.kinds},
                owners=OWNERS,
                code_version=code_version,
                partitions_def=partitions if self.monthly else None,
                metadata={
                    "dagster/column_schema": table_schema(table, self._filled_by(table)),
                    "dagster/column_lineage": column_lineage(table, self._filled_by(table)),
                    "dagster/table_name": table.qualified_name,
                },
            )
            for table in self.tables
        ]

        @dg.multi_asset(
            specs=specs,
            name=f"{first.layer}_{self.name}",
            required_resource_keys={"warehouse", "settings"},
            backfill_policy=BACKFILL if self.monthly else None,
            pool=WRITER_POOL,
        )
        def filled(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
            yield from self._materialised(context, code_version)

        return filled

    def _filled_by(self, table: Table) -> list[tuple[Table, dg.AssetKey]]:
        """Tables that a table of the asset is made of, with the assets that fill them."""
        others = {*self.read_keys, *self.keys} - {self._key(table)}
        return [
            (upstream.table, upstream.key)
            for upstream in (*self.reads, *self.links)
            if upstream.key in others and (not upstream.into or table in upstream.into)
        ]

    def _drawn(self, run: Run, table: Table) -> dict[str, dg.MetadataValue]:
        if self.picture is None or table is not self.tables[0]:
            return {}
        return {"chart": dg.MetadataValue.md(self.picture(run))}

    def _key(self, table: Table) -> dg.AssetKey:
        return asset_key(table) if not self.scope else dg.AssetKey([table.layer, self.name])

    def _materialised(
        self, context: dg.AssetExecutionContext, code_version: str
    ) -> Iterator[dg.MaterializeResult[None]]:
        run = Run(
            warehouse=context.resources.warehouse,
            settings=context.resources.settings,
            months=months_of(context) if self.monthly else all_months(context.resources.settings),
        )
        begin_build(run.warehouse, first_month_of(context), run_id=context.run.run_id)
        rows = dict.fromkeys(self.tables, 0)
        for table, months, frame in self.fill(run):
            rows[table] += frame.height
            if self.monthly:
                _report_months(context, self._key(table), frame)
            context.log.info("%s: %d rows, %s", table.qualified_name, frame.height, months)
        for table, count in rows.items():
            yield dg.MaterializeResult(
                asset_key=self._key(table),
                # Each night's version of all months would make every month look out of date:
                # which of them the inputs have changed is told by ``published/inputs``.
                data_version=None if self.monthly else dg.DataVersion(code_version),
                metadata={
                    "rows_in_run": count,
                    "months_in_run": str(run.months),
                    **({} if self.monthly else {"dagster/row_count": count}),
                    **self._drawn(run, table),
                },
            )

    def fill(self, run: Run) -> Iterator[tuple[Table, MonthRange, pl.DataFrame]]:
        """Build the months of the run and replace the rows; gives what was written."""
        scope = dict(self.scope)
        blocks = run.months.blocks(self.block_months) if self.block_months else [run.months]
        for months in blocks:
            frames = self.build(replace(run, months=months))
            for table, frame in zip(self.tables, frames, strict=True):
                if self.monthly:
                    run.warehouse.replace_months(table, frame, months, **scope)
                else:
                    run.warehouse.replace(table, frame, **scope)
                yield table, months, frame


def table_asset(  # noqa: PLR0913 - choices by keyword
    *tables: Table,
    reads: Sequence[Upstream] = (),
    kinds: Sequence[str] = ("polars",),
    scope: dict[str, str] | None = None,
    monthly: bool | None = None,
    block_months: int | None = None,
    picture: Picture | None = None,
    links: Sequence[Upstream] = (),
) -> Callable[[Build], TableAsset]:
    """Declare the function below as what fills ``tables``; see `TableAsset`."""

    def declare(build: Build) -> TableAsset:
        return TableAsset(
            name=build.__name__,
            tables=tables,
            reads=tuple(reads),
            build=build,
            kinds=frozenset(kinds),
            monthly=tables[0].monthly if monthly is None else monthly,
            scope=tuple((scope or {}).items()),
            block_months=block_months,
            picture=picture,
            links=tuple(links),
        )

    return declare


def asset_key(table: Table) -> dg.AssetKey:
    """``schema/table``."""
    return dg.AssetKey([table.layer, table.name])


def all_months(settings: Settings) -> MonthRange:
    """Every month of the warehouse."""
    return MonthRange.of_months(settings.start_month, last_partition(settings))


def markdown(frame: pl.DataFrame) -> dg.MetadataValue:
    """Small table for the metadata of a materialisation or check."""
    if frame.is_empty():
        return dg.MetadataValue.md("None.")
    lines = [" | ".join(frame.columns), " | ".join("---" for _ in frame.columns)]
    lines += [" | ".join(_cell(value) for value in row) for row in frame.iter_rows()]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else str(value).replace("|", "/").replace("\n", " ")


def _report_months(
    context: dg.AssetExecutionContext, key: dg.AssetKey, frame: pl.DataFrame
) -> None:
    """Row count of each month of the run, shown on its partition."""
    counts = frame.group_by("month_end").len().sort("month_end")
    for month_end, count in counts.iter_rows():
        context.add_asset_metadata(
            {"dagster/partition_row_count": count},
            asset_key=key,
            partition_key=month_end.replace(day=1).isoformat(),
        )
