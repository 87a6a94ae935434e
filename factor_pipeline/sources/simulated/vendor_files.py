"""A simulated market in the file formats of real vendors, to run the file sources on."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import polars as pl

from factor_pipeline.errors import SettingsError
from factor_pipeline.sources.simulated.data_sets import data_sets
from factor_pipeline.sources.simulated.library import PERCENT_DECIMALS
from factor_pipeline.sources.simulated.parameters import SimulationParameters

_SIMFIN: Final = {
    "balance": {
        "Total Assets": "total_assets",
        "Total Liabilities": "total_liabilities",
        "Total Equity": "total_equity",
    },
    "cashflow": {
        "Depreciation & Amortization": "depreciation",
        "Net Cash from Operating Activities": "operating_cash_flow",
        "Dividends Paid": "dividends_paid",
    },
    "income": {
        "Revenue": "revenue",
        "Cost of Revenue": "cost_of_revenue",
        "Selling, General & Administrative": "selling_general_administrative",
        "Interest Expense, Net": "interest_expense",
        "Net Income": "net_income",
        "Net Income (Common)": "net_income",
    },
}
_WRITTEN_NEGATIVE: Final = {
    "Cost of Revenue",
    "Selling, General & Administrative",
    "Interest Expense, Net",
    "Dividends Paid",
}
_FIRST_ZIP_YEAR: Final = 1980


def write(parameters: SimulationParameters, folder: Path) -> dict[str, Path]:
    """Write a market as the files that vendors would serve on the day after its last month.

    Real files know less than the market, and so do these:

    - A file has one ticker, the last one of its security, for all its history. Where a later
      security has the same, the file of the earlier one is named ``TICKER_old``, in statements
      too; a third one ``TICKER_old2``. Former tickers, exchanges and share classes are lost, as
      are reasons and returns of delistings; names and sectors are told of securities listed at
      the end only.
    - The index file has the tickers of the day, so a membership under a former ticker finds no
      prices, or those of another security.
    - Statements have no preferred stock and no deferred taxes, and their shares are counted on
      the split basis of the last day. Restatements stay filings of their own.

    Parameters
    ----------
    parameters
        The market; generated for this.
    folder
        Existing files of the same names are replaced.

    Returns
    -------
    dict
        Paths by data set, as ``path`` in the settings takes them; none for delistings.

    Raises
    ------
    SettingsError
        When the market ends before 1980.
    """
    last_day = parameters.end - timedelta(days=1)
    if last_day.year < _FIRST_ZIP_YEAR:
        raise SettingsError(
            f"the market ends on {last_day}, but zip archives know no day before "
            f"{_FIRST_ZIP_YEAR}; let it start later"
        )
    frames = data_sets(parameters)
    names = _file_names(frames["listing"])
    paths = {
        "prices": folder / "alphavantage" / "daily_adjusted",
        "listing": folder / "alphavantage" / "constituents.csv",
        "fundamentals": folder / "simfin",
        "library": folder / "ken_french",
        "membership": folder / "index" / "ticker_start_end.csv",
        "benchmark": folder / "benchmarks",
        "etf": folder / "etf",
        "macro": folder / "fred",
    }
    for path in paths.values():
        (path if not path.suffix else path.parent).mkdir(parents=True, exist_ok=True)
    _write_prices(paths["prices"], frames["prices"], names)
    _write_listing(paths["listing"], frames["listing"])
    _write_statements(
        paths["fundamentals"],
        _on_basis(frames["fundamentals"], frames["prices"], last_day),
        names,
        last_day,
    )
    _write_library(paths["library"], frames["library"], last_day)
    frames["membership"].write_csv(paths["membership"])
    _write_levels(paths["benchmark"], frames["benchmark"])
    for (symbol,), fund in frames["etf"].group_by("symbol", maintain_order=True):
        fund.select(Date="date", Close="adjusted_close").write_csv(paths["etf"] / f"{symbol}.csv")
    for (series,), values in frames["macro"].group_by("series", maintain_order=True):
        values.select("date", "value").write_csv(paths["macro"] / f"{series}.csv")
    return paths


def _file_names(listing: pl.DataFrame) -> dict[str, str]:
    """Name of each vendor_id: its last ticker, marked where a later security has the same."""
    last = (
        listing.sort("vendor_id", "valid_from")
        .unique("vendor_id", keep="last", maintain_order=True)
        .with_columns(until=pl.col("valid_to").fill_null(date.max))
        .sort("until", "vendor_id", descending=True)
    )
    names: dict[str, str] = {}
    taken: dict[str, int] = {}
    for vendor_id, ticker in last.select("vendor_id", "ticker").iter_rows():
        before = taken.get(ticker, 0)
        names[vendor_id] = ticker + ("", "_old", f"_old{before}")[min(before, 2)]
        taken[ticker] = before + 1
    return names


def _write_prices(folder: Path, prices: pl.DataFrame, names: dict[str, str]) -> None:
    """Write one file per security, the latest day first."""
    for (vendor_id,), history in prices.group_by("vendor_id", maintain_order=True):
        table = history.reverse().select(
            pl.col("volume").cast(pl.Int64),
            "open",
            "high",
            "low",
            "close",
            "adjusted_close",
            timestamp="date",
            dividend_amount="dividend",
            split_coefficient="split",
        )
        header = ("timestamp", "open", "high", "low", "close", "adjusted_close", "volume")
        text = table.select(*header, "dividend_amount", "split_coefficient").write_csv()
        # Without the time of writing, equal tables give equal files.
        packed = gzip.compress(text.encode(), mtime=0)
        (folder / f"{names[str(vendor_id)]}.csv.gz").write_bytes(packed)


def _write_listing(path: Path, listing: pl.DataFrame) -> None:
    today = listing.filter(pl.col("valid_to").is_null()).sort("ticker")
    today.select(Symbol="ticker", Name="name", Sector="sector").write_csv(path)


def _on_basis(statements: pl.DataFrame, prices: pl.DataFrame, day: date) -> pl.DataFrame:
    """Count shares on the split basis of ``day``, after all splits."""
    splits = prices.filter(pl.col("split") != 1).select("vendor_id", "split", split_on="date")
    later = (
        statements.select("vendor_id", "period_end")
        .unique(maintain_order=True)
        .join(splits, on="vendor_id")
        .filter(pl.col("split_on") > pl.col("period_end"))
        .group_by("vendor_id", "period_end", maintain_order=True)
        .agg(factor=pl.col("split").product())
    )
    return (
        statements.join(later, on=["vendor_id", "period_end"], how="left", maintain_order="left")
        .with_columns(
            shares=(pl.col("shares") * pl.col("factor").fill_null(1.0)).round(),
            shares_basis_date=pl.lit(day),
        )
        .drop("factor")
    )


def _write_statements(
    folder: Path, statements: pl.DataFrame, names: dict[str, str], last_day: date
) -> None:
    for statement, figures in _SIMFIN.items():
        rows = statements.filter(pl.col("statement") == statement)
        table = rows.select(
            pl.col("vendor_id").replace_strict(names).alias("Ticker"),
            pl.col("firm").alias("SimFinId"),
            pl.col("currency").alias("Currency"),
            pl.col("fiscal_year").alias("Fiscal Year"),
            pl.lit("Q4" if statement == "balance" else "FY").alias("Fiscal Period"),
            pl.col("period_end").alias("Report Date"),
            pl.col("filed_at").alias("Publish Date"),
            pl.coalesce("restated_at", "filed_at").alias("Restated Date"),
            pl.col("shares").cast(pl.Int64).alias("Shares (Basic)"),
            *(_figure(vendor, name) for vendor, name in figures.items()),
        ).sort("Ticker", "Report Date", "Publish Date")
        text = table.write_csv(separator=";")
        name = f"us-{statement}-annual"
        (folder / f"{name}.zip").write_bytes(_zipped(f"{name}.csv", text, last_day))


def _figure(vendor: str, name: str) -> pl.Expr:
    value = pl.col(name).cast(pl.Int64)
    return (-value if vendor in _WRITTEN_NEGATIVE else value).alias(vendor)


def _write_library(folder: Path, library: pl.DataFrame, last_day: date) -> None:
    """Write one file per edition and data set; each has one table, in percent."""
    editions = library.group_by("vintage", "data_set", maintain_order=True)
    for (vintage, data_set), rows in editions:
        edition = folder / str(vintage)
        edition.mkdir(exist_ok=True)
        table = rows.pivot("series", index="date", values="value", maintain_order=True)
        daily = rows["frequency"][0] == "daily"
        text = "".join(f"{line}\r\n" for line in _library_lines(table, str(vintage), daily=daily))
        packed = _zipped(f"{data_set}.csv", text, last_day)
        (edition / f"{data_set}_CSV.zip").write_bytes(packed)


def _library_lines(table: pl.DataFrame, vintage: str, *, daily: bool) -> Iterator[str]:
    yield f"This file was created using the {vintage} CRSP database."
    yield "It contains the factors of a simulated market, in percent."
    yield ""
    yield "Missing data are indicated by -99.99 or -999."
    yield ""
    yield ",".join(["", *table.columns[1:]])
    for day, *values in table.iter_rows():
        percent = ",".join(f"{100 * value:10.{PERCENT_DECIMALS}f}" for value in values)
        yield f"{day:%Y%m%d},{percent}" if daily else f"{day:%Y%m},{percent}"
    yield ""
    yield "Copyright: none, these are no real data"


def _write_levels(folder: Path, levels: pl.DataFrame) -> None:
    for (symbol,), level in levels.group_by("symbol", maintain_order=True):
        same = {name: pl.col("close") for name in ("Open", "High", "Low", "Close")}
        level.select(
            pl.col("date").alias("Date"),
            *(value.alias(name) for name, value in same.items()),
            pl.col("adjusted_close").alias("Adj Close"),
            pl.lit(0).alias("Volume"),
        ).write_csv(folder / f"{symbol}.csv")


def _zipped(name: str, text: str, modified: date) -> bytes:
    buffer = io.BytesIO()
    member = zipfile.ZipInfo(name, (modified.year, modified.month, modified.day, 0, 0, 0))
    member.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, text)
    return buffer.getvalue()
