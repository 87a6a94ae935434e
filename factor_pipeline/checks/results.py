"""What every check returns to Dagster, and the row it leaves in ``quality.check_result``."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import all_months, asset_key
from factor_pipeline.months import MonthRange
from factor_pipeline.partitions import months_of
from factor_pipeline.schemas.quality import CHECK_RESULT
from factor_pipeline.schemas.rules.rule import Severity
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Change, Warehouse

# Two ways to round sums over a window; estimates are of order 1, their errors of order 0.1, and
# t-values of markets of order 100.
AGREEMENT: Final = 1e-9


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
    store(warehouse, [(table_name, check_name, severity, finding)])
    return handed_on(severity, finding)


def store(warehouse: Warehouse, found: Sequence[tuple[str, str, Severity, Finding]]) -> None:
    """Keep findings as rows of ``quality.check_result``: table, check, severity, finding each."""
    rows = [
        {
            "table_name": table,
            "check_name": check,
            "severity": severity,
            "passed": finding.passed,
            "failing_rows": finding.failing_rows,
            "observed": finding.observed,
        }
        for table, check, severity, finding in found
    ]
    warehouse.write(
        [
            Change(
                CHECK_RESULT,
                pl.DataFrame(rows, schema=CHECK_RESULT.polars_schema),
                "list_contains($checks, table_name || ' ' || check_name)",
                {"checks": [f"{table} {check}" for table, check, *_ in found]},
            )
        ]
    )


def handed_on(severity: Severity, finding: Finding) -> dg.AssetCheckResult:
    """Return a finding as Dagster takes it."""
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


@dataclass(frozen=True, slots=True)
class Question:
    """One check of several that are answered in one step."""

    name: str
    severity: Severity
    description: str
    look: Callable[[Warehouse], Finding]


def warehouse_checks(asset: dg.AssetKey, questions: Sequence[Question]) -> dg.AssetChecksDefinition:
    """Declare several checks as one step: each step costs a run some 25 ms."""

    @dg.multi_asset_check(
        name="_".join((*asset.path, "checks")),
        specs=[
            dg.AssetCheckSpec(
                one.name,
                asset=asset,
                blocking=one.severity == "error",
                description=one.description,
            )
            for one in questions
        ],
        required_resource_keys={"warehouse"},
    )
    def checks(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        table = ".".join(asset.path)
        found = [(table, one.name, one.severity, one.look(warehouse)) for one in questions]
        store(warehouse, found)
        for _, name, severity, finding in found:
            yield handed_on(severity, finding)._replace(check_name=name, asset_key=asset)

    return checks


Look = Callable[[Warehouse, Settings, MonthRange], Finding]


def run_check(
    table: Table, name: str, severity: Severity, description: str, look: Look
) -> dg.AssetChecksDefinition:
    """Declare a check of ``table`` over the months of the run, which are all if it has none."""

    @dg.asset_check(
        asset=asset_key(table),
        name=name,
        blocking=severity == "error",
        description=description,
        required_resource_keys={"warehouse", "settings"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        warehouse: Warehouse = context.resources.warehouse
        settings: Settings = context.resources.settings
        months = months_of(context) if table.monthly else all_months(settings)
        finding = look(warehouse, settings, months)
        return reported(warehouse, table.qualified_name, name, severity, finding)

    return check


def estimated_again(differences: Sequence[float]) -> Finding:
    """Judge the largest difference of each row from an independent estimate of it."""
    # Written so that a difference that is not a number fails.
    off = sum(not difference <= AGREEMENT for difference in differences)
    return Finding(
        passed=not off,
        failing_rows=off,
        # What is published names no difference: its last bits depend on the machine's algebra.
        observed=f"{len(differences)} rows estimated again, {off} differ by more than "
        f"{AGREEMENT:g}",
        metadata={
            "tolerance": AGREEMENT,
            "largest_difference": max(differences, default=0.0),
        },
    )
