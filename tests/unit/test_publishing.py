"""When the published file is behind the work file though nothing is left to build."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.builds import begin_build, record_build
from factor_pipeline.months import MonthRange
from factor_pipeline.publishing import is_behind, publish_if_sound
from factor_pipeline.schemas.quality import BUILD, FRESHNESS, QUARANTINE
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import PUBLISHED_FILE, parse_settings
from factor_pipeline.warehouse.query import query_published
from factor_pipeline.warehouse.store import Warehouse

SETTINGS = parse_settings({"simulation": {"start": "2020-01", "years": 3}}, base=Path())
MONTHS = MonthRange(date(2020, 1, 1), date(2020, 7, 1))
NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Site:
    """A work file and the file published from it."""

    warehouse: Warehouse
    published: Path

    @property
    def is_behind(self) -> bool:
        return is_behind(self.warehouse, SETTINGS, self.published)

    def build(self, run_id: str = "run") -> None:
        record_build(self.warehouse, SETTINGS, MONTHS, run_id=run_id, now=NOON)

    def publish(self) -> date | None:
        return publish_if_sound(self.warehouse, SETTINGS, self.published)

    def look(self, at: datetime, **differs: object) -> None:
        """Look at the source of prices again, which delivers nothing."""
        row = dict.fromkeys((c.name for c in FRESHNESS.columns if not c.nullable), 0)
        day = {"checked_at": at.replace(tzinfo=None), "age_days": at.day, "is_stale": False}
        names = {"data_set": "prices", "source": "simulated"}
        frame = pl.DataFrame([{**row, **day, **names, **differs}], schema=FRESHNESS.polars_schema)
        self.warehouse.replace(FRESHNESS, frame, data_set="prices")


@pytest.fixture
def site(tmp_path):
    """A build of six months, published."""
    site = Site(Warehouse(tmp_path / "work.duckdb"), tmp_path / PUBLISHED_FILE)
    site.warehouse.prepare(TABLES.values())
    site.look(NOON)
    site.build()
    assert site.publish() is None
    return site


def test_a_published_file_is_behind_a_build_it_does_not_have(site):
    assert not site.is_behind
    site.build("ended before it published")
    assert site.is_behind
    assert site.publish() is None
    assert not site.is_behind
    runs = query_published(site.published, "select run_id from quality.build order by build")
    assert runs["run_id"].to_list() == ["run", "ended before it published"]


def test_a_published_file_is_behind_what_is_new_of_the_sources_but_not_behind_the_clock(site):
    site.look(NOON + timedelta(days=3))
    assert not site.is_behind
    site.look(NOON, outage="no route to host")
    assert site.is_behind
    site.publish()
    assert not site.is_behind
    bad = {"data_set": "prices", "file": "prices/A.csv", "sha256": "0" * 64, "row": 7}
    bad |= {"rule": "price", "reason": "no price", "value": "x"}
    site.warehouse.replace(QUARANTINE, pl.DataFrame([bad], schema=QUARANTINE.polars_schema))
    assert site.is_behind


def test_a_published_file_that_is_gone_is_behind_once_something_is_built(site):
    site.published.unlink()
    assert site.is_behind
    site.warehouse.replace(BUILD, BUILD.empty())
    assert not site.is_behind


def test_what_cannot_be_read_is_published_again(site):
    site.published.write_bytes(b"half a file")
    assert site.is_behind
    site.publish()
    assert not site.is_behind


def test_with_months_half_made_nothing_is_published_and_publishing_is_no_remedy(site):
    before = site.published.stat()
    begin_build(site.warehouse, date(2020, 3, 1), run_id="killed")
    site.look(NOON, outage="no route to host")
    assert not site.is_behind
    assert site.publish() == date(2020, 3, 1)
    assert site.published.stat() == before
