"""What the simulated market was made from can be found again in what vendors tell of it."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.sources.simulated import (
    FACTORS,
    Premia,
    SimulationParameters,
    monthly_factors,
    monthly_market,
    truth,
)
from factor_pipeline.sources.simulated.data_sets import data_sets

MARKET = SimulationParameters(stocks=300, years=10)
BETAS = [f"beta_{factor}" for factor in FACTORS]

# Prices have four decimals: a return misses the true one by 0.00005 (1 + 1 + r) / price at most,
# 0.0001 for the cheapest shares; monthly returns chain, so only the ends count.
ROUNDING = 1e-4


@pytest.fixture(scope="module")
def frames():
    return data_sets(MARKET)


@pytest.fixture(scope="module")
def true():
    return truth(MARKET)


@pytest.fixture(scope="module")
def daily(frames):
    """Gross total return since the price before, from what vendors tell."""
    before = pl.col("close").shift().over("vendor_id")
    gross = (pl.col("close") * pl.col("split") + pl.col("dividend")) / before
    return frames["prices"].select(
        "vendor_id", "date", gross=gross, month_end=pl.col("date").dt.month_end()
    )


@pytest.fixture(scope="module")
def monthly(daily, true):
    """Monthly returns from daily prices and true ones, of months without halts at their ends."""
    last = daily.group_by("month_end").agg(month_last=pl.col("date").max())
    months = (
        daily.group_by("vendor_id", "month_end", maintain_order=True)
        .agg(ret=pl.col("gross").product() - 1, last=pl.col("date").max(), n=pl.col("gross").len())
        .join(last, on="month_end", maintain_order="left")
        .with_columns(whole=pl.col("last") == pl.col("month_last"))
    )
    previous = pl.col("month_end").shift().over("vendor_id")
    follows = previous == pl.col("month_end").dt.offset_by("-1mo").dt.month_end()
    usable = follows & pl.col("whole").shift().over("vendor_id")
    left = true["delistings"].select("vendor_id", left="date")
    return (
        months.with_columns(usable=usable)
        .join(left, on="vendor_id", how="left")
        .filter("usable", pl.col("whole") | (pl.col("last") == pl.col("left")))
        .join(true["returns"], on=["vendor_id", "month_end"], suffix="_true")
    )


def ols(y, x):
    return sm.OLS(y, sm.add_constant(x)).fit()


def test_total_returns_come_back_from_close_split_and_dividend(monthly, true):
    assert monthly.height > 0.98 * true["returns"].height
    assert (monthly["ret"] - monthly["ret_true"]).abs().max() < ROUNDING


def test_the_vendors_adjusted_close_agrees_with_it(frames, daily):
    adjusted = frames["prices"].select(
        growth=pl.col("adjusted_close") / pl.col("adjusted_close").shift().over("vendor_id")
    )["growth"]
    assert (adjusted - daily["gross"]).abs().max() < ROUNDING


def test_the_value_weighted_market_is_the_true_factor(frames, true, monthly):
    shares = (
        frames["fundamentals"]
        .filter(pl.col("statement") == "balance")
        .select("vendor_id", "period_end", "shares")
        .unique(["vendor_id", "period_end"], keep="first", maintain_order=True)
        .sort("period_end")
    )
    closes = (
        frames["prices"]
        .group_by(
            "vendor_id", pl.col("date").dt.month_end().alias("month_end"), maintain_order=True
        )
        .agg(pl.col("close").last(), pl.col("date").last(), split=pl.col("split").product())
    )
    splits = pl.col("split").cum_prod().over("vendor_id")
    equity = (
        closes.with_columns(basis=splits)
        .sort("month_end")
        .join_asof(
            shares, left_on="month_end", right_on="period_end", by="vendor_id", strategy="backward"
        )
        .sort("vendor_id", "month_end")
    )
    at_period = equity.select("vendor_id", period_end="month_end", basis_then="basis")
    equity = equity.join(at_period, on=["vendor_id", "period_end"], how="left").select(
        "vendor_id",
        month_end=pl.col("month_end").dt.offset_by("1d").dt.month_end(),
        weight=pl.col("close")
        * pl.col("shares")
        * pl.col("basis")
        / pl.col("basis_then").fill_null(1.0),
    )
    market = (
        monthly.join(equity, on=["vendor_id", "month_end"])
        .drop_nulls("weight")
        .group_by("month_end")
        .agg(ret=(pl.col("ret") * pl.col("weight")).sum() / pl.col("weight").sum())
        .join(true["factors"], on="month_end")
    )
    assert market.height >= MARKET.months - 1
    gap = (market["ret"] - market["rf"] - market["mkt"]).to_numpy()
    # Left over: firms halted at a month's end, share classes' own prices, dead weights.
    assert np.std(gap) < 0.002
    assert market.select(pl.corr("ret", pl.col("rf") + pl.col("mkt"))).item() > 0.998


def test_the_library_states_the_true_factors(frames, true):
    library = frames["library"]
    latest = library.filter(
        pl.col("vintage") == library["vintage"].max(), pl.col("frequency") == "monthly"
    ).unique(["series", "date"])
    wide = latest.pivot("series", index="date", values="value").sort("date")
    names = {"Mkt-RF": "mkt", "SMB": "smb", "HML": "hml", "RMW": "rmw", "CMA": "cma"}
    for series, factor in {**names, "Mom": "umd", "RF": "rf"}.items():
        # Equal but for the last bit of a division by 100.
        difference = (wide[series] - true["factors"][factor]).abs()
        assert difference.max() < 1e-15, series


def test_the_benchmark_is_the_large_half_of_the_market(frames, true):
    level = frames["benchmark"].with_columns(ret=pl.col("adjusted_close").pct_change())
    joined = level.join(true["factors_daily"], on="date").drop_nulls("ret")
    fit = ols((joined["ret"] - joined["rf"]).to_numpy(), joined.select(FACTORS).to_numpy())
    beta = dict(zip(FACTORS, fit.params[1:], strict=True))
    assert beta["mkt"] == pytest.approx(1, abs=0.05)
    assert -0.3 < beta["smb"] < 0
    assert fit.rsquared > 0.98


def test_betas_wander_slowly_and_are_explained_by_nothing_sudden(true):
    betas = true["betas"].sort("vendor_id", "month_end")
    change = betas.select(
        (pl.col(name) - pl.col(name).shift().over("vendor_id")).alias(name) for name in BETAS
    ).drop_nulls()
    for name in ("beta_mkt", "beta_smb", "beta_hml"):
        assert change[name].std() < 0.3 * betas[name].std(), name
        assert change[name].std() > 0, name
    assert betas["beta_mkt"].mean() == pytest.approx(1, abs=0.1)
    assert 0.2 < betas["beta_mkt"].std() < 0.5


def test_missing_delisting_returns_are_known_to_the_truth(frames, true):
    told = frames["delisting"].join(true["delistings"], on="vendor_id", suffix="_true")
    assert told.height == frames["delisting"].height == true["delistings"].height
    known = told.drop_nulls("delisting_return")
    assert 0 < known.height < told.height
    assert (known["delisting_return"] == known["delisting_return_true"]).all()
    assert told["delisting_return_true"].null_count() == 0


def test_premia_are_those_asked_for():
    parameters = SimulationParameters(stocks=20, years=3, premia=Premia(hml=0.1, umd=0.0))
    premia = dict(truth(parameters)["premia"].iter_rows())
    assert premia == {
        "mkt": 0.07,
        "smb": 0.02,
        "hml": 0.1,
        "rmw": 0.03,
        "cma": 0.025,
        "umd": 0.0,
    }


@pytest.fixture(scope="module")
def constant():
    """Daily returns of 100 stocks over six years whose betas never change, and the truth."""
    parameters = SimulationParameters(stocks=100, years=6, constant_betas=True, seed=4)
    prices = data_sets(parameters)["prices"]
    before = pl.col("close").shift().over("vendor_id")
    gross = (pl.col("close") * pl.col("split") + pl.col("dividend")) / before
    days = prices["date"].unique().sort()
    number = pl.col("date").replace_strict(days, range(len(days)))
    # A return over a halt is that of several days: no day's factor explains it.
    follows = (number - number.shift().over("vendor_id")) == 1
    return (
        prices.select("vendor_id", "date", ret=gross - 1, follows=follows).filter("follows"),
        truth(parameters),
    )


def test_constant_betas_are_constant(constant):
    distinct = constant[1]["betas"].group_by("vendor_id").agg(pl.col(BETAS).n_unique())
    assert distinct.select(pl.max_horizontal(pl.col(BETAS).max())).item() == 1


def test_regressions_on_the_true_factors_find_the_betas(constant):
    returns, true = constant
    joined = returns.join(true["factors_daily"], on="date").with_columns(
        excess=pl.col("ret") - pl.col("rf")
    )
    betas = true["betas"].unique("vendor_id", keep="first", maintain_order=True)
    by_vendor = {row[0]: np.array(row[1:]) for row in betas.select("vendor_id", *BETAS).rows()}
    covered, errors = [], []
    for (vendor_id,), stock in joined.group_by("vendor_id", maintain_order=True):
        if stock.height < 250:
            continue
        fit = ols(stock["excess"].to_numpy(), stock.select(FACTORS).to_numpy())
        low, high = fit.conf_int(0.05)[1:].T
        expected = by_vendor[vendor_id]
        covered.append((low <= expected) & (expected <= high))
        errors.append(fit.params[1:] - expected)
    share = np.mean(covered)
    # 700 intervals: a standard error of .008.
    assert len(covered) > 100
    assert 0.93 < share < 0.97
    bias = np.abs(np.mean(errors, axis=0))
    assert np.all(bias < 4 * np.std(errors, axis=0) / np.sqrt(len(errors)))


def long_short(market, signal):
    """High minus low of independent 2x3 sorts at NYSE breakpoints, value weighted.

    Fama and French (1993).
    """
    usable = market.drop_nulls([signal, "ret"])
    nyse = usable.filter(pl.col("exchange") == "NYSE")
    breakpoints = nyse.group_by("month_end").agg(
        median=pl.col("size").median(),
        low=pl.col(signal).quantile(0.3, "linear"),
        high=pl.col(signal).quantile(0.7, "linear"),
    )
    cell = (
        usable.join(breakpoints, on="month_end")
        .with_columns(
            small=pl.col("size") <= pl.col("median"),
            third=(pl.col(signal) > pl.col("low")).cast(pl.Int8)
            + (pl.col(signal) > pl.col("high")).cast(pl.Int8),
        )
        .sort("month_end", "security_id")
        .group_by("month_end", "small", "third", maintain_order=True)
        .agg(
            ret=(pl.col("ret") * pl.col("lagged_market_equity")).sum()
            / pl.col("lagged_market_equity").sum()
        )
    )
    side = pl.when(pl.col("third") == 2).then(0.5).when(pl.col("third") == 0).then(-0.5)
    return (
        cell.filter(pl.col("third") != 1)
        .group_by("month_end")
        .agg(own=(side * pl.col("ret")).sum(), cells=pl.len())
        .filter(pl.col("cells") == 4)
        .sort("month_end")
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("signal", "factor", "sign", "least"),
    [
        ("book_to_market", "hml", 1, 0.85),
        ("momentum_12_2", "umd", 1, 0.85),
        ("operating_profitability", "rmw", 1, 0.6),
        ("investment", "cma", -1, 0.6),
    ],
)
def test_factors_built_from_the_market_follow_the_true_ones(signal, factor, sign, least):
    own = long_short(monthly_market(2000, 240, seed=1), signal)
    joined = own.join(monthly_factors(240, seed=1), on="month_end")
    assert joined.height > 200
    correlation = sign * joined.select(pl.corr("own", factor)).item()
    assert correlation > least
    fit = ols(sign * joined["own"].to_numpy(), joined.select(FACTORS).to_numpy())
    # The portfolio has a loading near one on its own factor, and more than on any other.
    loading = dict(zip(FACTORS, fit.params[1:], strict=True))
    assert loading[factor] == pytest.approx(1, abs=0.15)
    assert all(abs(value) < 0.6 for name, value in loading.items() if name != factor)


def test_crashes_and_fat_tails_are_in_single_stocks_too(daily):
    returns = daily.drop_nulls("gross")["gross"] - 1
    assert returns.kurtosis() > 3
    assert returns.min() < -0.2
    assert returns.max() > 0.2


def test_volatility_of_stocks_differs_and_clusters(daily):
    size = daily.drop_nulls("gross").with_columns(size=(pl.col("gross") - 1).abs())
    by_stock = size.group_by("vendor_id").agg(pl.col("size").mean(), pl.len())
    long_lived = by_stock.filter(pl.col("len") > 1000)["size"]
    assert long_lived.quantile(0.9) > 1.3 * long_lived.quantile(0.1)
    by_month = size.group_by("month_end").agg(pl.col("size").mean()).sort("month_end")["size"]
    assert by_month.max() > 1.8 * by_month.min()
    assert np.corrcoef(by_month[1:], by_month[:-1])[0, 1] > 0.5


def test_truth_keeps_its_shape(true):
    assert true["returns"]["ret"].is_finite().all()
    assert true["betas"].null_count().sum_horizontal().item() == 0
    assert true["factors"].height == MARKET.months
    assert true["factors"]["month_end"].max() == MARKET.end - timedelta(days=1)
    for name in ("betas", "returns"):
        assert (
            not true[name].select(pl.struct("vendor_id", "month_end").is_duplicated().any()).item()
        )
