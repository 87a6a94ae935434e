from datetime import date
from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from factor_pipeline.compute.backtest import (
    HOLDING_SCHEMA,
    LEDGER_SCHEMA,
    RETURN_SCHEMA,
    Backtest,
    benchmark_returns,
    run,
)
from factor_pipeline.compute.strategies import Strategy
from factor_pipeline.errors import DataError, SettingsError
from factor_pipeline.months import MonthRange, add_months

# Hand-computed figures are off by a few roundings of numbers near 1.
ROUNDING = 1e-15

ENDS = {1: date(2020, 1, 31), 2: date(2020, 2, 29), 3: date(2020, 3, 31), 4: date(2020, 4, 30)}
YEAR_START = date(2020, 1, 1)


def months(first, last):
    return MonthRange.of_months(date(2020, first, 1), date(2020, last, 1))


def strategy(name="test", **changes):
    return Strategy(**{"name": name, "signals": {"signal": 1.0}} | changes)


def returns(by_security):
    """Returns of January, February, ... by security."""
    rows = [
        (security, ENDS[month], ret)
        for security, series in by_security.items()
        for month, ret in enumerate(series, 1)
    ]
    schema = {"security_id": pl.Int64, "month_end": pl.Date, "ret": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def targets(by_month, name="test"):
    rows = [
        (name, security, ENDS[month], weight)
        for month, weights in by_month.items()
        for security, weight in weights.items()
    ]
    schema = {
        "strategy": pl.String,
        "security_id": pl.Int64,
        "month_end": pl.Date,
        "weight": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def cash(*rates):
    return pl.DataFrame(
        {"month_end": [ENDS[month] for month in range(1, len(rates) + 1)], "rf": rates},
        schema={"month_end": pl.Date, "rf": pl.Float64},
    )


def delisting(security, month, reason="performance"):
    return pl.DataFrame({"security_id": [security], "month_end": [ENDS[month]], "reason": [reason]})


def column(frame, name):
    return frame[name].to_list()


def positions(result, month):
    rows = result.holdings.filter(pl.col("month_end") == ENDS[month])
    return {row["security_id"]: row for row in rows.iter_rows(named=True)}


def close(value):
    return pytest.approx(float(value), abs=ROUNDING)


def test_three_stocks_over_a_rebalance_equal_the_sums_done_by_hand():
    """January buys 1 and 2, nothing happens in February and March, April swaps 1 for 3."""
    result = run(
        [strategy(cost_per_traded=0.001)],
        months(1, 4),
        returns(
            {1: [0.10, 0.0, -0.50, 9.0], 2: [-0.10, 0.20, 0.0, 0.04], 3: [9.0, 9.0, 9.0, 0.02]}
        ),
        targets({1: {1: 0.5, 2: 0.5}, 4: {2: 0.5, 3: 0.5}}),
    )
    half = Fraction(1, 2)
    # Of a capital of 1 after costs, 0.55 and 0.45 after January, 0.55 and 0.54 after February,
    # 0.275 and 0.54 after March.
    gross = [0, Fraction(9, 100), Fraction(815, 1090) - 1, half * Fraction(6, 100)]
    first, second = Fraction(275, 815), Fraction(540, 815)
    traded = [1, 0, 0, first + (second - half) + half]
    cost = [x / 1000 for x in map(Fraction, traded)]
    net = [(1 - c) * (1 + g) - 1 for c, g in zip(cost, gross, strict=True)]

    frame = result.returns
    assert column(frame, "gross") == [close(x) for x in gross]
    assert column(frame, "cost") == [close(x) for x in cost]
    assert column(frame, "net") == [close(x) for x in net]
    assert column(frame, "turnover") == [close(x / 2) for x in map(Fraction, traded)]
    assert column(frame, "n") == [2, 2, 2, 2]
    assert column(frame, "cash_weight") == [close(0)] * 4
    assert column(frame, "rebalanced") == [True, False, False, True]

    april = positions(result, 4)
    assert {k: row["status"] for k, row in april.items()} == {1: "sold", 2: "held", 3: "entered"}
    assert april[1]["drifted_weight"] == april[1]["traded"] == close(first)
    assert april[1]["weight"] == april[1]["closing_weight"] == 0
    assert april[1]["ret"] is None
    assert april[2]["traded"] == close(second - half)
    assert april[2]["closing_weight"] == close(half * Fraction(104, 100) / Fraction(103, 100))
    assert april[3]["drifted_weight"] == 0
    assert result.ledger.is_empty()


def test_a_long_short_portfolio_drifts_relative_to_its_capital():
    result = run(
        [strategy(kind="long_short", cost_per_traded=0.001)],
        months(1, 2),
        returns({1: [0.10, 0.0], 2: [-0.20, 0.0]}),
        targets({1: {1: 1.0, 2: -1.0}}),
        cash_returns=cash(0.01, 0.0),
    )
    january = result.returns.row(0, named=True)
    assert january["gross"] == close(0.10 + 0.20 + 0.01)  # long leg - short leg + rate on 1 of cash
    assert january["cost"] == close(0.002)
    assert january["turnover"] == close(1)
    assert january["cash_weight"] == close(1)
    february = positions(result, 2)
    assert february[1]["weight"] == close(Fraction(110, 131))
    assert february[2]["weight"] == close(Fraction(-80, 131))
    assert result.returns["cash_weight"][1] == close(Fraction(101, 131))


def test_a_security_without_a_return_keeps_its_value_and_what_it_does_next_counts():
    result = run(
        [strategy(cost_per_traded=0.0)],
        months(1, 3),
        returns({1: [0.0, None, 0.30], 2: [0.0, 0.10, 0.0]}),
        targets({1: {1: 0.5, 2: 0.5}}),
        cash_returns=cash(0.0, 0.02, 0.04),
    )
    assert column(result.returns, "gross") == [
        close(0),
        close(0.5 * 0.10),
        close(Fraction(50, 105) * Fraction(30, 100)),
    ]
    assert column(result.returns, "n") == [2, 2, 2]
    assert result.ledger.is_empty()
    assert positions(result, 2)[1]["status"] == "held"
    assert positions(result, 2)[1]["ret"] is None


def with_halts(frame, halted):
    """Returns with the months without a price before each month, 0 where not named."""
    days = {(security, ENDS[month]): count for (security, month), count in halted.items()}
    keys = zip(frame["security_id"], frame["month_end"], strict=True)
    return frame.with_columns(halted_months=pl.Series([days.get(key, 0) for key in keys]))


def test_after_a_year_without_a_price_a_position_leaves_at_its_last_value():
    prices = with_halts(
        returns({1: [0.0, None, None], 2: [0.0, 0.0, 0.10]}), {(1, 2): 11, (1, 3): 12}
    )
    wanted = targets({1: {1: 0.5, 2: 0.5}})
    result = run([strategy()], months(1, 3), prices, wanted, cash_returns=cash(0.0, 0.02, 0.04))
    assert column(result.returns, "gross") == [0, 0, close(0.5 * 0.10 + 0.5 * 0.04)]
    assert result.ledger.rows() == [("test", 1, ENDS[2], "no return", 0.5, None)]
    assert set(positions(result, 3)) == {2}


def test_a_halted_position_stays_through_a_rebalance_and_the_targets_of_its_side_make_room():
    prices = with_halts(
        returns({i: [0.0, None if i == 1 else 0.0] for i in range(1, 6)}), {(1, 2): 1}
    )
    first = {1: 0.4, 2: 0.6, 5: -1.0}
    second = {1: 0.25, 3: 0.25, 4: 0.5, 5: -0.8}
    result = run(
        [strategy(kind="long_short")], months(1, 2), prices, targets({1: first, 2: second})
    )
    weights = {i: row["weight"] for i, row in positions(result, 2).items()}
    # The long side is to be 1: 0.4 of it is stuck, 3 and 4 share the rest as 1 to 2.
    assert weights == {1: 0.4, 2: 0.0, 3: close(0.2), 4: close(0.4), 5: -0.8}
    assert positions(result, 2)[1]["traded"] == 0.0
    assert result.returns["traded"][1] == close(0.6 + 0.6 + 0.2)


def test_what_is_stuck_beyond_its_side_leaves_no_room():
    prices = with_halts(returns({1: [0.0, None], 2: [0.0, 0.0]}), {(1, 2): 1})
    result = run([strategy()], months(1, 2), prices, targets({1: {1: 1.0}, 2: {2: 1.0}}))
    assert set(positions(result, 2)) == {1}
    assert column(result.returns, "traded") == [1.0, 0.0]


def test_a_security_without_a_row_is_like_one_without_a_return():
    prices = returns({1: [0.0, None], 2: [0.0, 0.10]})
    wanted = targets({1: {1: 0.5, 2: 0.5}})
    result = run([strategy()], months(1, 2), prices, wanted)
    thinned = run([strategy()], months(1, 2), prices.drop_nulls(), wanted)
    assert thinned.returns.equals(result.returns)
    assert thinned.holdings.equals(result.holdings)
    assert thinned.ledger.equals(result.ledger)


def test_a_delisted_security_is_cash_from_the_end_of_its_last_month():
    prices = returns({1: [0.0, -0.60, 5.0], 2: [0.0, 0.0, 0.10]})
    result = run(
        [strategy()],
        months(1, 3),
        prices,
        targets({1: {1: 0.5, 2: 0.5}}),
        delistings=delisting(1, 2),
    )
    assert result.returns["gross"].to_list() == [0, close(-0.3), close(Fraction(5, 7) / 10)]
    assert result.ledger.rows() == [("test", 1, ENDS[2], "performance", 0.5, -0.60)]


def test_a_delisting_on_record_ends_a_halt_once_it_has_happened():
    prices = returns({1: [0.0, None, None, None], 2: [0.0] * 4})
    wanted = targets({1: {1: 0.5, 2: 0.5}, 4: {1: 0.5, 2: 0.5}})
    result = run([strategy()], months(1, 4), prices, wanted, delistings=delisting(1, 3, "merger"))
    assert column(result.ledger, "reason") == ["merger", "merger"]
    assert column(result.ledger, "month_end") == [ENDS[3], ENDS[4]]
    alone = run(
        [strategy()],
        months(4, 4),
        prices,
        wanted,
        run([strategy()], months(3, 3), prices, wanted).holdings,
        delistings=delisting(1, 3, "merger"),
    )
    assert column(alone.ledger, "reason") == ["merger"]


def test_a_total_loss_is_recorded_in_the_month_it_happens():
    prices = returns({1: [-1.0, None], 2: [0.0, 0.0]})
    result = run([strategy()], months(1, 2), prices, targets({1: {1: 0.5, 2: 0.5}}))
    assert result.ledger.rows() == [("test", 1, ENDS[1], "worthless", 0.5, -1.0)]
    assert set(positions(result, 2)) == {2}


def test_a_security_sold_before_it_vanishes_is_a_sale_and_no_exit():
    prices = returns({1: [0.0, 0.0, 0.0, None], 2: [0.0] * 4})
    result = run([strategy()], months(1, 4), prices, targets({1: {1: 1.0}, 4: {2: 1.0}}))
    assert positions(result, 4)[1]["status"] == "sold"
    assert result.ledger.is_empty()


def test_losing_more_than_the_capital_is_losing_the_capital_until_the_next_rebalance():
    prices = returns({1: [0.0, 0.0, 0.0, 0.5], 2: [2.0, 0.0, 0.0, 0.0]})
    result = run(
        [strategy(kind="long_short")],
        months(1, 4),
        prices,
        targets({1: {1: 1.0, 2: -1.0}, 4: {1: 1.0, 2: -1.0}}),
    )
    assert column(result.returns, "gross") == [-1.0, None, None, close(0.5)]
    assert column(result.returns, "net")[0] == -1.0
    assert column(result.holdings.filter(pl.col("month_end") == ENDS[1]), "closing_weight") == [
        0,
        0,
    ]


def test_a_cost_is_at_most_the_capital():
    prices = returns({1: [0.1, 0.0], 2: [0.0, 0.0]})
    leveraged = targets({1: {1: 10.0, 2: -9.0}})
    result = run([strategy(cost_per_traded=0.1)], months(1, 2), prices, leveraged)
    assert column(result.returns, "cost") == [1.0, 0.0]
    assert column(result.returns, "net") == [-1.0, None]


def test_a_target_of_zero_is_no_position():
    result = run([strategy()], months(1, 1), returns({1: [0.1]}), targets({1: {1: 1.0, 2: 0.0}}))
    assert set(positions(result, 1)) == {1}


def test_holdings_of_strategies_that_are_not_run_are_ignored():
    prices, wanted = returns({1: [0.1, 0.2], 2: [0.3, 0.4]}), targets({1: {1: 1.0}})
    others = targets({1: {2: 1.0}}, name="a")
    both = run([strategy(), strategy("a")], months(1, 1), prices, pl.concat([wanted, others]))
    alone = run([strategy()], months(1, 1), prices, wanted)
    nothing = targets({})
    assert_same(
        run([strategy()], months(2, 2), prices, nothing, both.holdings),
        run([strategy()], months(2, 2), prices, nothing, alone.holdings),
    )


def test_a_month_without_any_return_of_the_market_leaves_positions_as_they_are():
    prices = returns({1: [0.0, None, 0.10], 2: [0.0, None, 0.0]})
    result = run([strategy()], months(1, 3), prices, targets({1: {1: 0.5, 2: 0.5}}))
    assert column(result.returns, "gross") == [0.0, None, close(0.05)]
    assert column(result.returns, "net")[1] is None
    assert column(result.returns, "n") == [2, 2, 2]
    assert result.ledger.is_empty()


def test_before_its_first_targets_a_strategy_has_no_rows():
    result = run([strategy()], months(1, 4), returns({1: [0.1] * 4}), targets({4: {1: 1.0}}))
    assert column(result.returns, "month_end") == [ENDS[4]]


def test_a_strategy_that_was_invested_earns_the_cash_return_while_it_holds_nothing():
    inputs = {
        "strategies": [strategy(borrow_cost=0.1)],
        "returns": returns({1: [0.0, 0.1, 0.1, 0.1], 2: [0.0] * 4}),
        "targets": targets({1: {1: 0.5, 2: 0.5}, 4: {1: 1.0}}),
        "cash_returns": cash(0.01, 0.02, None, 0.04),
        "delistings": pl.concat([delisting(1, 1), delisting(2, 1)]),
    }
    frame = run(months=months(1, 4), **inputs).returns
    assert column(frame, "n") == [2, 0, 0, 1]
    for name in ("gross", "net"):
        assert column(frame, name)[1:3] == [0.02, None]
    for name in ("cost", "borrow_cost", "turnover", "traded", "gross_exposure", "net_exposure"):
        assert column(frame, name)[1:3] == [0.0, 0.0]
    assert column(frame, "cash_weight")[1:3] == [1.0, 1.0]
    assert column(frame, "rebalanced") == [True, False, False, True]
    # Going on from a month in cash, nothing but its row says that it had begun.
    assert run(months=months(3, 3), **inputs).returns.is_empty()
    later = run(months=months(3, 3), invested_before=["test"], **inputs).returns
    assert later.equals(frame.filter(pl.col("month_end") == ENDS[3]))


def test_cash_earns_nothing_while_its_rate_is_not_known():
    prices = returns({1: [0.0, 0.0]})
    rates = cash(0.02, None)
    result = run([strategy()], months(1, 2), prices, targets({1: {1: 0.5}}), cash_returns=rates)
    assert column(result.returns, "gross") == [close(0.01), 0.0]
    assert column(result.returns, "cash_ret") == [0.02, None]


def test_the_benchmark_is_an_index_without_cost_or_turnover():
    index = pl.DataFrame({"month_end": [ENDS[3], ENDS[1]], "ret": [0.03, -0.01]})
    assert benchmark_returns(index.head(1), months(1, 4))["month_end"].to_list() == [ENDS[3]]
    result = benchmark_returns(index, months(1, 4))
    assert result.schema == RETURN_SCHEMA
    assert column(result, "strategy") == ["benchmark"] * 3
    assert column(result, "gross") == column(result, "net") == [-0.01, None, 0.03]
    assert column(result, "cost") == column(result, "turnover") == [0.0, None, 0.0]
    assert column(result, "n") == [None] * 3


@pytest.mark.parametrize("first", [1, 4])
def test_without_strategies_or_targets_frames_are_empty_but_typed(first):
    result = run([], months(first, 4), returns({1: [0.1]}), targets({}))
    assert result.holdings.schema == HOLDING_SCHEMA
    assert result.returns.schema == RETURN_SCHEMA
    assert result.ledger.schema == LEDGER_SCHEMA
    assert result.holdings.is_empty()
    assert result.returns.is_empty()


def test_a_run_of_no_months_gives_empty_frames():
    nothing = MonthRange(date(2020, 2, 1), date(2020, 2, 1))
    january = run([strategy()], months(1, 1), returns({1: [0.1]}), targets({1: {1: 1.0}}))
    prices, wanted = returns({1: [0.1, 0.2]}), targets({1: {1: 1.0}})
    result = run([strategy()], nothing, prices, wanted, january.holdings)
    assert_same(result, Backtest(*(getattr(january, n).clear() for n in Backtest.__slots__)))
    index = pl.DataFrame({"month_end": [ENDS[1]], "ret": [0.1]})
    assert benchmark_returns(index, nothing).equals(january.returns.clear())


REPEATED = returns({1: [0.1, 0.2]})
BUY_1 = {1: {1: 1.0}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"returns": pl.concat([REPEATED, REPEATED])}, "returns repeat a security and month"),
        ({"returns": returns({1: [float("nan")]})}, "not a number of at least -1"),
        ({"returns": returns({1: [float("inf")]})}, "not a number of at least -1"),
        ({"returns": returns({1: [-1.01]})}, "not a number of at least -1"),
        ({"targets": pl.concat([targets(BUY_1)] * 2)}, "targets repeat a strategy, security"),
        ({"targets": targets({1: {1: float("nan")}})}, "target weight is not a finite number"),
        ({"targets": targets({1: {1: None}})}, "target weight is not a finite number"),
        ({"targets": targets(BUY_1, name="other")}, "targets of 'other', which is not run"),
        ({"cash_returns": pl.concat([cash(0.1)] * 2)}, "cash returns repeat month_end"),
        ({"delistings": pl.concat([delisting(1, 2)] * 2)}, "delistings repeat security_id = "),
    ],
)
def test_inputs_that_cannot_be_right_are_refused_with_what_to_do(change, message):
    inputs = {"strategies": [strategy()], "returns": REPEATED, "targets": targets(BUY_1)} | change
    with pytest.raises(DataError, match=message):
        run(months=months(1, 2), **inputs)


def test_two_strategies_of_one_name_are_refused():
    with pytest.raises(SettingsError, match="two strategies are named 'test'; rename one"):
        run([strategy(), strategy()], months(1, 2), REPEATED, targets(BUY_1))


def test_holdings_of_another_month_cannot_open_a_run():
    january = run([strategy()], months(1, 1), REPEATED, targets(BUY_1)).holdings
    with pytest.raises(DataError, match="must be of 2020-02-29, the month before 2020-03 to"):
        run([strategy()], months(3, 4), REPEATED, targets({}), january)


# Random markets: months x securities with gaps, exits, losses and monthly or quarterly trading.
FIRST = date(1999, 12, 1)


def random_case(seed, *, count=7, securities=12):
    draw = np.random.default_rng(seed)
    run_months = MonthRange(FIRST, add_months(FIRST, count))
    ends = pl.date_range(FIRST, run_months.end, "1mo", eager=True).dt.month_end().to_list()[:count]
    ids = np.sort(draw.choice(1000, securities, replace=False)).tolist()

    def halted():
        return int(draw.choice([0, 0, 0, 1, 11]))

    prices = [
        (i, end, None if draw.random() < 0.2 else max(draw.normal(0.01, 0.3), -1.0), halted())
        for i in ids
        for end in ends
        if draw.random() < 0.95
    ]
    chosen = [
        strategy("a", cost_per_traded=0.001),
        strategy("b", kind="long_short", cost_per_traded=0.01),
        strategy("c", cost_per_traded=0.0),
    ]
    wanted = [
        (s.name, i, end, draw.normal() if s.kind == "long_short" else draw.random() / 6)
        for s in chosen
        for end in ends
        if draw.random() < 0.5
        for i in draw.choice(ids, draw.integers(1, 7), replace=False).tolist()
    ]
    schema = {"strategy": pl.String, **returns({}).schema}
    return {
        "strategies": chosen,
        "months": run_months,
        "returns": pl.DataFrame(
            prices, schema={**returns({}).schema, "halted_months": pl.Int64}, orient="row"
        ),
        "targets": pl.DataFrame(wanted, schema=schema, orient="row").rename({"ret": "weight"}),
        "cash_returns": pl.DataFrame({"month_end": ends, "rf": draw.random(count) / 100}),
        "delistings": pl.DataFrame(
            {
                "security_id": ids[:3],
                "month_end": draw.choice(ends, 3).tolist(),
                "reason": ["merger", "performance", "other"],
            },
            schema_overrides={"month_end": pl.Date},
        ),
    }


def assert_same(one: Backtest, other: Backtest):
    for name in Backtest.__slots__:
        assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)


def month_by_month(case):
    """One run per month, each opened with the rows the one before would have stored."""
    whole = case["months"]
    parts, stored, told = [], None, ()
    for offset in range(len(whole)):
        start = add_months(whole.start, offset)
        one = run(
            **case | {"months": MonthRange(start, add_months(start, 1))},
            opening_holdings=stored,
            invested_before=told,
        )
        stored, told = one.holdings.reverse(), one.returns["strategy"].to_list()
        parts.append(one)
    return Backtest(*(pl.concat([getattr(p, n) for p in parts]) for n in Backtest.__slots__))


seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_one_range_equals_month_by_month_bit_for_bit(seed):
    case = random_case(seed)
    assert_same(month_by_month(case), run(**case))


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_the_order_of_rows_changes_no_bit(seed):
    case = random_case(seed)
    frames = {k: v for k, v in case.items() if isinstance(v, pl.DataFrame)}
    shuffled = {k: v.sample(fraction=1, shuffle=True, seed=seed % 97) for k, v in frames.items()}
    mixed = {"strategies": case["strategies"][::-1]}
    assert_same(run(**case | shuffled | mixed), run(**case))


@settings(max_examples=20, deadline=None)
@given(seed=seeds, kept=st.integers(1, 6))
def test_what_happens_later_changes_no_bit_before(seed, kept):
    case = random_case(seed)
    end = add_months(FIRST, kept)
    other = random_case(seed + 1)
    future = {
        name: pl.concat(
            [
                case[name].filter(pl.col("month_end") < end),
                other[name].filter(pl.col("month_end") >= end),
            ]
        ).unique("security_id" if name == "delistings" else None, keep="first", maintain_order=True)
        for name in ("returns", "targets", "cash_returns", "delistings")
    }
    known = Backtest(
        *(getattr(run(**case), n).filter(pl.col("month_end") < end) for n in Backtest.__slots__)
    )
    truncated = run(**case | {"months": MonthRange(FIRST, end)})
    assert_same(truncated, known)
    changed = run(**case | future)
    assert_same(
        Backtest(
            *(getattr(changed, n).filter(pl.col("month_end") < end) for n in Backtest.__slots__)
        ),
        known,
    )


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_a_strategy_alone_equals_itself_among_others_bit_for_bit(seed):
    case = random_case(seed)
    together = run(**case)
    for one in case["strategies"]:
        mine = pl.col("strategy") == one.name
        alone = run(**case | {"strategies": [one], "targets": case["targets"].filter(mine)})
        assert_same(
            alone, Backtest(*(getattr(together, n).filter(mine) for n in Backtest.__slots__))
        )


@settings(max_examples=20, deadline=None)
@given(seed=seeds)
def test_returns_follow_from_the_stored_holdings(seed):
    """Gross and cost recomputed in SQL-like fashion; sums of 12 terms differ by roundings."""
    result = run(**random_case(seed))
    rates = {"a": 0.001, "b": 0.01, "c": 0.0}
    rate = pl.col("cash_ret")
    recomputed = (
        result.holdings.join(result.returns, on=["strategy", "month_end"])
        .with_columns(earned=pl.col("weight") * pl.col("ret").fill_null(0.0))
        .group_by("strategy", "month_end", maintain_order=True)
        .agg(
            gross=pl.col("earned").sum() + (1 - pl.col("weight").sum()) * rate.first(),
            cost=pl.col("traded").sum() * pl.col("strategy").first().replace_strict(rates),
        )
        .join(result.returns, on=["strategy", "month_end"], suffix="_told")
    )
    assert recomputed.height == result.returns.filter(pl.col("n") > 0).height
    survives = recomputed.filter(pl.col("gross") > -1, pl.col("cost") < 1)
    for name in ("gross", "cost"):
        assert_frame_equal(
            survives.select(name),
            survives.select(pl.col(f"{name}_told").alias(name)),
            rel_tol=1e-12,
            abs_tol=1e-12,
        )


def test_keeping_the_last_month_only_is_enough_to_go_on():
    case = random_case(5)
    whole, lean = run(**case), run(**case, keep_holdings="last")
    assert lean.returns.equals(whole.returns)
    assert lean.ledger.equals(whole.ledger)
    last = whole.holdings.filter(pl.col("month_end") == pl.col("month_end").max())
    assert lean.holdings.equals(last)
