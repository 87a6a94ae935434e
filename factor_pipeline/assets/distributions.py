"""How the numbers of each build are spread, for the next build to be held against."""

import polars as pl

from factor_pipeline.assets.common import Frames, Run, Upstream, table_asset
from factor_pipeline.assets.rows import Rows
from factor_pipeline.builds import settings_json
from factor_pipeline.compute.quality.distributions import distances, distributions
from factor_pipeline.schemas.distribution import DISTRIBUTION
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY_MONTH
from factor_pipeline.schemas.quality import BUILD
from factor_pipeline.schemas.risk import ROLLING_BETA
from factor_pipeline.schemas.signal import CHARACTERISTIC
from factor_pipeline.schemas.table import Table

_KEPT_BUILDS = 10
_WATCHED: dict[Table, tuple[str, ...]] = {
    SECURITY_MONTH: ("ret", "price", "shares", "market_equity"),
    CHARACTERISTIC: tuple(
        column.name for column in CHARACTERISTIC.columns if column.dtype == pl.Float64
    ),
}

_OF_YEAR = Rows(same=(), where="year(up.month_end) = own.year")


@table_asset(
    DISTRIBUTION,
    reads=[
        Upstream(SECURITY_MONTH, rows=_OF_YEAR),
        Upstream(CHARACTERISTIC, rows=_OF_YEAR),
        Upstream(ROLLING_BETA, rows=_OF_YEAR),
        Upstream(FACTOR_RETURN, rows=_OF_YEAR),
    ],
    links=[Upstream(DISTRIBUTION, rows=Rows(same=("table_name", "column_name", "year")))],
)
def distribution(run: Run) -> Frames:
    """Fill ``quality.distribution`` with this build, beside the builds before."""
    builds = run.warehouse.table(BUILD)
    number = 1 + max(builds["build"].to_list(), default=0)
    kept = run.warehouse.table(DISTRIBUTION).filter(
        (pl.col("build") < number) & (pl.col("build") > number - _KEPT_BUILDS)
    )
    current = pl.concat(_spreads(run)).sort("table_name", "column_name", "year")
    last = max(kept["build"].to_list(), default=0)
    compared = distances(current, kept.filter(pl.col("build") == last))
    frame = compared.with_columns(
        build=pl.lit(number, pl.Int64),
        compared_with=pl.when(pl.col("distance").is_not_null()).then(pl.lit(last, pl.Int64)),
        note=pl.lit(_changed(run, builds, last), pl.String),
    )
    return (pl.concat([kept, frame.select(DISTRIBUTION.column_names)]),)


def _spreads(run: Run) -> list[pl.DataFrame]:
    """Distributions of all watched columns."""
    found = [(table, _values(run, table, columns), columns) for table, columns in _WATCHED.items()]
    betas = run.warehouse.read(
        "select month_end, beta_mkt from risk.rolling_beta where model = $model",
        model=run.settings.betas.exposure_model,
    )
    returns = run.warehouse.read(
        "select month_end, factor, ret from factor.factor_return where source = 'own'"
    )
    factors = returns.sort("factor").pivot("factor", index="month_end", values="ret")
    names = tuple(name for name in factors.columns if name != "month_end")
    found += [(ROLLING_BETA, betas, ("beta_mkt",)), (FACTOR_RETURN, factors, names)]
    return [
        distributions(values, columns).with_columns(table_name=pl.lit(table.qualified_name))
        for table, values, columns in found
    ]


def _values(run: Run, table: Table, columns: tuple[str, ...]) -> pl.DataFrame:
    return run.warehouse.read(
        f"select month_end, {', '.join(columns)} from {table.qualified_name}"  # noqa: S608 - names come from the registry
    )


def _changed(run: Run, builds: pl.DataFrame, last: int) -> str | None:
    """Say that the settings are others than in the build before, where they are."""
    settings = builds.filter(pl.col("build") == last)["settings"].to_list()
    if settings and settings[0] != settings_json(run.settings):
        return f"the settings are not those of build {last}"
    return None


ASSETS = (distribution,)
