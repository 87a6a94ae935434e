"""Exchange-traded funds: what they load on, and whether they keep what their names promise."""

from dataclasses import replace

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.factors import FACTOR_OF_MODEL, LIBRARY, library_vintage
from factor_pipeline.assets.rows import Rows
from factor_pipeline.compute.funds.loadings import fund_loadings
from factor_pipeline.compute.funds.promises import Promise, kept_promises
from factor_pipeline.compute.funds.returns import fund_returns
from factor_pipeline.compute.rounding import reproducible_columns
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.factor_etf import ETF_CHECK, ETF_LOADING
from factor_pipeline.schemas.raw import BENCHMARK_DAILY


@table_asset(
    ETF_LOADING,
    ETF_CHECK,
    reads=[
        Upstream(
            BENCHMARK_DAILY,
            asset="etf_daily",
            rows=Rows(same=(), where="up.data_set = 'etf' and up.symbol = own.ticker"),
        ),
        replace(LIBRARY, rows=Rows(same=("vintage",), where=FACTOR_OF_MODEL)),
    ],
    links=[Upstream(ETF_LOADING, into=(ETF_CHECK,))],
    kinds=("polars", "statsmodels"),
)
def etf_loading(run: Run) -> Frames:
    """Fill ``factor.etf_loading`` and ``factor.etf_check`` over all months."""
    levels = run.warehouse.table(BENCHMARK_DAILY).filter(pl.col("data_set") == "etf")
    factors = run.warehouse.table(FACTOR_RETURN).filter(pl.col("source") == "library")
    loadings = fund_loadings(
        fund_returns(levels), factors, library_vintage(run.warehouse, run.settings)
    )
    promises = [Promise(**promise.model_dump()) for promise in run.settings.etf.promises]
    kept = kept_promises(promises, loadings, set(levels["symbol"]))
    return reproducible_columns(loadings), reproducible_columns(kept)


ASSETS = (etf_loading,)
