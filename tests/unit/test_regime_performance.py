"""Statistics by regime against statsmodels called directly, and claims by hand."""

from datetime import date

import numpy as np
import polars as pl
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.regimes.claims import (
    CLAIM_SCHEMA,
    CLAIMS,
    CRITICAL_T,
    MIN_CLAIM_MONTHS,
    regime_claims,
)
from factor_pipeline.compute.regimes.performance import PERFORMANCE_SCHEMA, regime_performance
from factor_pipeline.compute.regimes.rule import REGIMES

# Two orders of summation of a few hundred numbers of order 0.01, divided by errors of 0.001.
SOLVER_NOISE = 1e-10

MONTHS = 240
ENDS = pl.date_range(date(1990, 1, 1), date(2009, 12, 1), "1mo", eager=True).dt.month_end()


def calendar(pattern, variant="final"):
    return pl.DataFrame({"month_end": ENDS, "regime": pattern}).with_columns(
        variant=pl.lit(variant)
    )


def spells(*lengths_and_names):
    named = [name for length, name in lengths_and_names for _ in range(length)]
    return (named * MONTHS)[:MONTHS]


CYCLE = spells((40, "expansion"), (20, "late cycle"), (11, "recession"), (17, "recovery"))


def series(values, factor="HML", source="own", vintage=None):
    return pl.DataFrame({"month_end": ENDS[: len(values)], "ret": values}).with_columns(
        factor=pl.lit(factor),
        source=pl.lit(source),
        vintage=pl.lit(vintage, dtype=pl.String),
    )


def noise(seed=1, months=MONTHS):
    shocks = np.random.default_rng(seed).normal(0.003, 0.03, months)
    return shocks + 0.3 * np.roll(shocks, 1)


def row_of(frame, **where):
    (row,) = frame.filter(*(pl.col(name) == value for name, value in where.items())).to_dicts()
    return row


@pytest.mark.parametrize("regime", REGIMES)
def test_figures_are_those_of_statsmodels_on_dummies(regime):
    values = noise()
    row = row_of(regime_performance(series(values), calendar(CYCLE)), regime=regime)
    inside = np.array(CYCLE) == regime
    assert row["mean"] == pytest.approx(values[inside].mean(), abs=SOLVER_NOISE)
    assert row["annual_mean"] == pytest.approx(12 * values[inside].mean(), abs=SOLVER_NOISE)
    volatility = np.sqrt(12 * values[inside].var(ddof=1))
    assert row["volatility"] == pytest.approx(volatility, rel=SOLVER_NOISE)
    # floor(4 * 2.4 ** (2 / 9)) = floor(4.86)
    assert row["hac_lag"] == 4
    kinds = {"cov_type": "HAC", "cov_kwds": {"maxlags": 4}}
    dummies = np.column_stack([np.array(CYCLE) == name for name in REGIMES]).astype(float)
    of_means = sm.OLS(values, dummies).fit(**kinds)
    assert row["t"] == pytest.approx(of_means.tvalues[REGIMES.index(regime)], rel=SOLVER_NOISE)
    of_difference = sm.OLS(values, sm.add_constant(inside.astype(float))).fit(**kinds)
    assert row["difference"] == pytest.approx(of_difference.params[1], abs=SOLVER_NOISE)
    assert row["difference_t"] == pytest.approx(of_difference.tvalues[1], rel=SOLVER_NOISE)
    assert (row["months"], row["other_months"]) == (inside.sum(), (~inside).sum())
    assert (row["first_month"], row["last_month"]) == (ENDS[0], ENDS[-1])


def test_months_without_a_return_or_a_regime_do_not_count():
    values = noise().tolist()
    gaps = [None, float("nan"), *values[2:-1], float("inf")]
    unknown = [*CYCLE[:5], None, None, *CYCLE[7:]]
    found = regime_performance(series(gaps), calendar(unknown))
    kept = [i for i in range(MONTHS) if 2 <= i < MONTHS - 1 and i not in {5, 6}]
    assert found.filter(regime="expansion")["months"].item() == sum(
        CYCLE[i] == "expansion" for i in kept
    )
    window = found.select("first_month", "last_month").unique().row(0)
    assert window == (ENDS[2], ENDS[MONTHS - 2])
    alone = regime_performance(
        series(gaps).filter(pl.int_range(pl.len()).is_in(kept)), calendar(CYCLE)
    )
    assert found.equals(alone)


def test_every_series_has_all_regimes_and_eleven_months_give_no_statistics():
    once = spells((229, "expansion"), (11, "recession"))
    found = regime_performance(series(noise()), calendar(once))
    assert found["regime"].to_list() == sorted(REGIMES)
    recession = row_of(found, regime="recession")
    statistics = ("mean", "annual_mean", "volatility", "t", "difference", "difference_t")
    assert [recession[name] for name in statistics] == [None] * 6
    assert recession["months"] == 11
    # 229 months have a mean, but nothing to be compared with.
    expansion = row_of(found, regime="expansion")
    assert expansion["mean"] is not None
    assert (expansion["t"], expansion["difference"]) == (None, None)
    assert row_of(found, regime="recovery")["months"] == 0


def test_a_series_that_never_moves_has_no_t():
    row = row_of(regime_performance(series([0.01] * MONTHS), calendar(CYCLE)), regime="expansion")
    assert row["mean"] == pytest.approx(0.01, abs=SOLVER_NOISE)
    assert (row["t"], row["difference_t"]) == (None, None)


def test_series_and_variants_stay_apart():
    both = pl.concat([calendar(CYCLE), calendar(CYCLE[::-1], "real_time")])
    older = series(noise(2), source="library", vintage="202401")
    newer = series(noise(3), source="library", vintage="202402")
    own = series(noise(4))
    found = regime_performance(pl.concat([newer, own, older]), both)
    assert found.height == 3 * 2 * 4
    for one in (older, newer, own):
        alone = regime_performance(one, both.filter(variant="real_time"))
        same = found.filter(
            pl.col("variant") == "real_time",
            pl.col("vintage").eq_missing(one["vintage"][0]),
        )
        assert same.equals(alone)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_rows_changes_no_bit(seed):
    returns = pl.concat([series(noise(1)), series(noise(2), factor="SMB")])
    found = regime_performance(
        returns.sample(fraction=1, shuffle=True, seed=seed),
        calendar(CYCLE).sample(fraction=1, shuffle=True, seed=seed),
    )
    assert found.equals(regime_performance(returns, calendar(CYCLE)))


def test_without_regimes_there_is_nothing():
    nothing = calendar([None] * MONTHS)
    found = regime_performance(series(noise()), nothing)
    assert found.is_empty()
    assert found.schema == PERFORMANCE_SCHEMA
    assert regime_claims(found, "202401").schema == CLAIM_SCHEMA


def performance_row(factor, regime, t, **more):
    row = {
        "factor": factor,
        "source": "library",
        "vintage": "202401",
        "variant": "final",
        "regime": regime,
        "months": 60,
        "other_months": 100,
        "difference_t": t,
        "mean": 0.02,
        "difference": None if t is None else t / 1000,
    }
    return row | more


def claims(*rows, vintage="202401"):
    return regime_claims(pl.DataFrame(rows, schema=PERFORMANCE_SCHEMA), vintage)


def verdict(row, exposure, effect):
    found = claims(row)
    where = {"source": row["source"], "variant": row["variant"], "regime": row["regime"]}
    line = row_of(found, exposure=exposure, **where)
    assert line["effect"] == effect
    return line["verdict"]


@pytest.mark.parametrize(
    ("factor", "regime", "exposure", "effect", "supporting"),
    [
        ("UMD", "expansion", "momentum", "favours", 1),
        ("SMB", "expansion", "size", "favours", 1),
        ("HML", "expansion", "value", "hurts", -1),
        ("HML", "expansion", "growth", "favours", -1),
        ("LOWVOL", "expansion", "low volatility", "hurts", -1),
        ("HML", "late cycle", "value", "favours", 1),
        ("RMW", "late cycle", "quality", "favours", 1),
        ("HML", "late cycle", "growth", "hurts", 1),
        ("SMB", "late cycle", "size", "hurts", -1),
        ("LOWVOL", "recession", "low volatility", "favours", 1),
        ("QMJ", "recession", "quality", "favours", 1),
        ("UMD", "recession", "momentum", "hurts", -1),
        ("SMB", "recession", "size", "hurts", -1),
        ("SMB", "recovery", "size", "favours", 1),
        ("HML", "recovery", "value", "favours", 1),
        ("UMD", "recovery", "momentum", "favours", 1),
    ],
)
def test_a_claim_is_supported_by_the_claimed_sign_and_a_t_beyond_the_critical_one(
    factor, regime, exposure, effect, supporting
):
    beyond = CRITICAL_T + 0.01
    given_t = {
        supporting * beyond: "supported",
        supporting * CRITICAL_T: "not supported",
        -supporting * beyond: "not supported",
    }
    for t, expected in given_t.items():
        assert verdict(performance_row(factor, regime, t), exposure, effect) == expected


def test_all_claims_are_confronted_in_each_source():
    found = claims(performance_row("HML", "recovery", 2.0))
    assert found.height == len(CLAIMS) * 2 == 32
    assert found.filter(pl.col("verdict") != "no such factor").height == 1
    missing = row_of(found, exposure="size", regime="recovery", source="own", variant="final")
    assert (missing["factor"], missing["months"], missing["difference"]) == (None, 0, None)


@pytest.mark.parametrize("column", ["months", "other_months"])
def test_fewer_than_24_months_on_either_side_are_too_few(column):
    for months, expected in ((MIN_CLAIM_MONTHS - 1, "too few months"), (24, "supported")):
        row = performance_row("HML", "recovery", 9.0, **{column: months})
        assert verdict(row, "value", "favours") == expected


def test_figures_of_growth_are_those_of_value_turned_round():
    found = claims(performance_row("HML", "late cycle", -2.0))
    value, growth = (
        row_of(found, exposure=name, regime="late cycle", source="library", variant="final")
        for name in ("value", "growth")
    )
    assert (value["sign"], growth["sign"]) == (1, -1)
    assert (growth["factor"], growth["mean"], growth["difference"]) == ("HML", -0.02, 0.002)
    assert (growth["difference_t"], value["difference_t"]) == (2.0, -2.0)
    assert (growth["verdict"], value["verdict"]) == ("not supported", "not supported")


def test_quality_is_measured_by_profitability_where_there_is_no_quality_factor():
    own = {"source": "own", "vintage": None}
    found = claims(
        performance_row("RMW", "recession", 2.0, **own),
        performance_row("QMJ", "recession", 1.0, **own),
        performance_row("RMW", "recession", 3.0),
    )
    lines = found.filter(
        pl.col("exposure") == "quality", pl.col("regime") == "recession", variant="final"
    )
    assert lines.select("source", "factor", "difference_t").rows() == [
        ("own", "QMJ", 1.0),
        ("library", "RMW", 3.0),
    ]


@pytest.mark.parametrize(
    ("vintage", "expected"),
    [("202402", ("202402", 2.0)), ("202401", ("202401", 1.0)), ("202312", (None, None))],
)
def test_the_library_is_that_of_the_vintage_asked_for(vintage, expected):
    found = claims(
        performance_row("SMB", "recovery", 1.0),
        performance_row("SMB", "recovery", 2.0, vintage="202402"),
        performance_row("HML", "recovery", 5.0, vintage="202403"),
        vintage=vintage,
    )
    line = row_of(found, exposure="size", regime="recovery", source="library", variant="final")
    assert (line["vintage"], line["difference_t"]) == expected
