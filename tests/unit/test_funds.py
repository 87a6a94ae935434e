"""Returns of funds by hand, their loadings against statsmodels, their promises by hand."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.funds.loadings import LOADING_SCHEMA, fund_loadings
from factor_pipeline.compute.funds.promises import CRITICAL_T, Promise, kept_promises
from factor_pipeline.compute.funds.returns import fund_returns
from factor_pipeline.errors import DataError

# Two orders of summation of numbers of order 0.01 over errors of order 0.01.
SOLVER_NOISE = 1e-10

ENDS = pl.date_range(date(2010, 1, 1), date(2015, 12, 1), "1mo", eager=True).dt.month_end()
NAMES = ("MKT", "SMB", "SMB_FF5", "HML", "UMD", "RMW", "CMA", "RF")


def levels(*rows):
    frame = pl.DataFrame(rows, schema=["date", "adjusted_close"], orient="row")
    return frame.with_columns(symbol=pl.lit("FUND"), adjusted_close=pl.col("adjusted_close") * 1.0)


# Memorial Day was 31 May 2021: the month ended on the 28th.
DAYS = (
    (date(2021, 3, 31), 50),
    (date(2021, 4, 1), 99),
    (date(2021, 4, 30), 60),
    (date(2021, 5, 28), 66),
    (date(2021, 6, 29), 70),
    (date(2021, 6, 30), 33),
)


def test_returns_are_those_between_last_trading_days():
    found = fund_returns(levels(*DAYS, (date(2021, 7, 1), 1)))
    assert found["month_end"].to_list() == [date(2021, m, 30 + (m == 5)) for m in (4, 5, 6)]
    assert found["ret"].to_list() == [60 / 50 - 1, 66 / 60 - 1, 33 / 66 - 1]


def test_the_newest_row_is_not_used_even_on_a_last_trading_day():
    assert fund_returns(levels(*DAYS))["month_end"].to_list() == [
        date(2021, 4, 30),
        date(2021, 5, 31),
    ]


def test_a_month_whose_last_day_is_missing_takes_two_returns_with_it():
    gap = [row for row in DAYS if row[0] != date(2021, 4, 30)]
    assert fund_returns(levels(*gap, (date(2021, 7, 1), 1)))["month_end"].to_list() == [
        date(2021, 6, 30)
    ]


def test_a_month_without_any_price_is_not_bridged():
    gap = [row for row in DAYS if row[0] != date(2021, 5, 28)]
    assert fund_returns(levels(*gap, (date(2021, 7, 1), 1)))["month_end"].to_list() == [
        date(2021, 4, 30)
    ]


def test_funds_do_not_mix():
    one = levels(*DAYS)
    other = one.with_columns(symbol=pl.lit("ELSE"), adjusted_close=pl.col("adjusted_close") ** 2)
    found = fund_returns(pl.concat([one, other]).sort("date"))
    assert found.filter(symbol="FUND").equals(fund_returns(one))
    assert found["symbol"].to_list() == ["ELSE", "ELSE", "FUND", "FUND"]


def test_no_funds_have_no_returns():
    assert fund_returns(levels(*DAYS).clear()).is_empty()


def test_two_prices_of_a_day_are_refused():
    with pytest.raises(DataError, match="two fund prices have the same symbol FUND"):
        fund_returns(levels(*DAYS, DAYS[0]))


def library(vintage="202401", seed=1, names=NAMES):
    draws = np.random.default_rng(seed).normal(0.003, 0.03, (len(NAMES), len(ENDS)))
    return pl.concat(
        pl.DataFrame({"month_end": ENDS, "ret": draws[NAMES.index(name)]}).with_columns(
            factor=pl.lit(name), vintage=pl.lit(vintage)
        )
        for name in names
    )


def wide(factors):
    return factors.pivot("factor", index="month_end", values="ret").sort("month_end")


def fund(factors, symbol="FUND", seed=2):
    """RF + 0.002 + 1.1 MKT + 0.5 SMB - 0.3 HML and a little noise."""
    table = wide(factors)
    shocks = np.random.default_rng(seed).normal(0, 0.004, len(ENDS))
    return table.select(
        symbol=pl.lit(symbol),
        month_end="month_end",
        ret=pl.col("RF")
        + 0.002
        + 1.1 * pl.col("MKT")
        + 0.5 * pl.col("SMB")
        - 0.3 * pl.col("HML")
        + pl.Series(shocks),
    )


@pytest.mark.parametrize("model", MODELS, ids=[model.name for model in MODELS])
def test_loadings_are_those_of_statsmodels(model):
    factors = library()
    returns = fund(factors)
    found = fund_loadings(returns, factors, "latest").filter(model=model.name)
    table = wide(factors)
    names = [name.upper() for _, name in model.factors]
    fit = sm.OLS(
        (returns["ret"] - table["RF"]).to_numpy(), sm.add_constant(table.select(names).to_numpy())
    ).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    assert found["factor"].to_list() == names
    # floor(4 * 0.72 ** (2 / 9)) = floor(3.72)
    assert set(found["hac_lag"]) == {3}
    for column, expected in (
        ("beta", fit.params[1:]),
        ("standard_error", fit.bse[1:]),
        ("t", fit.tvalues[1:]),
        ("alpha", [fit.params[0]] * len(names)),
        ("alpha_t", [fit.tvalues[0]] * len(names)),
        ("r2", [fit.rsquared] * len(names)),
    ):
        assert found[column].to_list() == pytest.approx(list(expected), rel=SOLVER_NOISE), column
    window = found.select("vintage", "months", "first_month", "last_month").unique().rows()
    assert window == [("202401", 72, ENDS[0], ENDS[-1])]


def test_only_months_fund_and_factors_have_are_used():
    factors = library()
    returns = fund(factors)
    short = returns.slice(10, 50)
    gaps = factors.with_columns(
        ret=pl.when(pl.col("month_end") < ENDS[20], pl.col("factor") == "HML")
        .then(None)
        .otherwise("ret")
    )
    found = fund_loadings(short, gaps, "latest")
    months = dict(found.select("model", "months").iter_rows())
    assert months == {"CAPM": 50, "FF3": 40, "Carhart": 40, "FF5": 40}
    ff3 = found.filter(model="FF3")
    alone = fund_loadings(returns.slice(20, 40), factors, "latest").filter(model="FF3")
    assert ff3.equals(alone)


def test_a_model_takes_all_factors_from_one_vintage():
    newest = library("202402", seed=3, names=[n for n in NAMES if n != "UMD"])
    both = pl.concat([library("202401"), newest])
    returns = fund(library())

    def vintages(asked):
        found = fund_loadings(returns, both, asked)
        return dict(found.select("model", "vintage").iter_rows())

    assert vintages("latest") == {
        "CAPM": "202402",
        "FF3": "202402",
        "FF5": "202402",
        "Carhart": "202401",
    }
    assert vintages("202402") == vintages("latest")
    assert set(vintages("202401").values()) == {"202401"}
    only = fund_loadings(returns, newest, "latest").filter(model="Carhart")
    assert only.select("vintage", "months", "beta").unique().rows() == [(None, 0, None)]


def test_fewer_than_24_months_and_collinear_factors_have_no_estimates():
    factors = library()
    short = fund_loadings(fund(factors).head(23), factors, "latest")
    assert set(short["months"]) == {23}
    assert short["beta"].null_count() == short.height
    twice = factors.with_columns(
        ret=pl.when(pl.col("factor") == "SMB")
        .then(pl.col("ret").filter(factor="MKT").first())
        .otherwise("ret")
    )
    found = fund_loadings(fund(factors), twice, "latest")
    known = dict(found.group_by("model").agg(pl.col("beta").count()).iter_rows())
    assert known == {"CAPM": 1, "FF3": 0, "Carhart": 0, "FF5": 5}


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_bit(seed):
    factors = library()
    returns = pl.concat([fund(factors), fund(factors, "ELSE", seed=5)])
    found = fund_loadings(
        returns.sample(fraction=1, shuffle=True, seed=seed),
        factors.sample(fraction=1, shuffle=True, seed=seed),
        "latest",
    )
    assert found.equals(fund_loadings(returns, factors, "latest"))


def loading(beta, error=0.1, months=60, ticker="FUND"):
    row = {"ticker": ticker, "model": "FF3", "factor": "HML", "vintage": "202401"}
    row |= {"months": months, "beta": beta, "standard_error": error}
    return pl.DataFrame([row], schema=LOADING_SCHEMA)


def verdict(relation, level, loadings):
    promise = Promise("FUND", "value", "FF3", "HML", relation, level)
    (row,) = kept_promises([promise], loadings, {"FUND"}).to_dicts()
    return row["verdict"]


@pytest.mark.parametrize(
    ("relation", "level", "beta", "expected"),
    [
        ("above", 0.0, 0.1 * CRITICAL_T + 0.01, "as promised"),
        ("above", 0.0, 0.1 * CRITICAL_T - 0.01, "not as promised"),
        ("above", 0.0, -0.5, "not as promised"),
        ("above", 0.4, 0.5, "not as promised"),
        ("below", 0.0, -0.1 * CRITICAL_T - 0.01, "as promised"),
        ("below", 0.0, -0.1 * CRITICAL_T + 0.01, "not as promised"),
        ("below", 1.0, 0.7, "as promised"),
        ("below", 1.0, 0.9, "not as promised"),
        ("near", 1.0, 0.91, "as promised"),
        ("near", 1.0, 1.09, "as promised"),
        ("near", 1.0, 0.89, "not as promised"),
        ("near", 1.0, 1.11, "not as promised"),
    ],
)
def test_a_promise_is_kept_on_its_side_of_the_level(relation, level, beta, expected):
    assert verdict(relation, level, loading(beta)) == expected


def test_the_row_shows_what_the_verdict_rests_on():
    promise = Promise("FUND", "low volatility", "FF3", "HML", "below", 1.0)
    (row,) = kept_promises([promise], loading(0.7), {"FUND"}).to_dicts()
    assert row["t"] == pytest.approx(-3, rel=SOLVER_NOISE)
    assert (row["estimate"], row["standard_error"], row["vintage"]) == (0.7, 0.1, "202401")
    assert (row["promise"], row["months"], row["level"]) == ("low volatility", 60, 1.0)


@pytest.mark.parametrize("missing", [loading(None, None), loading(0.5, months=23)])
def test_a_loading_without_an_estimate_is_of_too_few_months(missing):
    assert verdict("above", 0.0, missing) == "too few months"
    assert verdict("above", 0.0, loading(0.5).clear()) == "too few months"


def test_a_fund_without_prices_is_an_unknown_ticker():
    promises = [
        Promise("NONE", "quality", "FF5", "RMW", "above", 0.0),
        Promise("FUND", "value", "FF3", "HML", "above", 0.0),
    ]
    found = kept_promises(promises, loading(0.5), {"FUND"})
    assert found["verdict"].to_list() == ["unknown ticker", "as promised"]
    assert found.row(0, named=True)["estimate"] is None
