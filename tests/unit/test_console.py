import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.as_of import AS_OF_VARIABLE
from factor_pipeline.builds import begin_build, record_build
from factor_pipeline.console import after_run, status, table
from factor_pipeline.months import MonthRange
from factor_pipeline.publishing import publish_if_sound
from factor_pipeline.runs import Pipeline
from factor_pipeline.schemas.quality import FRESHNESS
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import parse_settings

SETTINGS = parse_settings({"simulation": {"start": "2020-01", "years": 3}}, base=Path())
MONTHS = MonthRange(date(2020, 1, 1), date(2020, 7, 1))


def test_text_in_square_brackets_is_printed_as_it_is(capsys):
    table(pl.DataFrame({"comment": ["[decimal] Return.", "[/] ends nothing", "C:\\"]}))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["comment", "[decimal] Return.", "[/] ends nothing", "C:\\"]


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    home = tmp_path_factory.mktemp("published")
    pipeline = Pipeline(home, SETTINGS)
    pipeline.warehouse.prepare(TABLES.values())
    now = datetime(2024, 1, 1, tzinfo=UTC)
    record_build(pipeline.warehouse, SETTINGS, MONTHS, run_id="run", now=now)
    publish_if_sound(pipeline.warehouse, SETTINGS, pipeline.published)
    return home


@pytest.fixture
def pipeline(tmp_path, published, monkeypatch):
    """Six months, built and published."""
    monkeypatch.delenv(AS_OF_VARIABLE, raising=False)
    return Pipeline(shutil.copytree(published, tmp_path / "home"), SETTINGS)


def test_a_run_that_could_not_publish_shows_nothing_of_the_build_before(pipeline, capsys):
    half_year = MonthRange(date(2020, 4, 1), date(2020, 7, 1))
    after_run(pipeline, half_year)
    assert "Published: " in capsys.readouterr().out
    begin_build(pipeline.warehouse, date(2020, 3, 1), run_id="killed")
    after_run(pipeline, half_year)
    assert capsys.readouterr().out.splitlines() == [
        "Built 2020-04 to 2020-06.",
        "Not published: months from 2020-03 on are stale; run `factor-pipeline run`.",
    ]


def test_the_status_says_when_the_published_file_is_behind(pipeline, capsys):
    status(pipeline)
    assert "to publish" not in capsys.readouterr().out
    now = datetime(2024, 1, 2, tzinfo=UTC)
    record_build(pipeline.warehouse, SETTINGS, MONTHS, run_id="ended too early", now=now)
    status(pipeline)
    told = capsys.readouterr().out
    assert re.search(r"^stale +nothing$", told, re.MULTILINE)
    assert "to publish what is built or newly known; run `factor-pipeline run`" in told


@pytest.mark.parametrize("change", ["drop table {0}", "alter table {0} drop column outage"])
def test_the_status_of_a_home_of_another_release_is_told_without_ages(pipeline, capsys, change):
    with pipeline.warehouse.opened(read_only=False) as connection:
        connection.execute(change.format(FRESHNESS.qualified_name))
    status(pipeline)
    told = capsys.readouterr().out
    assert re.search(r"^stale +nothing$", told, re.MULTILINE)
    assert "Age of the data" not in told


@pytest.mark.parametrize(
    ("day", "advice"),
    [("", "factor-pipeline run"), ("2024-01-31", "factor-pipeline run --as-of 2024-01-31")],
)
def test_the_status_of_nothing_says_how_to_fill_it(tmp_path, monkeypatch, capsys, day, advice):
    monkeypatch.setenv(AS_OF_VARIABLE, day)
    status(Pipeline(tmp_path, SETTINGS))
    assert f"nothing yet; run `{advice}`\n" in capsys.readouterr().out
