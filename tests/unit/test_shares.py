from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.shares import on_basis_of
from factor_pipeline.errors import DataError

BEFORE, SPLIT_DAY, AFTER = date(2014, 6, 6), date(2014, 6, 9), date(2014, 6, 30)
DOWNLOAD = date(2021, 4, 3)

# A busy machine may take its time.
unhurried = settings(deadline=None)


def splits(*rows: tuple[int, date, float]) -> pl.DataFrame:
    schema = {"security_id": pl.Int64, "date": pl.Date, "split": pl.Float64}
    return pl.DataFrame(list(rows), schema=schema, orient="row")


def restated(rows: list[tuple[object, ...]], of: pl.DataFrame) -> pl.DataFrame:
    schema = {
        "security_id": pl.Int64,
        "day": pl.Date,
        "count": pl.Float64,
        "basis": pl.Date,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return on_basis_of(frame, of, shares="count", basis="basis", day="day")


def one(day: date, count: float | None, basis: date | None, of: pl.DataFrame) -> float | None:
    return restated([(1, day, count, basis)], of)["count"].item()


SEVEN_FOR_ONE = splits((1, SPLIT_DAY, 7.0))


def test_a_count_filed_before_a_split_grows_with_it():
    assert one(AFTER, 100.0, BEFORE, SEVEN_FOR_ONE) == 700.0


def test_a_count_adjusted_to_the_download_shrinks_to_the_day():
    assert one(BEFORE, 700.0, DOWNLOAD, SEVEN_FOR_ONE) == 100.0


@pytest.mark.parametrize(("day", "basis"), [(BEFORE, BEFORE), (AFTER, DOWNLOAD)])
def test_on_one_side_of_a_split_a_count_stays(day, basis):
    assert one(day, 123.0, basis, SEVEN_FOR_ONE) == 123.0


def test_a_split_is_in_the_basis_of_its_own_day():
    assert one(SPLIT_DAY, 100.0, BEFORE, SEVEN_FOR_ONE) == 700.0
    assert one(AFTER, 100.0, SPLIT_DAY, SEVEN_FOR_ONE) == 100.0


def test_a_reverse_split_leaves_fewer_shares():
    assert one(AFTER, 1000.0, BEFORE, splits((1, SPLIT_DAY, 0.125))) == 125.0


def test_splits_compound():
    both = splits((1, SPLIT_DAY, 7.0), (1, date(2020, 8, 31), 4.0))
    assert one(BEFORE, 2800.0, DOWNLOAD, both) == 100.0
    assert one(AFTER, 2800.0, DOWNLOAD, both) == 700.0


def test_splits_of_another_security_do_not_count():
    assert one(AFTER, 100.0, BEFORE, splits((2, SPLIT_DAY, 7.0))) == 100.0


def test_a_count_without_a_basis_is_on_that_of_the_day():
    found = restated([(1, AFTER, 100.0, None)], SEVEN_FOR_ONE)
    assert found["count"].item() == 100.0
    assert found["basis"].item() == AFTER


def test_an_unknown_count_stays_unknown():
    assert one(AFTER, None, BEFORE, SEVEN_FOR_ONE) is None


def test_rows_come_in_order_of_security_and_day():
    found = restated(
        [(2, AFTER, 1.0, None), (1, AFTER, 2.0, BEFORE), (1, BEFORE, 3.0, BEFORE)], SEVEN_FOR_ONE
    )
    assert found.select("security_id", "day", "count").rows() == [
        (1, BEFORE, 3.0),
        (1, AFTER, 14.0),
        (2, AFTER, 1.0),
    ]


def test_two_splits_of_a_security_on_a_day_are_refused():
    with pytest.raises(DataError, match="two splits have the same date 2014-06-09, security_id 1"):
        one(AFTER, 1.0, BEFORE, splits((1, SPLIT_DAY, 2.0), (1, SPLIT_DAY, 3.0)))


def test_no_rows_and_no_splits_are_no_problem():
    assert restated([], SEVEN_FOR_ONE).is_empty()
    assert restated([], splits()).is_empty()
    assert one(AFTER, 5.0, BEFORE, splits()) == 5.0


def test_a_factor_that_overflows_gives_no_count():
    huge = splits((1, BEFORE, 1e300), (1, SPLIT_DAY, 1e300))
    tiny = splits((1, BEFORE, 1e-300), (1, SPLIT_DAY, 1e-300))
    for beyond in (huge, tiny):
        assert one(AFTER, 100.0, AFTER, beyond) is None
    assert one(BEFORE, 100.0, BEFORE, huge) == 100.0


DAYS = st.dates(date(2000, 1, 1), date(2020, 12, 31))
whole = st.dictionaries(DAYS, st.sampled_from([2.0, 3.0, 4.0, 0.5, 0.25]), max_size=8)


@unhurried
@given(history=whole, day=DAYS, basis=DAYS, seed=st.integers(0, 2**32))
def test_the_count_follows_the_splits_between_basis_and_day(history, day, basis, seed):
    """Witness: one split after the other, in either direction."""
    expected = 12.0
    for when, split in history.items():
        if basis < when <= day:
            expected *= split
        elif day < when <= basis:
            expected /= split
    of = splits(*((1, when, split) for when, split in history.items()))
    shuffled = of.sample(fraction=1, shuffle=True, seed=seed)
    # At most 24 roundings of 1.1e-16.
    assert one(day, 12.0, basis, shuffled) == pytest.approx(expected, rel=1e-14)


@unhurried
@given(history=whole, day=DAYS, basis=DAYS)
def test_a_split_after_both_days_changes_nothing(history, day, basis):
    of = splits(*((1, when, split) for when, split in history.items()))
    later = splits((1, date(2021, 1, 4), 3.0))
    assert one(day, 12.0, basis, pl.concat([of, later])) == one(day, 12.0, basis, of)
