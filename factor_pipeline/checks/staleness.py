"""Check of the published file: which of its months wait to be built again, and why."""

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.assets.publication import PUBLISHED_KEY
from factor_pipeline.assets.raw import raw_key
from factor_pipeline.builds import State
from factor_pipeline.checks.results import Finding
from factor_pipeline.schemas.quality import PENDING
from factor_pipeline.settings import DATA_SETS, Settings
from factor_pipeline.warehouse.store import Warehouse

NO_STALE_MONTH = dg.AssetCheckKey(PUBLISHED_KEY, "no_stale_month")


def staleness_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""

    @dg.asset_check(
        asset=PUBLISHED_KEY,
        name=NO_STALE_MONTH.name,
        additional_deps=[raw_key(data_set) for data_set in DATA_SETS],
        blocking=False,
        description="Every built month is made from the present inputs, settings and code.",
        required_resource_keys={"warehouse", "settings"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        # No row in quality.check_result: in the published file no month is ever stale.
        finding = stale_months(context.resources.warehouse, context.resources.settings)
        return dg.AssetCheckResult(
            passed=finding.passed,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={
                "stale_months": finding.failing_rows,
                "observed": finding.observed,
                **finding.metadata,
            },
        )

    return [check]


def stale_months(warehouse: Warehouse, settings: Settings) -> Finding:
    """List built months that are out of date, with what made them so."""
    stale = State.of(warehouse).stale_months(settings)
    pending = warehouse.table(PENDING).sort("changed_from", "data_set")
    if not stale:
        return Finding(
            passed=True, failing_rows=0, observed="every built month is up to date", metadata={}
        )
    causes = ", ".join(f"{name} from {day}" for name, day in pending.iter_rows())
    return Finding(
        passed=False,
        failing_rows=len(stale),
        observed=f"{len(stale)} months from {stale[0]:%Y-%m} to {stale[-1]:%Y-%m} are stale: "
        f"changed are {causes or 'settings or code'}; `factor-pipeline run` builds them",
        metadata={"months": markdown(pl.DataFrame({"stale": [f"{m:%Y-%m}" for m in stale]}))},
    )
