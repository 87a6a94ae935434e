import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from factor_pipeline import builds as builds_module
from factor_pipeline.builds import (
    State,
    begin_build,
    code_version,
    forget_other_months,
    record_build,
    settings_json,
)
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.quality import BUILD, PENDING
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings import Settings, parse_settings
from factor_pipeline.warehouse.store import Warehouse

NOW = datetime(2024, 1, 2, 3, 4, tzinfo=UTC)
DOCUMENT = {"first_month": "2020-01", "simulation": {"start": "2020-01", "years": 3}}
SETTINGS = parse_settings(DOCUMENT, base=Path())


def month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def months(text: str) -> MonthRange:
    """``"2020-01..2020-03"``: the months from the first to the last, both included."""
    first, last = text.split("..")
    return MonthRange.of_months(month(first), month(last))


def changed(**sections: object) -> Settings:
    return parse_settings({**DOCUMENT, **sections}, base=Path())


@dataclass(frozen=True)
class Site:
    """A warehouse with prices up to a day, in which builds are recorded and inputs change."""

    warehouse: Warehouse
    settings: Settings = SETTINGS

    @property
    def state(self) -> State:
        return State.of(self.warehouse)

    def prices_until(self, day: str) -> "Site":
        row = dict.fromkeys(PRICE_DAILY.column_names, 1.0)
        names = {"vendor_id": "A", "ticker": "A", "file": "prices/A.csv"}
        row |= {
            "date": date.fromisoformat(day),
            "known_from": NOW.replace(tzinfo=None),
            **names,
        }
        self.warehouse.replace(PRICE_DAILY, pl.DataFrame([row]))
        return self

    def change(self, day: str, data_set: str = "prices") -> "Site":
        row = {"data_set": data_set, "changed_from": date.fromisoformat(day)}
        self.warehouse.replace(PENDING, pl.DataFrame([row]), data_set=data_set)
        return self

    def build(self, text: str, settings: Settings | None = None) -> "Site":
        record_build(self.warehouse, settings or self.settings, months(text), run_id="run", now=NOW)
        return self

    def begin(self, text: str | None, run_id: str = "killed") -> "Site":
        """Begin a build that never ends."""
        begin_build(self.warehouse, month(text) if text else None, run_id=run_id)
        return self

    def needed(self, settings: Settings | None = None) -> str | None:
        needed = self.state.needed(settings or self.settings)
        return str(needed).replace(" to ", "..") if needed else None

    def stale(self, settings: Settings | None = None) -> str | None:
        stale = self.state.first_stale_month(settings or self.settings)
        return f"{stale:%Y-%m}" if stale else None


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def site(tmp_path, empty_file):
    return Site(Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb")))


@pytest.fixture
def built(site):
    """Prices to the middle of October 2020, every month built from them."""
    return site.prices_until("2020-10-14").change("2020-01-02").build("2020-01..2020-10")


# --- What is needed --------------------------------------------------------------------------


def test_without_prices_nothing_is_needed(site):
    assert site.needed() is None
    assert site.state.last_month(SETTINGS) is None


@pytest.mark.parametrize(
    ("data_end", "last"),
    [
        ("2020-10-14", "2020-10"),  # October is partial: its signals are known, no return
        ("2020-09-29", "2020-09"),  # the 30th is missing: September is partial
        ("2020-09-30", "2020-10"),
        ("2020-10-30", "2020-11"),  # a Friday, the last trading day of October
    ],
)
def test_the_last_month_is_the_one_after_the_last_complete_one(site, data_end, last):
    site.prices_until(data_end)
    assert site.state.last_month(SETTINGS) == month(last)
    assert site.needed() == f"2020-01..{last}"


def test_the_settings_may_end_earlier(site):
    site.prices_until("2020-10-14")
    assert site.needed(changed(last_month="2020-05")) == "2020-01..2020-05"


def test_prices_that_end_before_the_first_month_need_nothing(site):
    site.prices_until("2019-06-28")
    assert site.needed() is None


def test_after_a_full_build_nothing_is_needed_or_stale(built):
    assert (built.needed(), built.stale()) == (None, None)
    assert built.warehouse.table(PENDING).is_empty()


def test_new_days_of_the_running_month_make_it_stale(built):
    built.prices_until("2020-10-20").change("2020-10-15")
    assert (built.stale(), built.needed()) == ("2020-10", "2020-10..2020-10")


def test_a_new_month_is_missing_and_the_one_before_stale(built):
    built.prices_until("2020-11-03").change("2020-10-15")
    assert (built.stale(), built.needed()) == ("2020-10", "2020-10..2020-11")
    built.build("2020-10..2020-11")
    assert (built.stale(), built.needed()) == (None, None)


def test_a_month_that_is_only_missing_is_not_stale(built):
    built.prices_until("2020-11-03")
    assert (built.stale(), built.needed()) == (None, "2020-11..2020-11")


def test_changed_inputs_make_months_stale_from_their_first_day_on(built):
    built.change("2020-06-17").change("2020-04-30", "fundamentals")
    assert (built.stale(), built.needed()) == ("2020-04", "2020-04..2020-10")


def test_a_change_before_the_first_month_makes_every_month_stale(built):
    built.change("1900-01-01")
    assert built.needed() == "2020-01..2020-10"
    built.build("2020-01..2020-10")
    assert (built.stale(), built.needed()) == (None, None)


@pytest.mark.parametrize(
    "section",
    [
        {"panel": {"filing_lag_months": 5}},
        {"backtest": {"top_share": 0.3}},
        {"quality": {"exclude": ["ticker_splice"]}},
        {"library": {"vintage": "202412"}},
        {"simulation": {"start": "2020-01", "years": 3, "seed": 2}},
    ],
)
def test_other_settings_make_every_month_stale(built, section):
    settings = changed(**section)
    assert (built.stale(settings), built.needed(settings)) == ("2020-01", "2020-01..2020-10")
    built.build("2020-01..2020-10", settings)
    assert built.stale(settings) is None
    assert built.stale() == "2020-01", "the old settings would need their own build"


@pytest.mark.parametrize(
    "section",
    [
        {"schedule": {"cron": "0 4 * * *"}},
        {"quality": {"max_bad_file_share": 0.5}},
        {"quality": {"max_changed_share": 0.5}},
        {"quality": {"max_lost_share": 0.9}},
        {"quality": {"max_age_days": {"prices": 9}}},
        {"prices": {"exclude": ["x"]}},
        {"last_month": "2020-10"},
    ],
)
def test_settings_that_no_number_depends_on_make_nothing_stale(built, section):
    assert built.stale(changed(**section)) is None


def test_where_files_are_is_neither_published_nor_makes_anything_stale(tmp_path):
    def moved(folder: str) -> Settings:
        (tmp_path / folder).mkdir()
        document = {
            "first_month": "2020-01",
            "prices": {"source": "alphavantage", "path": folder},
            "library": {"source": "ken_french", "path": folder},
            "backtest": {"universe": "all"},
        }
        return parse_settings(document, base=tmp_path)

    here, there = moved("here"), moved("there")
    assert settings_json(here) == settings_json(there)
    assert str(tmp_path) not in settings_json(here)
    assert '"source":"alphavantage"' in settings_json(here)


def test_other_code_makes_every_month_stale(built, monkeypatch):
    monkeypatch.setattr(builds_module, "code_version", lambda: "0" * 16)
    assert (built.stale(), built.needed()) == ("2020-01", "2020-01..2020-10")


def test_the_code_version_changes_with_modules_and_sql(tmp_path, monkeypatch):
    package = tmp_path / "factor_pipeline"
    package.mkdir()
    monkeypatch.setattr(builds_module, "__file__", str(package / "builds.py"))
    monkeypatch.setattr(builds_module, "sql_folder", lambda: tmp_path / "sql")
    (tmp_path / "sql").mkdir()
    versions = set()
    for path, text in (
        (package / "a.py", "1"),
        (package / "a.py", "2"),
        (package / "sub" / "a.py", "2"),
        (tmp_path / "sql" / "a.sql", "select 1"),
        (tmp_path / "sql" / "a.sql", "select 2"),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        versions.add(code_version.__wrapped__())
    (package / "notes.txt").write_text("not code")
    versions.add(code_version.__wrapped__())
    assert len(versions) == 5


# --- Builds of a part ------------------------------------------------------------------------


def test_a_first_build_of_a_part_is_not_stale_but_leaves_the_rest_missing(site):
    site.prices_until("2020-10-14").change("2020-01-02").build("2020-04..2020-06")
    assert site.stale() is None
    assert site.needed() == "2020-01..2020-10"


def test_months_built_before_earlier_ones_are_stale_once_these_are_there(site):
    site.prices_until("2020-10-14").change("2020-01-02").build("2020-04..2020-06")
    site.build("2020-01..2020-03")
    # April to June were computed without the months before them.
    assert (site.stale(), site.needed()) == ("2020-04", "2020-04..2020-10")
    site.build("2020-04..2020-10")
    assert (site.stale(), site.needed()) == (None, None)


def test_pieces_in_order_add_up_to_a_full_build(site):
    site.prices_until("2020-10-14").change("2020-01-02")
    for piece in ("2020-01..2020-03", "2020-04..2020-06", "2020-07..2020-10"):
        site.build(piece)
    assert (site.stale(), site.needed()) == (None, None)


def test_building_a_part_again_changes_nothing(built):
    built.build("2020-03..2020-05")
    assert (built.stale(), built.needed()) == (None, None)


def test_a_part_of_what_changed_leaves_the_rest_stale(built):
    built.change("2020-03-10").build("2020-01..2020-05")
    assert (built.stale(), built.needed()) == ("2020-06", "2020-06..2020-10")
    built.build("2020-06..2020-10")
    assert (built.stale(), built.needed()) == (None, None)


def test_a_part_after_what_changed_leaves_it_stale(built):
    built.change("2020-03-10").build("2020-06..2020-10")
    assert (built.stale(), built.needed()) == ("2020-03", "2020-03..2020-10")


def test_a_part_before_what_changed_leaves_it_stale(built):
    built.change("2020-08-10").build("2020-01..2020-05")
    assert (built.stale(), built.needed()) == ("2020-08", "2020-08..2020-10")


def test_a_part_with_other_settings_makes_what_follows_stale(built):
    settings = changed(panel={"filing_lag_months": 5})
    built.build("2020-04..2020-06", settings)
    assert built.stale(settings) == "2020-01"
    built.build("2020-01..2020-03", settings)
    # They have the new settings already, but were computed from months with the old ones.
    assert built.stale(settings) == "2020-04"
    assert built.needed(settings) == "2020-04..2020-10"


# --- Builds that never end -------------------------------------------------------------------


def test_months_that_a_build_began_to_overwrite_are_stale_whatever_settings_come_next(built):
    built.begin("2020-04")
    assert (built.stale(), built.needed()) == ("2020-04", "2020-04..2020-10")
    built.build("2020-04..2020-10")
    assert (built.stale(), built.needed()) == (None, None)
    assert built.warehouse.table(PENDING).is_empty()


def test_the_earliest_month_of_all_unfinished_builds_counts(built):
    built.begin("2020-06", "first").begin("2020-04", "second").begin("2020-08", "second")
    assert built.stale() == "2020-04"
    built.build("2020-04..2020-05")
    assert (built.stale(), built.needed()) == ("2020-06", "2020-06..2020-10")


def test_a_build_that_ends_leaves_no_trace_of_its_beginning(built):
    built.begin("2020-03", "run").build("2020-03..2020-05")
    assert (built.stale(), built.needed()) == (None, None)


def test_a_month_half_made_for_the_first_time_is_stale_until_it_is_built(built):
    built.prices_until("2020-11-03").begin("2020-11")
    assert (built.stale(), built.needed()) == ("2020-11", "2020-11..2020-11")
    built.build("2020-01..2020-05")
    assert built.stale() == "2020-11"
    built.build("2020-10..2020-10")
    assert built.stale() == "2020-11"
    built.build("2020-11..2020-11")
    assert (built.stale(), built.needed()) == (None, None)


def test_tables_of_all_months_are_new_with_the_last_one(built):
    built.begin(None)
    assert (built.stale(), built.needed()) == ("2020-10", "2020-10..2020-10")


def test_tables_of_all_months_make_nothing_stale_before_the_first_build(site):
    site.prices_until("2020-10-14").begin(None)
    assert site.stale() is None


def test_rows_of_a_month_half_made_leave_when_the_settings_end_before_it(built):
    fill(built, "2020-01..2020-11")
    built.prices_until("2020-11-03").begin("2020-11")
    ends = changed(last_month="2020-10")
    forget_other_months(built.warehouse, ends)
    assert rows_of(built, "own")[-1] == "2020-10"
    assert built.stale(ends) is None


SPAN = 5
HALF = "half made"


def sound_months(history: list[tuple[str, int, int]]) -> set[int]:
    """Months an exact ledger would call sound: each remembers what it was computed from.

    ``history`` holds builds ``("build", first, last)``, builds that never end ("kill") and changes
    ``("change", first, 0)``.
    """
    made, truth = ledger(history)
    return {m for m in made if made[m] == truth[m]}


def ledger(history: list[tuple[str, int, int]]) -> tuple[dict[int, object], dict[int, object]]:
    """Return what each month was computed from, and what it ought to be computed from."""
    version = dict.fromkeys(range(SPAN), 0)  # of the inputs of each month
    made: dict[int, object] = {}
    for kind, first, last in history:
        if kind == "change":
            version |= {m: v + 1 for m, v in version.items() if m >= first}
        elif kind == "kill":
            made |= dict.fromkeys(range(first, last + 1), HALF)
        else:
            for m in range(first, last + 1):
                made[m] = (version[m], made.get(m - 1))
    truth: dict[int, object] = {}
    for m in range(SPAN):
        truth[m] = (version[m], truth.get(m - 1))
    return made, truth


def after_build(state: State, span: MonthRange) -> State:
    row = {
        "build": state.builds.height + 1,
        "month_start": span.start,
        "month_end": add_months(span.end, -1),
        "settings": settings_json(SETTINGS),
        "code_version": code_version(),
    }
    builds = pl.concat([state.builds, pl.DataFrame([row])], how="diagonal_relaxed")
    left = state.unfinished_after(SETTINGS, span)
    pending = min(filter(None, (state.pending_after(SETTINGS, span), left)), default=None)
    return State(builds, pending, state.data_end, left)


def after(history: list[tuple[str, int, int]]) -> State:
    january = month("2020-01")
    state = State(BUILD.empty(), january, date(2020, SPAN, 14))
    for kind, first, last in history:
        start = add_months(january, first)
        if kind == "change":
            pending = min(start, state.pending or start)
            state = State(state.builds, pending, state.data_end, state.unfinished)
        elif kind == "kill":
            pending = min(start, state.pending or start)
            half = min(start, state.unfinished or start)
            state = State(state.builds, pending, state.data_end, half)
        else:
            state = after_build(state, MonthRange.of_months(start, add_months(january, last)))
    return state


pieces = st.tuples(
    st.sampled_from(["build", "kill"]), st.integers(0, SPAN - 1), st.integers(0, SPAN - 1)
).map(lambda piece: (piece[0], *sorted(piece[1:])))
changes = st.tuples(st.just("change"), st.integers(0, SPAN - 1), st.just(0))


@hypothesis_settings(max_examples=500)
@given(st.lists(st.one_of(pieces, changes), min_size=1, max_size=6))
def test_what_is_not_sound_is_needed_whatever_the_history(history):
    state = after(history)
    needed = state.needed(SETTINGS)
    unsound = {add_months(month("2020-01"), m) for m in set(range(SPAN)) - sound_months(history)}
    if unsound:
        assert needed is not None
        assert needed.start <= min(unsound)
        assert needed.end == add_months(month("2020-01"), SPAN)
    if needed:
        assert after_build(state, needed).needed(SETTINGS) is None
    if state.first_stale_month(SETTINGS) is None:
        made, _ = ledger(history)
        assert HALF not in str(made), "half made rows count as sound, and would be published"


# --- Months that come and go -----------------------------------------------------------------


def test_months_whose_prices_were_taken_back_are_built_again(built):
    built.prices_until("2020-08-05").change("2020-08-06")
    assert (built.stale(), built.needed()) == ("2020-08", "2020-08..2020-10")
    built.build("2020-08..2020-10")
    assert (built.stale(), built.needed()) == (None, None)


def fill(site: Site, text: str) -> None:
    span = months(text)
    starts = [add_months(span.start, i) for i in range(len(span))]
    factors = (
        pl.DataFrame({"month_end": starts})
        .with_columns(pl.col("month_end").dt.month_end(), factor=pl.lit("MKT"), ret=pl.lit(0.1))
        .join(
            pl.DataFrame({"source": ["own", "library"], "vintage": [None, "202412"]}), how="cross"
        )
    )
    site.warehouse.replace(FACTOR_RETURN, factors)
    panel = factors.filter(pl.col("source") == "own").select(
        *(pl.lit(1).alias(name) for name in ("security_id", "firm_id", "trading_days")),
        *(pl.lit(None).alias(c.name) for c in SECURITY_MONTH.columns if c.nullable),
        "month_end",
        ticker=pl.lit("A"),
        index_member=pl.lit(value=True),
        last_date="month_end",
    )
    site.warehouse.replace(SECURITY_MONTH, panel)


def rows_of(site: Site, source: str) -> list[str]:
    rows = site.warehouse.table(FACTOR_RETURN).filter(pl.col("source") == source)
    return [f"{day:%Y-%m}" for day in rows["month_end"]]


def test_months_outside_the_settings_leave_every_table_but_the_library_stays(built):
    fill(built, "2020-01..2020-10")
    narrow = changed(first_month="2020-03", last_month="2020-05")
    forget_other_months(built.warehouse, narrow)
    assert rows_of(built, "own") == ["2020-03", "2020-04", "2020-05"]
    assert len(rows_of(built, "library")) == 10
    assert built.warehouse.table(SECURITY_MONTH)["month_end"].max() == date(2020, 5, 31)
    assert built.warehouse.table(BUILD).select("month_start", "month_end").rows() == [
        (date(2020, 3, 1), date(2020, 5, 31))
    ]
    assert built.needed(narrow) == "2020-03..2020-05", "an earlier first month is another history"


def test_a_warehouse_that_ends_earlier_needs_nothing_and_one_that_ends_later_the_rest(built):
    shorter = changed(last_month="2020-05")
    forget_other_months(built.warehouse, shorter)
    assert (built.stale(shorter), built.needed(shorter)) == (None, None)
    assert built.needed() == "2020-06..2020-10"


def test_builds_wholly_outside_are_forgotten(site):
    site.prices_until("2020-10-14").build("2020-01..2020-03").build("2020-04..2020-10")
    forget_other_months(site.warehouse, changed(first_month="2020-04"))
    assert site.warehouse.table(BUILD)["month_start"].to_list() == [date(2020, 4, 1)]


def test_with_the_same_months_nothing_is_touched(built, monkeypatch):
    monkeypatch.setattr(Warehouse, "write", lambda *_: pytest.fail("nothing is to be written"))
    forget_other_months(built.warehouse, SETTINGS)


def test_months_that_are_left_out_do_not_count_as_stale(built):
    later = changed(first_month="2020-06")
    assert built.stale(later) == "2020-06"
    built.build("2020-06..2020-10", later)
    assert (built.stale(later), built.needed(later)) == (None, None)


# --- The log ---------------------------------------------------------------------------------


def test_a_build_says_what_it_was_made_of(site):
    site.prices_until("2020-10-14").build("2020-01..2020-03").build("2020-04..2020-10")
    first, second = site.warehouse.table(BUILD).to_dicts()
    assert (first["build"], second["build"]) == (1, 2)
    assert second == {
        "build": 2,
        "run_id": "run",
        "month_start": date(2020, 4, 1),
        "month_end": date(2020, 10, 31),
        "inputs": first["inputs"],
        "settings": settings_json(SETTINGS),
        "code_version": code_version(),
        "simulated": True,
        "finished_at": NOW.replace(tzinfo=None),
    }
    assert len(second["inputs"]) == len(second["code_version"]) == 16
