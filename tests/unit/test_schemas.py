from datetime import date, datetime

import duckdb
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from factor_pipeline.errors import SchemaError
from factor_pipeline.schemas.conform import conformed
from factor_pipeline.schemas.provenance import PROVENANCE
from factor_pipeline.schemas.raw import DATA_SETS, MACRO
from factor_pipeline.schemas.registry import (
    DERIVED_TABLES,
    PUBLISHED_TABLES,
    RAW_TABLES,
    TABLES,
    TRUTH_TABLES,
    published_tables,
)
from factor_pipeline.schemas.table import Column, Table
from factor_pipeline.schemas.truth import FACTOR_NAMES
from factor_pipeline.sources.simulated import FACTORS

every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)

TRIAL = Table(
    layer="quality",
    name="trial",
    description="One column of each type; don't trust it.",
    key=("row", "day"),
    columns=(
        Column("row", pl.Int64, "number", "A word SQL has its own use for."),
        Column("day", pl.Date, "date", "A day."),
        Column("moment", pl.Datetime, "UTC", "A moment.", nullable=True),
        Column("ratio", pl.Float64, "decimal", "A 'quoted' ratio.", nullable=True),
        Column("small", pl.Int32, "number", "A small number.", nullable=True),
        Column("flag", pl.Boolean, "yes/no", "A flag.", nullable=True),
        Column("name", pl.String, "name", "A name.", nullable=True),
    ),
)


@every_table
def test_every_table_and_column_is_described(table):
    assert table.description.endswith(".")
    for column in table.columns:
        assert column.unit
        assert column.description.endswith("."), column.name


@every_table
def test_key_and_references_name_columns_that_exist(table):
    assert table.key
    assert len(set(table.column_names)) == len(table.columns)
    assert set(table.key) <= set(table.column_names)
    for reference in table.references:
        assert reference.column in table.column_names
        assert reference.column in TABLES[reference.table].column_names


@every_table
def test_bounds_can_be_met(table):
    for column in table.columns:
        low = -float("inf") if column.minimum is None else column.minimum
        high = float("inf") if column.maximum is None else column.maximum
        assert low < high, column.name
        if column.minimum is not None or column.maximum is not None or column.likely:
            assert column.dtype().is_numeric(), column.name
        if column.likely:
            assert low <= column.likely[0] < column.likely[1] <= high, column.name
        if column.values:
            assert column.dtype is pl.String, column.name
            assert len(set(column.values)) == len(column.values)


@every_table
def test_monthly_tables_carry_the_month(table):
    if table.monthly:
        assert "month_end" in table.key
        assert TABLES[table.qualified_name].polars_schema["month_end"] == pl.Date()


@pytest.mark.parametrize("table", [*TABLES.values(), TRIAL], ids=[*TABLES, "trial"])
def test_ddl_and_comments_mean_in_the_database_what_is_declared(table):
    with duckdb.connect() as connection:
        connection.execute(f"create schema {table.layer}")
        for statement in (table.ddl(), table.ddl(), *table.comments()):
            connection.execute(statement)
        stored = connection.execute(
            "select column_name, lower(data_type), is_nullable, comment from duckdb_columns() "
            "where schema_name = ? and table_name = ? order by column_index",
            [table.layer, table.name],
        ).fetchall()
        comment = connection.execute(
            "select comment from duckdb_tables() where table_name = ?", [table.name]
        ).fetchall()
        frame = connection.sql(f"from {table.qualified_name}").pl()
    assert stored == [
        (column.name, column.sql_type, column.nullable, f"[{column.unit}] {column.description}")
        for column in table.columns
    ]
    assert comment == [(table.description,)]
    assert frame.schema == table.polars_schema == table.empty().schema


def test_names_and_layers_match():
    for name, table in TABLES.items():
        assert name == f"{table.layer}.{table.name}"
    assert all(table.layer == "raw" for table in RAW_TABLES)
    assert len(TABLES) == len({id(table) for table in TABLES.values()})


def test_tables_are_listed_in_the_order_data_flow():
    order = list(TABLES)
    for table in TABLES.values():
        for reference in table.references:
            if reference.table != table.qualified_name:
                assert order.index(reference.table) < order.index(table.qualified_name)


def test_every_table_but_the_ledger_of_stale_months_is_published():
    everything = published_tables(simulated=True)
    assert set(TABLES.values()) - set(everything) == {TABLES["quality.pending"]}
    assert set(RAW_TABLES) | set(DERIVED_TABLES) <= set(PUBLISHED_TABLES)


def test_truth_is_published_of_simulated_data_only():
    truth = {table for table in TABLES.values() if table.layer == "truth"}
    assert set(TRUTH_TABLES) == truth
    assert published_tables(simulated=False) == PUBLISHED_TABLES
    assert set(published_tables(simulated=True)) - set(PUBLISHED_TABLES) == truth
    assert not truth & {*PUBLISHED_TABLES}


def test_the_truth_names_factors_as_the_factor_tables_do():
    assert set(FACTOR_NAMES) == {*FACTORS, "rf"}
    described = TABLES["factor.factor_return"].columns[1].description
    assert all(name in described for name in FACTOR_NAMES.values())


def test_every_data_set_has_a_raw_table_that_says_which_file_a_row_is_from():
    assert set(DATA_SETS.values()) <= set(RAW_TABLES)
    for table in DATA_SETS.values():
        assert table.columns[-2:] == PROVENANCE
        assert not any(column.nullable for column in PROVENANCE)


FETCHED = datetime.fromisoformat("2020-02-01")


def macro_frame(**columns: object) -> pl.DataFrame:
    row = {"series": "CPI", "date": date(2020, 1, 1), "value": 1.5, "file": "macro/CPI.csv"}
    row["known_from"] = FETCHED
    return pl.DataFrame([{**row, **columns}])


def test_a_frame_comes_out_in_declared_columns_and_types():
    given_frame = macro_frame(value=2).select("file", "value", "date", "series", "known_from")
    frame = conformed(MACRO, given_frame)
    assert frame.schema == MACRO.polars_schema
    assert frame.row(0) == ("CPI", date(2020, 1, 1), 2.0, "macro/CPI.csv", FETCHED)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (macro_frame().drop("value"), r"raw.macro: missing columns \['value'\]"),
        (macro_frame(extra=1), r"unexpected columns \['extra'\]"),
        (macro_frame(series=None), "raw.macro.series: 1 nulls, none allowed"),
        (macro_frame(value=None), "raw.macro.value: 1 nulls, none allowed"),
        (macro_frame(value=float("nan")), "raw.macro.value: a value is NaN or infinite"),
        (macro_frame(value=float("inf")), "raw.macro.value: a value is NaN or infinite"),
        (macro_frame(value=-float("inf")), "raw.macro.value: a value is NaN or infinite"),
        (macro_frame(value="1.5"), "raw.macro.value: String does not fit the declared Float64"),
        (macro_frame(date="2020-01-01"), "raw.macro.date: String does not fit the declared Date"),
        (macro_frame(series=5), "raw.macro.series: Int64 does not fit the declared String"),
    ],
)
def test_a_frame_that_is_not_what_the_table_declares_is_refused(frame, said):
    with pytest.raises(SchemaError, match=said):
        conformed(MACRO, frame)


def trial_frame(**columns: object) -> pl.DataFrame:
    row = {"row": 1, "day": date(2020, 1, 31), "moment": None, "ratio": None, "small": None}
    return pl.DataFrame([{**row, "flag": None, "name": None, **columns}])


@pytest.mark.parametrize("column", ["row", "small"])
def test_a_fraction_never_turns_into_an_integer(column):
    with pytest.raises(SchemaError, match=f"trial.{column}: Float64 does not fit"):
        conformed(TRIAL, trial_frame(**{column: 2.7}))


def test_an_integer_that_is_too_long_is_refused():
    with pytest.raises(SchemaError, match=r"quality\.trial: "):
        conformed(TRIAL, trial_frame(small=2**40))


@pytest.mark.parametrize("dtype", [pl.UInt32, pl.Int8, pl.Int64])
def test_integers_widen(dtype):
    frame = trial_frame().with_columns(
        pl.lit(7).cast(dtype).alias(name) for name in ("row", "ratio")
    )
    assert conformed(TRIAL, frame).select("row", "ratio").row(0) == (7, 7.0)


def test_a_category_is_text_and_a_column_of_nulls_fits_everywhere():
    frame = trial_frame(name="x").with_columns(pl.col("name").cast(pl.Categorical))
    assert conformed(TRIAL, frame).row(0) == (1, date(2020, 1, 31), None, None, None, None, "x")


@given(st.lists(st.floats(), max_size=20))
def test_what_passes_holds_no_number_that_is_none(values):
    frame = pl.DataFrame({"value": pl.Series(values, dtype=pl.Float64)}).with_columns(
        series=pl.lit("x"), date=pl.lit(date(2020, 1, 1)), file=pl.lit("f"), known_from=FETCHED
    )
    finite = all(value - value == 0 for value in values)
    if finite:
        assert conformed(MACRO, frame)["value"].to_list() == values
    else:
        with pytest.raises(SchemaError, match="NaN or infinite"):
            conformed(MACRO, frame)
