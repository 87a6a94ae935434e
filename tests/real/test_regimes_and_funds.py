"""Regimes from FRED's files, and funds on the library's factors, with windows and vintages."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import polars as pl
import pytest
import statsmodels.api as sm

from factor_pipeline.compute.funds.loadings import fund_loadings
from factor_pipeline.compute.funds.promises import Promise, kept_promises
from factor_pipeline.compute.funds.returns import fund_returns
from factor_pipeline.compute.regimes.claims import regime_claims
from factor_pipeline.compute.regimes.performance import regime_performance
from factor_pipeline.compute.regimes.rule import regimes
from factor_pipeline.months import add_months
from factor_pipeline.schemas.raw import FRENCH_RETURN
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.settings_etf import PUBLIC_PROMISES
from factor_pipeline.sources.fred import Fred
from factor_pipeline.sources.ken_french import KenFrench
from factor_pipeline.sources.yahoo import Yahoo
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

# Two orders of summation of hundreds of numbers of order 0.01 over errors of order 0.001.
SOLVER_NOISE = 1e-9

# Business Cycle Dating Committee, NBER: from the month after the peak to the trough.
NBER_RECESSIONS = (
    (date(1980, 2, 1), date(1980, 7, 1)),
    (date(1981, 8, 1), date(1982, 11, 1)),
    (date(1990, 8, 1), date(1991, 3, 1)),
    (date(2001, 4, 1), date(2001, 11, 1)),
    (date(2008, 1, 1), date(2009, 6, 1)),
    (date(2020, 3, 1), date(2020, 4, 1)),
)


def parsed(source):
    return pl.concat(source.parse(file, file.read()).frame for file in source.files())


@pytest.fixture(scope="module")
def macro(vendor_data):
    return parsed(Fred(vendor_data / "fred"))


@pytest.fixture(scope="module")
def told(macro):
    return regimes(macro)


@pytest.fixture(scope="module")
def library(vendor_data, tmp_path_factory):
    source = KenFrench(vendor_data / "ken_french")
    frames = [
        source.parse(file, file.read()).frame
        for file in source.files()
        if "F-F_" in file.name and "daily" not in file.name
    ]
    warehouse = Warehouse(tmp_path_factory.mktemp("library") / "warehouse.duckdb")
    warehouse.prepare(TABLES.values())
    fetched = datetime.fromisoformat("2026-01-01")
    rows = pl.concat(frames).with_columns(file=pl.lit(""), known_from=fetched)
    warehouse.replace(FRENCH_RETURN, rows)
    return warehouse.read(load_sql("factor/library_factor"))


@pytest.fixture(scope="module")
def loadings(vendor_data, library):
    return fund_loadings(fund_returns(parsed(Yahoo(vendor_data / "etf", "etf"))), library, "latest")


def by_month(told, variant):
    rows = told.filter(pl.col("variant") == variant).select("month_end", "regime").iter_rows()
    return {end.replace(day=1): regime for end, regime in rows}


def months(first, last):
    return pl.date_range(first, last, "1mo", eager=True).to_list()


def test_history_has_the_six_recessions_of_nber_and_no_other(told):
    found = by_month(told, "final")
    assert (min(found), max(found)) == (date(1980, 1, 1), date(2025, 12, 1))
    expected = {month for spell in NBER_RECESSIONS for month in months(*spell)}
    assert {month for month, regime in found.items() if regime == "recession"} == expected
    assert None not in found.values()


def test_in_real_time_recessions_are_seen_late_but_seen(told):
    found = by_month(told, "real_time")
    for begin, end in NBER_RECESSIONS[1:]:
        seen = [m for m in months(begin, add_months(end, 6)) if found[m] == "recession"]
        assert begin < seen[0] <= add_months(begin, 6)
    years = {month.year for month, regime in found.items() if regime == "recession"}
    assert years == {1980, 1982, 1983, 1991, 2001, 2002, 2008, 2009, 2015, 2016, 2020}


@pytest.mark.parametrize("variant", ["final", "real_time"])
@pytest.mark.parametrize(
    ("first", "last", "regime"),
    [
        (date(1995, 3, 1), date(1995, 12, 1), "expansion"),
        (date(2000, 1, 1), date(2000, 12, 1), "late cycle"),
        (date(2006, 1, 1), date(2006, 12, 1), "late cycle"),
        (date(2010, 1, 1), date(2010, 12, 1), "recovery"),
        (date(2021, 1, 1), date(2021, 12, 1), "recovery"),
        (date(2023, 1, 1), date(2023, 12, 1), "late cycle"),
    ],
)
def test_years_are_in_the_regime_they_are_remembered_for(told, variant, first, last, regime):
    found = by_month(told, variant)
    assert {found[month] for month in months(first, last)} == {regime}


def test_the_blank_of_october_2025_is_carried_on_and_counted(told):
    rows = {
        (row["variant"], row["month_end"]): row
        for row in told.filter(pl.col("month_end") >= date(2025, 9, 1)).iter_rows(named=True)
    }
    september, october = (rows["final", date(2025, m, d)] for m, d in ((9, 30), (10, 31)))
    assert (september["carried_inputs"], october["carried_inputs"]) == (0, 1)
    assert october["inflation"] == september["inflation"]
    # 324.368 in September 2025, 314.851 a year before.
    assert september["inflation"] == pytest.approx(0.0302, abs=0.00005)
    assert rows["real_time", date(2025, 12, 31)]["carried_inputs"] == 2
    assert rows["real_time", date(2026, 1, 31)]["carried_inputs"] == 0


def test_measures_are_those_of_pandas(vendor_data, told):
    def series(name):
        table = pd.read_csv(vendor_data / "fred" / f"{name}.csv", index_col=0, parse_dates=True)
        return table.iloc[:, 0].loc[:"2024"]

    inflation = series("CPIAUCSL").pct_change(12)
    production = series("INDPRO")
    rate = series("FEDFUNDS") / 100
    expected = {
        "inflation": inflation,
        "inflation_mean": inflation.rolling(60, min_periods=24).mean().shift(),
        "inflation_change": inflation.diff(12),
        "production_growth": production.pct_change(6),
        "production_from_peak": production / production.cummax() - 1,
        "fed_funds": rate,
        "fed_funds_change": rate.diff(12),
        "yield_slope": series("T10Y2Y").resample("MS").mean() / 100,
    }
    ours = told.filter(pl.col("variant") == "final", pl.col("month_end") < date(2025, 1, 1))
    for name, values in expected.items():
        np.testing.assert_allclose(
            ours[name].to_numpy(), values.to_numpy(), rtol=0, atol=SOLVER_NOISE, err_msg=name
        )


def test_no_regime_knows_more_than_was_published(macro, told):
    """Each thirteenth month again from the files as they were before it began."""
    lag = pl.when(pl.col("series") == "T10Y2Y").then(1).otherwise(2)
    last_known = pl.col("date").dt.truncate("1mo").dt.offset_by(pl.format("{}mo", lag))
    real_time = told.filter(pl.col("variant") == "real_time")
    for month in months(date(1985, 1, 1), date(2025, 10, 1))[::13]:
        then = regimes(macro.filter(last_known <= month)).filter(pl.col("variant") == "real_time")
        assert then.equals(real_time.filter(pl.col("month_end") < month).vstack(then.tail(1)))
        assert then.tail(1).equals(
            real_time.filter(pl.col("month_end").dt.truncate("1mo") == month)
        )


def test_size_in_regimes_is_that_of_statsmodels(library, told):
    """SMB of 202512, 1980-01 to 2025-12, 552 months: lag 5."""
    performance = regime_performance(library, told)
    smb = library.filter(pl.col("vintage") == "202512", pl.col("factor") == "SMB")
    sample = smb.join(told.filter(pl.col("variant") == "final"), on="month_end").sort("month_end")
    assert sample.height == 552
    y = sample["ret"].to_numpy()
    for regime in ("expansion", "late cycle", "recession", "recovery"):
        dummy = (sample["regime"] == regime).cast(pl.Float64).to_numpy()
        fit = sm.OLS(y, sm.add_constant(dummy)).fit(cov_type="HAC", cov_kwds={"maxlags": 5})
        row = performance.row(
            by_predicate=(pl.col("factor") == "SMB")
            & (pl.col("vintage") == "202512")
            & (pl.col("variant") == "final")
            & (pl.col("regime") == regime),
            named=True,
        )
        assert row["hac_lag"] == 5
        assert row["difference"] == pytest.approx(fit.params[1], abs=SOLVER_NOISE)
        assert row["difference_t"] == pytest.approx(fit.tvalues[1], abs=SOLVER_NOISE)
        assert row["t"] == pytest.approx(fit.t_test([1, 1]).tvalue.item(), abs=SOLVER_NOISE)


def test_claims_that_hold_and_claims_that_do_not(library, told):
    """Library factors of the newest vintage that has all of them, final regimes."""
    claims = regime_claims(regime_performance(library, told), "202412").filter(
        pl.col("source") == "library", pl.col("variant") == "final"
    )
    verdicts = {
        (row["regime"], row["exposure"]): row["verdict"] for row in claims.iter_rows(named=True)
    }
    assert len(verdicts) == 16
    supported = {line for line, verdict in verdicts.items() if verdict == "supported"}
    assert supported == {("recovery", "size"), ("late cycle", "size")}
    missing = {line for line, verdict in verdicts.items() if verdict == "no such factor"}
    assert missing == {("expansion", "low volatility"), ("recession", "low volatility")}


@pytest.mark.parametrize(
    ("ticker", "model", "factor", "vintage", "months", "low", "high"),
    [
        # From the fund's second month on, to the end of the vintage.
        ("IWM", "FF3", "SMB", "202512", 307, 0.5, 1.0),
        ("IJS", "FF3", "SMB", "202512", 305, 0.5, 1.0),
        ("IJS", "FF3", "HML", "202512", 305, 0.3, 0.8),
        ("VTV", "FF3", "HML", "202512", 263, 0.2, 0.6),
        ("VUG", "FF3", "HML", "202512", 263, -0.6, -0.2),
        ("MTUM", "Carhart", "UMD", "202412", 140, 0.2, 0.6),
        ("QUAL", "FF5", "RMW", "202512", 149, 0.1, 0.4),
        ("USMV", "CAPM", "MKT", "202512", 170, 0.5, 0.85),
        ("SPY", "CAPM", "MKT", "202512", 395, 0.9, 1.05),
        ("SPY", "FF3", "SMB", "202512", 395, -0.3, -0.05),
    ],
)
def test_funds_load_on_what_they_hold(loadings, ticker, model, factor, vintage, months, low, high):
    row = loadings.row(
        by_predicate=(pl.col("ticker") == ticker)
        & (pl.col("model") == model)
        & (pl.col("factor") == factor),
        named=True,
    )
    assert (row["vintage"], row["months"]) == (vintage, months)
    assert low < row["beta"] < high


def test_loadings_of_a_fund_are_those_of_statsmodels(vendor_data, library, loadings):
    """IWM on FF5 of 202512, 2000-06 to 2025-12, returns made by pandas: lag 5."""
    closes = pd.read_csv(vendor_data / "etf" / "IWM.csv", index_col=0, parse_dates=True)["Close"]
    returns = closes.resample("ME").last().pct_change().loc["2000-06":"2025-12"]
    factors = (
        library.filter(pl.col("vintage") == "202512")
        .pivot("factor", index="month_end", values="ret")
        .filter(pl.col("month_end").is_between(date(2000, 6, 30), date(2025, 12, 31)))
        .sort("month_end")
    )
    names = ["MKT", "SMB_FF5", "HML", "RMW", "CMA"]
    excess = returns.to_numpy() - factors["RF"].to_numpy()
    fit = sm.OLS(excess, sm.add_constant(factors.select(names).to_numpy())).fit(
        cov_type="HAC", cov_kwds={"maxlags": 5}
    )
    ours = loadings.filter(pl.col("ticker") == "IWM", pl.col("model") == "FF5")
    assert ours["factor"].to_list() == names
    assert ours["beta"].to_list() == pytest.approx(list(fit.params[1:]), abs=SOLVER_NOISE)
    assert ours["t"].to_list() == pytest.approx(list(fit.tvalues[1:]), rel=SOLVER_NOISE)
    assert ours["alpha"][0] == pytest.approx(fit.params[0], abs=SOLVER_NOISE)


def test_all_funds_but_the_unknown_one_keep_their_promises(vendor_data, loadings):
    tickers = {path.stem for path in (vendor_data / "etf").glob("*.csv")}
    promises = [Promise(**promise.model_dump()) for promise in PUBLIC_PROMISES]
    found = kept_promises(promises, loadings, tickers)
    verdicts = found.select("ticker", "verdict").unique().sort("ticker").rows()
    assert verdicts == [
        (ticker, "unknown ticker" if ticker == "QMLF" else "as promised")
        for ticker in ("IJS", "IWM", "MTUM", "QMLF", "QUAL", "SPY", "USMV", "VTV", "VUG")
    ]
