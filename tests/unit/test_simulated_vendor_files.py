from datetime import date

import polars as pl
import pytest

from factor_pipeline.errors import SettingsError
from factor_pipeline.sources.alphavantage import AlphaVantageDaily, AlphaVantageListing
from factor_pipeline.sources.fred import Fred
from factor_pipeline.sources.ken_french import KenFrench
from factor_pipeline.sources.membership_intervals import MembershipIntervals
from factor_pipeline.sources.simfin import SimFin
from factor_pipeline.sources.simulated import SimulationParameters
from factor_pipeline.sources.simulated.data_sets import data_sets
from factor_pipeline.sources.simulated.vendor_files import write
from factor_pipeline.sources.yahoo import Yahoo

# In this market a share splits on the last day of a fiscal year.
MARKET = SimulationParameters(stocks=60, years=9, seed=1)
LAST_DAY = date(2012, 12, 31)


@pytest.fixture(scope="module")
def market():
    return data_sets(MARKET)


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    return write(MARKET, tmp_path_factory.mktemp("vendors"))


@pytest.fixture(scope="module")
def read(paths):
    sources = {
        "prices": AlphaVantageDaily(paths["prices"]),
        "listing": AlphaVantageListing(paths["listing"]),
        "fundamentals": SimFin(paths["fundamentals"]),
        "library": KenFrench(paths["library"]),
        "membership": MembershipIntervals(paths["membership"]),
        "benchmark": Yahoo(paths["benchmark"], "benchmark"),
        "etf": Yahoo(paths["etf"], "etf"),
        "macro": Fred(paths["macro"]),
    }
    return {
        name: [source.parse(file, file.read()) for file in source.files()]
        for name, source in sources.items()
    }


def rows(read, name):
    return pl.concat([parsed.frame for parsed in read[name]])


def in_order(frame):
    return frame.sort(pl.all())


def test_no_source_rejects_a_row(read):
    assert {
        name: sum(parsed.rejected.height for parsed in files) for name, files in read.items()
    } == dict.fromkeys(read, 0)


@pytest.mark.parametrize("name", ["library", "membership", "benchmark", "etf", "macro"])
def test_what_files_can_hold_comes_back_bit_for_bit(read, market, name):
    frame = rows(read, name)
    assert in_order(frame).equals(in_order(market[name].select(frame.columns)))


def test_prices_come_back_bit_for_bit_under_one_ticker_per_security(read, market):
    frame, original = rows(read, "prices"), market["prices"]
    names = ("vendor_id", "ticker")
    assert in_order(frame.drop(names)).equals(in_order(original.drop(names)))
    assert frame["vendor_id"].n_unique() == original["vendor_id"].n_unique()
    assert (frame["vendor_id"] == frame["ticker"]).all()


def test_a_reused_ticker_is_that_of_the_security_that_had_it_last(read, market):
    listing = (
        market["listing"]
        .sort("vendor_id", "valid_from")
        .with_columns(until=pl.col("valid_to").fill_null(LAST_DAY))
    )
    last = listing.unique("vendor_id", keep="last", maintain_order=True)
    ends = dict(rows(read, "prices").group_by("vendor_id").agg(pl.col("date").max()).iter_rows())
    shared = last.filter(pl.col("ticker").is_duplicated()).sort("ticker", "until")
    assert shared.height > 0
    for (ticker,), securities in shared.group_by("ticker"):
        assert ends[f"{ticker}_old"] < ends[ticker]
        assert abs(ends[ticker] - securities["until"].max()).days < 40


def test_statements_keep_their_figures_filings_and_names(read, market):
    frame, original = rows(read, "fundamentals"), market["fundamentals"]
    lost = ("preferred_stock", "deferred_taxes", "shares", "shares_basis_date", "vendor_id")
    # The vendor fills in a day of restatement for every row.
    same = [c for c in frame.columns if c not in (*lost, "restated_at")]
    assert in_order(frame.select(same)).equals(in_order(original.select(same)))
    assert set(frame["vendor_id"]) <= set(rows(read, "prices")["vendor_id"])


def test_shares_are_counted_on_the_basis_of_the_last_day(read, market):
    frame = rows(read, "fundamentals").filter(pl.col("statement") == "balance")
    assert set(frame["shares_basis_date"]) == {LAST_DAY}
    original = market["fundamentals"].filter(pl.col("statement") == "balance")
    splits = market["prices"].filter(pl.col("split") != 1).select("vendor_id", "date", "split")
    on_period_end = splits.rename({"date": "period_end"})
    assert not original.join(on_period_end, on=["vendor_id", "period_end"]).is_empty()
    expected = []
    for row in original.iter_rows(named=True):
        factor = 1.0
        own = splits.filter(pl.col("vendor_id") == row["vendor_id"])
        for split in own.filter(pl.col("date") > row["period_end"])["split"]:
            factor *= split
        expected.append((row["firm"], row["period_end"], row["filed_at"], row["shares"] * factor))
    written = frame.select("firm", "period_end", "filed_at", "shares").rows()
    for one, other in zip(sorted(expected), sorted(written), strict=True):
        assert one[:3] == other[:3]
        assert other[3] == pytest.approx(one[3], abs=0.5)  # whole shares


def test_the_list_of_companies_is_that_of_the_last_day(read, market):
    listed = market["listing"].filter(pl.col("valid_to").is_null())
    frame = rows(read, "listing")
    assert set(frame["ticker"]) == set(listed["ticker"])
    assert frame["exchange"].null_count() == frame.height


def test_equal_markets_give_equal_files(paths, tmp_path):
    again = write(MARKET, tmp_path)
    for name, path in paths.items():
        files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
        for file in files:
            twin = again[name] / file.relative_to(path) if path.is_dir() else again[name]
            assert twin.read_bytes() == file.read_bytes(), file


def test_a_market_before_zip_archives_is_refused(tmp_path):
    old = SimulationParameters(stocks=20, years=3, start=date(1963, 1, 1))
    with pytest.raises(SettingsError, match="no day before 1980"):
        write(old, tmp_path)
    assert list(tmp_path.iterdir()) == []
