from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.quality.distributions import PERCENTILES, distances, distributions
from factor_pipeline.schemas.rules import RULES

THRESHOLD = RULES["distribution_shift"].threshold
# Percentiles tell the distance of two distributions up to the share between two of them.
COARSENESS = 0.25
ROUNDING = 1e-12


def months(year: int, count: int) -> list[date]:
    return (
        pl.date_range(date(year, 1, 1), date(year, count, 1), "1mo", eager=True)
        .dt.month_end()
        .to_list()
    )


def panel(values: np.ndarray, year: int = 2020, count: int = 12) -> pl.DataFrame:
    """``values`` dealt to ``count`` months."""
    days = months(year, count)
    return pl.DataFrame({"month_end": [days[i % count] for i in range(len(values))], "x": values})


def measured(frame: pl.DataFrame) -> pl.DataFrame:
    return distributions(frame, ["x"]).with_columns(table_name=pl.lit("panel.t"))


def distance(now: pl.DataFrame, before: pl.DataFrame) -> float | None:
    return distances(measured(now), measured(before))["distance"].item()


@pytest.fixture
def values():
    return np.random.default_rng(1).lognormal(size=2400)


def test_moments_and_percentiles_are_those_of_numpy_by_year(values):
    both = pl.concat([panel(values), panel(values * 2, year=2021, count=3)])
    rows = distributions(both, ["x"])
    assert rows.select("year", "months", "last_month", "rows").rows() == [
        (2020, 12, date(2020, 12, 31), 2400),
        (2021, 3, date(2021, 3, 31), 2400),
    ]
    for row, expected in zip(rows.iter_rows(named=True), (values, values * 2), strict=True):
        assert row["mean"] == pytest.approx(expected.mean(), rel=ROUNDING)
        assert row["standard_deviation"] == pytest.approx(expected.std(), rel=ROUNDING)
        quantiles = np.quantile(expected, list(PERCENTILES.values()))
        assert [row[name] for name in PERCENTILES] == pytest.approx(quantiles, rel=ROUNDING)


def test_missing_values_are_counted_and_a_year_of_them_has_no_moments():
    frame = pl.DataFrame({"month_end": months(2020, 4), "x": [1.0, None, None, 3.0]})
    row = distributions(frame, ["x"]).row(0, named=True)
    assert (row["null_share"], row["mean"], row["median"]) == (0.5, 2.0, 2.0)
    empty = distributions(frame.with_columns(x=pl.lit(None, pl.Float64)), ["x"]).row(0, named=True)
    assert (empty["null_share"], empty["mean"], empty["p99"]) == (1.0, None, None)
    assert distributions(frame.clear(), ["x"]).is_empty()


def test_the_order_of_rows_changes_no_bit(values):
    frame = panel(values)
    assert distributions(frame.reverse(), ["x"]).equals(distributions(frame, ["x"]))


def test_the_same_rows_are_at_no_distance(values):
    assert distance(panel(values), panel(values)) == 0.0
    ties = panel(np.repeat([1.0, 1.0, 2.0], 40))
    assert distance(ties, ties) == 0.0


def test_one_more_month_is_not_compared_with_fewer(values):
    assert distance(panel(values, count=8), panel(values, count=7)) is None


def test_another_unit_of_all_half_or_a_twentieth_of_the_rows(values):
    """100,000 times as much is beyond all that was."""
    far = values * 1e5
    assert distance(panel(far), panel(values)) == pytest.approx(0.75)
    half = np.where(np.arange(len(values)) % 2, values, far)
    assert distance(panel(half), panel(values)) == pytest.approx(0.5, abs=COARSENESS)
    few = np.where(np.arange(len(values)) % 20, values, far)
    assert distance(panel(few), panel(values)) < THRESHOLD


def test_rows_and_values_that_vanish_are_a_distance(values):
    assert distance(panel(values[:1200]), panel(values)) == pytest.approx(0.5)
    known = panel(values).with_row_index("i")
    holes = known.with_columns(x=pl.when(pl.col("i") % 4 > 0).then("x"))
    assert distance(holes.drop("i"), known.drop("i")) == pytest.approx(0.25)


def test_a_small_revision_is_no_shift(values):
    noise = np.random.default_rng(2).normal(scale=0.01, size=len(values))
    assert distance(panel(values * (1 + noise)), panel(values)) < THRESHOLD / 2


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=60),
    st.lists(st.floats(-1e6, 1e6), min_size=12, max_size=60),
)
def test_a_distance_is_symmetric_and_a_share(first, second):
    there = distance(panel(np.array(first)), panel(np.array(second)))
    back = distance(panel(np.array(second)), panel(np.array(first)))
    assert there == back
    assert 0 <= there <= 1
