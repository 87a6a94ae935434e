"""Running expectations through Great Expectations, imported only when a check runs."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

import polars as pl

from factor_pipeline.checks.suites import BETWEEN, COLUMNS, GRAIN, IN_SET, NOT_NULL, Expectation
from factor_pipeline.errors import FactorPipelineError
from factor_pipeline.schemas.table import Table

_SHOWN_ROWS = 10
_SHOWN_CHARACTERS = 200
_LONG_SET = 50


class CheckMachineryError(FactorPipelineError):
    """Great Expectations failed itself; says nothing about the data."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one expectation.

    Attributes
    ----------
    rule, passed
        Its short name, and whether it held.
    failing_rows
        Rows that broke it; 0 when it is not about single rows.
    examples
        Key and value of the first of them.
    observed
        What was seen, where it is not about single rows.
    """

    rule: str
    passed: bool
    failing_rows: int
    examples: list[dict[str, object]]
    observed: str | None = None


def together(outcomes: Sequence[Outcome]) -> Outcome:
    """Outcome of a rule over several parts of a table: it holds where it holds in each."""
    failed = [outcome for outcome in outcomes if not outcome.passed]
    return Outcome(
        rule=outcomes[0].rule,
        passed=not failed,
        failing_rows=sum(outcome.failing_rows for outcome in failed),
        examples=[row for outcome in failed for row in outcome.examples][:_SHOWN_ROWS],
        observed=next((outcome.observed for outcome in failed or outcomes), None),
    )


def validate(table: Table, frame: pl.DataFrame, suite: Sequence[Expectation]) -> list[Outcome]:
    """Validate rows of ``table``; outcomes come in the order of ``suite``.

    A rule about a column that ``frame`` has not got is broken.

    Raises
    ------
    CheckMachineryError
        When Great Expectations raises inside an expectation: that is a defect of the check, never
        bad data.
    """
    outcomes = {
        e.rule: Outcome(e.rule, False, 0, [], f"no column {', '.join(absent)}")  # noqa: FBT003
        for e in suite
        if (absent := [column for column in e.reads if column not in frame.columns])
    }
    outcomes |= {e.rule: _columns(frame, e) for e in suite if e.kind == COLUMNS}
    outcomes |= {
        e.rule: Outcome(e.rule, True, 0, [])  # noqa: FBT003
        for e in suite
        if e.rule not in outcomes and _holds(frame, e)
    }
    possible = [e for e in suite if e.rule not in outcomes]
    if possible:
        narrow, simple = simplified(table, frame, possible)
        outcomes |= {o.rule: o for o in _validated(table, narrow, simple)}
    return [outcomes[e.rule] for e in suite]


def simplified(
    table: Table, frame: pl.DataFrame, suite: Sequence[Expectation]
) -> tuple[pl.DataFrame, Sequence[Expectation]]:
    """Rows and expectations as Great Expectations takes little time and memory for them."""
    return _looked_up(_narrowed(table, frame, suite), suite)


def _narrowed(table: Table, frame: pl.DataFrame, suite: Sequence[Expectation]) -> pl.DataFrame:
    """Leave out columns no rule is about: Great Expectations hashes and copies all it is given."""
    needed = {*table.key, *(column for e in suite for column in e.reads)}
    narrow = frame.select(column for column in frame.columns if column in needed)
    # It compares 64-bit numbers as arrays, any others one by one in Python.
    return narrow.with_columns(pl.col(pl.Int32).cast(pl.Int64))


def _holds(frame: pl.DataFrame, expectation: Expectation) -> bool:
    """Whether a look at the whole column tells that an expectation of its values holds.

    A gap, a bound or a value outside a set is seen at once here, and takes 9 ms in Great
    Expectations, which looks at single rows: it tells which, where there are any. Most columns have
    none.
    """
    if expectation.kind not in {NOT_NULL, BETWEEN, IN_SET, GRAIN} or not expectation.reads:
        return False
    columns = frame.select(expectation.reads)
    # Great Expectations takes NaN for a gap.
    if any(c.dtype.is_float() and c.is_nan().any() for c in columns):
        return False
    if expectation.kind == GRAIN:
        return columns.n_unique() == frame.height
    column = columns.to_series()
    arguments: Mapping[str, Any] = expectation.arguments
    if expectation.kind == NOT_NULL:
        return not column.has_nulls()
    if expectation.kind == IN_SET:
        seen = column.drop_nulls().unique()
        seen = seen.cast(pl.String) if seen.dtype == pl.Categorical else seen
        known = pl.Series(arguments["value_set"], dtype=seen.dtype)
        return bool(seen.is_in(known.implode()).all())
    least, most = arguments["min_value"], arguments["max_value"]
    below = least is not None and (column < least).any()
    return not below and not (most is not None and (column > most).any())


def _columns(frame: pl.DataFrame, expectation: Expectation) -> Outcome:
    passed = frame.columns == expectation.arguments["column_list"]
    observed = None if passed else ", ".join(frame.columns)[:_SHOWN_CHARACTERS]
    return Outcome(expectation.rule, passed, 0, [], observed)


def _looked_up(
    frame: pl.DataFrame, suite: Sequence[Expectation]
) -> tuple[pl.DataFrame, Sequence[Expectation]]:
    """Look values up in long sets here, and let Great Expectations see whether they were found.

    It copies a set dozens of times, item by item: 5,000 securities cost 0.6 s a table.
    """
    simple = []
    for e in suite:
        values = e.arguments.get("value_set")
        if e.kind == IN_SET and isinstance(values, list) and len(values) > _LONG_SET:
            (column,) = e.reads
            found = f"{column} is known"
            known = pl.Series(values, dtype=frame.schema[column]).implode()
            frame = frame.with_columns(pl.col(column).is_in(known).alias(found))
            simple.append(replace(e, arguments={"column": found, "value_set": [True]}))
        else:
            simple.append(e)
    return frame, simple


def _validated(table: Table, frame: pl.DataFrame, suite: Sequence[Expectation]) -> list[Outcome]:
    gx = great_expectations()
    try:
        batch = _batches(gx).get_batch({"dataframe": frame.to_pandas()})
        result = batch.validate(
            configured(gx, table, suite), result_format=result_format(table, frame)
        )
    # Whatever it raises, and it has no common error, says nothing about the rows.
    except Exception as error:
        raise machinery_error(table.qualified_name, str(error)) from error
    # It would keep the rows until the next table is checked.
    batch.data.execution_engine.batch_manager.batch_data_cache.clear()
    by_rule = {r.expectation_config.meta["rule"]: r for r in result.results}
    return [_outcome(e.rule, by_rule[e.rule]) for e in suite]


@cache
def _batches(gx: ModuleType) -> Any:  # noqa: ANN401 - Great Expectations comes untyped
    """Return what makes batches of frames: each one made anew writes its configuration thrice."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("warehouse")
    return source.add_dataframe_asset("rows").add_batch_definition_whole_dataframe("rows")


def configured(gx: ModuleType, table: Table, suite: Sequence[Expectation]) -> Any:  # noqa: ANN401
    """Return ``suite`` as Great Expectations has it; each carries its rule in ``meta``."""
    return gx.ExpectationSuite(
        name=table.qualified_name,
        expectations=[
            gx.expectations.registry.get_expectation_impl(e.kind)(
                **_with_timestamps(e.arguments), meta={"rule": e.rule}
            )
            for e in suite
        ],
    )


def result_format(table: Table, frame: pl.DataFrame) -> dict[str, object]:
    """Ask for counts, and for the keys of the first rows that break an expectation."""
    return {
        "result_format": "SUMMARY",
        "partial_unexpected_count": _SHOWN_ROWS,
        "unexpected_index_column_names": [c for c in table.key if c in frame.columns],
    }


def great_expectations() -> ModuleType:
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
    if message := _raised(getattr(result, "exception_info", None) or {}):
        raise machinery_error(rule, message)
    details = getattr(result, "result", {})
    missing = [_plain(value) for value in details.get("partial_missing_list") or []]
    observed = f"missing: {', '.join(map(str, missing))}" if missing else None
    if details.get("observed_value") is not None:
        observed = str(details["observed_value"])[:_SHOWN_CHARACTERS]
    return Outcome(
        rule=rule,
        passed=bool(getattr(result, "success", False)),
        failing_rows=int(details.get("unexpected_count") or 0),
        examples=[
            {name: _plain(value) for name, value in row.items()}
            for row in details.get("partial_unexpected_index_list") or []
        ],
        observed=observed,
    )


def _raised(info: Mapping[str, object]) -> str | None:
    """Message of the exception in an ``exception_info``: flat, or one per metric."""
    for part in (info, *info.values()):
        if isinstance(part, Mapping) and part.get("raised_exception"):
            return str(part.get("exception_message"))
    return None


def machinery_error(subject: str, message: str) -> CheckMachineryError:
    """Say that Great Expectations failed itself."""
    said = " ".join(message.split())[:_SHOWN_CHARACTERS].rstrip(".")
    return CheckMachineryError(
        f"{subject} could not be checked, which says nothing about the data: {said}. Compare the "
        "installed versions with constraints.txt"
    )


def _plain(value: object) -> object:
    """Return a value as people write it: days without a time, nothing for NaN."""
    if isinstance(value, datetime):
        # NaT is a datetime too, and unequal to itself like NaN.
        return value.date().isoformat() if value == value else None  # noqa: PLR0124
    return None if value != value else getattr(value, "item", lambda: value)()  # noqa: PLR0124
