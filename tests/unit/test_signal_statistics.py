"""Information coefficients and cross-sectional regressions: hand cases, other tools, noise."""

from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from linearmodels import FamaMacBeth
from polars.testing import assert_frame_equal

from factor_pipeline.compute.statistics.cross_sections import cross_sections
from factor_pipeline.compute.statistics.fama_macbeth import signal_premia, specifications
from factor_pipeline.compute.statistics.information import (
    information_coefficients,
    information_summary,
)
from factor_pipeline.compute.statistics.ranks import doubled_ranks
from factor_pipeline.errors import DataError, SchemaError
from tests.unit.test_factor_statistics import months

# Least squares of a few dozen observations in double precision.
AGREEMENT = 1e-10


def crowd(length=40, stocks=30, seed=0):
    """Stocks with returns and signals; about a tenth of each is missing, and signals have ties."""
    rng = np.random.default_rng(seed)
    size = length * stocks
    frame = pl.DataFrame(
        {
            "month_end": np.repeat(months(length).to_numpy(), stocks),
            "security_id": np.tile(np.arange(stocks), length),
            "ret": rng.normal(0.01, 0.1, size),
            "size": rng.lognormal(5, 2, size),
            "coarse": rng.integers(0, 6, size).astype(float),
        }
    ).with_columns(month_end=pl.col("month_end").cast(pl.Date))
    return frame.with_columns(
        pl.when(pl.Series(rng.random(size) > 0.1)).then(name).alias(name)
        for name in ("ret", "size", "coarse")
    )


@given(st.lists(st.lists(st.integers(-3, 3), min_size=0, max_size=12), min_size=1, max_size=8))
def test_ranks_equal_scipys_month_by_month(by_month):
    counts = np.array([len(values) for values in by_month])
    found = doubled_ranks(np.array([v for values in by_month for v in values], dtype=float), counts)
    expected = [scipy.stats.rankdata(values) * 2 for values in by_month if values]
    assert found.tolist() == (np.concatenate(expected).tolist() if expected else [])


def test_information_coefficients_equal_spearmans():
    stocks = crowd()
    found = information_coefficients(stocks, ["size", "coarse"])
    assert found.height == 80
    for row in found.sample(20, seed=1).iter_rows(named=True):
        both = stocks.filter(month_end=row["month_end"]).drop_nulls(["ret", row["signal"]])
        expected = scipy.stats.spearmanr(both["ret"], both[row["signal"]]).statistic
        assert row["stocks"] == both.height
        assert row["coefficient"] == pytest.approx(expected, abs=1e-14)


def test_a_signal_that_is_the_return_has_one_and_its_negative_minus_one():
    stocks = crowd().with_columns(good=pl.col("ret") * 3, bad=-(pl.col("ret") ** 3))
    found = information_coefficients(stocks, ["good", "bad"])
    assert found["coefficient"].to_list() == [1.0] * 40 + [-1.0] * 40


def test_months_without_enough_stocks_or_variation_have_no_coefficient():
    stocks = crowd(3, 9).with_columns(flat=pl.lit(1.0), absent=pl.lit(None, pl.Float64))
    assert information_coefficients(stocks, ["size"])["coefficient"].null_count() == 3
    more = crowd(3).with_columns(flat=pl.lit(1.0), absent=pl.lit(None, pl.Float64))
    assert information_coefficients(more, ["flat"])["coefficient"].null_count() == 3
    assert information_coefficients(more, ["absent"]).is_empty()
    assert information_coefficients(more.clear(), ["size"]).is_empty()


def test_a_month_alone_and_in_any_order_has_the_same_bits():
    stocks = crowd()
    signals = ["size", "coarse"]
    whole = information_coefficients(stocks, signals)
    mixed = stocks.sample(fraction=1, shuffle=True, seed=4)
    assert_frame_equal(information_coefficients(mixed, signals), whole, check_exact=True)
    for month in months(40)[::9]:
        alone = information_coefficients(stocks.filter(month_end=month), signals)
        assert_frame_equal(alone, whole.filter(month_end=month), check_exact=True)
    chosen = specifications(signals)
    premia = signal_premia(stocks, chosen)
    assert_frame_equal(signal_premia(mixed, chosen), premia, check_exact=True)


def test_a_summary_by_hand():
    # 24 months of 0.1 and 0.3 by turns.
    rows = pl.DataFrame(
        {"signal": "x", "month_end": months(24), "coefficient": [0.1, 0.3] * 12, "stocks": 20}
    )
    found = information_summary(rows).row(0, named=True)
    assert found["mean"] == pytest.approx(0.2)
    assert found["deviation"] == pytest.approx(0.1 * np.sqrt(24 / 23))
    assert found["information_ratio"] == pytest.approx(2 * np.sqrt(23 / 24) * np.sqrt(12))
    assert (found["months"], found["average_stocks"], found["share_positive"]) == (24, 20.0, 1.0)
    assert (found["first_month"], found["nw_lag"]) == (date(1990, 1, 31), 2)
    few = information_summary(rows.head(23)).row(0, named=True)
    assert (few["mean"], few["verdict"]) == (None, "too few months")


def test_two_rows_of_a_stock_and_unknown_signals_are_refused():
    with pytest.raises(DataError, match="two rows in one month"):
        information_coefficients(pl.concat([crowd(2), crowd(2).head(1)]), ["size"])
    with pytest.raises(SchemaError, match="lack the columns"):
        information_coefficients(crowd(2), ["alpha_of_tomorrow"])


def arrays(stocks, regressors):
    rows = stocks.sort("month_end", "security_id")
    counts = rows.group_by("month_end", maintain_order=True).len()["len"].to_numpy().astype(int)
    filled = rows.select("ret", *regressors).fill_null(np.nan)
    return filled["ret"].to_numpy().copy(), filled.select(regressors).to_numpy().copy(), counts


def test_cross_sections_equal_linearmodels():
    stocks = crowd().with_columns(size=pl.col("size").log())
    fit = cross_sections(*arrays(stocks, ["size", "coarse"]))
    known = stocks.drop_nulls().with_columns(intercept=pl.lit(1.0)).sort("security_id", "month_end")
    panel = known.to_pandas().set_index(["security_id", "month_end"])
    columns = ["intercept", "size", "coarse"]
    theirs = FamaMacBeth(panel["ret"], panel[columns]).fit(cov_type="kernel", bandwidth=3)
    assert fit.slopes.mean(axis=0) == pytest.approx(theirs.params.to_numpy(), abs=AGREEMENT)
    monthly = theirs.all_params.sort_index()
    assert fit.slopes == pytest.approx(monthly.to_numpy(), abs=AGREEMENT)


def test_premia_and_their_errors_equal_linearmodels_on_the_same_ranks():
    stocks = crowd(length=60)
    found = signal_premia(stocks, {"both": ("size", "coarse")})
    rank = pl.col("size", "coarse").rank().over("month_end")
    count = pl.col("size", "coarse").count().over("month_end")
    assert found["months"].to_list() == [60] * 3
    ranked = stocks.with_columns((rank - 1) / (count - 1) - 0.5).drop_nulls()
    panel = ranked.with_columns(intercept=pl.lit(1.0)).sort("security_id", "month_end").to_pandas()
    panel = panel.set_index(["security_id", pd.to_datetime(panel["month_end"])])
    model = FamaMacBeth(panel["ret"], panel[["intercept", "size", "coarse"]])
    lag = found["nw_lag"][0]
    theirs = model.fit(cov_type="kernel", bandwidth=lag, debiased=False)
    assert found["mean"].to_numpy() == pytest.approx(theirs.params.to_numpy(), abs=AGREEMENT)
    assert found["t_newey_west"].to_numpy() == pytest.approx(
        theirs.tstats.to_numpy(), rel=AGREEMENT
    )
    monthly = theirs.all_params.to_numpy()
    t = scipy.stats.ttest_1samp(monthly, 0).statistic
    assert found["t_iid"].to_numpy() == pytest.approx(t, rel=AGREEMENT)
    assert found["average_assets"][0] == pytest.approx(ranked.height / 60)


def test_r2_is_that_of_the_regression():
    stocks = crowd(1)
    fit = cross_sections(*arrays(stocks, ["coarse"]))
    both = stocks.drop_nulls(["ret", "coarse"])
    assert fit.r2[0] == pytest.approx(np.corrcoef(both["ret"], both["coarse"])[0, 1] ** 2)


def test_months_that_tell_nothing_are_not_numbers():
    ret, x, counts = arrays(crowd(3), ["size"])
    x[: counts[0]] = 2.0
    ret[counts[0] : counts[0] + counts[1] - 5] = np.nan
    fit = cross_sections(ret, x, counts)
    assert np.isnan(fit.slopes).all(axis=1).tolist() == [True, True, False]
    assert fit.stocks[1] <= 5


NOISE = 200


@pytest.fixture(scope="module")
def noise():
    """Signals that know nothing of the returns, and one that does."""
    rng = np.random.default_rng(11)
    names = [f"noise_{i}" for i in range(NOISE)]
    length, stocks = 120, 60
    ret = rng.normal(0.01, 0.1, length * stocks)
    frame = crowd(length, stocks).with_columns(
        pl.Series("ret", ret),
        pl.Series("known", ret + rng.normal(0, 0.5, len(ret))),
        *(pl.Series(name, rng.normal(size=len(ret))) for name in names),
    )
    return frame, [*names, "known"]


# 200 tests at 5 %: 10 expected, deviation 3.1. Newey-West finds a bit more in 120 months.
FEWEST, MOST = 3, 22


def test_of_noise_one_in_twenty_looks_real_and_none_is_called_so(noise):
    frame, names = noise
    found = information_summary(information_coefficients(frame, names))
    of_noise = found.filter(pl.col("signal") != "known")
    assert FEWEST <= (of_noise["t_newey_west"].abs() > 1.96).sum() <= MOST
    assert (of_noise["verdict"] == "significant").sum() <= 1
    assert found.filter(signal="known")["verdict"].to_list() == ["significant"]


def test_premia_of_noise_are_chance_too(noise):
    frame, names = noise
    premia = signal_premia(frame, specifications(names)).filter(pl.col("term") != "intercept")
    of_noise = premia.filter(pl.col("term") != "known")
    assert of_noise.height == NOISE
    assert FEWEST <= (of_noise["t_newey_west"].abs() > 1.96).sum() <= MOST
    assert premia.filter(term="known")["t_newey_west"][0] > 5
