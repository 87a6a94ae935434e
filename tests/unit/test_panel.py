import math
from dataclasses import replace
from datetime import date, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.errors import DataError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import BOOK_EQUITY, SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import INDEX_MEMBER

DEC, JAN, FEB, MAR = date(2019, 12, 31), date(2020, 1, 31), date(2020, 2, 28), date(2020, 3, 31)
FEB_END = date(2020, 2, 29)  # a Saturday
MONTHS = MonthRange(date(2020, 1, 1), date(2020, 4, 1))
RULES = PanelRules(max_fundamental_age_months=18, delisting_return="-30%", disputed_return="null")

# A busy machine may take its time.
unhurried = settings(deadline=None)

PRICE = {
    "security_id": pl.Int64,
    "date": pl.Date,
    "close": pl.Float64,
    "split": pl.Float64,
    "dividend": pl.Float64,
    "adjusted_close": pl.Float64,
    "volume": pl.Float64,
}
SPLIT = {"security_id": pl.Int64, "date": pl.Date, "split": pl.Float64}


def price(day, close, security=1, *, split=1.0, dividend=0.0, adjusted=None, volume=1.0):
    return (security, day, close, split, dividend, adjusted, volume)


def monthly(close=100.0, security=1):
    """Prices on the last trading day of four months, each 10 % above the one before."""
    return [price(day, close * 1.1**i, security) for i, day in enumerate((DEC, JAN, FEB, MAR))]


def listed(security=1, **known):
    defaults = {
        "security_id": security,
        "firm_id": 100 + security,
        "vendor_id": f"V{security}",
        "ticker": f"T{security}",
        "valid_from": date(2000, 1, 3),
        "valid_to": MAR,
    }
    return defaults | known


def filed(security=1, **known):
    defaults = {
        "security_id": security,
        "fiscal_year": 2018,
        "period_end": date(2018, 12, 31),
        "filed_at": date(2019, 3, 1),
        "filed_at_assumed": False,
        "shares": 1000.0,
        "shares_basis_date": date(2018, 12, 31),
    }
    return defaults | known


def inputs(prices, *, securities=None, facts=(), splits=(), members=(), data_end=MAR):
    names = [listed(security) for security in sorted({row[0] for row in prices})]
    return PanelInputs(
        prices=pl.DataFrame(prices, schema=PRICE, orient="row"),
        securities=pl.DataFrame(
            names if securities is None else list(securities), schema=SECURITY.polars_schema
        ),
        facts=pl.DataFrame(list(facts), schema=BOOK_EQUITY.polars_schema),
        splits=pl.DataFrame(list(splits), schema=SPLIT, orient="row"),
        members=pl.DataFrame(
            list(members),
            schema=contract(INDEX_MEMBER),
            orient="row",
        ),
        data_end=data_end,
    )


def panel(prices, *, months=MONTHS, rules=RULES, **known) -> pl.DataFrame:
    return security_months(inputs(prices, **known), months, rules)


def by_month(frame: pl.DataFrame, column: str, security=1) -> dict[date, object]:
    own = frame.filter(pl.col("security_id") == security)
    return dict(own.select("month_end", column).iter_rows())


def test_the_panel_has_the_shape_of_its_table():
    found = panel(monthly(), facts=[filed()], members=[("T1", DEC, None)])
    assert dict(found.schema) == dict(SECURITY_MONTH.polars_schema)


def test_rows_are_those_of_the_months_asked_for_in_order():
    prices = monthly(security=2) + monthly(security=1)
    found = panel(prices, months=MonthRange(date(2020, 2, 1), date(2020, 4, 1)))
    assert found.select("security_id", "month_end").rows() == [
        (1, FEB_END),
        (1, MAR),
        (2, FEB_END),
        (2, MAR),
    ]
    assert found["ret"].to_list() == pytest.approx([0.1] * 4)


def test_prices_long_before_the_months_change_nothing():
    early = price(date(2019, 6, 28), 5.0)
    assert panel([early, *monthly()]).equals(panel(monthly()))


def test_a_clean_month_has_no_flags():
    assert panel(monthly())["flags"].to_list() == [None] * 3


def test_a_month_without_a_price_has_no_row_and_the_next_no_return():
    prices = [row for row in monthly() if row[1] != FEB]
    assert by_month(panel(prices), "ret") == {JAN: pytest.approx(0.1), MAR: None}


def test_a_security_that_stops_before_the_month_does_is_flagged():
    prices = [*monthly()[:2], price(date(2020, 2, 27), 121.0), *monthly()[3:]]
    found = panel(prices)
    assert by_month(found, "flags") == {JAN: None, FEB_END: "price_gap", MAR: None}
    assert by_month(found, "ret")[FEB_END] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("data_end", "flag", "ret"),
    [
        (date(2020, 3, 30), "partial_month", None),
        (MAR, None, pytest.approx(0.1)),
        (date(2020, 4, 1), None, pytest.approx(0.1)),
    ],
)
def test_a_month_the_data_do_not_cover_is_flagged_and_has_no_return(data_end, flag, ret):
    last = price(min(data_end, MAR), 100 * 1.1**3)
    row = panel([*monthly()[:3], last], data_end=data_end).row(-1, named=True)
    assert (row["flags"], row["ret"]) == (flag, ret)
    assert row["price"] == last[2]


def test_a_month_that_ends_at_a_weekend_is_complete_on_its_friday():
    found = panel(monthly()[:3], data_end=FEB)
    assert by_month(found, "flags")[FEB_END] is None
    assert by_month(found, "ret")[FEB_END] == pytest.approx(0.1)


def test_a_disputed_month_is_flagged():
    day = price(date(2020, 2, 3), 110.0, adjusted=90.0)
    prices = [monthly()[0], price(JAN, 110.0, adjusted=110.0), day, *monthly()[2:]]
    found = panel(prices)
    assert by_month(found, "flags")[FEB_END] == "disputed_return"
    assert by_month(found, "ret")[FEB_END] is None
    ours = panel(prices, rules=replace(RULES, disputed_return="computed"))
    assert by_month(ours, "flags")[FEB_END] == "disputed_return"
    assert by_month(ours, "ret")[FEB_END] == pytest.approx(0.1)


def test_ticker_exchange_and_firm_are_those_of_the_last_trading_day():
    found = panel(
        monthly(),
        securities=[
            listed(ticker="OLD", exchange="AMEX", firm_id=7),
            listed(ticker="NEW", exchange="NYSE", firm_id=8, valid_from=date(2020, 2, 20)),
        ],
    )
    assert by_month(found, "ticker") == {JAN: "OLD", FEB_END: "NEW", MAR: "NEW"}
    assert by_month(found, "exchange") == {JAN: "AMEX", FEB_END: "NYSE", MAR: "NYSE"}
    assert by_month(found, "firm_id") == {JAN: 7, FEB_END: 8, MAR: 8}


def delisted(on, *, ret=None, reason="performance", **known):
    return listed(delisted_at=on, delisting_reason=reason, delisting_return=ret, **known)


def test_a_delisting_return_is_compounded_into_the_last_month():
    prices = [*monthly()[:2], price(date(2020, 2, 14), 55.0)]
    found = panel(prices, securities=[delisted(date(2020, 2, 14), ret=-0.4)])
    row = found.row(-1, named=True)
    assert row["ret"] == pytest.approx((1 - 0.5) * (1 - 0.4) - 1)
    assert (row["delisting_return"], row["flags"]) == (-0.4, "delisted")
    assert found["month_end"].to_list() == [JAN, FEB_END]


def test_a_delisting_in_a_month_without_a_price_has_a_row_of_its_own():
    found = panel(monthly()[:2], securities=[delisted(date(2020, 2, 14), ret=-0.4)])
    row = found.row(-1, named=True)
    assert (row["month_end"], row["ret"], row["price"]) == (FEB_END, -0.4, None)
    assert (row["last_date"], row["trading_days"]) == (date(2020, 2, 14), 0)
    assert (row["ticker"], row["dollar_volume"], row["flags"]) == ("T1", None, "delisted")


def test_a_delisting_return_stands_in_for_a_month_that_has_none():
    prices = [monthly()[0], price(date(2020, 2, 3), 50.0)]
    found = panel(prices, securities=[delisted(date(2020, 2, 14), ret=-0.4)])
    assert by_month(found, "ret") == {FEB_END: -0.4}


def test_a_delisting_without_a_return_leaves_that_of_the_month():
    found = panel(monthly(), securities=[delisted(MAR, reason="merger")])
    row = found.row(-1, named=True)
    assert row["ret"] == pytest.approx(0.1)
    assert (row["delisting_return"], row["flags"]) == (None, "delisted")


@pytest.mark.parametrize(
    ("imputation", "exchange", "expected"),
    [
        ("none", "NASDAQ", None),
        ("-30%", "NASDAQ", -0.30),
        ("by_exchange", "NASDAQ", -0.55),
        ("by_exchange", "NYSE", -0.35),
        ("by_exchange", None, -0.35),
    ],
)
def test_a_failure_without_a_return_is_imputed_and_flagged(imputation, exchange, expected):
    found = panel(
        monthly(),
        securities=[delisted(MAR, exchange=exchange)],
        rules=replace(RULES, delisting_return=imputation),
    )
    row = found.row(-1, named=True)
    assert row["delisting_return"] == expected
    assert row["ret"] == pytest.approx(1.1 * (1 + (expected or 0.0)) - 1)
    flags = "delisted" if expected is None else "delisted,delisting_return_imputed"
    assert row["flags"] == flags


def test_a_disputed_month_has_no_return_even_with_a_delisting_return():
    prices = [
        *monthly()[:1],
        price(JAN, 110.0, adjusted=110.0),
        price(date(2020, 2, 14), 110.0, adjusted=90.0),
    ]
    found = panel(prices, securities=[delisted(date(2020, 2, 14), ret=-0.4)])
    row = found.row(-1, named=True)
    assert (row["ret"], row["delisting_return"]) == (None, None)
    assert row["flags"] == "disputed_return,delisted"


def test_a_delisting_in_the_running_month_has_no_return_yet():
    running = date(2020, 3, 20)
    found = panel(
        [*monthly()[:3], price(running, 60.0)],
        securities=[delisted(running)],
        data_end=running,
    )
    row = found.row(-1, named=True)
    assert (row["ret"], row["delisting_return"]) == (None, None)
    assert row["flags"] == "partial_month,delisted"


def test_a_delisting_after_the_data_end_is_not_known_yet():
    prices = [*monthly()[:3], price(date(2020, 3, 20), 140.0)]
    coming = panel(prices, securities=[delisted(MAR, ret=-1.0)], data_end=date(2020, 3, 20))
    assert coming.equals(panel(prices, data_end=date(2020, 3, 20)))


def test_a_delisting_before_the_first_price_is_of_another_company():
    securities = [delisted(date(2020, 1, 2), ret=-1.0, valid_from=date(2020, 1, 15))]
    found = panel(monthly()[1:], securities=securities)
    assert found["flags"].to_list() == [None] * 3
    assert by_month(found, "ret") == {
        JAN: None,
        FEB_END: pytest.approx(0.1),
        MAR: pytest.approx(0.1),
    }


def test_only_the_month_of_the_delisting_is_touched():
    found = panel(monthly(), securities=[delisted(date(2020, 2, 14), ret=-0.5)])
    assert by_month(found, "delisting_return") == {JAN: None, FEB_END: -0.5, MAR: None}
    assert by_month(found, "ret")[JAN] == pytest.approx(0.1)


def test_market_equity_is_price_times_the_latest_public_count():
    facts = [
        filed(),
        filed(period_end=DEC, filed_at=date(2020, 2, 27), shares=2000.0, shares_basis_date=DEC),
    ]
    found = panel(monthly(), facts=facts)
    assert by_month(found, "shares") == {JAN: 1000.0, FEB_END: 2000.0, MAR: 2000.0}
    prices = by_month(found, "price")
    assert by_month(found, "market_equity") == {
        day: prices[day] * count for day, count in by_month(found, "shares").items()
    }


def test_a_count_filed_on_the_last_trading_day_counts_from_the_month_after():
    facts = [filed(), filed(period_end=DEC, filed_at=FEB, shares=2000.0, shares_basis_date=DEC)]
    found = panel(monthly(), facts=facts)
    assert by_month(found, "shares") == {JAN: 1000.0, FEB_END: 1000.0, MAR: 2000.0}


def test_a_filing_without_a_count_leaves_the_count_before_it():
    facts = [filed(), filed(period_end=DEC, filed_at=JAN, shares=None)]
    assert by_month(panel(monthly(), facts=facts), "shares") == dict.fromkeys(
        (JAN, FEB_END, MAR), 1000.0
    )


def test_a_count_filed_before_a_split_is_restated_from_its_ex_date_on():
    split_day = date(2020, 2, 10)
    prices = [*monthly()[:2], price(FEB, 60.5, split=2.0), price(MAR, 66.55)]
    facts = [filed(filed_at=date(2020, 1, 15))]
    found = panel(prices, facts=facts, splits=[(1, split_day, 2.0)])
    assert by_month(found, "shares") == {JAN: 1000.0, FEB_END: 2000.0, MAR: 2000.0}
    assert by_month(found, "market_equity") == {
        JAN: pytest.approx(110_000.0),
        FEB_END: pytest.approx(121_000.0),
        MAR: pytest.approx(133_100.0),
    }


def test_a_count_that_is_too_old_is_unknown_and_flagged():
    old = filed(period_end=date(2018, 8, 31), shares_basis_date=date(2018, 8, 31))
    found = panel(monthly(), facts=[old])
    assert by_month(found, "shares") == {JAN: 1000.0, FEB_END: 1000.0, MAR: None}
    assert by_month(found, "market_equity")[MAR] is None
    assert by_month(found, "flags") == {JAN: None, FEB_END: None, MAR: "shares_stale"}


@pytest.fixture
def two_classes():
    """Firm 7 with two classes, and another firm."""
    return {
        "prices": [*monthly(100.0), *monthly(50.0, 2), *monthly(10.0, 3)],
        "securities": [listed(1, firm_id=7), listed(2, firm_id=7), listed(3)],
    }


def test_market_equity_of_a_firm_is_the_sum_over_its_classes(two_classes):
    facts = [filed(1), filed(2, shares=400.0), filed(3, shares=5.0)]
    found = panel(**two_classes, facts=facts).filter(pl.col("month_end") == JAN)
    assert found["market_equity"].to_list() == pytest.approx([110_000.0, 22_000.0, 55.0])
    assert found["firm_market_equity"].to_list() == pytest.approx([132_000.0, 132_000.0, 55.0])


def test_a_class_without_a_count_adds_nothing_to_its_firm(two_classes):
    found = panel(**two_classes, facts=[filed(1)]).filter(pl.col("month_end") == JAN)
    assert found["market_equity"].to_list() == [pytest.approx(110_000.0), None, None]
    assert found["firm_market_equity"].to_list() == [pytest.approx(110_000.0)] * 2 + [None]


def test_a_class_that_left_adds_nothing_from_then_on(two_classes):
    prices = [row for row in two_classes["prices"] if (row[0], row[1]) != (2, MAR)]
    securities = [listed(1, firm_id=7), delisted(MAR, ret=0.0, security=2, firm_id=7), listed(3)]
    facts = [filed(1), filed(2, shares=400.0)]
    found = panel(prices, securities=securities, facts=facts)
    assert by_month(found, "market_equity", 2)[MAR] is None
    for security in (1, 2):
        assert by_month(found, "firm_market_equity", security)[MAR] == pytest.approx(133_100.0)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (JAN, None, True),
        (date(2020, 2, 3), None, False),
        (date(2010, 1, 4), JAN, False),
        (date(2010, 1, 4), date(2020, 2, 1), True),
        (date(2010, 1, 4), date(2015, 1, 2), False),
    ],
)
def test_a_member_is_in_from_its_first_day_to_the_day_before_it_leaves(start, end, expected):
    found = panel(monthly(), members=[("T1", start, end)])
    assert by_month(found, "index_member")[JAN] is expected


def test_membership_goes_by_the_ticker_of_the_day():
    found = panel(
        monthly(),
        securities=[listed(ticker="OLD"), listed(ticker="NEW", valid_from=date(2020, 2, 20))],
        members=[("OLD", DEC, date(2020, 2, 20)), ("NEW", date(2020, 3, 2), None)],
    )
    assert by_month(found, "index_member") == {JAN: True, FEB_END: False, MAR: True}


def test_of_several_spells_in_the_index_the_one_of_the_day_counts():
    spells = [("T1", date(2000, 1, 3), date(2005, 1, 3)), ("T1", date(2020, 2, 3), MAR)]
    found = panel(monthly(), members=spells)
    assert by_month(found, "index_member") == {JAN: False, FEB_END: True, MAR: False}


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ({"prices": [*monthly(), *monthly()]}, "two prices"),
        ({"prices": monthly(), "securities": [listed(), listed()]}, "two ticker spells"),
        ({"prices": monthly(), "facts": [filed(), filed()]}, "two filings"),
        ({"prices": monthly(), "splits": [(1, JAN, 2.0)] * 2}, "two splits"),
        ({"prices": monthly(), "members": [("T1", DEC, None)] * 2}, "two spells in the index"),
    ],
)
def test_an_input_row_that_is_there_twice_is_refused(known, message):
    with pytest.raises(DataError, match=message):
        panel(**known)


def test_without_prices_there_are_no_rows():
    found = panel([])
    assert found.is_empty()
    assert dict(found.schema) == dict(SECURITY_MONTH.polars_schema)


def test_without_prices_a_delisting_still_has_its_row():
    found = panel([], securities=[delisted(FEB, ret=-0.2)])
    assert found.select("month_end", "ret", "price").rows() == [(FEB_END, -0.2, None)]
    assert dict(found.schema) == dict(SECURITY_MONTH.polars_schema)


def test_a_month_alone_is_the_month_in_the_range(two_classes):
    facts = [filed(1), filed(2, shares=400.0), filed(3, shares=5.0)]
    whole = panel(**two_classes, facts=facts)
    for month in (date(2020, 1, 1), date(2020, 2, 1), date(2020, 3, 1)):
        months = MonthRange.of_months(month, month)
        of_month = pl.col("month_end").is_between(months.start, months.end, "left")
        assert panel(**two_classes, facts=facts, months=months).equals(whole.filter(of_month))


def reversed_rows(given: PanelInputs) -> PanelInputs:
    frames = ("prices", "securities", "facts", "splits", "members")
    return replace(given, **{name: getattr(given, name).reverse() for name in frames})


amounts = st.floats(min_value=5e-324, max_value=1.7e308)


@unhurried
@given(
    closes=st.lists(st.tuples(amounts, amounts, amounts | st.none()), min_size=4, max_size=4),
    counts=st.lists(amounts | st.none(), min_size=2, max_size=2),
    dlret=st.floats(-1, 1e308) | st.none(),
)
def test_extreme_amounts_give_numbers_or_nulls_in_any_order_of_rows(closes, counts, dlret):
    days = (DEC, JAN, FEB, MAR)
    prices = [
        price(day, close, security, split=split, adjusted=adjusted, volume=split)
        for security in (1, 2)
        for day, (close, split, adjusted) in zip(days, closes, strict=True)
    ]
    made = inputs(
        prices,
        securities=[listed(1, firm_id=7), delisted(MAR, ret=dlret, security=2, firm_id=7)],
        facts=[filed(1, shares=counts[0]), filed(2, shares=counts[1])],
        splits=[
            (security, day, split)
            for security in (1, 2)
            for day, (_, split, _) in zip(days, closes, strict=True)
        ],
        members=[("T1", DEC, None), ("T2", DEC, FEB)],
    )
    found = security_months(made, MONTHS, RULES)
    for column in found.select(pl.col(pl.Float64)):
        assert all(math.isfinite(value) for value in column.drop_nulls())
    assert all(ret >= -1 for ret in found["ret"].drop_nulls())
    assert security_months(reversed_rows(made), MONTHS, RULES).equals(found)


def test_a_filing_in_the_far_future_is_never_used():
    facts = [filed(), filed(period_end=DEC, filed_at=MAR + timedelta(days=1), shares=9.0)]
    assert panel(monthly(), facts=facts).equals(panel(monthly(), facts=facts[:1]))
