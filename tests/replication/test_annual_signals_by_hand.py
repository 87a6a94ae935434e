"""Signals from statements, by hand: a firm of round figures, in millions, and when they count."""

from datetime import date, timedelta

import pytest

from factor_pipeline.months import add_months
from tests.replication.study import (
    MILLION,
    Study,
    approx,
    flows,
    month_ends,
    security,
    sheet,
)

DEC_2018, DEC_2019 = date(2018, 12, 31), date(2019, 12, 31)
FILED_BEFORE, FILED = date(2019, 3, 1), date(2020, 2, 20)
LAST_DAY_OF_JUNE = date(2020, 6, 30)  # a Tuesday
JULY, JUNE_AFTER, JULY_AFTER = date(2020, 7, 31), date(2021, 6, 30), date(2021, 7, 31)

INCOME = {
    "revenue": 100,
    "cost_of_revenue": 60,
    "selling_general_administrative": 20,
    "interest_expense": 4,
    "net_income": 10,
}
CASH_FLOW = {"operating_cash_flow": 13, "depreciation": 5}

# Scores are rounded to twelve decimals.
TWELVE_DIGITS = 1e-12

# December's price is 40 for each of a million shares.
EXPECTED = {
    "operating_profitability": (100 - 60 - 20 - 4) / 50,
    "gross_profitability": (100 - 60) / 120,
    "investment": 120 / 80 - 1,
    "accruals": (10 - 13) / ((120 + 80) / 2),
    "earnings_to_price": 10 / 40,
    "cash_flow_to_price": (10 + 5) / 40,
}


def in_millions(figures: dict[str, float | None]) -> dict[str, float | None]:
    return {name: None if v is None else v * MILLION for name, v in figures.items()}


def balance(number=1, *, period_end=DEC_2019, filed_at=FILED, equity=50, assets=120):
    figures = in_millions({"equity": equity, "assets": assets})
    return sheet(number, period_end=period_end, filed_at=filed_at, shares=MILLION, **figures)


def earlier(number=1, **changes):
    return balance(
        number, **{"period_end": DEC_2018, "filed_at": FILED_BEFORE, "assets": 80} | changes
    )


def income(number=1, *, period_end=DEC_2019, filed_at=FILED, **changes):
    figures = in_millions(INCOME | changes)
    return flows(number, period_end=period_end, filed_at=filed_at, **figures)


def cash_flow(number=1, *, period_end=DEC_2019, filed_at=FILED, **changes):
    figures = in_millions(CASH_FLOW | changes)
    return flows(number, statement="cashflow", period_end=period_end, filed_at=filed_at, **figures)


def study(sheets=None, statements=None) -> Study:
    return Study(
        month_ends(date(2019, 11, 1), [40] * 22),
        sheets=[balance(), earlier()] if sheets is None else sheets,
        statements=[income(), cash_flow()] if statements is None else statements,
    )


def annual(found: Study, month_end: date = JULY, number=1) -> dict[str, object]:
    row = found.signals(month_end, number)
    return {name: row[name] for name in EXPECTED}


def test_the_firm_of_round_figures():
    assert annual(study()) == {name: approx(value) for name, value in EXPECTED.items()}


def test_values_of_june_hold_for_twelve_months():
    found = study()
    july = annual(found)
    for month in range(12):
        month_end = add_months(JULY, month + 1) - timedelta(days=1)
        assert annual(found, month_end) == july
    assert set(annual(found, JULY_AFTER).values()) == {None}
    assert set(annual(found, LAST_DAY_OF_JUNE).values()) == {None}


def test_filings_of_the_last_trading_day_of_june_come_too_late():
    in_time, late = date(2020, 6, 29), LAST_DAY_OF_JUNE
    for filed_at, known in ((in_time, True), (late, False)):
        found = study(
            [balance(filed_at=filed_at), earlier()],
            [income(filed_at=filed_at), cash_flow(filed_at=filed_at)],
        )
        for name, value in annual(found).items():
            assert value == (approx(EXPECTED[name]) if known else None), name
        assert annual(found, JUNE_AFTER) == annual(found)


def test_a_statement_filed_late_takes_only_its_own_signals_along():
    found = annual(study(statements=[income(filed_at=LAST_DAY_OF_JUNE), cash_flow()]))
    assert found == dict.fromkeys(EXPECTED) | {"investment": 0.5}
    found = annual(study(statements=[income(), cash_flow(filed_at=LAST_DAY_OF_JUNE)]))
    missing = {"accruals", "cash_flow_to_price"}
    assert {name for name, value in found.items() if value is None} == missing


def test_a_restatement_after_june_changes_nothing_until_the_next_june():
    restated = date(2020, 8, 3)
    sheets = [balance(), earlier(), balance(filed_at=restated, equity=5, assets=999)]
    sheets.append(earlier(filed_at=restated, assets=1))
    statements = [income(), cash_flow()]
    statements.append(income(filed_at=restated, revenue=500, net_income=1))
    statements.append(cash_flow(filed_at=restated, operating_cash_flow=1))
    found = study(sheets, statements)
    for month_end in (JULY, date(2020, 9, 30), JUNE_AFTER):
        assert annual(found, month_end) == annual(study())


def test_a_restatement_before_june_counts_from_july():
    restated = date(2020, 5, 4)
    found = annual(
        study(
            [balance(), earlier(), earlier(filed_at=restated, assets=100)],
            [income(), cash_flow(), income(filed_at=restated, net_income=20)],
        )
    )
    assert found["investment"] == approx(0.2)
    assert found["earnings_to_price"] == approx(0.5)
    assert found["accruals"] == approx((20 - 13) / 110)
    assert found["gross_profitability"] == approx(EXPECTED["gross_profitability"])


def test_the_fiscal_year_must_end_in_the_calendar_year_before():
    in_january = date(2020, 1, 31)
    found = study(
        [balance(period_end=in_january), earlier()],
        [income(period_end=in_january), cash_flow(period_end=in_january)],
    )
    assert set(annual(found).values()) == {None}


def test_figures_of_a_formation_are_of_one_fiscal_year():
    # The year was moved: one ends in March 2019, the next in December, which is not public yet.
    march = date(2019, 3, 31)
    found = annual(
        study(
            [
                balance(period_end=march, filed_at=date(2019, 6, 3), assets=200),
                earlier(),
                balance(),
            ],
            [income(period_end=march, filed_at=date(2019, 6, 3)), cash_flow()],
        )
    )
    # December's balance sheet is public, its income statement is not: March's must not step in.
    assert found["gross_profitability"] is None
    assert found["investment"] == approx(0.5)


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        ({"interest_expense": None}, (100 - 60 - 20) / 50),
        ({"selling_general_administrative": None}, (100 - 60 - 4) / 50),
        ({"cost_of_revenue": None}, (100 - 20 - 4) / 50),
        ({"cost_of_revenue": None, "selling_general_administrative": None}, (100 - 4) / 50),
        (
            {
                "cost_of_revenue": None,
                "selling_general_administrative": None,
                "interest_expense": None,
            },
            None,
        ),
        ({"revenue": None}, None),
    ],
)
def test_operating_profitability_needs_revenue_and_one_cost(missing, expected):
    found = annual(study(statements=[income(**missing), cash_flow()]))["operating_profitability"]
    assert found == (expected if expected is None else approx(expected))


@pytest.mark.parametrize("missing", ["revenue", "cost_of_revenue"])
def test_gross_profitability_needs_both_figures(missing):
    found = annual(study(statements=[income(**{missing: None}), cash_flow()]))
    assert found["gross_profitability"] is None


@pytest.mark.parametrize("equity", [0, -10])
def test_nothing_is_divided_by_negative_equity(equity):
    found = annual(study([balance(equity=equity), earlier()]))
    assert found["operating_profitability"] is None
    assert found["gross_profitability"] == approx(EXPECTED["gross_profitability"])


def test_growth_needs_the_year_before():
    found = annual(study([balance(), earlier(equity=None, assets=None)]))
    assert (found["investment"], found["accruals"]) == (None, None)
    assert found["gross_profitability"] == approx(EXPECTED["gross_profitability"])


def test_a_loss_is_a_negative_yield():
    found = annual(study(statements=[income(net_income=-8), cash_flow()]))
    assert found["earnings_to_price"] == approx(-0.2)
    assert found["cash_flow_to_price"] == approx(-3 / 40)


def test_yields_are_firm_figures_over_the_market_equity_of_all_classes():
    """Class A: 1 million at 40, class B: 1 million at 10."""
    first = date(2019, 11, 1)
    found = Study(
        month_ends(first, [40] * 9, 1) + month_ends(first, [10] * 9, 2),
        securities=[security(1, firm=9), security(2, firm=9)],
        sheets=[make(number) for make in (balance, earlier) for number in (1, 2)],
        statements=[make(number) for make in (income, cash_flow) for number in (1, 2)],
    )
    for number in (1, 2):
        row = annual(found, number=number)
        assert row["earnings_to_price"] == approx(10 / 50)
        assert row["cash_flow_to_price"] == approx(15 / 50)
        assert row["gross_profitability"] == approx(EXPECTED["gross_profitability"])


def test_yields_take_the_price_of_december_and_not_of_june():
    prices = month_ends(date(2019, 11, 1), [50, 40, *[60] * 7])
    row = Study(prices, sheets=[balance(), earlier()], statements=[income(), cash_flow()]).signals(
        JULY
    )
    assert row["earnings_to_price"] == approx(0.25)


def test_figures_without_a_filing_date_wait_four_months():
    found = study([balance(filed_at=None), earlier()], [income(filed_at=None), cash_flow()])
    assert annual(found)["gross_profitability"] == approx(EXPECTED["gross_profitability"])
    assert found.statements["filed_at"].to_list() == [FILED, date(2020, 4, 30)]
    assert found.statements["filed_at_assumed"].to_list() == [False, True]


def test_quality_of_three_firms():
    """Firms that tell assets of 100, income of 1, 2, 3 and cash flows of 2, 1, 3 only.

    Returns on assets rank 1, 2, 3 and cash flows over assets 2, 1, 3, which are -1, 0, 1 and
    0, -1, 1 in standard deviations; the means rank 1.5, 1.5 and 3, whose deviation is sqrt(0.75).
    """
    numbers = (1, 2, 3)
    none = dict.fromkeys(INCOME)
    found = Study(
        [row for i in numbers for row in month_ends(date(2019, 11, 1), [40] * 9, i)],
        sheets=[balance(i, equity=None, assets=100) for i in numbers],
        statements=[
            row
            for i, net_income, cash in ((1, 1, 2), (2, 2, 1), (3, 3, 3))
            for row in (
                income(i, **none | {"net_income": net_income}),
                cash_flow(i, operating_cash_flow=cash),
            )
        ],
    )
    rows = [found.signals(JULY, i) for i in numbers]
    low, high = -0.5 / 0.75**0.5, 1 / 0.75**0.5
    assert [row["quality"] for row in rows] == [
        pytest.approx(value, abs=TWELVE_DIGITS) for value in (low, low, high)
    ]
    assert {row["quality_parts"] for row in rows} == {"profitability"}


def test_beta_and_leverage_make_a_firm_safe():
    """Two firms alike but for leverage 70/120 and 20/120 and a beta of 2 and 1."""
    june = date(2020, 6, 30)
    found = Study(
        [row for i in (1, 2) for row in month_ends(date(2019, 11, 1), [40] * 9, i)],
        sheets=[balance(1, equity=50), balance(2, equity=100)],
        statements=[make(i) for make in (income, cash_flow) for i in (1, 2)],
        daily_risk=[(1, june, 2.0, None, None), (2, june, 1.0, None, None)],
    )
    rows = [found.signals(JULY, i) for i in (1, 2)]
    assert {row["quality_parts"] for row in rows} == {"profitability,safety"}
    # Profitability: all equal but the return on equity, which is 10/50 and 10/100; so the two
    # parts are plus and minus sqrt(0.5), and cancel.
    assert [row["quality"] for row in rows] == [0.0, 0.0]
    found = [rows[0]["operating_profitability"], rows[1]["operating_profitability"]]
    assert found == [approx(16 / 50), approx(16 / 100)]
