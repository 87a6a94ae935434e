"""Risk: rolling betas of every security, from monthly and from daily returns."""

from collections.abc import Iterator
from dataclasses import replace

import polars as pl

from factor_pipeline.assets.common import Frames, Run, TableAsset, Upstream, table_asset
from factor_pipeline.assets.factors import (
    MODEL_FACTORS,
    OWN_MODEL_FACTORS,
    library_vintage,
    pairs,
)
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.betas.daily import DAILY_MODELS, daily_betas
from factor_pipeline.compute.betas.market import CORRELATION_DAYS, market_betas
from factor_pipeline.compute.betas.market_days import MONTHS_BEFORE, DailyReturns, MarketDays
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betas.rolling import rolling_betas
from factor_pipeline.compute.betas.shrinkage import with_shrunk_market_betas
from factor_pipeline.compute.returns import daily_returns, settled_returns
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.raw import FRENCH_RETURN, PRICE_DAILY
from factor_pipeline.schemas.risk import DAILY_BETA, MARKET_BETA, ROLLING_BETA
from factor_pipeline.settings import Settings
from factor_pipeline.settings_sections import LONGEST_BETA_WINDOW
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

_REACH = LONGEST_BETA_WINDOW - 1

_WINDOW = "betas.window_months"
_DAILY_WINDOW = "betas.daily_window_days"
_DAILY_FACTOR_OF_MODEL = pairs(
    "own.model",
    "up.series",
    [
        (model.name, "Mkt-RF" if factor == "MKT" else factor)
        for model in DAILY_MODELS
        for factor in ("RF", *model.factor_names)
    ],
)
_LIBRARY_DAYS = """
up.data_set = 'F-F_Research_Data_Factors_daily' and up.frequency = 'daily'
and up.vintage = (
    select coalesce(max(vintage) filter (vintage = {library.vintage}), max(vintage))
    from raw.french_return
    where data_set = 'F-F_Research_Data_Factors_daily' and frequency = 'daily'
)
"""

# Daily returns of this many stocks are in memory at a time.
_STOCKS_AT_ONCE = 512


@table_asset(
    ROLLING_BETA,
    reads=[
        Upstream(SECURITY_MONTH, back=_REACH, rows=Rows(window=_WINDOW)),
        replace(MODEL_FACTORS, rows=replace(MODEL_FACTORS.rows, window=_WINDOW)),
    ],
    links=[
        replace(OWN_MODEL_FACTORS, rows=replace(OWN_MODEL_FACTORS.rows, window=_WINDOW)),
        Upstream(ROLLING_BETA, rows=Rows(same=("model",), columns=("beta_mkt_shrunk",))),
    ],
    kinds=("polars", "sql"),
)
def rolling_beta(run: Run) -> Frames:
    """Fill ``risk.rolling_beta`` for the months of the run from the windows that end in them."""
    settings = run.settings.betas
    windows = run.months.widened(back=settings.window_months - 1)
    factors = run.warehouse.read_months(
        load_sql("risk/factors"),
        windows,
        source=settings.factors,
        vintage=library_vintage(run.warehouse, run.settings),
    )
    estimates = rolling_betas(
        run.warehouse.read_months(load_sql("risk/returns"), windows),
        factors,
        run.months,
        models=[model for model in MODELS if model.name in settings.models],
        window_months=settings.window_months,
        min_months=settings.min_months,
    )
    return (with_shrunk_market_betas(estimates),)


@table_asset(
    DAILY_BETA,
    MARKET_BETA,
    reads=[
        Upstream(PRICE_DAILY, back=MONTHS_BEFORE, into=(MARKET_BETA,)),
        Upstream(
            FRENCH_RETURN,
            back=MONTHS_BEFORE,
            rows=Rows(where=f"up.series in ('Mkt-RF', 'RF') and {_LIBRARY_DAYS}"),
            into=(MARKET_BETA,),
        ),
        Upstream(SECURITY),
        Upstream(SECURITY_MONTH, back=MONTHS_BEFORE),
    ],
    links=[
        Upstream(PRICE_DAILY, rows=Rows(window=_DAILY_WINDOW), into=(DAILY_BETA,)),
        Upstream(
            FRENCH_RETURN,
            rows=Rows(window=_DAILY_WINDOW, where=f"{_DAILY_FACTOR_OF_MODEL} and {_LIBRARY_DAYS}"),
            into=(DAILY_BETA,),
        ),
        Upstream(
            DAILY_BETA,
            rows=Rows(same=("model",), columns=("beta_mkt_shrunk",)),
            into=(DAILY_BETA,),
        ),
    ],
    kinds=("polars", "sql"),
)
def daily_beta(run: Run) -> Frames:
    """Fill ``risk.daily_beta`` and ``risk.market_beta`` for the months of the run."""
    settings = run.settings.betas
    window, fewest = settings.daily_window_days, settings.daily_min_days
    rows = run.warehouse.read_months(load_sql("risk/returns"), run.months)
    factors = daily_factors(run.warehouse, run.settings, run.months)
    days = MarketDays.of(factors, run.months)
    betas, market = [DAILY_BETA.empty().drop("beta_mkt_shrunk")], [MARKET_BETA.empty()]
    for some, returns in _daily_returns(run, rows, days):
        betas.append(
            daily_betas(returns, factors, some, run.months, window_days=window, min_days=fewest)
        )
        market.append(
            market_betas(returns, factors, some, run.months, window_days=window, min_days=fewest)
        )
    return (with_shrunk_market_betas(pl.concat(betas)), pl.concat(market))


def daily_factors(warehouse: Warehouse, settings: Settings, months: MonthRange) -> pl.DataFrame:
    """``date, vintage, rf, mkt, smb, hml`` of the market days that windows of ``months`` need."""
    return warehouse.read_months(
        load_sql("risk/daily_factors"),
        months.widened(back=MONTHS_BEFORE),
        vintage=settings.library.vintage,
    )


def _daily_returns(
    run: Run, rows: pl.DataFrame, days: MarketDays
) -> Iterator[tuple[pl.DataFrame, DailyReturns]]:
    """Give some of ``rows`` at a time, and the returns of their securities in all windows."""
    windows = days.months_of_windows(run.months, CORRELATION_DAYS)
    securities = rows["security_id"].unique().sort().to_list()
    for first in range(0, len(securities), _STOCKS_AT_ONCE):
        some = securities[first : first + _STOCKS_AT_ONCE]
        asked = rows.filter(pl.col("security_id").is_between(some[0], some[-1]))
        yield asked, DailyReturns.of(_returns_of(run, some, windows), days)


def _returns_of(run: Run, securities: list[int], months: MonthRange) -> pl.DataFrame:
    """``security_id, date, ret`` of ``securities``, which are ascending, in ``months``."""
    first, last = securities[0], securities[-1]
    prices = run.warehouse.read_months(
        load_sql("risk/daily_prices"), months, first_security=first, last_security=last
    )
    days = daily_returns(prices)
    returns = settled_returns(
        days,
        dispute=run.settings.panel.disputed_return,
        excluded=run.warehouse.read_months(load_sql("risk/excluded_months"), months),
    )
    return returns.filter(pl.col("security_id").is_in(securities))


ASSETS = (rolling_beta, daily_beta)


def with_factors_of(asset: TableAsset, settings: Settings) -> TableAsset:
    """Return ``asset``; rolling betas come after our own factors where they are made from them."""
    if asset is not rolling_beta or settings.betas.factors != "own":
        return asset
    return replace(asset, reads=(*asset.reads, Upstream(FACTOR_RETURN, back=_REACH)))
