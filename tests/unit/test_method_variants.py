from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.compute.assignments import assignments
from factor_pipeline.compute.breakpoints import BreakpointRule, breakpoints
from factor_pipeline.compute.cell_returns import PortfolioRule
from factor_pipeline.compute.delisting import ret_under
from factor_pipeline.compute.factors import factor_returns
from factor_pipeline.compute.method_variants import method_spread, method_variants
from factor_pipeline.compute.methods import FAMILIES, Method
from factor_pipeline.compute.portfolios import portfolio_returns
from factor_pipeline.compute.sorts import default_sorts, two_by_three
from factor_pipeline.months import MonthRange
from tests.unit.test_portfolios import market

# Annual means of sums in another order; returns are of order 0.1.
SUM_NOISE = 1e-12

MONTHS = MonthRange(date(2000, 7, 1), date(2005, 7, 1))
SIGNALS = (
    *("size", "book_to_market", "book_to_market_monthly", "momentum_12_2"),
    *("operating_profitability", "investment"),
)
JUNE = {"book_to_market", "operating_profitability", "investment"}
RULE = BreakpointRule(min_stocks=5)
METHOD = Method(RULE, PortfolioRule(min_stocks=2, cap=RULE), "-30%")
CHOICES = ("signal", "rebalance", "breakpoints", "quantile", "weighting", "delisting_return")

LAST = {"month_end": [date(2002, 3, 31), date(2003, 5, 31)], "security_id": [7, 11]}
"""Two stocks whose last months end in a delisting after bad performance."""


@pytest.fixture(scope="module")
def stocks() -> pl.DataFrame:
    rng = np.random.default_rng(8)
    frame = market(150, 60)
    extra = ("book_to_market_monthly", "operating_profitability", "investment")
    return frame.with_columns(
        ret=pl.when(_is_last() & (pl.col("security_id") == 7))
        .then(0.9 * 0.7 - 1)
        .when(_is_last())
        .then(-0.3)
        .otherwise("ret"),
        **{name: pl.Series(rng.normal(size=frame.height)) for name in extra},
    )


def _is_last() -> pl.Expr:
    return pl.any_horizontal(
        (pl.col("month_end") == month) & (pl.col("security_id") == security)
        for month, security in zip(*LAST.values(), strict=True)
    )


@pytest.fixture(scope="module")
def delisted() -> pl.DataFrame:
    """The first fell by 10 % before, on NYSE; the second had no price any more, on NASDAQ."""
    return pl.DataFrame(
        LAST
        | {"ret": [0.9 * 0.7 - 1, -0.3], "compounded": [-0.3, -0.3], "price": [1.0, None]}
        | {"exchange": ["NYSE", "NASDAQ"], "delisting_reason": ["performance"] * 2}
    ).with_columns(delisting_return=pl.lit(None, pl.Float64))


@pytest.fixture(scope="module")
def variants(stocks, delisted) -> pl.DataFrame:
    return method_variants(stocks, delisted, MONTHS, METHOD)


def test_the_return_before_a_delisting_is_compounded_with_another_one(delisted):
    found = {
        imputation: delisted.select(ret_under(imputation).alias("ret"))["ret"].to_list()
        for imputation in ("none", "-30%", "by_exchange")
    }
    assert found["none"] == [pytest.approx(-0.1, abs=SUM_NOISE), None]
    assert found["-30%"] == pytest.approx([0.9 * 0.7 - 1, -0.3], abs=SUM_NOISE)
    assert found["by_exchange"] == pytest.approx([0.9 * 0.65 - 1, -0.55], abs=SUM_NOISE)


def test_a_return_that_nothing_was_compounded_into_is_the_one_before():
    frame = pl.DataFrame(
        {"ret": [-0.1], "compounded": [None], "price": [1.0], "exchange": ["NYSE"]}
        | {"delisting_reason": ["performance"], "delisting_return": [None]},
        schema_overrides={"compounded": pl.Float64, "delisting_return": pl.Float64},
    )
    assert frame.select(ret_under("none")).item() == -0.1
    assert frame.select(ret_under("-30%")).item() == pytest.approx(0.9 * 0.7 - 1, abs=SUM_NOISE)


def test_every_combination_but_quantiles_is_there_once(variants):
    assert variants.select("factor", *CHOICES).is_unique().all()
    counts = dict(variants.group_by("factor").len().iter_rows())
    # signals x rebalances x bases x weightings x imputations, and four other quantiles
    assert counts == {
        "SMB": 2 * 2 * 2 * 3 * 3 + 4,
        "HML": 2 * 2 * 2 * 3 * 3 + 4,
        "UMD": 2 * 3 * 3 + 4,
        "RMW": 2 * 2 * 3 * 3 + 4,
        "CMA": 2 * 2 * 3 * 3 + 4,
    }
    assert set(counts) == {factor for family in FAMILIES for factor in family.factors}
    assert (variants["months"] > 40).all()


def returns_of(stocks: pl.DataFrame, sort, weighting: str, rule: BreakpointRule) -> pl.DataFrame:
    """Six portfolios of one sort, by way of assignments."""
    cells = assignments(stocks, breakpoints(stocks, [sort], rule), [sort], MONTHS)
    portfolios = portfolio_returns(stocks, cells, [sort], METHOD.portfolio_rule)
    return portfolios.filter(weighting=weighting).pivot(on="cell", index="month_end", values="ret")


@pytest.mark.parametrize(
    "choices",
    [
        ("book_to_market", "june", "nyse", "linear", "value", "-30%"),
        ("book_to_market", "june", "all", "linear", "equal", "none"),
        ("book_to_market_monthly", "monthly", "all", "linear", "capped", "by_exchange"),
        ("book_to_market", "june", "nyse", "midpoint", "value", "-30%"),
    ],
)
def test_a_variant_is_the_factor_made_that_way(stocks, delisted, variants, choices):
    signal, rebalance, basis, quantile, weighting, imputation = choices
    other = delisted.select("month_end", "security_id", other=ret_under(imputation))
    made = stocks.join(other, on=["month_end", "security_id"], how="left").with_columns(
        ret=pl.when(_is_last()).then("other").otherwise("ret")
    )
    rule = BreakpointRule(basis=basis, quantile=quantile, min_stocks=5)
    wide, default = (
        returns_of(*arguments)
        for arguments in (
            (made, two_by_three(signal, rebalance), weighting, rule),
            (stocks, two_by_three("book_to_market", "june"), "value", RULE),
        )
    )
    low, high = two_by_three(signal, rebalance).dimensions[1].labels[::2]
    ret, of_default = (
        (frame[f"S{top}"] + frame[f"B{top}"] - frame[f"S{bottom}"] - frame[f"B{bottom}"]) / 2
        for frame, bottom, top in ((wide, low, high), (default, "G", "V"))
    )
    both = ret.is_not_null() & of_default.is_not_null()
    ret, of_default = ret.filter(both).to_numpy(), of_default.filter(both).to_numpy()
    found = variants.filter(factor="HML", **dict(zip(CHOICES, choices, strict=True))).row(
        0, named=True
    )
    assert found["months"] == len(ret)
    assert found["annual_mean"] == pytest.approx(12 * ret.mean(), abs=SUM_NOISE)
    assert found["correlation"] == pytest.approx(np.corrcoef(ret, of_default)[0, 1], abs=SUM_NOISE)
    fit = sm.OLS(ret, np.ones(len(ret))).fit(cov_type="HAC", cov_kwds={"maxlags": 3})
    assert found["hac_lag"] == 3
    assert found["t"] == pytest.approx(fit.tvalues[0], rel=1e-9)


def test_the_default_is_our_own_factor(stocks, variants):
    sorts = default_sorts(SIGNALS, june_signals=JUNE)
    cells = assignments(stocks, breakpoints(stocks, sorts, RULE), sorts, MONTHS)
    portfolios = portfolio_returns(stocks, cells, sorts, METHOD.portfolio_rule)
    no_rates = pl.DataFrame(schema={"month_end": pl.Date, "rf": pl.Float64})
    own = factor_returns(portfolios, no_rates).drop_nulls("ret")
    default = variants.filter("is_default")
    assert default["factor"].to_list() == ["SMB", "HML", "UMD", "RMW", "CMA"]
    assert default["correlation"].to_list() == pytest.approx([1.0] * 5, abs=SUM_NOISE)
    for row in default.iter_rows(named=True):
        ret = own.filter(factor=row["factor"])["ret"]
        assert row["months"] == len(ret)
        assert row["annual_mean"] == pytest.approx(12 * ret.mean(), abs=SUM_NOISE)


def test_only_a_delisting_makes_imputations_differ(stocks, delisted):
    found = method_variants(stocks, delisted.clear(), MONTHS, METHOD)
    same = [name for name in CHOICES if name != "delisting_return"]
    premia = found.group_by("factor", *same).agg(pl.col("annual_mean").n_unique())
    assert premia["annual_mean"].max() == 1


def test_the_spread_by_hand():
    rows = pl.DataFrame(
        {
            "factor": ["HML"] * 4 + ["UMD"],
            "is_default": [False, True, False, False, True],
            "annual_mean": [0.01, 0.02, 0.06, None, 0.05],
            "standard_error": [0.01, 0.03, 0.02, None, 0.01],
        }
    )
    value, momentum = method_spread(rows).rows(named=True)
    assert (value["factor"], value["variants"], value["default_premium"]) == ("HML", 3, 0.02)
    assert (value["minimum"], value["median"], value["maximum"]) == (0.01, 0.02, 0.06)
    assert value["deviation_between"] == pytest.approx(np.std([0.01, 0.02, 0.06], ddof=1))
    assert value["error_within"] == pytest.approx(0.02)
    assert (momentum["variants"], momentum["default_premium"]) == (1, 0.05)
    assert momentum["deviation_between"] is None


def test_the_order_of_rows_changes_no_bit(stocks, delisted, variants):
    shuffled = stocks.sample(fraction=1, shuffle=True, seed=2)
    assert method_variants(shuffled, delisted[::-1], MONTHS, METHOD).equals(variants)


def test_without_stocks_there_are_variants_without_premia(stocks, delisted):
    found = method_variants(stocks.clear(), delisted.clear(), MONTHS, METHOD)
    assert found.height == 254
    assert found["months"].max() == 0
    assert method_spread(found)["variants"].to_list() == [0] * 5
