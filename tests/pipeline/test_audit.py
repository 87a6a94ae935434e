"""The audit passes an honest warehouse and catches leaks that are put in on purpose."""

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest
from typer.testing import CliRunner

from factor_pipeline.assets import panel, signals
from factor_pipeline.audit.filings import check_filings
from factor_pipeline.audit.perturbation import perturb
from factor_pipeline.audit.rebuild import rebuild
from factor_pipeline.audit.run import audit, default_cutoffs
from factor_pipeline.audit.survivorship import check_survivorship
from factor_pipeline.audit.truncation import truncate
from factor_pipeline.builds import State, record_build
from factor_pipeline.cli import app
from factor_pipeline.compute import panel as compute_panel
from factor_pipeline.compute.signals import known
from factor_pipeline.errors import DataError, SettingsError
from factor_pipeline.ingestion import Ingestion
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.raw import (
    BENCHMARK_DAILY,
    DELISTING,
    FRENCH_RETURN,
    FUNDAMENTAL,
    INDEX_MEMBER,
    MACRO,
    PRICE_DAILY,
)
from factor_pipeline.schemas.registry import DERIVED_TABLES, TABLES
from factor_pipeline.settings import DATA_SETS, parse_settings
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.sources.registry import source_of
from factor_pipeline.warehouse.store import Change, Warehouse

SMALL_MARKET = """
[simulation]
stocks = 80
years = 4
[portfolios]
min_market_stocks = 10
[backtest]
min_names = 3
"""
CUTOFF = date(2005, 12, 31)
DATED = (PRICE_DAILY, BENCHMARK_DAILY, MACRO, FRENCH_RETURN, DELISTING)


@pytest.fixture(scope="module")
def settings():
    document = {
        "simulation": {"stocks": 80, "years": 4},
        "portfolios": {"min_market_stocks": 10},
        "backtest": {"min_names": 3},
    }
    return parse_settings(document, base=None)


@pytest.fixture(scope="module")
def assets(settings, tmp_path_factory):
    """All table assets; the code location prepares a home when it is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FACTOR_HOME", str(tmp_path_factory.mktemp("location")))
        patch.delenv("FACTOR_CONFIG", raising=False)
        from factor_pipeline.definitions import table_assets  # noqa: PLC0415
    return table_assets(settings)


@pytest.fixture(scope="module")
def ingested(settings, tmp_path_factory):
    """A work file with the raw tables of a small market and nothing built."""
    folder = tmp_path_factory.mktemp("ingested")
    warehouse = Warehouse(folder / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    ingestion = Ingestion(
        warehouse, RawStore(folder / "raw"), 0.0, datetime(2024, 1, 1, tzinfo=UTC)
    )
    for data_set in DATA_SETS:
        ingestion.run(data_set, source_of(settings, data_set), ())
    return warehouse


@pytest.fixture(scope="module")
def build(ingested, settings, assets):
    """Build every month in a folder, with the code as patched by then."""

    def built(folder):
        shutil.copyfile(ingested.path, folder / "warehouse.duckdb")
        warehouse = Warehouse(folder / "warehouse.duckdb")
        last = State.of(warehouse).last_month(settings)
        months = MonthRange.of_months(settings.start_month, last)
        rebuild(warehouse, settings, months, assets)
        now = datetime(2024, 1, 1, tzinfo=UTC)
        record_build(warehouse, settings, months, run_id="test", now=now)
        return folder

    return built


@pytest.fixture(scope="module")
def honest(build, tmp_path_factory):
    """A home whose derived tables are built by the code as it is."""
    return build(tmp_path_factory.mktemp("honest"))


@pytest.fixture(scope="module")
def report(honest, settings, assets):
    return audit(honest, settings, assets)


@pytest.fixture
def leaks(build, settings, assets, tmp_path):
    """Build with the code as patched by then, audit, and give the findings that offend by check."""

    def found():
        result = audit(build(tmp_path), settings, assets, [CUTOFF])
        return {finding.check: finding for finding in result.leaks}

    return found


def test_an_honest_warehouse_has_no_offending_cell(report):
    assert report.leaks == ()
    assert [finding.first for finding in report.findings] == [None] * len(report.findings)


def test_each_default_month_is_cut_and_changed_then_all_months_are_checked(report):
    assert report.frame().select("check", "at").rows() == [
        ("truncation", "2004-10"),
        ("perturbation", "2004-10"),
        ("truncation", "2005-06"),
        ("perturbation", "2005-06"),
        ("truncation", "2006-12"),
        ("perturbation", "2006-12"),
        ("filing", "all months"),
        ("survivorship", "all months"),
    ]


def test_every_table_with_dates_is_compared_and_later_cutoffs_compare_more(report):
    truncations = [f for f in report.findings if f.check == "truncation"]
    monthly = [table for table in DERIVED_TABLES if "month_end" in table.column_names]
    assert {finding.tables for finding in truncations} == {len(monthly) + 1}  # and price_check
    rows = [finding.rows for finding in truncations]
    assert rows == sorted(set(rows))
    assert rows[0] > 0


def test_the_checks_of_all_months_have_something_to_check(report, honest):
    warehouse = Warehouse(honest / "warehouse.duckdb")
    used = warehouse.read(
        "select (select count(shares) from panel.security_month) "
        "+ (select count(book_to_market) + count(book_to_market_monthly) "
        "+ count(earnings_to_price) + count(gross_profitability) "
        "from signal.characteristic)"
    ).item()
    held = warehouse.read("select count(*) from backtest.holding where weight <> 0").item()
    rows = {finding.check: finding.rows for finding in report.findings}
    assert rows["filing"] == used > 0
    assert rows["survivorship"] == warehouse.table(TABLES["panel.security_month"]).height + held
    assert warehouse.table(TABLES["backtest.ledger"]).height > 0


def test_todays_index_list_used_as_history_is_caught(leaks, monkeypatch):
    honest = panel.security_months

    def with_todays_list(inputs, *rest):
        today = inputs.members.filter(pl.col("end_date").is_null())
        always = today.with_columns(start_date=pl.lit(date(1900, 1, 1)))
        return honest(replace(inputs, members=always), *rest)

    monkeypatch.setattr(panel, "security_months", with_todays_list)
    found = leaks()
    for check in ("truncation", "perturbation"):
        first = found[check].first
        assert (first.table, first.column) == ("panel.security_month", "index_member")
        assert {first.stored, first.expected} == {"True", "False"}


def test_restated_book_equity_used_from_the_first_filing_on_is_caught(leaks, monkeypatch):
    honest = panel.balance_facts

    def with_last_restatement(balance, **rules):
        facts = honest(balance, **rules)
        period = ("security_id", "period_end")
        return facts.with_columns(pl.col("book_equity").last().over(period, order_by="filed_at"))

    monkeypatch.setattr(panel, "balance_facts", with_last_restatement)
    found = leaks()
    for check in ("truncation", "perturbation", "filing"):
        assert found[check].first.table == "signal.characteristic"
        assert found[check].first.column in {"book_to_market", "book_to_market_monthly"}
    assert "filed on" in found["filing"].first.stored


def test_a_filing_used_on_its_own_day_is_caught(build, settings, monkeypatch, tmp_path):
    honest = compute_panel.latest_public

    def with_same_day(rows, facts, **rules):
        early = facts.with_columns(pl.col("filed_at").dt.offset_by("-1d"))
        return honest(rows, early, **rules)

    monkeypatch.setattr(compute_panel, "latest_public", with_same_day)
    monkeypatch.setattr(known, "latest_public", with_same_day)
    finding = check_filings(Warehouse(build(tmp_path) / "warehouse.duckdb"), settings)
    assert finding.cells > 0
    first = finding.first
    assert (first.table, first.column) in {
        ("panel.security_month", "shares"),
        ("signal.characteristic", "book_to_market_monthly"),
    }
    filed = first.stored.removesuffix(")").split()[-1]
    assert first.expected == f"a figure filed before {filed}"


def test_restated_income_used_from_the_first_filing_on_is_caught(leaks, monkeypatch):
    honest = panel.statement_facts

    def with_last_restatement(statements, **rules):
        facts = honest(statements, **rules)
        period = ("security_id", "period_end")
        return facts.with_columns(pl.col("net_income").last().over(period, order_by="filed_at"))

    monkeypatch.setattr(panel, "statement_facts", with_last_restatement)
    found = leaks()
    for check in ("truncation", "perturbation", "filing"):
        assert found[check].first.table == "signal.characteristic"
    assert found["filing"].first.column == "earnings_to_price"


def test_a_price_carried_on_after_the_delisting_is_caught(
    build, settings, monkeypatch, ingested, tmp_path
):
    honest = panel.security_months

    def carried_on(inputs, months, rules):
        frame = honest(inputs, months, rules)
        final = frame.filter(pl.col("flags").str.contains("delisted"))
        after = final.with_columns(
            month_end=pl.col("month_end").dt.offset_by("1mo").dt.month_end(),
            ret=pl.lit(0.0),
            flags=pl.lit(None, dtype=pl.String),
        ).filter(pl.col("month_end") < months.end)
        return pl.concat([frame, after])

    monkeypatch.setattr(panel, "security_months", carried_on)
    finding = survivorship(build(tmp_path), settings)
    assert (finding.first.table, finding.first.column) == ("panel.security_month", "row")
    assert (finding.first.stored, finding.first.expected) == ("a row", "(no such row)")
    first_delisting = ingested.table(DELISTING)["date"].min()
    month_after = add_months(add_months(first_delisting, 2), 0) - timedelta(days=1)
    assert finding.first.key.endswith(f"month_end={month_after}")


def test_a_security_missing_before_it_was_delisted_is_caught(
    build, settings, monkeypatch, tmp_path
):
    honest = panel.security_months

    def survivors_only(inputs, months, rules):
        frame = honest(inputs, months, rules)
        left = frame.filter(pl.col("flags").str.contains("delisted"))
        return frame.join(left, on="security_id", how="anti")

    monkeypatch.setattr(panel, "security_months", survivors_only)
    first = survivorship(build(tmp_path), settings).first
    assert (first.table, first.column) == ("panel.security_month", "row")
    assert (first.stored, first.expected) == ("(no such row)", "a row")


def test_an_exit_that_the_ledger_leaves_out_is_caught(honest, settings, tmp_path):
    shutil.copyfile(honest / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    ledger = TABLES["backtest.ledger"]
    gone = warehouse.table(ledger).sort("month_end", "strategy", "security_id").row(0, named=True)
    scope = {key: gone[key] for key in ledger.key}
    warehouse.replace(ledger, ledger.empty(), **scope)
    finding = survivorship(tmp_path, settings)
    assert finding.cells == 1
    assert (finding.first.table, finding.first.stored) == ("backtest.ledger", "(no such row)")
    assert f"strategy={gone['strategy']}, security_id={gone['security_id']}" in finding.first.key


def test_a_score_standardised_over_all_months_is_caught(leaks, monkeypatch):
    honest = signals.characteristics

    def standardised(*inputs, **rules):
        reversal = pl.col("reversal_1")
        z_score = (reversal - reversal.mean()) / reversal.std()
        return honest(*inputs, **rules).with_columns(reversal_1=z_score)

    monkeypatch.setattr(signals, "characteristics", standardised)
    found = leaks()
    assert set(found) == {"truncation", "perturbation"}
    for finding in found.values():
        assert (finding.first.table, finding.first.column) == (
            "signal.characteristic",
            "reversal_1",
        )
        assert finding.cutoff == CUTOFF
        assert float(finding.first.stored) != float(finding.first.expected)


def test_after_a_cut_nothing_dated_later_is_left_but_splits_in_share_counts(ingested, tmp_path):
    copy = copied(ingested, tmp_path)
    # The simulated vendor counts shares as filed; this one restates them to the end of 2007.
    filings = copy.table(FUNDAMENTAL).with_columns(shares_basis_date=pl.lit(date(2007, 12, 31)))
    copy.replace(FUNDAMENTAL, filings)
    prices = copy.table(PRICE_DAILY)
    later_splits = prices.filter(pl.col("date") > CUTOFF, pl.col("split") != 1)
    truncate(copy, CUTOFF, filing_lag_months=4)
    for table in DATED[1:]:
        assert copy.table(table)["date"].max() <= CUTOFF
    left = copy.table(PRICE_DAILY).filter(pl.col("date") > CUTOFF)
    public = copy.table(FUNDAMENTAL).filter(pl.col("filed_at") <= CUTOFF)
    known = set(public["vendor_id"]) & set(prices.filter(pl.col("date") <= CUTOFF)["vendor_id"])
    expected = later_splits.filter(pl.col("vendor_id").is_in(known)).sort("vendor_id", "date")
    assert left.height > 0
    assert left.select("vendor_id", "split").equals(expected.select("vendor_id", "split"))
    assert set(left["close"]) == {1.0}
    assert set(left["dividend"]) == {0.0}
    assert left["adjusted_close"].null_count() == left.height
    assert left["date"].max() < CUTOFF + timedelta(days=31)
    members = copy.table(INDEX_MEMBER)
    assert members["start_date"].max() <= CUTOFF
    assert members["end_date"].drop_nulls().max() <= CUTOFF
    later = copy.table(FUNDAMENTAL).filter(pl.col("filed_at") > CUTOFF)
    assert set(later["statement"]) == {"income"}
    assert later.select(pl.selectors.float()).null_count().row(0) == (later.height,) * 14


def test_a_change_of_the_future_leaves_the_past_alone_and_is_the_same_each_time(ingested, tmp_path):
    changed, again = copied(ingested, tmp_path / "a"), copied(ingested, tmp_path / "b")
    for copy in (changed, again):
        perturb(copy, CUTOFF, filing_lag_months=4, seed=1)
    for table in (*DATED, FUNDAMENTAL, INDEX_MEMBER):
        day = {"fundamental": "filed_at", "index_member": "start_date"}.get(table.name, "date")
        before, after = ingested.table(table), changed.table(table)
        is_past = pl.col(day) <= CUTOFF
        past, past_after = before.filter(is_past), after.filter(is_past)
        if table is INDEX_MEMBER:
            ends = pl.when(pl.col("end_date") <= CUTOFF).then("end_date").alias("end_date")
            past, past_after = past.with_columns(ends), past_after.with_columns(ends)
        assert past.equals(past_after)
        assert not before.filter(~is_past).equals(after.filter(~is_past))
        assert after.equals(again.table(table))
    splits = pl.col("vendor_id", "date", "split")
    assert (
        ingested.table(PRICE_DAILY).select(splits).equals(changed.table(PRICE_DAILY).select(splits))
    )


def test_the_default_months_are_an_ordinary_one_a_june_and_a_december_in_order():
    ends = [add_months(date(2001, 1, 1), i + 1) - timedelta(days=1) for i in range(240)]
    assert default_cutoffs(ends) == [date(2005, 1, 31), date(2010, 6, 30), date(2014, 12, 31)]
    assert default_cutoffs(ends[:1]) == [date(2001, 1, 31)]
    assert default_cutoffs([]) == []


def test_the_warehouse_is_only_read_and_the_copies_are_removed(honest, settings, assets):
    before = (honest / "warehouse.duckdb").read_bytes()

    def stop(title, *_):
        assert [path.name for path in honest.glob("audit-*/*")] != []
        if title.startswith("perturbation"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        audit(honest, settings, assets, [date(2004, 2, 1)], on_step=stop)
    assert list(honest.glob("audit-*")) == []
    assert (honest / "warehouse.duckdb").read_bytes() == before


def test_a_month_that_is_not_complete_is_refused(honest, settings, assets):
    with pytest.raises(SettingsError, match="--at 2008-01 is not a complete month"):
        audit(honest, settings, assets, [date(2008, 1, 1)])


def test_stale_months_are_refused(honest, settings, assets, tmp_path):
    shutil.copyfile(honest / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    warehouse = Warehouse(tmp_path / "warehouse.duckdb")
    builds = TABLES["quality.build"]
    other = warehouse.table(builds).with_columns(settings=pl.lit("{}"))
    warehouse.write([Change(builds, other, "true", {})])
    with pytest.raises(DataError, match="factor-pipeline run"):
        audit(tmp_path, settings, assets)


def test_a_folder_without_a_warehouse_is_refused(settings, assets, tmp_path):
    with pytest.raises(DataError, match="no warehouse"):
        audit(tmp_path, settings, assets)


@pytest.mark.parametrize("leaking", [False, True])
def test_the_command_prints_what_it_compared_and_exits_with_1_on_a_leak(
    leaking, honest, monkeypatch, tmp_path
):
    config = tmp_path / "settings.toml"
    config.write_text(SMALL_MARKET)
    shutil.copyfile(honest / "warehouse.duckdb", tmp_path / "warehouse.duckdb")
    if leaking:
        months = TABLES["panel.security_month"]
        warehouse = Warehouse(tmp_path / "warehouse.duckdb")
        raised = warehouse.table(months).with_columns(pl.col("price") * 1.01)
        warehouse.replace(months, raised)
    monkeypatch.setenv("FACTOR_HOME", str(tmp_path))
    monkeypatch.setenv("FACTOR_CONFIG", str(config))
    result = CliRunner().invoke(app, ["audit", "--config", str(config), "--at", "2004-02"])
    assert result.exit_code == int(leaking), result.output
    assert "truncation    2004-02" in result.output
    assert ("LEAK truncation at 2004-02: first panel.security_month.price" in result.output) == (
        leaking
    )


def survivorship(home, settings):
    warehouse = Warehouse(home / "warehouse.duckdb")
    last = State.of(warehouse).last_month(settings)
    return check_survivorship(warehouse, MonthRange.of_months(settings.start_month, last))


def copied(ingested, folder):
    folder.mkdir(exist_ok=True)
    shutil.copyfile(ingested.path, folder / "copy.duckdb")
    return Warehouse(folder / "copy.duckdb")
