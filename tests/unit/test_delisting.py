import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.compute.delisting import effective_delisting_return, with_delisting_return

returns = st.floats(-1.0, 10.0)


def effective(imputation, *, reported=None, reason=None, exchange=None) -> float | None:
    schema = {
        "delisting_return": pl.Float64,
        "delisting_reason": pl.String,
        "exchange": pl.String,
    }
    row = pl.DataFrame([(reported, reason, exchange)], schema=schema, orient="row")
    return row.select(effective_delisting_return(imputation)).item()


def compounded(ret: float | None, delisting_return: float | None) -> float | None:
    frame = pl.DataFrame(
        {"ret": [ret], "dlret": [delisting_return]},
        schema={"ret": pl.Float64, "dlret": pl.Float64},
    )
    return frame.select(with_delisting_return(pl.col("ret"), pl.col("dlret"))).item()


def test_returns_are_compounded_not_added():
    assert compounded(0.10, -0.30) == pytest.approx(1.10 * 0.70 - 1)
    assert compounded(-0.50, -0.50) == -0.75


def test_with_one_of_the_two_unknown_the_other_counts():
    assert compounded(None, -0.30) == -0.30
    assert compounded(0.10, None) == 0.10
    assert compounded(None, None) is None


@given(returns, returns)
def test_nothing_is_lost_beyond_everything(ret, delisting_return):
    assert compounded(ret, delisting_return) >= -1
    assert compounded(ret, -1.0) == -1


@pytest.mark.parametrize("imputation", ["none", "-30%", "by_exchange"])
@pytest.mark.parametrize("reason", ["performance", "merger", "other", None])
def test_a_reported_return_is_never_replaced(imputation, reason):
    assert effective(imputation, reported=0.0, reason=reason, exchange="NASDAQ") == 0.0
    assert effective(imputation, reported=-0.9, reason=reason) == -0.9


@pytest.mark.parametrize(
    ("imputation", "exchange", "expected"),
    [
        ("none", "NYSE", None),
        ("-30%", "NYSE", -0.30),
        ("-30%", "NASDAQ", -0.30),
        ("-30%", None, -0.30),
        ("by_exchange", "NYSE", -0.35),
        ("by_exchange", "AMEX", -0.35),
        ("by_exchange", "NASDAQ", -0.55),
        ("by_exchange", None, -0.35),
    ],
)
def test_a_failure_without_a_reported_return_gets_the_imputed_one(imputation, exchange, expected):
    assert effective(imputation, reason="performance", exchange=exchange) == expected


@pytest.mark.parametrize("imputation", ["none", "-30%", "by_exchange"])
@pytest.mark.parametrize("reason", ["merger", "other", None])
def test_nothing_is_imputed_without_a_failure(imputation, reason):
    assert effective(imputation, reason=reason, exchange="NASDAQ") is None
