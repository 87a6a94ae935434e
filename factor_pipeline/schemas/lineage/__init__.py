"""What each column of a derived table is computed from: column lineage, declared once.

A rule maps columns of a table to their sources. Columns are names or patterns (``rank_*``),
separated by blanks; the first rule that fits a column counts. Sources are ``schema.table.a,b``,
separated by blanks; ``*`` in a source stands for what ``*`` in the column's pattern stood for, or
for the name of the column. No sources: a constant, a setting, a name. Columns of the key need no
rule: they name the row. What only selects rows (a universe, a calendar) is no source.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

from factor_pipeline.schemas.lineage.backtest import BACKTEST
from factor_pipeline.schemas.lineage.factors import FACTORS
from factor_pipeline.schemas.lineage.quality import QUALITY
from factor_pipeline.schemas.lineage.stocks import NAMES, STOCKS
from factor_pipeline.schemas.table import Table

RULES: Final[Mapping[str, Mapping[str, str]]] = {**QUALITY, **STOCKS, **FACTORS, **BACKTEST}
"""Rules by table, in the order data flow through them."""

Source = tuple[str, str]
"""A table, by its qualified name, and one of its columns."""


def is_declared(table: Table) -> bool:
    """Whether it is said what the columns of a table are computed from."""
    return table.qualified_name in RULES


@cache
def column_sources(table: Table) -> Mapping[str, tuple[Source, ...]]:
    """Give the sources of each column of a table that a rule fits.

    Columns of the key without a rule are not in it, nor is any column of a table without rules.
    """
    rules = RULES.get(table.qualified_name, {})
    found: dict[str, tuple[Source, ...]] = {}
    for column in table.column_names:
        rule = _rule_of(column, rules, is_key=column in table.key)
        if rule is not None:
            found[column] = _expanded(rules[rule[0]], rule[1])
    return found


def naming_columns(table: Table) -> frozenset[str]:
    """Columns that name a row: what they are made of is a matter of this table alone."""
    return NAMES.get(table.qualified_name, frozenset()) | set(table.key)


def undeclared_columns(table: Table) -> list[str]:
    """Columns outside the key that no rule fits."""
    known = column_sources(table)
    return [name for name in table.column_names if name not in table.key and name not in known]


def unused_rules(table: Table) -> list[str]:
    """Patterns of rules that fit no column, or only columns that rules before them fit."""
    rules = RULES.get(table.qualified_name, {})
    used = {
        pattern
        for column in table.column_names
        for pattern in _first_fit(column, rules, is_key=column in table.key)
    }
    return [pattern for columns in rules for pattern in columns.split() if pattern not in used]


def _rule_of(column: str, rules: Mapping[str, str], *, is_key: bool) -> tuple[str, str] | None:
    """Rule that fits a column, and what ``*`` stands for in it."""
    for columns in rules:
        for pattern in columns.split():
            if _fits(column, pattern, is_key=is_key):
                before, _, after = pattern.partition("*")
                stem = column.removeprefix(before).removesuffix(after) if "*" in pattern else column
                return columns, stem
    return None


def _first_fit(column: str, rules: Mapping[str, str], *, is_key: bool) -> list[str]:
    patterns = [pattern for columns in rules for pattern in columns.split()]
    return [pattern for pattern in patterns if _fits(column, pattern, is_key=is_key)][:1]


def _fits(column: str, pattern: str, *, is_key: bool) -> bool:
    """Patterns leave the key alone, which has no sources but where a rule names its columns."""
    return column == pattern or (not is_key and fnmatchcase(column, pattern))


def _expanded(sources: str, stem: str) -> tuple[Source, ...]:
    pairs: list[Source] = []
    for source in sources.split():
        table, _, columns = source.rpartition(".")
        pairs += [(table, column.replace("*", stem)) for column in columns.split(",")]
    return tuple(dict.fromkeys(pairs))
