"""What a fault of the corpus is: what is done to a vendor's files, who sees it, what it changes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import polars as pl

from tests.faults.vendor import Vendor

By = Literal["quarantine", "outage", "flag", "check", "nothing"]


@dataclass(frozen=True)
class Injected:
    """A fault put into the files of one vendor.

    Attributes
    ----------
    files
        Bytes by name in the folder of the data set (or of the one file); null takes a file away.
    rows
        Rows handed to the raw table by a source of their own, for data sets no file vendor serves.
    subject
        Whose rows are faulty: ticker, symbol, series or file; empty where it is those of all.
    called
        How the subject of the flags begins, where it is another name than that of the rows.
    flagged
        ``fault_date`` of each flag of the rule; of result rules each ``month_end``.
    days
        Days of the raw rows that differ from the clean ones, of the subject alone.
    months
        First and last month end of panel rows that differ, of the subject alone.
    lines
        Lines of the file in quarantine; null where the file is as a whole.
    """

    files: dict[str, bytes | None] = field(default_factory=dict)
    rows: pl.DataFrame | None = None
    subject: str = ""
    called: str = ""
    flagged: tuple[date, ...] = ()
    days: frozenset[date] = frozenset()
    months: tuple[date, date] | None = None
    lines: tuple[int, ...] | None = ()


@dataclass(frozen=True)
class Fault:
    """One way in which data come broken.

    Attributes
    ----------
    name, what
        Short name, and what is injected, as a sentence.
    data_set
        Whose files are changed.
    rule
        Rule that must see it.
    by
        Where the rule speaks: ``quarantine`` (``quality.quarantine``; the bad rows stay out, or the
        file does and its last good rows stay), ``outage`` (likewise, but so large a share of the
        files is bad that none is taken), ``flag`` (``quality.flag``), ``check``
        (of that name on the raw table: nothing is built), ``nothing``
        (it is no fault: the same rows are read).
    outcome
        What happens to the published data, as a sentence.
    inject
        Puts it into clean files.
    nulls, alters
        Columns of ``panel.security_month`` that become NULL, or differ, in the months of
        ``Injected``; elsewhere nothing does.
    adds, drops
        Whether panel rows come or go in these months.
    also
        Other rules that rightly see it too.
    """

    name: str
    what: str
    data_set: str
    rule: str
    by: By
    outcome: str
    inject: Callable[[Vendor], Injected]
    nulls: frozenset[str] = frozenset()
    alters: frozenset[str] = frozenset()
    adds: bool = False
    drops: bool = False
    also: frozenset[str] = frozenset()
