"""The nightly schedule fires by itself, in a real daemon."""

import re
import shutil
import signal
import socket
import time

import duckdb
import pytest

from tests.pipeline.conftest import SMALL_MARKET, make_home

EVERY_MINUTE = SMALL_MARKET + '\n[schedule]\ncron = "* * * * *"\n'
# Start of the daemon (20 s), up to a minute to the next tick, the run itself, a busy machine.
PATIENCE_SECONDS = 240


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def builds(home) -> int:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        return connection.sql("select count(*) from quality.build").fetchall()[0][0]


@pytest.mark.slow
def test_the_daemon_fires_the_schedule_and_the_row_is_in_the_warehouse(built, tmp_path):
    home = make_home(tmp_path / "nightly", EVERY_MINUTE)
    shutil.copytree(built.folder, home.folder)
    before = builds(home)
    log = tmp_path / "ui.log"
    process = home.start("ui", "--port", str(free_port()), log=log)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while builds(home) == before and time.monotonic() < deadline:
            assert process.poll() is None, log.read_text()
            time.sleep(1)
        assert builds(home) > before
        refused = home.run("ui", "--port", str(free_port()))
        assert refused.returncode == 1
        assert re.search("another `factor-pipeline ui` serves", refused.stderr)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    with duckdb.connect(str(home.published), read_only=True) as connection:
        first, last = connection.sql(
            "select month_start, month_end from quality.build order by build desc limit 1"
        ).fetchall()[0]
    # The simulated market ends in 2008-01: the last two months were filled again.
    assert (f"{first:%Y-%m}", f"{last:%Y-%m}") == ("2007-12", "2008-01")
