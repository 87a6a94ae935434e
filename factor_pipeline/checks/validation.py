"""Running expectations through Great Expectations, imported only when a check runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module
from types import ModuleType

import polars as pl

from factor_pipeline.checks.suites import Expectation
from factor_pipeline.schemas.table import Table

_SHOWN_ROWS = 10


class CheckMachineryError(Exception):
    """Great Expectations failed itself; says nothing about the data."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one expectation: how many rows broke it, and the first of them."""

    rule: str
    passed: bool
    failing_rows: int
    examples: list[dict[str, object]]
    observed: str | None = None


def validate(table: Table, frame: pl.DataFrame, suite: Sequence[Expectation]) -> list[Outcome]:
    """Validate rows of ``table``; outcomes come in the order of ``suite``.

    Raises
    ------
    CheckMachineryError
        When Great Expectations raises inside an expectation: that is a defect of the check, never
        bad data.
    """
    if not suite:
        return []
    gx = _great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    batch = (
        context.data_sources.add_pandas("warehouse")
        .add_dataframe_asset(table.qualified_name)
        .add_batch_definition_whole_dataframe("rows")
        .get_batch({"dataframe": frame.to_pandas()})
    )
    configured = [
        gx.expectations.registry.get_expectation_impl(e.kind)(
            **_with_timestamps(e.arguments), meta={"rule": e.rule}
        )
        for e in suite
    ]
    result = batch.validate(
        gx.ExpectationSuite(name=table.qualified_name, expectations=configured),
        result_format={
            "result_format": "COMPLETE",
            "unexpected_index_column_names": list(table.key),
        },
    )
    by_rule = {r.expectation_config.meta["rule"]: r for r in result.results}
    return [_outcome(e.rule, by_rule[e.rule]) for e in suite]


def _great_expectations() -> ModuleType:
    """Import it late (6 CPU seconds) and keep it from calling home."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import_module("great_expectations.expectations.registry")
    return import_module("great_expectations")


def _with_timestamps(arguments: Mapping[str, object]) -> dict[str, object]:
    """Dates as timestamps: that is what they are in the frame that is validated."""
    return {
        name: [
            datetime(v.year, v.month, v.day) if isinstance(v, date) else v  # noqa: DTZ001
            for v in value
        ]
        if isinstance(value, list)
        else value
        for name, value in arguments.items()
    }


def _outcome(rule: str, result: object) -> Outcome:
    raised = getattr(result, "exception_info", None) or {}
    if raised.get("raised_exception") or any(
        isinstance(v, dict) and v.get("raised_exception") for v in raised.values()
    ):
        raise CheckMachineryError(f"{rule}: {raised}")
    details = getattr(result, "result", {})
    observed = details.get("observed_value")
    return Outcome(
        rule=rule,
        passed=bool(getattr(result, "success", False)),
        failing_rows=int(details.get("unexpected_count") or 0),
        examples=list(details.get("unexpected_index_list") or [])[:_SHOWN_ROWS],
        observed=None if observed is None else str(observed)[:200],
    )
