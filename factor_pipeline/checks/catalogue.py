"""The catalogue of rules: screens of parsers, expectations of schemas, checks, rules that flag."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

import dagster as dg
import polars as pl

from factor_pipeline.assets.common import Frames, Run, table_asset
from factor_pipeline.checks.every import every_check
from factor_pipeline.checks.rules import FLAG_ASSETS
from factor_pipeline.checks.suites import (
    BETWEEN,
    COLUMNS,
    GRAIN,
    IN_SET,
    NOT_NULL,
    Expectation,
    error_suite,
    warning_suite,
)
from factor_pipeline.schemas.flag import RULE
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import checked_tables
from factor_pipeline.schemas.rules import RULES
from factor_pipeline.schemas.rules.rule import Severity
from factor_pipeline.schemas.rules.screens import SCREENS
from factor_pipeline.schemas.table import Table

_Row = dict[str, object]
_Wording = tuple[Callable[[Mapping[str, Any]], str], str]


def catalogue(checked: Iterable[Table], checks: Iterable[dg.AssetChecksDefinition]) -> pl.DataFrame:
    """Every rule by which data are judged, each where it is declared.

    Parameters
    ----------
    checked
        Tables that are held against their schemas.
    checks
        All asset checks.

    Returns
    -------
    polars.DataFrame
        Columns of ``quality.rule``, one row per rule, table and kind.
    """
    rows = [*_screens(), *_expectations(checked), *_checks(checks), *_flags()]
    return pl.DataFrame(rows, schema=RULE.polars_schema).sort(RULE.key)


def _row(rule: str, table: str, kind: str, severity: Severity, finds: str, **more: object) -> _Row:
    return {
        "rule": rule,
        "table_name": table,
        "kind": kind,
        "severity": severity,
        "finds": finds,
        "harm": None,
        "threshold": None,
        "unit": None,
        "why": None,
        "dated": False,
        **more,
    }


def _screens() -> Iterator[_Row]:
    for screen in SCREENS:
        # Two data sets may share a table.
        tables = dict.fromkeys(DATA_SETS[name].qualified_name for name in screen.data_sets)
        for table in tables:
            yield _row(screen.name, table, "screen", "error", screen.finds, harm=screen.harm)


def _expectations(checked: Iterable[Table]) -> Iterator[_Row]:
    for table in checked:
        known: dict[str, list[object]] = {one.column: [] for one in table.references}
        suites: tuple[tuple[Severity, list[Expectation]], ...] = (
            ("error", error_suite(table, known=known, months=None)),
            ("warn", warning_suite(table)),
        )
        for severity, suite in suites:
            for one in suite:
                finds, harm = _in_words(one, severity)
                yield _row(
                    one.rule, table.qualified_name, "expectation", severity, finds, harm=harm
                )


def _in_words(expectation: Expectation, severity: Severity) -> tuple[str, str]:
    """Say what must hold, and what goes wrong where it does not."""
    arguments = expectation.arguments
    if not arguments.get("value_set", True):
        # Which values there are is known when the table is filled.
        return f"{expectation.rule}.", "The row hangs in the air: what it points at is not there."
    finds, harm = _WORDS[expectation.kind]
    rarely = " Others are rare, and stay." if severity == "warn" else ""
    return finds(arguments) + rarely, harm


def _within(arguments: Mapping[str, Any]) -> str:
    low, high = arguments.get("min_value"), arguments.get("max_value")
    column = arguments["column"]
    if high is None:
        return f"{column} is at least {low:g}."
    return f"{column} is at most {high:g}." if low is None else f"{column} is {low:g} to {high:g}."


def _of_columns(arguments: Mapping[str, Any]) -> str:
    return f"One row per {', '.join(arguments['column_list'])}."


_TWICE: Final = "A row that is there twice counts twice in every sum and join."
_WORDS: Final[Mapping[str, _Wording]] = {
    COLUMNS: (
        lambda _: "The columns are those declared, in their order.",
        "Queries of users and of later steps would fail or read something else.",
    ),
    "expect_column_values_to_be_unique": (lambda a: f"One row per {a['column']}.", _TWICE),
    GRAIN: (_of_columns, _TWICE),
    NOT_NULL: (
        lambda a: f"{a['column']} is never NULL.",
        "A row without it says nothing, or drops out of joins in silence.",
    ),
    BETWEEN: (
        _within,
        "A figure that cannot be moves every rank and mean it enters.",
    ),
    IN_SET: (
        lambda a: f"{a['column']} is one of {', '.join(map(str, a['value_set']))}.",
        "What is filtered by the known values would miss the row.",
    ),
}


def _checks(checks: Iterable[dg.AssetChecksDefinition]) -> Iterator[_Row]:
    for spec in (spec for definition in checks for spec in definition.check_specs):
        # Checks that show flagged rows are the rules themselves, below.
        if spec.asset_key not in FLAG_ASSETS or spec.name not in RULES:
            yield _row(
                spec.name,
                ".".join(spec.asset_key.path),
                "check",
                "error" if spec.blocking else "warn",
                spec.description or "",
            )


def _flags() -> Iterator[_Row]:
    for rule in RULES.values():
        yield _row(
            rule.name,
            rule.table,
            "flag",
            rule.severity,
            rule.finds,
            harm=rule.harm,
            threshold=rule.threshold,
            unit=rule.unit or None,
            why=rule.why or None,
            dated=rule.dated,
        )


@table_asset(RULE, kinds=("python",))
def rule(run: Run) -> Frames:
    """Fill ``quality.rule`` from the declared rules, screens, schemas and checks."""
    checked = checked_tables(simulated=run.settings.is_simulated)
    return (catalogue(checked, every_check(checked, run.settings)),)


ASSETS = (rule,)
