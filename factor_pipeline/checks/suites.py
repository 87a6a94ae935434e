"""Expectations of a table, derived from its schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from factor_pipeline.schemas.table import Column, Table

Severity = Literal["error", "warn"]


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold, in the vocabulary of Great Expectations.

    ``kind`` is the expectation's type, ``arguments`` what it takes; ``rule`` is the short name
    that check metadata and ``quality.check_result`` use.
    """

    rule: str
    kind: str
    arguments: Mapping[str, object]


def error_suite(
    table: Table,
    *,
    known: Mapping[tuple[str, ...], Sequence[object]],
    months: Sequence[date] | None,
) -> list[Expectation]:
    """Rules a row must meet to be used at all.

    Parameters
    ----------
    table
        The table; its columns, key, bounds and references become expectations.
    known
        Values that exist in the referenced tables, by referenced columns.
    months
        Month ends that must be there; null when months may be empty.
    """
    suite = [
        Expectation(
            "columns",
            "expect_table_columns_to_match_ordered_list",
            {"column_list": list(table.column_names)},
        ),
        _grain(table),
    ]
    for column in table.columns:
        suite += _column_rules(column)
    for reference in table.references:
        referring = reference.columns[0]
        suite.append(
            Expectation(
                f"{referring} exists in {reference.table}",
                "expect_column_values_to_be_in_set",
                {"column": referring, "value_set": list(known[reference.columns])},
            )
        )
    if months is not None:
        suite.append(
            Expectation(
                "every month is there",
                "expect_column_distinct_values_to_contain_set",
                {"column": "month_end", "value_set": list(months)},
            )
        )
    return suite


def warning_suite(table: Table) -> list[Expectation]:
    """Rules whose breach is rarely true but may be: such values stay."""
    return [
        Expectation(
            f"{column.name} is likely",
            "expect_column_values_to_be_between",
            {
                "column": column.name,
                "min_value": column.likely[0],
                "max_value": column.likely[1],
            },
        )
        for column in table.columns
        if column.likely
    ]


def _grain(table: Table) -> Expectation:
    if len(table.key) == 1:
        return Expectation("grain", "expect_column_values_to_be_unique", {"column": table.key[0]})
    return Expectation(
        "grain", "expect_compound_columns_to_be_unique", {"column_list": list(table.key)}
    )


def _column_rules(column: Column) -> list[Expectation]:
    rules = []
    if not column.nullable:
        rules.append(
            Expectation(
                f"{column.name} is there",
                "expect_column_values_to_not_be_null",
                {"column": column.name},
            )
        )
    if column.minimum is not None or column.maximum is not None:
        rules.append(
            Expectation(
                f"{column.name} in range",
                "expect_column_values_to_be_between",
                {
                    "column": column.name,
                    "min_value": column.minimum,
                    "max_value": column.maximum,
                },
            )
        )
    if column.values:
        rules.append(
            Expectation(
                f"{column.name} is a known value",
                "expect_column_values_to_be_in_set",
                {"column": column.name, "value_set": list(column.values)},
            )
        )
    return rules
