import math
import shutil
from datetime import date, datetime, timedelta
from types import SimpleNamespace

import dagster as dg
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from factor_pipeline.checks import validation
from factor_pipeline.checks.results import Finding, reported
from factor_pipeline.checks.suites import (
    BETWEEN,
    GRAIN,
    IN_SET,
    NOT_NULL,
    Expectation,
    error_suite,
    warning_suite,
)
from factor_pipeline.checks.tables import table_checks
from factor_pipeline.checks.validation import CheckMachineryError, Outcome, together, validate
from factor_pipeline.months import MonthRange
from factor_pipeline.schemas.backtest import BACKTEST_RETURN
from factor_pipeline.schemas.factor import FACTOR_RETURN
from factor_pipeline.schemas.panel import SECURITY, SECURITY_MONTH
from factor_pipeline.schemas.quality import BUILD, CHECK_RESULT
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.schemas.table import Column, Reference, Table
from factor_pipeline.settings import parse_settings
from factor_pipeline.warehouse.store import Warehouse

# Raised once, when Great Expectations is imported.
pytestmark = pytest.mark.filterwarnings("ignore:module 'sre_:DeprecationWarning")

MONTH_ENDS = [date(2020, 1, 31), date(2020, 2, 29)]

# One column for each kind of rule.
TRIAL = Table(
    layer="quality",
    name="trial",
    description="A table with a rule of each kind.",
    key=("name", "month_end"),
    columns=(
        Column("name", pl.String, "name", "Part of the key.", nullable=True),
        Column("month_end", pl.Date, "date", "Part of the key."),
        Column("share", pl.Float64, "share", "A share.", nullable=True, minimum=0.0, maximum=1.0),
        Column("count", pl.Int64, "count", "A count.", minimum=0),
        Column("kind", pl.String, "name", "A kind.", nullable=True, values=("a", "b")),
        Column("ret", pl.Float64, "decimal", "A return.", nullable=True, likely=(-0.9, 3.0)),
        Column("owner", pl.Int64, "id", "Someone else's.", nullable=True),
        Column("seen_at", pl.Datetime, "UTC", "A moment.", nullable=True),
    ),
    monthly=True,
    references=(Reference("owner", "panel.security"),),
)


def good() -> pl.DataFrame:
    frame = pl.DataFrame(
        {
            "name": ["x", "x", None],
            "month_end": [*MONTH_ENDS, MONTH_ENDS[0]],
            "share": [0.0, 1.0, None],
            "count": [0, 1, 10**9],
            "kind": ["a", None, "b"],
            "ret": [0.1, None, -0.9],
            "owner": [7, 8, None],
            "seen_at": [None, datetime(2020, 1, 31, 4, 5, 6), None],  # noqa: DTZ001
        }
    )
    return frame.cast(TRIAL.polars_schema)


def broken(frame: pl.DataFrame, *, months: list[date] | None = MONTH_ENDS) -> dict[str, Outcome]:
    """Outcomes of the rules that ``frame`` breaks."""
    suite = error_suite(TRIAL, known={"owner": [7, 8]}, months=months)
    return {o.rule: o for o in validate(TRIAL, frame, suite) if not o.passed}


def with_value(column: str, value: object, *, row: int = 0) -> pl.DataFrame:
    position = pl.int_range(pl.len()) == row
    dtype = TRIAL.polars_schema[column]
    replaced = pl.when(position).then(pl.lit(value, dtype=dtype)).otherwise(pl.col(column))
    return good().with_columns(replaced.alias(column))


def test_good_rows_pass_every_rule():
    assert broken(good()) == {}


def test_a_gap_is_found_in_a_number_as_in_a_text_and_nan_is_one():
    table = Table(
        layer="quality",
        name="gaps",
        description="A number that must be there.",
        key=("name",),
        columns=(
            Column("name", pl.String, "name", "The key."),
            Column("share", pl.Float64, "share", "A share."),
        ),
    )
    suite = error_suite(table, known={}, months=None)
    for value, is_there in ((0.5, True), (None, False), (float("nan"), False)):
        frame = pl.DataFrame(
            {"name": ["x", "y"], "share": [1.0, value]}, schema=table.polars_schema
        )
        outcomes = {o.rule: o for o in validate(table, frame, suite)}
        assert outcomes["share is there"].passed == is_there
        assert outcomes["share is there"].failing_rows == (0 if is_there else 1)
        assert outcomes["name is there"].passed


_TEXT = st.none() | st.sampled_from("abc")
_NUMBER = st.none() | st.floats(-2, 2) | st.just(math.nan)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.lists(st.tuples(_TEXT, _NUMBER), min_size=1, max_size=6),
    bounds=st.tuples(st.none() | st.floats(-2, 0), st.none() | st.floats(0, 2)),
    known=st.lists(st.sampled_from("abcd"), max_size=4, unique=True),
    categories=st.booleans(),
)
def test_what_a_look_at_a_column_tells_is_what_great_expectations_says(
    rows, bounds, known, categories
):
    table = Table(
        layer="quality",
        name="looks",
        description="Columns of every kind of rule.",
        key=("row",),
        columns=(
            Column("row", pl.Int64, "number", "The key."),
            Column("text", pl.String, "name", "Some name."),
            Column("number", pl.Float64, "share", "Some number."),
        ),
    )
    frame = pl.DataFrame(
        {"row": range(len(rows)), "text": [t for t, _ in rows], "number": [n for _, n in rows]},
        schema=table.polars_schema,
    )
    frame = frame.cast({"text": pl.Categorical}) if categories else frame
    low, high = bounds
    suite = [
        Expectation(f"{kind} {column}", kind, {"column": column, **arguments}, (column,))
        for kind, columns, arguments in (
            (NOT_NULL, ("text", "number"), {}),
            (BETWEEN, ("number",), {"min_value": low, "max_value": high}),
            (IN_SET, ("text",), {"value_set": known}),
        )
        for column in columns
        # Great Expectations refuses a range without bounds.
        if kind != BETWEEN or bounds != (None, None)
    ]
    suite.append(
        Expectation("twice", GRAIN, {"column_list": ["text", "number"]}, ("text", "number"))
    )
    quick = validate(table, frame, suite)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(validation, "_holds", lambda *_: False)
        slow = validate(table, frame, suite)
    assert [o.passed for o in quick] == [o.passed for o in slow]
    assert [o for o in quick if not o.passed] == [o for o in slow if not o.passed]


def test_outcomes_come_in_the_order_of_the_suite():
    suite = error_suite(TRIAL, known={"owner": [7, 8]}, months=MONTH_ENDS)
    rules = [outcome.rule for outcome in validate(TRIAL, good(), suite)]
    assert (
        rules
        == [e.rule for e in suite]
        == [
            "columns",
            "grain",
            "month_end is there",
            "share in range",
            "count is there",
            "count in range",
            "kind is a known value",
            "owner exists in panel.security",
            "every month is there",
        ]
    )
    assert validate(TRIAL, good(), []) == []


@pytest.mark.parametrize(
    ("frame", "rule", "examples"),
    [
        (with_value("share", -0.001), "share in range", [{"name": "x", "month_end": "2020-01-31"}]),
        (with_value("share", 1.001), "share in range", [{"name": "x", "month_end": "2020-01-31"}]),
        (
            with_value("count", -1, row=2),
            "count in range",
            [{"name": None, "month_end": "2020-01-31"}],
        ),
        (
            with_value("count", None, row=1),
            "count is there",
            [{"name": "x", "month_end": "2020-02-29"}],
        ),
        (with_value("kind", "c"), "kind is a known value", [{"name": "x"}]),
        (with_value("kind", ""), "kind is a known value", [{"name": "x"}]),
        (with_value("owner", 9), "owner exists in panel.security", [{"name": "x"}]),
    ],
    ids=["too low", "too high", "negative", "null", "unknown", "empty text", "dangling"],
)
def test_a_row_that_breaks_a_rule_is_found_and_shown(frame, rule, examples):
    (outcome,) = broken(frame).values()
    assert (outcome.rule, outcome.failing_rows) == (rule, 1)
    (shown,) = outcome.examples
    assert examples[0].items() <= shown.items()


@pytest.mark.parametrize("row", [0, 2], ids=["key", "key with a null"])
def test_two_rows_of_one_key_are_found(row):
    twice = pl.concat([good(), good()[row].with_columns(ret=pl.lit(0.5))])
    (outcome,) = broken(twice).values()
    assert (outcome.rule, outcome.failing_rows) == ("grain", 2)


def test_a_null_date_is_found():
    outcomes = broken(with_value("month_end", None, row=2))
    assert set(outcomes) == {"month_end is there"}


def test_a_missing_month_is_found_and_named():
    months = [*MONTH_ENDS, date(2020, 3, 31)]
    (outcome,) = broken(good(), months=months).values()
    assert (outcome.rule, outcome.observed) == ("every month is there", "missing: 2020-03-31")
    assert broken(good(), months=None) == {}
    assert broken(good(), months=[]) == {}


def test_columns_in_another_order_are_found():
    names = ["month_end", "name", *TRIAL.column_names[2:]]
    assert set(broken(good().select(names))) == {"columns"}


def test_an_unknown_column_is_found():
    assert set(broken(good().with_columns(more=pl.lit(1)))) == {"columns"}


def test_rules_about_a_missing_column_are_broken_and_the_others_looked_at():
    outcomes = broken(with_value("share", 2.0).drop("count", "name"))
    assert {rule: o.observed for rule, o in outcomes.items() if o.rule != "columns"} == {
        "grain": "no column name",
        "count is there": "no column count",
        "count in range": "no column count",
        "share in range": None,
    }
    assert outcomes["share in range"].examples[0]["month_end"] == "2020-01-31"


def test_without_rows_only_missing_months_are_wrong():
    assert set(broken(good().clear())) == {"every month is there"}
    assert broken(good().clear(), months=None) == {}


def test_nothing_known_means_every_reference_dangles():
    suite = error_suite(TRIAL, known={"owner": []}, months=None)
    (outcome,) = [o for o in validate(TRIAL, good(), suite) if not o.passed]
    assert (outcome.rule, outcome.failing_rows) == ("owner exists in panel.security", 2)


def test_unlikely_values_are_warned_about():
    suite = warning_suite(TRIAL)
    assert [e.rule for e in suite] == ["ret is likely"]
    assert validate(TRIAL, good(), suite)[0].passed
    (outcome,) = validate(TRIAL, with_value("ret", 3.5), suite)
    assert (outcome.passed, outcome.failing_rows) == (False, 1)


def test_many_broken_rows_are_counted_but_few_shown():
    days = [date(1900, 1, 1) + timedelta(days=i) for i in range(500)]
    frame = pl.DataFrame({"month_end": days}).with_columns(
        *(pl.lit(None).alias(c) for c in ("name", "share", "kind", "ret", "owner", "seen_at")),
        count=pl.lit(-1),
    )
    outcomes = broken(frame.select(TRIAL.column_names).cast(TRIAL.polars_schema), months=None)
    assert outcomes["count in range"].failing_rows == 500
    assert len(outcomes["count in range"].examples) == 10


def test_two_equal_own_factor_returns_are_found_though_their_vintage_is_null():
    row = {"month_end": MONTH_ENDS[0], "factor": "MKT", "source": "own", "vintage": None}
    library = [{**row, "source": "library", "vintage": v, "ret": 0.1} for v in ("202412", "202512")]
    own = {**row, "ret": 0.1}
    suite = error_suite(FACTOR_RETURN, known={}, months=None)

    def outcomes(*rows: dict[str, object]) -> list[str]:
        frame = pl.DataFrame(rows, schema=FACTOR_RETURN.polars_schema)
        return [o.rule for o in validate(FACTOR_RETURN, frame, suite) if not o.passed]

    assert outcomes(own, *library) == []
    assert outcomes(own, own, *library) == ["grain"]


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_declared_table_has_a_suite_that_runs(table):
    known = {reference.column: [] for reference in table.references}
    months = [] if table.monthly else None
    suite = error_suite(table, known=known, months=months)
    assert len({e.rule for e in suite}) == len(suite)
    assert all(outcome.passed for outcome in validate(table, table.empty(), suite))
    assert all(o.passed for o in validate(table, table.empty(), warning_suite(table)))


def test_moments_and_flags_are_validated_as_they_are():
    build = {
        "build": 1,
        "month_start": date(2020, 1, 1),
        "month_end": date(2020, 12, 31),
        "simulated": True,
        "finished_at": datetime(2024, 1, 2, 3, 4, 5),  # noqa: DTZ001
    }
    texts = dict.fromkeys(("run_id", "inputs", "settings", "code_version"), "x")
    frame = pl.DataFrame([build | texts], schema=BUILD.polars_schema)
    suite = error_suite(BUILD, known={}, months=None)
    assert all(outcome.passed for outcome in validate(BUILD, frame, suite))
    twice = pl.concat([frame, frame])
    assert [o.rule for o in validate(BUILD, twice, suite) if not o.passed] == ["grain"]


# --- When the machinery itself fails ---------------------------------------------------------


@pytest.mark.parametrize(
    "expectation",
    [
        Expectation("rule", "expect_column_values_to_be_between", {"column": "n", "min_value": 1}),
        Expectation(
            "rule", "expect_column_values_to_be_between", {"column": "name", "min_value": 1}
        ),
        Expectation(
            "rule", "expect_column_values_to_match_regex", {"column": "name", "regex": "("}
        ),
        Expectation("rule", "expect_nothing_that_exists", {}),
        Expectation("rule", "expect_column_values_to_be_between", {"colunm": "name"}),
    ],
    ids=["no such column", "text against a number", "bad regex", "no such rule", "bad argument"],
)
def test_an_exception_in_the_machinery_is_never_a_verdict_on_data(expectation):
    with pytest.raises(CheckMachineryError, match="which says nothing about the data") as caught:
        validate(TRIAL, good(), [expectation])
    assert "Traceback" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "info",
    [
        {"raised_exception": True, "exception_message": "boom", "exception_traceback": "..."},
        {"metric 1": {"raised_exception": False}, "metric 2": {"raised_exception": True}},
    ],
    ids=["flat", "one per metric"],
)
def test_both_shapes_of_exception_info_are_seen(info):
    result = SimpleNamespace(success=True, result={}, exception_info=info)
    with pytest.raises(CheckMachineryError):
        validation._outcome("rule", result)  # noqa: SLF001 - shapes that releases differ in
    result.exception_info = {"raised_exception": False, "exception_message": None}
    assert validation._outcome("rule", result).passed  # noqa: SLF001


# --- Checks as Dagster runs them -------------------------------------------------------------

SETTINGS = parse_settings({"simulation": {"start": "2020-01", "years": 3}}, base=None)


@pytest.fixture(scope="module")
def empty_file(tmp_path_factory):
    warehouse = Warehouse(tmp_path_factory.mktemp("empty") / "work.duckdb")
    warehouse.prepare(TABLES.values())
    return warehouse.path


@pytest.fixture
def warehouse(tmp_path, empty_file):
    return Warehouse(shutil.copy(empty_file, tmp_path / "work.duckdb"))


def results(warehouse: Warehouse) -> list[tuple[object, ...]]:
    return warehouse.table(CHECK_RESULT).rows()


def test_findings_are_stored_and_handed_on(warehouse):
    finding = Finding(passed=False, failing_rows=3, observed="3 rows", metadata={"rule": "grain"})
    result = reported(warehouse, "panel.security", "grain", "error", finding)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.metadata["failing_rows"].value == 3
    assert result.metadata["rule"].value == "grain"
    better = Finding(passed=True, failing_rows=0, observed="0 rows", metadata={})
    warned = reported(warehouse, "panel.security", "names", "warn", better)
    assert warned.severity is dg.AssetCheckSeverity.WARN
    reported(warehouse, "panel.security", "grain", "error", better)
    assert results(warehouse) == [
        ("panel.security", "grain", "error", True, 0, "0 rows"),
        ("panel.security", "names", "warn", True, 0, "0 rows"),
    ]


PARTITIONS = dg.MonthlyPartitionsDefinition(start_date="2020-01-01", end_date="2023-01-01")


def run_checks(warehouse: Warehouse, table: Table, first: str = "", last: str = ""):
    """Evaluate the checks of a table whose asset does nothing, for a range of months."""

    @dg.asset(
        key=[table.layer, table.name],
        partitions_def=PARTITIONS if table.monthly else None,
        backfill_policy=dg.BackfillPolicy.single_run() if table.monthly else None,
    )
    def asset() -> None:
        return None

    result = dg.materialize(
        [asset, *table_checks(table)],
        resources={"warehouse": warehouse, "settings": SETTINGS},
        tags={
            "dagster/asset_partition_range_start": first,
            "dagster/asset_partition_range_end": last,
        }
        if table.monthly
        else {},
        raise_on_error=False,
    )
    return {e.check_name: e for e in result.get_asset_check_evaluations()}


def backtest_months(*nets: float) -> pl.DataFrame:
    starts = pl.date_range(date(2020, 1, 1), date(2020, len(nets), 1), "1mo", eager=True)
    return pl.DataFrame({"month_end": starts.dt.month_end(), "net": nets}).select(
        *(
            pl.lit(None).alias(column.name)
            for column in BACKTEST_RETURN.columns
            if column.nullable and column.name != "net"
        ),
        pl.all(),
        strategy=pl.lit("value"),
    )


def test_a_check_looks_at_the_months_of_its_run_only(warehouse):
    frame = backtest_months(0.1, -2.0, 0.1)
    warehouse.replace_months(BACKTEST_RETURN, frame, MonthRange(date(2020, 1, 1), date(2021, 1, 1)))
    checks = run_checks(warehouse, BACKTEST_RETURN, "2020-03-01", "2020-03-01")
    assert checks["expectations"].passed
    checks = run_checks(warehouse, BACKTEST_RETURN, "2020-01-01", "2020-03-01")
    assert not checks["expectations"].passed
    assert checks["expectations"].severity is dg.AssetCheckSeverity.ERROR
    assert checks["expectations"].metadata["observed"].value == (
        "3 rows, 12 rules, broken: net in range"
    )
    assert "net in range | 1 | net -2.0, strategy value, month_end 2020-02-29" in (
        checks["expectations"].metadata["broken_rules"].value
    )
    assert results(warehouse) == [
        (
            "backtest.backtest_return",
            "expectations",
            "error",
            False,
            1,
            "3 rows, 12 rules, broken: net in range",
        )
    ]


def securities(*ids: int) -> pl.DataFrame:
    frame = pl.DataFrame({"security_id": ids, "firm_id": ids})
    return frame.select(
        pl.all(),
        *(pl.lit("A").alias(name) for name in ("vendor_id", "ticker")),
        *(pl.lit(date(2020, 1, 2)).alias(name) for name in ("valid_from", "valid_to")),
        *(pl.lit(None).alias(c.name) for c in SECURITY.columns if c.nullable),
    )


def panel(*returns: tuple[int, float]) -> pl.DataFrame:
    frame = pl.DataFrame(returns, schema=["security_id", "ret"], orient="row")
    nulls = {c.name for c in SECURITY_MONTH.columns if c.nullable} - {"ret"}
    return frame.select(
        pl.all(),
        *(pl.lit(None).alias(name) for name in sorted(nulls)),
        firm_id="security_id",
        ticker=pl.lit("A"),
        month_end=pl.lit(date(2020, 1, 31)),
        index_member=pl.lit(value=True),
        last_date=pl.lit(date(2020, 1, 31)),
        trading_days=pl.lit(20),
    )


def test_references_are_looked_up_and_unlikely_values_only_warn(warehouse):
    january = MonthRange(date(2020, 1, 1), date(2020, 2, 1))
    warehouse.replace(SECURITY, securities(1, 2))
    warehouse.replace_months(SECURITY_MONTH, panel((1, 5.0), (2, 0.1)), january)
    checks = run_checks(warehouse, SECURITY_MONTH, "2020-01-01", "2020-01-01")
    assert checks["expectations"].passed
    assert not checks["likely_values"].passed
    assert checks["likely_values"].severity is dg.AssetCheckSeverity.WARN
    warehouse.replace_months(SECURITY_MONTH, panel((1, 0.1), (3, 0.1)), january)
    checks = run_checks(warehouse, SECURITY_MONTH, "2020-01-01", "2020-01-01")
    observed = checks["expectations"].metadata["observed"].value
    assert observed.endswith("broken: security_id exists in panel.security")
    assert checks["likely_values"].passed


def test_a_month_with_prices_but_without_rows_is_found(warehouse):
    row = dict.fromkeys(TABLES["raw.price_daily"].column_names, 1.0)
    row |= {"vendor_id": "A", "ticker": "A", "file": "prices/A.csv"}
    row["known_from"] = datetime.fromisoformat("2020-02-04")
    days = [date(2020, 1, 31), date(2020, 2, 3)]
    prices = pl.DataFrame([{**row, "date": day} for day in days])
    warehouse.replace(TABLES["raw.price_daily"], prices)
    warehouse.replace(SECURITY, securities(1))
    january = MonthRange(date(2020, 1, 1), date(2020, 2, 1))
    warehouse.replace_months(SECURITY_MONTH, panel((1, 0.1)), january)
    assert run_checks(warehouse, SECURITY_MONTH, "2020-01-01", "2020-01-01")["expectations"].passed
    checks = run_checks(warehouse, SECURITY_MONTH, "2020-01-01", "2020-02-01")
    assert "every month is there | 0 | missing: 2020-02-29" in (
        checks["expectations"].metadata["broken_rules"].value
    )


def test_a_table_that_is_not_monthly_is_checked_whole(warehouse):
    warehouse.replace(SECURITY, pl.concat([securities(1), securities(1)]))
    checks = run_checks(warehouse, SECURITY)
    assert not checks["expectations"].passed
    assert checks["expectations"].metadata["failing_rows"].value == 2


def test_a_rule_holds_in_a_table_when_it_holds_in_all_its_parts():
    good_part = Outcome("grain", passed=True, failing_rows=0, examples=[])
    bad_parts = [
        Outcome(
            "grain", passed=False, failing_rows=7, examples=[{"n": i}] * 7, observed=f"part {i}"
        )
        for i in (1, 2)
    ]
    assert together([good_part, good_part]) == good_part
    whole = together([good_part, *bad_parts])
    assert (whole.passed, whole.failing_rows, whole.observed) == (False, 14, "part 1")
    assert whole.examples == [{"n": 1}] * 7 + [{"n": 2}] * 3
