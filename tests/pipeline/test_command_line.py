import json
import shutil

import dagster as dg
import polars as pl
import pytest

from factor_pipeline.instance import prepare_instance
from tests.pipeline.conftest import make_home


def test_a_run_publishes_and_says_where_to_look_next(built):
    result = built.run("status")
    assert result.returncode == 0
    assert "simulated market" in result.stdout
    assert "to build   nothing" in result.stdout


def test_a_second_run_with_nothing_new_changes_no_byte(built):
    before, tables = built.published.read_bytes(), built.tables()
    result = built.run("run")
    assert result.returncode == 0
    assert "Nothing new" in result.stdout
    assert "simulated market" in result.stdout
    assert built.published.read_bytes() == before
    for name, table in built.tables().items():
        assert table.equals(tables[name]), name


def test_published_rolling_betas_can_be_held_against_the_truth_in_sql(built):
    result = built.run(
        "sql",
        "select count(*) as windows, "
        "avg(abs(rolling_beta.beta_mkt - beta.beta_mkt) / rolling_beta.se_mkt) as distance "
        "from risk.rolling_beta inner join truth.beta using (security_id, month_end) "
        "where rolling_beta.model = 'CAPM' and rolling_beta.reason is null",
        "--format",
        "json",
    )
    (row,) = json.loads(result.stdout)
    assert row["windows"] > 1000
    # The mean distance of a normal variate is 0.8; here loadings move, and factors are left out.
    assert 0.6 < row["distance"] < 1.6


def test_sql_prints_csv_and_json(built):
    query = "select strategy, n from backtest.backtest_return order by all limit 1"
    csv = built.run("sql", query, "--format", "csv")
    assert csv.stdout.splitlines()[0] == "strategy,n"
    rows = json.loads(built.run("sql", query, "--format", "json").stdout)
    assert rows == [{"strategy": "benchmark", "n": None}]


def test_report_writes_a_page_that_says_it_is_simulated_and_a_workbook(built, tmp_path):
    result = built.run("report", "--out", str(tmp_path / "here"))
    assert result.returncode == 0, result.stderr
    written = sorted((tmp_path / "here").iterdir())
    assert [path.name for path in written] == ["factor_report.html", "factor_workbook.xlsx"]
    assert all(str(path) in result.stdout for path in written)
    page = written[0].read_text()
    assert "SIMULATED DATA" in page
    assert "chart-growth" in page


@pytest.mark.parametrize("asset", [["backtest", "summary"], ["factor", "comparison"]])
def test_the_ui_gets_the_main_charts_as_pictures_of_modest_size(built, asset, monkeypatch):
    monkeypatch.setenv("DAGSTER_HOME", str(built.folder / "dagster"))
    with prepare_instance(built.folder) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    chart = event.asset_materialization.metadata["chart"].md_str
    assert "](data:image/svg+xml;base64," in chart
    assert len(chart) < 300_000


def test_report_before_the_first_run_exits_1_and_says_to_run(tmp_path):
    result = make_home(tmp_path / "new").run("report")
    assert result.returncode == 1
    assert "run `factor-pipeline run` first" in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


def test_every_shipped_query_is_listed_and_runs_by_name(built):
    listed = [line.split()[0] for line in built.run("queries").stdout.splitlines() if line.strip()]
    assert len(listed) >= 10
    assert built.run("sql", listed[0], "--format", "csv").returncode == 0


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from no_such_table", "no_such_table"),
        ("select * from read_csv('/etc/passwd')", "file system"),
        ("drop table backtest.summary", "read-only"),
    ],
)
def test_sql_that_cannot_be_answered_exits_1_with_one_message(built, query, said):
    result = built.run("sql", query)
    assert result.returncode == 1
    assert result.stderr.startswith("factor-pipeline: ")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ("[prces]\n", "prces"),
        ("[simulation]\nstocks = 'many'\n", "simulation.stocks"),
        ('[prices]\nsource = "alphavantage"\npath = "nowhere"\n', "prices.path"),
        ('first_month = "1999-13"\n', "first_month"),
    ],
)
def test_wrong_settings_exit_2_with_one_line_that_names_the_key(tmp_path, settings, key):
    result = make_home(tmp_path / "wrong", settings).run("run")
    assert result.returncode == 2
    assert len(result.stderr.strip().splitlines()) == 1
    assert key in result.stderr


def test_months_outside_the_warehouse_exit_2(built):
    result = built.run("run", "--start", "1990-01")
    assert result.returncode == 2
    assert "2004-01 to 2008-01" in result.stderr


def test_doctor_names_what_is_wrong_and_exits_1(tmp_path):
    home = make_home(
        tmp_path / "empty",
        'first_month = "2000-01"\n[prices]\nsource = "alphavantage"\npath = "prices"\n'
        '[library]\nsource = "ken_french"\npath = "prices"\n'
        '[backtest]\nuniverse = "all"\n',
    )
    (home.config.parent / "prices").mkdir()
    result = home.run("doctor")
    assert result.returncode == 1
    assert "prices" in result.stdout


def test_a_rebuild_of_some_months_gives_the_same_tables(built, tmp_path):
    home = make_home(tmp_path / "copy")
    shutil.copytree(built.folder, home.folder)
    before = home.tables()
    result = home.run("run", "--start", "2007-06")
    assert result.returncode == 0, result.stderr
    after = home.tables()
    # What the checks saw are the rows of the months that were run.
    del after["quality.check_result"]
    spread = after.pop("quality.distribution").filter(pl.col("build") > 1)
    own = ["build", "compared_with", "distance"]
    assert spread.drop(own).equals(before["quality.distribution"].drop(own))
    assert spread["distance"].max() == 0
    for name, table in after.items():
        assert table.equals(before[name]), name


def test_the_audit_finds_nothing_in_what_a_run_has_built(built):
    # The run fills tables in the order Dagster finds, the audit in its own.
    result = built.run("audit", "--at", "2006-06")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "No value knows anything that was not known at its time." in result.stdout
