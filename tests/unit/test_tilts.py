"""Tilts: who passes the filter, who comes first, and which rules are refused."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.exposures import exposures
from factor_pipeline.compute.tilts import TILT_SCHEMA, Tilt, tilted
from factor_pipeline.errors import DataError, SchemaError, SettingsError
from factor_pipeline.settings_tilts import DEFAULT_TILTS
from tests.unit.six_stocks import JAN, SIX_STOCKS, TICKERS

FF3 = MODELS[1]
DEFAULTS = {tilt.name: tilt.rule() for tilt in DEFAULT_TILTS}


def tilt(**keys) -> Tilt:
    return Tilt(**{"name": "mine", "rank_by": ("beta_hml",)} | keys)


def picked(*tilts: Tilt, loadings: pl.DataFrame = SIX_STOCKS) -> list[str]:
    frame = tilted(loadings, tilts)
    assert frame["rank"].to_list() == list(range(1, frame.height + 1))
    return [TICKERS[security] for security in frame["security_id"]]


def test_the_small_cap_value_tilt_picks_aflac_alone():
    assert picked(DEFAULTS["small_value"]) == ["AFL"]


@pytest.mark.parametrize(
    ("name", "best_first"),
    [
        # Places among six by low beta_smb and beta_hml: Tesla 6 and 5, Amazon 5 and 4.
        ("large_growth", ["TSLA", "AMZN"]),
        ("high_beta", ["TSLA", "ROKU", "AMZN"]),
        ("defensive", ["AFL", "XOM"]),
    ],
)
def test_the_other_default_tilts_pick_as_their_names_say(name, best_first):
    assert picked(DEFAULTS[name]) == best_first


def test_a_score_is_the_mean_percentile_among_all_stocks_passing_or_not():
    frame = tilted(SIX_STOCKS, [DEFAULTS["small_value"], DEFAULTS["large_growth"]])
    assert frame.select("tilt", "security_id", "rank").rows() == [
        ("small_value", 6, 1),
        ("large_growth", 1, 1),
        ("large_growth", 2, 2),
    ]
    assert frame["score"].to_list() == [(5 + 5) / 12, (6 + 5) / 12, (5 + 4) / 12]


def test_a_single_beta_ranks_by_its_percentile():
    frame = tilted(SIX_STOCKS, [tilt(rank_by=("beta_smb",))]).sort("security_id")
    assert frame["score"].equals(exposures(SIX_STOCKS, FF3)["percentile_smb"].alias("score"))


def test_a_bound_itself_does_not_pass():
    assert picked(tilt(above={"beta_mkt": 1.0}, below={"beta_mkt": 1.8})) == ["AMZN", "ROKU"]


def test_top_keeps_the_best():
    assert picked(tilt(top=2)) == ["XOM", "AFL"]
    assert len(picked(tilt(top=100))) == 6


def test_scores_equal_on_paper_are_equal_and_ordered_by_security():
    # With forty stocks in opposite orders every mean is 41/80; sums of fractions would differ.
    betas = np.arange(40.0)
    frame = pl.DataFrame(
        {"security_id": np.arange(40), "beta_mkt": betas, "beta_smb": betas, "beta_hml": -betas}
    ).with_columns(month_end=pl.lit(JAN), model=pl.lit("FF3"))
    found = tilted(frame[::-1], [tilt(rank_by=("beta_smb", "beta_hml"))])
    assert found["security_id"].to_list() == list(range(40))
    assert set(found["score"]) == {41 / 80}


def test_a_stock_without_every_beta_of_the_model_is_not_picked_and_not_counted():
    without = SIX_STOCKS.with_columns(
        beta_mkt=pl.when(pl.col("security_id") == 6).then(None).otherwise("beta_mkt")
    )
    assert picked(DEFAULTS["small_value"], loadings=without) == []
    frame = tilted(without, [tilt(rank_by=("beta_mkt",))])
    assert frame["score"].to_list() == [1.0, 0.8, 0.6, 0.4, 0.2]


def test_each_tilt_looks_at_the_betas_of_its_own_model():
    both = pl.concat(
        [SIX_STOCKS, SIX_STOCKS.with_columns(pl.lit("CAPM").alias("model"), -pl.col("beta_mkt"))]
    )
    by_capm = tilt(model="CAPM", rank_by=("beta_mkt",), top=1)
    assert picked(by_capm, loadings=both) == ["AFL"]
    assert picked(tilt(rank_by=("beta_mkt",), top=1), loadings=both) == ["TSLA"]


def test_months_and_row_order_change_no_bit():
    rng = np.random.default_rng(3)
    ends = [date(2020, 1, 31), date(2020, 2, 29), date(2020, 3, 31)]
    frame = pl.concat(
        pl.DataFrame(
            {f"beta_{name}": rng.normal(size=200).round(1) for name in FF3.loadings}
            | {"security_id": np.arange(200)}
        ).with_columns(month_end=pl.lit(end), model=pl.lit("FF3"))
        for end in ends
    )
    tilts = tuple(DEFAULTS.values())
    whole = tilted(frame.sample(fraction=1, shuffle=True, seed=1), tilts)
    parts = pl.concat(tilted(frame.filter(pl.col("month_end") == end), tilts) for end in ends)
    order = ["tilt", "month_end", "rank"]
    assert_frame_equal(whole.sort(order), parts.sort(order), check_exact=True)
    assert whole.group_by("tilt", "month_end").len().height == 12


def test_no_rows_and_no_tilts_give_no_rows():
    assert tilted(SIX_STOCKS, []).schema == TILT_SCHEMA
    assert tilted(SIX_STOCKS.clear(), tuple(DEFAULTS.values())).is_empty()


def test_repeated_rows_and_missing_columns_are_refused():
    with pytest.raises(DataError, match="two rows in one month"):
        tilted(pl.concat([SIX_STOCKS, SIX_STOCKS]), [tilt()])
    with pytest.raises(SchemaError, match="lack the columns"):
        tilted(SIX_STOCKS.drop("beta_mkt"), [tilt()])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"name": ""}, "a tilt has no name"),
        ({"model": "FF4"}, "tilt 'mine': no model 'FF4'; write CAPM, FF3, Carhart, FF5"),
        (
            {"above": {"beta_umd": 0.0}},
            "above names 'beta_umd', which FF3 does not have; write beta_mkt, beta_smb, beta_hml",
        ),
        ({"below": {"size": 0.0}}, "below names 'size', which FF3 does not have"),
        ({"rank_by": ("-beta_cma",)}, "rank_by names 'beta_cma', which FF3 does not have"),
        ({"rank_by": ()}, "rank_by must name at least one beta, and none twice"),
        ({"rank_by": ("beta_hml", "-beta_hml")}, "rank_by must name at least one beta, and none"),
        (
            {"above": {"beta_mkt": 1.0}, "below": {"beta_mkt": 1.0}},
            "no beta_mkt is above 1.0 and below 1.0; make above the lower one",
        ),
        ({"top": 0}, "top must be at least 1"),
    ],
)
def test_a_rule_that_cannot_be_followed_is_refused(keys, said):
    with pytest.raises(SettingsError) as caught:
        tilt(**keys)
    assert said in str(caught.value)


def test_two_tilts_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="two tilts are named 'mine'"):
        tilted(SIX_STOCKS, [tilt(), tilt(top=1)])
