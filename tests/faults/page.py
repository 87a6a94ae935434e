"""The corpus as a page: ``python -m tests.faults.page`` writes ``docs/faults.md`` anew."""

from collections.abc import Iterator
from pathlib import Path

from tests.faults.clean import BOUNDS, FILE_SEEDS, SEEDS, STOCKS, YEARS
from tests.faults.corpus import CHAPTERS, CORPUS
from tests.faults.fault import Fault

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
COMMAND = "python -m tests.faults.page"

_INTRODUCTION = f"""# Faults, and what becomes of them

{len(CORPUS)} ways in which data come broken. `tests/faults` puts each of them into the files of a
clean market, ingests and builds that market again, and holds that

- the rule named here sees it, on the right row and day, and no other rule but those named sees
  anything;
- the published data change as it says here, and in no other month, column or stock, to the last
  bit: months before the first changed day are the same in every table that is built;
- a file that cannot be read leaves its last good rows where they are.

Rows and files that were rejected are in `quality.quarantine` with file, line, rule and value; rows
that stay and look faulty are in `quality.flag` with rule, subject and day, and what each rule looks
for, and from which threshold on, is in `quality.rule`. A flag alone changes no number.

This page is made from the corpus by `{COMMAND}`; a test holds it up to date."""

_HEADER = ("fault", "what is injected", "detected by", "published data")
_SEEN = {
    "quarantine": "`{}` in `quality.quarantine`",
    "outage": "`{}` in `quality.quarantine`",
    "flag": "`{}` in `quality.flag`",
    "nothing": "nothing: it is no fault",
    "check": "check `{}` of the raw table",
}
_CLEAN = f"""## What clean data are flagged with

{len(SEEDS)} clean simulated markets of {STOCKS} firms and {YEARS} years, {len(FILE_SEEDS)} of them
as vendor files too, have no file and no row in quarantine, break no rule whose failure stops a
build, and are flagged no more often than this per 1,000 months of a stock, all markets together.
What is not listed is never flagged there."""


def page() -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION]
    for chapter, faults in CHAPTERS.items():
        parts += [f"## {chapter}", _table(_HEADER, (_cells(fault) for fault in faults))]
    bounds = (
        (f"`{rule}`", f"{bound.embedded:g}", f"{bound.files:g}", bound.why)
        for rule, bound in BOUNDS.items()
    )
    parts += [_CLEAN, _table(("rule", "embedded", "as files", "what it is"), bounds)]
    return "\n\n".join(parts) + "\n"


def _cells(fault: Fault) -> tuple[str, ...]:
    seen = _SEEN[fault.by].format(fault.rule)
    if fault.also:
        seen += "; also " + ", ".join(f"`{rule}`" for rule in sorted(fault.also))
    return fault.name.replace("_", " "), fault.what, seen, fault.outcome


def _table(header: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
