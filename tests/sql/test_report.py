"""The report from small published files, read as a browser would."""

import base64
import hashlib
import json
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

import duckdb
import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.performance import summary
from factor_pipeline.errors import QueryError, SettingsError
from factor_pipeline.reporting.report import SECTIONS, write_report
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.warehouse.models import load_sql, sql_folder
from factor_pipeline.warehouse.query import query_published
from tests.sql.small_market import (
    APR,
    BACKTEST_RETURN,
    BUILD,
    FEB,
    JAN,
    MAR,
    SMALL_MARKET,
    month_ends,
    published_file,
    rows,
)

LIMIT_BYTES = 5_000_000
# A tag that closes itself.
VOID = {"meta", "img", "br", "wbr", "link", "input", "hr"}
# Doubles: the witness sums in another order.
ROUNDING = 1e-12


@dataclass
class Page(HTMLParser):
    """What a page consists of."""

    html: str
    tags: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    text: str = ""
    _rows: list[list[str]] = field(default_factory=list)
    _caption: str = ""

    def __post_init__(self):
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in VOID:
            return
        self.open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        elif tag == "tr":
            self._rows.append([])
        elif tag in {"td", "th"}:
            self._rows[-1].append("")
        elif tag == "script":
            self.scripts.append("")
        elif tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closes another one"
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data):
        within = self.open[-1] if self.open else ""
        if within == "script":
            self.scripts[-1] += data
        elif within == "style":
            self.styles[-1] += data
        else:
            self.text += data
        if "caption" in self.open:
            self._caption += data
        elif "td" in self.open or "th" in self.open:
            self._rows[-1][-1] += data

    def values(self, *names: str) -> list[str]:
        return [attrs[name] for _, attrs in self.tags for name in names if name in attrs]


def market(**changes):
    returns = pl.DataFrame(BACKTEST_RETURN)
    rates = returns.group_by("month_end").agg(rf=pl.col("cash_ret").max()).drop_nulls()
    known = returns.filter(pl.col("net").is_not_null())
    figures = summary(known, rates).to_dicts()
    return SMALL_MARKET | {"backtest.summary": figures} | changes


def page_of(published) -> Page:
    return Page(write_report(published, published.parent / "reports").read_text())


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return published_file(tmp_path_factory.mktemp("report"), market())


@pytest.fixture(scope="module")
def page(published):
    return page_of(published)


def test_every_tag_is_closed_and_every_id_is_used_once(page):
    assert page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert all(target[1:] in ids for target in page.values("href"))


def test_the_page_loads_nothing(page):
    assert all(value.startswith(("#", "data:")) for value in page.values("src", "href"))
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    assert not any(re.search(r"@import|url\(", style) for style in page.styles)
    assert not page.values("srcset", "action", "formaction", "data-src")


def test_the_policy_of_the_page_allows_its_own_scripts_and_no_other(page):
    (policy,) = (attrs["content"] for _, attrs in page.tags if "http-equiv" in attrs)
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]
    run = [s for s in page.scripts if not s.startswith("{")]
    assert len(run) == 2
    for script in run:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy


def test_the_page_is_small_enough_to_send(page):
    assert len(page.html.encode()) < LIMIT_BYTES


def test_every_section_is_there_or_says_that_it_is_not(page):
    ids = page.values("id")
    assert [one for one in ids if one in {s.name for s in SECTIONS}] == [s.name for s in SECTIONS]
    shown = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert {"headline", "summary", "performance", "monthly", "library", "quality"} <= shown
    for section in SECTIONS:
        assert section.name in shown or f"{section.title}: " in page.text


def test_every_chart_has_its_data_a_description_and_a_picture(page):
    (charts,) = (json.loads(s) for s in page.scripts if s.startswith("{"))
    holders = {a["id"]: a for _, a in page.tags if a.get("class") == "chart"}
    assert set(holders) == set(charts)
    assert all(holder["aria-label"] for holder in holders.values())
    assert all(spec["data"]["values"] for spec in charts.values())
    pictures = [attrs for tag, attrs in page.tags if tag == "img"]
    assert len(pictures) == len(charts)
    for picture in pictures:
        drawn = base64.b64decode(picture["src"].removeprefix("data:image/svg+xml;base64,"))
        assert drawn.startswith(b"<svg")
        assert b"var(--" not in drawn


def test_the_summary_table_says_what_backtest_summary_says(page, published):
    heads, *body = page.tables["Strategies"]
    figures = query_published(published, "select * from backtest.summary")
    shown = {"Return p.a.": "cagr", "Volatility": "volatility", "Sharpe": "sharpe"}
    shown |= {"Drawdown": "max_drawdown", "Alpha p.a.": "alpha", "t of alpha": "alpha_t"}
    assert [row[0] for row in body] == ["benchmark", "momentum", "value"]
    told = 0
    for row in body:
        for head, metric in shown.items():
            value = figures.filter(strategy=row[0], metric=metric)["value"].item()
            text = row[heads.index(head)]
            if value is None:
                assert text == "–"
                continue
            told += 1
            number = text.replace("−", "-").removesuffix("%")
            scale = 100 if text.endswith("%") else 1
            half_a_digit = 0.5 * 10.0 ** -len(number.partition(".")[2])
            assert float(number) == pytest.approx(scale * value, abs=half_a_digit + ROUNDING)
    assert told >= 4


def test_the_dates_of_the_deepest_drawdown_stand_beside_it(page):
    heads, *body = page.tables["Strategies"]
    momentum = dict(zip(heads, body[1], strict=True))
    assert (momentum["Peak"], momentum["Trough"], momentum["Recovered"]) == (
        "2020-02",
        "2020-03",
        "2020-04",
    )


def test_the_page_says_so_when_data_are_simulated(tmp_path, page):
    assert "SIMULATED DATA" in page.text
    real = [row | {"simulated": False} for row in BUILD]
    assert (
        "SIMULATED" not in page_of(published_file(tmp_path, market(**{"quality.build": real}))).text
    )


def test_quality_counts_what_is_wrong(page):
    assert "1 passed, 1 warn, 1 failed" in page.text
    assert page.tables["Checks that did not pass"][1][:3] == [
        "expectations",
        "backtest.holding",
        "failed",
    ]
    assert len(page.tables["Left out: files and rows in quarantine"]) == 3


def test_nothing_published_says_to_run_first(tmp_path):
    with pytest.raises(QueryError, match="run `factor-pipeline run` first"):
        write_report(tmp_path / "factors.duckdb", tmp_path)


def test_a_folder_that_cannot_be_written_to_is_named(published, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="name another folder with --out"):
        write_report(published, tmp_path / "file")


def test_the_same_file_gives_the_same_bytes(published, page, tmp_path):
    assert write_report(published, tmp_path).read_text() == page.html


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\"}]};alert('1')//",
    "a.b['c']\\",
)


def test_names_from_data_are_text_and_never_markup(tmp_path):
    returns = [
        {"strategy": name, "month_end": month, "net": 0.01 * i, "gross": 0.01, "cash_ret": 0.0}
        for name in HOSTILE
        for i, month in enumerate(month_ends(2020, 1, 4))
    ]
    bad = HOSTILE[0]
    page = page_of(
        published_file(
            tmp_path,
            market(
                **{
                    "backtest.backtest_return": returns,
                    "backtest.summary": [
                        {"strategy": name, "metric": "cagr", "value": 0.1} for name in HOSTILE
                    ],
                    "panel.security": rows("security_id ticker name", (1, bad, bad)),
                    "quality.check_result": rows(
                        "table_name check_name severity passed observed",
                        (bad, bad, "warn", False, HOSTILE[1]),
                    ),
                    "raw.ingest_log": rows("data_set source file sha256", (bad, bad, bad, bad)),
                }
            ),
        )
    )
    assert page.open == []
    assert len(page.scripts) == 3
    assert all(value.startswith("data:image/svg+xml") for value in page.values("src"))
    assert not [name for _, attrs in page.tags for name in attrs if name.startswith("on")]
    assert [row[0] for row in page.tables["Strategies"][1:]] == sorted(HOSTILE)
    (charts,) = (json.loads(s) for s in page.scripts if s.startswith("{"))
    told = [one["title"] for one in charts["chart-growth"]["layer"][1]["encoding"]["tooltip"][1:]]
    assert told == sorted(HOSTILE)


def without(published, folder, statement: str):
    copy = folder / "factors.duckdb"
    copy.write_bytes(published.read_bytes())
    with duckdb.connect(str(copy)) as connection:
        for one in statement.split(";"):
            connection.execute(one)
    return copy


def test_a_file_with_nothing_but_its_build_still_makes_a_page(published, tmp_path):
    drops = ";".join(
        f"drop table {name}"
        for name in query_published(
            published,
            "select schema_name || '.' || table_name from duckdb_tables() "
            "where schema_name || '.' || table_name != 'quality.build'",
        ).to_series()
    )
    page = page_of(without(published, tmp_path, drops))
    shown = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert shown == {"methodology", "provenance"}
    assert page.text.count("not in this build") >= len(SECTIONS) - len(shown)


def test_a_column_that_is_missing_is_named_and_costs_one_part_only(published, tmp_path):
    page = page_of(without(published, tmp_path, "alter table backtest.summary drop column value"))
    shown = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert "summary" not in shown
    assert {"performance", "monthly", "library"} <= shown
    assert re.search(r"summary table: not in this build \(.*value", page.text)


def test_every_query_of_the_report_on_tables_there_are_can_be_answered(published):
    names = sorted(path.stem for path in (sql_folder() / "report").glob("*.sql"))
    assert len(names) > 15
    for name in names:
        query = load_sql(f"report/{name}")
        asked = set(re.findall(r"\b(?:from|join|unpivot) (\w+\.\w+)", query))
        assert asked, name
        if asked <= set(TABLES):
            query_published(published, query)


# Tables with the columns the report reads, whatever else they have.
OTHER_TABLES = """
create or replace table risk.beta_portfolio_return as
    select 'FF3' as model, 'beta_hml' as loading, cell, 'value' as weighting, month_end, 0.01 as ret
    from (values ('Q1'), ('Q5'), ('Q5-Q1')) as cells(cell),
        (values (date '2020-01-31'), (date '2020-02-29')) as months(month_end);
create or replace table factor.statistics as
    select 'HML' as factor, 'own' as source, null::varchar as vintage, 'full' as period,
        date '2020-01-31' as first_month, date '2021-12-31' as last_month, 24 as months,
        0.03 as annual_return, 0.1 as volatility, 0.3 as sharpe, 1.2 as t_newey_west, 2 as nw_lag,
        -0.2 as max_drawdown, 0.4 as p_adjusted, 'not significant' as verdict;
create or replace table factor.correlation as
    select 'own' as source, null::varchar as vintage, 'HML' as factor_a, 'UMD' as factor_b,
        24 as months, -0.42 as correlation;
create or replace table factor.regime_performance as
    select 'UMD' as factor, 'own' as source, null::varchar as vintage, 'final' as variant, regime,
        30 as months, date '2020-01-31' as first_month, date '2021-12-31' as last_month,
        0.05 as annual_mean, 1.0 as t, 2.5 as difference_t
    from (values ('recession'), ('expansion')) as regimes(regime);
create or replace table factor.regime_claim as
    select 'final' as variant, 'own' as source, null::varchar as vintage, 'recession' as regime,
        'hurts' as effect, 'momentum' as exposure, 'UMD' as factor, 30 as months,
        -0.01 as difference, -1.7 as difference_t, 'supported' as verdict;
create or replace table factor.etf_loading as
    select 'IWM' as ticker, 'Carhart' as model, 'SMB' as factor, '202402' as vintage, 60 as months,
        date '2020-01-31' as first_month, date '2024-12-31' as last_month,
        0.83 as beta, 9.0 as t, 0.95 as r2;
create or replace table factor.etf_check as
    select 'IWM' as ticker, 'small' as promise, 'Carhart' as model, 'SMB' as factor,
        'above' as relation, 0.0 as level, 0.83 as estimate, 9.0 as t, 60 as months,
        'as promised' as verdict;
create or replace table backtest.illustration as
    select 'value' as subject, 'cagr' as metric, 0.082 as quoted, 0.101 as ours,
        date '2020-01-31' as first_month, date '2024-12-31' as last_month, 'why' as explanation;
create or replace table backtest.exposure as
    select 'value' as strategy, date '2020-01-31' as month_end, 'FF3' as model,
        1.0 as beta_mkt, 0.25 as beta_hml
"""


def test_tables_of_fuller_builds_have_their_sections(published, tmp_path):
    page = page_of(without(published, tmp_path, OTHER_TABLES))
    shown = {attrs["id"] for tag, attrs in page.tags if tag == "section"}
    assert shown >= {s.name for s in SECTIONS} - {"deciles"}
    (charts,) = (json.loads(s) for s in page.scripts if s.startswith("{"))
    assert charts["chart-beta-hml"]["data"]["values"][-1]["s0"] == pytest.approx(1.0201)
    assert [v["label"] for v in charts["chart-regime-UMD"]["data"]["values"]] == [
        "expansion",
        "recession",
    ]
    assert page.tables["Correlations, own"][1] == ["HML", "1", "−0.42−0.4"]
    assert page.tables["Statistics of factors, all months"][1][:2] == ["HML", "own"]
    assert page.tables["A widely quoted illustration, and these data"][1][2:4] == ["8.2%", "10.1%"]
    (loadings,) = (rows for caption, rows in page.tables.items() if caption.startswith("Carhart"))
    assert loadings == [
        ["Fund", "SMB", "R²", "Months of data"],
        ["IWM", "0.83", "0.95", "2020-01 to 2024-12"],
    ]
    (betas,) = (rows for caption, rows in page.tables.items() if caption.startswith("Betas of the"))
    assert betas[1][:3] == ["value", "1.00", "0.25"]
    assert " to " in betas[1][3]


def test_growth_and_drawdowns_by_hand(published):
    path = query_published(published, load_sql("report/strategy_path"))
    value = path.filter(strategy="value")
    assert value["month_end"].to_list() == [FEB, MAR, APR]
    assert value["growth"].to_list() == pytest.approx([0.9, 1.08, 1.188])
    assert value["drawdown"].to_list() == pytest.approx([-0.1, 0.0, 0.0])
    assert value["year_return"].to_list() == pytest.approx([0.188] * 3)
    # The benchmark is a month older: its growth starts with the others, its drawdown does not.
    benchmark = path.filter(strategy="benchmark")
    assert benchmark["month_end"].to_list() == [JAN, FEB, MAR, APR]
    assert benchmark["growth"].to_list() == pytest.approx([None, 1.02, 1.02**2, 1.02**3])


def test_rolling_figures_equal_those_of_the_last_36_months_alone(tmp_path):
    months = month_ends(2015, 1, 48)
    rng = np.random.default_rng(7)
    rf = rng.uniform(0.0, 0.002, 48)
    index = rng.normal(0.01, 0.04, 48)
    own = 0.5 * index + rng.normal(0.002, 0.02, 48)
    gap = 5
    returns = [
        {"strategy": name, "month_end": month, "net": ret, "gross": ret, "cash_ret": rate}
        for name, series in (("benchmark", index), ("own", own))
        for i, (month, ret, rate) in enumerate(zip(months, series, rf, strict=True))
        if name == "benchmark" or i != gap
    ]
    published = published_file(tmp_path, {"backtest.backtest_return": returns})
    path = query_published(published, load_sql("report/strategy_path")).filter(strategy="own")
    told = {row["month_end"]: row for row in path.iter_rows(named=True)}
    for i, month in enumerate(months):
        if i == gap:
            continue
        row, window = told[month], slice(i - 35, i + 1)
        if i < gap + 36:
            assert row["rolling_sharpe"] is None
            assert row["rolling_beta"] is None
            continue
        excess, market_excess = (own - rf)[window], (index - rf)[window]
        sharpe = excess.mean() / excess.std(ddof=1) * np.sqrt(12)
        assert row["rolling_sharpe"] == pytest.approx(sharpe, abs=ROUNDING)
        slope = np.polyfit(market_excess, excess, 1)[0]
        assert row["rolling_beta"] == pytest.approx(slope, abs=ROUNDING)


def test_what_is_charted_is_limited_to_what_can_be_told_apart(tmp_path):
    returns = [
        {"strategy": f"s{i:02}", "month_end": month, "net": 0.01, "gross": 0.01, "cash_ret": 0.0}
        for i in range(20)
        for month in month_ends(2020, 1, 3)
    ]
    page = page_of(published_file(tmp_path, market(**{"backtest.backtest_return": returns})))
    assert "13 more strategies are in the table only" in page.text
