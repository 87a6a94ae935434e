"""Turnover of sorted portfolios: hand cases, a slow computation of the same, and bits."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.compute.portfolios import PortfolioRule
from factor_pipeline.compute.sorts import MARKET, Dimension, Sort, decile_sort
from factor_pipeline.compute.statistics.turnover import turnovers
from factor_pipeline.errors import DataError
from tests.unit.test_factor_statistics import months

HALVES = Sort("halves", (Dimension("size", (0.5,), ("Low", "High")),))
ONE = PortfolioRule(min_stocks=1)
# A few divisions of numbers of order one.
ROUNDING = 1e-12


def stocks(*rows):
    """Rows of month (1 is January 1990), security, return, market equity of the month before."""
    ends = months(60)
    return pl.DataFrame(
        [(ends[month - 1], security, ret, equity, "NYSE") for month, security, ret, equity in rows],
        schema={
            "month_end": pl.Date,
            "security_id": pl.Int64,
            "ret": pl.Float64,
            "lagged_market_equity": pl.Float64,
            "exchange": pl.String,
        },
        orient="row",
    )


def held(frame, sort, cells):
    """Assignments: the cell of each row of ``frame``."""
    return frame.select(
        pl.lit(sort.name).alias("sort"), "security_id", "month_end", pl.Series("cell", cells)
    )


def turnover_of(found, cell, weighting="value"):
    return found.filter(cell=cell, weighting=weighting)["turnover"].to_list()


def test_a_market_that_nobody_joins_or_leaves_trades_nothing_by_value():
    frame = stocks((1, 1, 0.5, 100.0), (1, 2, -0.5, 100.0), (2, 1, 0.0, 150.0), (2, 2, 0.0, 50.0))
    found = turnovers(frame, held(frame, MARKET, ["All"] * 4), [MARKET], ONE)
    assert turnover_of(found, "All") == [None, 0.0]
    # Equal weights drifted to 3/4 and 1/4: a quarter is sold and bought.
    assert turnover_of(found, "All", "equal") == [None, 0.25]


def test_a_stock_that_changes_cells_is_sold_here_and_bought_there():
    frame = stocks(*((m, s, 0.0, 10.0) for m in (1, 2) for s in (1, 2, 3, 4)))
    cells = ["Low", "Low", "High", "High", "Low", "High", "High", "High"]
    found = turnovers(frame, held(frame, HALVES, cells), [HALVES], ONE)
    # Low: 1/2, 1/2 becomes 1. High: 0, 1/2, 1/2 becomes 1/3 each.
    assert turnover_of(found, "Low") == [None, pytest.approx(1 / 2)]
    assert turnover_of(found, "High") == [None, pytest.approx(1 / 3)]
    assert turnover_of(found, "High-Low") == [None, pytest.approx(5 / 6)]


def test_all_new_members_are_a_turnover_of_one():
    frame = stocks((1, 1, 0.3, 10.0), (1, 2, None, 20.0), (2, 3, 0.0, 5.0), (2, 4, 0.1, 9.0))
    found = turnovers(frame, held(frame, MARKET, ["All"] * 4), [MARKET], ONE)
    assert turnover_of(found, "All") == [None, pytest.approx(1.0)]


def test_a_member_without_a_return_keeps_its_value():
    frame = stocks((1, 1, None, 100.0), (1, 2, 1.0, 100.0), (2, 1, 0.0, 100.0), (2, 2, 0.0, 200.0))
    found = turnovers(frame, held(frame, MARKET, ["All"] * 4), [MARKET], ONE)
    assert turnover_of(found, "All") == [None, pytest.approx(0.0, abs=ROUNDING)]


def test_a_gap_in_the_calendar_and_thin_cells_have_no_turnover():
    frame = stocks((1, 1, 0.0, 1.0), (3, 1, 0.0, 1.0), (4, 1, 0.0, 1.0))
    cells = held(frame, MARKET, ["All"] * 3)
    assert turnover_of(turnovers(frame, cells, [MARKET], ONE), "All") == [None, None, 0.0]
    assert turnover_of(turnovers(frame, cells, [MARKET]), "All") == [None] * 3
    assert turnover_of(turnovers(frame, cells.clear(), [MARKET], ONE), "All") == [None] * 3


def test_an_assigned_stock_without_a_row_is_refused():
    frame = stocks((1, 1, 0.0, 1.0), (2, 2, 0.0, 1.0))
    stray = held(frame.with_columns(security_id=pl.lit(2)), MARKET, ["All"] * 2)
    with pytest.raises(DataError, match="has no row in that month"):
        turnovers(frame, stray, [MARKET], ONE)


@pytest.fixture(scope="module")
def market():
    """Forty stocks over two years that come, go, pause, and change deciles."""
    rng = np.random.default_rng(3)
    rows = [
        (month, security, ret if rng.random() > 0.05 else None, rng.lognormal(3, 1))
        for month in range(1, 25)
        for security in range(40)
        for ret in [rng.normal(0.01, 0.1)]
        if rng.random() > 0.1
    ]
    frame = stocks(*rows)
    sort = decile_sort("size", "monthly")
    cells = held(frame, sort, [sort.cells[i] for i in rng.integers(0, 4, frame.height)])
    return frame, cells.filter(pl.Series(rng.random(frame.height) > 0.1)), sort


def test_turnover_equals_a_slow_computation_of_the_same(market):
    frame, cells, sort = market
    found = turnovers(frame, cells, [sort], ONE)
    joined = cells.join(frame, on=["security_id", "month_end"])
    ends = months(24)
    for place, end in enumerate(ends):
        for cell in ("D01", "D04"):
            now = joined.filter(month_end=end, cell=cell)
            past = joined.filter(month_end=ends[place - 1], cell=cell) if place else now.clear()
            given = found.filter(month_end=end, cell=cell, weighting="value")["turnover"][0]
            if now.is_empty() or past.is_empty():
                assert given is None
                continue
            target = dict(now.select("security_id", "lagged_market_equity").iter_rows())
            grown = dict(
                past.select(
                    "security_id",
                    pl.col("lagged_market_equity") * (1 + pl.col("ret").fill_null(0.0)),
                ).iter_rows()
            )
            both = target.keys() | grown.keys()
            expected = sum(
                abs(
                    target.get(i, 0.0) / sum(target.values())
                    - grown.get(i, 0.0) / sum(grown.values())
                )
                for i in both
            )
            assert given == pytest.approx(expected / 2, rel=ROUNDING)


def test_a_month_and_the_one_before_give_the_bits_of_the_range(market):
    frame, cells, sort = market
    whole = turnovers(frame, cells, [sort], ONE)
    mixed = turnovers(frame.sample(fraction=1, shuffle=True, seed=1), cells.reverse(), [sort], ONE)
    assert_frame_equal(whole, mixed, check_exact=True)
    for place in range(1, 24, 4):
        window = pl.col("month_end").is_in(months(24)[place - 1 : place + 1].to_list())
        part = turnovers(frame.filter(window), cells.filter(window), [sort], ONE)
        end = pl.col("month_end") == months(24)[place]
        assert_frame_equal(part.filter(end), whole.filter(end), check_exact=True)
    assert whole["month_end"].min() == date(1990, 1, 31)
