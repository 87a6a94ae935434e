"""Factors: the library's, our own, and how the two compare."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.portfolios import stocks_of
from factor_pipeline.compute.betting_against_beta import betting_against_beta
from factor_pipeline.compute.comparison import comparison as compare
from factor_pipeline.compute.factors import factor_returns, stocks_behind
from factor_pipeline.compute.sorts import MARKET
from factor_pipeline.schemas.factor import COMPARISON, FACTOR_RETURN, VINTAGE_DRIFT
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.portfolio import PORTFOLIO_RETURN
from factor_pipeline.schemas.raw import FRENCH_RETURN
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.store import Warehouse

# Own factors without a library factor of the same name, and the one they are closest to.
_COUNTERPART = {"UMD_EW": "UMD"}

LIBRARY = Upstream(FACTOR_RETURN, asset="library_factor")


def risk_free(run: Run) -> pl.DataFrame:
    """``month_end, rf`` of the library vintage the settings name."""
    vintage = library_vintage(run.warehouse, run.settings)
    return run.warehouse.read(load_sql("factor/risk_free"), vintage=vintage)


def library_vintage(warehouse: Warehouse, settings: Settings) -> str:
    """Vintage of the library that calculations use: one for all of them."""
    if settings.library.vintage != "latest":
        return settings.library.vintage
    found = warehouse.read(load_sql("factor/library_vintage"))
    return found["vintage"].to_list()[0] if found.height else settings.library.vintage


@table_asset(
    FACTOR_RETURN,
    reads=[Upstream(FRENCH_RETURN)],
    kinds=("sql",),
    scope={"source": "library"},
    monthly=False,
)
def library_factor(run: Run) -> Frames:
    """Fill the library's part of ``factor.factor_return``: all months of all vintages."""
    return (run.warehouse.read(load_sql("factor/library_factor")),)


@table_asset(VINTAGE_DRIFT, reads=[LIBRARY], kinds=("sql",))
def vintage_drift(run: Run) -> Frames:
    """Fill ``factor.vintage_drift`` of all pairs of vintages."""
    return (run.warehouse.read(load_sql("factor/vintage_drift")),)


@table_asset(
    FACTOR_RETURN,
    reads=[
        Upstream(PORTFOLIO_RETURN),
        Upstream(CHARACTERISTIC),
        Upstream(SECURITY_MONTH, back=1),
        LIBRARY,
    ],
    scope={"source": "own"},
)
def factor_return(run: Run) -> Frames:
    """Fill our own part of ``factor.factor_return`` for the months of the run."""
    settings, rates = run.settings.portfolios, risk_free(run)
    portfolios = run.warehouse.months(PORTFOLIO_RETURN, run.months)
    # A handful of stocks, as where share counts begin, is not a market.
    thin = (pl.col("sort") == MARKET.name) & (pl.col("stocks") < settings.min_market_stocks)
    frame = factor_returns(portfolios.filter(~thin), rates)
    bab = betting_against_beta(
        stocks_of(run, run.months), rates, min_stocks=settings.min_portfolio_stocks
    )
    return (
        pl.concat([frame, bab.select(frame.columns)])
        .filter(pl.col("ret").is_not_null())
        .with_columns(source=pl.lit("own"), vintage=pl.lit(None, dtype=pl.String)),
    )


def _growth(run: Run) -> str:
    # Altair takes a second to import, which only a run that draws need wait for.
    from factor_pipeline.reporting.run_charts import factors_markdown  # noqa: PLC0415

    return factors_markdown(run.warehouse.read(load_sql("report/factor_growth")))


@table_asset(
    COMPARISON,
    reads=[Upstream(FACTOR_RETURN), LIBRARY, Upstream(PORTFOLIO_RETURN)],
    picture=_growth,
)
def comparison(run: Run) -> Frames:
    """Fill ``factor.comparison`` over all months, factors without any return included."""
    returns = run.warehouse.table(FACTOR_RETURN)
    own = stocks_behind(run.warehouse.table(PORTFOLIO_RETURN)).join(
        returns.filter(pl.col("source") == "own").select("month_end", "factor", "ret"),
        on=["month_end", "factor"],
        how="left",
    )
    library = returns.filter(pl.col("source") == "library")
    stand_ins = [
        library.filter(pl.col("factor") == theirs).with_columns(factor=pl.lit(ours))
        for ours, theirs in _COUNTERPART.items()
    ]
    frame = compare(own, pl.concat([library, *stand_ins]))
    return (frame.with_columns(library_factor=pl.col("factor").replace(_COUNTERPART)),)


ASSETS = (library_factor, vintage_drift, factor_return, comparison)
