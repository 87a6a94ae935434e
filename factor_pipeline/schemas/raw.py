"""Raw tables: vendors' rows in one shape per data set, values unedited.

Every source of a data set delivers the columns declared here except the last two, which ingestion
adds: ``file`` leads to the bytes through ``raw.ingest_log``, ``known_from`` says since when.
"""

import polars as pl

from factor_pipeline.schemas.provenance import FILE, PROVENANCE
from factor_pipeline.schemas.table import Column, Table

_VENDOR_ID = Column(
    "vendor_id",
    pl.String,
    "id",
    "The price vendor's identifier of one security (AlphaVantage: the ticker).",
)


def _price(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, pl.Float64, "USD", description, nullable=nullable, minimum=0.0)


def _usd(name: str, description: str) -> Column:
    return Column(name, pl.Float64, "USD", description, nullable=True)


PRICE_DAILY = Table(
    layer="raw",
    name="price_daily",
    description="Daily prices as traded that day, with dividends and splits on their ex-dates.",
    key=("vendor_id", "date"),
    columns=(
        _VENDOR_ID,
        Column("ticker", pl.String, "ticker", "Ticker on that day."),
        Column("date", pl.Date, "date", "Trading day."),
        _price("open", "First price of the day, unadjusted.", nullable=True),
        _price("high", "Highest price of the day, unadjusted.", nullable=True),
        _price("low", "Lowest price of the day, unadjusted.", nullable=True),
        _price("close", "Last price of the day, unadjusted; always above 0."),
        _price("adjusted_close", "Vendor's close adjusted to its download date.", nullable=True),
        Column("volume", pl.Float64, "shares", "Shares traded.", nullable=True, minimum=0.0),
        Column("dividend", pl.Float64, "USD/share", "Cash dividend going ex that day, else 0."),
        Column("split", pl.Float64, "ratio", "New shares per old one, effective that day, else 1."),
        *PROVENANCE,
    ),
)

FUNDAMENTAL = Table(
    layer="raw",
    name="fundamental",
    description="Annual statements as filed; one row per statement and filing.",
    key=("vendor_id", "statement", "period_end", "filed_at"),
    columns=(
        Column(
            "vendor_id",
            pl.String,
            "id",
            "The vendor's identifier, matched with raw.price_daily.vendor_id (SimFin: the ticker).",
        ),
        Column(
            "firm",
            pl.String,
            "id",
            "The vendor's identifier of the firm; share classes of one firm have the same.",
        ),
        Column(
            "statement",
            pl.String,
            "name",
            "Statement the row comes from.",
            values=("balance", "income", "cashflow"),
        ),
        Column("fiscal_year", pl.Int32, "year", "Fiscal year as the vendor labels it."),
        Column("period_end", pl.Date, "date", "Last day of the fiscal period."),
        Column(
            "filed_at",
            pl.Date,
            "date",
            "First day the figures were public; NULL when the vendor does not say.",
            nullable=True,
        ),
        Column(
            "restated_at",
            pl.Date,
            "date",
            "Day of the latest filing that repeats or restates the figures.",
            nullable=True,
        ),
        Column("currency", pl.String, "ISO 4217", "Currency of the figures."),
        Column("shares", pl.Float64, "shares", "Shares outstanding (basic).", nullable=True),
        Column(
            "shares_basis_date",
            pl.Date,
            "date",
            "Day whose split basis the share count is on (SimFin: the download date).",
            nullable=True,
        ),
        _usd("total_assets", "Total assets (AT)."),
        _usd("total_liabilities", "Total liabilities (LT)."),
        _usd("total_equity", "Total stockholders' equity (SEQ)."),
        _usd("preferred_stock", "Preferred stock, where the vendor reports it."),
        _usd("deferred_taxes", "Deferred taxes and investment tax credit, where reported."),
        _usd("revenue", "Revenue (REVT)."),
        _usd("cost_of_revenue", "Cost of goods sold (COGS), as a positive cost."),
        _usd("selling_general_administrative", "SG&A expense (XSGA), as a positive cost."),
        _usd("interest_expense", "Net interest expense (XINT), as a positive cost."),
        _usd("net_income", "Net income available to common stock."),
        _usd("operating_cash_flow", "Net cash from operating activities."),
        _usd("depreciation", "Depreciation and amortisation."),
        _usd("dividends_paid", "Cash dividends paid, as a positive amount."),
        *PROVENANCE,
    ),
)

FRENCH_RETURN = Table(
    layer="raw",
    name="french_return",
    description="Every block of every Ken French data library file, by vintage.",
    key=("data_set", "vintage", "frequency", "block", "series", "date"),
    columns=(
        Column("data_set", pl.String, "name", "Library data set, e.g. F-F_Research_Data_Factors."),
        Column("vintage", pl.String, "YYYYMM", "CRSP vintage the file was made from."),
        Column(
            "frequency",
            pl.String,
            "name",
            "Frequency of the block.",
            values=("daily", "monthly", "annual"),
        ),
        Column("block", pl.String, "name", "Title of the block, '' when it has none."),
        Column("series", pl.String, "name", "Column of the block, e.g. Mkt-RF."),
        Column("date", pl.Date, "date", "Last calendar day of the period (daily: the day)."),
        Column(
            "value",
            pl.Float64,
            "see unit",
            "The figure; returns as decimals; NULL where the file has a missing code.",
            nullable=True,
        ),
        Column(
            "unit",
            pl.String,
            "name",
            "Unit of value.",
            values=("decimal", "count", "usd_million", "ratio"),
        ),
        *PROVENANCE,
    ),
)

INDEX_MEMBER = Table(
    layer="raw",
    name="index_member",
    description="Membership of the index over time, one row per spell.",
    key=("ticker", "start_date"),
    columns=(
        Column("ticker", pl.String, "ticker", "Ticker during the spell."),
        Column("start_date", pl.Date, "date", "First day in the index."),
        Column(
            "end_date",
            pl.Date,
            "date",
            "Day of leaving: not a member from it on; NULL for a member today.",
            nullable=True,
        ),
        *PROVENANCE,
    ),
)

BENCHMARK_DAILY = Table(
    layer="raw",
    name="benchmark_daily",
    description="Daily levels of benchmarks and exchange-traded funds, dividends reinvested.",
    key=("data_set", "symbol", "date"),
    columns=(
        Column("data_set", pl.String, "name", "Use.", values=("benchmark", "etf")),
        Column("symbol", pl.String, "ticker", "Symbol of the index or fund."),
        Column("date", pl.Date, "date", "Trading day."),
        _price("close", "Close as quoted, where the file has it.", nullable=True),
        _price("adjusted_close", "Close adjusted for dividends and splits; above 0."),
        *PROVENANCE,
    ),
)

MACRO = Table(
    layer="raw",
    name="macro",
    description="Macroeconomic series as the vendor serves them; blanks are left out.",
    key=("series", "date"),
    columns=(
        Column("series", pl.String, "name", "Series identifier, e.g. CPIAUCSL."),
        Column("date", pl.Date, "date", "Date of the observation (period start), not of release."),
        Column("value", pl.Float64, "vendor's unit", "Value of the observation."),
        *PROVENANCE,
    ),
)

LISTING = Table(
    layer="raw",
    name="listing",
    description="Names of securities over time; one row per ticker spell.",
    key=("vendor_id", "valid_from"),
    columns=(
        _VENDOR_ID,
        Column("firm", pl.String, "id", "Firm of the security, where known.", nullable=True),
        Column("ticker", pl.String, "ticker", "Ticker during the spell."),
        Column(
            "valid_from",
            pl.Date,
            "date",
            "First day of the spell; NULL: since the first price.",
            nullable=True,
        ),
        Column(
            "valid_to",
            pl.Date,
            "date",
            "Last day of the spell; NULL: still valid.",
            nullable=True,
        ),
        Column("name", pl.String, "name", "Company name.", nullable=True),
        Column("sector", pl.String, "name", "Sector.", nullable=True),
        Column(
            "exchange",
            pl.String,
            "code",
            "Primary exchange: NYSE, AMEX or NASDAQ, where known.",
            nullable=True,
            values=("NYSE", "AMEX", "NASDAQ"),
        ),
        *PROVENANCE,
    ),
)

DELISTING = Table(
    layer="raw",
    name="delisting",
    description="Securities that left the exchange, why, and with which last return.",
    key=("vendor_id",),
    columns=(
        _VENDOR_ID,
        Column("date", pl.Date, "date", "Day of the delisting."),
        Column(
            "reason",
            pl.String,
            "name",
            "Why it left.",
            values=("merger", "performance", "other"),
        ),
        Column(
            "delisting_return",
            pl.Float64,
            "decimal",
            "Return from the last close to the amount paid out; NULL when unknown.",
            nullable=True,
            minimum=-1.0,
        ),
        *PROVENANCE,
    ),
)

INGEST_LOG = Table(
    layer="raw",
    name="ingest_log",
    description="The latest fetch of every file; its bytes are kept under raw/ by SHA-256.",
    key=("file",),
    columns=(
        Column("data_set", pl.String, "name", "Data set the file serves, as in the settings."),
        Column("source", pl.String, "name", "Provider, as in the settings."),
        FILE,
        Column(
            "sha256",
            pl.String,
            "hex",
            "SHA-256 of the bytes its raw rows stem from; of the bad bytes when quarantined.",
        ),
        Column("bytes", pl.Int64, "bytes", "Size of these bytes.", minimum=0),
        Column("rows", pl.Int64, "count", "Rows of them in the raw table.", minimum=0),
        Column("rejected", pl.Int64, "count", "Rows of them in quality.quarantine.", minimum=0),
        Column("vintage", pl.String, "YYYYMM", "Vendor's vintage, if any.", nullable=True),
        Column(
            "parser_version", pl.Int32, "number", "Version of the parser that read the file last."
        ),
        Column(
            "status",
            pl.String,
            "name",
            "parsed; quarantined (nothing entered); stale (newer bytes are bad, see "
            "quality.quarantine; the last good rows stay).",
            values=("parsed", "quarantined", "stale"),
        ),
        Column("ingested_at", pl.Datetime, "UTC", "When these bytes were first fetched."),
    ),
)

DATA_SETS: dict[str, Table] = {
    "prices": PRICE_DAILY,
    "fundamentals": FUNDAMENTAL,
    "library": FRENCH_RETURN,
    "membership": INDEX_MEMBER,
    "benchmark": BENCHMARK_DAILY,
    "etf": BENCHMARK_DAILY,
    "macro": MACRO,
    "listing": LISTING,
    "delisting": DELISTING,
}
