"""Panel tables: identities, filed facts, the stock-month panel and its gaps."""

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.exclusions import Span, excluded_months
from factor_pipeline.compute.fundamentals import balance_facts
from factor_pipeline.compute.identity import securities
from factor_pipeline.compute.panel import PanelInputs, PanelRules, security_months
from factor_pipeline.compute.returns import daily_returns, disputed
from factor_pipeline.compute.statements import statement_facts
from factor_pipeline.errors import DataError
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.panel import (
    BOOK_EQUITY,
    INDEX_COVERAGE,
    PRICE_CHECK,
    SECURITY,
    SECURITY_MONTH,
    STATEMENT,
)
from factor_pipeline.schemas.raw import DELISTING, FUNDAMENTAL, INDEX_MEMBER, LISTING, PRICE_DAILY
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql

_SPLITS = Rows(
    where="up.split <> 1",
    history=True,
    columns=("shares", "market_equity", "firm_market_equity"),
)
_FOUND = Rows(
    same=(),
    where="up.subject in (select vendor_id from panel.security "
    "where security_id = own.security_id) and last_day(up.known_date) = own.month_end",
    columns=("flags",),
)
_MEMBERSHIP = Rows(where="(up.end_date is null or up.end_date > own.month_end)")


@table_asset(
    SECURITY,
    reads=[
        Upstream(PRICE_DAILY, rows=Rows(where="up.date between own.valid_from and own.valid_to")),
        Upstream(LISTING),
        Upstream(FUNDAMENTAL),
        Upstream(DELISTING),
    ],
    kinds=("polars", "sql"),
)
def security(run: Run) -> Frames:
    """Fill ``panel.security``."""
    spells = run.warehouse.read(load_sql("panel/ticker_spells"))
    if spells.is_empty():
        raise DataError("there are no prices; check the files of [prices] and quality.quarantine")
    firms = run.warehouse.read(
        "select distinct vendor_id, firm from raw.fundamental order by vendor_id, firm"
    )
    frame = securities(
        spells,
        run.warehouse.table(LISTING),
        firms,
        run.warehouse.table(DELISTING),
        [(splice.vendor_id, splice.date) for splice in run.settings.panel.splices],
    )
    return (frame,)


@table_asset(
    BOOK_EQUITY,
    reads=[
        Upstream(FUNDAMENTAL, rows=Rows(where="up.statement = 'balance'")),
        Upstream(SECURITY),
    ],
    kinds=("polars", "sql"),
)
def book_equity(run: Run) -> Frames:
    """Fill ``panel.book_equity``."""
    frame = balance_facts(
        run.warehouse.read(load_sql("panel/balance_sheets")),
        filing_lag_months=run.settings.panel.filing_lag_months,
        deferred_taxes=run.settings.panel.add_deferred_taxes,
    )
    return (frame,)


@table_asset(
    STATEMENT,
    reads=[
        Upstream(FUNDAMENTAL, rows=Rows(where="up.statement in ('income', 'cashflow')")),
        Upstream(SECURITY),
    ],
    kinds=("polars", "sql"),
)
def statement(run: Run) -> Frames:
    """Fill ``panel.statement``."""
    frame = statement_facts(
        run.warehouse.read(load_sql("panel/statements")),
        filing_lag_months=run.settings.panel.filing_lag_months,
    )
    return (frame,)


@table_asset(
    SECURITY_MONTH,
    reads=[
        Upstream(PRICE_DAILY, back=1),
        Upstream(SECURITY),
        Upstream(BOOK_EQUITY),
        Upstream(INDEX_MEMBER, rows=_MEMBERSHIP),
        Upstream(FLAG, rows=_FOUND),
    ],
    links=[
        # Share counts are restated through all splits up to their basis.
        Upstream(PRICE_DAILY, rows=_SPLITS),
        Upstream(
            SECURITY_MONTH,
            rows=Rows(same=("firm_id",), columns=("firm_market_equity",)),
        ),
    ],
    kinds=("polars", "sql"),
    block_months=60,  # five years are a million days of a thousand stocks
)
def security_month(run: Run) -> Frames:
    """Fill ``panel.security_month`` for the months of the run."""
    rules = PanelRules(
        max_fundamental_age_months=run.settings.panel.max_fundamental_age_months,
        delisting_return=run.settings.panel.delisting_return,
        disputed_return=run.settings.panel.disputed_return,
        exclude=frozenset(run.settings.quality.exclude),
    )
    securities = run.warehouse.table(SECURITY)
    inputs = PanelInputs(
        prices=run.warehouse.read_months(load_sql("panel/daily_prices"), run.months),
        securities=securities,
        facts=run.warehouse.table(BOOK_EQUITY),
        splits=run.warehouse.read(load_sql("panel/splits")),
        members=run.warehouse.table(INDEX_MEMBER),
        data_end=run.warehouse.read("select max(date) from raw.price_daily").item(),
        flags=run.warehouse.read_months(load_sql("panel/found_faults"), run.months),
        exclusions=excluded_months(securities, excluded_spans(run.settings)),
    )
    return (security_months(inputs, run.months, rules),)


def excluded_spans(settings: Settings) -> list[Span]:
    """Days that the settings leave out."""
    return [
        Span(one.first_day, one.last_day, vendor_id=one.vendor_id, ticker=one.ticker)
        for one in settings.quality.exclusions
    ]


@table_asset(
    PRICE_CHECK,
    reads=[
        Upstream(PRICE_DAILY, back=1, rows=Rows(where="up.date <= own.date")),
        Upstream(SECURITY),
    ],
    kinds=("polars",),
)
def price_check(run: Run) -> Frames:
    """Fill ``panel.price_check`` from all days."""
    prices = run.warehouse.read_months(load_sql("panel/daily_prices"), run.months)
    days = disputed(daily_returns(prices)).sort("date", "security_id")
    tickers = run.warehouse.table(SECURITY).select("security_id", "valid_from", "ticker")
    named = days.join_asof(
        tickers.sort("valid_from", "security_id"),
        left_on="date",
        right_on="valid_from",
        by="security_id",
        check_sortedness=False,
    )
    return (named.select(PRICE_CHECK.column_names),)


@table_asset(
    INDEX_COVERAGE,
    reads=[Upstream(SECURITY_MONTH), Upstream(INDEX_MEMBER, rows=_MEMBERSHIP)],
    kinds=("sql",),
)
def index_coverage(run: Run) -> Frames:
    """Fill ``panel.index_coverage``."""
    return (run.warehouse.read_months(load_sql("panel/index_coverage"), run.months),)


ASSETS = (security, book_equity, statement, security_month, price_check, index_coverage)
