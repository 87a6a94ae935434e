"""One market, computed from parts of its history and from histories that go on otherwise."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.calendar import last_trading_day
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.compute.returns import Dispute
from factor_pipeline.compute.signals import (
    DAILY_RISK_SCHEMA,
    SignalInputs,
    characteristics,
    history_of,
)
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY, STATEMENT
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import INDEX_MEMBER
from factor_pipeline.schemas.signal_definitions import SIGNALS

STOCKS, FIRMS_WITH_TWO_CLASSES = 320, 24
MONTHS = MonthRange(date(2018, 10, 1), date(2021, 4, 1))
EVERY_MONTH = [add_months(MONTHS.start, i) for i in range(len(MONTHS))]
RULES = PanelRules(
    max_fundamental_age_months=18, delisting_return="by_exchange", disputed_return="null"
)
FAR = date(2099, 1, 1)
JUNE_SIGNALS = [signal.column for signal in SIGNALS if signal.rebalance == "june"]

# Month ends to stop at: a June formation, a December, a month end before a weekend, any other.
CUTS = [date(2019, 6, 28), date(2019, 12, 31), date(2020, 2, 28), date(2020, 7, 31)]


def one_stock(draw: np.random.Generator, security: int, days: pd.DatetimeIndex) -> pl.DataFrame:
    """Prices with splits, dividends, halts, a late start or an early end for some."""
    first = draw.integers(0, 300) if draw.random() < 0.3 else 0
    last = draw.integers(350, len(days)) if draw.random() < 0.2 else len(days)
    traded = days[first:last]
    traded = traded[draw.random(len(traded)) > 0.004]
    if draw.random() < 0.15:
        halted = draw.choice(EVERY_MONTH[3:])
        traded = traded[(traded.year != halted.year) | (traded.month != halted.month)]
    count = len(traded)
    chance = draw.random((4, count))
    split = np.where(chance[0] < 0.002, draw.choice([2.0, 1.5, 7.0, 0.1, 0.125], count), 1.0)
    gross = np.exp(draw.normal(0.0003, 0.02, count))
    payout = np.where(chance[1] < 0.012, 0.008, 0.0)
    close = np.round(draw.uniform(5, 200) * np.cumprod(gross * (1 - payout) / split), 4) + 0.0001
    dividend = np.round(payout * close * split, 4)
    level = np.cumprod(np.append(1.0, (close[1:] * split[1:] + dividend[1:]) / close[:-1]))
    # Some days the vendor's two tellings differ.
    adjusted = np.where(chance[2] < 0.001, 1.3, 1.0) * level / level[-1] * close[-1]
    return pl.DataFrame(
        {
            "security_id": [security] * count,
            "date": traded.date.tolist(),
            "close": close,
            "split": split,
            "dividend": dividend,
            "adjusted_close": adjusted,
            "volume": [None if c < 0.001 else 1e6 * c for c in chance[3].tolist()],
        },
        schema_overrides={"volume": pl.Float64},
    )


def spells(draw: np.random.Generator, prices: pl.DataFrame) -> pl.DataFrame:
    """Names of the securities; some change ticker and exchange, those that end are delisted."""
    lives = prices.group_by("security_id").agg(first=pl.min("date"), last=pl.max("date"))
    end = prices["date"].max()
    rows = []
    for security, first, last in lives.sort("security_id").iter_rows():
        gone = last < end
        row = {
            "security_id": security,
            "firm_id": security // 2 if security < 2 * FIRMS_WITH_TWO_CLASSES else security,
            "vendor_id": f"V{security}",
            "ticker": f"T{security}",
            "valid_from": first,
            "valid_to": last,
            "exchange": str(draw.choice(["NYSE", "AMEX", "NASDAQ"])),
            "delisted_at": (last + pd.offsets.BDay(draw.integers(0, 9))).date() if gone else None,
            "delisting_reason": str(draw.choice(["merger", "performance"])) if gone else None,
            "delisting_return": float(draw.uniform(-1, 0.2))
            if gone and draw.random() < 0.6
            else None,
        }
        rows.append(row)
        if draw.random() < 0.2:
            moved = {"ticker": f"N{security}", "exchange": "NYSE", "valid_from": date(2020, 1, 15)}
            rows += [row | moved] if first < moved["valid_from"] < last else []
    return pl.DataFrame(rows, schema=SECURITY.polars_schema)


def filings(draw: np.random.Generator) -> pl.DataFrame:
    """Four fiscal years of each security: late ones, restated ones, some without a count."""
    rows = []
    for security in range(STOCKS):
        month = 12 if draw.random() < 0.7 else int(draw.integers(1, 12))
        for year in range(2017, 2021):
            period_end = add_months(date(year, month, 1), 1) - timedelta(days=1)
            lag = int(draw.integers(25, 90) if draw.random() < 0.85 else draw.integers(120, 400))
            again = [int(draw.integers(30, 400))] if draw.random() < 0.15 else []
            for delay in [lag, *(lag + more for more in again)]:
                row = {
                    "security_id": security,
                    "fiscal_year": year,
                    "period_end": period_end,
                    "filed_at": period_end + timedelta(days=delay),
                    "filed_at_assumed": False,
                    "book_equity": float(draw.normal(4e9, 3e9)),
                    "total_assets": float(draw.uniform(5e9, 2e10)),
                    "shares": float(draw.integers(10**6, 10**9)) if draw.random() < 0.97 else None,
                    "shares_basis_date": period_end,
                }
                rows.append(row)
    return pl.DataFrame(rows, schema=BOOK_EQUITY.polars_schema)


def flows(draw: np.random.Generator, facts: pl.DataFrame) -> pl.DataFrame:
    """Income and cash flow of the same filings, some a few days later, some without a figure."""
    later = pl.Series(np.where(draw.random(facts.height) < 0.1, 3, 0))
    figures = [name for name, dtype in STATEMENT.polars_schema.items() if dtype == pl.Float64]
    values = draw.normal(1e9, 5e8, (len(figures), facts.height))
    values[draw.random(values.shape) < 0.05] = np.nan
    return (
        facts.select("security_id", "fiscal_year", "period_end", "filed_at", "filed_at_assumed")
        .with_columns(filed_at=pl.col("filed_at") + pl.duration(days=later))
        .with_columns(
            pl.Series(name, own, nan_to_null=True)
            for name, own in zip(figures, values, strict=True)
        )
        .select(STATEMENT.column_names)
        .unique(["security_id", "period_end", "filed_at"], keep="first", maintain_order=True)
    )


def daily_risk_of(panel: pl.DataFrame) -> pl.DataFrame:
    """Estimates that are a function of each row of the panel alone."""
    return panel.select(
        "security_id",
        "month_end",
        beta=pl.col("ret") * 10,
        volatility_252d=pl.col("ret").abs(),
        idiosyncratic_volatility=pl.col("price") / 1000,
    ).cast(dict(DAILY_RISK_SCHEMA))


def memberships(draw: np.random.Generator) -> pl.DataFrame:
    rows = []
    for security in range(STOCKS):
        start = date(2017, 1, 2) + timedelta(days=int(draw.integers(0, 1200)))
        stays = draw.random() < 0.5
        end = None if stays else start + timedelta(days=int(draw.integers(30, 900)))
        rows.append((f"T{security}", start, end))
    return pl.DataFrame(rows, schema=contract(INDEX_MEMBER), orient="row")


def splits_of(prices: pl.DataFrame) -> pl.DataFrame:
    return prices.filter(pl.col("split") != 1).select("security_id", "date", "split")


@pytest.fixture(scope="module")
def market() -> PanelInputs:
    draw = np.random.default_rng(2718)
    days = pd.bdate_range(MONTHS.start, MONTHS.end - timedelta(days=1))
    prices = pl.concat([one_stock(draw, security, days) for security in range(STOCKS)])
    return PanelInputs(
        prices=prices,
        securities=spells(draw, prices),
        facts=filings(draw),
        splits=splits_of(prices),
        members=memberships(draw),
        data_end=prices["date"].max(),
    )


@pytest.fixture(scope="module")
def panel(market) -> pl.DataFrame:
    return security_months(market, MONTHS, RULES)


@pytest.fixture(scope="module")
def statements(market) -> pl.DataFrame:
    return flows(np.random.default_rng(1618), market.facts)


@pytest.fixture(scope="module")
def signals(market, panel, statements) -> pl.DataFrame:
    return signals_of(panel, market.facts, statements)


def signals_of(
    panel: pl.DataFrame,
    facts: pl.DataFrame,
    statements: pl.DataFrame,
    months: MonthRange = MONTHS,
):
    return characteristics(
        SignalInputs(panel, facts, statements, daily_risk_of(panel)),
        months,
        max_fundamental_age_months=18,
        breakpoint_rule=BreakpointRule(),
    )


def within(frame: pl.DataFrame, months: MonthRange) -> pl.DataFrame:
    return frame.filter(pl.col("month_end").is_between(months.start, months.end, "left"))


def until(frame: pl.DataFrame, cut: date, *, ahead: int = 0) -> pl.DataFrame:
    """Rows up to the month of ``cut`` and ``ahead`` months more."""
    return frame.filter(pl.col("month_end") < add_months(cut, 1 + ahead))


def what_a_run_reads(market: PanelInputs, months: MonthRange) -> PanelInputs:
    """Inputs as the warehouse hands them over: prices of the months and of the month before."""
    read = pl.col("date").is_between(add_months(months.start, -1), months.end, "left")
    return replace(market, prices=market.prices.filter(read))


def known_on(market: PanelInputs, cut: date) -> PanelInputs:
    """History as it was at the end of the day ``cut``."""
    later = pl.col("delisted_at") > cut
    left = ("delisted_at", "delisting_reason", "delisting_return")
    prices = market.prices.filter(pl.col("date") <= cut)
    return PanelInputs(
        prices=prices,
        securities=market.securities.filter(pl.col("valid_from") <= cut).with_columns(
            pl.when(~later).then(pl.col(name)).alias(name) for name in left
        ),
        facts=market.facts.filter(pl.col("filed_at") <= cut),
        splits=splits_of(prices),
        members=market.members.filter(pl.col("start_date") <= cut).with_columns(
            end_date=pl.when(pl.col("end_date") <= cut).then("end_date")
        ),
        data_end=cut,
    )


def with_another_future(market: PanelInputs, cut: date, seed: int) -> PanelInputs:
    """The same in the month of ``cut`` and before; all else differs afterwards."""
    draw = np.random.default_rng(seed)
    month_end = add_months(cut, 1) - timedelta(days=1)
    after = pl.col("date") > cut

    def noise(low: float, high: float) -> pl.Series:
        return pl.Series(draw.uniform(low, high, market.prices.height))

    prices = market.prices.with_columns(
        close=pl.when(after).then(pl.col("close") * noise(0.2, 5)).otherwise("close"),
        split=pl.when(after & (noise(0, 1) < 0.02)).then(3.0).otherwise("split"),
        dividend=pl.when(after & (noise(0, 1) < 0.02)).then(1.0).otherwise("dividend"),
        # The vendor restates the whole adjusted series to its last day.
        adjusted_close=pl.when(after)
        .then(pl.col("adjusted_close") * 4)
        .otherwise(pl.col("adjusted_close") * 0.25),
    ).filter(~after | (noise(0, 1) < 0.9))
    restated = market.facts.with_columns(
        filed_at=pl.lit(cut) + pl.duration(days=pl.int_range(1, pl.len() + 1) % 90 + 1),
        book_equity=pl.col("book_equity") * 17,
        shares=pl.lit(5.0),
    )
    facts = pl.concat([market.facts.filter(pl.col("filed_at") <= cut), restated])
    staying = pl.col("valid_from") <= cut
    gone = pl.col("delisted_at").is_null() | (pl.col("delisted_at") > cut)
    moved = market.securities.filter(staying).with_columns(
        ticker=pl.lit("Z") + pl.col("ticker"),
        exchange=pl.lit("NASDAQ"),
        firm_id=pl.lit(7, pl.Int64),
        valid_from=pl.lit(cut) + pl.duration(days=1),
    )
    securities = pl.concat(
        [
            market.securities.filter(staying),
            moved.unique("security_id", keep="any"),
        ]
    ).with_columns(
        delisted_at=pl.when(gone)
        .then(pl.lit(month_end) + pl.duration(days=pl.col("security_id") % 60 + 1))
        .otherwise("delisted_at"),
        delisting_reason=pl.when(gone).then(pl.lit("performance")).otherwise("delisting_reason"),
        delisting_return=pl.when(gone).then(pl.lit(-0.9)).otherwise("delisting_return"),
    )
    still = market.members.filter(pl.col("start_date") <= cut).with_columns(
        end_date=pl.when(pl.col("end_date").fill_null(FAR) > cut)
        .then(pl.lit(cut) + pl.duration(days=10))
        .otherwise("end_date")
    )
    return PanelInputs(
        prices=prices,
        securities=securities,
        facts=facts.unique(["security_id", "period_end", "filed_at"], keep="first"),
        splits=splits_of(prices),
        members=still,
        data_end=market.data_end,
    )


def test_the_market_has_all_that_could_leak(market, panel, signals):
    flags = set(panel["flags"].drop_nulls().str.split(",").explode())
    assert flags >= {
        "disputed_return",
        "delisted",
        "delisting_return_imputed",
        "price_gap",
        "shares_stale",
    }
    assert market.splits.height > 300
    assert panel["ticker"].str.starts_with("N").any()
    assert panel["exchange"].n_unique() == 3
    assert panel.filter(pl.col("firm_market_equity") > pl.col("market_equity")).height > 1000
    assert panel.filter(pl.col("price").is_null()).height > 5
    assert signals["value_class"].n_unique() == 4
    # Five years before the months there is no history: long-term reversal and growth are missing.
    for column in set(signals.select(pl.col(pl.Float64)).columns) - {"reversal_60_13"}:
        assert signals[column].is_not_null().mean() > 0.2, column
    assert signals["quality_parts"].n_unique() == 3
    for frame in (panel, signals):
        for values in frame.select(pl.col(pl.Float64)):
            assert values.drop_nulls().is_finite().all()


@pytest.mark.parametrize("length", [1, 7])
def test_a_range_is_its_parts(market, panel, statements, signals, length):
    for start in EVERY_MONTH[::length]:
        end = min(add_months(start, length), MONTHS.end)
        months = MonthRange(start, end)
        part = security_months(what_a_run_reads(market, months), months, RULES)
        assert part.equals(within(panel, months))
        history = within(panel, history_of(months))
        assert signals_of(history, market.facts, statements, months).equals(within(signals, months))


def test_a_few_firms_have_the_bits_they_have_in_the_market(market, panel):
    # Engines sum small and large inputs in different orders.
    few = pl.col("security_id") < 12
    small = replace(market, prices=market.prices.filter(few))
    small = replace(small, securities=market.securities.filter(few))
    whole = security_months(small, MONTHS, RULES)
    assert whole.equals(panel.filter(few))
    for start in EVERY_MONTH:
        months = MonthRange.of_months(start, start)
        part = security_months(what_a_run_reads(small, months), months, RULES)
        assert part.equals(within(whole, months))


@pytest.mark.parametrize("rule", ["computed", "vendor"])
def test_a_range_is_its_months_whatever_the_rule_for_disputes(market, rule: Dispute):
    rules = replace(RULES, disputed_return=rule)
    whole = security_months(market, MONTHS, rules)
    for start in EVERY_MONTH[::6]:
        months = MonthRange.of_months(start, start)
        part = security_months(what_a_run_reads(market, months), months, rules)
        assert part.equals(within(whole, months))


def test_the_order_of_rows_changes_no_bit(market, panel, statements, signals):
    names = ("prices", "securities", "facts", "splits", "members")
    shuffled = replace(
        market,
        **{name: getattr(market, name).sample(fraction=1, shuffle=True, seed=9) for name in names},
    )
    again = security_months(shuffled, MONTHS, RULES)
    assert again.equals(panel)
    mixed = again.sample(fraction=1, shuffle=True, seed=9)
    flows_mixed = statements.sample(fraction=1, shuffle=True, seed=9)
    assert signals_of(mixed, shuffled.facts, flows_mixed).equals(signals)


@pytest.mark.parametrize("cut", CUTS)
def test_the_history_known_on_a_day_gives_the_same_rows(market, panel, statements, signals, cut):
    known = known_on(market, cut)
    past = security_months(known, MONTHS, RULES)
    assert past.equals(until(panel, cut))
    filed = statements.filter(pl.col("filed_at") <= cut)
    assert signals_of(past, known.facts, filed).equals(until(signals, cut, ahead=1))


def test_within_a_month_the_months_before_are_the_same(market, panel, statements, signals):
    known = known_on(market, date(2020, 5, 14))
    past = security_months(known, MONTHS, RULES)
    april = date(2020, 4, 30)
    assert until(past, april).equals(until(panel, april))
    assert past.filter(pl.col("month_end") > april)["ret"].null_count() > 200
    filed = statements.filter(pl.col("filed_at") <= known.data_end)
    signals_in_may = until(signals_of(past, known.facts, filed), april, ahead=1)
    assert signals_in_may.equals(until(signals, april, ahead=1))


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_another_future_changes_nothing_before_it(market, panel, statements, signals, cut, seed):
    other = with_another_future(market, cut, seed)
    changed = security_months(other, MONTHS, RULES)
    assert until(changed, cut).equals(until(panel, cut))
    filed = statements.filter(pl.col("filed_at") <= cut)
    restated = filed.unique(["security_id", "period_end"], keep="any").with_columns(
        pl.col(pl.Float64) * 17, filed_at=pl.lit(cut) + pl.duration(days=1)
    )
    after = signals_of(changed, other.facts, pl.concat([filed, restated]))
    assert until(after, cut, ahead=1).equals(until(signals, cut, ahead=1))
    # The change is there: from the next month on nearly every row differs.
    next_month = MonthRange.of_months(add_months(cut, 1), add_months(cut, 1))
    assert not within(changed, next_month).equals(within(panel, next_month))
    shared = within(changed, next_month).join(
        within(panel, next_month), on=["security_id", "month_end"]
    )
    assert (shared["price"] != shared["price_right"]).mean() > 0.9


@pytest.mark.parametrize("cut", CUTS)
def test_filings_of_the_last_trading_day_are_not_used_that_month(market, statements, cut):
    assert last_trading_day(cut) == cut
    recent = pl.col("filed_at").is_between(cut - timedelta(days=180), cut)
    on_the_day = market.facts.with_columns(filed_at=pl.when(recent).then(cut).otherwise("filed_at"))
    on_the_day = on_the_day.unique(["security_id", "period_end", "filed_at"], keep="any")
    without = on_the_day.filter(pl.col("filed_at") != cut)
    assert without.height < on_the_day.height - 50
    with_them, without_them = (
        security_months(replace(market, facts=facts), MONTHS, RULES)
        for facts in (on_the_day, without)
    )
    assert until(with_them, cut).equals(until(without_them, cut))
    assert not with_them.equals(without_them)
    flows_on_the_day = statements.with_columns(
        filed_at=pl.when(recent).then(cut).otherwise("filed_at")
    ).unique(["security_id", "period_end", "filed_at"], keep="any")
    flows_without = flows_on_the_day.filter(pl.col("filed_at") != cut)
    assert until(signals_of(with_them, on_the_day, flows_on_the_day), cut, ahead=1).equals(
        until(signals_of(without_them, without, flows_without), cut, ahead=1)
    )


def test_a_restatement_changes_nothing_up_to_its_day(market, panel, statements, signals):
    cut = date(2020, 1, 31)
    restated = market.facts.filter(pl.col("filed_at") <= cut).with_columns(
        filed_at=pl.lit(date(2020, 2, 3)),
        book_equity=pl.col("book_equity") * 100,
        shares=pl.col("shares") * 100,
    )
    facts = pl.concat(
        [market.facts, restated.unique(["security_id", "period_end"], keep="any")]
    ).unique(["security_id", "period_end", "filed_at"], keep="first")
    changed = security_months(replace(market, facts=facts), MONTHS, RULES)
    assert until(changed, cut).equals(until(panel, cut))
    flows_restated = statements.filter(pl.col("filed_at") <= cut).with_columns(
        pl.col(pl.Float64) * 100, filed_at=pl.lit(date(2020, 2, 3))
    )
    all_flows = pl.concat(
        [statements, flows_restated.unique(["security_id", "period_end"], keep="any")]
    ).unique(["security_id", "period_end", "filed_at"], keep="first")
    after = signals_of(changed, facts, all_flows)
    assert until(after, cut, ahead=1).equals(until(signals, cut, ahead=1))
    in_june = MonthRange(date(2020, 2, 1), date(2020, 7, 1))
    column = pl.col("security_id", "month_end", "value_class", *JUNE_SIGNALS)
    assert within(after, in_june).select(column).equals(within(signals, in_june).select(column))


def test_a_year_filed_in_july_is_in_no_signal_of_that_june(market, panel, statements):
    of_2019 = pl.col("period_end").dt.year() == 2019
    late, late_flows = (
        filed.with_columns(
            filed_at=pl.when(of_2019).then(pl.lit(date(2020, 7, 1))).otherwise("filed_at")
        ).unique(["security_id", "period_end", "filed_at"], keep="any")
        for filed in (market.facts, statements)
    )
    found = signals_of(panel, late, late_flows, MonthRange(date(2020, 7, 1), date(2021, 4, 1)))
    assert found.height > 2000
    for column in JUNE_SIGNALS:
        assert found[column].null_count() == found.height, column
    assert found["value_class"].null_count() == found.height
    assert found["book_to_market_monthly"].is_not_null().mean() > 0.5


def test_counts_on_the_basis_of_a_later_download_give_the_same_market_equity(market, panel):
    """What the vendor applied to old counts is undone, not looked ahead."""
    applied = (
        market.facts.select("security_id", "period_end")
        .unique()
        .join(market.splits, on="security_id")
        .filter(pl.col("date") > pl.col("period_end"))
        .group_by("security_id", "period_end")
        .agg(factor=pl.col("split").product())
    )
    downloaded = (
        market.facts.join(applied, on=["security_id", "period_end"], how="left")
        .with_columns(
            shares=pl.col("shares") * pl.col("factor").fill_null(1.0),
            shares_basis_date=pl.lit(market.data_end),
        )
        .drop("factor")
    )
    assert applied.height > 300
    found = security_months(replace(market, facts=downloaded), MONTHS, RULES)
    # Two cumulative products of a few splits, each off by a few roundings of 1.1e-16.
    ratio = (found["market_equity"] / panel["market_equity"]).drop_nulls()
    assert found["market_equity"].null_count() == panel["market_equity"].null_count()
    assert (ratio - 1).abs().max() < 1e-14


def test_a_vendor_that_restates_its_adjusted_closes_changes_no_row(market, panel):
    restated = market.prices.with_columns(adjusted_close=pl.col("adjusted_close") * 0.37)
    assert security_months(replace(market, prices=restated), MONTHS, RULES).equals(panel)
