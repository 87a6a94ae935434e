"""Traces on a handmade warehouse, so small that the files of a row can be listed by hand."""

import json
import shutil
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.builds import code_version, settings_json
from factor_pipeline.compute.factors import FORMULAS
from factor_pipeline.errors import QueryError, SettingsError
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.settings import Settings
from factor_pipeline.sources.rawstore import RawStore, sha256
from factor_pipeline.trace.command import trace_and_tell
from factor_pipeline.trace.graph import Node, declared_assets, links_behind
from factor_pipeline.trace.trace import Trace, trace
from tests.sql.small_market import Row, month_ends, published_file, rows

FETCHED = datetime.fromisoformat("2015-01-05T06:00:00")
MONTHS = month_ends(2010, 1, 60)
LAST = MONTHS[-1]
# Stocks 1 and 2 have a file each. Stock 1 traded under another ticker, with a file of its own,
# till the end of 2011; stock 3 has the ticker that stock 1 had then.
BYTES = {
    "prices/OLDA.csv": b"old alfa",
    "prices/ALFA.csv": b"alfa",
    "prices/BETA.csv": b"beta",
    "prices/OLDA2.csv": b"another old alfa",
    "library/201412/three.zip": b"three factors",
    "library/201412/momentum.zip": b"momentum",
    "library/201312/three.zip": b"three factors of the year before",
    "library/201412/daily.zip": b"daily factors",
    "fundamentals/balance.zip": b"balance sheets",
    "membership/index.csv": b"members",
    "benchmark/INDEX.csv": b"levels",
    "macro/USREC.csv": b"recessions",
}
SPELLS = rows(
    "security_id firm_id vendor_id ticker valid_from valid_to",
    (1, 1, "OLDA", "OLDA", date(2009, 12, 1), date(2011, 12, 30)),
    (1, 1, "ALFA", "ALFA", date(2012, 1, 2), date(2014, 12, 31)),
    (2, 2, "BETA", "BETA", date(2009, 12, 1), date(2014, 12, 31)),
    (3, 3, "OLDA2", "OLDA", date(2012, 1, 2), date(2014, 12, 31)),
)
FILE_OF = {spell["vendor_id"]: f"prices/{spell['vendor_id']}.csv" for spell in SPELLS}
"""Each vendor's identifier has a file."""


def price_rows() -> list[Row]:
    """Give one price per month and spell, on its last weekday but one."""
    days = [date(2009, 12, 30), *(end - timedelta(days=2) for end in MONTHS)]
    return [
        {"vendor_id": s["vendor_id"], "ticker": s["ticker"], "date": day, "close": 1.0}
        | {"split": 1.0, "file": FILE_OF[s["vendor_id"]]}
        for s in SPELLS
        for day in days
        if s["valid_from"] <= day <= s["valid_to"]
    ]


def library_rows() -> tuple[list[Row], list[Row]]:
    """Give library returns, and the rows of the files they are from."""
    series = {
        ("MKT", "Mkt-RF", "F-F_Research_Data_Factors", "three"),
        ("SMB", "SMB", "F-F_Research_Data_Factors", "three"),
        ("HML", "HML", "F-F_Research_Data_Factors", "three"),
        ("RF", "RF", "F-F_Research_Data_Factors", "three"),
        ("UMD", "Mom", "F-F_Momentum_Factor", "momentum"),
    }
    returns, files = [], []
    for vintage in ("201312", "201412"):
        for i, (factor, name, data_set, file) in enumerate(sorted(series)):
            if vintage == "201312" and file == "momentum":
                continue
            for j, end in enumerate(MONTHS):
                value = {"vintage": vintage} | {"ret": i + j / 100}
                returns.append(value | {"month_end": end, "factor": factor, "source": "library"})
                files.append(
                    {"data_set": data_set, "vintage": vintage, "frequency": "monthly"}
                    | {"series": name, "date": end, "value": value["ret"], "block": ""}
                    | {"file": f"library/{vintage}/{file}.zip"}
                )
    return returns, files


def stock_rows() -> list[Row]:
    tickers = {1: "ALFA", 2: "BETA", 3: "OLDA"}
    return [
        {"security_id": i, "firm_id": i, "ticker": ticker, "month_end": end, "last_date": end}
        for i, ticker in tickers.items()
        for end in MONTHS
        if i < 3 or end.year >= 2012
    ]


def market() -> dict[str, list[Row]]:
    returns, library = library_rows()
    keyed = {"security_id": 1, "month_end": LAST}
    return {
        "raw.price_daily": price_rows(),
        "raw.french_return": library,
        "raw.ingest_log": [
            {"data_set": name.partition("/")[0], "source": "acme", "file": name}
            | {"sha256": sha256(content), "ingested_at": FETCHED}
            | {"vintage": name.split("/")[1] if name.startswith("library") else None}
            for name, content in BYTES.items()
        ],
        "raw.fundamental": rows(
            "vendor_id firm statement period_end filed_at file",
            (
                "ALFA",
                "1",
                "balance",
                date(2013, 12, 31),
                date(2014, 3, 1),
                "fundamentals/balance.zip",
            ),
        ),
        "raw.macro": [{"series": "USREC", "date": MONTHS[0], "file": "macro/USREC.csv"}],
        "raw.index_member": rows(
            "ticker start_date end_date file",
            ("ALFA", date(2012, 1, 2), None, "membership/index.csv"),
        ),
        "raw.benchmark_daily": rows(
            "data_set symbol date adjusted_close file",
            *(("benchmark", "SIMTR", end, 1.0, "benchmark/INDEX.csv") for end in MONTHS),
        ),
        "panel.security": SPELLS,
        "panel.security_month": stock_rows(),
        "panel.book_equity": [
            {"security_id": 1, "period_end": date(2013, 12, 31), "filed_at": date(2014, 3, 1)}
        ],
        "risk.rolling_beta": [
            {"security_id": i, "month_end": LAST, "model": model, "n": 60}
            for i in (1, 2)
            for model in ("CAPM", "FF3", "Carhart")
        ],
        "risk.market_beta": [{"security_id": 1, "month_end": date(2009, 12, 31)}],
        "factor.factor_return": [
            *returns,
            {"factor": "HML", "month_end": LAST, "source": "own", "ret": 0.01},
        ],
        "portfolio.portfolio_return": [
            {"sort": "size_value_2x3", "cell": cell, "weighting": "value", "month_end": LAST}
            for cell in ("SV", "SN", "SG", "BV", "BN", "BG")
        ]
        + rows(
            "sort cell weighting month_end",
            ("size_tercile", "High-Low", "value", LAST),
        ),
        "portfolio.assignment": rows(
            "sort security_id month_end cell",
            ("size_value_2x3", 1, LAST, "SV"),
            ("size_value_2x3", 2, LAST, "BG"),
            ("size_tercile", 1, LAST, "Low"),
            ("size_tercile", 2, LAST, "High"),
            ("size_tercile", 3, LAST, "Medium"),
        ),
        "signal.characteristic": [keyed, {"security_id": 2, "month_end": LAST}],
        "signal.definition": rows("signal family", ("size", "size")),
        "backtest.backtest_return": [{"strategy": "benchmark", "month_end": LAST, "net": 0.0}],
        "quality.quarantine": rows(
            "data_set file sha256 row rule reason",
            ("prices", "prices/BETA.csv", sha256(BYTES["prices/BETA.csv"]), 7, "sign", "below 0"),
        ),
        "panel.price_check": [
            {"security_id": 2, "ticker": "BETA", "date": LAST - timedelta(days=2)}
        ],
        "quality.build": rows(
            "build run_id month_start month_end settings code_version finished_at",
            (1, "first", date(2010, 1, 1), date(2014, 11, 30), settings(), "c1", FETCHED),
            (2, "second", date(2014, 12, 1), LAST, settings(), "c2", FETCHED),
        ),
    }


def settings() -> str:
    """Give settings in which the window of betas is 24 months."""
    stored = json.loads(settings_json(Settings()))
    stored["betas"]["window_months"] = 24
    return json.dumps(stored)


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("home")
    published_file(folder, market())
    store = RawStore(folder / "raw")
    for content in BYTES.values():
        store.put(content, sha256(content))
    return folder


def traced(home: Path, table: str, *words: str, columns: tuple[str, ...] = ()) -> Trace:
    return trace(home / "factors.duckdb", table, words, columns, home / "raw")


def files(found: Trace) -> dict[str, int]:
    return {file.name: sum(file.rows.values()) for file in found.files}


def steps(found: Trace) -> dict[str, int]:
    return {step.node.name: step.span.rows for step in found.path.steps}


def test_a_beta_leads_to_the_prices_of_its_window_and_the_library_of_its_model(home):
    found = traced(home, "risk.rolling_beta", "security_id=2", "month=2014-12", "model=FF3")
    # 24 months and the month before the first return; four factors of the three-factor file.
    assert files(found) == {"prices/BETA.csv": 25, "library/201412/three.zip": 24 * 4}
    assert steps(found)["panel.security_month"] == 24


def test_another_model_leads_to_its_own_factors(home):
    capm = traced(home, "risk.rolling_beta", "security_id=2", "month=2014-12", "model=CAPM")
    carhart = traced(home, "risk.rolling_beta", "security_id=2", "month=2014-12", "model=Carhart")
    assert files(capm)["library/201412/three.zip"] == 24 * 2
    assert files(carhart)["library/201412/momentum.zip"] == 24


def test_a_month_leads_to_the_file_of_the_vendor_that_had_the_stock_then(home):
    before = traced(
        home, "panel.security_month", "security_id=1", "month=2011-06", columns=("ret",)
    )
    after = traced(home, "panel.security_month", "security_id=1", "month=2014-06", columns=("ret",))
    between = traced(
        home, "panel.security_month", "security_id=1", "month=2012-01", columns=("ret",)
    )
    assert files(before) == {"prices/OLDA.csv": 2}
    assert files(after) == {"prices/ALFA.csv": 2}
    assert files(between) == {"prices/OLDA.csv": 1, "prices/ALFA.csv": 1}


def test_columns_lead_to_what_they_are_made_of(home):
    key = ("panel.security_month", "security_id=1", "month=2014-12")
    assert "fundamentals/balance.zip" in files(traced(home, *key, columns=("shares",)))
    assert files(traced(home, *key, columns=("index_member",))) == {"membership/index.csv": 1}
    assert files(traced(home, *key, columns=("price",))) == {"prices/ALFA.csv": 2}


def test_a_filing_counts_from_the_month_it_was_public_in(home):
    early = traced(home, "panel.security_month", "security_id=1", "month=2014-02")
    late = traced(home, "panel.security_month", "security_id=1", "month=2014-03")
    assert "panel.book_equity" not in steps(early)
    assert steps(late)["panel.book_equity"] == 1


@pytest.mark.parametrize("factor", ["MKT", "SMB", "HML", "RF", "UMD"])
def test_a_library_factor_is_one_row_of_one_file_with_the_same_value(home, factor):
    key = ("vintage=201412", "source=library", "month=2012-05", f"factor={factor}")
    found = traced(home, "factor.factor_return", *key)
    (file,) = found.files
    raw = pl.DataFrame(library_rows()[1])
    behind = raw.filter(
        (pl.col("file") == file.name)
        & (pl.col("date") == date(2012, 5, 31))
        & (pl.col("value") == found.row["ret"])
    )
    assert behind.height == sum(file.rows.values()) == 1


def test_an_own_factor_leads_to_the_cells_of_its_formula_and_their_members(home):
    found = traced(home, "factor.factor_return", "source=own", "factor=HML", "month=2014-12")
    (formula,) = [formula for formula in FORMULAS if formula.factor == "HML"]
    assert steps(found)["portfolio.portfolio_return"] == len(formula.long + formula.short) == 4
    assert steps(found)["portfolio.assignment"] == 2


def test_a_cell_and_a_spread_have_their_members(home):
    cell = traced(
        home, "portfolio.portfolio_return", "sort=size_value_2x3", "cell=SV", "month=2014-12"
    )
    spread = traced(home, "portfolio.portfolio_return", "cell=High-Low", "month=2014-12")
    assert steps(cell)["portfolio.assignment"] == 1
    assert steps(spread)["portfolio.assignment"] == 2


def test_other_stocks_of_the_month_are_counted_and_not_followed(home):
    found = traced(home, "risk.rolling_beta", "security_id=2", "month=2014-12", "model=FF3")
    (others,) = found.path.others
    assert others.link.into == ("beta_mkt_shrunk",)
    assert others.span.rows == 1
    narrow = traced(
        home,
        *("risk.rolling_beta", "security_id=2", "month=2014-12", "model=FF3"),
        columns=("beta_mkt",),
    )
    assert not narrow.path.others


def test_the_benchmark_leads_to_its_levels_alone(home):
    found = traced(home, "backtest.backtest_return", "strategy=benchmark", "month=2014-12")
    assert files(found) == {"benchmark/INDEX.csv": 2, "library/201412/three.zip": 1}


def test_a_row_names_the_build_that_made_its_month(home):
    december = traced(home, "panel.security_month", "security_id=1", "month=2014-12")
    november = traced(home, "panel.security_month", "security_id=1", "month=2014-11")
    assert december.build["run_id"] == "second"
    assert november.build["run_id"] == "first"
    assert november.build["settings"]["betas"]["window_months"] == 24
    # What is not built by month follows from the last build.
    assert traced(home, "panel.security", "security_id=2").build["run_id"] == "second"
    assert traced(home, "raw.macro", "series=USREC").build is None


def test_what_follows_from_the_code_alone_has_no_file(home):
    assert not traced(home, "signal.definition", "signal=size").files


def test_a_ticker_is_the_security_that_traded_under_it_then(home):
    def found(ticker: str, month: str) -> object:
        key = (f"ticker={ticker}", f"month={month}", "model=FF3")
        return traced(home, "risk.rolling_beta", *key).row["security_id"]

    assert found("ALFA", "2014-12") == 1
    with pytest.raises(QueryError, match="no row with"):  # by then the ticker was that of stock 3
        found("OLDA", "2014-12")


def test_unknown_names_are_answered_with_what_to_type(home):
    with pytest.raises(SettingsError, match=r"did you mean risk\.rolling_beta"):
        traced(home, "panel.rolling_beta", "security_id=1")
    with pytest.raises(SettingsError, match=r"did you mean risk\.rolling_beta"):
        traced(home, "risk.roling_beta", "security_id=1")
    with pytest.raises(SettingsError, match=r"its key is security_id=\.\.\. month_end=\.\.\."):
        traced(home, "panel.security_month", "security=1")
    with pytest.raises(SettingsError, match="column=value"):
        traced(home, "panel.security_month", "ALFA")
    with pytest.raises(SettingsError, match="write a number"):
        traced(home, "panel.security_month", "security_id=ALFA")
    with pytest.raises(SettingsError, match="YYYY-MM"):
        traced(home, "panel.security_month", "month=2014-13")
    with pytest.raises(SettingsError, match='no column "beta"'):
        traced(home, "risk.rolling_beta", "security_id=1", columns=("beta",))


def test_a_key_of_several_rows_is_answered_with_what_tells_them_apart(home):
    with pytest.raises(SettingsError, match=r"add model=CAPM or model=Carhart or model=FF3$"):
        traced(home, "risk.rolling_beta", "security_id=1", "month=2014-12")


def test_a_row_that_is_not_there_is_an_error_of_its_own(home):
    with pytest.raises(QueryError, match="has no row with security_id=9"):
        traced(home, "panel.security_month", "security_id=9", "month=2014-12")


def test_quotes_in_a_key_are_only_text(home):
    with pytest.raises(QueryError, match="has no row with"):
        traced(home, "signal.definition", "signal=' or 1=1 --")


def test_an_empty_value_is_null_or_where_there_is_no_null_empty(home):
    found = traced(home, "factor.factor_return", "factor=HML", "vintage=", "month=2014-12")
    assert found.row["source"] == "own"
    key = ("vintage=201412", "series=HML", "date=2014-12-31")
    assert traced(home, "raw.french_return", *key, "block=").row["block"] == ""


def test_it_prints_a_tree_with_hashes(home, capsys):
    key = ["security_id=2", "month=2014-12", "model=FF3"]
    assert trace_and_tell(home, "risk.rolling_beta", key, verify=True)
    told = capsys.readouterr().out
    assert sha256(BYTES["prices/BETA.csv"]) in told
    assert "verified" in told
    assert "betas.window_months=24" in told
    assert "panel.security_month  24 rows, 2013-01-31 to 2014-12-31" in told


def test_the_warehouse_of_a_day_is_traced_to_the_bytes_of_the_home(home, tmp_path):
    day = date(2015, 1, 31)
    of_the_day = tmp_path / "as_of" / f"{day}"
    of_the_day.mkdir(parents=True)
    shutil.copy(home / "factors.duckdb", of_the_day)
    shutil.copytree(home / "raw", tmp_path / "raw")
    key = ["security_id=2", "month=2014-12", "model=FF3"]
    assert trace_and_tell(tmp_path, "risk.rolling_beta", key, verify=True, day=day)
    with pytest.raises(QueryError, match="nothing is published"):
        trace_and_tell(tmp_path, "risk.rolling_beta", key)


def test_scripts_get_the_same_as_json(home, capsys):
    key = ["security_id=2", "month=2014-12", "model=FF3"]
    assert trace_and_tell(home, "risk.rolling_beta", key, output="json")
    document = json.loads(capsys.readouterr().out)
    assert document["key"] == {"security_id": 2, "month_end": "2014-12-31", "model": "FF3"}
    assert document["build"]["code_version"] == "c2"
    (library, prices) = document["files"]
    assert prices["sha256"] == sha256(BYTES["prices/BETA.csv"])
    assert Path(prices["path"]).read_bytes() == BYTES["prices/BETA.csv"]
    assert (library["vintage"], library["state"]) == ("201412", "kept")
    assert document["made_of"][0]["table"] == "risk.rolling_beta"


def test_changed_or_missing_bytes_are_told(home, tmp_path, capsys):
    shutil.copy(home / "factors.duckdb", tmp_path)
    store = RawStore(tmp_path / "raw")
    store.put(BYTES["library/201412/three.zip"], sha256(BYTES["library/201412/three.zip"]))
    store.put(b"tampered", sha256(BYTES["prices/BETA.csv"]))
    key = ["security_id=2", "month=2014-12", "model=FF3"]
    assert not trace_and_tell(tmp_path, "risk.rolling_beta", key, verify=True)
    assert "CHANGED" in capsys.readouterr().out
    store.path_of(sha256(BYTES["prices/BETA.csv"])).unlink()
    assert not trace_and_tell(tmp_path, "risk.rolling_beta", key, verify=True)
    assert "missing" in capsys.readouterr().out


def test_rejected_and_disputed_rows_lead_to_their_files(home):
    assert files(traced(home, "quality.quarantine", "row=7")) == {"prices/BETA.csv": 1}
    # The price of the day and that before it, which is in the month before.
    assert files(traced(home, "panel.price_check", "security_id=2")) == {"prices/BETA.csv": 2}


def test_betas_on_own_factors_lead_to_own_factors():
    (asset,) = [asset for asset in declared_assets() if ROLLING_BETA in asset.tables]

    def sources(factors: str) -> set[str]:
        links = links_behind(Node(ROLLING_BETA, (), asset), ["beta_hml"], lambda _: factors)
        return {link.source.name for link in links if link.reader.table == ROLLING_BETA}

    assert sources("library") == {"panel.security_month", "factor.factor_return (library)"}
    assert sources("own") == sources("library") | {"factor.factor_return (own)"}


def test_what_a_trace_asks_of_a_source_narrows_what_is_asked_of_its_sources():
    (asset,) = [asset for asset in declared_assets() if ROLLING_BETA in asset.tables]
    links = links_behind(Node(ROLLING_BETA, (), asset), ["beta_hml"], lambda _: "library")
    raw = {link.source.name: set(link.columns) for link in links if link.source.asset is None}
    assert raw.keys() == {"raw.price_daily", "raw.french_return", "raw.listing", "raw.delisting"}
    assert "volume" not in raw["raw.price_daily"]
    assert raw["raw.listing"] == {"exchange"}


def test_a_build_by_another_release_and_a_month_no_build_covers_are_told(home, capsys):
    trace_and_tell(home, "panel.security_month", ["security_id=1", "month=2014-12"])
    assert f"c2, traced by {code_version()}" in capsys.readouterr().out
    trace_and_tell(home, "risk.market_beta", [])
    assert "by no build that is logged" in capsys.readouterr().out
