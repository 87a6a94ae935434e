"""The state of a small published file: counted by hand, and as pages for the browser."""

import re
import socket
from collections.abc import Iterator
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import duckdb
import pytest

from factor_pipeline.checks.data_docs import write_data_docs
from factor_pipeline.errors import QueryError, SettingsError
from factor_pipeline.quality_state import quality_state, table_state
from factor_pipeline.reporting.report import write_report
from tests.sql.small_market import SMALL_MARKET, published_file, rows

# Raised once, when Great Expectations is imported.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")

TODAY = date(2024, 3, 6)
READ = datetime(2024, 3, 2)  # noqa: DTZ001 - tables hold UTC without saying so
RULE = rows(
    "rule table_name kind severity finds",
    ("spike_reversal", "raw.price_daily", "flag", "warn", "A spike that goes back."),
    ("stale_price", "raw.price_daily", "flag", "warn", "The same close for days."),
    ("grain", "panel.security", "expectation", "error", "One row per security_id, ticker."),
)
FLAG = rows(
    "rule severity stage table_name subject fault_date known_date figure detail",
    *(
        ("spike_reversal", "warn", "data", "raw.price_daily", who, day, known, 0.5, f"spike {who}")
        for who, day, known in (
            ("A", date(2024, 1, 2), date(2024, 1, 3)),
            ("A", date(2024, 2, 1), date(2024, 2, 5)),
            ("B", date(2024, 1, 30), date(2024, 2, 6)),
        )
    ),
)
FRESHNESS = rows(
    "data_set source last_day max_age_days age_days is_stale files files_missing first_missing "
    "checked_at",
    ("macro", "fred", date(2024, 3, 1), 120, 1, False, 2, 1, "macro/CPI.csv", READ),
    ("prices", "acme", date(2024, 3, 1), 4, 1, False, 3, 0, None, READ),
)
# market_equity of the first is far above what is likely.
SECURITY_MONTH = [
    row | {"market_equity": 1e15} if i == 0 else row
    for i, row in enumerate(SMALL_MARKET["panel.security_month"])
]


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    given = SMALL_MARKET | {
        "quality.rule": RULE,
        "quality.flag": FLAG,
        "quality.freshness": FRESHNESS,
        "panel.security_month": SECURITY_MONTH,
        "quality.check_result": [
            *SMALL_MARKET["quality.check_result"],
            *rows(
                "table_name check_name severity passed failing_rows observed",
                ("panel.security_month", "likely_values", "warn", False, 1, "broken"),
                ("raw.price_daily", "spike_reversal", "warn", False, 3, "3 rows flagged"),
                ("raw.etf_daily", "grain", "error", True, 0, "0 repeated keys"),
            ),
        ],
    }
    return published_file(tmp_path_factory.mktemp("quality"), given)


def test_each_table_has_its_rows_checks_flags_and_quarantine(published):
    tables = {
        row["table_name"]: tuple(row.values())[1:]
        for row in quality_state(published, TODAY).tables.iter_rows(named=True)
    }
    # Rows, checks, passed, errors, warnings, flagged, quarantined.
    assert tables["panel.security"] == (7, 1, 1, 0, 0, 0, 0)
    assert tables["raw.price_daily"] == (2, 1, 0, 0, 1, 3, 3)
    assert tables["backtest.holding"][1:] == (1, 0, 1, 0, 0, 0)
    assert tables["quality.flag"] == (3, 0, 0, 0, 0, 0, 0)
    # Funds fill a part of a table, and have checks of their own.
    assert tables["raw.etf_daily"] == (None, 1, 1, 0, 0, 0, 0)
    with duckdb.connect(str(published), read_only=True) as connection:
        there = connection.sql(
            "select schema_name || '.' || table_name from duckdb_tables()"
        ).fetchall()
        counts = {name: len(connection.sql(f"from {name}").fetchall()) for (name,) in there}
    assert {name: row[0] for name, row in tables.items() if row[0] is not None} == counts


def test_rules_are_counted_whether_they_found_something_or_not(published):
    state = quality_state(published, TODAY)
    found = state.rules.select("rule", "flags", "subjects", "newest_fault").rows()
    assert found == [
        ("spike_reversal", 3, 2, date(2024, 2, 1)),
        ("stale_price", 0, 0, None),
    ]
    # The newest by the day they could be seen.
    assert state.flags["known_date"].to_list() == [
        date(2024, 2, 6),
        date(2024, 2, 5),
        date(2024, 1, 3),
    ]


def test_ages_are_those_of_the_day_of_asking_not_of_the_build(published):
    state = quality_state(published, TODAY)
    ages = state.ages.select("data_set", "age_days", "is_stale").rows()
    assert ages == [("macro", 5, False), ("prices", 5, True)]
    assert state.complaints == [
        "macro: 1 file is no longer offered, the first macro/CPI.csv; the last good rows stay",
        "prices: the data end on 2024-03-01; quality.max_age_days allows 4 days",
    ]


def test_a_document_for_scripts_holds_plain_values_only(published):
    document = quality_state(published, TODAY).as_document()
    assert set(document) == {
        *("build", "tables", "rules", "newest_flags", "quarantine", "freshness", "complaints")
    }

    def leaves(value: object) -> Iterator[object]:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from leaves(inner)
        else:
            yield value

    assert {type(leaf) for leaf in leaves(document)} <= {str, int, float, bool, type(None)}
    detail = table_state(published, "raw.price_daily").as_document()
    assert {type(leaf) for leaf in leaves(detail)} <= {str, int, float, bool, type(None)}


def test_a_table_is_told_in_detail_with_the_first_rows_that_are_unlikely(published):
    prices = table_state(published, "raw.price_daily")
    assert prices.checks["check_name"].to_list() == ["spike_reversal"]
    assert prices.flags["detail"].to_list() == ["spike B", "spike A", "spike A"]
    assert prices.quarantine["rule"].to_list() == ["sign", "error", "error"]
    assert prices.examples.is_empty()
    panel = table_state(published, "panel.security_month")
    ((rule, row),) = panel.examples.rows()
    assert rule == "market_equity is likely"
    assert row.startswith("market_equity 1000000000000000.0, security_id 1, month_end 2019-12-31")


def test_wrong_tables_and_files_are_named(published, tmp_path):
    with pytest.raises(SettingsError, match=r"there is no table panel\.nothing"):
        table_state(published, "panel.nothing")
    with pytest.raises(QueryError, match="nothing is published"):
        quality_state(tmp_path / "factors.duckdb", TODAY)
    old = tmp_path / "old.duckdb"
    old.write_bytes(published.read_bytes())
    with duckdb.connect(str(old)) as connection:
        connection.execute("drop table quality.freshness")
    with pytest.raises(QueryError, match=r"made by a release .* run `factor-pipeline run`"):
        quality_state(old, TODAY)


class Loads(HTMLParser):
    """What a page loads, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "a":
            self.links.append(given.get("href") or "")
        elif tag in {"script", "link", "img", "iframe"}:
            self.loaded.append(f"{tag} {given.get('src') or given.get('href')}")


def test_the_report_states_ages_rules_and_tables(published, tmp_path):
    page = write_report(published, tmp_path).read_text()
    text = re.sub(r"<[^>]+>|\u200b", " ", page[page.index('<section id="quality"') :])
    flat = " ".join(text.split())
    assert "macro fred 2024-03-01 1 120 2 missing files: 1" in flat
    # Old on the day of asking, not when it was read, which is what the page tells.
    assert "prices acme 2024-03-01 1 4 3 good" in flat
    assert "raw.price_daily 3 2 2024-02-01 A spike that goes back." in flat
    assert "Rules that found nothing: 1" in flat
    assert "2024-02-06 spike_reversal B 2024-01-30 spike B" in flat
    assert "State of each table" in flat


@pytest.mark.slow
def test_data_docs_are_pages_that_load_nothing_and_whose_links_lead_somewhere(
    published, tmp_path, monkeypatch
):
    def refused(*_: object) -> None:
        raise AssertionError("a connection is opened")

    monkeypatch.setattr(socket.socket, "connect", refused)
    index = write_data_docs(published, tmp_path / "docs")
    pages = sorted(index.parent.rglob("*.html"))
    text = index.read_text()
    assert "market_equity is likely" in text
    assert len(pages) > 80
    for page in pages:
        seen = Loads(page.read_text())
        assert seen.loaded == [], page
        assert "url(http" not in page.read_text()
        for link in seen.links:
            if not link.startswith(("#", "http")):
                assert (page.parent / link).is_file(), (page, link)
    shown = (index.parent / "validations" / "panel.security_month.html").read_text()
    assert "Unsuccessful Expectations" in shown
    assert "fa-times" in shown


def test_data_docs_that_cannot_be_written_name_the_folder(published, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"cannot write Data Docs to .*file/docs.*--docs"):
        write_data_docs(published, tmp_path / "file" / "docs")


def test_tables_come_in_the_order_in_which_data_flow(published):
    names = quality_state(published, TODAY).tables["table_name"].to_list()
    flow = ["raw.price_daily", "panel.security", "signal.characteristic", "backtest.summary"]
    assert [name for name in names if name in flow] == flow
