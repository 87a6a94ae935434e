"""Signals of real companies against their annual reports, and how many stocks have each."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from factor_pipeline.compute.breakpoints import BreakpointRule
from factor_pipeline.compute.fundamentals import balance_facts
from factor_pipeline.compute.identity import securities
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.compute.signals import SignalInputs, characteristics
from factor_pipeline.compute.statements import statement_facts
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.raw import DELISTING, INDEX_MEMBER, LISTING
from factor_pipeline.sources.alphavantage import AlphaVantageDaily
from factor_pipeline.sources.simfin import SimFin

# Every fifth file of the folder, and the companies whose reports are quoted.
EVERY = 5
QUOTED = ("AAPL", "JPM")
MONTHS = MonthRange(date(2013, 7, 1), date(2019, 7, 1))
HISTORY = MonthRange(date(2008, 6, 1), date(2019, 7, 1))
RULES = PanelRules(max_fundamental_age_months=18, delisting_return="-30%", disputed_return="null")
MILLION = 1e6

# Reports state millions: the ratios below are good to six digits.
OF_A_REPORT = 1e-5

# Share of stock-months, about five points below what the files gave when the bounds were set. The
# bulk statements leave out banks and insurers, and firms that were taken over before the download.
COVERAGE = {
    "size": 0.76,
    "book_to_market": 0.70,
    "book_to_market_monthly": 0.73,
    "earnings_to_price": 0.73,
    "cash_flow_to_price": 0.71,
    "dividend_yield": 0.95,
    "momentum_12_2": 0.95,
    "high_52w": 0.95,
    "reversal_1": 0.99,
    "reversal_60_13": 0.86,
    "operating_profitability": 0.72,
    "gross_profitability": 0.73,
    "investment": 0.73,
    "accruals": 0.73,
    "quality": 0.74,
    "value_momentum": 0.70,
}


@pytest.fixture(scope="module")
def prices(vendor_data: Path) -> pl.DataFrame:
    source = AlphaVantageDaily(vendor_data / "alphavantage" / "daily_adjusted")
    files = source.files()
    quoted = [file for file in files if file.name.removesuffix(".csv.gz") in QUOTED]
    assert len(quoted) == len(QUOTED)
    chosen = {file.name: file for file in (*files[::EVERY], *quoted) if "BF.B" not in file.name}
    frames = [source.parse(file, file.read()).frame for file in chosen.values()]
    return pl.concat(frames).filter(pl.col("date").is_between(HISTORY.start, HISTORY.end))


@pytest.fixture(scope="module")
def inputs(vendor_data, prices) -> SignalInputs:
    source = SimFin(vendor_data / "simfin")
    filings = pl.concat([source.parse(file, file.read()).frame for file in source.files()])
    spells = prices.group_by("vendor_id", "ticker").agg(
        valid_from=pl.col("date").min(), valid_to=pl.col("date").max()
    )
    firms = filings.select("vendor_id", "firm").unique()
    names = securities(spells, LISTING.empty(), firms, DELISTING.empty(), [])
    numbers = names.select("vendor_id", "security_id", "ticker")
    filed = filings.join(numbers, on="vendor_id")
    facts = balance_facts(
        filed.filter(pl.col("statement") == "balance"),
        filing_lag_months=4,
        deferred_taxes="until_1993",
    )
    daily = prices.join(numbers.drop("ticker"), on="vendor_id")
    panel = security_months(
        PanelInputs(
            prices=daily,
            securities=names,
            facts=facts,
            splits=daily.filter(pl.col("split") != 1).select("security_id", "date", "split"),
            members=INDEX_MEMBER.empty(),
            data_end=daily["date"].max(),
        ),
        HISTORY,
        RULES,
    )
    return SignalInputs(panel, facts, statement_facts(filed, filing_lag_months=4))


@pytest.fixture(scope="module")
def signals(inputs) -> pl.DataFrame:
    frame = characteristics(
        inputs, MONTHS, max_fundamental_age_months=18, breakpoint_rule=BreakpointRule(basis="all")
    )
    tickers = inputs.panel.select("security_id", "ticker").unique("security_id")
    return frame.join(tickers, on="security_id")


def of(signals: pl.DataFrame, ticker: str, month_end: date) -> dict[str, float]:
    here = (pl.col("ticker") == ticker) & (pl.col("month_end") == month_end)
    return signals.row(by_predicate=here, named=True)


@pytest.mark.parametrize("month_end", [date(2013, 7, 31), date(2014, 6, 30)])
def test_apple_of_fiscal_2012_is_that_of_its_report(signals, month_end):
    """Form 10-K for the year to 29 September 2012, in millions of dollars.

    Net sales 156,508, cost of sales 87,846, SG&A 10,040, no interest expense of its own line, net
    income 41,733, depreciation and amortisation 3,277, cash from operations 50,856, equity
    118,210, total assets 176,064 after 116,371.
    """
    row = of(signals, "AAPL", month_end)
    expected = {
        "gross_profitability": (156_508 - 87_846) / 176_064,
        "operating_profitability": (156_508 - 87_846 - 10_040) / 118_210,
        "investment": 176_064 / 116_371 - 1,
        "accruals": (41_733 - 50_856) / ((176_064 + 116_371) / 2),
    }
    for name, value in expected.items():
        assert row[name] == pytest.approx(value, rel=OF_A_REPORT), name


def test_apples_yields_are_over_what_it_was_worth_in_december(signals, inputs):
    december = inputs.panel.filter(
        pl.col("ticker") == "AAPL", pl.col("month_end") == date(2012, 12, 31)
    )["firm_market_equity"].item()
    row = of(signals, "AAPL", date(2013, 7, 31))
    assert row["earnings_to_price"] * december == pytest.approx(41_733 * MILLION, rel=OF_A_REPORT)
    cash = (41_733 + 3_277) * MILLION
    assert row["cash_flow_to_price"] * december == pytest.approx(cash, rel=OF_A_REPORT)


def test_apples_dividends_of_the_year_to_june_2014_are_on_its_new_shares(signals):
    # 3.05, 3.05, 3.05 and 3.29 a share before the split of seven for one in June; 92.93 after.
    row = of(signals, "AAPL", date(2014, 7, 31))
    assert row["dividend_yield"] == pytest.approx((3 * 3.05 + 3.29) / 7 / 92.93, rel=OF_A_REPORT)
    # Its highest close of the year was 94.25, on 10 June, a day after the split.
    assert row["high_52w"] == pytest.approx(92.93 / 94.25, rel=OF_A_REPORT)


def test_a_bank_that_is_not_on_file_has_signals_from_its_prices_only(signals):
    row = of(signals, "JPM", date(2016, 7, 31))
    statement_signals = ("gross_profitability", "earnings_to_price", "quality", "size")
    assert [row[name] for name in statement_signals] == [None] * 4
    assert row["dividend_yield"] == pytest.approx(4 * 0.44 / 62.14, rel=OF_A_REPORT)


@pytest.mark.parametrize("signal", COVERAGE)
def test_most_stocks_have_the_signal(signals, signal, record_property):
    share = signals[signal].is_not_null().mean()
    record_property("coverage", share)
    print(f"{signal}: {share:.1%} of {signals.height:,} stock-months")  # noqa: T201 - shown by -rP
    assert share >= COVERAGE[signal]


def test_values_are_of_the_size_they_have_in_the_literature(signals):
    median = signals.select(pl.col(pl.Float64).median()).row(0, named=True)
    bounds = {
        "gross_profitability": (0.1, 0.5),
        "operating_profitability": (0.1, 0.6),
        "investment": (0.0, 0.15),
        "accruals": (-0.12, 0.0),
        "earnings_to_price": (0.02, 0.10),
        "cash_flow_to_price": (0.04, 0.15),
        "dividend_yield": (0.005, 0.04),
        "high_52w": (0.8, 1.0),
        "quality": (-0.2, 0.2),
        "value_momentum": (-0.2, 0.2),
    }
    for name, (low, high) in bounds.items():
        assert low < median[name] < high, (name, median[name])
    assert signals["high_52w"].max() <= 1.0


def test_no_number_is_none(signals):
    for values in signals.select(pl.col(pl.Float64)):
        assert values.drop_nulls().is_finite().all()
    assert not signals.select(pl.struct("security_id", "month_end").is_duplicated().any()).item()
