"""What a built market says about its own data, through the command line."""

import json

import duckdb
import pytest


@pytest.fixture(scope="module")
def answer(built):
    with duckdb.connect(str(built.published), read_only=True) as connection:
        yield lambda query: connection.sql(query).fetchall()


def test_every_rule_that_a_build_names_is_in_the_catalogue(answer):
    named = """
        select rule, 'quality.quarantine' as place from quality.quarantine
        union select rule, 'quality.flag' from quality.flag
        union select check_name, 'quality.check_result' from quality.check_result
    """
    known = {rule for (rule,) in answer("select rule from quality.rule")}
    names = {rule for rule, _ in answer(named)}
    assert names <= known
    assert len(names) > 15
    # A result is found in the catalogue with its table and severity.
    strangers = """
        select table_name, check_name from quality.check_result
        where (table_name, check_name, severity)
            not in (select (table_name, rule, severity) from quality.rule)
    """
    assert answer(strangers) == []


def test_the_state_of_a_build_is_printed_for_people_and_for_scripts(built, answer):
    printed = built.run("quality")
    assert printed.returncode == 0, printed.stderr
    ((rows,),) = answer("select count(*) from panel.security_month")
    (line,) = [x for x in printed.stdout.splitlines() if "panel.security_month " in x]
    assert line.split()[:2] == ["panel.security_month", str(rows)]
    assert "Age of the data" in printed.stdout
    written = json.loads(built.run("quality", "--format", "json").stdout)
    tables = {row["table_name"]: row for row in written["tables"]}
    assert tables["panel.security_month"]["rows"] == rows
    assert sum(row["errors"] for row in tables.values()) == 0
    assert {row["data_set"] for row in written["freshness"]} >= {"prices", "library"}


def test_one_table_is_told_in_detail_and_a_wrong_one_is_named(built):
    detail = json.loads(
        built.run("quality", "--table", "raw.fundamental", "--format", "json").stdout
    )
    assert detail["table"] == "raw.fundamental"
    assert "grain" in {row["check_name"] for row in detail["checks"]}
    wrong = built.run("quality", "--table", "raw.fundamentals")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    (line,) = wrong.stderr.splitlines()
    assert line.endswith("no table raw.fundamentals; `factor-pipeline quality` lists them")


def test_a_simulated_market_never_grows_old(built, answer):
    assert answer("select count(*) from quality.freshness where is_stale or outage != ''") == [(0,)]
    assert "quality.max_age_days allows" not in built.run("status").stdout
