"""Factors: the library's, our own, and how the two compare."""

from collections.abc import Iterable
from dataclasses import replace

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.portfolios import stocks_of
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.betas.models import MODELS
from factor_pipeline.compute.betting_against_beta import betting_against_beta
from factor_pipeline.compute.comparison import comparison as compare
from factor_pipeline.compute.factors import FORMULAS, factor_returns, stocks_behind
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
_IN_USE = "up.vintage = {library_vintage}"
RISK_FREE = replace(LIBRARY, rows=Rows(same=(), where=f"up.factor = 'RF' and {_IN_USE}"))


def pairs(left: str, right: str, values: Iterable[tuple[str, ...]]) -> str:
    """Give the SQL condition that the values of both sides, together, are among ``values``."""
    return f"({left}, {right}) in ({', '.join(map(str, values))})"


FACTOR_OF_MODEL = pairs(
    "own.model",
    "up.factor",
    [(model.name, factor) for model in MODELS for factor in ("RF", *model.factor_names)],
)
MODEL_FACTORS = replace(LIBRARY, rows=Rows(same=(), where=f"{FACTOR_OF_MODEL} and {_IN_USE}"))
OWN_MODEL_FACTORS = Upstream(
    FACTOR_RETURN,
    rows=Rows(same=(), where=FACTOR_OF_MODEL, when=("betas.factors", "own")),
)
_LIBRARY_SERIES = (
    ("MKT", "F-F_Research_Data_Factors", "Mkt-RF"),
    *((name, "F-F_Research_Data_Factors", name) for name in ("SMB", "HML", "RF")),
    *((name, "F-F_Research_Data_5_Factors_2x3", name) for name in ("RMW", "CMA")),
    ("SMB_FF5", "F-F_Research_Data_5_Factors_2x3", "SMB"),
    ("UMD", "F-F_Momentum_Factor", "Mom"),
)
_CELLS_OF_FACTOR = pairs(
    "own.factor",
    "up.sort, up.cell, up.weighting",
    dict.fromkeys(
        (formula.factor, portfolio.sort, portfolio.cell, portfolio.weighting)
        for formula in FORMULAS
        for portfolio in (*formula.long, *formula.short)
    ),
)
_BAB = "own.factor = 'BAB'"  # the one factor that is made of stocks, not of portfolios


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
    reads=[
        Upstream(
            FRENCH_RETURN,
            rows=Rows(
                where="up.frequency = 'monthly' and "
                + pairs("own.factor", "up.data_set, up.series", _LIBRARY_SERIES)
            ),
        )
    ],
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
        Upstream(PORTFOLIO_RETURN, rows=Rows(where=_CELLS_OF_FACTOR)),
        Upstream(CHARACTERISTIC, rows=Rows(where=_BAB)),
        Upstream(SECURITY_MONTH, back=1, rows=Rows(where=_BAB)),
        RISK_FREE,
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
    reads=[
        Upstream(FACTOR_RETURN, rows=Rows(same=("factor",))),
        replace(LIBRARY, rows=Rows(same=("vintage",), where="up.factor = own.library_factor")),
        Upstream(PORTFOLIO_RETURN, rows=Rows(where=_CELLS_OF_FACTOR)),
    ],
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
