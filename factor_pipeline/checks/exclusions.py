"""Check of the months that a person leaves out: each must be of a security there is."""

import dagster as dg

from factor_pipeline.assets.panel import excluded_spans
from factor_pipeline.checks.results import Finding, run_check
from factor_pipeline.compute.exclusions import excluded_months
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.settings import Settings
from factor_pipeline.warehouse.store import Warehouse


def exclusion_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        run_check(
            SECURITY_MONTH,
            "every_exclusion_is_found",
            "warn",
            "Each of quality.exclusions names a security that there is on these days.",
            found_exclusions,
        )
    ]


def found_exclusions(warehouse: Warehouse, settings: Settings, _: MonthRange) -> Finding:
    """Look which exclusions leave out nothing: a name may be misspelt."""
    securities = warehouse.table(SECURITY)
    spans = excluded_spans(settings)
    idle = [span for span in spans if excluded_months(securities, [span]).is_empty()]
    named = ", ".join(f"{span.ticker or span.vendor_id} on {span.first_day}" for span in idle)
    return Finding(
        passed=not idle,
        failing_rows=len(idle),
        observed=f"no security is named {named}; correct quality.exclusions"
        if idle
        else f"{len(spans)} exclusions, all of a security",
        metadata={},
    )
