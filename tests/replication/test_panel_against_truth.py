"""The panel of the simulated market against the numbers the market was made from."""

from datetime import date

import polars as pl
import pytest

from factor_pipeline.compute.identity import securities
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import BOOK_EQUITY
from factor_pipeline.sources.simulated.data_sets import data_sets
from factor_pipeline.sources.simulated.parameters import SimulationParameters
from factor_pipeline.sources.simulated.truth import truth

MARKET = SimulationParameters(stocks=60, years=4, start=date(2010, 1, 1))

# Prices have four decimals: a price of 0.5 dollars is off by up to 1e-4 of itself, and so is the
# one before.
PRICE_ROUNDING = 2e-4


@pytest.fixture(scope="module")
def vendors() -> dict[str, pl.DataFrame]:
    return data_sets(MARKET)


@pytest.fixture(scope="module")
def panel(vendors) -> pl.DataFrame:
    """Panel with ``vendor_id``; nothing is imputed."""
    prices = vendors["prices"]
    spells = (
        prices.sort("vendor_id", "date")
        .group_by("vendor_id", "ticker", maintain_order=True)
        .agg(valid_from=pl.col("date").min(), valid_to=pl.col("date").max())
    )
    firms = vendors["fundamentals"].select("vendor_id", "firm")
    names = securities(spells, vendors["listing"], firms, vendors["delisting"], [])
    numbers = names.select("vendor_id", "security_id").unique()
    daily = prices.join(numbers, on="vendor_id")
    frame = security_months(
        PanelInputs(
            prices=daily,
            securities=names,
            facts=BOOK_EQUITY.empty(),
            splits=daily.filter(pl.col("split") != 1).select("security_id", "date", "split"),
            members=vendors["membership"],
            data_end=prices["date"].max(),
        ),
        MonthRange(MARKET.start, MARKET.end),
        PanelRules(18, "none", "null"),
    )
    return frame.join(numbers, on="security_id")


def test_returns_are_the_true_ones_with_the_delisting_return_compounded(vendors, panel):
    left = vendors["delisting"].select(
        "vendor_id", "delisting_return", month_end=pl.col("date").dt.month_end()
    )
    true = (
        truth(MARKET)["returns"]
        .join(left, on=["vendor_id", "month_end"], how="left")
        .with_columns(
            expected=(1 + pl.col("ret")) * (1 + pl.col("delisting_return").fill_null(0.0)) - 1
        )
    )
    both = panel.filter(pl.col("ret").is_not_null()).join(
        true, on=["vendor_id", "month_end"], how="left", suffix="_true"
    )
    assert both.height > 2000
    assert both["delisting_return_true"].is_not_null().sum() > 5
    # The truth goes on while a stock is halted: months that begin or end with a halt differ.
    halted = pl.col("flags").str.contains("price_gap").fill_null(value=False)
    known = (
        both.sort("security_id", "month_end")
        .filter(~halted & ~halted.shift(1, fill_value=False).over("security_id"))
        .filter(pl.col("expected").is_not_null())
    )
    assert known.height > 0.98 * both.height
    assert (known["ret"] - known["expected"]).abs().max() < PRICE_ROUNDING


def test_only_months_after_a_missing_month_lack_the_true_return(panel):
    true = truth(MARKET)["returns"]
    missing = true.join(
        panel.filter(pl.col("ret").is_not_null()), on=["vendor_id", "month_end"], how="anti"
    )
    rows = set(panel.select("vendor_id", "month_end").iter_rows())
    before = missing.with_columns(before=pl.col("month_end").dt.offset_by("-1mo").dt.month_end())
    for vendor_id, month_end, _, previous in before.iter_rows():
        assert (vendor_id, month_end) not in rows or (vendor_id, previous) not in rows


def test_every_spell_of_the_listing_is_a_spell_of_the_panel(vendors, panel):
    listed = vendors["listing"].select("vendor_id", "ticker", "exchange").unique()
    found = panel.select("vendor_id", "ticker", "exchange").unique()
    assert found.join(listed, on=found.columns, how="anti").is_empty()
    assert panel["firm_id"].n_unique() == vendors["listing"]["firm"].n_unique()
