import math
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.signals import SignalInputs, characteristics, history_of
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange, add_months
from factor_pipeline.schemas.panel import BOOK_EQUITY, STATEMENT
from factor_pipeline.schemas.signal import CHARACTERISTIC

# Eleven factors, as many roundings of 1.1e-16, and a witness that takes logarithms.
MOMENTUM_NOISE = 1e-14

# A busy machine may take its time.
unhurried = settings(deadline=None)

PANEL = {
    "security_id": pl.Int64,
    "firm_id": pl.Int64,
    "month_end": pl.Date,
    "ret": pl.Float64,
    "price": pl.Float64,
    "firm_market_equity": pl.Float64,
    "exchange": pl.String,
    "flags": pl.String,
    "high": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
}
DEC_2018, DEC_2019 = date(2018, 12, 31), date(2019, 12, 31)
LAST_DAY_OF_JUNE = date(2020, 6, 30)  # a Tuesday
JULY = MonthRange(date(2020, 7, 1), date(2020, 8, 1))
YEAR = MonthRange(date(2020, 7, 1), date(2021, 7, 1))


def ends(first: date, count: int) -> list[date]:
    return [add_months(first, i + 1) - timedelta(days=1) for i in range(count)]


def stock(
    security=1,
    *,
    firm=None,
    equity=100.0,
    first=date(2018, 1, 1),
    count=48,
    ret=0.01,
    exchange="NYSE",
    flags=None,
) -> pl.DataFrame:
    """One security over ``count`` months; ``equity`` and ``flags`` may vary by month."""
    months = ends(first, count)
    values = equity if isinstance(equity, dict) else dict.fromkeys(months, equity)
    return pl.DataFrame(
        {
            "security_id": [security] * count,
            "firm_id": [100 + security if firm is None else firm] * count,
            "month_end": months,
            "ret": [ret] * count,
            "price": [10.0] * count,
            "firm_market_equity": [values.get(month) for month in months],
            "exchange": [exchange] * count,
            "flags": [(flags or {}).get(month) for month in months],
            "high": [10.0] * count,
            "split": [1.0] * count,
            "dividend": [0.0] * count,
        },
        schema=PANEL,
    )


def book(value, *, security=1, period_end=DEC_2019, filed_at=date(2020, 3, 2)) -> dict[str, object]:
    return {
        "security_id": security,
        "period_end": period_end,
        "filed_at": filed_at,
        "book_equity": value,
    }


def signals(panel, facts=(), months=JULY, *, statements=(), max_age=18, rule=None) -> pl.DataFrame:
    return characteristics(
        SignalInputs(
            panel,
            pl.DataFrame(list(facts), schema=BOOK_EQUITY.polars_schema),
            pl.DataFrame(list(statements), schema=STATEMENT.polars_schema),
        ),
        months,
        max_fundamental_age_months=max_age,
        breakpoint_rule=rule or BreakpointRule(min_stocks=2),
    )


def value_of(frame: pl.DataFrame, column: str) -> object:
    assert frame.height == 1
    return frame[column].item()


def by_month(frame: pl.DataFrame, column: str) -> dict[date, object]:
    return dict(frame.select("month_end", column).iter_rows())


def test_signals_have_the_shape_of_their_table():
    assert dict(signals(stock(), [book(1.0)]).schema) == dict(CHARACTERISTIC.polars_schema)


def test_size_is_the_market_equity_of_the_month_before():
    equity = {LAST_DAY_OF_JUNE: 7.0, date(2020, 7, 31): 8.0}
    found = signals(stock(equity=equity), months=JULY.widened(ahead=1))
    assert found.select("month_end", "size").rows() == [
        (date(2020, 7, 31), 7.0),
        (date(2020, 8, 31), 8.0),
    ]


def test_a_security_without_a_price_in_the_month_before_has_no_row():
    panel = stock().filter(pl.col("month_end") != LAST_DAY_OF_JUNE)
    assert signals(panel).is_empty()


def test_a_row_without_a_price_is_no_listing():
    no_price = pl.when(pl.col("month_end") != LAST_DAY_OF_JUNE).then("price")
    assert signals(stock().with_columns(price=no_price)).is_empty()


@pytest.mark.parametrize("flags", ["delisted", "price_gap,delisted,shares_stale"])
def test_a_security_that_was_delisted_in_the_month_before_cannot_be_bought(flags):
    assert signals(stock(flags={LAST_DAY_OF_JUNE: flags})).is_empty()


@pytest.mark.parametrize("flags", ["price_gap", "delisting_return_imputed", "shares_stale"])
def test_other_flags_leave_a_security_in(flags):
    assert signals(stock(flags={LAST_DAY_OF_JUNE: flags})).height == 1


def test_a_security_in_its_last_month_still_has_its_row():
    assert signals(stock(flags={date(2020, 7, 31): "delisted"})).height == 1


def test_book_to_market_is_the_book_of_the_year_before_over_its_december():
    equity = dict.fromkeys(ends(date(2018, 1, 1), 48), 1.0) | {DEC_2019: 40.0}
    found = signals(stock(equity=equity), [book(50.0)], YEAR)
    assert by_month(found, "book_to_market") == dict.fromkeys(ends(YEAR.start, 12), 1.25)


def test_the_next_formation_takes_the_next_year():
    facts = [book(50.0), book(60.0, period_end=date(2020, 12, 31), filed_at=date(2021, 2, 1))]
    found = signals(stock(), facts, YEAR.widened(ahead=1))
    assert found["book_to_market"].to_list() == [0.5] * 12 + [0.6]


@pytest.mark.parametrize(
    ("filed_at", "expected"),
    [
        (date(2020, 6, 29), 0.5),
        (LAST_DAY_OF_JUNE, None),
        (date(2020, 7, 1), None),
        (date(2020, 7, 15), None),
    ],
)
def test_a_filing_counts_for_june_when_public_before_its_last_trading_day(filed_at, expected):
    found = signals(stock(), [book(50.0, filed_at=filed_at)], YEAR)
    assert by_month(found, "book_to_market") == dict.fromkeys(ends(YEAR.start, 12), expected)


def test_in_a_june_that_ends_at_a_weekend_its_friday_is_the_deadline():
    friday = date(2018, 6, 29)
    months = MonthRange(date(2018, 7, 1), date(2018, 8, 1))
    panel = stock(first=date(2016, 1, 1))
    for filed_at, expected in ((friday - timedelta(days=1), 0.5), (friday, None)):
        facts = [book(50.0, period_end=date(2017, 12, 31), filed_at=filed_at)]
        assert value_of(signals(panel, facts, months), "book_to_market") == expected


@pytest.mark.parametrize(
    ("period_end", "expected"),
    [
        (DEC_2018, None),
        (date(2019, 1, 31), 0.5),
        (DEC_2019, 0.5),
        (date(2020, 1, 31), None),
    ],
)
def test_the_fiscal_year_must_end_in_the_calendar_year_before(period_end, expected):
    found = signals(stock(), [book(50.0, period_end=period_end)])
    assert value_of(found, "book_to_market") == expected


def test_a_restatement_before_june_counts_and_one_after_does_not():
    early = book(70.0, filed_at=date(2020, 6, 1))
    late = book(90.0, filed_at=date(2020, 8, 3))
    assert value_of(signals(stock(), [book(50.0), early, late]), "book_to_market") == 0.7
    assert value_of(signals(stock(), [book(50.0), late]), "book_to_market") == 0.5


def test_of_two_fiscal_years_in_a_calendar_year_the_later_counts():
    facts = [
        book(50.0, period_end=date(2019, 3, 31), filed_at=date(2020, 5, 1)),
        book(60.0, filed_at=date(2020, 3, 2)),
    ]
    assert value_of(signals(stock(), facts), "book_to_market") == 0.6


@pytest.mark.parametrize("value", [0.0, -5.0, None])
def test_without_positive_book_equity_there_is_no_book_to_market(value):
    found = signals(stock(), [book(value)])
    assert value_of(found, "book_to_market") is None
    assert value_of(found, "book_to_market_monthly") is None


def test_without_a_december_there_is_no_june_book_to_market():
    found = signals(stock(first=date(2020, 1, 1)), [book(50.0)])
    assert value_of(found, "book_to_market") is None
    assert value_of(found, "book_to_market_monthly") == 0.5


def test_a_class_listed_since_december_takes_the_december_of_its_firm():
    panel = pl.concat([stock(1, firm=7), stock(2, firm=7, first=date(2020, 3, 1), equity=200.0)])
    found = signals(panel, [book(50.0), book(50.0, security=2)])
    assert found["book_to_market"].to_list() == [0.5, 0.5]


def test_a_security_that_joins_a_firm_keeps_the_december_it_had_alone():
    moved = pl.when(pl.col("month_end") > DEC_2019).then(7).otherwise("firm_id")
    panel = pl.concat([stock(1, equity=200.0).with_columns(firm_id=moved), stock(2, firm=7)])
    found = signals(panel, [book(50.0)])
    assert found["book_to_market"].to_list() == [0.25, None]


def test_monthly_book_to_market_follows_filings_and_prices():
    equity = dict(zip(ends(date(2018, 1, 1), 48), range(100, 148), strict=True))
    filed_at = date(2020, 8, 31)  # the last trading day of August
    facts = [book(50.0), book(60.0, period_end=date(2020, 6, 30), filed_at=filed_at)]
    found = by_month(signals(stock(equity=equity), facts, YEAR), "book_to_market_monthly")
    assert found[date(2020, 9, 30)] == 50.0 / equity[date(2020, 8, 31)]
    assert found[date(2020, 10, 31)] == 60.0 / equity[date(2020, 9, 30)]


def test_monthly_book_to_market_does_not_use_old_books():
    found = by_month(signals(stock(), [book(50.0)], YEAR, max_age=15), "book_to_market_monthly")
    # Fifteen months after December 2019 ends March 2021, the month before April.
    assert found[date(2021, 4, 30)] == 0.5
    assert found[date(2021, 5, 31)] is None


def momentum(returns: Sequence[float | None], *, drop=()) -> list[float | None]:
    """Momentum as known at the end of each month, except those to ``drop``."""
    panel = stock(first=date(2019, 1, 1), count=len(returns)).with_columns(
        ret=pl.Series(returns, dtype=pl.Float64)
    )
    kept = [row for row in range(len(returns)) if row not in drop]
    months = MonthRange(date(2019, 2, 1), add_months(date(2019, 2, 1), len(returns)))
    return signals(panel[kept], months=months)["momentum_12_2"].to_list()


GROWN = [0.10, -0.05, 0.02, 0.0, 0.03, -0.01, 0.04, 0.01, -0.02, 0.05, 0.02]


def test_momentum_is_the_product_of_eleven_returns_and_skips_the_last():
    by_hand = math.prod(1 + r for r in GROWN) - 1
    found = momentum([9.9, *GROWN, 5.5])
    assert found[:11] == [None] * 11
    assert found[12] == pytest.approx(by_hand, rel=MOMENTUM_NOISE)


def test_momentum_does_not_need_the_return_it_skips():
    assert momentum([*GROWN, None])[11] is not None


@pytest.mark.parametrize("hole", range(11))
def test_momentum_is_null_with_any_hole(hole):
    missing = [None if i == hole else r for i, r in enumerate(GROWN)]
    assert momentum([*missing, 0.0])[-1] is None
    assert momentum([0.0, *GROWN, 0.0], drop=[hole + 1])[-1] is None


def test_a_missing_month_at_the_end_is_a_hole_too():
    assert momentum([0.0, *GROWN, 0.0], drop=[11])[-1] is None


def test_a_total_loss_stays_a_total_loss():
    assert momentum([-1.0, *GROWN[1:], 0.0])[-1] == -1.0


def test_reversal_is_the_return_of_the_month_before():
    found = signals(stock().with_columns(ret=pl.col("month_end").dt.month() / 100), months=YEAR)
    assert by_month(found, "reversal_1")[date(2020, 7, 31)] == 0.06
    assert by_month(found, "reversal_1")[date(2021, 1, 31)] == 0.12
    assert momentum([None])[0] is None


def test_momentum_of_a_july_row_ends_with_may():
    may = pl.when(pl.col("month_end") == date(2020, 5, 31)).then(1.0).otherwise(0.0)
    june = pl.when(pl.col("month_end") == LAST_DAY_OF_JUNE).then(1.0).otherwise(0.0)
    july = pl.when(pl.col("month_end") == date(2019, 7, 31)).then(1.0).otherwise(0.0)
    before = pl.when(pl.col("month_end") == LAST_DAY_OF_JUNE.replace(year=2019)).then(1.0)
    for column, expected in ((may, 1.0), (june, 0.0), (july, 1.0), (before.otherwise(0.0), 0.0)):
        found = signals(stock().with_columns(ret=column))
        assert value_of(found, "momentum_12_2") == expected


def test_momentum_equals_rolling_sums_of_logarithms():
    """Witness: pandas, from log returns."""
    draw = np.random.default_rng(5)
    returns = draw.normal(0.01, 0.1, 60).tolist()
    logs = pd.Series(np.log1p(returns))
    expected = np.expm1(logs.rolling(11).sum().shift(1))
    found = momentum(returns)
    assert found[:11] == [None] * 11
    assert found[11:] == pytest.approx(expected[11:].tolist(), abs=1e-12)


def universe(count=11, *, exchange="NYSE") -> tuple[pl.DataFrame, list[dict[str, object]]]:
    """Stocks 0 to ``count`` - 1 with a book-to-market of their number plus one."""
    panel = pl.concat([stock(i, equity=1.0, exchange=exchange) for i in range(count)])
    return panel, [book(float(i + 1), security=i) for i in range(count)]


def test_classes_are_cut_at_the_30th_and_70th_percentile_of_june():
    # Linear quantiles of 1 to 11 are 4 and 8; a value on a breakpoint is in the lower group.
    found = signals(*universe(), YEAR)
    expected = ["Growth"] * 4 + ["Neutral"] * 4 + ["Value"] * 3
    for end in ends(YEAR.start, 12):
        assert found.filter(pl.col("month_end") == end)["value_class"].to_list() == expected


def test_a_month_alone_has_the_classes_of_its_formation():
    panel, facts = universe()
    months = MonthRange(date(2021, 6, 1), date(2021, 7, 1))
    history = history_of(months)
    cut = panel.filter(pl.col("month_end").is_between(history.start, months.start, "left"))
    whole = signals(panel, facts, YEAR).filter(pl.col("month_end") == date(2021, 6, 30))
    assert signals(cut, facts, months).equals(whole)
    assert whole["value_class"].n_unique() == 3


def test_breakpoints_come_from_the_exchange_the_rule_names():
    nyse, facts = universe(4)
    others = pl.concat([stock(i, equity=1.0, exchange="NASDAQ") for i in range(4, 11)])
    facts += [book(float(i + 1), security=i) for i in range(4, 11)]
    panel = pl.concat([nyse, others])
    by_nyse = signals(panel, facts, rule=BreakpointRule(min_stocks=2))
    by_all = signals(panel, facts, rule=BreakpointRule(basis="all", min_stocks=2))
    assert by_nyse["value_class"].to_list() == ["Growth"] + ["Neutral"] * 2 + ["Value"] * 8
    assert by_all["value_class"].to_list() == ["Growth"] * 4 + ["Neutral"] * 4 + ["Value"] * 3


def test_too_few_stocks_make_no_classes():
    found = signals(*universe(), rule=BreakpointRule(min_stocks=12))
    assert found["value_class"].null_count() == 11
    assert found["book_to_market"].null_count() == 0


def test_a_stock_without_book_to_market_has_no_class_and_moves_no_breakpoint():
    panel, facts = universe()
    negative = [stock(i, equity=1.0) for i in range(11, 16)]
    facts += [book(-1.0, security=i) for i in range(11, 16)]
    found = signals(pl.concat([panel, *negative]), facts)
    assert found.head(11).equals(signals(panel, facts))
    assert found.tail(5)["value_class"].to_list() == [None] * 5


def test_two_rows_of_a_security_in_a_month_are_refused():
    with pytest.raises(DataError, match="two panel rows have the same security_id 1, month_end"):
        signals(pl.concat([stock(), stock().head(1)]))


def test_two_filings_of_a_period_on_a_day_are_refused():
    with pytest.raises(DataError, match="two filings"):
        signals(stock(), [book(1.0), book(2.0)])


def test_an_empty_panel_has_no_signals():
    empty = signals(pl.DataFrame(schema=PANEL))
    assert empty.is_empty()
    assert dict(empty.schema) == dict(CHARACTERISTIC.polars_schema)


def test_history_reaches_back_to_what_the_formation_needs():
    for month in ends(date(2020, 1, 1), 24):
        months = MonthRange.of_months(month, month)
        history = history_of(months)
        july = date(month.year - (month.month < 7), 7, 1)
        assert history.end == months.end
        assert history.start <= date(july.year - 1, 12, 1)
        assert history.start == add_months(month.replace(day=1), -60)


finite = st.floats(-1.0, 1.7e308)
positive = st.floats(min_value=5e-324, max_value=1.7e308)


@unhurried
@given(
    st.lists(st.lists(finite | st.none(), min_size=24, max_size=24), min_size=1, max_size=3),
    st.lists(st.tuples(positive, positive), min_size=3, max_size=3),
    st.lists(st.floats(-1.7e308, 1.7e308) | st.none(), min_size=16, max_size=16),
    st.integers(0, 2**32),
)
def test_extreme_values_give_numbers_or_nulls_in_any_order_of_rows(returns, amounts, figures, seed):
    panel = pl.concat(
        [
            stock(i, first=date(2019, 7, 1), count=24, equity=amounts[i][0]).with_columns(
                ret=pl.Series(own, dtype=pl.Float64)
            )
            for i, own in enumerate(returns)
        ]
    )
    facts = [book(amounts[i][1], security=i) for i in range(len(returns))]
    months = YEAR.widened(back=6)
    facts[0]["total_assets"] = amounts[0][0]
    names = [name for name, dtype in STATEMENT.polars_schema.items() if dtype == pl.Float64]
    filed = {"period_end": DEC_2019, "filed_at": date(2020, 3, 2)}
    statements = [
        {"security_id": i, **filed} | dict(zip(names, figures[8 * i :], strict=False))
        for i in range(2)
    ]
    found = signals(panel, facts, months, statements=statements)
    assert not found.select(pl.struct("security_id", "month_end").is_duplicated().any()).item()
    for column in found.select(pl.col(pl.Float64)):
        assert all(math.isfinite(value) for value in column.drop_nulls())
    assert all(value >= -1 for value in found["momentum_12_2"].drop_nulls())
    shuffled = panel.sample(fraction=1, shuffle=True, seed=seed)
    again = signals(shuffled, facts[::-1], months, statements=statements[::-1])
    assert again.equals(found)
