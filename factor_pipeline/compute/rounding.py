"""Numbers that come out of linear algebra, without the bits that depend on the machine."""

from typing import Final

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
