"""The catalogue of rules against the code that uses their names."""

import ast
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

import factor_pipeline
from factor_pipeline.checks.catalogue import catalogue
from factor_pipeline.checks.every import every_check
from factor_pipeline.checks.suites import error_suite, warning_suite
from factor_pipeline.fetching import LOST_ROWS
from factor_pipeline.schemas.flag import RULE
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import checked_tables
from factor_pipeline.schemas.rules import RULES
from factor_pipeline.schemas.rules.screens import CSV, GZIP, SCREENS, SIMULATED, ZIP
from factor_pipeline.settings import Settings

SOURCES = Path(factor_pipeline.__file__).parent / "sources"
# Which data sets each module of parsers reads.
SERVES = {
    "alphavantage.py": ("prices", "listing"),
    "archive.py": (*GZIP, *ZIP),
    "csv_table.py": CSV,
    "fred.py": ("macro",),
    "ken_french.py": ("library",),
    "ken_french_format.py": ("library",),
    "membership_intervals.py": ("membership",),
    "parameters.py": SIMULATED,
    "screen.py": CSV,
    "simfin.py": ("fundamentals",),
    "yahoo.py": ("benchmark", "etf"),
}
# Functions that take the name of a rule, and where among their arguments.
NAMED_AT = {"Rule": 0, "BadFileError": 0, "_below_zero": 1, "_parse": 1}


def texts(node: ast.AST) -> list[str]:
    """What a literal, or an f-string on ``kind``, can be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
        if ast.unparse(node).count("{") == 1 and "{kind}" in ast.unparse(node):
            return [
                "".join(p if p is not None else kind for p in parts) for kind in ("zip", "gzip")
            ]
    return []


def called(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")


def missing(columns: list[str]) -> Iterator[str]:
    yield from ("missing_" + "_".join(column.lower().split()) for column in columns)


def names_in(path: Path) -> set[str]:
    """Names of rules that a module of parsers writes into the quarantine."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        name = called(node)
        if name in NAMED_AT and len(node.args) > NAMED_AT[name]:
            found |= set(texts(node.args[NAMED_AT[name]]))
        if name == "missing":
            found |= set(missing([text for argument in node.args for text in texts(argument)]))
        if name == "map" and ast.unparse(node.args[0]) == "Rule.missing":
            literals = [n for n in ast.walk(node.args[1]) if isinstance(n, ast.Constant)]
            found |= set(missing([n.value for n in literals]))
        for keyword in node.keywords:
            if name == "reject_repeats" and keyword.arg == "noun":
                found |= {f"{kind}_{keyword.value.value}" for kind in ("duplicate", "conflicting")}
    return found


@pytest.fixture(scope="module")
def listed() -> pl.DataFrame:
    checked = checked_tables(simulated=True)
    return catalogue(checked, every_check(checked, Settings()))


def test_every_name_a_parser_uses_is_a_screen_of_its_data_sets_and_no_screen_is_idle():
    declared: dict[str, set[str]] = {}
    for screen in SCREENS:
        declared.setdefault(screen.name, set()).update(screen.data_sets)
    # Written in a table of rejected rows; columns of Yahoo's files, which are found at run time.
    used = {"ragged_row": set(CSV), "missing_adj_close": {"benchmark", "etf"}}
    used["missing_close"] = {"benchmark", "etf"}
    # What no parser can see: that the file had more rows before.
    used[LOST_ROWS] = {*CSV, "library"}
    for path in sorted(SOURCES.rglob("*.py")):
        for name in names_in(path):
            assert declared[name] & set(SERVES[path.name]), (path.name, name)
            used.setdefault(name, set()).update(SERVES[path.name])
    assert used.keys() == declared.keys()
    assert len(used) > 60
    for name, data_sets in declared.items():
        assert data_sets <= used[name], name


def test_screens_are_of_data_sets_there_are():
    assert all(set(screen.data_sets) <= set(DATA_SETS) for screen in SCREENS)


def test_a_rule_is_listed_once_per_table_and_kind_and_says_what_it_is_about(listed):
    assert listed.columns == list(RULE.column_names)
    assert not listed.select(RULE.key).is_duplicated().any()
    assert listed.filter(pl.col("finds").str.len_chars() < 10).is_empty()
    silent = listed.filter(pl.col("harm").is_null())
    assert set(silent["kind"]) == {"check"}


def test_every_expectation_of_every_table_is_listed_with_its_severity(listed):
    expected = set()
    for table in checked_tables(simulated=True):
        known = {reference.column: [] for reference in table.references}
        for e in error_suite(table, known=known, months=None):
            expected.add((e.rule, table.qualified_name, "error"))
        for e in warning_suite(table):
            expected.add((e.rule, table.qualified_name, "warn"))
    rows = listed.filter(kind="expectation").select("rule", "table_name", "severity").rows()
    assert set(rows) == expected
    assert len(expected) > 500


def test_bounds_and_known_values_are_told_in_words(listed):
    said = {
        (rule, table): finds
        for rule, table, finds in listed.filter(kind="expectation")
        .select("rule", "table_name", "finds")
        .iter_rows()
    }
    assert said["severity is a known value", "quality.flag"] == "severity is one of error, warn."
    assert said["grain", "panel.security_month"] == "One row per security_id, month_end."
    assert said["rule exists in quality.rule", "quality.flag"] == "rule exists in quality.rule."
    assert said["stocks in range", "portfolio.breakpoint"] == "stocks is at least 0."


def test_every_check_of_dagster_is_listed_and_blocks_where_it_is_an_error(listed):
    checks = every_check(checked_tables(simulated=True), Settings())
    specs = [spec for check in checks for spec in check.check_specs]
    rows = {
        (rule, table): (kind, severity)
        for rule, table, kind, severity in listed.filter(pl.col("kind").is_in(["check", "flag"]))
        .select("rule", "table_name", "kind", "severity")
        .iter_rows()
    }
    assert len(specs) > 90
    for spec in specs:
        table = RULES[spec.name].table if spec.name in RULES else ".".join(spec.asset_key.path)
        kind, severity = rows[spec.name, table]
        assert kind == ("flag" if spec.name in RULES else "check")
        is_last = spec.asset_key.path == ["quality", "result_flag"]
        assert (severity == "error" or is_last) == spec.blocking, spec.name


def test_rules_that_flag_carry_their_threshold_and_its_reason(listed):
    flags = {row["rule"]: row for row in listed.filter(kind="flag").iter_rows(named=True)}
    assert flags.keys() == RULES.keys()
    for name, rule in RULES.items():
        row = flags[name]
        assert (row["threshold"], row["unit"] or "", row["why"] or "", row["dated"]) == (
            rule.threshold,
            rule.unit,
            rule.why,
            rule.dated,
        )
