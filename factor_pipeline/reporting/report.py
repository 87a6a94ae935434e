"""From the published file to one HTML file that needs nothing else."""

import base64
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from factor_pipeline.errors import SettingsError
from factor_pipeline.reporting import (
    factors,
    formats,
    methodology,
    palette,
    performance,
    pictures,
    provenance,
    signals,
)
from factor_pipeline.reporting.blocks import Block, Note, Part, Section, charts_of
from factor_pipeline.reporting.published import (
    EmptyTableError,
    NotInBuildError,
    Published,
    published_tables,
)

FILE_NAME = "factor_report.html"

SECTIONS: tuple[Section[Published], ...] = (
    provenance.HEADLINE,
    performance.SUMMARY,
    performance.PERFORMANCE,
    performance.MONTHLY,
    performance.EXPOSURES,
    performance.ILLUSTRATION,
    signals.DECILES,
    signals.BETAS,
    factors.STATISTICS,
    factors.LIBRARY,
    factors.REGIMES,
    factors.FUNDS,
    provenance.QUALITY,
    methodology.METHODOLOGY,
    provenance.PROVENANCE,
)

_PAGE = Path(__file__).parent / "page"


@dataclass(frozen=True, slots=True)
class Chapter:
    """A section with what the build has of it."""

    name: str
    title: str
    lead: str
    blocks: Sequence[Block]
    absent: Sequence[str]


def write_report(published: Path, folder: Path) -> Path:
    """Write the report on a published file.

    Parameters
    ----------
    published
        The published file; it is read as of the call, whatever is published meanwhile.
    folder
        Where the report goes; made if need be. A report that is there is replaced whole.

    Returns
    -------
    pathlib.Path
        The file: HTML with styles, scripts, data and pictures inside. The same published file
        gives the same bytes.

    Raises
    ------
    QueryError
        When nothing is published yet.
    SettingsError
        When the folder cannot be written to.
    """
    with published_tables(published) as tables:
        html = _page(tables, [_chapter(section, tables) for section in SECTIONS])
    target = folder / FILE_NAME
    partial = target.with_suffix(".partial")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(html, encoding="utf-8")
        partial.replace(target)
    except OSError as error:
        reason = error.strerror or os.strerror(error.errno or 0)
        raise SettingsError(
            f"cannot write the report to {folder}: {reason}; name another folder with --out"
        ) from error
    return target


def _chapter(section: Section[Published], tables: Published) -> Chapter:
    blocks: list[Block] = []
    absent: list[str] = []
    for part in section.parts:
        try:
            blocks += part.build(tables)
        except EmptyTableError as error:
            if part.when_empty:
                blocks.append(Note(part.when_empty))
            else:
                absent.append(_not_there(part, str(error)))
        except NotInBuildError as error:
            absent.append(_not_there(part, str(error)))
    return Chapter(section.name, section.title, section.lead, blocks, absent)


def _not_there(part: Part[Published], reason: str) -> str:
    return f"{part.name}: not in this build" + (f" ({reason})." if reason else ".")


def _page(tables: Published, chapters: Sequence[Chapter]) -> str:
    charts = [chart for chapter in chapters for chart in charts_of(chapter.blocks)]
    scripts = [pictures.javascript(), (_PAGE / "report.js").read_text(encoding="utf-8")]
    build = tables.build
    environment = Environment(
        loader=FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        title="Factor report",
        build=build,
        window=formats.window(build["first_month"], build["last_month"]),
        chapters=chapters,
        specs=_json({chart.name: chart.spec for chart in charts}),
        pictures={chart.name: pictures.svg(chart.spec) for chart in charts},
        scripts=scripts,
        hashes=[_hash(script) for script in scripts],
        css=(_PAGE / "report.css").read_text(encoding="utf-8"),
        light=palette.LIGHT,
        dark=palette.DARK,
    )


def _json(value: object) -> str:
    """JSON that cannot end the script element it stands in."""
    written = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(script: str) -> str:
    """Return what the page's security policy knows a script by."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"
