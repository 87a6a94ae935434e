"""The daily beta asset and its checks on a work file of a few stocks."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from factor_pipeline.assets.common import Run
from factor_pipeline.assets.risk import daily_beta
from factor_pipeline.checks import daily_betas as checks
from factor_pipeline.compute.betas.daily import daily_betas
from factor_pipeline.compute.betas.market import market_betas
from factor_pipeline.compute.betas.shrinkage import with_shrunk_market_betas
from factor_pipeline.errors import SettingsError
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import FRENCH_RETURN, PRICE_DAILY
from factor_pipeline.schemas.risk import DAILY_BETA, MARKET_BETA
from factor_pipeline.warehouse.store import Warehouse
from tests.unit.daily_market import factors_of, laid_out, month_range
from tests.unit.test_betas_in_the_warehouse import padded, settings_of

COUNT = 50
MONTHS = month_range(0, COUNT)
LATER = month_range(COUNT - 4, 4)
SERIES = {"Mkt-RF": "mkt", "SMB": "smb", "HML": "hml", "RF": "rf"}
DAILY = "F-F_Research_Data_Factors_daily"
# The vendor's "C" is another company from 1998 on, so that three series make four securities.
SPELLS = {"A": [(11, 0)], "B": [(12, 0)], "C": [(13, 0), (5, 260)]}
DISPUTED = 900


def library(vintage: str, frequency: str, factors: pl.DataFrame) -> pl.DataFrame:
    suffix = "_daily" if frequency == "daily" else ""
    rows = factors.rename({ours: theirs for theirs, ours in SERIES.items()}).unpivot(
        index="date", variable_name="series"
    )
    return padded(
        FRENCH_RETURN,
        rows.with_columns(
            data_set=pl.lit(f"F-F_Research_Data_Factors{suffix}"),
            vintage=pl.lit(vintage),
            frequency=pl.lit(frequency),
            block=pl.lit(""),
            unit=pl.lit("decimal"),
        ),
    )


def prices_of(number: int, factors: pl.DataFrame) -> pl.DataFrame:
    """A price path with a split, whose adjusted close forgets it on a day of stock A."""
    rng = np.random.default_rng(number)
    days = factors.height
    ret = 0.8 * factors["mkt"].to_numpy() + rng.normal(0.0003, 0.015, days)
    split = np.where(np.arange(days) == 500, 2.0, 1.0)
    close = 40 * np.cumprod((1 + ret) / split)
    adjusted = np.cumprod(1 + np.where(np.arange(days) == DISPUTED * (number == 0), 0.3, ret))
    return pl.DataFrame(
        {
            "vendor_id": "ABC"[number],
            "ticker": "ABC"[number],
            "date": factors["date"],
            "close": close,
            "split": split,
            "dividend": 0.0,
            "adjusted_close": adjusted,
        }
    )


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Two daily editions of the library, a newer one by month only, four securities."""
    store = Warehouse(tmp_path / "warehouse.duckdb")
    tables = [PRICE_DAILY, FRENCH_RETURN, SECURITY, SECURITY_MONTH, DAILY_BETA, MARKET_BETA]
    store.prepare(tables)
    factors = factors_of(COUNT)
    editions = [
        library("200006", "daily", factors_of(COUNT, seed=9)),
        library("200012", "daily", factors),
        library("200103", "monthly", factors.head(3)),
    ]
    store.replace(FRENCH_RETURN, pl.concat(editions))
    prices = pl.concat([prices_of(number, factors) for number in range(3)])
    store.replace(PRICE_DAILY, padded(PRICE_DAILY, prices))
    dates = factors["date"].to_list()
    spells = [
        {"security_id": security, "vendor_id": name, "valid_from": dates[first]}
        for name, own in SPELLS.items()
        for security, first in own
    ]
    store.replace(SECURITY, padded(SECURITY, pl.DataFrame(spells)))
    ends = factors.select(month_end=pl.col("date").dt.month_end()).unique()
    firsts = pl.DataFrame(spells).select("security_id", "valid_from")
    rows = ends.join(firsts, how="cross").filter(pl.col("month_end") > pl.col("valid_from"))
    rows = rows.filter((pl.col("security_id") != 13) | (pl.col("month_end") < dates[260]))
    store.replace(SECURITY_MONTH, padded(SECURITY_MONTH, rows.drop("valid_from")))
    return store


def built(warehouse: Warehouse, months: MonthRange = LATER, **sections: object):
    betas, figures = daily_beta.build(Run(warehouse, settings_of(**sections), months))
    order = ["month_end", "security_id"]
    return betas.sort("model", *order), figures.sort(order)


def test_the_asset_gives_declared_columns_from_prices_and_the_newest_daily_edition(warehouse):
    betas, figures = built(warehouse, MONTHS)
    assert betas.columns == list(DAILY_BETA.column_names)
    assert figures.columns == list(MARKET_BETA.column_names)
    factors = factors_of(COUNT)
    parts = []
    for number, own in enumerate(SPELLS.values()):
        growth = prices_of(number, factors).select(
            "date", ret=pl.col("close") * pl.col("split") / pl.col("close").shift() - 1
        )
        for place, (security, first) in enumerate(own):
            last = own[place + 1][1] if place + 1 < len(own) else factors.height
            # The return of a spell's first day would be measured from the other company's price.
            part = growth.slice(first + 1, last - first - 1)
            parts.append(part.with_columns(security_id=pl.lit(security, dtype=pl.Int64)))
    disputed = (pl.col("security_id") == 11) & (
        pl.col("date") == factors["date"].to_list()[DISPUTED]
    )
    returns = pl.concat(parts).filter(~disputed)
    rows = figures.select("security_id", "month_end")
    grid = laid_out(returns, factors, MONTHS)
    direct = with_shrunk_market_betas(daily_betas(grid, factors, rows, MONTHS))
    assert_frame_equal(betas, direct, check_exact=True)
    assert_frame_equal(figures, market_betas(grid, factors, rows, MONTHS), check_exact=True)
    assert figures["beta_frazzini_pedersen"].count() > 3 * 10


def test_the_edition_is_the_chosen_one_or_else_the_newest_by_day(warehouse):
    newest = built(warehouse)
    for same in ("latest", "200012", "200103", "199012"):
        for ours, theirs in zip(built(warehouse, library={"vintage": same}), newest, strict=True):
            assert_frame_equal(ours, theirs, check_exact=True)
        settings = settings_of(library={"vintage": same})
        said = checks.coverage(warehouse, settings, LATER).observed
        assert said.endswith("daily factors of vintage 200012")
    older = built(warehouse, library={"vintage": "200006"})
    assert not older[0]["beta_mkt"].equals(newest[0]["beta_mkt"])
    assert not older[1]["beta_dimson"].equals(newest[1]["beta_dimson"])


def test_months_one_by_one_and_from_truncated_history_equal_the_range_bit_for_bit(warehouse):
    months = month_range(COUNT - 9, 6)
    full = built(warehouse, months)
    parts = [built(warehouse, month_range(COUNT - 9 + i, 1)) for i in range(6)]
    order = ["month_end", "security_id"]
    for table in (0, 1):
        joined = pl.concat([part[table] for part in parts])
        by = ["model", *order] if table == 0 else order
        assert_frame_equal(joined.sort(by), full[table], check_exact=True)
    past = pl.col("date") < months.end
    warehouse.replace(PRICE_DAILY, warehouse.table(PRICE_DAILY).filter(past))
    warehouse.replace(FRENCH_RETURN, warehouse.table(FRENCH_RETURN).filter(past))
    for ours, theirs in zip(built(warehouse, months), full, strict=True):
        assert_frame_equal(ours, theirs, check_exact=True)


def test_the_setting_for_disputed_returns_decides_whether_the_day_counts(warehouse):
    null, computed, vendor = (
        built(warehouse, panel={"disputed_return": choice})[1].filter(pl.col("security_id") == 11)
        for choice in ("null", "computed", "vendor")
    )
    assert (computed["n_volatility"] - null["n_volatility"]).to_list() == [1] * 4
    assert vendor["n_volatility"].equals(computed["n_volatility"])
    assert (vendor["volatility_252d"] > computed["volatility_252d"] + 0.1).all()


def test_the_days_of_an_excluded_month_do_not_count(warehouse):
    before = built(warehouse)[1].filter(pl.col("security_id") == 11)
    panel, end = warehouse.table(SECURITY_MONTH), month_range(COUNT - 6, 1).end
    month = pl.col("month_end") == end - timedelta(days=1)
    chosen = month & (pl.col("security_id") == 11)
    assert panel.filter(chosen).height == 1
    named = pl.when(chosen).then(pl.lit("price_gap,excluded")).otherwise("flags")
    warehouse.replace(SECURITY_MONTH, panel.with_columns(flags=named))
    after = built(warehouse)[1].filter(pl.col("security_id") == 11)
    days = factors_of(COUNT).filter(pl.col("date").dt.month_end() == end - timedelta(days=1))
    assert (before["n_volatility"] - after["n_volatility"]).to_list() == [days.height] * 4


def test_without_daily_factors_every_row_says_so_and_the_check_fails(warehouse):
    library_rows = warehouse.table(FRENCH_RETURN)
    warehouse.replace(FRENCH_RETURN, library_rows.filter(pl.col("frequency") == "monthly"))
    betas, figures = built(warehouse)
    assert betas.height == 2 * 3 * len(LATER)
    assert betas["reason"].unique().to_list() == ["no_factors"]
    assert figures["reason_dimson"].unique().to_list() == ["no_factors"]
    assert figures["volatility_252d"].null_count() == 0
    warehouse.replace_months(DAILY_BETA, betas, LATER)
    warehouse.replace_months(MARKET_BETA, figures, LATER)
    finding = checks.coverage(warehouse, settings_of(), LATER)
    assert (finding.passed, finding.failing_rows) == (False, betas.height)
    assert finding.observed.endswith("daily factors of vintage none")
    finding = checks.completeness(warehouse, settings_of(), LATER)
    assert (finding.passed, finding.failing_rows) == (False, 2 * figures.height)


def test_no_stock_months_make_empty_tables(warehouse):
    warehouse.replace(SECURITY_MONTH, SECURITY_MONTH.empty())
    betas, figures = built(warehouse)
    assert betas.is_empty()
    assert figures.is_empty()
    assert set(betas.columns) == set(DAILY_BETA.column_names)


def test_settings_that_cannot_be_estimated_are_refused():
    with pytest.raises(SettingsError, match="daily_min_days is more than daily_window_days"):
        settings_of(betas={"daily_window_days": 100})
    with pytest.raises(SettingsError, match="whole number from 60 to 1260"):
        settings_of(betas={"daily_window_days": 40, "daily_min_days": 20})


def test_checks_pass_on_what_the_asset_built_and_see_what_was_changed(warehouse, monkeypatch):
    monkeypatch.setattr(checks, "SAMPLE", 2)
    betas, figures = built(warehouse)

    def found(look, table, frame, **changes: pl.Expr) -> tuple[bool, int]:
        warehouse.replace_months(table, frame.with_columns(**changes), LATER)
        finding = look(warehouse, settings_of(), LATER)
        return finding.passed, finding.failing_rows

    def daily(look, **changes: pl.Expr) -> tuple[bool, int]:
        return found(look, DAILY_BETA, betas, **changes)

    def market(look, **changes: pl.Expr) -> tuple[bool, int]:
        return found(look, MARKET_BETA, figures, **changes)

    for look in (checks.regressions_agree, checks.coverage):
        assert daily(look) == (True, 0)
    for look in (checks.figures_agree, checks.completeness):
        assert market(look) == (True, 0)
    # Off by a bit more than rounding; one observation less; a reason; rows that are gone.
    assert daily(checks.regressions_agree, se_mkt=pl.col("se_mkt") + 2e-9) == (False, 2)
    assert daily(checks.regressions_agree, n=pl.col("n") - 1) == (False, 2)
    for name in ("beta_dimson", "correlation", "beta_frazzini_pedersen", "volatility_252d"):
        assert market(checks.figures_agree, **{name: pl.col(name) + 2e-9}) == (False, 2)
    assert market(checks.figures_agree, n_dimson=pl.col("n_dimson") - 1) == (False, 2)
    of_one = pl.when(pl.col("security_id") == 12).then(pl.lit("collinear_factors"))
    assert daily(checks.coverage, reason=of_one) == (False, 2 * len(LATER))
    assert market(checks.completeness, reason_dimson=of_one) == (False, len(LATER))
    assert found(checks.coverage, DAILY_BETA, betas.slice(3)) == (False, 3)


def test_prices_on_days_without_factors_are_counted(warehouse):
    rows = warehouse.table(FRENCH_RETURN)
    day = date(2000, 12, 13)
    warehouse.replace(FRENCH_RETURN, rows.filter(pl.col("date") != day))
    assert LATER.start < day < LATER.end
    for table, frame in zip((DAILY_BETA, MARKET_BETA), built(warehouse), strict=True):
        warehouse.replace_months(table, frame, LATER)
    finding = checks.coverage(warehouse, settings_of(), LATER)
    assert (finding.passed, finding.failing_rows) == (False, 3)
    assert "3 prices are on days without factors" in finding.observed
