"""Numbers anyone can check with a pencil, from daily prices and filings to signals."""

from collections.abc import Sequence
from datetime import date, timedelta
from math import prod

import polars as pl
import pytest

from factor_pipeline.compute.panel import PanelRules
from tests.replication.study import (
    MILLION,
    Day,
    Study,
    approx,
    day,
    month_ends,
    security,
    sheet,
)

DEC_2019, FILED = date(2019, 12, 31), date(2020, 2, 20)
JULY = date(2020, 7, 31)


def firm_of(number: int, *, book: float, market: float) -> tuple[list[Day], dict[str, object]]:
    """A firm of a million shares with the book and December's market value, in millions."""
    prices = month_ends(date(2019, 11, 1), [market] * 10, number)
    filed = sheet(
        number, period_end=DEC_2019, filed_at=FILED, equity=book * MILLION, shares=MILLION
    )
    # The count of the year before is what is public in December.
    earlier = filed | {"period_end": date(2018, 12, 31), "filed_at": date(2019, 3, 1)}
    return prices, [filed, earlier]


@pytest.fixture(scope="module")
def three_firms_of_the_methodology() -> Study:
    """50/40, 80/70 and 30/150, among ten firms between 0.30 and 0.75."""
    firms = [(50, 40), (80, 70), (30, 150), *((30 + 5 * i, 100) for i in range(10))]
    made = [firm_of(i, book=b, market=m) for i, (b, m) in enumerate(firms, start=1)]
    return Study(
        [row for prices, _ in made for row in prices],
        sheets=[row for _, sheets in made for row in sheets],
    )


@pytest.mark.parametrize(
    ("firm", "ratio", "value_class"),
    [(1, 1.25, "Value"), (2, 1.142857, "Value"), (3, 0.20, "Growth")],
)
def test_book_to_market_of_three_firms(three_firms_of_the_methodology, firm, ratio, value_class):
    row = three_firms_of_the_methodology.signals(JULY, firm)
    # The methodology prints six decimals.
    assert row["book_to_market"] == pytest.approx(ratio, abs=5e-7)
    assert row["book_to_market_monthly"] == row["book_to_market"]
    assert row["value_class"] == value_class


def test_with_only_three_firms_the_middle_one_is_neutral():
    made = [firm_of(i, book=b, market=m) for i, b, m in ((1, 50, 40), (2, 80, 70), (3, 30, 150))]
    study = Study(
        [row for prices, _ in made for row in prices],
        sheets=[row for _, sheets in made for row in sheets],
    )
    # 30 %: 0.2 + 0.6 (1.142857 - 0.2) = 0.7657; 70 %: 1.142857 + 0.4 (1.25 - 1.142857) = 1.1857
    classes = [study.signals(JULY, firm)["value_class"] for firm in (1, 2, 3)]
    assert classes == ["Value", "Neutral", "Growth"]


def test_book_to_market_takes_the_price_of_december_and_not_of_june():
    prices = month_ends(date(2019, 11, 1), [50, 40, 60, 60, 60, 60, 60, 80, 80])
    _, sheets = firm_of(1, book=50, market=40)
    row = Study(prices, sheets=sheets).signals(JULY)
    assert row["book_to_market"] == 1.25
    assert row["size"] == 80 * MILLION
    assert row["book_to_market_monthly"] == 50 / 80


def test_book_to_market_is_over_the_market_value_of_all_classes():
    """Class A: 1 million at 40, class B: 2 million at 30; together 100 for a book of 80."""
    prices = month_ends(date(2019, 11, 1), [40] * 9, 1) + month_ends(date(2019, 11, 1), [30] * 9, 2)
    before = {"period_end": date(2018, 12, 31), "filed_at": date(2019, 3, 1), "equity": 1.0}
    now = {"period_end": DEC_2019, "filed_at": FILED, "equity": 80 * MILLION}
    sheets = [
        sheet(number, **filed, shares=count * MILLION)
        for number, count in ((1, 1), (2, 2))
        for filed in (before, now)
    ]
    study = Study(prices, securities=[security(1, firm=9), security(2, firm=9)], sheets=sheets)
    assert study.of(DEC_2019, 1)["market_equity"] == 40 * MILLION
    assert study.of(DEC_2019, 2)["market_equity"] == 60 * MILLION
    for number in (1, 2):
        assert study.of(DEC_2019, number)["firm_market_equity"] == 100 * MILLION
        assert study.signals(JULY, number)["book_to_market"] == 0.8
        assert study.signals(JULY, number)["size"] == 100 * MILLION


def test_a_december_year_filed_in_july_waits_for_the_next_june():
    prices = month_ends(date(2019, 11, 1), [40] * 22)
    _, (filed, earlier) = firm_of(1, book=50, market=40)
    study = Study(prices, sheets=[filed | {"filed_at": date(2020, 7, 14)}, earlier])
    assert study.signals(JULY)["book_to_market"] is None
    assert study.signals(date(2021, 6, 30))["book_to_market"] is None
    # Known in August, so the monthly variant has it then; the year before serves until July.
    assert study.signals(JULY)["book_to_market_monthly"] == 50 / 40
    assert study.signals(date(2020, 8, 31))["book_to_market_monthly"] == 50 / 40


def test_stale_fundamentals_count_no_more():
    prices = month_ends(date(2019, 11, 1), [40] * 22)
    _, (filed, earlier) = firm_of(1, book=50, market=40)
    study = Study(prices, sheets=[filed, earlier])
    last = date(2021, 6, 30)  # eighteen months after December 2019
    assert study.of(last)["market_equity"] == 40 * MILLION
    stale = study.of(date(2021, 7, 31))
    assert (stale["flags"], stale["shares"], stale["market_equity"]) == ("shares_stale", None, None)
    assert study.signals(date(2021, 7, 31))["book_to_market_monthly"] == 1.25
    assert study.signals(date(2021, 8, 31))["book_to_market_monthly"] is None


JAN = date(2020, 1, 31)
FEB, MAR = date(2020, 2, 29), date(2020, 3, 31)


def test_two_for_one_inside_a_month():
    # 100 to 60 after 2:1 is 120, then 60 to 57 is -5 %: 1.2 x 0.95 = 1.14
    study = Study(
        [day(JAN, 100), day(date(2020, 2, 10), 60, split=2.0), day(date(2020, 2, 28), 57)]
    )
    assert study.of(FEB)["ret"] == approx(0.14)


def test_one_for_ten_reverse_split():
    # 2 to 19 after 1:10 is 1.90: -5 %
    study = Study([day(JAN, 2), day(date(2020, 2, 28), 19, split=0.1)])
    assert study.of(FEB)["ret"] == approx(-0.05)


def test_dividends_are_part_of_the_return():
    # 100 to 98 + 3 is +1 %, then 98 to 98 x 1.05: 1.01 x 1.05 = 1.0605
    study = Study(
        [day(JAN, 100), day(date(2020, 2, 10), 98, dividend=3.0), day(date(2020, 2, 28), 102.9)]
    )
    assert study.of(FEB)["ret"] == approx(0.0605)


def test_a_dividend_and_a_split_of_one_day():
    # Two new shares at 49 and 2 dollars for one old share at 100: 2 x 49 + 2 = 100
    study = Study([day(JAN, 100), day(date(2020, 2, 28), 49, split=2.0, dividend=2.0)])
    assert study.of(FEB)["ret"] == 0.0


@pytest.mark.parametrize(
    ("reported", "exchange", "imputation", "expected"),
    [
        (-0.40, "NYSE", "-30%", 0.8 * 0.6 - 1),
        (0.05, "NYSE", "-30%", 0.8 * 1.05 - 1),
        (None, "NYSE", "-30%", 0.8 * 0.70 - 1),
        (None, "NYSE", "by_exchange", 0.8 * 0.65 - 1),
        (None, "NASDAQ", "by_exchange", 0.8 * 0.45 - 1),
        (None, "NASDAQ", "none", -0.2),
    ],
)
def test_the_return_of_the_last_month_of_a_failure(reported, exchange, imputation, expected):
    left = date(2020, 2, 14)
    gone = {
        "delisted_at": left,
        "delisting_reason": "performance",
        "delisting_return": reported,
        "exchange": exchange,
    }
    study = Study(
        [day(JAN, 100), day(left, 80)],
        securities=[security(**gone)],
        rules=PanelRules(18, imputation, "null"),
        end=date(2020, 2, 28),
    )
    assert study.of(FEB)["ret"] == approx(expected)


def test_a_return_that_is_missing_leaves_the_delisting_return():
    left = date(2020, 3, 13)
    gone = {"delisted_at": left, "delisting_reason": "performance", "delisting_return": -0.4}
    no_price_in_march = Study([day(JAN, 100)], securities=[security(**gone)], end=MAR)
    first_price_since_january = Study(
        [day(JAN, 100), day(left, 80)], securities=[security(**gone)], end=MAR
    )
    assert no_price_in_march.of(MAR)["ret"] == -0.4
    assert first_price_since_january.of(MAR)["ret"] == -0.4


def test_what_left_in_june_is_in_no_july_row():
    left = date(2020, 6, 12)
    gone = {"delisted_at": left, "delisting_reason": "merger", "delisting_return": 0.1}
    prices = month_ends(date(2019, 11, 1), [40.0] * 7)
    stays = month_ends(date(2019, 11, 1), [40.0] * 9, 2)
    study = Study([*prices, day(left, 44), *stays], securities=[security(1, **gone), security(2)])
    assert study.of(date(2020, 6, 30))["ret"] == approx(1.1 * 1.1 - 1)
    assert study.signals(date(2020, 6, 30))["reversal_1"] == 0.0
    assert study.signals(JULY, 2)["reversal_1"] == 0.0
    with pytest.raises(pl.exceptions.NoRowsReturnedError):
        study.signals(JULY, 1)


APPLE_SHARES, DOWNLOAD = 26_174_904_000.0, date(2021, 4, 3)


@pytest.fixture(scope="module")
def apple() -> Study:
    """Apple's closes as traded around its splits of 7:1 and 4:1."""
    prices = [
        day(date(2012, 11, 30), 585.28),
        day(date(2012, 12, 31), 532.1729),
        day(date(2014, 5, 30), 633.0),
        day(date(2014, 6, 9), 93.70, split=7.0),
        day(date(2014, 6, 30), 92.93),
        day(date(2020, 7, 31), 425.04),
        day(date(2020, 8, 31), 129.04, split=4.0),
    ]
    filed = [
        sheet(
            period_end=date(year, 9, 29),
            filed_at=date(year, 10, 31),
            shares=APPLE_SHARES,
            basis=DOWNLOAD,
        )
        for year in (2012, 2013, 2019)
    ]
    return Study(prices, sheets=filed, end=DOWNLOAD)


def test_apple_was_worth_half_a_trillion_at_the_end_of_2012(apple):
    row = apple.of(date(2012, 12, 31))
    assert row["shares"] == 934_818_000  # 26,174,904,000 / 28
    assert row["market_equity"] == approx(934_818_000 * 532.1729)
    assert row["market_equity"] == pytest.approx(497.5e9, rel=1e-4)


@pytest.mark.parametrize(
    ("month_end", "shares"),
    [
        (date(2014, 5, 31), 934_818_000),
        (date(2014, 6, 30), 6_543_726_000),  # / 4
        (date(2020, 7, 31), 6_543_726_000),
        (date(2020, 8, 31), 26_174_904_000),  # the day of the split itself
    ],
)
def test_apples_count_follows_its_splits(apple, month_end, shares):
    assert apple.of(month_end)["shares"] == shares


def test_apples_splits_are_in_its_returns(apple):
    assert apple.of(date(2014, 6, 30))["ret"] == approx(7 * 93.70 / 633.0 * (92.93 / 93.70) - 1)
    assert apple.of(date(2020, 8, 31))["ret"] == approx(4 * 129.04 / 425.04 - 1)


def test_a_count_of_the_year_end_grows_with_a_split_after_its_filing():
    filed = sheet(period_end=DEC_2019, filed_at=date(2020, 2, 3), shares=100 * MILLION)
    study = Study(
        [
            day(DEC_2019, 50),
            day(JAN, 50),
            day(date(2020, 2, 28), 50),
            day(date(2020, 3, 10), 25, split=2.0),
            day(MAR, 26),
        ],
        sheets=[filed],
    )
    assert study.of(JAN)["market_equity"] is None
    assert study.of(FEB)["market_equity"] == 5000 * MILLION
    assert study.of(MAR)["market_equity"] == 26 * 200 * MILLION
    assert study.of(MAR)["ret"] == approx(0.04)


def test_a_split_between_year_end_and_filing_counts_too():
    filed = sheet(period_end=DEC_2019, filed_at=date(2020, 2, 20), shares=100 * MILLION)
    study = Study(
        [day(JAN, 50), day(date(2020, 2, 10), 25, split=2.0), day(date(2020, 2, 28), 25)],
        sheets=[filed],
    )
    assert study.of(FEB)["market_equity"] == 25 * 200 * MILLION


def test_the_running_month_has_a_price_and_no_return():
    study = Study([day(JAN, 100), day(date(2020, 2, 28), 110), day(date(2020, 3, 20), 121)])
    assert study.of(FEB)["ret"] == approx(0.1)
    assert study.of(FEB)["flags"] is None
    running = study.of(MAR)
    assert (running["ret"], running["price"], running["flags"]) == (None, 121, "partial_month")


def test_a_month_without_a_price_costs_two_returns():
    closes = [100, 110, None, 130, 143]
    study = Study(month_ends(date(2020, 1, 1), closes))
    found = study.panel.select("month_end", "ret").rows()
    assert found == [
        (JAN, None),
        (FEB, approx(0.1)),
        (date(2020, 4, 30), None),
        (date(2020, 5, 31), approx(0.1)),
    ]


RETURNS = [0.10, -0.05, 0.02, 0.0, 0.03, -0.01, 0.04, 0.01, -0.02, 0.05, 0.02, 0.50, -0.30]


def closes_of(returns: Sequence[float]) -> list[float]:
    return [100 * prod(1 + r for r in returns[:i]) for i in range(len(returns) + 1)]


def test_momentum_and_reversal_of_a_year():
    # Prices from December 2018; returns of January 2019 to January 2020.
    study = Study(month_ends(date(2018, 12, 1), closes_of(RETURNS)))
    row = study.signals(JAN)
    # January to November 2019; December's 50 % is skipped, January's loss is not known yet.
    by_hand = 1.10 * 0.95 * 1.02 * 1.03 * 0.99 * 1.04 * 1.01 * 0.98 * 1.05 * 1.02 - 1
    assert row["momentum_12_2"] == approx(by_hand)
    assert row["reversal_1"] == approx(0.50)
    assert study.signals(DEC_2019)["momentum_12_2"] is None  # no price at the end of November 2018


@pytest.mark.parametrize("hole", range(12))
def test_momentum_needs_every_price_from_thirteen_to_two_months_before(hole):
    closes: list[float | None] = [*closes_of(RETURNS)]
    closes[hole] = None
    assert Study(month_ends(date(2018, 12, 1), closes)).signals(JAN)["momentum_12_2"] is None


def test_a_hole_in_december_leaves_no_january_row():
    closes: list[float | None] = [*closes_of(RETURNS)]
    closes[12] = None
    study = Study(month_ends(date(2018, 12, 1), closes))
    with pytest.raises(pl.exceptions.NoRowsReturnedError):
        study.signals(JAN)


def test_without_a_filing_date_figures_wait_four_months():
    undated = sheet(period_end=DEC_2019, filed_at=None, equity=50 * MILLION, shares=MILLION)
    study = Study(month_ends(date(2019, 11, 1), [40] * 9), sheets=[undated])
    assert study.facts["filed_at"].to_list() == [date(2020, 4, 30)]
    assert study.of(date(2020, 4, 30))["shares"] is None
    assert study.of(date(2020, 5, 31))["shares"] == MILLION
    assert study.facts["filed_at"][0] - DEC_2019 == timedelta(days=121)
