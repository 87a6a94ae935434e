"""Checks of data quality: one per rule, which shows the rows the rule flags."""

from collections.abc import Iterable, Iterator

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import markdown
from factor_pipeline.checks.results import Finding, handed_on, store
from factor_pipeline.schemas.flag import FLAG
from factor_pipeline.schemas.rules import DATA_RULES, RESULT_RULES
from factor_pipeline.schemas.rules.rule import Rule
from factor_pipeline.warehouse.store import Warehouse

_SHOWN_ROWS = 20

_DATA_FLAG = dg.AssetKey([FLAG.layer, "flag"])
_RESULT_FLAG = dg.AssetKey([FLAG.layer, "result_flag"])
FLAG_ASSETS = frozenset({_DATA_FLAG, _RESULT_FLAG})


def rule_checks() -> list[dg.AssetChecksDefinition]:
    """All checks of this module."""
    return [
        _checks(_DATA_FLAG, DATA_RULES),
        _checks(_RESULT_FLAG, RESULT_RULES),
    ]


def _checks(key: dg.AssetKey, rules: Iterable[Rule]) -> dg.AssetChecksDefinition:
    """Declare the checks of all rules as one step: they read one table."""
    by_name = {rule.name: rule for rule in rules}

    @dg.multi_asset_check(
        name=f"{key.path[-1]}_rules",
        specs=[
            dg.AssetCheckSpec(
                rule.name,
                asset=key,
                # What is published waits for the rules of results, whose asset comes last; that
                # they warn stops nothing.
                blocking=rule.severity == "error" or key == _RESULT_FLAG,
                description=f"{rule.table}: {rule.finds} {rule.harm}",
            )
            for rule in by_name.values()
        ],
        required_resource_keys={"warehouse"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        warehouse: Warehouse = context.resources.warehouse
        flags = warehouse.table(FLAG)
        found = [
            (rule.table, name, rule.severity, _finding(rule, flags.filter(pl.col("rule") == name)))
            for name, rule in by_name.items()
        ]
        # At once: sixty transactions would take half a second.
        store(warehouse, found)
        for _, name, severity, finding in found:
            yield handed_on(severity, finding)._replace(check_name=name, asset_key=key)

    return check


def _finding(rule: Rule, flagged: pl.DataFrame) -> Finding:
    shown = flagged.select(
        "subject", "fault_date", "known_date", "figure", "expected", "detail", "file"
    )
    return Finding(
        passed=flagged.is_empty(),
        failing_rows=flagged.height,
        observed="no row flagged"
        if flagged.is_empty()
        else f"{flagged.height} rows flagged. {rule.finds}",
        metadata={"flagged": markdown(shown.head(_SHOWN_ROWS))},
    )
