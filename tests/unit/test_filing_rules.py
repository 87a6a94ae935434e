from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.quality.filings import (
    FIGURES,
    FILING_RULES,
    filing_flags,
    successive,
)
from factor_pipeline.schemas.rules import RULES

THRESHOLDS = {name: RULES[name].threshold for name in FILING_RULES}
NO_SPLITS = pl.DataFrame(schema={"vendor_id": pl.String, "date": pl.Date, "split": pl.Float64})
FIGURE = dict.fromkeys(FIGURES)
SCHEMA = {
    "vendor_id": pl.String,
    "statement": pl.String,
    "fiscal_year": pl.Int32,
    "period_end": pl.Date,
    "known_date": pl.Date,
    "shares": pl.Float64,
    "basis_date": pl.Date,
    "file": pl.String,
    **dict.fromkeys(FIGURES, pl.Float64),
}


def balance(year: int, shares: float | None, *, known: date | None = None, **other: object):
    return {
        "vendor_id": "A",
        "statement": "balance",
        "fiscal_year": year,
        "period_end": date(year, 12, 31),
        "known_date": known or date(year + 1, 3, 1),
        "shares": shares,
        "basis_date": date(2020, 1, 1),
        "file": "balance.zip",
        **FIGURE,
        "total_assets": 100.0 + year,
        **other,
    }


def frame(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=SCHEMA)


def split(day: date, factor: float) -> pl.DataFrame:
    return pl.DataFrame([("A", day, factor)], schema=NO_SPLITS.schema, orient="row")


def found(filings: pl.DataFrame, splits: pl.DataFrame = NO_SPLITS) -> list[tuple[str, int]]:
    flags = filing_flags(filings, splits, THRESHOLDS)
    return [(rule, day.year) for rule, day in flags.select("rule", "fault_date").iter_rows()]


def test_a_count_that_a_later_split_is_not_in_is_off_by_it():
    filings = frame(balance(2010, 100.0), balance(2011, 206.0))
    # When it was filed it was a jump; what kind was seen with the split.
    flags = filing_flags(filings, split(date(2013, 5, 1), 2.0), THRESHOLDS).sort("known_date")
    assert flags["rule"].to_list() == ["shares_jump", "shares_off_by_split"]
    assert flags["known_date"][0].year == 2012
    assert flags["known_date"][1] == date(2013, 5, 1)
    # Without the split it is a jump, and a split after both bases explains none.
    assert found(filings) == [("shares_jump", 2011)]
    assert found(filings, split(date(2020, 6, 1), 2.0)) == [("shares_jump", 2011)]


def test_counts_of_two_bases_are_compared_on_one():
    as_filed = [
        balance(y, n, basis_date=date(y, 12, 31)) for y, n in ((2010, 100.0), (2011, 300.0))
    ]
    assert found(frame(*as_filed), split(date(2011, 6, 1), 3.0)) == []
    unchanged = [balance(y, 100.0, basis_date=date(y, 12, 31)) for y in (2010, 2011)]
    assert found(frame(*unchanged), split(date(2011, 6, 1), 3.0)) == [("shares_off_by_split", 2011)]


def test_two_splits_are_tried_one_by_one_and_together():
    splits = pl.concat([split(date(2013, 5, 1), 2.0), split(date(2014, 5, 1), 3.0)])
    for factor in (2.0, 3.0, 6.0, 1 / 6):
        filings = frame(balance(2010, 100.0), balance(2011, 100.0 * factor))
        rules = [rule for rule, _ in found(filings, splits)]
        assert rules == ["shares_off_by_split", "shares_jump"]


@given(
    counts=st.lists(st.sampled_from([50.0, 100.0, 200.0, 600.0, 1e5]), min_size=2, max_size=5),
    events=st.lists(
        st.tuples(st.integers(2010, 2019), st.sampled_from([0.5, 2.0, 3.0, 10.0])), max_size=4
    ),
    cut=st.dates(date(2010, 6, 1), date(2020, 6, 1)),
)
def test_share_rules_learn_nothing_from_filings_or_splits_to_come(counts, events, cut):
    filings = frame(*(balance(2010 + i, shares) for i, shares in enumerate(counts)))
    days = {date(year, 5, 1): factor for year, factor in events}
    splits = pl.concat([NO_SPLITS, *(split(day, days[day]) for day in sorted(days))])
    whole = filing_flags(filings, splits, THRESHOLDS)
    until_then = filing_flags(
        filings.filter(pl.col("known_date") <= cut),
        splits.filter(pl.col("date") <= cut),
        THRESHOLDS,
    )
    known = whole.filter(pl.col("known_date") <= cut)
    order = ["rule", "subject", "fault_date"]
    assert until_then.sort(order).equals(known.sort(order))


@pytest.mark.parametrize(("ratio", "rule"), [(0.001, "shares_power_of_ten"), (40, "shares_jump")])
def test_a_jump_is_told_from_another_unit(ratio, rule):
    assert found(frame(balance(2010, 1e6), balance(2011, 1e6 * ratio))) == [(rule, 2011)]


def test_shares_issued_for_assets_are_no_jump():
    merged = balance(2011, 250.0, total_assets=2.4 * 2110)
    assert found(frame(balance(2010, 100.0), merged)) == []


def test_absent_counts_and_figures_are_not_compared():
    filings = frame(
        balance(2010, None, total_assets=None), balance(2011, 100.0), balance(2012, 0.0)
    )
    assert found(filings) == []


@pytest.mark.parametrize("label", [2010, 2014])
def test_the_label_of_a_fiscal_year_is_a_year_later_and_that_of_its_end(label):
    labelled = balance(2011, 100.0, fiscal_year=label)
    assert found(frame(balance(2010, 100.0), labelled)) == [("short_fiscal_year", 2011)]
    # A year that ends in January is that of the year before.
    january = [
        balance(y, 100.0, period_end=date(y + 1, 1, 31), known=date(y + 1, 4, 1))
        for y in (2010, 2011)
    ]
    assert found(frame(*january)) == []


def test_a_period_filed_late_is_not_what_earlier_filings_are_held_against():
    # 2011 came to be public after 2012: until then 2010 was the period before.
    late = balance(2011, 100.0, known=date(2015, 1, 1))
    filings = frame(balance(2010, 100.0), late, balance(2012, 100.0))
    pairs = successive(filings).select("period_end", "earlier_period_end").rows()
    assert [(a.year, b.year) for a, b in pairs] == [(2011, 2010), (2012, 2010)]
    assert found(filings) == [("missing_fiscal_year", 2012)]


def test_the_amended_figures_of_the_year_before_are_compared_once_they_are_public():
    amended = balance(2010, 500.0, known=date(2011, 9, 1))
    filings = frame(balance(2010, 100.0), amended, balance(2011, 500.0), balance(2012, 510.0))
    assert successive(filings)["earlier_shares"].to_list() == [500.0, 500.0]
    assert found(filings) == []


shares = st.sampled_from([None, 100.0, 102.0, 200.0, 1000.0, 1e5])
filing = st.builds(
    lambda firm, year, delay, count, basis: balance(
        year,
        count,
        known=date(year + 1, 1, 1) + timedelta(days=delay),
        vendor_id=firm,
        basis_date=date(year, 12, 31) if basis else date(2020, 1, 1),
    ),
    st.sampled_from("AB"),
    st.integers(2005, 2012),
    st.integers(1, 1200),
    shares,
    st.booleans(),
)
filings_of_firms = st.lists(
    filing,
    max_size=14,
    unique_by=lambda row: (row["vendor_id"], row["period_end"], row["known_date"]),
)
SPLITS = pl.concat([split(date(2008, 6, 1), 2.0), split(date(2011, 6, 1), 10.0)])
IDENTITY = ["rule", "subject", "fault_date", "known_date"]


@given(filings_of_firms, st.integers(2006, 2015), st.randoms(use_true_random=False))
def test_flags_follow_from_filings_known_by_their_day_in_any_order(rows, year, random):
    everything = filing_flags(frame(*rows), SPLITS, THRESHOLDS)
    cut = date(year, 6, 30)
    shuffled = random.sample(rows, len(rows))
    known = filing_flags(
        frame(*(row for row in shuffled if row["known_date"] <= cut)), SPLITS, THRESHOLDS
    )
    # What a split to come tells of a count is known with the split.
    found, then = (flags.filter(pl.col("known_date") <= cut) for flags in (known, everything))
    assert found.select(IDENTITY).rows() == then.select(IDENTITY).rows()


@given(filings_of_firms)
def test_the_period_before_is_the_latest_that_was_public(rows):
    """Against a search through all filings of the firm, one by one."""
    expected = {}
    for row in rows:
        before = [
            (other["period_end"], other["known_date"])
            for other in rows
            if other["vendor_id"] == row["vendor_id"]
            and other["period_end"] < row["period_end"]
            and other["known_date"] <= row["known_date"]
        ]
        if before:
            expected[row["vendor_id"], row["period_end"], row["known_date"]] = max(before)
    pairs = successive(frame(*rows)).select(
        "vendor_id", "period_end", "known_date", "earlier_period_end", "earlier_known_date"
    )
    assert {row[:3]: row[3:] for row in pairs.iter_rows()} == expected
