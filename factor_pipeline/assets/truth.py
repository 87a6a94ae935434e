"""Truth: what a simulated market was made from; there is none where data are real."""

import hashlib

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.builds import code_version
from factor_pipeline.compute.truth import truth_tables
from factor_pipeline.errors import DataError
from factor_pipeline.schemas.panel import SECURITY
from factor_pipeline.schemas.raw import PRICE_DAILY
from factor_pipeline.schemas.registry import TRUTH_TABLES
from factor_pipeline.schemas.truth import MARKET
from factor_pipeline.sources.rawstore import sha256
from factor_pipeline.sources.registry import simulation_of
from factor_pipeline.sources.simulated import Simulated, truth_behind


@table_asset(*TRUTH_TABLES, reads=[Upstream(PRICE_DAILY), Upstream(SECURITY)])
def market(run: Run) -> Frames:
    """Fill the tables of ``truth``, or keep their rows when they are of this very market."""
    parameters = simulation_of(run.settings)
    content = parameters.to_json()
    digest = sha256(content)
    if digest not in _ingested(run):
        raise DataError(
            "the prices are not those of the simulated market in the settings; "
            "run `factor-pipeline run`, which ingests it"
        )
    securities = run.warehouse.table(SECURITY)
    made_from = _made_from(digest, securities)
    if run.warehouse.table(MARKET)["made_from"].to_list() == [made_from]:
        return [run.warehouse.table(table) for table in TRUTH_TABLES]
    row = {
        "parameters_sha256": digest,
        "stocks": parameters.stocks,
        "years": parameters.years,
        "start": parameters.start,
        "seed": parameters.seed,
        "constant_betas": parameters.constant_betas,
        "made_from": made_from,
    }
    return (
        pl.DataFrame([row], schema=MARKET.polars_schema),
        *truth_tables(truth_behind(content), securities),
    )


def _ingested(run: Run) -> list[str]:
    """SHA-256 of the files the prices stem from."""
    log = run.warehouse.read(
        "select sha256 from raw.ingest_log where data_set = 'prices' and source = $source",
        source=Simulated.name,
    )
    return log["sha256"].to_list()


def _made_from(digest: str, securities: pl.DataFrame) -> str:
    identities = securities.select("vendor_id", "valid_from", "security_id").rows()
    parts = (digest, Simulated.version, code_version(), identities)
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]


ASSETS = (market,)
