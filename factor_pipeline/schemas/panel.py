"""Panel tables: one identity per security, one row per security and month."""

import polars as pl

from factor_pipeline.schemas.table import Column, Reference, Table

SECURITY_ID = Column(
    "security_id", pl.Int64, "id", "Stable identifier of a security, whatever its ticker."
)
MONTH_END = Column("month_end", pl.Date, "date", "Last calendar day of the month.")
_FIRM_ID = Column("firm_id", pl.Int64, "id", "Identifier of the firm; its classes share it.")
_EXCHANGE = Column(
    "exchange",
    pl.String,
    "code",
    "Primary exchange, NULL when the vendor does not say.",
    nullable=True,
    values=("NYSE", "AMEX", "NASDAQ"),
)
OF_SECURITY = Reference("security_id", "panel.security")

SECURITY = Table(
    layer="panel",
    name="security",
    description="Securities and the tickers they traded under; one row per ticker spell.",
    key=("security_id", "valid_from"),
    columns=(
        SECURITY_ID,
        _FIRM_ID,
        Column("vendor_id", pl.String, "id", "The price vendor's identifier."),
        Column("ticker", pl.String, "ticker", "Ticker during the spell."),
        Column("valid_from", pl.Date, "date", "First trading day under the ticker."),
        Column("valid_to", pl.Date, "date", "Last trading day under the ticker, so far."),
        Column("name", pl.String, "name", "Company name, where known.", nullable=True),
        Column("sector", pl.String, "name", "Sector, where known.", nullable=True),
        _EXCHANGE,
        Column("delisted_at", pl.Date, "date", "Day it left the exchange.", nullable=True),
        Column("delisting_reason", pl.String, "name", "Why it left.", nullable=True),
        Column(
            "delisting_return",
            pl.Float64,
            "decimal",
            "Return after the last close as the vendor gives it.",
            nullable=True,
            minimum=-1.0,
        ),
    ),
)

SECURITY_MONTH = Table(
    layer="panel",
    name="security_month",
    description="Stock-month panel: total returns, month-end price, shares and market equity.",
    key=("security_id", "month_end"),
    columns=(
        SECURITY_ID,
        _FIRM_ID,
        Column("ticker", pl.String, "ticker", "Ticker at the end of the month."),
        MONTH_END,
        Column(
            "ret",
            pl.Float64,
            "decimal",
            "Total return of the calendar month, delisting included; NULL without a price in the "
            "month before, in a partial month, or when the vendor disagrees with itself.",
            nullable=True,
            minimum=-1.0,
            likely=(-0.95, 3.0),
        ),
        Column(
            "price",
            pl.Float64,
            "USD",
            "Last close of the month, unadjusted; NULL in a month of delisting without a price.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "shares",
            pl.Float64,
            "shares",
            "Shares outstanding from the latest public filing, on the price's split basis.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "market_equity",
            pl.Float64,
            "USD",
            "price x shares of this security.",
            nullable=True,
            minimum=0.0,
            likely=(1e6, 1e13),
        ),
        Column(
            "firm_market_equity",
            pl.Float64,
            "USD",
            "Sum of market_equity over the firm's share classes.",
            nullable=True,
            minimum=0.0,
        ),
        _EXCHANGE,
        Column("index_member", pl.Boolean, "yes/no", "In the index on the last trading day."),
        Column("last_date", pl.Date, "date", "Last trading day in the month."),
        Column("trading_days", pl.Int32, "count", "Days with a price in the month.", minimum=0),
        Column(
            "dollar_volume",
            pl.Float64,
            "USD",
            "Sum of close x volume in the month.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "high",
            pl.Float64,
            "USD",
            "Highest close of the month, on the split basis of the month's end.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "split",
            pl.Float64,
            "ratio",
            "Shares at the end of the month per share at its beginning: product of its splits.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "dividend",
            pl.Float64,
            "USD/share",
            "Cash dividends of the month, on the split basis of the month's end.",
            nullable=True,
            minimum=0.0,
        ),
        Column(
            "delisting_return",
            pl.Float64,
            "decimal",
            "Delisting return compounded into ret, reported or imputed (see flags).",
            nullable=True,
            minimum=-1.0,
        ),
        Column(
            "flags",
            pl.String,
            "names",
            "Comma-separated, NULL when clean: partial_month, disputed_return, delisted, "
            "delisting_return_imputed, price_gap, shares_stale, excluded (by settings); and the "
            "rules of quality.rule whose dated flags of the security became known in the month.",
            nullable=True,
        ),
    ),
    monthly=True,
    references=(OF_SECURITY,),
)

PRICE_CHECK = Table(
    layer="panel",
    name="price_check",
    description="Days on which close, split and dividend disagree with the adjusted close.",
    key=("security_id", "date"),
    columns=(
        SECURITY_ID,
        Column("ticker", pl.String, "ticker", "Ticker of the day."),
        Column("date", pl.Date, "date", "Trading day."),
        Column("close", pl.Float64, "USD", "Close, unadjusted."),
        Column("dividend", pl.Float64, "USD/share", "Dividend of the day."),
        Column("split", pl.Float64, "ratio", "Split of the day."),
        Column(
            "computed_return", pl.Float64, "decimal", "(close x split + dividend)/previous - 1."
        ),
        Column("vendor_return", pl.Float64, "decimal", "Change of the adjusted close."),
        Column("difference", pl.Float64, "decimal", "computed_return - vendor_return."),
    ),
    references=(OF_SECURITY,),
)

_OF_FILING = (
    Column("fiscal_year", pl.Int32, "year", "Fiscal year as the vendor labels it."),
    Column("period_end", pl.Date, "date", "Last day of the fiscal year."),
    Column(
        "filed_at",
        pl.Date,
        "date",
        "First day the figures were public; usable from the next trading day on. Without a "
        "filing date: period_end plus the filing lag of the settings.",
    ),
    Column(
        "filed_at_assumed", pl.Boolean, "yes/no", "Whether filed_at is period_end plus the lag."
    ),
)

BOOK_EQUITY = Table(
    layer="panel",
    name="book_equity",
    description="Balance-sheet facts as filed, each with the day it became public.",
    key=("security_id", "period_end", "filed_at"),
    columns=(
        SECURITY_ID,
        *_OF_FILING,
        Column(
            "book_equity",
            pl.Float64,
            "USD",
            "Stockholders' equity + deferred taxes - preferred stock; may be negative.",
            nullable=True,
        ),
        Column("total_assets", pl.Float64, "USD", "Total assets.", nullable=True),
        Column(
            "shares",
            pl.Float64,
            "shares",
            "Shares outstanding on the split basis of shares_basis_date.",
            nullable=True,
            minimum=0.0,
        ),
        Column("shares_basis_date", pl.Date, "date", "Day of the split basis.", nullable=True),
    ),
    references=(OF_SECURITY,),
)


def _usd(name: str, description: str) -> Column:
    return Column(name, pl.Float64, "USD", description, nullable=True)


STATEMENT = Table(
    layer="panel",
    name="statement",
    description=(
        "Income and cash-flow figures of a fiscal year as known from each day on which one of its "
        "statements was filed, restatements on their own day. Balance-sheet figures are in "
        "panel.book_equity."
    ),
    key=("security_id", "period_end", "filed_at"),
    columns=(
        SECURITY_ID,
        *_OF_FILING,
        _usd("revenue", "Revenue (REVT)."),
        _usd("cost_of_revenue", "Cost of goods sold (COGS), as a positive cost."),
        _usd("selling_general_administrative", "SG&A expense (XSGA), as a positive cost."),
        _usd("interest_expense", "Net interest expense (XINT), as a positive cost."),
        _usd("net_income", "Net income available to common stock."),
        _usd("operating_cash_flow", "Net cash from operating activities."),
        _usd("depreciation", "Depreciation and amortisation."),
        _usd("dividends_paid", "Cash dividends paid, as a positive amount."),
    ),
    references=(OF_SECURITY,),
)

INDEX_COVERAGE = Table(
    layer="panel",
    name="index_coverage",
    description="How many index members the data know, month by month: the survivorship gap.",
    key=("month_end",),
    columns=(
        MONTH_END,
        Column("members", pl.Int64, "count", "Index members on the last trading day of the month."),
        Column("with_price", pl.Int64, "count", "Members with a price in the month."),
        Column("with_market_equity", pl.Int64, "count", "Members with market equity."),
        Column(
            "missing_share", pl.Float64, "decimal", "Share of members without a price.", minimum=0.0
        ),
    ),
)
