"""What a new version of a file changed: by month and column, how many rows and by how much."""

import shutil
from datetime import date, datetime, timedelta

import polars as pl
import pytest

from factor_pipeline.checks.restatements import restated_rows
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FRENCH_RETURN, LISTING
from factor_pipeline.schemas.raw_history import VINTAGE_DIFF
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.sources.rawstore import RawStore
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.vendor_shelf import MONDAY, Desk, Shelf, prices, shelf

JANUARY, FEBRUARY = date(2020, 1, 31), date(2020, 2, 29)
DAYS = [date(2020, 1, 30), date(2020, 1, 31), date(2020, 2, 3), date(2020, 2, 4)]
COUNTS = ("rows_before", "rows_new", "rows_added", "rows_removed", "rows_changed")
# Sums and quotients of a few doubles.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def desk(tmp_path, empty_file):
    work = Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))
    return Desk(work, RawStore(tmp_path / "raw"))


def diff(desk: Desk) -> pl.DataFrame:
    return desk.warehouse.table(VINTAGE_DIFF)


def counts(desk: Desk, column: str = "*") -> list[tuple[object, ...]]:
    rows = diff(desk).filter(pl.col("column_name") == column)
    return rows.select("month_end", *COUNTS).rows()


def closes(*values: float, days: list[date] = DAYS, **columns: object) -> pl.DataFrame:
    return prices("A", list(values), days, **columns)


def test_a_first_version_and_one_that_is_the_same_change_nothing(desk):
    desk.ingest(shelf(A=closes(1.0, 2.0)))
    desk.ingest(shelf(A=closes(1.0, 2.0)), days=1)
    assert diff(desk).is_empty()


def test_days_after_the_last_one_are_news(desk):
    desk.ingest(shelf(A=closes(1.0, 2.0)))
    desk.ingest(shelf(A=closes(1.0, 2.0, 3.0, 4.0)), days=1)
    assert counts(desk) == [(FEBRUARY, 0, 2, 0, 0, 0)]
    assert diff(desk)["share_changed"].to_list() == [None]


def test_changes_are_counted_and_measured_by_month_and_column(desk):
    desk.ingest(shelf(A=closes(1.0, 2.0, 4.0, 5.0), B=prices("B", [9.0], DAYS)))
    after = closes(1.5, 2.0, 4.25, 4.0, dividend=[0.0, 0.0, 0.1, 0.0])
    desk.ingest(shelf(A=after, B=prices("B", [9.0], DAYS)), days=1)
    assert counts(desk) == [(JANUARY, 2, 0, 0, 0, 1), (FEBRUARY, 2, 0, 0, 0, 2)]
    assert counts(desk, "dividend") == [(FEBRUARY, 2, 0, 0, 0, 1)]
    by_column = {
        (row["column_name"], row["month_end"].month): row
        for row in diff(desk).iter_rows(named=True)
    }
    close = by_column["close", 2]
    assert close["mean_absolute_change"] == pytest.approx((0.25 + 1.0) / 2, abs=ROUNDING)
    assert (close["largest_absolute_change"], close["largest_at"]) == (1.0, "A")
    assert by_column["close", 1]["share_changed"] == 0.5
    assert by_column["dividend", 2]["mean_absolute_change"] == pytest.approx(0.1, abs=ROUNDING)
    whole = by_column["*", 2]
    assert (whole["share_changed"], whole["mean_absolute_change"]) == (1.0, None)
    monday = MONDAY.replace(tzinfo=None)
    assert (whole["known_before"], whole["known_from"]) == (monday, monday + timedelta(days=1))


def test_days_in_between_that_come_or_go_are_changes(desk):
    gap = [DAYS[0], DAYS[3]]
    desk.ingest(shelf(A=closes(1.0, 4.0, days=gap)))
    desk.ingest(shelf(A=closes(1.0, 2.0, 4.0, days=[*DAYS[:2], DAYS[3]])), days=1)
    assert counts(desk) == [(JANUARY, 1, 0, 1, 0, 0)]
    desk.ingest(shelf(A=closes(1.0, 2.0, days=DAYS[:2])), days=2)
    assert counts(desk)[1:] == [(FEBRUARY, 1, 0, 0, 1, 0)]


def test_a_figure_that_is_filled_changes_without_a_size(desk):
    desk.ingest(shelf(A=closes(1.0)))
    desk.ingest(shelf(A=closes(1.0, volume=[5.0])), days=1)
    (row,) = diff(desk).filter(pl.col("column_name") == "volume").to_dicts()
    assert (row["rows_changed"], row["mean_absolute_change"], row["largest_at"]) == (1, None, None)


def test_adjusted_closes_and_rows_in_another_order_are_no_change(desk):
    desk.ingest(shelf(A=closes(1.0, 2.0)))
    desk.ingest(shelf(A=closes(1.0, 2.0, adjusted_close=[0.5, 1.0])), days=1)
    desk.ingest(shelf(A=closes(1.0, 2.0).reverse()), days=2)
    assert diff(desk).is_empty()


def test_other_sources_parsers_markets_and_files_are_no_restatement(desk):
    desk.ingest(shelf(A=closes(1.0)))
    desk.ingest(Shelf({"A.csv": closes(2.0)}, name="other"), days=1)
    desk.ingest(Shelf({"A.csv": closes(2.0), "B.csv": prices("B", [1.0])}, name="other"), days=2)
    desk.ingest(Shelf({"B.csv": prices("B", [1.0])}, name="other"), exclude=("A.csv",), days=3)
    desk.ingest(Shelf({"market.json": closes(3.0)}, name="simulated"), days=4)
    desk.ingest(Shelf({"market.json": closes(4.0)}, name="simulated"), days=5)
    assert diff(desk).is_empty()


def library(vintage: str, *hml: float) -> pl.DataFrame:
    rows = [
        {
            "data_set": "F-F_Research_Data_Factors",
            "vintage": vintage,
            "frequency": "monthly",
            "block": "",
            "series": "HML",
            "date": date(2020, 1 + number, 28),
            "value": value,
            "unit": "decimal",
        }
        for number, value in enumerate(hml)
    ]
    return pl.DataFrame(rows, schema=contract(FRENCH_RETURN))


def test_a_new_edition_of_the_library_is_no_restatement_but_another_text_of_one_is(desk):
    def editions(**files: pl.DataFrame) -> Shelf:
        return Shelf({f"{name.removeprefix('v')}/F.zip": rows for name, rows in files.items()})

    old, new = library("202001", 0.01, 0.02), library("202002", 0.02, 0.02)
    desk.ingest(editions(v202001=old), data_set="library")
    desk.ingest(editions(v202001=old, v202002=new), data_set="library", days=1)
    assert diff(desk).is_empty()
    again = library("202001", 0.01, 0.05)
    desk.ingest(editions(v202001=again, v202002=new), data_set="library", days=2)
    (row,) = diff(desk).filter(pl.col("column_name") == "value").to_dicts()
    assert row["largest_absolute_change"] == pytest.approx(0.03, abs=ROUNDING)
    assert row["largest_at"] == "F-F_Research_Data_Factors 202001 monthly  HML"


def test_rows_without_a_day_have_no_month(desk):
    def names(company: str) -> pl.DataFrame:
        row = {"vendor_id": "A", "ticker": "A", "name": company}
        return pl.DataFrame([row], schema=contract(LISTING))

    desk.ingest(shelf(L=names("Alfa")), data_set="listing")
    desk.ingest(shelf(L=names("Omega")), data_set="listing", days=1)
    rows = diff(desk).select("month_end", "column_name", "rows_changed", "share_changed").rows()
    assert rows == [(None, "*", 1, 1.0), (None, "name", 1, 1.0)]


# --- The check --------------------------------------------------------------------------------


def test_the_newest_versions_are_checked_against_the_share(desk):
    before = [float(number) for number in range(1, 5)]
    desk.ingest(shelf(A=closes(*before)))
    finding = restated_rows(desk.warehouse, "prices", 0.2)
    assert (finding.passed, finding.observed) == (True, "no file has been restated")
    desk.ingest(shelf(A=closes(1.0, 2.0, 3.0, 5.0)), days=1)
    finding = restated_rows(desk.warehouse, "prices", 0.2)
    assert (finding.passed, finding.failing_rows) == (False, 1)
    assert finding.observed == (
        "the versions of 2024-01-02 02:30 UTC change 1 of 4 rows (25.00 %), most in 2020-02; "
        "see quality.vintage_diff"
    )
    assert restated_rows(desk.warehouse, "prices", 0.25).passed
    assert restated_rows(desk.warehouse, "macro", 0.0).passed


def test_news_alone_pass_the_check(desk):
    desk.ingest(shelf(A=closes(1.0)))
    desk.ingest(shelf(A=closes(1.0, 2.0, 3.0)), days=1)
    finding = restated_rows(desk.warehouse, "prices", 0.0)
    assert (finding.passed, finding.failing_rows) == (True, 0)


def test_times_are_those_of_the_versions(desk):
    desk.ingest(shelf(A=closes(1.0)))
    desk.ingest(shelf(A=closes(2.0)), days=3)
    desk.ingest(shelf(A=closes(3.0)), days=5)
    rows = diff(desk).filter(pl.col("column_name") == "close")
    monday = datetime(2024, 1, 1, 2, 30)  # noqa: DTZ001
    assert rows.select("known_before", "known_from").rows() == [
        (monday, monday + timedelta(days=3)),
        (monday + timedelta(days=3), monday + timedelta(days=5)),
    ]
