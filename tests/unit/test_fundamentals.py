from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.fundamentals import balance_facts, book_equity, latest_public
from factor_pipeline.errors import DataError
from factor_pipeline.months import add_months
from factor_pipeline.schemas.panel import BOOK_EQUITY

FY2018, FY2019 = date(2018, 12, 31), date(2019, 12, 31)
FAR = 1200

# A busy machine may take its time.
unhurried = settings(deadline=None)

FIGURES = ("total_equity", "total_assets", "total_liabilities", "deferred_taxes", "preferred_stock")
SHEET = {
    "security_id": pl.Int64,
    "fiscal_year": pl.Int32,
    "period_end": pl.Date,
    "filed_at": pl.Date,
    "shares": pl.Float64,
    "shares_basis_date": pl.Date,
    **dict.fromkeys(FIGURES, pl.Float64),
}


def sheets(*rows: dict[str, object]) -> pl.DataFrame:
    defaults = {"security_id": 1, "period_end": FY2019, "fiscal_year": 2019}
    return pl.DataFrame([defaults | row for row in rows], schema=SHEET)


def equity(rule="until_1993", **figures) -> float | None:
    return sheets(figures).select(book_equity(rule)).to_series().item()


def facts_of(*rows: dict[str, object], lag=4) -> pl.DataFrame:
    return balance_facts(sheets(*rows), filing_lag_months=lag, deferred_taxes="until_1993")


def test_book_equity_is_equity_plus_deferred_taxes_minus_preferred_stock():
    figures = {"total_equity": 100.0, "deferred_taxes": 7.0, "preferred_stock": 20.0}
    assert equity("always", **figures) == 87.0
    assert equity("never", **figures) == 80.0


@pytest.mark.parametrize(
    ("year_end", "expected"), [(date(1992, 12, 31), 107.0), (date(1993, 1, 31), 100.0)]
)
def test_deferred_taxes_count_for_fiscal_years_ending_before_1993(year_end, expected):
    assert equity(period_end=year_end, total_equity=100.0, deferred_taxes=7.0) == expected


def test_without_equity_assets_minus_liabilities_stand_in():
    assert equity(total_assets=300.0, total_liabilities=180.0) == 120.0
    assert equity(total_equity=90.0, total_assets=300.0, total_liabilities=180.0) == 90.0


def test_without_equity_and_liabilities_book_equity_is_unknown():
    assert equity(total_assets=300.0) is None
    assert equity(preferred_stock=5.0, deferred_taxes=5.0) is None


def test_book_equity_may_be_negative():
    assert equity(total_equity=-40.0, preferred_stock=2.0) == -42.0


def test_book_equity_that_overflows_is_unknown():
    assert equity(total_equity=1.7e308, preferred_stock=-1.7e308) is None


def test_facts_have_the_shape_of_their_table():
    assert facts_of({"total_equity": 1.0}).schema == BOOK_EQUITY.polars_schema
    assert facts_of().schema == BOOK_EQUITY.polars_schema


@pytest.mark.parametrize(
    ("period_end", "lag", "expected"),
    [
        (date(2019, 12, 31), 4, date(2020, 4, 30)),
        (date(2019, 10, 31), 4, date(2020, 2, 29)),
        (date(2019, 6, 28), 4, date(2019, 10, 31)),
        (date(2019, 12, 31), 0, date(2019, 12, 31)),
    ],
)
def test_without_a_filing_date_figures_are_public_some_months_later(period_end, lag, expected):
    row = facts_of({"period_end": period_end}, lag=lag).row(0, named=True)
    assert (row["filed_at"], row["filed_at_assumed"]) == (expected, True)


def test_a_stated_filing_date_stays():
    row = facts_of({"filed_at": date(2020, 2, 3)}).row(0, named=True)
    assert (row["filed_at"], row["filed_at_assumed"]) == (date(2020, 2, 3), False)


@pytest.mark.parametrize("swapped", [False, True])
def test_a_stated_filing_wins_over_an_assumed_one_of_the_day(swapped):
    rows = [
        {"filed_at": date(2020, 4, 30), "total_equity": 1.0},
        {"filed_at": None, "total_equity": 2.0},
    ]
    found = facts_of(*(reversed(rows) if swapped else rows))
    assert found.select("book_equity", "filed_at_assumed").rows() == [(1.0, False)]


def test_counts_without_a_split_basis_are_on_that_of_the_period():
    given_basis = date(2021, 4, 3)
    found = facts_of({"shares": 5.0}, {"security_id": 2, "shares_basis_date": given_basis})
    assert found["shares_basis_date"].to_list() == [FY2019, given_basis]


FACT = {
    "security_id": pl.Int64,
    "period_end": pl.Date,
    "filed_at": pl.Date,
    "value": pl.Float64,
}


def filings(*rows: tuple[object, ...]) -> pl.DataFrame:
    return pl.DataFrame([(1, *row) for row in rows], schema=FACT, orient="row")


def known(facts: pl.DataFrame, *days: date, max_age=FAR) -> list[float | None]:
    schema = {"security_id": pl.Int64, "day": pl.Date}
    rows = pl.DataFrame([(1, day) for day in days], schema=schema, orient="row")
    return latest_public(rows, facts, on="day", max_age_months=max_age)["value"].to_list()


def test_a_filing_counts_from_the_day_after():
    facts = filings((FY2019, date(2020, 3, 2), 1.0))
    assert known(facts, date(2020, 2, 28), date(2020, 3, 2), date(2020, 3, 3)) == [None, None, 1.0]


def test_a_restatement_counts_from_the_day_after_it_and_not_before():
    facts = filings((FY2019, date(2020, 3, 2), 1.0), (FY2019, date(2020, 9, 1), 9.0))
    days = (date(2020, 3, 31), date(2020, 9, 1), date(2020, 9, 2))
    assert known(facts, *days) == [1.0, 1.0, 9.0]


def test_a_late_filing_of_an_older_period_never_displaces_a_newer_one():
    facts = filings((FY2019, date(2020, 3, 2), 19.0), (FY2018, date(2020, 6, 1), 18.0))
    assert known(facts, date(2020, 6, 30)) == [19.0]


def test_of_two_periods_filed_on_a_day_the_newer_counts():
    facts = filings((FY2019, date(2020, 3, 2), 19.0), (FY2018, date(2020, 3, 2), 18.0))
    assert known(facts, date(2020, 3, 3)) == [19.0]
    assert known(facts[::-1], date(2020, 3, 3)) == [19.0]


def test_a_period_is_too_old_after_the_months_given():
    facts = filings((FY2019, date(2020, 3, 2), 1.0))
    schema = {"security_id": pl.Int64, "day": pl.Date}
    days = [(1, date(2019, 1, 2)), (1, date(2021, 6, 30)), (1, date(2021, 7, 1))]
    rows = pl.DataFrame(days, schema=schema, orient="row")
    found = latest_public(rows, facts, on="day", max_age_months=18)
    assert found["value"].to_list() == [None, 1.0, None]
    assert found["period_end"].to_list() == [None, FY2019, None]
    assert found["too_old"].to_list() == [False, False, True]


def test_two_filings_of_a_period_on_a_day_are_refused():
    facts = filings((FY2019, date(2020, 3, 2), 1.0), (FY2019, date(2020, 3, 2), 2.0))
    with pytest.raises(DataError, match="two filings have the same security_id 1, filed_at 2020"):
        known(facts, date(2020, 3, 3))


def test_no_filings_and_no_rows_are_no_problem():
    assert known(filings(), date(2020, 3, 3)) == [None]
    assert known(filings((FY2019, date(2020, 3, 2), 1.0))) == []


periods = st.sampled_from([date(year, 12, 31) for year in range(2010, 2016)])
days = st.dates(date(2011, 1, 1), date(2019, 12, 31))


@unhurried
@given(
    st.dictionaries(st.tuples(st.integers(1, 3), periods, days), st.floats(-9, 9), max_size=20),
    st.lists(st.tuples(st.integers(1, 3), days), max_size=10),
    st.integers(6, 60),
    st.randoms(use_true_random=False),
)
def test_what_is_known_is_the_latest_filing_of_the_newest_period_so_far(
    filed, wanted, max_age, random
):
    """Witness: a search through all filings, one day at a time."""
    rows = [(*key, value) for key, value in filed.items()]
    random.shuffle(rows)
    facts = pl.DataFrame(rows, schema=FACT, orient="row")
    schema = {"security_id": pl.Int64, "day": pl.Date}
    frame = pl.DataFrame(wanted, schema=schema, orient="row")
    found = latest_public(frame, facts, on="day", max_age_months=max_age)
    assert found.select("security_id", "day").rows() == sorted(wanted)
    for row in found.iter_rows(named=True):
        public = [
            (period, at, value)
            for security, period, at, value in rows
            if security == row["security_id"] and at < row["day"]
        ]
        newest = max(public, default=None)
        if newest:
            # A year that ends with December counts to the end of the last month.
            is_old = row["day"] >= add_months(newest[0], max_age + 1)
            newest = None if is_old else newest
            assert row["too_old"] == is_old
        assert (row["period_end"], row["filed_at"], row["value"]) == (newest or (None,) * 3)
