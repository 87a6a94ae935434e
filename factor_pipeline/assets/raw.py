"""Raw tables: one asset per data set, filled from its source."""

from datetime import UTC, date, datetime, timedelta

import dagster as dg

from factor_pipeline.assets.common import OWNERS, WRITER_POOL, markdown
from factor_pipeline.assets.inputs import begin_inputs, observe_inputs
from factor_pipeline.assets.lineage import table_schema
from factor_pipeline.builds import State
from factor_pipeline.deliveries import Deliveries
from factor_pipeline.fetching import IngestReport
from factor_pipeline.freshness import complaints, max_age_days, record_freshness
from factor_pipeline.ingestion import Ingestion, data_version
from factor_pipeline.months import add_months
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse

_SHOWN_ROWS = 20


def raw_key(data_set: str) -> dg.AssetKey:
    """Asset of a data set: its table, but for funds, which share the table of the benchmark."""
    return dg.AssetKey(["raw", "etf_daily" if data_set == "etf" else DATA_SETS[data_set].name])


def raw_asset(data_set: str, settings: Settings) -> dg.AssetsDefinition:
    """Asset that brings one raw data set up to date."""
    table = DATA_SETS[data_set]
    provider = settings.source_of(data_set)

    @dg.asset(
        key=raw_key(data_set),
        description=f"{table.description} Source: {provider}. Fills {table.qualified_name}.",
        group_name="raw",
        kinds={"duckdb", provider} - {"none"},
        owners=OWNERS,
        required_resource_keys={"warehouse", "settings", "deliveries"},
        pool=WRITER_POOL,
        freshness_policy=_policy(settings, data_set),
        metadata={
            "dagster/column_schema": table_schema(table),
            "dagster/table_name": table.qualified_name,
        },
    )
    def ingest(context: dg.AssetExecutionContext) -> dg.MaterializeResult[None]:
        warehouse: Warehouse = context.resources.warehouse
        current: Settings = context.resources.settings
        deliveries: Deliveries = context.resources.deliveries
        delivery = deliveries.of(current, data_set)
        now = datetime.now(UTC)
        ingestion = Ingestion(
            warehouse,
            deliveries.store,
            current.quality.max_bad_file_share,
            now,
            delivery.fetched_at,
            is_complete=delivery.is_complete,
            max_lost_share=current.quality.max_lost_share,
        )
        exclude = getattr(current, data_set).exclude
        report = ingestion.run(data_set, delivery.source, exclude)
        freshness = record_freshness(warehouse, current, report, deliveries.known_until(now))
        for complaint in complaints(freshness) if freshness else ():
            context.log.warning("%s", complaint)
        if report.advice:
            context.log.warning("%s", report.advice)
        begin_inputs(context, current.start_month)
        observe_inputs(
            context,
            _made_stale(warehouse, current, report),
            f"{data_set} from {report.changed_from} on",
        )
        return _result(warehouse, report)

    return ingest


def _policy(settings: Settings, data_set: str) -> dg.FreshnessPolicy | None:
    """Ask for an ingestion as often as the data may be old; how old they are is a check."""
    days = max_age_days(settings, data_set)
    if days is None or settings.source_of(data_set) == "none":
        return None
    return dg.FreshnessPolicy.time_window(fail_window=timedelta(days=days))


def _made_stale(warehouse: Warehouse, settings: Settings, report: IngestReport) -> list[date]:
    """Built months that the ingestion put out of date."""
    if report.changed_from is None:
        return []
    first = add_months(report.changed_from, 0)
    return [month for month in State.of(warehouse).stale_months(settings) if month >= first]


def _result(warehouse: Warehouse, report: IngestReport) -> dg.MaterializeResult[None]:
    log = warehouse.read(
        "select * from raw.ingest_log where data_set = $data_set", data_set=report.data_set
    )
    rejected = warehouse.read(
        'select file, "row", rule, reason, value from quality.quarantine '
        'where data_set = $data_set order by file, "row" limit $shown',
        data_set=report.data_set,
        shown=_SHOWN_ROWS,
    )
    return dg.MaterializeResult(
        data_version=dg.DataVersion(data_version(log)),
        metadata={
            "dagster/row_count": int(log["rows"].sum()),
            "files_offered": report.offered,
            "files_parsed": report.parsed,
            "files_unchanged": report.unchanged,
            "files_quarantined": len(report.quarantined),
            "files_missing": len(report.missing),
            "outage": report.outage or "none",
            "rows_rejected": int(log["rejected"].sum()),
            "first_changed_day": str(report.changed_from) if report.changed_from else "none",
            "quarantine": markdown(rejected),
        },
    )
