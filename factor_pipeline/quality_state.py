"""The state of the data by the published file: checks, flags, quarantine, age."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from factor_pipeline.compute.freshness import aged
from factor_pipeline.errors import QueryError, SettingsError, UnknownTableError
from factor_pipeline.freshness import complaints
from factor_pipeline.schemas.raw import DATA_SETS
from factor_pipeline.schemas.registry import TABLES
from factor_pipeline.warehouse.models import load_sql
from factor_pipeline.warehouse.query import snapshot

_SHOWN_ROWS: Final = 20
_LIKELY_VALUES: Final = "likely_values"

Query = Callable[[str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class QualityState:
    """What the published file says about its own data.

    Attributes
    ----------
    build
        Newest row of ``quality.build``.
    tables
        One row per published table, and per asset that fills a part of one: ``rows``, ``checks``
        and how many ``passed``, failed as ``errors`` or ``warnings``, rows ``flagged``, files and
        rows ``quarantined`` on their way into it.
    rules
        One row per rule that flags rows: ``flags``, ``subjects``, ``newest_fault``.
    flags
        The newest flags.
    quarantine
        One row per data set and screen.
    ages
        Rows of ``quality.freshness``, ages as of the day asked for.
    """

    build: Mapping[str, Any]
    tables: pl.DataFrame
    rules: pl.DataFrame
    flags: pl.DataFrame
    quarantine: pl.DataFrame
    ages: pl.DataFrame

    @property
    def complaints(self) -> list[str]:
        """What is old or missing, in a line each."""
        return [said for row in self.ages.iter_rows(named=True) for said in complaints(row)]

    def as_document(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {
            "build": {key: _plain(value) for key, value in self.build.items()},
            "tables": _records(self.tables),
            "rules": _records(self.rules),
            "newest_flags": _records(self.flags),
            "quarantine": _records(self.quarantine),
            "freshness": _records(self.ages),
            "complaints": self.complaints,
        }


@dataclass(frozen=True, slots=True)
class TableState:
    """The same of one table, with the first rows that broke something.

    Attributes
    ----------
    name, description, rows
        The table.
    checks
        Its checks with outcome.
    rules
        Its rows of ``quality.rule`` that flag, with counts.
    flags, quarantine
        The newest flagged rows; what did not enter it. Twenty of each.
    examples
        Rule, key and value of rows that broke an expectation in the warning suite.
    """

    name: str
    description: str
    rows: int
    checks: pl.DataFrame
    rules: pl.DataFrame
    flags: pl.DataFrame
    quarantine: pl.DataFrame
    examples: pl.DataFrame

    def as_document(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        frames = ("checks", "rules", "flags", "quarantine", "examples")
        return {
            "table": self.name,
            "description": self.description,
            "rows": self.rows,
            **{name: _records(getattr(self, name)) for name in frames},
        }


def quality_state(published: Path, today: date) -> QualityState:
    """Read the state of a published file, with ages as of ``today``.

    Raises
    ------
    QueryError
        When nothing is published yet, or an older release published it.
    """
    with snapshot(published) as answer:
        try:
            return _state(answer, today)
        except UnknownTableError as error:
            raise _older_release() from error


def table_state(published: Path, name: str) -> TableState:
    """Read the state of one published table.

    Raises
    ------
    SettingsError
        When no table has that name.
    QueryError
        As `quality_state`.
    """
    if name not in TABLES:
        raise SettingsError(f"there is no table {name}; `factor-pipeline quality` lists them")
    with snapshot(published) as answer:
        try:
            return _table_state(answer, name)
        except UnknownTableError as error:
            if TABLES[name].layer == "truth":
                raise SettingsError(f"{name} is there of simulated data only") from error
            raise _older_release() from error


def _older_release() -> QueryError:
    return QueryError(
        "the published file was made by a release that did not keep all of this; run "
        "`factor-pipeline run`"
    )


def _state(answer: Query, today: date) -> QualityState:
    build = answer("select * from quality.build order by build desc limit 1").row(0, named=True)
    rules = answer(load_sql("report/flags_by_rule"))
    quarantine = answer(load_sql("report/quarantine"))
    rejected = quarantine.select(
        pl.col("data_set")
        .replace_strict({key: table.qualified_name for key, table in DATA_SETS.items()})
        .alias("table_name"),
        (pl.col("bad_files") + pl.col("bad_rows")).alias("quarantined"),
    )
    tables = (
        answer(load_sql("report/table_state"))
        .rename({"stored_rows": "rows"})
        .join(
            rejected.group_by("table_name").agg(pl.col("quarantined").sum()),
            on="table_name",
            how="left",
        )
        .select("table_name", pl.exclude("table_name"))
        .with_columns(pl.col("quarantined").fill_null(0))
    )
    order = {name: place for place, name in enumerate(TABLES)}
    return QualityState(
        build=build,
        tables=tables.sort(
            pl.col("table_name").replace_strict(order, default=len(order)), "table_name"
        ),
        rules=rules,
        flags=answer(load_sql("report/newest_flags")),
        quarantine=quarantine,
        ages=aged(answer(load_sql("report/freshness")), today),
    )


def _table_state(answer: Query, name: str) -> TableState:
    checks = answer(
        "select check_name, severity, passed, failing_rows, observed from quality.check_result "  # noqa: S608
        f"where table_name = '{name}' order by passed, check_name"
    )
    data_sets = [key for key, table in DATA_SETS.items() if table.qualified_name == name]
    listed = ", ".join(f"'{data_set}'" for data_set in data_sets) or "''"
    return TableState(
        name=name,
        description=TABLES[name].description,
        rows=answer(f"select count(*) from {name}").item(),  # noqa: S608
        checks=checks,
        rules=answer(load_sql("report/flags_by_rule")).filter(pl.col("table_name") == name),
        flags=answer(
            "select rule, subject, fault_date, known_date, figure, expected, detail, file "  # noqa: S608
            f"from quality.flag where table_name = '{name}' "
            f"order by known_date desc, fault_date desc, rule asc, subject asc limit {_SHOWN_ROWS}"
        ),
        quarantine=answer(
            'select file, "row", rule, reason, value from quality.quarantine '  # noqa: S608
            f'where data_set in ({listed}) order by file, "row" limit {_SHOWN_ROWS}'
        ),
        examples=_examples(answer, name, checks),
    )


def _examples(answer: Query, name: str, checks: pl.DataFrame) -> pl.DataFrame:
    """Look up the first rows outside what is likely: only their number is published."""
    schema = {"rule": pl.String, "row": pl.String}
    broken = checks.filter(pl.col("check_name") == _LIKELY_VALUES, ~pl.col("passed"))
    if broken.is_empty():
        return pl.DataFrame(schema=schema)
    from factor_pipeline.checks.suites import warning_suite  # noqa: PLC0415
    from factor_pipeline.checks.validation import validate  # noqa: PLC0415

    table = TABLES[name]
    outcomes = validate(table, answer(f"select * from {name}"), warning_suite(table))  # noqa: S608
    return pl.DataFrame(
        [
            (outcome.rule, ", ".join(f"{key} {value}" for key, value in row.items()))
            for outcome in outcomes
            for row in outcome.examples
        ],
        schema=schema,
        orient="row",
    )


def _records(frame: pl.DataFrame) -> list[dict[str, object]]:
    return [{key: _plain(value) for key, value in row.items()} for row in frame.to_dicts()]


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, date | datetime) else value
