from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.factors import (
    FORMULAS,
    Formula,
    Portfolio,
    factor_returns,
    stocks_behind,
)
from factor_pipeline.errors import DataError
from factor_pipeline.settings import Settings

JAN, FEB = date(2000, 1, 31), date(2000, 2, 29)
VALUE = {"SG": 0.01, "SN": 0.02, "SV": 0.06, "BG": 0.03, "BN": 0.05, "BV": 0.04}
TERCILE = {"Low": -0.01, "Mid": 0.5, "High": 0.04}
MOMENTUM = {"SL": -0.02, "SM": 0.5, "SH": 0.07, "BL": 0.01, "BM": 0.5, "BH": 0.03}
PROFITABILITY = {"SW": 0.01, "SN": 0.02, "SR": 0.03, "BW": 0.02, "BN": 0.01, "BR": 0.08}
INVESTMENT = {"SC": 0.05, "SN": 0.01, "SA": 0.03, "BC": 0.02, "BN": 0.02, "BA": 0.01}
QUALITY = {"SJ": -0.06, "SN": 0.5, "SQ": 0.02, "BJ": 0.01, "BN": 0.5, "BQ": 0.03}
VOLATILITY = {"Low": 0.01, "Mid": 0.5, "High": 0.04}

# Means of two or three returns below 1.
ROUNDING = 1e-15


def returns(sort, cells, end=JAN, weighting="value"):
    schema = {"cell": pl.String, "ret": pl.Float64}
    return pl.DataFrame(list(cells.items()), schema=schema, orient="row").with_columns(
        sort=pl.lit(sort), weighting=pl.lit(weighting), month_end=pl.lit(end)
    )


def all_portfolios(end=JAN, weighting="value"):
    return pl.concat(
        [
            returns("market", {"All": 0.04}, end, weighting),
            returns("size_value_2x3", VALUE, end, weighting),
            returns("size_momentum_2x3", MOMENTUM, end, weighting),
            returns("momentum_12_2_tercile", TERCILE, end, "equal"),
            returns("size_profitability_2x3", PROFITABILITY, end, weighting),
            returns("size_investment_2x3", INVESTMENT, end, weighting),
            returns("size_quality_2x3", QUALITY, end, weighting),
            returns("volatility_252d_tercile", VOLATILITY, end, weighting),
        ]
    )


def rf(*rates):
    schema = {"month_end": pl.Date, "rf": pl.Float64}
    return pl.DataFrame(list(zip([JAN, FEB], rates, strict=False)), schema=schema, orient="row")


def by_factor(frame):
    return dict(frame["factor", "ret"].rows())


def test_the_factors_by_hand():
    found = by_factor(factor_returns(all_portfolios(), rf(0.003)))
    assert list(found) == [
        *("MKT", "SMB", "SMB_FF5", "HML", "UMD", "UMD_EW", "RMW", "CMA", "QMJ", "LOWVOL")
    ]
    assert found["MKT"] == pytest.approx(0.04 - 0.003, abs=ROUNDING)
    assert found["SMB"] == pytest.approx(0.03 - 0.04, abs=ROUNDING)
    assert found["HML"] == pytest.approx(0.05 - 0.02, abs=ROUNDING)
    assert found["UMD"] == pytest.approx(0.05 - (-0.005), abs=ROUNDING)
    assert found["UMD_EW"] == pytest.approx(0.04 - (-0.01), abs=ROUNDING)
    assert found["RMW"] == pytest.approx((0.03 + 0.08) / 2 - (0.01 + 0.02) / 2, abs=ROUNDING)
    assert found["CMA"] == pytest.approx((0.05 + 0.02) / 2 - (0.03 + 0.01) / 2, abs=ROUNDING)
    # Quality minus junk of the small, 0.08, and of the big, 0.02.
    assert found["QMJ"] == pytest.approx((0.08 + 0.02) / 2, abs=ROUNDING)
    assert found["LOWVOL"] == pytest.approx(0.01 - 0.04, abs=ROUNDING)


def test_the_size_factor_of_the_five_factor_model_is_the_mean_of_three():
    of_value, of_profitability, of_investment = 0.03 - 0.04, 0.02 - 0.11 / 3, 0.03 - 0.05 / 3
    found = by_factor(factor_returns(all_portfolios(), rf(0.003)))
    mean = (of_value + of_profitability + of_investment) / 3
    assert found["SMB_FF5"] == pytest.approx(mean, abs=ROUNDING)


def test_stocks_behind_a_factor_are_those_of_its_thinnest_sort():
    counts = {"size_profitability_2x3": 7, "size_investment_2x3": 5, "momentum_12_2_tercile": 4}
    frame = all_portfolios().with_columns(
        stocks=pl.col("sort").replace_strict(counts, default=9, return_dtype=pl.Int64)
    )
    found = dict(stocks_behind(frame)["factor", "stocks"].rows())
    assert found["MKT"] == 9
    assert found["HML"] == 4 * 9
    assert found["SMB"] == 6 * 9
    assert found["RMW"] == 4 * 7
    assert found["SMB_FF5"] == 6 * 5
    assert found["UMD_EW"] == 2 * 4
    assert set(found) == {formula.factor for formula in FORMULAS}


def test_every_formula_names_cells_of_the_catalogue():
    cells = {sort.name: sort.cells for sort in Settings().portfolios.all_sorts()}
    for formula in FORMULAS:
        for portfolio in formula.long + formula.short:
            assert portfolio.cell in cells[portfolio.sort]


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf")])
def test_a_missing_cell_makes_its_factors_missing_and_no_others(missing):
    frame = all_portfolios().with_columns(
        ret=pl.when(pl.col("cell") == "SN").then(missing).otherwise("ret")
    )
    found = by_factor(factor_returns(frame, rf(0.003)))
    assert [factor for factor, ret in found.items() if ret is None] == ["SMB", "SMB_FF5"]


def test_a_cell_without_a_row_is_missing_too():
    frame = all_portfolios().filter(pl.col("cell") != "BV")
    found = by_factor(factor_returns(frame, rf(0.003)))
    assert [factor for factor, ret in found.items() if ret is None] == ["SMB", "SMB_FF5", "HML"]


@pytest.mark.parametrize("rate", [None, float("nan")])
def test_without_a_risk_free_rate_only_the_market_is_missing(rate):
    for rates in (rf(rate), rf()):
        found = by_factor(factor_returns(all_portfolios(), rates))
        assert [factor for factor, ret in found.items() if ret is None] == ["MKT"]


def test_months_are_those_of_the_portfolios():
    frame = pl.concat([all_portfolios(FEB), returns("market", {"All": 0.01}, JAN)])
    found = factor_returns(frame, rf(0.0))
    assert found["month_end"].to_list() == [JAN] * len(FORMULAS) + [FEB] * len(FORMULAS)
    january = found.filter(pl.col("month_end") == JAN).drop_nulls("ret")
    assert january["factor", "ret"].rows() == [("MKT", 0.01)]
    assert found.filter(pl.col("month_end") == FEB)["ret"].null_count() == 1  # no rate


def test_a_month_alone_equals_the_same_month_in_a_range_bit_for_bit():
    ends = pl.date_range(JAN, date(2015, 1, 31), "1mo", eager=True).dt.month_end()
    draw = np.random.default_rng(5)
    frame = pl.concat([all_portfolios(end) for end in ends])
    frame = frame.with_columns(ret=pl.Series(draw.normal(0.01, 0.05, frame.height)))
    rates = pl.DataFrame({"month_end": ends, "rf": draw.normal(0.002, 0.001, len(ends))})
    together = factor_returns(frame, rates)
    for end in ends:
        alone = factor_returns(frame.filter(pl.col("month_end") == end), rates)
        assert alone.equals(together.filter(pl.col("month_end") == end))


def test_other_weightings_do_not_enter():
    capped = pl.col("weighting") == "capped"
    frame = pl.concat(
        [
            all_portfolios(),
            all_portfolios(weighting="capped").filter(capped).with_columns(pl.col("ret") * 10),
        ]
    )
    assert factor_returns(frame, rf(0.003)).equals(factor_returns(all_portfolios(), rf(0.003)))


def test_a_formula_may_take_another_weighting():
    value = returns("market", {"All": 0.04})
    frame = pl.concat([value, returns("market", {"All": 0.07}, weighting="equal")])
    equal = Formula("MKT_EW", (Portfolio("market", "All", "equal"),), ())
    assert by_factor(factor_returns(frame, rf(0.0), [equal])) == {"MKT_EW": 0.07}


def test_a_portfolio_twice_in_a_month_is_refused():
    with pytest.raises(DataError, match="portfolio returns repeat a row"):
        factor_returns(pl.concat([all_portfolios(), all_portfolios()]), rf(0.0))


def test_a_risk_free_rate_twice_in_a_month_is_refused():
    with pytest.raises(DataError, match="risk-free rates repeat a row"):
        factor_returns(all_portfolios(), pl.concat([rf(0.0), rf(0.0)]))


@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_rows_changes_no_bit(seed):
    frame = pl.concat([all_portfolios(JAN), all_portfolios(FEB)])
    shuffled = frame.sample(fraction=1, shuffle=True, seed=seed)
    expected = factor_returns(frame, rf(0.001, 0.002))
    assert factor_returns(shuffled, rf(0.001, 0.002)[::-1]).equals(expected)


def test_no_portfolios_have_no_factors():
    assert factor_returns(all_portfolios().clear(), rf(0.0)).is_empty()
