"""What the UI shows of months that a correction put out of date, and what builds them again."""

import shutil
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from factor_pipeline.assets.common import Frames, Run, TableAsset, table_asset
from factor_pipeline.assets.inputs import INPUTS_KEY, inputs_asset
from factor_pipeline.assets.publication import PUBLISHED_KEY
from factor_pipeline.assets.raw import raw_asset, raw_key
from factor_pipeline.builds import State, begin_build, record_build
from factor_pipeline.checks.staleness import NO_STALE_MONTH, stale_months, staleness_checks
from factor_pipeline.deliveries import Delivery
from factor_pipeline.months import MonthRange
from factor_pipeline.partitions import BACKFILL, range_tags
from factor_pipeline.publishing import publish_if_sound
from factor_pipeline.schedules import nightly_start, stale_months_sensor
from factor_pipeline.schemas.flag import RULE
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import PUBLISHED_FILE, Settings, parse_settings
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.vendor_shelf import Shelf, prices

SETTINGS = parse_settings({"simulation": {"start": "2020-01", "years": 3}}, base=Path())
DAYS = pl.date_range(date(2020, 1, 2), date(2020, 5, 29), "1d", eager=True).to_list()


def closes(**restated: float) -> pl.DataFrame:
    """Prices of 10 each day but those named, such as ``d20200310=11.0``."""
    days = {datetime.strptime(name, "d%Y%m%d").date(): v for name, v in restated.items()}  # noqa: DTZ007
    return prices("A", [days.get(day, 10.0) for day in DAYS], DAYS)


def instance_in(folder: Path) -> dg.DagsterInstance:
    """A Dagster instance whose files go with the test's."""
    (folder / "dagster").mkdir(exist_ok=True)
    return dg.DagsterInstance.local_temp(str(folder / "dagster"))


class Deliveries:
    """Files of a vendor who may serve others the next time."""

    def __init__(self, folder: Path) -> None:
        self.store = RawStore(folder)
        self.rows = closes()

    def known_until(self, now: datetime) -> datetime:
        return now

    def of(self, *_: object) -> Delivery:
        return Delivery(Shelf({"A.csv": self.rows}))


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def site(tmp_path, empty_file):
    """A warehouse with prices of five months, all built, and a way to ingest again."""
    warehouse = Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))
    stack = ExitStack()
    deliveries = Deliveries(tmp_path / "raw")
    resources = {"warehouse": warehouse, "settings": SETTINGS, "deliveries": deliveries}
    instance = stack.enter_context(instance_in(tmp_path))

    def ingest(rows: pl.DataFrame | None = None) -> dg.ExecuteInProcessResult:
        deliveries.rows = closes() if rows is None else rows
        asset = raw_asset("prices", SETTINGS)
        return dg.materialize([asset], resources=resources, instance=instance)

    ingest()
    months = MonthRange(date(2020, 1, 1), date(2020, 7, 1))
    now = datetime(2024, 1, 1, tzinfo=UTC)
    record_build(warehouse, SETTINGS, months, run_id="run", now=now)
    with stack:
        yield warehouse, ingest


def observed(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    """What was said of the inputs of each month."""
    events = [e for e in result.all_events if e.event_type_value == "ASSET_OBSERVATION"]
    observations = [event.asset_observation_data.asset_observation for event in events]
    assert {o.asset_key.to_user_string() for o in observations} <= {"published/inputs"}
    assert all(o.data_version for o in observations)
    return {o.partition: o.metadata["changed"].value for o in observations}


def evaluated(sensor: dg.SensorDefinition, tmp_path: Path) -> object:
    with (
        instance_in(tmp_path) as instance,
        dg.build_sensor_context(instance=instance) as context,
    ):
        return sensor(context)


def test_the_stale_months_alone_have_other_inputs(site):
    warehouse, ingest = site
    assert observed(ingest()) == {}
    assert stale_months(warehouse, SETTINGS).passed
    result = ingest(closes(d20200410=11.0))
    said = "prices from 2020-04-10 on"
    assert observed(result) == {"2020-04-01": said, "2020-05-01": said, "2020-06-01": said}
    finding = stale_months(warehouse, SETTINGS)
    assert (finding.passed, finding.failing_rows) == (False, 3)
    assert finding.observed == (
        "3 months from 2020-04 to 2020-06 are stale: changed are prices from 2020-04-10; "
        "`factor-pipeline run` builds them"
    )


def test_the_check_is_one_of_the_published_file_and_warns(site):
    warehouse, ingest = site
    ingest(closes(d20200410=11.0))
    (check,) = staleness_checks()
    assert set(check.check_keys) == {NO_STALE_MONTH}
    resources = {"warehouse": warehouse, "settings": SETTINGS}
    result = check(dg.build_asset_check_context(resources=resources))
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert result.metadata["stale_months"].value == 3


def test_other_code_or_settings_are_named_as_the_cause(site):
    warehouse, _ = site
    other = parse_settings({"simulation": {"start": "2020-01", "years": 3, "seed": 2}}, base=Path())
    finding = stale_months(warehouse, other)
    assert finding.observed.startswith("6 months from 2020-01 to 2020-06 are stale: changed are ")
    assert "settings or code" in finding.observed


def test_a_correction_that_a_night_ingests_is_built_in_the_same_night(site, tmp_path):
    """The night's range is chosen before it reads files: the sensor sees to what these change."""
    warehouse, ingest = site
    assert nightly_start(warehouse, SETTINGS) > date(2020, 4, 1)
    ingest(closes(d20200310=11.0))
    last_two = MonthRange(date(2020, 5, 1), date(2020, 7, 1))
    now = datetime(2024, 1, 2, tzinfo=UTC)
    record_build(warehouse, SETTINGS, last_two, run_id="nightly", now=now)
    published = tmp_path / PUBLISHED_FILE
    sensor = stale_months_sensor(warehouse, SETTINGS, published)
    request = evaluated(sensor, tmp_path)
    assert request.tags["dagster/asset_partition_range_start"] == "2020-03-01"
    assert request.tags["dagster/asset_partition_range_end"] == "2020-06-01"
    march_on = MonthRange(date(2020, 3, 1), date(2020, 7, 1))
    record_build(warehouse, SETTINGS, march_on, run_id="sensor", now=now)
    assert State.of(warehouse).needed(SETTINGS) is None
    # The step that publishes was stopped: nothing is left to build, and nobody sees it yet.
    assert evaluated(sensor, tmp_path).job_name == "publish"
    assert publish_if_sound(warehouse, SETTINGS, published) is None
    assert isinstance(evaluated(sensor, tmp_path), dg.SkipReason)


def test_a_repair_that_failed_is_tried_again_on_new_input_or_settings_and_not_before(
    site, tmp_path
):
    warehouse, ingest = site

    def attempt(settings: Settings = SETTINGS) -> str:
        sensor = stale_months_sensor(warehouse, settings, tmp_path / PUBLISHED_FILE)
        return evaluated(sensor, tmp_path).run_key

    ingest(closes(d20200310=11.0))
    first = attempt()
    begin_build(warehouse, date(2020, 3, 1), run_id="failed")
    assert attempt() == first, "the same state would fail the same way, every minute"
    # A correction after the first stale month, which moves neither that month nor the last day.
    ingest(closes(d20200310=11.0, d20200410=12.0))
    second = attempt()
    assert second != first
    simulation = {"start": "2020-01", "years": 3}
    slow = {"simulation": simulation, "panel": {"filing_lag_months": 5}}
    fast = {"simulation": simulation, "panel": {"filing_lag_months": 6}}
    tried = {attempt(parse_settings(document, base=Path())) for document in (slow, fast)}
    assert len({first, second, *tried}) == 4


def test_months_that_a_step_has_filled_wait_for_the_build_to_end(site, tmp_path):
    """A run that is killed says nothing more: what it began is noted before its first rows."""
    warehouse, _ = site

    def begun(asset: TableAsset, tags: dict[str, str]) -> str:
        with instance_in(tmp_path) as instance:
            resources = {"warehouse": warehouse, "settings": SETTINGS}
            steps = [asset.definition(MONTHS, "code")]
            run = dg.materialize(steps, resources=resources, instance=instance, tags=tags)
        assert run.success
        return run.run_id

    @table_asset(SECURITY_MONTH)
    def monthly(_: Run) -> Frames:
        assert State.of(warehouse).first_stale_month(SETTINGS) == date(2020, 3, 1)
        return [SECURITY_MONTH.empty()]

    @table_asset(RULE)
    def whole(_: Run) -> Frames:
        return [RULE.empty()]

    march_on = MonthRange(date(2020, 3, 1), date(2020, 7, 1))
    run_id = begun(monthly, range_tags(date(2020, 3, 1), date(2020, 6, 1)))
    record_build(warehouse, SETTINGS, march_on, run_id=run_id, now=datetime(2024, 1, 2, tzinfo=UTC))
    assert State.of(warehouse).first_stale_month(SETTINGS) is None
    begun(whole, {})
    assert State.of(warehouse).first_stale_month(SETTINGS) == date(2020, 6, 1)
    begun(whole, range_tags(date(2020, 5, 1), date(2020, 6, 1)))
    assert State.of(warehouse).first_stale_month(SETTINGS) == date(2020, 5, 1)


def test_the_prices_of_these_tests_are_prices():
    assert closes().schema == contract(PRICE_DAILY)


# --- What Dagster makes of it ------------------------------------------------------------------

MONTHS = dg.MonthlyPartitionsDefinition("2020-01-01", end_date="2020-07-01")


def test_dagster_shows_the_months_with_other_inputs_as_unsynced_and_no_other(site, tmp_path):
    """A file like the published one, built of a range and then of what is stale."""
    warehouse, _ = site
    deliveries = Deliveries(warehouse.path.parent / "raw")

    @dg.asset(key=PUBLISHED_KEY, deps=[INPUTS_KEY], partitions_def=MONTHS, backfill_policy=BACKFILL)
    def factors() -> dg.MaterializeResult:
        return dg.MaterializeResult()

    definitions = dg.Definitions(
        assets=[raw_asset("prices", SETTINGS), inputs_asset(MONTHS), factors],
        jobs=[
            dg.define_asset_job("ingest", selection=[raw_key("prices")]),
            dg.define_asset_job("build", selection=[PUBLISHED_KEY]),
        ],
        resources={"warehouse": warehouse, "settings": SETTINGS, "deliveries": deliveries},
    )

    def run(job: str, first: date | None = None) -> None:
        tags = range_tags(first or date(2020, 1, 1), date(2020, 6, 1)) if job == "build" else {}
        result = definitions.resolve_job_def(job).execute_in_process(instance=instance, tags=tags)
        assert result.success

    def unsynced() -> list[str]:
        graph, context = definitions.resolve_asset_graph(), LoadingContextForTest(instance)
        resolver = CachingStaleStatusResolver(instance, graph, context)
        months = MONTHS.get_partition_keys()
        return [m for m in months if resolver.get_status(PUBLISHED_KEY, m) is StaleStatus.STALE]

    with instance_in(tmp_path) as instance:
        run("ingest")
        run("build")
        assert unsynced() == []
        deliveries.rows = closes(d20200410=11.0)
        run("ingest")
        assert unsynced() == ["2020-04-01", "2020-05-01", "2020-06-01"]
        run("build", first=date(2020, 5, 1))
        assert unsynced() == ["2020-04-01"]
        run("build", first=date(2020, 4, 1))
        assert unsynced() == []
