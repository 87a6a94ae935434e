"""Quintiles sorted on betas: by hand, against pandas, month by month."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.compute.beta_portfolios import beta_portfolio_returns
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.months import MonthRange

CAPM, FF3, *_ = MODELS
JAN = date(2020, 1, 31)
MONTHS = MonthRange.of_months(date(2020, 1, 1), date(2020, 4, 1))
ALL = BreakpointRule(basis="all")
# Weighted means of forty returns, added up in another order.
AGREEMENT = 1e-14


def ten_stocks() -> pl.DataFrame:
    """Betas 0.1 to 1.0, returns 1 % to 10 %, the second of each pair three times as large."""
    number = pl.int_range(1, 11, eager=True)
    return pl.DataFrame(
        {
            "security_id": number,
            "beta_mkt": number / 10,
            "ret": number / 100,
            "lagged_market_equity": [1.0, 3.0] * 5,
        }
    ).with_columns(month_end=pl.lit(JAN), exchange=pl.lit(None, dtype=pl.String))


def returns_of(frame: pl.DataFrame, weighting: str) -> dict[str, float | None]:
    return dict(frame.filter(pl.col("weighting") == weighting)["cell", "ret"].rows())


def test_quintiles_of_ten_stocks_by_hand():
    found = beta_portfolio_returns(ten_stocks(), CAPM, MONTHS, breakpoint_rule=ALL, min_stocks=2)
    assert returns_of(found, "equal") == pytest.approx(
        {"Q1": 0.015, "Q2": 0.035, "Q3": 0.055, "Q4": 0.075, "Q5": 0.095, "Q5-Q1": 0.08}
    )
    # (1 + 3 * 2) / 4 = 1.75 in the lowest, (9 + 3 * 10) / 4 = 9.75 in the highest.
    by_value = returns_of(found, "value")
    assert (by_value["Q1"], by_value["Q5"]) == pytest.approx((0.0175, 0.0975))
    assert by_value["Q5-Q1"] == by_value["Q5"] - by_value["Q1"]
    assert found.select("model", "loading").unique().rows() == [("CAPM", "beta_mkt")]
    assert dict(found["cell", "stocks"].unique().rows())["Q5-Q1"] == 4


def test_a_thin_quintile_has_no_return_but_its_counts():
    found = beta_portfolio_returns(ten_stocks(), CAPM, MONTHS, breakpoint_rule=ALL, min_stocks=3)
    assert found["ret"].null_count() == found.height
    assert found.filter(pl.col("cell") == "Q1")["stocks"].to_list() == [2, 2]


def test_stocks_without_a_beta_are_in_no_quintile():
    stocks = ten_stocks().with_columns(
        beta_mkt=pl.when(pl.col("security_id") > 10).then("beta_mkt").otherwise(None)
    )
    assert beta_portfolio_returns(stocks, CAPM, MONTHS, breakpoint_rule=ALL).is_empty()


def test_a_month_without_returns_is_left_out():
    running = ten_stocks().with_columns(
        month_end=pl.lit(date(2020, 2, 29)), ret=pl.lit(None, dtype=pl.Float64)
    )
    both = pl.concat([ten_stocks(), running])
    found = beta_portfolio_returns(both, CAPM, MONTHS, breakpoint_rule=ALL, min_stocks=2)
    assert found["month_end"].unique().to_list() == [JAN]


@pytest.fixture(scope="module")
def market() -> pl.DataFrame:
    """Two hundred stocks in four months, some without a return, a beta or a market equity."""
    rng = np.random.default_rng(8)
    ends = pl.Series([date(2020, m, d) for m, d in ((1, 31), (2, 29), (3, 31), (4, 30))])
    rows = 200 * 4
    values = {
        name: np.where(rng.random(rows) < 0.05, np.nan, rng.normal(0.5, 1, rows))
        for name in ("beta_mkt", "beta_smb", "beta_hml", "ret")
    }
    return pl.DataFrame(values, nan_to_null=True).with_columns(
        security_id=pl.Series(np.tile(np.arange(200), 4)),
        month_end=ends.gather(np.repeat(np.arange(4), 200)),
        lagged_market_equity=pl.Series(np.exp(rng.normal(12, 2, rows))),
        exchange=pl.lit(None, dtype=pl.String),
    )


def test_every_quintile_is_what_pandas_makes_of_it(market):
    found = beta_portfolio_returns(market, FF3, MONTHS, breakpoint_rule=ALL)
    given = {
        tuple(row[:4]): row[4]
        for row in found.select("month_end", "loading", "cell", "weighting", "ret").rows()
    }
    assert len(given) == 4 * 3 * 6 * 2
    for (end, loading, cell, weighting), ret in given.items():
        if "-" in cell:
            continue
        month = market.filter(pl.col("month_end") == end).to_pandas().dropna(subset=[loading])
        quintile = pd.qcut(month[loading], 5, labels=["Q1", "Q2", "Q3", "Q4", "Q5"])
        held = month[quintile == cell].dropna(subset=["ret"])
        weights = held["lagged_market_equity"] if weighting == "value" else None
        assert ret == pytest.approx(np.average(held["ret"], weights=weights), abs=AGREEMENT)


def test_months_one_by_one_in_any_row_order_equal_the_range_bit_for_bit(market):
    whole = beta_portfolio_returns(
        market.sample(fraction=1, shuffle=True, seed=1), FF3, MONTHS, breakpoint_rule=ALL
    )
    parts = [
        beta_portfolio_returns(
            market.filter(pl.col("month_end") == end),
            FF3,
            MonthRange.of_months(end, end),
            breakpoint_rule=ALL,
        )
        for end in market["month_end"].unique().sort()
    ]
    assert_frame_equal(whole, pl.concat(parts), check_exact=True)
