"""All checks of the warehouse."""

from collections.abc import Iterable

import dagster as dg

from factor_pipeline.checks.betas import beta_checks
from factor_pipeline.checks.daily_betas import daily_beta_checks
from factor_pipeline.checks.exclusions import exclusion_checks
from factor_pipeline.checks.factors import factor_checks
from factor_pipeline.checks.numbers import number_checks
from factor_pipeline.checks.outside_data import outside_data_checks
from factor_pipeline.checks.raw import raw_checks
from factor_pipeline.checks.rules import rule_checks
from factor_pipeline.checks.staleness import staleness_checks
from factor_pipeline.checks.statistics import statistics_checks
from factor_pipeline.checks.tables import table_checks
from factor_pipeline.schemas.table import Table
from factor_pipeline.settings import Settings


def every_check(checked: Iterable[Table], settings: Settings) -> list[dg.AssetChecksDefinition]:
    """All checks, those of the schemas for the tables ``checked``."""
    return [
        *(check for table in checked for check in table_checks(table)),
        *raw_checks(settings),
        *number_checks(),
        *staleness_checks(),
        *rule_checks(),
        *exclusion_checks(),
        *factor_checks(),
        *beta_checks(),
        *outside_data_checks(),
        *daily_beta_checks(),
        *statistics_checks(),
    ]
