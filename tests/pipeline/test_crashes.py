"""A run that is killed leaves the old rows readable, and the next run completes."""

import shutil
import signal

import pytest

from tests.pipeline.conftest import SMALL_MARKET, make_home, published_tables

# Another cost rate: every backtest row changes, so a half-done run would show.
OTHER_SETTINGS = SMALL_MARKET.replace("min_names = 3", "min_names = 3\ncost_per_traded = 0.005")


def run_until(home, step, kill):
    process = home.start("run")
    for line in process.stderr:
        if line.strip().startswith(step):
            process.send_signal(kill)
            break
    out, err = process.communicate(timeout=300)
    return process.returncode, out + err


@pytest.fixture(scope="module")
def expected(built, tmp_path_factory):
    """The tables an undisturbed run with the other settings publishes."""
    home = make_home(tmp_path_factory.mktemp("expected"), OTHER_SETTINGS)
    shutil.copytree(built.folder, home.folder)
    result = home.run("run")
    assert result.returncode == 0, result.stderr
    return home.tables()


@pytest.mark.parametrize(
    "step",
    ["raw__price_daily", "panel_security_month", "backtest_holding", "factor__comparison_market"],
)
def test_kill_9_leaves_the_old_file_and_the_next_run_completes(built, expected, tmp_path, step):
    home = make_home(tmp_path / "killed", OTHER_SETTINGS)
    shutil.copytree(built.folder, home.folder)
    code, _ = run_until(home, step, signal.SIGKILL)
    assert code == -signal.SIGKILL
    old = built.tables()
    for name, table in home.tables().items():
        assert table.equals(old[name]), f"{name} changed though the run was killed"
    assert "running    no" in home.run("status").stdout

    result = home.run("run")
    assert result.returncode == 0, result.stderr
    for name, table in home.tables().items():
        assert table.equals(expected[name]), name


def test_rows_of_a_killed_run_with_other_settings_are_never_published(built, tmp_path):
    # Another filing lag changes the panel and all that follows.
    other = SMALL_MARKET + "[panel]\nfiling_lag_months = 6\n"
    home = make_home(tmp_path / "back", other)
    shutil.copytree(built.folder, home.folder)
    code, _ = run_until(home, "signal_characteristic", signal.SIGKILL)
    assert code == -signal.SIGKILL
    home.config.write_text(SMALL_MARKET)
    assert "stale      from " in home.run("status").stdout
    result = home.run("run")
    assert result.stdout.startswith("Built "), result.stderr
    old = built.tables()
    differing = {name for name, table in home.tables().items() if not table.equals(old[name])}
    # These tell of each build, and this is the second.
    assert differing <= {"quality.check_result", "quality.distribution"}


def test_ctrl_c_says_what_happened_and_leaves_the_published_file(built, tmp_path):
    home = make_home(tmp_path / "stopped", OTHER_SETTINGS)
    shutil.copytree(built.folder, home.folder)
    code, said = run_until(home, "panel_security ", signal.SIGINT)
    assert code == 130
    assert "the published file is unchanged" in said
    assert "Traceback" not in said
    old = built.tables()
    assert all(table.equals(old[name]) for name, table in home.tables().items())


def test_the_published_file_is_readable_while_a_run_writes(built, tmp_path):
    home = make_home(tmp_path / "reading", OTHER_SETTINGS)
    shutil.copytree(built.folder, home.folder)
    rows = built.tables()["panel.security_month"].height
    process = home.start("run")
    reads = 0
    while process.poll() is None:
        line = process.stderr.readline()
        if line.strip().startswith(("panel", "signal", "backtest", "portfolio")):
            assert published_tables(home.published)["panel.security_month"].height == rows
            reads += 1
    process.communicate()
    assert process.returncode == 0
    assert reads >= 5


def test_two_runs_at_once_do_not_mix(built, tmp_path):
    home = make_home(tmp_path / "twice", OTHER_SETTINGS)
    shutil.copytree(built.folder, home.folder)
    first = home.start("run")
    for line in first.stderr:
        if line.strip().startswith("raw__benchmark_daily "):
            break
    second = home.run("run")
    first.communicate(timeout=300)
    assert first.returncode == 0
    assert second.returncode == 1
    assert "another run is writing" in second.stderr
