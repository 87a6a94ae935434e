"""Great Expectations' Data Docs of a published file: suites and results as pages of HTML."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any, Final

import polars as pl

from factor_pipeline.checks.suites import COLUMNS, Expectation, error_suite, warning_suite
from factor_pipeline.checks.validation import (
    configured,
    great_expectations,
    machinery_error,
    result_format,
    simplified,
)
from factor_pipeline.errors import FactorPipelineError, SettingsError, UnknownTableError
from factor_pipeline.schemas.registry import checked_tables
from factor_pipeline.schemas.table import Table
from factor_pipeline.warehouse.query import snapshot

_ROWS_AT_ONCE: Final = 2_000_000
_SITE: Final = "factors"
_PAGES: Final = ("validations", "expectations")

# Great Expectations' pages fetch styles and scripts from four servers, and a picture that counts
# who reads them. They are to be read where there is no network, and by nobody else.
_REMOTE: Final = re.compile(
    r"<link\b[^>]*>|<img\b[^>]*>|<script\b.*?</script>|<footer\b.*?</footer>",
    re.DOTALL,
)
_REMOTE_STYLE: Final = re.compile(r"url\(['\"]?https?://[^)]*\)")
_LINK: Final = re.compile(r'href="(?:\.\./)+(expectations|validations)/([^"#]+?)\.html')
_HOME: Final = re.compile(r'href="(?:\.\./)+index\.html"')
_POLICY: Final = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
)
_STYLE: Final = (Path(__file__).parent / "data_docs.css").read_text(encoding="utf-8")

Query = Callable[[str], pl.DataFrame]


@dataclass(frozen=True, slots=True)
class _Result:
    """What became of the suite of one table."""

    table: str
    rows: int
    looked_at: int
    expectations: int
    broken: Sequence[str]


def write_data_docs(published: Path, folder: Path) -> Path:
    """Validate the published tables against their schemas and write the results as HTML.

    The suites are those of each run: errors, and warnings that do not stop it. Left out are the
    order of columns, which a published table has by its making, and months that must have rows.
    Of a table with more than two million rows the newest months are looked at.

    Parameters
    ----------
    published
        The published file; nothing else is read, and no network is used.
    folder
        Where the pages go; made if need be. Pages that are there are replaced.

    Returns
    -------
    pathlib.Path
        ``index.html``, which leads to a page of results and a page of expectations per table.
        The pages load nothing from elsewhere, and are read without scripts.

    Raises
    ------
    QueryError
        When nothing is published yet.
    SettingsError
        When the folder cannot be written to.
    CheckMachineryError
        When Great Expectations fails itself.
    """
    with snapshot(published) as answer:
        build = answer("select * from quality.build order by build desc limit 1").row(0, named=True)
        try:
            for kind in _PAGES:
                (folder / kind).mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory() as scratch:
                results = _built(Path(scratch), answer, build)
                return _written(Path(scratch) / _SITE, folder, results, build)
        except OSError as error:
            reason = error.strerror or os.strerror(error.errno or 0)
            raise SettingsError(
                f"cannot write Data Docs to {folder}: {reason}; name another with --docs"
            ) from error


def _built(scratch: Path, answer: Query, build: dict[str, Any]) -> list[_Result]:
    """Validate every table, and have Great Expectations write its site into ``scratch``."""
    try:
        gx, context = _context(scratch)
        results = list(_validated(gx, context, answer, build))
        context.build_data_docs()
    except (FactorPipelineError, OSError):
        raise
    # Whatever it raises, and it has no common error, says nothing about the rows.
    except Exception as error:
        raise machinery_error("the published file", str(error)) from error
    return results


def _context(scratch: Path) -> tuple[ModuleType, Any]:
    """Give a context of Great Expectations that keeps everything in ``scratch``."""
    gx = great_expectations()
    context = gx.get_context(mode="file", project_root_dir=str(scratch / "project"))
    context.enable_analytics(enable=False)
    context.variables.progress_bars = {"globally": False}
    context.delete_data_docs_site("local_site")
    context.add_data_docs_site(
        _SITE,
        {
            "class_name": "SiteBuilder",
            "store_backend": {
                "class_name": "TupleFilesystemStoreBackend",
                "base_directory": str(scratch / _SITE),
            },
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    return gx, context


def _validated(
    gx: ModuleType,
    context: Any,  # noqa: ANN401 - Great Expectations comes untyped
    answer: Query,
    build: dict[str, Any],
) -> Iterator[_Result]:
    identifier = import_module("great_expectations.core.run_identifier").RunIdentifier
    run = identifier(
        run_name=f"build {build['build']}", run_time=build["finished_at"].replace(tzinfo=UTC)
    )
    source = context.data_sources.add_pandas("published")
    for table in checked_tables(simulated=build["simulated"]):
        try:
            frame, rows = _rows(answer, table)
        except UnknownTableError:
            continue
        looked_at = frame.height
        frame, suite = simplified(table, frame, _suite(answer, table))
        named = context.suites.add(configured(gx, table, suite))
        batch = source.add_dataframe_asset(
            table.qualified_name
        ).add_batch_definition_whole_dataframe("rows")
        definition = context.validation_definitions.add(
            gx.ValidationDefinition(name=table.qualified_name, data=batch, suite=named)
        )
        result = definition.run(
            batch_parameters={"dataframe": frame.to_pandas()},
            result_format=result_format(table, frame),
            run_id=run,
        )
        broken = [r.expectation_config.meta["rule"] for r in result.results if not r.success]
        yield _Result(table.qualified_name, rows, looked_at, len(suite), broken)


def _suite(answer: Query, table: Table) -> list[Expectation]:
    known = {
        one.column: answer(f"select distinct {one.column} from {one.table}")[one.column].to_list()  # noqa: S608
        for one in table.references
    }
    suite = [*error_suite(table, known=known, months=None), *warning_suite(table)]
    return [e for e in suite if e.kind != COLUMNS]


def _rows(answer: Query, table: Table) -> tuple[pl.DataFrame, int]:
    """Read the rows to validate, and count all of them."""
    name = table.qualified_name
    rows: int = answer(f"select count(*) from {name}").item()  # noqa: S608
    since = ""
    if table.monthly and rows > _ROWS_AT_ONCE:
        months = answer(
            f"select month_end, count(*) as rows from {name} group by all order by month_end desc"  # noqa: S608
        ).filter(pl.col("rows").cum_sum() - pl.col("rows") < _ROWS_AT_ONCE)
        since = f" where month_end >= date '{months['month_end'].cast(pl.String).min()!s}'"
    frame = answer(f"select * from {name}{since}")  # noqa: S608
    return frame.with_columns(pl.col(pl.String).cast(pl.Categorical)), rows


def _written(site: Path, folder: Path, results: Sequence[_Result], build: dict[str, Any]) -> Path:
    for kind in _PAGES:
        for page in (site / kind).rglob("*.html"):
            name = _table_of(page.relative_to(site / kind))
            (folder / kind / f"{name}.html").write_text(
                _offline(page.read_text(encoding="utf-8")), encoding="utf-8"
            )
    index = folder / "index.html"
    index.write_text(_index(results, build), encoding="utf-8")
    return index


def _table_of(page: Path) -> str:
    """``panel.security`` of ``panel/security.html`` or ``panel/security/build 1/.../x.html``."""
    layer, table, *_ = page.with_suffix("").parts
    return f"{layer}.{table}"


def _offline(html: str) -> str:
    """Leave out what a page would load from elsewhere, and have links find the pages here."""
    local = _REMOTE_STYLE.sub("none", _REMOTE.sub("", html))
    local = _LINK.sub(
        lambda found: f'href="../{found[1]}/{_table_of(Path(found[2] + ".html"))}.html', local
    )
    local = _HOME.sub('href="../index.html"', local)
    return local.replace("<head>", f"<head>{_POLICY}<style>{_STYLE}</style>", 1)


def _index(results: Iterable[_Result], build: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><td>{'✗' if one.broken else '✓'}</td>"
        f'<td><a href="validations/{one.table}.html">{one.table}</a></td>'
        f'<td><a href="expectations/{one.table}.html">{one.expectations}</a></td>'
        f"<td>{one.rows:,}</td><td>{one.looked_at:,}</td>"
        f"<td>{escape(', '.join(one.broken)) or 'none'}</td></tr>"
        for one in results
    )
    finished: datetime = build["finished_at"]
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">{_POLICY}'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Data Docs</title><style>{_STYLE}</style></head><body><div class=container-fluid>"
        f"<h4>Data Docs</h4><p>Build {build['build']} of {finished:%Y-%m-%d %H:%M} UTC: every "
        "table computed against its schema, by Great Expectations.</p>"
        '<div class="table-responsive"><table class="table"><thead><tr><th></th><th>Results</th>'
        "<th>Expectations</th><th>Rows</th><th>Rows looked at</th><th>Broken</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></div></body></html>"
    )
