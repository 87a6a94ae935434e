"""Ken French's data library: zipped text files, one folder per CRSP vintage."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import ClassVar, Final, Literal, NamedTuple

import polars as pl

from factor_pipeline.errors import BadFileError, SettingsError
from factor_pipeline.schemas.provenance import contract
from factor_pipeline.schemas.raw import FRENCH_RETURN
from factor_pipeline.sources.archive import single_member
from factor_pipeline.sources.ken_french_format import Block, Layout, Line, decode, split_blocks
from factor_pipeline.sources.protocol import Offer, Parsed, SourceFile
from factor_pipeline.sources.screen import Rule, Screen

MISSING_CODES: Final = (-99.99, -999.0)
"""Values that stand for "missing" in every block, however they are spaced or padded."""

_SUFFIX: Final = "_csv.zip"
_VINTAGE: Final = re.compile(r"\d{4}(0[1-9]|1[0-2])")
_WEEKLY: Final = re.compile(r"_weekly\b", re.IGNORECASE)
_COLUMNS: Final = contract(FRENCH_RETURN).names()
_START: Final = pl.col("start")


class _Frequency(NamedTuple):
    name: Literal["daily", "monthly", "annual"]
    noun: str
    first_day: str
    """What completes a date of the file to the first day of its period."""
    last_day: pl.Expr


_FREQUENCIES: Final = {
    len("YYYYMM"): _Frequency("monthly", "month", "01", _START.dt.month_end()),
    len("YYYY"): _Frequency("annual", "year", "0101", pl.date(_START.dt.year(), 12, 31)),
    len("YYYYMMDD"): _Frequency("daily", "day", "", _START),
}


@dataclass(frozen=True, slots=True)
class KenFrench:
    """Files of the data library in a folder, laid out as ``VINTAGE/NAME_CSV.zip``.

    The vintage is the month of the CRSP database (YYYYMM) a file was made from. A file that lies
    in no such folder must state it.

    Attributes
    ----------
    folder
        Folder of the vintages.
    """

    folder: Path
    name: ClassVar[str] = "ken_french"
    version: ClassVar[int] = 1

    def files(self) -> list[SourceFile]:
        """Library files in the folder and its vintage folders, sorted by name.

        Raises
        ------
        SettingsError
            When there is none.
        """
        paths = [*self.folder.glob("[!.]*"), *self.folder.glob("[!.]*/[!.]*")]
        files = [
            SourceFile(
                name=path.relative_to(self.folder).as_posix(),
                path=path,
                vintage=path.parent.name if _VINTAGE.fullmatch(path.parent.name) else None,
            )
            for path in paths
            if path.name.lower().endswith(_SUFFIX)
        ]
        if not files:
            raise SettingsError(
                f"no NAME_CSV.zip file in {self.folder} or its subfolders; "
                "set library.path to the folder that holds the vintages"
            )
        return sorted(files, key=lambda file: file.name)

    def parse(self, file: Offer, content: bytes) -> Parsed:
        """Read every block of a file.

        Percent become decimals (divided by 100); counts, USD million and ratios stay as printed.
        Missing codes become null before that. Dates become the last day of their period.

        Parameters
        ----------
        file
            Its name ends in ``NAME_CSV.zip``; NAME is the data set.
        content
            Bytes of the zip archive.

        Returns
        -------
        Parsed
            One row per block, date and series, in the order of the file. A damaged line is
            rejected as a whole, as are all lines of a date that has two different ones, and all
            lines of a block whose title does not tell the unit.

        Raises
        ------
        BadFileError
            ``no_table`` without any row below column names; ``no_vintage`` and
            ``vintage_mismatch``; ``ambiguous_columns``; ``repeated_block``; ``weekly_data``; and
            those of ``archive.single_member``.
        """
        data_set = PurePosixPath(file.name).name[: -len(_SUFFIX)]
        if _WEEKLY.search(data_set):
            raise BadFileError(
                "weekly_data", "weekly files are not supported; take the daily file instead"
            )
        layout = split_blocks(decode(single_member(content).content))
        vintage = _vintage(layout, file.vintage)
        tables = [(block, _frequency(block)) for block in layout.blocks]
        _expect_tables(tables)
        screens = [_screen(block, frequency, vintage) for block, frequency in tables]
        frame = pl.concat(
            _cells(screen.rows, block).with_columns(frequency=pl.lit(frequency.name))
            for screen, (block, frequency) in zip(screens, tables, strict=True)
        ).with_columns(data_set=pl.lit(data_set), vintage=pl.lit(vintage))
        rejected = pl.concat([_strays(layout.strays), *(screen.rejected for screen in screens)])
        return Parsed(frame.select(_COLUMNS), rejected.sort("row"), vintage)


def _vintage(layout: Layout, expected: str | None) -> str:
    stated = layout.vintage
    if stated and not _VINTAGE.fullmatch(stated.text):
        raise BadFileError(
            "no_vintage",
            "the vintage the file states is no month; fetch it again",
            row=stated.number,
            value=stated.text,
        )
    if stated and expected and stated.text != expected:
        raise BadFileError(
            "vintage_mismatch",
            f"the file says it is of vintage {stated.text} but is filed under {expected}; "
            "move it to the folder of its own vintage",
            row=stated.number,
            value=stated.text,
        )
    vintage = stated.text if stated else expected
    if vintage is None:
        raise BadFileError(
            "no_vintage",
            "neither the file nor its folder says which CRSP vintage it is; "
            "put it in a folder named after it, such as 202412",
        )
    return vintage


def _frequency(block: Block) -> _Frequency:
    """Frequency that most dates of the block are written for; damaged ones do not decide."""
    widths = Counter(len(line.text.partition(",")[0].strip()) for line in block.rows)
    known = [width for width, _ in widths.most_common() if width in _FREQUENCIES]
    return _FREQUENCIES[known[0] if known else len("YYYYMM")]


def _expect_tables(tables: list[tuple[Block, _Frequency]]) -> None:
    if not tables:
        raise BadFileError(
            "no_table",
            "there are no column names (a line that begins with a comma) with rows below; "
            "check that the file is a return file of the library",
        )
    seen: set[tuple[str, str]] = set()
    for block, frequency in tables:
        identity = (block.title, frequency.name)
        if identity in seen:
            raise BadFileError(
                "repeated_block",
                f"two {frequency.name} blocks have the same title; fetch the file again",
                row=block.header.number,
                value=block.title[:80],
            )
        seen.add(identity)


def _lines(lines: Iterable[Line]) -> pl.DataFrame:
    pairs = [(line.number, line.text) for line in lines]
    return pl.DataFrame(pairs, schema={"row": pl.Int64, "text": pl.String}, orient="row")


def _strays(lines: Iterable[Line]) -> pl.DataFrame:
    screen = Screen(_lines(lines))
    screen.reject(
        Rule(
            "row_outside_block",
            "the row stands below no column names",
            pl.col("row").is_not_null(),
            pl.col("text"),
        )
    )
    return screen.rejected


def _screen(block: Block, frequency: _Frequency, vintage: str) -> Screen:
    """Good rows of a block as ``row``, ``date`` and ``values`` (a list, as printed)."""
    screen = Screen(_lines(block.rows))
    fields = pl.col("text").str.split(",")
    screen.reject(
        Rule(
            "unknown_unit",
            "the title of the block does not tell the unit of its values",
            pl.lit(value=block.unit is None),
            pl.lit(block.title),
        ),
        Rule(
            "field_count",
            f"the row does not have {len(block.columns)} values",
            fields.list.len() != len(block.columns) + 1,
            pl.col("text"),
        ),
    )
    screen.rows = _typed(screen.rows, frequency)
    unread = pl.col("values").list.eval(pl.element().is_null())
    screen.reject(
        Rule("bad_date", f"the date is no {frequency.noun}", _START.is_null(), pl.col("key")),
        Rule(
            "date_after_vintage",
            f"the date lies after the vintage of the file, {vintage}",
            _START.dt.strftime("%Y%m") > vintage,
            pl.col("key"),
        ),
        Rule(
            "bad_number",
            "a value is no number",
            unread.list.any(),
            pl.col("fields").list.get(unread.list.arg_max()),
        ),
    )
    screen.rows = screen.rows.select("row", "values", date=frequency.last_day)
    screen.reject_repeats("date", noun="date")
    return screen


def _typed(rows: pl.DataFrame, frequency: _Frequency) -> pl.DataFrame:
    """Split the text of rows; a date or value that cannot be read is null."""
    digits = len("YYYYMMDD") - len(frequency.first_day)
    day = (pl.col("key") + frequency.first_day).str.to_date("%Y%m%d", strict=False)
    number = pl.element().cast(pl.Float64, strict=False)
    split = pl.col("text").str.split(",").list.eval(pl.element().str.strip_chars())
    return (
        rows.with_columns(fields=split)
        .select("row", key=pl.col("fields").list.first(), fields=pl.col("fields").list.slice(1))
        .with_columns(
            start=pl.when(pl.col("key").str.contains(rf"^[0-9]{{{digits}}}$")).then(day),
            values=pl.col("fields").list.eval(pl.when(number.is_finite()).then(number)),
        )
    )


def _cells(rows: pl.DataFrame, block: Block) -> pl.DataFrame:
    """One row per date and series, missing codes as null, percent as decimals."""
    printed = pl.col("values")
    # A column as divisor: Polars turns division by a constant into multiplication by 0.01, whose
    # rounding differs in the last bit.
    divisor = pl.Series("divisor", [100.0 if block.unit == "decimal" else 1.0])
    return (
        rows.explode("values")
        .with_columns(divisor=divisor.new_from_index(0, rows.height * len(block.columns)))
        .select(
            "date",
            value=pl.when(~printed.is_in(MISSING_CODES)).then(printed / pl.col("divisor")),
            series=pl.Series(block.columns * rows.height, dtype=pl.String),
            block=pl.lit(block.title),
            unit=pl.lit(block.unit, pl.String),
        )
    )
