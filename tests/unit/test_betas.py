from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.betas.models import FACTORS, LOADINGS, MODELS
from factor_pipeline.compute.betas.output import COLLINEAR, OVERFLOW, STATISTICS, TOO_FEW
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.betas.shrinkage import with_shrunk_market_betas
from factor_pipeline.errors import DataError, SchemaError, SettingsError
from factor_pipeline.months import MonthRange, add_months

CAPM, FF3, CARHART, FF5 = MODELS
# A few operations in double precision on numbers near 1.
ROUNDING = 1e-13

START = date(1990, 4, 1)


def month_ends(count: int, start: date = START) -> list[date]:
    return [add_months(start, i + 1) - timedelta(days=1) for i in range(count)]


def panel_of(returns: dict[int, list[float | None]], start: date = START) -> pl.DataFrame:
    """One row per stock and month; no row where the return is None."""
    rows = [
        (stock, end, ret)
        for stock, values in returns.items()
        for end, ret in zip(month_ends(len(values), start), values, strict=True)
        if ret is not None
    ]
    schema = {"security_id": pl.Int64, "month_end": pl.Date, "ret": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def factors_of(count: int, seed: int = 5, start: date = START) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    draws = {name: 0.003 + 0.04 * rng.standard_normal(count) for name in FACTORS}
    return pl.DataFrame({"month_end": month_ends(count, start), "rf": [0.002] * count, **draws})


def random_panel(months: int, stocks: int, seed: int) -> pl.DataFrame:
    """Stocks that enter, leave, pause and have rows without a return."""
    rng = np.random.default_rng(seed)
    panel: dict[int, list[float | None]] = {}
    for stock in range(stocks):
        first, last = sorted(rng.integers(0, months + 1, 2).tolist())
        values = rng.normal(0.01, 0.08, months)
        alive = (np.arange(months) >= first) & (np.arange(months) < last)
        shown = alive & (rng.random(months) > 0.05)
        values[rng.random(months) < 0.03] = np.nan
        panel[stock] = [float(v) if s else None for v, s in zip(values, shown, strict=True)]
    return panel_of(panel)


def all_months(count: int, start: date = START) -> MonthRange:
    return MonthRange(start, add_months(start, count))


def test_a_window_of_four_months_equals_the_regression_worked_out_by_hand():
    # Excess returns 1, 3, 2, 6 on the market's 0, 1, 2, 3: means 3 and 1.5, Sxx 5, Sxy 7, so
    # beta 1.4, alpha .9; Syy 14, residuals .1 .7 -1.7 .9 with squares 4.2: R2 .7, s2 2.1.
    panel = panel_of({1: [1.5, 3.5, 2.5, 6.5]})
    factors = pl.DataFrame(
        {"month_end": month_ends(4), "rf": [0.5] * 4, "mkt": [0.0, 1.0, 2.0, 3.0]}
    )
    last = MonthRange(add_months(START, 3), add_months(START, 4))
    row = rolling_betas(panel, factors, last, models=[CAPM], window_months=4, min_months=3).row(
        0, named=True
    )
    se_beta, se_alpha = (2.1 / 5) ** 0.5, (2.1 * (1 / 4 + 1.5**2 / 5)) ** 0.5
    by_hand = {
        "alpha": 0.9,
        "beta_mkt": 1.4,
        "se_mkt": se_beta,
        "se_alpha": se_alpha,
        "t_mkt": 1.4 / se_beta,
        "t_alpha": 0.9 / se_alpha,
        "r2": 0.7,
        "residual_volatility": 2.1**0.5,
    }
    assert {name: row[name] for name in by_hand} == pytest.approx(by_hand, abs=ROUNDING)
    assert (row["security_id"], row["month_end"], row["model"]) == (1, date(1990, 7, 31), "CAPM")
    assert row["n"] == 4
    assert row["reason"] is None
    others = set(STATISTICS) - set(by_hand)
    assert all(row[name] is None for name in others)


def test_the_five_factor_model_uses_the_size_factor_of_its_own_file():
    factors = factors_of(60)
    # Returns that are a multiple of one of the two size factors, with rf added back.
    panel = panel_of({1: (0.7 * factors["smb_ff5"] + factors["rf"]).to_list()})
    last = MonthRange(add_months(START, 59), add_months(START, 60))
    row = rolling_betas(panel, factors, last, models=[FF5]).row(0, named=True)
    assert row["beta_smb"] == pytest.approx(0.7, abs=ROUNDING)
    assert row["beta_umd"] is None
    rest = [row[name] for name in ("alpha", "beta_mkt", "beta_hml", "beta_rmw", "beta_cma")]
    assert rest == pytest.approx([0] * 5, abs=ROUNDING)


def test_every_panel_row_of_the_months_has_a_row_per_model_in_order():
    panel = random_panel(80, 7, seed=3)
    months = MonthRange(add_months(START, 30), add_months(START, 70))
    result = rolling_betas(panel, factors_of(80), months)
    asked = panel.filter(pl.col("month_end").is_between(months.start, months.end, "left"))
    assert asked.height > 0
    keys = asked.select("security_id", "month_end").sort("month_end", "security_id")
    for model in MODELS:
        rows = result.filter(pl.col("model") == model.name)
        assert_frame_equal(rows.select("security_id", "month_end"), keys)
    assert result["model"].unique(maintain_order=True).to_list() == [m.name for m in MODELS]


@pytest.mark.parametrize(("returns", "reason"), [(23, TOO_FEW), (24, None)])
def test_twenty_four_returns_are_enough_and_twenty_three_are_not(returns, reason):
    rng = np.random.default_rng(1)
    values = [*rng.normal(0, 0.1, returns).tolist()]
    last = MonthRange(add_months(START, returns - 1), add_months(START, returns))
    row = rolling_betas(panel_of({1: values}), factors_of(30), last, models=[CARHART])
    assert row["n"].item() == returns
    assert row["reason"].item() == reason
    assert (row["beta_mkt"].item() is None) == (reason is not None)


def test_months_are_calendar_months_and_a_gap_only_lowers_the_count():
    values = np.random.default_rng(2).normal(0, 0.1, 100).tolist()
    values[50:60] = [None] * 10
    result = rolling_betas(panel_of({1: values}), factors_of(100), all_months(100), models=[CAPM])
    count = dict(result.select("month_end", "n").iter_rows())
    ends = month_ends(100)
    assert ends[55] not in count
    assert count[ends[49]] == 50
    assert count[ends[60]] == 50  # months 1 to 60 but for the ten missing ones
    assert count[ends[99]] == 50


def test_a_row_without_a_return_is_estimated_from_the_other_months():
    values = np.random.default_rng(2).normal(0, 0.1, 40).tolist()
    values[39] = float("nan")
    result = rolling_betas(panel_of({1: values}), factors_of(40), all_months(40), models=[CAPM])
    before, last = result.tail(2).rows(named=True)
    assert (before["n"], last["n"]) == (39, 39)
    assert last["beta_mkt"] == before["beta_mkt"]


def test_a_month_without_a_factor_counts_only_for_the_models_that_do_without_it():
    factors = factors_of(60).with_columns(
        umd=pl.when(pl.int_range(60) >= 10).then("umd"), rmw=pl.lit(None, pl.Float64)
    )
    panel = panel_of({1: np.random.default_rng(4).normal(0, 0.1, 60).tolist()})
    last = MonthRange(add_months(START, 59), add_months(START, 60))
    result = rolling_betas(panel, factors, last)
    assert dict(result.select("model", "n").iter_rows()) == {
        "CAPM": 60,
        "FF3": 60,
        "Carhart": 50,
        "FF5": 0,
    }
    assert result.filter(pl.col("model") == "FF5")["reason"].item() == TOO_FEW


@pytest.mark.parametrize(
    "hml",
    [
        pl.lit(0.0),  # does not vary
        pl.lit(0.003),
        2 * pl.col("smb") - 3 * pl.col("mkt") + 0.01,
        pl.col("smb") * (1 + 1e-6 * pl.col("umd")),
    ],
)
def test_collinear_factors_give_no_numbers_but_a_reason(hml):
    panel = panel_of({1: np.random.default_rng(4).normal(0, 0.1, 60).tolist()})
    factors = factors_of(60).with_columns(hml=hml)
    result = rolling_betas(panel, factors, all_months(60), models=[CAPM, FF3, CARHART])
    full = result.filter(pl.col("n") >= 24)
    with_hml = full.filter(pl.col("model") != "CAPM")
    assert with_hml["reason"].unique().to_list() == [COLLINEAR]
    assert with_hml.select(STATISTICS).null_count().row(0) == (with_hml.height,) * len(STATISTICS)
    assert full.filter(pl.col("model") == "CAPM")["reason"].null_count() == 37


def test_factors_that_are_nearly_collinear_but_not_quite_are_estimated():
    factors = factors_of(60).with_columns(hml=pl.col("smb") + 0.01 * pl.col("umd"))
    panel = panel_of({1: np.random.default_rng(4).normal(0, 0.1, 60).tolist()})
    result = rolling_betas(panel, factors, all_months(60), models=[FF3])
    assert result.filter(pl.col("n") >= 24)["reason"].null_count() == 37


def test_returns_that_do_not_vary_have_betas_of_zero_and_no_r2():
    factors = factors_of(60)
    result = rolling_betas(panel_of({1: [0.012] * 60}), factors, all_months(60), models=[CAPM])
    last = result.row(59, named=True)
    assert last["alpha"] == pytest.approx(0.01, abs=ROUNDING)
    assert last["beta_mkt"] == pytest.approx(0, abs=ROUNDING)
    assert (last["r2"], last["residual_volatility"], last["t_mkt"]) == (None, 0, None)


def test_an_exact_fit_has_r2_of_one_and_no_t_value():
    factors = factors_of(60)
    panel = panel_of({1: (1.5 * factors["mkt"] + factors["rf"]).to_list()})
    last = rolling_betas(panel, factors, all_months(60), models=[CAPM]).row(59, named=True)
    assert last["beta_mkt"] == pytest.approx(1.5, abs=ROUNDING)
    assert (last["r2"], last["se_mkt"], last["t_mkt"]) == (1, 0, None)


def test_an_absurd_return_leaves_no_trace_once_its_window_is_over():
    values = np.random.default_rng(6).normal(0.01, 0.08, 150).tolist()
    spiked = [*values[:40], 10_000.0, *values[41:]]
    clean, dirty = (
        rolling_betas(panel_of({1: v}), factors_of(150), all_months(150)) for v in (values, spiked)
    )
    after = pl.col("month_end") >= month_ends(101)[-1]
    assert clean.filter(after).height == 4 * 50
    assert_frame_equal(clean.filter(after), dirty.filter(after), check_exact=True)
    within = pl.col("month_end") == month_ends(100)[-1]
    assert not clean.filter(within).equals(dirty.filter(within))


@pytest.mark.parametrize("value", [1e160, -1e200, 1.7e308])
def test_a_return_beyond_the_range_of_doubles_gives_a_reason_and_no_infinity(value):
    values = np.random.default_rng(6).normal(0.01, 0.08, 100).tolist()
    values[20] = value
    result = rolling_betas(panel_of({1: values}), factors_of(100), all_months(100))
    inside = result.filter(pl.col("month_end") <= month_ends(80)[-1], pl.col("n") >= 24)
    assert inside["reason"].unique().to_list() == [OVERFLOW]
    assert result.filter(pl.col("month_end") > month_ends(80)[-1])["reason"].null_count() == 4 * 20
    assert_no_nan(result)


def assert_no_nan(frame: pl.DataFrame) -> None:
    for name in STATISTICS:
        assert frame[name].drop_nulls().is_finite().all(), name


markets = st.builds(
    lambda months, stocks, seed: (months, random_panel(months, stocks, seed), factors_of(months)),
    st.integers(1, 150),
    st.integers(1, 6),
    st.integers(0, 10_000),
)
FEW = settings(max_examples=25, deadline=None)


@FEW
@given(market=markets, data=st.data())
def test_a_month_alone_gives_the_bits_it_has_in_the_full_build(market, data):
    months, panel, factors = market
    full = rolling_betas(panel, factors, all_months(months))
    assert_no_nan(full)
    month = add_months(START, data.draw(st.integers(0, months - 1)))
    one = MonthRange(month, add_months(month, 1))
    window = pl.col("month_end").is_between(one.widened(back=59).start, one.end, "left")
    alone = rolling_betas(panel.filter(window), factors.filter(window), one)
    in_month = full.filter(pl.col("month_end").is_between(one.start, one.end, "left"))
    assert_frame_equal(alone, in_month, check_exact=True)


@FEW
@given(market=markets, cut=st.integers(1, 149))
def test_what_happens_later_changes_nothing_before(market, cut):
    months, panel, factors = market
    known = all_months(min(cut, months))
    past = pl.col("month_end") < known.end
    changed = panel.with_columns(ret=pl.when(past).then("ret").otherwise(pl.col("ret") * 3 + 1))
    revised = factors.with_columns(
        pl.when(past).then(name).otherwise(pl.col(name) - 1).alias(name) for name in FACTORS
    )
    truth = rolling_betas(panel, factors, all_months(months)).filter(past)
    assert_frame_equal(
        rolling_betas(changed, revised, all_months(months)).filter(past), truth, check_exact=True
    )
    truncated = rolling_betas(panel.filter(past), factors.filter(past), known)
    assert_frame_equal(truncated, truth, check_exact=True)


@FEW
@given(market=markets, seed=st.integers(0, 99))
def test_neither_the_order_of_rows_nor_other_stocks_nor_other_models_change_a_bit(market, seed):
    months, panel, factors = market
    full = rolling_betas(panel, factors, all_months(months))
    shuffled = rolling_betas(
        panel.sample(fraction=1, shuffle=True, seed=seed),
        factors.sample(fraction=1, shuffle=True, seed=seed),
        all_months(months),
    )
    assert_frame_equal(shuffled, full, check_exact=True)
    first = pl.col("security_id") == 0
    for model in MODELS:
        alone = rolling_betas(panel.filter(first), factors, all_months(months), models=[model])
        same = full.filter(first, pl.col("model") == model.name)
        assert_frame_equal(alone, same, check_exact=True)


def test_more_stocks_than_are_summed_at_once_change_no_bit():
    one = random_panel(70, 1, seed=8)
    crowd = pl.concat([one.with_columns(security_id=pl.lit(i, pl.Int64)) for i in range(700)])
    few = rolling_betas(one, factors_of(70), all_months(70), models=[CARHART])
    many = rolling_betas(crowd, factors_of(70), all_months(70), models=[CARHART])
    for stock in (0, 255, 256, 699):
        rows = many.filter(pl.col("security_id") == stock).drop("security_id")
        assert_frame_equal(rows, few.drop("security_id"), check_exact=True)


@FEW
@given(market=markets, scale=st.sampled_from([0.5, 2.0, 8.0]))
def test_betas_grow_with_the_return_and_shrink_with_the_factor(market, scale):
    # Powers of two change exponents only: bits of the rest must stay.
    months, panel, factors = market
    flat = factors.with_columns(rf=pl.lit(0.0))
    base = rolling_betas(panel, flat, all_months(months), models=[FF3])
    scaled = rolling_betas(
        panel.with_columns(pl.col("ret") * scale), flat, all_months(months), models=[FF3]
    )
    by = [name for name in STATISTICS if name.startswith(("alpha", "beta_", "se_", "resid"))]
    assert_frame_equal(
        scaled, base.with_columns(pl.col(by) * scale), check_exact=True, check_column_order=False
    )
    wider = flat.with_columns(pl.col("mkt", "smb", "hml") * scale)
    halved = rolling_betas(panel, wider, all_months(months), models=[FF3])
    slopes = [f"{prefix}_{loading}" for prefix in ("beta", "se") for loading in LOADINGS]
    assert_frame_equal(halved, base.with_columns(pl.col(slopes) / scale), check_exact=True)


def test_no_rows_give_an_empty_table_of_the_same_columns():
    some = rolling_betas(random_panel(30, 3, 1), factors_of(30), all_months(30))
    for panel in (random_panel(30, 3, 1).clear(), random_panel(30, 3, 1)):
        none = rolling_betas(panel, factors_of(30), all_months(12, date(2020, 1, 1)))
        assert none.is_empty()
        assert none.schema == some.schema


def test_another_window_is_another_block_and_still_the_same_regression():
    panel, factors = random_panel(90, 40, seed=12), factors_of(90)
    month = MonthRange(add_months(START, 77), add_months(START, 78))
    short = rolling_betas(panel, factors, month, models=[FF3], window_months=36)
    only = pl.col("month_end") >= month.widened(back=35).start
    long = rolling_betas(panel.filter(only), factors, month, models=[FF3], window_months=60)
    assert short["reason"].null_count() > 0
    assert_frame_equal(short, long, abs_tol=ROUNDING, rel_tol=1e-10)


def test_missing_columns_repeated_keys_and_too_few_months_are_named():
    panel, factors = random_panel(30, 2, seed=1), factors_of(30)
    with pytest.raises(SchemaError, match=r"\['smb_ff5'\]"):
        rolling_betas(panel, factors.drop("smb_ff5"), all_months(30))
    with pytest.raises(SchemaError, match=r"\['ret'\]"):
        rolling_betas(panel.drop("ret"), factors, all_months(30))
    with pytest.raises(DataError, match="two rows in one month"):
        rolling_betas(pl.concat([panel, panel]), factors, all_months(30))
    with pytest.raises(DataError, match="factors have two rows"):
        rolling_betas(panel, pl.concat([factors, factors]), all_months(30))
    with pytest.raises(SettingsError, match="choose at least 7"):
        rolling_betas(panel, factors, all_months(30), min_months=6)


def test_a_model_lists_its_series_in_the_order_of_its_loadings():
    assert FF5.series == ("mkt", "smb_ff5", "hml", "rmw", "cma")
    assert FF5.loadings == ("mkt", "smb", "hml", "rmw", "cma")
    assert replace(FF5, factors=FF5.factors[:2]).parameters == 3


def shrinkable(rows: list[tuple[str, int, float | None, float | None]]) -> pl.DataFrame:
    """Estimates of one month."""
    schema = {
        "model": pl.String,
        "security_id": pl.Int64,
        "beta_mkt": pl.Float64,
        "se_mkt": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        month_end=pl.lit(date(2020, 1, 31))
    )


def test_shrinkage_equals_the_weights_worked_out_by_hand():
    # Betas 0.5 and 1.5: mean 1, variance .5; squared errors .5 and 0: weights 1/2 and 1.
    estimates = shrinkable(
        [("CAPM", 2, 1.5, 0.0), ("CAPM", 1, 0.5, 0.5**0.5), ("CAPM", 3, None, None)]
    )
    shrunk = with_shrunk_market_betas(estimates)
    assert shrunk["security_id"].to_list() == [1, 2, 3]
    assert shrunk["beta_mkt_shrunk"].to_list() == [pytest.approx(0.75, abs=ROUNDING), 1.5, None]


def test_each_model_shrinks_to_its_own_mean_and_a_lone_beta_has_nowhere_to_go():
    shrunk = with_shrunk_market_betas(
        shrinkable(
            [
                ("CAPM", 1, 1.0, 0.1),
                ("CAPM", 2, 1.0, 0.2),
                ("FF3", 1, 2.0, 0.1),
                ("FF5", 1, None, None),
            ]
        )
    )
    assert shrunk["beta_mkt_shrunk"].to_list() == [1, 1, None, None]


def test_shrinking_a_month_alone_gives_the_bits_of_the_full_build():
    estimates = rolling_betas(random_panel(90, 30, seed=2), factors_of(90), all_months(90))
    full = with_shrunk_market_betas(estimates)
    assert full["beta_mkt_shrunk"].null_count() < full.height
    for end in month_ends(90)[30::7]:
        month = pl.col("month_end") == end
        alone = with_shrunk_market_betas(estimates.filter(month).reverse())
        assert_frame_equal(alone, full.filter(month), check_exact=True)
