"""Delimited text from strangers: whole files refused by name, single rows by line."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from factor_pipeline.errors import BadFileError
from factor_pipeline.sources.protocol import REJECT_SCHEMA
from factor_pipeline.sources.screen import SHOWN, Screen, iso_date

_BOM: Final = b"\xef\xbb\xbf"
# Vendors repeat the caller's API key in their error pages; a key never reaches a table or a log.
_KEY_LIKE: Final = re.compile(r"(?=\w*\d)\w{8,}")
_REPEATED: Final = "_duplicated_"  # what Polars appends to a name it has seen before


def screen_table(
    content: bytes,
    *,
    required: Sequence[str],
    numbers: Sequence[str] = (),
    dates: Sequence[str] = (),
    separator: str = ",",
) -> Screen:
    """Read a file with typed columns, setting aside the rows that cannot be read.

    Parameters
    ----------
    content
        Bytes of the (uncompressed) file: UTF-8 with or without a byte order mark, lines ending
        in LF, CRLF or CR. Blank lines are left out.
    required
        Columns the file must have, in any order.
    numbers, dates
        Those of ``required`` to parse as ``Screen.parse_numbers`` and ``Screen.parse_dates`` do.
    separator
        One character between fields; fields may be quoted with ``"``.

    Returns
    -------
    Screen
        ``row`` (Int64), the one-based line on which the row begins (the header is usually 1), and
        every column of the file: ``numbers`` as Float64, ``dates`` as Date, all others as
        stripped String; null where empty. Rejected are rows with too few or too many fields
        (``ragged_row``) and those that cannot be parsed (``not_a_date``, ``not_a_number``).

    Raises
    ------
    BadFileError
        ``empty_file`` (nothing, or a header alone), ``html_page``, ``api_error`` (a JSON answer),
        ``not_text``, ``renamed_columns`` (missing or repeated names), or ``ragged_rows`` when no
        row fits the header or a quote never closes.
    """
    _expect_text(content)
    typed = _read_faultless(
        content, required=required, numbers=numbers, dates=dates, separator=separator
    )
    if typed is not None:
        return Screen(typed)
    table, ragged = _read_records(content, required=required, separator=separator)
    if table.is_empty():
        row, _, fault, value = ragged.row(0)
        raise BadFileError(
            "ragged_rows",
            f"no row fits the header, the first with {fault}; fetch it again",
            row=row,
            value=value,
        )
    screen = Screen(table, ragged)
    screen.parse_dates(*dates)
    screen.parse_numbers(*numbers)
    return screen


def _expect_text(content: bytes) -> None:
    start = content.removeprefix(_BOM)[:4096].lstrip()
    if not start and not content.removeprefix(_BOM).strip():
        raise BadFileError("empty_file", "the file is empty; fetch it again")
    if start.startswith(b"<"):
        raise BadFileError(
            "html_page",
            "a web page was served in place of a table; check the address and fetch it again",
            row=1,
            value=_page_excerpt(start),
        )
    if start.startswith((b"{", b"[")):
        raise BadFileError(
            "api_error",
            "the vendor answered with a message in place of a table; "
            "check symbol and request limit and fetch it again",
            row=1,
            value=_page_excerpt(start),
        )
    if b"\0" in content:
        raise BadFileError(
            "not_text",
            "the file has NUL bytes; check that it is CSV in UTF-8 and fetch it again",
            row=content.count(b"\n", 0, content.index(b"\0")) + 1,
        )


def _page_excerpt(start: bytes) -> str:
    text = " ".join(start.decode(errors="replace").split())
    return _KEY_LIKE.sub("***", text)[:SHOWN]


def _read_records(
    content: bytes, *, required: Sequence[str], separator: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows of the header's length as text; the others as rejected rows."""
    reader = csv.reader(
        io.StringIO(_decoded(content), newline=""), delimiter=separator, strict=True
    )
    filled: list[tuple[int, list[str]]] = []
    line = 1
    try:
        for record in reader:
            if len(record) > 1 or any(map(str.strip, record)):
                filled.append((line, record))
            line = reader.line_num + 1
    except csv.Error as error:
        raise BadFileError(
            "ragged_rows", f"the file cannot be split into rows ({error}); fetch it again", row=line
        ) from error
    if not filled:
        raise BadFileError("empty_file", "the file is empty; fetch it again")
    (header_line, header), *body = filled
    names = _named(header, required=required, row=header_line)
    if not body:
        raise BadFileError("empty_file", "the file has a header and no rows; fetch it again")
    fitting = [(line, *record) for line, record in body if len(record) == len(names)]
    table = pl.DataFrame(
        dict(zip(["row", *names], zip(*fitting, strict=True), strict=True)) if fitting else None,
        schema={"row": pl.Int64, **dict.fromkeys(names, pl.String)},
    )
    ragged = pl.DataFrame(
        [
            (
                line,
                "ragged_row",
                f"{len(record)} fields where the header has {len(names)}",
                separator.join(record)[:SHOWN],
            )
            for line, record in body
            if len(record) != len(names)
        ],
        schema=REJECT_SCHEMA,
        orient="row",
    )
    return table.with_columns(_stripped(names)), ragged


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFileError(
            "not_text",
            "the file is not UTF-8 text; check where it comes from and fetch it again",
            row=content.count(b"\n", 0, error.start) + 1,
        ) from error


def _named(header: list[str], *, required: Sequence[str], row: int) -> list[str]:
    names = [name.strip() for name in header]
    missing = [name for name in required if name not in names]
    repeated = [name for name, count in Counter(["row", *names]).items() if count > 1]
    if not missing and not repeated:
        return names
    fault = (
        f"lacks {', '.join(missing)}"
        if missing
        else f"repeats names or uses the reserved one 'row': {', '.join(map(repr, repeated))}"
    )
    raise BadFileError(
        "renamed_columns",
        f"the header {fault}; check that the file is of this data set",
        row=row,
        value=", ".join(names)[:SHOWN],
    )


def _stripped(names: Sequence[str]) -> list[pl.Expr]:
    stripped = [pl.col(name).str.strip_chars() for name in names]
    return [pl.when(text != "").then(text) for text in stripped]


def _read_faultless(
    content: bytes,
    *,
    required: Sequence[str],
    numbers: Sequence[str],
    dates: Sequence[str],
    separator: str,
) -> pl.DataFrame | None:
    """Typed rows in one pass, several times as fast; None unless every row is beyond doubt."""
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        return None
    _, _, body = content.partition(b"\n")
    if b'"' in body:
        return None
    try:
        table = pl.read_csv(
            content,
            separator=separator,
            infer_schema=False,
            schema_overrides=dict.fromkeys(numbers, pl.Float64),
        )
    except pl.exceptions.PolarsError:
        return None
    names = table.columns
    lines = body.count(b"\n") + (not body.endswith(b"\n"))
    # Polars fills short rows up in silence; no field can be missing when the separators add up.
    is_rectangular = (
        table.height == lines
        and table.width > 1
        and body.count(separator.encode()) == lines * (table.width - 1)
    )
    is_named = (
        set(required) <= set(names)
        and "row" not in names
        and not any(_REPEATED in name or name != name.strip() for name in names)
    )
    if not is_rectangular or not is_named:
        return None
    texts = [name for name in names if name not in {*numbers, *dates}]
    typed = table.with_columns(*_stripped(texts), *map(iso_date, dates))
    is_faultless = (
        all(typed[name].null_count() == table[name].null_count() for name in dates)
        and typed.select(pl.all_horizontal(pl.col(numbers).is_finite().all())).item()
    )
    return typed.with_row_index("row", 2).cast({"row": pl.Int64}) if is_faultless else None
