"""The layout of Ken French's text files: free text, then titled blocks of comma-separated rows."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from factor_pipeline.errors import BadFileError

Unit = Literal["decimal", "count", "usd_million", "ratio"]

_DATED: Final = re.compile(r"\s*\d+\s*(,|$)")
_NUMBER: Final = re.compile(r"\s*[+-]?\d*\.?\d+\s*")
_PREAMBLE: Final = re.compile(r"this file was created|missing data", re.IGNORECASE)
_VINTAGE: Final = re.compile(r"using\s+the\s+(\d{6})\s+\w+\s+database", re.IGNORECASE)
# First match wins: an average of prior returns is a return, any other average is a ratio.
_UNITS: Final[tuple[tuple[re.Pattern[str], Unit], ...]] = (
    (re.compile(r"number of firms", re.IGNORECASE), "count"),
    (re.compile(r"average (market cap|firm size)", re.IGNORECASE), "usd_million"),
    (re.compile(r"^$|returns|factors", re.IGNORECASE), "decimal"),
    (re.compile(r"average of|sum of", re.IGNORECASE), "ratio"),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a file, its ends trimmed of blanks and trailing commas, and its number."""

    number: int
    text: str


@dataclass(frozen=True, slots=True)
class Block:
    """One table of a file, its rows still text.

    Attributes
    ----------
    title
        Text right above the column names, its lines joined by single spaces; '' without one.
    columns
        Column names, the date column left out.
    header
        The line with the column names.
    rows
        Lines below it, damaged ones included.
    """

    title: str
    columns: tuple[str, ...]
    header: Line
    rows: list[Line] = field(default_factory=list)

    @property
    def unit(self) -> Unit | None:
        """Unit of the values once percent are decimals; None when the title names no known one."""
        return next((unit for pattern, unit in _UNITS if pattern.search(self.title)), None)


@dataclass(frozen=True, slots=True)
class Layout:
    """A file cut into blocks.

    Attributes
    ----------
    blocks
        Blocks with at least one row, in the order of the file.
    strays
        Lines that look like rows but follow no column names.
    vintage
        Edition the text states, with the line that states it.
    """

    blocks: tuple[Block, ...]
    strays: tuple[Line, ...]
    vintage: Line | None


def decode(content: bytes) -> str:
    """Text of a file in UTF-8, with or without a mark, else in Latin-1; lines end in LF."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("latin-1")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def split_blocks(text: str) -> Layout:
    """Cut the text of a file into its blocks.

    Column names are a line that begins with a comma, set off from the rows above. Rows follow
    until other text begins; blank lines between rows do no harm, and text between two rows
    without a blank line is a damaged row. A title is the paragraph above the column names; the
    preamble of the file is none.

    Parameters
    ----------
    text
        The file, its lines ending in LF.

    Returns
    -------
    Layout
        Blocks, strays and the stated vintage.

    Raises
    ------
    BadFileError
        ``ambiguous_columns`` when a block has a column without a name or two of one name.
    """
    splitter = _Splitter()
    for number, line in enumerate(text.split("\n"), 1):
        # Spreadsheets pad every line with commas to the width of the widest.
        splitter.take(Line(number, line.strip().rstrip(", \t")))
    return Layout(
        blocks=tuple(block for block in splitter.blocks if block.rows),
        strays=tuple(splitter.strays),
        vintage=_stated_vintage(text),
    )


class _Splitter:
    """State of the reading: a block is open from its column names to the text that ends it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.strays: list[Line] = []
        self._open: Block | None = None
        self._inside = False  # the line before belongs to the open block
        self._doubtful: list[Line] = []  # a damaged row if a row follows at once, else text
        self._paragraph: list[str] = []
        self._paragraph_ended = False

    def take(self, line: Line) -> None:
        text = line.text
        if not text:
            self._settle_doubtful()
            self._paragraph_ended = True
        elif text.startswith(",") and not (self._inside or _ends_in_number(text)):
            self._settle_doubtful()
            self._start_block(line, text)
        elif self._open and _is_row(text, width=len(self._open.columns) + 1):
            self._open.rows.extend([*self._doubtful, line])
            self._doubtful = []
        elif self._open and (self._inside or self._doubtful):
            self._doubtful.append(line)
        elif _DATED.match(text) and _ends_in_number(text):
            self.strays.append(line)
        else:
            self._add_text(text)
        self._inside = bool(text and self._open and not self._doubtful)

    def _start_block(self, line: Line, text: str) -> None:
        # Only the text above a file's first block holds paragraphs that are no title.
        adjacent = bool(self.blocks) or not self._paragraph_ended
        title = " ".join(" ".join(self._paragraph).split()) if adjacent else ""
        if _PREAMBLE.match(title):
            title = ""
        self._open = Block(title, _column_names(line, text), line)
        self.blocks.append(self._open)
        self._paragraph, self._paragraph_ended = [], False

    def _settle_doubtful(self) -> None:
        for line in self._doubtful:
            self._add_text(line.text)
        self._doubtful = []

    def _add_text(self, text: str) -> None:
        self._open = None
        if self._paragraph_ended:
            self._paragraph = []
        self._paragraph.append(text)
        self._paragraph_ended = False


def _column_names(line: Line, text: str) -> tuple[str, ...]:
    names = tuple(" ".join(name.split()) for name in text.split(",")[1:])
    if "" in names or len(set(names)) < len(names):
        raise BadFileError(
            "ambiguous_columns",
            "a column has no name, or two have the same; compare with an earlier edition",
            row=line.number,
            value=text[:80],
        )
    return names


def _is_row(text: str, *, width: int) -> bool:
    """Whether a line below column names is a row, if a damaged one, rather than text."""
    same_width = text.count(",") + 1 == width
    return bool(_DATED.match(text)) or (same_width and (text[0] == "," or _ends_in_number(text)))


def _ends_in_number(text: str) -> bool:
    """Whether the last field is a number, as in a row, rather than a name or a word."""
    return bool(_NUMBER.fullmatch(text.rpartition(",")[2]))


def _stated_vintage(text: str) -> Line | None:
    match = _VINTAGE.search(text)
    return Line(text.count("\n", 0, match.start(1)) + 1, match[1]) if match else None
