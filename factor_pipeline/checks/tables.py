"""Checks every derived table has: its schema's rules, as errors and as warnings."""

from collections.abc import Callable, Mapping
from datetime import date
from math import ceil

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import all_months, asset_key
from factor_pipeline.checks.results import Finding, reported
from factor_pipeline.checks.suites import Expectation, error_suite, warning_suite
from factor_pipeline.checks.validation import Outcome, together, validate
from factor_pipeline.months import MonthRange
from factor_pipeline.partitions import months_of
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.store import Warehouse

_ROWS_AT_ONCE = 2_000_000

# Months that must have rows, for tables in which an empty month means that something broke.
_EXPECTED_MONTHS: Mapping[str, str] = {
    "panel.security_month": (
        "select distinct last_day(date) as month_end from raw.price_daily "
        "where date >= $month_start and date < $month_end order by month_end"
    ),
    "signal.characteristic": (
        "select distinct last_day(month_end + interval 1 month) as month_end "
        "from panel.security_month where price is not null "
        "and month_end >= cast($month_start as date) - interval 1 month "
        "and month_end < cast($month_end as date) - interval 1 month order by month_end"
    ),
}


def table_checks(table: Table, key: dg.AssetKey | None = None) -> list[dg.AssetChecksDefinition]:
    """Declare ``expectations``, whose failure blocks what depends on the table, and warnings."""
    asset = key or asset_key(table)
    checks = [_expectations_check(table, asset)]
    if warning_suite(table):
        checks.append(_likely_values_check(table, asset))
    return checks


def _expectations_check(table: Table, asset: dg.AssetKey) -> dg.AssetChecksDefinition:
    name = "expectations"

    @dg.asset_check(
        asset=asset,
        name=name,
        blocking=True,
        description="Columns, grain, nulls, ranges, known values, references, month coverage.",
        required_resource_keys={"warehouse", "settings"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        warehouse: Warehouse = context.resources.warehouse
        known = _known(warehouse, table)

        def suite(months: MonthRange) -> list[Expectation]:
            return error_suite(table, known=known, months=_expected(warehouse, table, months))

        finding = _finding(warehouse, table, _months(context, table), suite)
        return reported(warehouse, table.qualified_name, name, "error", finding)

    return check


def _likely_values_check(table: Table, asset: dg.AssetKey) -> dg.AssetChecksDefinition:
    name = "likely_values"

    @dg.asset_check(
        asset=asset,
        name=name,
        blocking=False,
        description="Values that are rarely true; they stay, and someone should look.",
        required_resource_keys={"warehouse", "settings"},
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        warehouse: Warehouse = context.resources.warehouse
        rules = warning_suite(table)
        finding = _finding(warehouse, table, _months(context, table), lambda _: rules)
        return reported(warehouse, table.qualified_name, name, "warn", finding)

    return check


def _months(context: dg.AssetCheckExecutionContext, table: Table) -> MonthRange:
    return months_of(context) if table.monthly else all_months(context.resources.settings)


def _known(warehouse: Warehouse, table: Table) -> dict[str, list[object]]:
    """Values the references of ``table`` may take, by column."""
    return {
        reference.column: warehouse.read(
            f"select distinct {reference.column} from {reference.table}"  # noqa: S608
        )[reference.column].to_list()
        for reference in table.references
    }


def _expected(warehouse: Warehouse, table: Table, months: MonthRange) -> list[date] | None:
    query = _EXPECTED_MONTHS.get(table.qualified_name)
    return warehouse.read_months(query, months)["month_end"].to_list() if query else None


def _finding(
    warehouse: Warehouse,
    table: Table,
    months: MonthRange,
    suite: Callable[[MonthRange], list[Expectation]],
) -> Finding:
    rows, by_block = 0, []
    for block in _blocks(warehouse, table, months):
        frame = _rows(warehouse, table, block)
        rows += frame.height
        by_block.append(validate(table, frame, suite(block)))
    outcomes = [together(of_rule) for of_rule in zip(*by_block, strict=True)]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    return Finding(
        passed=not failed,
        failing_rows=sum(outcome.failing_rows for outcome in failed),
        observed=f"{rows} rows, {len(outcomes)} rules, broken: "
        + (", ".join(outcome.rule for outcome in failed) or "none"),
        metadata={"broken_rules": dg.MetadataValue.md(_markdown(failed))},
    )


def _blocks(warehouse: Warehouse, table: Table, months: MonthRange) -> list[MonthRange]:
    """Cut ``months`` so that pandas holds few rows of a monthly table at once; the rest is whole.

    No rule of a monthly table is about rows of several months: its key has the month.
    """
    if not table.monthly:
        return [months]
    count = (
        f"select count(*) from {table.qualified_name} "  # noqa: S608 - names come from the registry
        "where month_end >= $month_start and month_end < $month_end"
    )
    rows: int = warehouse.read_months(count, months).item()
    parts = max(1, ceil(rows / _ROWS_AT_ONCE))
    return list(months.blocks(max(1, ceil(len(months) / parts))))


def _rows(warehouse: Warehouse, table: Table, months: MonthRange) -> pl.DataFrame:
    """Read the rows to check, in any order.

    Names repeat: as categories they take a fraction of the memory, and are hashed once each.
    """
    monthly = table.monthly
    rows = warehouse.months(table, months, ordered=False) if monthly else warehouse.table(table)
    return rows.with_columns(pl.col(pl.String).cast(pl.Categorical))


def _markdown(failed: list[Outcome]) -> str:
    if not failed:
        return "No rule is broken."
    lines = ["rule | failing rows | first rows or what was seen", "--- | --- | ---"]
    lines += [f"{o.rule} | {o.failing_rows} | {_seen(o)}" for o in failed]
    return "\n".join(lines)


def _seen(outcome: Outcome) -> str:
    rows = [
        ", ".join(f"{name} {'NULL' if value is None else value}" for name, value in row.items())
        for row in outcome.examples
    ]
    text = "; ".join(rows) or outcome.observed or ""
    return text.replace("|", "/").replace("\n", " ")
