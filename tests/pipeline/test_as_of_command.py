"""`--as-of` on the command line: a warehouse beside that of now, from the files known by a day."""

import shutil

import pytest

from tests.pipeline.conftest import make_home, published_tables


@pytest.mark.slow
def test_the_warehouse_as_of_the_day_of_its_files_is_that_of_now(built, tmp_path):
    home = make_home(tmp_path / "then")
    shutil.copytree(built.folder, home.folder)
    query = "select cast(max(known_from) as date) as day from raw.snapshot"
    day = home.run("sql", query, "--format", "csv").stdout.split()[1]
    not_yet = home.run("sql", "--as-of", day, "select 1")
    assert (not_yet.returncode, not_yet.stdout) == (1, "")
    assert not_yet.stderr == (
        f"factor-pipeline: the warehouse as of {day} is not built yet; "
        f"run `factor-pipeline run --as-of {day}`\n"
    )
    before = home.published.stat().st_mtime_ns
    result = home.run("run", "--as-of", day)
    assert result.returncode == 0, result.stderr
    assert home.published.stat().st_mtime_ns == before, "the warehouse of now is left alone"
    then, now = published_tables(home.folder / "as_of" / day / "factors.duckdb"), home.tables()
    assert list(then) == list(now)
    assert [name for name, table in now.items() if not table.equals(then[name])] == []
    assert "stale      nothing" in home.run("status", "--as-of", day).stdout


def test_days_without_files_are_told_in_one_line(built):
    early = built.run("run", "--as-of", "2001-01-31")
    assert early.returncode == 1
    assert early.stderr.startswith(
        "factor-pipeline: nothing was known on 2001-01-31 yet: the first files were fetched on "
    )
    assert early.stderr.count("\n") == 1
    late = built.run("run", "--as-of", "2999-01-31")
    assert late.returncode == 2
    assert late.stderr == (
        "factor-pipeline: --as-of 2999-01-31 is in the future; nobody knows yet what will be known "
        "then\n"
    )
