"""What every check returns to Dagster, and the row it leaves in ``quality.check_result``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import dagster as dg
import polars as pl

from factor_pipeline.schemas.quality import CHECK_RESULT
from factor_pipeline.schemas.rules.rule import Severity
from factor_pipeline.warehouse.store import Warehouse


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found out about a table."""

    passed: bool
    failing_rows: int
    observed: str
    metadata: Mapping[str, dg.MetadataValue | str | int | float | bool]


def reported(
    warehouse: Warehouse, table_name: str, check_name: str, severity: Severity, finding: Finding
) -> dg.AssetCheckResult:
    """Store the finding and hand it to Dagster."""
    row = {
        "table_name": table_name,
        "check_name": check_name,
        "severity": severity,
        "passed": finding.passed,
        "failing_rows": finding.failing_rows,
        "observed": finding.observed,
    }
    warehouse.replace(
        CHECK_RESULT,
        pl.DataFrame([row], schema=CHECK_RESULT.polars_schema),
        table_name=table_name,
        check_name=check_name,
    )
    return dg.AssetCheckResult(
        passed=finding.passed,
        severity=dg.AssetCheckSeverity.ERROR if severity == "error" else dg.AssetCheckSeverity.WARN,
        metadata={
            "failing_rows": finding.failing_rows,
            "observed": finding.observed,
            **finding.metadata,
        },
    )


def warehouse_check(
    asset: dg.AssetKey,
    name: str,
    severity: Severity,
    description: str,
    look: Callable[[Warehouse], Finding],
) -> dg.AssetChecksDefinition:
    """Declare a check that looks at the warehouse alone; errors block what depends on it."""

    @dg.asset_check(
        asset=asset,
        name=name,
        blocking=severity == "error",
        description=description,
        required_resource_keys={"warehouse"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        warehouse: Warehouse = context.resources.warehouse
        return reported(warehouse, ".".join(asset.path), name, severity, look(warehouse))

    return check
