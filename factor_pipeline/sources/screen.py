"""Rows of a file under examination: what breaks a rule is set aside with its reason."""

import re
from dataclasses import dataclass
from typing import Final, Self

import polars as pl

from factor_pipeline.sources.protocol import REJECT_SCHEMA

SHOWN: Final = 80
"""Characters of an offending value that are kept."""

_ISO_DATE: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason to reject single rows.

    Attributes
    ----------
    name
        Short name, such as ``negative_price``.
    reason
        What is wrong with such a row, in a few words.
    broken
        Boolean expression over the rows; null counts as not broken.
    value
        Expression for the offending value.
    """

    name: str
    reason: str
    broken: pl.Expr
    value: pl.Expr

    @classmethod
    def missing(cls, column: str) -> Self:
        """Rows without a value in ``column``."""
        name = re.sub(r"\W+", "_", column.lower()).strip("_")
        empty = pl.lit(None, pl.String)
        return cls(f"missing_{name}", f"{column} is empty", pl.col(column).is_null(), empty)


class Screen:
    """Rows of one file that have passed so far, and those already rejected.

    Parameters
    ----------
    rows
        Rows to examine; ``row`` (Int64) is the one-based line in the file.
    rejected
        Rows the reader could not take in, in the columns of ``REJECT_SCHEMA``.

    Attributes
    ----------
    rows
        Rows that have passed so far. May be replaced by a frame of other columns, as long as
        ``row`` stays.
    """

    def __init__(self, rows: pl.DataFrame, rejected: pl.DataFrame | None = None) -> None:
        self.rows = rows
        self._rejected = [pl.DataFrame(schema=REJECT_SCHEMA)]
        if rejected is not None:
            self._rejected.append(rejected)

    @property
    def rejected(self) -> pl.DataFrame:
        """Rejected rows in the columns of ``REJECT_SCHEMA``, sorted by line."""
        return pl.concat(self._rejected).sort("row", maintain_order=True)

    def parse_numbers(self, *columns: str) -> None:
        """Turn String columns into finite Float64; other text rejects the row (``not_a_number``).

        A decimal point and no thousands separators; ``nan`` and infinities are no numbers.
        """
        self._parse({name: finite_number(name) for name in columns}, "not_a_number", "a number")

    def parse_dates(self, *columns: str) -> None:
        """Turn String columns ``YYYY-MM-DD`` into Date; other text rejects (``not_a_date``)."""
        self._parse({name: iso_date(name) for name in columns}, "not_a_date", "a date (YYYY-MM-DD)")

    def reject(self, *rules: Rule) -> None:
        """Set aside the rows that break a rule; of several broken rules the first is named."""
        if not rules:
            return
        hit = self.rows.select(
            pl.any_horizontal(rule.broken for rule in rules).fill_null(value=False)
        ).to_series()
        if not hit.any():
            return
        verdicts = [
            pl.when(rule.broken).then(
                pl.struct(
                    rule=pl.lit(rule.name),
                    reason=pl.lit(rule.reason),
                    value=rule.value.cast(pl.String).str.slice(0, SHOWN),
                )
            )
            for rule in rules
        ]
        self._rejected.append(
            self.rows.select("row", pl.coalesce(verdicts).alias("verdict"))
            .filter(hit)
            .unnest("verdict")
        )
        self.rows = self.rows.filter(~hit)

    def reject_repeats(self, *key: str, noun: str) -> None:
        """Leave one row per ``key``; null keys are equal to each other.

        Of rows equal in every column the first in the file stays and the others are rejected as
        ``duplicate_<noun>``. Where rows of one key differ, nothing says which is right, and all
        of them are rejected as ``conflicting_<noun>``.
        """
        if not self.rows.select(key).is_duplicated().any():
            return
        columns = [name for name in self.rows.columns if name != "row"]
        shown = pl.concat_str(pl.col(key).cast(pl.String), separator=" ", ignore_nulls=True)
        self.reject(
            Rule(
                f"conflicting_{noun}",
                f"rows of one {noun} contradict each other; none of them is used",
                pl.len().over(key) != pl.len().over(columns),
                shown,
            ),
            Rule(
                f"duplicate_{noun}",
                f"the same {noun} with the same values stands further up in the file",
                pl.col("row") != pl.col("row").min().over(key),
                shown,
            ),
        )

    def _parse(self, parsed: dict[str, pl.Expr], rule: str, wanted: str) -> None:
        self.reject(
            *(
                Rule(
                    rule,
                    f"{name} is not {wanted}",
                    pl.col(name).is_not_null() & expression.is_null(),
                    pl.col(name),
                )
                for name, expression in parsed.items()
            )
        )
        self.rows = self.rows.with_columns(**parsed)


def finite_number(column: str) -> pl.Expr:
    """Float64 from text; null where it is empty or no finite number."""
    parsed = pl.col(column).cast(pl.Float64, strict=False)
    return pl.when(parsed.is_finite()).then(parsed).alias(column)


def iso_date(column: str) -> pl.Expr:
    """Date from text; null where it is empty or no day written ``YYYY-MM-DD``."""
    text = pl.col(column)
    day = text.str.to_date("%Y-%m-%d", strict=False)
    return pl.when(text.str.contains(_ISO_DATE)).then(day).alias(column)
