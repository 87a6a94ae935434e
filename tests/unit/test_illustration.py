from datetime import date

import numpy as np
import polars as pl
import pytest

from factor_pipeline.compute.correlations import correlations
from factor_pipeline.compute.illustration import FACTOR_QUOTES, STRATEGY_QUOTES, illustration
from factor_pipeline.compute.performance import summary

MONTHS = pl.date_range(date(2000, 1, 1), date(2003, 12, 1), "1mo", eager=True).dt.month_end()
DRAW = np.random.default_rng(4)


def series(name, first=0):
    months = MONTHS[first:]
    net = DRAW.normal(0.01, 0.05, len(months))
    return pl.DataFrame(
        {"strategy": name, "month_end": months, "gross": net, "net": net}
    ).with_columns(turnover=pl.lit(0.0))


RETURNS = pl.concat(
    [series("benchmark"), series("value", 12), series("momentum"), series("value_momentum", 12)]
)
DAILY = pl.DataFrame(
    schema={"strategy": pl.String, "month_end": pl.Date, "date": pl.Date, "value": pl.Float64}
)
FACTORS = pl.concat(
    pl.DataFrame({"month_end": MONTHS, "factor": name, "ret": DRAW.normal(0.0, 0.03, len(MONTHS))})
    for name in ("HML", "UMD")
)


def rows(**changes):
    inputs = {"returns": RETURNS, "daily": DAILY, "factors": FACTORS} | changes
    table = illustration(**inputs, simulated=False)
    return {(row["subject"], row["metric"]): row for row in table.iter_rows(named=True)}


def test_ours_is_the_summary_of_the_months_all_series_have():
    table = rows()
    common = RETURNS.filter(pl.col("month_end") >= date(2001, 1, 31))
    expected = {(s, m): v for s, m, v in summary(common).iter_rows()}
    for name in STRATEGY_QUOTES:
        for metric in ("cagr", "volatility", "max_drawdown", "return_to_risk"):
            row = table[name, metric]
            assert row["ours"] == expected[name, metric]
            assert (row["first_month"], row["last_month"]) == (
                date(2001, 1, 31),
                date(2003, 12, 31),
            )


def test_half_of_each_factor_is_rebalanced_monthly():
    table = rows()
    wide = FACTORS.pivot("factor", index="month_end", values="ret").filter(
        pl.col("month_end") >= date(2001, 1, 31)
    )
    half = (wide["HML"] * 0.5 + wide["UMD"] * 0.5).to_numpy()
    assert table["hml_umd", "volatility"]["ours"] == pytest.approx(half.std(ddof=1) * 12**0.5)
    assert table["hml_umd", "cagr"]["ours"] == pytest.approx(np.prod(1 + half) ** (1 / 3) - 1)


@pytest.mark.parametrize("quote", [*STRATEGY_QUOTES.values(), *FACTOR_QUOTES.values()])
def test_the_quoted_ratio_is_return_over_risk(quote):
    # Both are quoted to a tenth of a percent point.
    assert quote.annual_return / quote.volatility == pytest.approx(quote.ratio, abs=0.006)


def test_every_row_is_explained_and_a_missing_series_named_so():
    table = rows(returns=RETURNS.filter(pl.col("strategy") != "value"))
    assert all(row["explanation"] for row in table.values())
    absent = table["value", "cagr"]
    assert absent["ours"] is None
    assert absent["explanation"] == "There is no such series in the backtest."
    assert table["benchmark", "cagr"]["first_month"] == date(2001, 1, 31)


def test_a_simulated_market_says_so():
    table = illustration(RETURNS, DAILY, FACTORS, simulated=True)
    assert table["explanation"].str.starts_with("Simulated market").all()


def test_without_data_every_figure_of_ours_is_missing():
    table = illustration(RETURNS.clear(), DAILY, FACTORS.clear(), simulated=False)
    assert table["ours"].null_count() == table.height == 4 * 5 + 3 * 4


def test_correlations_are_those_of_the_common_months():
    result = {(a, b): (n, c) for a, b, n, c in correlations(RETURNS).iter_rows()}
    assert len(result) == 6
    wide = RETURNS.pivot("strategy", index="month_end", values="net").drop_nulls()
    months, value = result["momentum", "value"]
    assert months == 36
    assert value == pytest.approx(np.corrcoef(wide["momentum"], wide["value"])[0, 1], rel=1e-12)


def test_few_months_or_a_constant_have_no_correlation():
    flat = series("flat").with_columns(net=pl.lit(0.01))
    short = series("short", 40)
    result = {
        a: c
        for a, b, _, c in correlations(pl.concat([flat, short, series("z")])).iter_rows()
        if b == "z"
    }
    assert result == {"flat": None, "short": None}


def test_a_window_without_the_crisis_says_that_the_quoted_fall_lies_outside_it():
    outside = "That fall lies outside the window."
    assert rows()["benchmark", "max_drawdown"]["explanation"].endswith(outside)
    assert outside not in rows()["benchmark", "cagr"]["explanation"]
    long = RETURNS.filter(pl.col("strategy").is_in(["benchmark", "momentum"]))
    crisis = long.with_columns(pl.col("month_end").dt.offset_by("7y").dt.month_end())
    assert rows(returns=crisis)["benchmark", "max_drawdown"]["explanation"].endswith("dividends.")
