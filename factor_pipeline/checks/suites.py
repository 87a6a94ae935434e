"""Expectations of a table, derived from its schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from factor_pipeline.schemas.table import Column, Table

COLUMNS = "expect_table_columns_to_match_ordered_list"
BETWEEN = "expect_column_values_to_be_between"
GRAIN = "expect_compound_columns_to_be_unique"
IN_SET = "expect_column_values_to_be_in_set"
NOT_NULL = "expect_column_values_to_not_be_null"


@dataclass(frozen=True, slots=True)
class Expectation:
    """One thing that must hold, in the vocabulary of Great Expectations.

    Attributes
    ----------
    rule
        Short name that check metadata and ``quality.check_result`` use; unique in a suite.
    kind, arguments
        Type of the expectation, and what it takes.
    reads
        Columns without which it cannot be looked at.
    """

    rule: str
    kind: str
    arguments: Mapping[str, object]
    reads: tuple[str, ...] = ()


def error_suite(
    table: Table,
    *,
    known: Mapping[str, Sequence[object]],
    months: Sequence[date] | None,
) -> list[Expectation]:
    """Rules a row must meet to be used at all.

    Parameters
    ----------
    table
        The table; its columns, key, bounds and references become expectations.
    known
        Values that exist in the referenced tables, by referring column.
    months
        Month ends that must be there; null when months may be empty.
    """
    suite = [
        Expectation(
            "columns",
            COLUMNS,
            {"column_list": list(table.column_names)},
        ),
        _grain(table),
    ]
    for column in table.columns:
        suite += _column_rules(column)
    suite += [
        _of_column(
            f"{reference.column} exists in {reference.table}",
            "be_in_set",
            reference.column,
            value_set=list(known[reference.column]),
        )
        for reference in table.references
    ]
    if months is not None:
        suite.append(
            Expectation(
                "every month is there",
                "expect_column_distinct_values_to_contain_set",
                {"column": "month_end", "value_set": list(months)},
                reads=("month_end",),
            )
        )
    return suite


def warning_suite(table: Table) -> list[Expectation]:
    """Rules whose breach is rarely true but may be: such values stay."""
    return [
        _of_column(
            f"{column.name} is likely",
            "be_between",
            column.name,
            min_value=column.likely[0],
            max_value=column.likely[1],
        )
        for column in table.columns
        if column.likely
    ]


def _grain(table: Table) -> Expectation:
    if len(table.key) == 1:
        return _of_column("grain", "be_unique", table.key[0])
    return Expectation(
        "grain",
        GRAIN,
        {"column_list": list(table.key)},
        reads=table.key,
    )


def _column_rules(column: Column) -> list[Expectation]:
    rules = []
    if not column.nullable:
        rules.append(_of_column(f"{column.name} is there", "not_be_null", column.name))
    if column.minimum is not None or column.maximum is not None:
        rules.append(
            _of_column(
                f"{column.name} in range",
                "be_between",
                column.name,
                min_value=column.minimum,
                max_value=column.maximum,
            )
        )
    if column.values:
        rules.append(
            _of_column(
                f"{column.name} is a known value",
                "be_in_set",
                column.name,
                value_set=list(column.values),
            )
        )
    return rules


def _of_column(rule: str, what: str, column: str, **arguments: object) -> Expectation:
    return Expectation(
        rule, f"expect_column_values_to_{what}", {"column": column, **arguments}, (column,)
    )
