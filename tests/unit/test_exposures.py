"""Ranks, percentiles and stock types, by hand and against counting one by one."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.exposures import EXPOSURE_SCHEMA, exposures
from factor_pipeline.errors import DataError, SchemaError
from tests.unit.six_stocks import JAN, SIX_STOCKS, by_ticker

CAPM, FF3, CARHART, _ = MODELS
FEB = date(2020, 2, 29)


def one_month(*betas: tuple[float | None, ...], end: date = JAN) -> pl.DataFrame:
    """Stocks 1, 2, ... with their market, size and value betas."""
    schema = {"beta_mkt": pl.Float64, "beta_smb": pl.Float64, "beta_hml": pl.Float64}
    return pl.DataFrame(betas, schema=schema, orient="row").with_columns(
        security_id=pl.int_range(1, pl.len() + 1, dtype=pl.Int64), month_end=pl.lit(end)
    )


def test_the_six_stocks_are_of_the_types_stated():
    assert by_ticker(exposures(SIX_STOCKS, FF3), "stock_type") == {
        "TSLA": "large growth",
        "AMZN": "large growth",
        "JPM": "large value",
        "XOM": "large value",
        "ROKU": "small growth",
        "AFL": "small value",
    }


@pytest.mark.parametrize(
    ("loading", "highest_first"),
    [
        ("mkt", ["TSLA", "ROKU", "AMZN", "JPM", "XOM", "AFL"]),
        ("smb", ["ROKU", "AFL", "XOM", "JPM", "AMZN", "TSLA"]),
        ("hml", ["XOM", "AFL", "JPM", "AMZN", "TSLA", "ROKU"]),
    ],
)
def test_the_six_stocks_rank_as_a_person_would_rank_them(loading, highest_first):
    found = exposures(SIX_STOCKS, FF3)
    ranks = by_ticker(found, f"rank_{loading}")
    assert sorted(ranks, key=ranks.get) == highest_first
    assert sorted(ranks.values()) == [1, 2, 3, 4, 5, 6]
    percentiles = by_ticker(found, f"percentile_{loading}")
    assert [percentiles[ticker] for ticker in highest_first] == [
        1.0,
        5 / 6,
        4 / 6,
        0.5,
        2 / 6,
        1 / 6,
    ]
    assert set(found["stocks"]) == {6}


def test_equal_betas_share_the_lowest_number_and_the_percentile():
    found = exposures(one_month((0.5, 0, 0), (2.0, 0, 0), (1.0, 0, 0), (1.0, 0, 0)), FF3)
    assert found["rank_mkt"].to_list() == [4, 1, 2, 2]
    assert found["percentile_mkt"].to_list() == [0.25, 1.0, 0.75, 0.75]
    assert found["rank_smb"].to_list() == [1] * 4
    assert found["percentile_smb"].to_list() == [1.0] * 4


@pytest.mark.parametrize(
    ("beta_smb", "beta_hml", "kind"),
    [
        (0.0, 0.0, "large growth"),
        (-0.0, 1.0, "large value"),
        (1e-300, 0.0, "small growth"),
        (None, 1.0, None),
        (1.0, float("nan"), None),
        (float("inf"), 1.0, None),
    ],
)
def test_a_beta_of_zero_is_neither_small_nor_value(beta_smb, beta_hml, kind):
    found = exposures(one_month((1.0, beta_smb, beta_hml)), FF3)
    assert found["stock_type"].to_list() == [kind]


@pytest.mark.parametrize("missing", [None, float("nan"), float("inf"), -float("inf")])
def test_a_stock_without_every_beta_has_a_row_and_no_rank(missing):
    found = exposures(one_month((1.0, 1.0, 1.0), (2.0, missing, 2.0), (3.0, 3.0, 3.0)), FF3)
    assert found["rank_mkt"].to_list() == [2, None, 1]
    assert found["percentile_mkt"].to_list() == [0.5, None, 1.0]
    assert found["stocks"].to_list() == [2, 2, 2]


def test_what_the_model_lacks_is_null():
    found = exposures(SIX_STOCKS, CAPM)
    assert found["stock_type"].null_count() == found.height
    assert found["rank_smb"].null_count() == found["percentile_cma"].null_count() == found.height
    assert by_ticker(found, "rank_mkt")["TSLA"] == 1
    assert found.schema == EXPOSURE_SCHEMA


def test_no_rows_give_no_rows():
    assert exposures(SIX_STOCKS.clear(), FF3).schema == EXPOSURE_SCHEMA
    assert exposures(SIX_STOCKS.clear(), FF3).is_empty()


def test_a_missing_column_and_a_repeated_row_are_refused():
    with pytest.raises(SchemaError, match=r"lack the columns \['beta_umd'\]"):
        exposures(SIX_STOCKS, CARHART)
    with pytest.raises(DataError, match="two rows in one month"):
        exposures(pl.concat([SIX_STOCKS, SIX_STOCKS[:1]]), FF3)


few_values = st.sampled_from([-1.5, -0.0, 0.0, 0.25, 0.3, 2.0]) | st.none()
markets = st.lists(
    st.tuples(st.sampled_from([JAN, FEB]), few_values, few_values, few_values), max_size=25
)


@given(markets, st.randoms(use_true_random=False))
def test_ranks_count_the_stocks_above_whatever_the_order_of_rows(drawn, random):
    rows = [
        {"month_end": end, "security_id": i, "beta_mkt": mkt, "beta_smb": smb, "beta_hml": hml}
        for i, (end, mkt, smb, hml) in enumerate(drawn)
    ]
    random.shuffle(rows)
    schema = {"month_end": pl.Date, "security_id": pl.Int64} | {
        f"beta_{name}": pl.Float64 for name in FF3.loadings
    }
    frame = pl.DataFrame(rows, schema=schema)
    found = exposures(frame, FF3)
    for end in (JAN, FEB):
        alone = exposures(frame.filter(pl.col("month_end") == end), FF3)
        assert_frame_equal(found.filter(pl.col("month_end") == end), alone, check_exact=True)
    known = [r for r in rows if None not in r.values()]
    for row in found.iter_rows(named=True):
        peers = [r for r in known if r["month_end"] == row["month_end"]]
        (own,) = [r for r in rows if r["security_id"] == row["security_id"]]
        assert row["stocks"] == len(peers)
        for name in FF3.loadings:
            if own not in peers:
                assert row[f"rank_{name}"] is row[f"percentile_{name}"] is None
                continue
            above = sum(peer[f"beta_{name}"] > own[f"beta_{name}"] for peer in peers)
            assert row[f"rank_{name}"] == above + 1
            assert row[f"percentile_{name}"] == (len(peers) - above) / len(peers)
