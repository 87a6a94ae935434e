"""Nine years of months and fiscal years: what looks back furthest, and what ranks stocks."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.signals import (
    DAILY_RISK_SCHEMA,
    SignalInputs,
    characteristics,
    history_of,
)
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.panel import BOOK_EQUITY, STATEMENT
from factor_pipeline.schemas.signal import CHARACTERISTIC

STOCKS = 40
MONTHS = MonthRange(date(2011, 1, 1), date(2020, 1, 1))
EVERY_MONTH = [add_months(MONTHS.start, i) for i in range(len(MONTHS))]
JULY = date(2019, 7, 31)

# A witness that adds in another order; sums of a dozen scores of about 1, each off by 1.1e-16.
SCORE_NOISE = 1e-10  # scores are rounded to twelve digits before they are ranked again


def end_of(month: date) -> date:
    return add_months(month, 1) - timedelta(days=1)


@pytest.fixture(scope="module")
def inputs() -> SignalInputs:
    draw = np.random.default_rng(577)
    rows, risk, sheets, flows = [], [], [], []
    for security in range(STOCKS):
        hole = draw.integers(0, 2 * len(EVERY_MONTH))
        for i, month in enumerate(EVERY_MONTH):
            if i == hole or i < 4 * (security % 7):
                continue
            price = float(draw.uniform(5, 50))
            key = {"security_id": security, "month_end": end_of(month)}
            rows.append(
                key
                | {
                    "firm_id": security // 2 if security < 10 else security,
                    "ret": float(draw.normal(0.01, 0.08)) if draw.random() < 0.998 else None,
                    "price": price,
                    "firm_market_equity": float(draw.uniform(1e8, 1e10)),
                    "exchange": "NYSE",
                    "flags": None,
                    "high": price * float(draw.uniform(1, 1.4)),
                    "split": 2.0 if draw.random() < 0.01 else 1.0,
                    "dividend": 0.3 if draw.random() < 0.2 else 0.0,
                }
            )
            if draw.random() < 0.9:
                measured = ("beta", "volatility_252d", "idiosyncratic_volatility")
                risk.append(key | dict(zip(measured, draw.uniform(0, 2, 3).tolist(), strict=True)))
        for year in range(2009, 2019):
            period_end = date(year, 12, 31)
            for lag in (60, 400) if draw.random() < 0.2 else (60,):
                filed = {
                    "security_id": security,
                    "fiscal_year": year,
                    "period_end": period_end,
                    "filed_at": period_end + timedelta(days=lag),
                    "filed_at_assumed": False,
                }
                figures = draw.uniform(1, 9, 9).tolist()
                sheets.append(
                    filed | {"book_equity": figures[0] - 1.5, "total_assets": 10 + figures[1]}
                )
                names = [n for n, dtype in STATEMENT.polars_schema.items() if dtype == pl.Float64]
                known = [f if draw.random() < 0.95 else None for f in figures]
                flows.append(filed | dict(zip(names, known, strict=False)))
    return SignalInputs(
        pl.DataFrame(rows, schema_overrides={"flags": pl.String}, infer_schema_length=None),
        pl.DataFrame(sheets, schema=BOOK_EQUITY.polars_schema),
        pl.DataFrame(flows, schema=STATEMENT.polars_schema),
        pl.DataFrame(risk, schema=DAILY_RISK_SCHEMA),
    )


def signals_of(inputs: SignalInputs, months: MonthRange = MONTHS) -> pl.DataFrame:
    return characteristics(
        inputs, months, max_fundamental_age_months=18, breakpoint_rule=BreakpointRule()
    )


@pytest.fixture(scope="module")
def signals(inputs) -> pl.DataFrame:
    return signals_of(inputs)


def within(frame: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    return frame.filter(pl.col("month_end").is_between(months.start, months.end, "left"))


def test_the_market_has_all_signals(signals):
    assert set(signals.columns) == set(CHARACTERISTIC.column_names)
    for name in signals.columns:
        assert signals[name].is_not_null().mean() > 0.2, name
    assert signals["quality_parts"].drop_nulls().n_unique() == 4
    for values in signals.select(pl.col(pl.Float64)):
        assert values.drop_nulls().is_finite().all()
    assert (
        signals.select(pl.struct("security_id", "month_end").is_duplicated().any()).item() is False
    )


def test_a_range_is_its_months(inputs, signals):
    for month in EVERY_MONTH[::5]:
        months = MonthRange.of_months(month, month)
        part = replace(
            inputs,
            panel=within(inputs.panel, history_of(months)),
            daily_risk=within(inputs.daily_risk, months.widened(back=1)),
        )
        assert signals_of(part, months).equals(within(signals, months))


@pytest.mark.parametrize("cut", [date(2018, 6, 30), date(2018, 12, 31), date(2019, 3, 31)])
def test_what_is_known_on_a_day_gives_the_same_rows(inputs, signals, cut):
    public = pl.col("filed_at") <= cut
    past = SignalInputs(
        inputs.panel.filter(pl.col("month_end") <= cut),
        inputs.facts.filter(public),
        inputs.statements.filter(public),
        inputs.daily_risk.filter(pl.col("month_end") <= cut),
    )
    next_month = MonthRange(MONTHS.start, add_months(cut, 2))
    assert signals_of(past, next_month).equals(within(signals, next_month))


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_rows_changes_no_bit(inputs, signals, seed):
    frames = (inputs.panel, inputs.facts, inputs.statements, inputs.daily_risk)
    mixed = [frame.sample(fraction=1, shuffle=True, seed=seed) for frame in frames]
    assert signals_of(SignalInputs(*mixed)).equals(signals)


def z_of_ranks(values: pd.Series) -> pd.Series:
    ranks = values.rank()
    return (ranks - ranks.mean()) / ranks.std()


def mean_of(scores: dict[str, pd.Series], at_least: int) -> pd.Series:
    frame = pd.DataFrame(scores)
    return frame.mean(axis=1).where(frame.notna().sum(axis=1) >= at_least).round(10)


def fiscal_years_known_in_june(inputs: SignalInputs, year: int) -> dict[int, pd.DataFrame]:
    """Last public version of each fiscal year before the end of June, by years before the last."""
    deadline = date(year, 6, 28)  # a Friday in 2019
    last = [
        frame.filter(pl.col("filed_at") < deadline)
        .sort("filed_at")
        .unique(["security_id", "fiscal_year"], keep="last")
        .to_pandas()
        .set_index(["fiscal_year", "security_id"])
        for frame in (inputs.facts, inputs.statements)
    ]
    joined = last[0][["book_equity", "total_assets"]].join(last[1].drop(columns="period_end"))
    return {back: joined.loc[year - 1 - back] for back in range(6)}


def ratio(above: pd.Series, below: pd.Series) -> pd.Series:
    return (above / below).where(below > 0)


def test_quality_is_what_pandas_makes_of_the_same_filings(inputs, signals):
    """Witness: pandas, stock by stock with labels, from the filings themselves."""
    years = fiscal_years_known_in_june(inputs, JULY.year)
    now, before, then = years[0], years[1], years[5]

    def gross(frame):
        return frame["revenue"] - frame["cost_of_revenue"]

    assets = now["total_assets"]
    earned = {k: ratio(v["net_income"], v["book_equity"]) for k, v in years.items()}
    accruals = (now["net_income"] - now["operating_cash_flow"]) / (
        (assets + before["total_assets"]) / 2
    )
    profitability = {
        "gross": gross(now) / assets,
        "equity": earned[0],
        "assets": now["net_income"] / assets,
        "cash": now["operating_cash_flow"] / assets,
        "margin": ratio(gross(now), now["revenue"]),
        "accruals": -accruals,
    }
    profit, net = gross(now) - gross(then), now["net_income"] - then["net_income"]
    cash = now["operating_cash_flow"] - then["operating_cash_flow"]
    growth = {
        "gross": profit / then["total_assets"],
        "equity": ratio(net, then["book_equity"]),
        "assets": net / then["total_assets"],
        "cash": cash / then["total_assets"],
        "margin": ratio(profit, then["revenue"]),
    }
    beta = inputs.daily_risk.filter(pl.col("month_end") == date(2019, 6, 30)).to_pandas()
    safety = {
        "beta": -beta.set_index("security_id")["beta"],
        "leverage": now["book_equity"] / assets,
        "steady": -pd.DataFrame([earned[k] for k in range(5)]).std(skipna=False),
    }
    parts = {}
    listed = signals.filter(pl.col("month_end") == JULY).to_pandas().set_index("security_id")
    for name, measures in (
        ("profitability", profitability),
        ("growth", growth),
        ("safety", safety),
    ):
        scores = {k: z_of_ranks(v.reindex(listed.index)) for k, v in measures.items()}
        parts[name] = z_of_ranks(mean_of(scores, 2))
    expected = mean_of(parts, 1).where(parts["profitability"].notna())
    named = pd.DataFrame(parts).notna().apply(lambda row: ",".join(row.index[row]), axis=1)
    assert expected.notna().sum() > 25
    assert listed["quality"].isna().equals(expected.isna())
    assert (listed["quality"] - expected).abs().max() < SCORE_NOISE
    assert listed["quality_parts"].dropna().equals(named[expected.notna()].astype("str"))


def test_value_and_momentum_is_what_pandas_makes_of_the_two_signals(signals):
    month = signals.filter(pl.col("month_end") == JULY).to_pandas().set_index("security_id")
    both = month[["book_to_market", "momentum_12_2"]].dropna()
    assert len(both) > 15
    expected = both.apply(z_of_ranks).mean(axis=1).reindex(month.index)
    assert month["value_momentum"].isna().equals(expected.isna())
    assert (month["value_momentum"] - expected).abs().max() < SCORE_NOISE


def test_long_term_reversal_is_the_product_of_48_returns(inputs, signals):
    panel = inputs.panel.sort("security_id", "month_end").to_pandas()
    panel["number"] = panel["month_end"].map(lambda day: day.year * 12 + day.month)
    returns = panel.pivot_table(index="number", columns="security_id", values="ret", dropna=False)
    checked = after_a_gap = 0
    for security, month_end, value in signals.select(
        "security_id", "month_end", "reversal_60_13"
    ).iter_rows():
        t = month_end.year * 12 + month_end.month
        window = returns[security].reindex(range(t - 60, t - 12))
        held = panel[panel["security_id"] == security]["number"].isin(range(t - 12, t)).sum()
        if window.notna().all():
            assert value == pytest.approx((1 + window).prod() - 1, rel=1e-12)
            checked += 1
            after_a_gap += held < 12
        else:
            assert value is None
        if checked > 300 and after_a_gap:
            break
    assert checked > 300
    # A month without a price since then takes nothing from the 48.
    assert after_a_gap > 0
