"""Numbers that come out of linear algebra, without the bits that depend on the machine."""

from typing import Final

import polars as pl

SIGNIFICANT_DIGITS: Final = 10
"""Digits that are kept: far more than any estimate is known to, and five fewer than a double has,
so that the last bits of a matrix product hardly ever decide."""


def reproducible(value: float) -> float:
    """Round to ten significant digits.

    Libraries of linear algebra add in an order that depends on their version and the processor:
    what statsmodels gives differs in the last bits from machine to machine. Nothing else in the
    warehouse does, so only what comes from there needs this.

    Parameters
    ----------
    value
        A number; infinite ones and NaN stay what they are.

    Returns
    -------
    float
        The double nearest to the decimal number.
    """
    return float(f"{value:.{SIGNIFICANT_DIGITS}g}")


def reproducible_columns(frame: pl.DataFrame) -> pl.DataFrame:
    """Round all columns of 64-bit floats as `reproducible` does.

    For tables of regression results, which are made at once and read by people: a difference in
    the last bits would make equal data look changed.
    """
    floats = [name for name, dtype in frame.schema.items() if dtype == pl.Float64]
    return frame.with_columns(
        pl.Series(
            name,
            [None if value is None else reproducible(value) for value in frame[name].to_list()],
            dtype=pl.Float64,
        )
        for name in floats
    )
