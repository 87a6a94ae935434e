"""The truth of a simulated market as tables: under the warehouse's own identities, made once."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.assets import truth as asset
from factor_pipeline.assets.common import Run
from factor_pipeline.assets.panel import security
from factor_pipeline.compute.truth import identified
from factor_pipeline.errors import DataError
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.schemas.registry import TABLES, TRUTH_TABLES
from factor_pipeline.settings import parse_settings
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.sources.registry import simulation_of, source_of
from factor_pipeline.sources.simulated import release, truth
from factor_pipeline.warehouse.store import Warehouse

DOCUMENT = {"stocks": 40, "years": 4, "seed": 5, "premia": {"hml": 0.1}}
SETTINGS = parse_settings({"simulation": DOCUMENT}, base=Path())
MONTHS = MonthRange(date(2004, 1, 1), date(2008, 1, 1))


def filled(run):
    """Fill the tables as the asset does."""
    for table, frame in zip(TRUTH_TABLES, asset.market.build(run), strict=True):
        run.warehouse.replace(table, frame)
    return {table.name: run.warehouse.table(table) for table in TRUTH_TABLES}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A warehouse with identities, and the tables of the truth filled."""
    folder = tmp_path_factory.mktemp("truth")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    ingestion = Ingestion(
        warehouse, RawStore(folder / "raw"), 0.0, datetime(2024, 1, 1, tzinfo=UTC)
    )
    for data_set in ("prices", "listing", "fundamentals", "delisting"):
        ingestion.run(data_set, source_of(SETTINGS, data_set), ())
    ready = Run(warehouse, SETTINGS, MONTHS)
    warehouse.replace(SECURITY, security.build(ready)[0])
    filled(ready)
    yield ready
    release()


@pytest.fixture
def generations(monkeypatch):
    """Count how often the asset asks for the truth."""
    asked = []

    def counted(content):
        asked.append(content)
        return truth(simulation_of(SETTINGS))

    monkeypatch.setattr(asset, "truth_behind", counted)
    return asked


@pytest.fixture(scope="module")
def tables(run):
    return {table.name: run.warehouse.table(table) for table in TRUTH_TABLES}


@pytest.fixture(scope="module")
def true():
    return truth(simulation_of(SETTINGS))


@pytest.fixture(scope="module")
def vendor_ids(run):
    return run.warehouse.table(SECURITY).select("security_id", "vendor_id").unique()


@pytest.mark.parametrize(
    ("table", "frame", "date_column"),
    [
        ("beta", "betas", "month_end"),
        ("security_return", "returns", "month_end"),
        ("delisting", "delistings", "date"),
    ],
)
def test_every_row_is_found_again_under_the_vendors_name(
    tables, true, vendor_ids, table, frame, date_column
):
    expected = true[frame]
    known = tables[table].join(vendor_ids, on="security_id").select(expected.columns)
    assert expected.height > 0
    assert known.sort("vendor_id", date_column).equals(expected)


def test_factors_and_premia_have_the_names_of_the_factor_tables(tables, true):
    factors = tables["factor_return"].pivot("factor", index="month_end", values="ret")
    assert factors.columns[1:] == ["CMA", "HML", "MKT", "RF", "RMW", "SMB", "UMD"]
    for name in factors.columns[1:]:
        assert factors[name].to_list() == true["factors"][name.lower()].to_list()
    premia = dict(tables["premium"].iter_rows())
    assert premia == {"CMA": 0.025, "HML": 0.1, "MKT": 0.07, "RMW": 0.03, "SMB": 0.02, "UMD": 0.07}


def test_the_market_is_named_by_the_hash_of_the_file_that_was_ingested(run, tables):
    (row,) = tables["market"].to_dicts()
    assert row["parameters_sha256"] == sha256(simulation_of(SETTINGS).to_json())
    log = run.warehouse.read("select distinct sha256 from raw.ingest_log")
    assert log["sha256"].to_list() == [row["parameters_sha256"]]
    assert (row["stocks"], row["years"], row["start"], row["seed"], row["constant_betas"]) == (
        40,
        4,
        date(2004, 1, 1),
        5,
        False,
    )


def test_a_second_run_generates_nothing_and_leaves_every_row(run, tables, generations):
    assert generations == []
    again = filled(run)
    assert generations == []
    assert all(again[name].equals(frame) for name, frame in tables.items())


@pytest.mark.parametrize("what", ["code", "identities"])
def test_truth_is_made_again_when_what_it_was_made_from_changes(
    run, tables, generations, monkeypatch, what
):
    securities = run.warehouse.table(SECURITY)
    if what == "code":
        monkeypatch.setattr(asset, "code_version", lambda: "another release")
    else:
        other = securities.with_columns(security_id=pl.col("security_id") + 1)
        run.warehouse.replace(SECURITY, other)
    made = asset.market.build(run)
    run.warehouse.replace(SECURITY, securities)
    assert len(generations) == 1
    shift = 0 if what == "code" else 1
    beta = tables["beta"].with_columns(security_id=pl.col("security_id") + shift)
    assert made[1].equals(beta.select(made[1].columns))


def test_prices_of_another_market_are_refused(run):
    other = parse_settings({"simulation": DOCUMENT | {"seed": 6}}, base=Path())
    with pytest.raises(DataError, match=r"not those of the simulated market .* run"):
        asset.market.build(Run(run.warehouse, other, MONTHS))


def test_a_spliced_series_is_two_securities_and_one_before_its_first_day_is_none():
    days = [date(2020, 1, 1), date(2020, 2, 15)]
    securities = pl.DataFrame({"vendor_id": "A", "valid_from": days, "security_id": [1, 2]})
    ends = [date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)]
    frame = pl.DataFrame({"vendor_id": "A", "month_end": ends, "ret": [0.1, 0.2, 0.3, 0.4]})
    found = identified(frame, securities, day="month_end")
    assert found.select("security_id", "ret").rows() == [(None, 0.1), (1, 0.2), (2, 0.3), (2, 0.4)]
