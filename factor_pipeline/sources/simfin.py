"""SimFin: annual statements of US companies, three bulk files.

https://www.simfin.com/en/fundamental-data-download/
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import ClassVar, Final

import polars as pl

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FUNDAMENTAL
from factor_pipeline.sources.archive import single_member
from factor_pipeline.sources.csv_table import screen_table
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule, Screen

_STATEMENT_OF: Final = {
    "us-balance-annual.zip": "balance",
    "us-cashflow-annual.zip": "cashflow",
    "us-income-annual.zip": "income",
}
_DATES: Final = ("Report Date", "Publish Date", "Restated Date")
_TEXTS: Final = ("Ticker", "SimFinId", "Currency", "Fiscal Period")
_UNDATED: Final = date(1980, 1, 1)
_YEARS: Final = (1900, 2100)

_FIGURES: Final[dict[str, dict[str, str]]] = {
    "balance": {
        "total_assets": "Total Assets",
        "total_liabilities": "Total Liabilities",
        "total_equity": "Total Equity",
    },
    "cashflow": {
        "operating_cash_flow": "Net Cash from Operating Activities",
        "depreciation": "Depreciation & Amortization",
        "dividends_paid": "Dividends Paid",
    },
    "income": {
        "revenue": "Revenue",
        "cost_of_revenue": "Cost of Revenue",
        "selling_general_administrative": "Selling, General & Administrative",
        "interest_expense": "Interest Expense, Net",
        "net_income": "Net Income (Common)",
    },
}
_WRITTEN_NEGATIVE: Final = {
    "cost_of_revenue",
    "selling_general_administrative",
    "interest_expense",
    "dividends_paid",
}


@dataclass(frozen=True, slots=True)
class SimFin:
    """The annual balance sheets, income and cash flow statements of SimFin's US bulk download.

    The vendor keeps one set of figures per period, those of the latest filing that repeats them,
    beside the day of the first publication: Apple's revenue of fiscal 2008 is the 37.5 billion of
    the amended filing of 2010 from 2008-11-05 on, though 32.5 were reported then. What was known
    at first is not in these files. Shares are counted on the split basis of the download day.

    Attributes
    ----------
    folder
        Folder of ``us-balance-annual.zip``, ``us-cashflow-annual.zip`` and
        ``us-income-annual.zip``.
    """

    folder: Path
    name: ClassVar[str] = "simfin"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """Return the three files, sorted by name.

        Raises
        ------
        SettingsError
            When one of them is not there.
        """
        missing = [name for name in _STATEMENT_OF if not (self.folder / name).is_file()]
        if missing:
            raise SettingsError(
                f"no {', '.join(missing)} in {self.folder}; download them from simfin.com "
                "or set fundamentals.path to the folder that holds them"
            )
        return [SourceFile(name, self.folder / name) for name in sorted(_STATEMENT_OF)]

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Turn one file into rows of ``raw.fundamental``.

        Parameters
        ----------
        file
            Its name tells the statement.
        content
            Bytes of the zip archive; the date of its member is the download day.

        Returns
        -------
        Parsed
            One row per ticker and fiscal year, sorted by ticker and period, in USD with costs and
            dividends positive; columns of the other statements are null, as are preferred stock
            and deferred taxes. ``filed_at`` is null where the vendor gives none or one that is
            not after the end of the period: it writes the period's end where it does not know,
            and no figure is public that early. ``restated_at`` is null where it is before
            ``filed_at``, ``shares`` where they are empty or 0. The vintage is the download day.

            Rejected are rows without ticker, firm, fiscal year or period end; other currencies
            than USD; other periods than whole years; negative shares; dates after the download;
            and repeated filings (``duplicate_filing``, ``conflicting_filing``). Negative equity
            and losses are no faults.

        Raises
        ------
        BadFileError
            ``unknown_statement`` for another file name, ``undated_archive`` without the download
            day, or see ``single_member`` and ``screen_table``.
        """
        statement = _statement(file.name)
        member = single_member(content)
        if member.modified == _UNDATED:
            raise BadFileError(
                "undated_archive",
                "the archive does not say when it was made, so the split basis of the shares is "
                "unknown; download it again",
            )
        numbers = ("Fiscal Year", "Shares (Basic)", *_FIGURES[statement].values())
        screen = screen_table(
            member.content,
            required=(*_TEXTS, *_DATES, *numbers),
            numbers=numbers,
            dates=_DATES,
            separator=";",
        )
        screen.reject(*_rules(member.modified))
        _to_contract(screen, statement, downloaded=member.modified)
        screen.reject_repeats("vendor_id", "period_end", "filed_at", noun="filing")
        frame = screen.rows.drop("row").sort("vendor_id", "period_end", "filed_at")
        return Parsed(frame, screen.rejected, vintage=member.modified.isoformat())


def _statement(name: str) -> str:
    if name not in _STATEMENT_OF:
        raise BadFileError(
            "unknown_statement",
            f"{name} is none of {', '.join(_STATEMENT_OF)}; give the file the vendor's name",
        )
    return _STATEMENT_OF[name]


def _rules(downloaded: date) -> list[Rule]:
    year, shares = pl.col("Fiscal Year"), pl.col("Shares (Basic)")
    return [
        *map(Rule.missing, ("Ticker", "SimFinId", "Currency", "Fiscal Year", "Report Date")),
        Rule(
            "not_annual",
            "the period is not a whole year",
            ~pl.col("Fiscal Period").is_in(["FY", "Q4"]).fill_null(value=False),
            pl.col("Fiscal Period"),
        ),
        Rule(
            "not_a_year",
            "Fiscal Year is not a year",
            ~year.is_between(*_YEARS) | (year != year.floor()),
            year,
        ),
        Rule(
            "foreign_currency",
            "the figures are not in USD",
            pl.col("Currency") != "USD",
            pl.col("Currency"),
        ),
        Rule("negative_shares", "Shares (Basic) is below 0", shares < 0, shares),
        *(
            Rule(
                "dated_after_download",
                f"{name} is after the download on {downloaded}",
                pl.col(name) > downloaded,
                pl.col(name),
            )
            for name in _DATES
        ),
    ]


def _to_contract(screen: Screen, statement: str, *, downloaded: date) -> None:
    """Replace the vendor's columns by those of the contract."""
    period_end, published, restated = map(pl.col, _DATES)
    shares = pl.col("Shares (Basic)")
    filed_at = pl.when(published > period_end).then(published)
    values = {
        "vendor_id": pl.col("Ticker"),
        "firm": pl.col("SimFinId"),
        "statement": pl.lit(statement),
        "fiscal_year": pl.col("Fiscal Year").cast(pl.Int32),
        "period_end": period_end,
        "filed_at": filed_at,
        "restated_at": pl.when((restated >= filed_at).fill_null(value=True)).then(restated),
        "currency": pl.col("Currency"),
        "shares": pl.when(shares > 0).then(shares),
        "shares_basis_date": pl.lit(downloaded),
        **{name: _figure(name, vendor) for name, vendor in _FIGURES[statement].items()},
    }
    screen.rows = screen.rows.select(
        "row",
        **{
            name: values.get(name, pl.lit(None, dtype))
            for name, dtype in contract(FUNDAMENTAL).items()
        },
    )


def _figure(name: str, vendor: str) -> pl.Expr:
    # Subtraction rather than a minus sign, which turns 0 into -0.
    return 0.0 - pl.col(vendor) if name in _WRITTEN_NEGATIVE else pl.col(vendor)
