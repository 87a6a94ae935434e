"""The warehouse as of a day: made of the files known then, to the last cell."""

import gzip
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import polars as pl
import pytest
from typer.testing import CliRunner

from factor_pipeline.as_of import AS_OF_VARIABLE, as_of_day, working_folder
from factor_pipeline.cli import app
from factor_pipeline.deliveries import Deliveries
from factor_pipeline.errors import DataError, QueryError, SettingsError
from factor_pipeline.settings import parse_settings
from factor_pipeline.sources.simulated import SimulationParameters
from factor_pipeline.sources.simulated.vendor_files import write
from tests.unit.dated_home import DatedHome, assets_of

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (2, 3, 4))
SOURCES = {
    "prices": "alphavantage",
    "fundamentals": "simfin",
    "library": "ken_french",
    "membership": "intervals",
    "benchmark": "yahoo",
    "macro": "fred",
    "listing": "alphavantage",
}
RESTATED = 1.25


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 6, tzinfo=UTC)


def restate(prices: Path) -> str:
    """Correct one close of one file, take away another file; return the name of the first."""
    first, second, *_ = sorted(prices.iterdir())
    lines = gzip.decompress(first.read_bytes()).decode().splitlines()
    fields = lines[200].split(",")
    fields[4] = f"{float(fields[4]) * RESTATED:.4f}"
    lines[200] = ",".join(fields)
    first.write_bytes(gzip.compress("\n".join(lines).encode(), mtime=0))
    second.unlink()
    return first.name


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    market = SimulationParameters(stocks=20, years=3, seed=4)
    paths = write(market, folder / "vendor")
    newest = max(path for path in paths["library"].iterdir() if path.is_dir())
    newest.rename(folder / newest.name)
    document = {name: {"source": s, "path": str(paths[name])} for name, s in SOURCES.items()}
    document |= {"portfolios": {"min_market_stocks": 5}, "backtest": {"min_names": 2}}
    document["benchmark"]["symbol"] = "SIMTR"
    document["first_month"] = f"{market.start:%Y-%m}"
    settings = parse_settings(document, base=folder)
    return DatedHome(folder / "var", settings, assets_of(settings, folder / "location"))


@pytest.fixture(scope="module")
def history(home):
    """What was published on Monday and, from restated files and a new edition, on Wednesday."""
    monday = home.build(at(MONDAY))
    restate(home.settings.prices.path)
    (edition,) = home.folder.parent.glob("2*")
    edition.rename(home.settings.library.path / edition.name)
    return monday, home.build(at(WEDNESDAY))


@pytest.fixture(scope="module")
def as_of_tuesday(home, history):  # noqa: ARG001 - built after it
    return home.build(datetime(2026, 5, 1, tzinfo=UTC), TUESDAY)


def differing(ours: dict[str, pl.DataFrame], theirs: dict[str, pl.DataFrame]) -> list[str]:
    assert list(ours) == list(theirs)
    return [name for name, table in ours.items() if not table.equals(theirs[name])]


def test_what_was_published_then_is_built_again_cell_by_cell(home, history, as_of_tuesday):
    monday, wednesday = history
    assert monday["panel.security_month"].height > 500
    changed = {"raw.price_daily", "raw.french_return", "panel.security_month"}
    assert changed <= set(differing(monday, wednesday)), "the days must be told apart"
    assert differing(monday, as_of_tuesday) == []
    assert not (working_folder(home.folder, TUESDAY) / "raw").exists(), (
        "bytes are shared, not copied"
    )


def test_as_of_the_last_day_it_is_the_warehouse_of_now_but_for_what_came_before(home, history):
    _, wednesday = history
    again = home.build(datetime(2026, 5, 1, tzinfo=UTC), WEDNESDAY)
    # Rows are known from the file of that day on: what earlier files said is not built again.
    times = {name for name in again if name.startswith("raw_history.")}
    times |= {"raw.snapshot", "quality.vintage_diff"}
    for name, table in wednesday.items():
        if name not in times:
            expected = table.drop("known_from", strict=False)
            assert again[name].drop("known_from", strict=False).equals(expected), name


def test_a_home_with_nothing_but_its_raw_folder_is_built_again_cell_by_cell(
    home, history, tmp_path
):
    _, wednesday = history
    shutil.copytree(home.folder / "raw", tmp_path / "raw")
    again = replace(home, folder=tmp_path).build(datetime(2026, 5, 1, tzinfo=UTC))
    assert wednesday["raw_history.price_daily"].height > 0
    assert differing(wednesday, again) == []


@pytest.mark.usefixtures("history")
def test_a_day_before_the_first_file_is_told(home):
    with pytest.raises(DataError) as caught:
        Deliveries(home.folder, date(2026, 3, 1)).prepare()
    assert str(caught.value) == (
        "nothing was known on 2026-03-01 yet: the first files were fetched on 2026-03-02 06:00 "
        "UTC; name that day or a later one"
    )


def test_a_home_without_files_is_told(tmp_path):
    with pytest.raises(DataError, match=r"nothing is known in .* yet; run `factor-pipeline run`"):
        Deliveries(tmp_path, MONDAY).prepare()


@pytest.mark.usefixtures("history")
def test_another_source_than_that_of_the_day_is_told(home):
    settings = home.settings.model_copy(
        update={"listing": home.settings.listing.model_copy(update={"source": "none"})}
    )
    assert Deliveries(home.folder, MONDAY).of(settings, "listing").source is None
    simulated = parse_settings({}, base=home.folder)
    said = 'on 2026-03-02 prices came from "alphavantage", the settings name "simulated"'
    with pytest.raises(SettingsError, match=said):
        Deliveries(home.folder, MONDAY).of(simulated, "prices")


@pytest.mark.usefixtures("history")
def test_lost_bytes_are_told(home, tmp_path):
    shutil.copy(home.folder / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    with pytest.raises(DataError, match=r"the bytes of prices/.* as of 2026-03-02 are not at"):
        Deliveries(tmp_path, MONDAY).of(home.settings, "prices")


@pytest.mark.usefixtures("history")
def test_what_was_known_is_all_there_is(home):
    delivery = Deliveries(home.folder, MONDAY).of(home.settings, "macro")
    assert delivery.is_complete
    assert {file.name for file in delivery.source.files()} == {
        file.removeprefix("macro/") for file in delivery.fetched_at
    }


@pytest.mark.usefixtures("history")
def test_files_that_were_never_good_are_not_offered_again(home, tmp_path):
    (tmp_path / "raw").symlink_to(home.folder / "raw")
    work = tmp_path / "warehouse.duckdb"
    shutil.copy(home.folder / work.name, work)
    offered = Deliveries(tmp_path, MONDAY).of(home.settings, "prices").source.files()
    with duckdb.connect(str(work)) as connection:
        connection.execute(
            "insert into raw.snapshot by name select * replace ('prices/NEW.csv' as file, "
            "0 as rows, null as known_to) from raw.snapshot where data_set = 'prices' limit 1"
        )
    assert Deliveries(tmp_path, MONDAY).of(home.settings, "prices").source.files() == offered


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-3-2", "FACTOR_AS_OF '2026-3-2' is not a day; write it as YYYY-MM-DD"),
        ("2026-03-03", "FACTOR_AS_OF 2026-03-03 is in the future"),
    ],
)
def test_days_that_are_none_or_still_to_come_are_told(monkeypatch, text, said):
    monkeypatch.setenv(AS_OF_VARIABLE, text)
    with pytest.raises(SettingsError, match=said):
        as_of_day(MONDAY)


def test_today_and_no_day_are_days(monkeypatch):
    monkeypatch.delenv(AS_OF_VARIABLE, raising=False)
    assert as_of_day(MONDAY) is None
    monkeypatch.setenv(AS_OF_VARIABLE, "2026-03-02")
    assert as_of_day(MONDAY) == MONDAY
    assert working_folder(Path("home"), MONDAY) == Path("home/as_of/2026-03-02")
    assert working_folder(Path("home"), None) == Path("home")


def asked(monkeypatch: pytest.MonkeyPatch, folder: Path, *arguments: str):
    """Run a command in a home."""
    monkeypatch.setenv("FACTOR_HOME", str(folder))
    monkeypatch.setenv(AS_OF_VARIABLE, "")
    return CliRunner().invoke(app, arguments)


@pytest.mark.parametrize("command", [["sql", "select 1"], ["report"], ["trace", "panel.security"]])
def test_a_day_that_is_not_built_yet_is_told(monkeypatch, tmp_path, command):
    result = asked(monkeypatch, tmp_path, *command, "--as-of", "2020-01-31")
    assert isinstance(result.exception, QueryError)
    assert str(result.exception) == (
        "the warehouse as of 2020-01-31 is not built yet; "
        "run `factor-pipeline run --as-of 2020-01-31`"
    )


@pytest.mark.parametrize("command", ["run", "nightly"])
def test_a_home_that_knows_nothing_is_told_however_the_day_is_named(monkeypatch, tmp_path, command):
    monkeypatch.setenv("FACTOR_HOME", str(tmp_path))
    monkeypatch.setenv(AS_OF_VARIABLE, "2020-01-31")
    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, DataError)
    assert str(result.exception).startswith(f"nothing is known in {tmp_path} yet; ")


@pytest.mark.usefixtures("as_of_tuesday")
def test_a_query_is_answered_as_of_the_day(monkeypatch, home):
    query = "select count(distinct vintage) as editions from raw.french_return"
    then = asked(monkeypatch, home.folder, "sql", query, "--format", "csv", "--as-of", f"{TUESDAY}")
    now = asked(monkeypatch, home.folder, "sql", query, "--format", "csv")
    assert (then.stdout, now.stdout) == ("editions\n1\n", "editions\n2\n")


@pytest.mark.parametrize(
    ("day", "said"), [("2999-01-01", "is in the future"), ("yesterday", "is not a day")]
)
def test_a_wrong_day_is_wrong_use(monkeypatch, tmp_path, day, said):
    result = asked(monkeypatch, tmp_path, "sql", "select 1", "--as-of", day)
    assert said in f"{result.exception} {result.output}"
    assert "--as-of" in f"{result.exception} {result.output}"
    assert AS_OF_VARIABLE not in f"{result.exception} {result.output}"
    assert isinstance(result.exception, SettingsError) or result.exit_code == 2
