"""Sources that stop delivering: the run goes on with the last good rows, and says so."""

from datetime import date

import duckdb
import pytest

from factor_pipeline.sources.simulated.parameters import SimulationParameters
from factor_pipeline.sources.simulated.vendor_files import write
from tests.pipeline.conftest import Home, make_home

SOURCES = {
    "prices": "alphavantage",
    "fundamentals": "simfin",
    "library": "ken_french",
    "membership": "intervals",
    "benchmark": "yahoo",
    "etf": "yahoo",
    "macro": "fred",
    "listing": "alphavantage",
}


def vendor_home(folder) -> tuple[Home, dict]:
    paths = write(SimulationParameters(stocks=20, years=3, start=date(2004, 1, 1)), folder / "v")
    sections = [
        f'[{name}]\nsource = "{source}"\npath = "{paths[name]}"\n'
        + ('symbol = "SIMTR"\n' if name == "benchmark" else "")
        for name, source in SOURCES.items()
    ]
    settings = 'first_month = "2004-01"\n' + "".join(sections)
    return make_home(folder, settings), paths


def published(home: Home, query: str) -> list[tuple]:
    with duckdb.connect(str(home.published), read_only=True) as connection:
        return connection.sql(query).fetchall()


@pytest.mark.slow
def test_a_run_outlives_its_sources_and_names_each_that_failed(tmp_path):
    home, paths = vendor_home(tmp_path)
    fetched = "select count(*), sum(close) from raw.price_daily"
    paths["prices"].rename(tmp_path / "elsewhere")
    early = home.run("run")
    assert early.returncode == 2
    assert f"prices.path: nothing exists at {paths['prices']}" in early.stderr
    (tmp_path / "elsewhere").rename(paths["prices"])
    first = home.run("run")
    assert first.returncode == 0, first.stderr
    before = published(home, fetched)

    paths["prices"].rename(tmp_path / "elsewhere")
    (paths["benchmark"] / "SIMTR.csv").write_text('{"Error Message": "limit reached"}')
    fund = sorted(paths["etf"].iterdir())[0]
    fund.unlink()
    months = published(home, "select max(month_end) from panel.security_month")[0][0]
    result = home.run("run", "--start", f"{months:%Y-%m}", "--end", f"{months:%Y-%m}")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert (
        "prices: alphavantage did not deliver: files of it are not there; all last good rows stay"
    ) in lines
    assert (
        "benchmark: yahoo did not deliver: 1 of 1 files are bad, the first is "
        "benchmark/SIMTR.csv; all last good rows stay"
    ) in lines
    assert (
        f"etf: 1 file is no longer offered, the first etf/{fund.name}; the last good rows stay"
    ) in lines
    assert "prices: the data end on 2006-12-29; quality.max_age_days allows 4 days" in lines
    assert published(home, fetched) == before
    stated = published(
        home,
        "select data_set, outage is not null, files_missing from quality.freshness "
        "where outage is not null or files_missing > 0 order by data_set",
    )
    assert stated == [("benchmark", True, 0), ("etf", False, 1), ("prices", True, 0)]

    status = home.run("status")
    assert "prices: the data end on 2006-12-29" in status.stdout
    doctor = home.run("doctor")
    assert doctor.returncode == 1
    assert f"nothing exists at {paths['prices']}" in doctor.stdout
