"""How values are written for people; a missing one is an en dash."""

from datetime import date

MISSING = "–"

_MINUS = "\N{MINUS SIGN}"
_KIB = 1024.0


def percent(value: float | None, digits: int = 1) -> str:
    """Write a decimal as percent: ``-0.123`` is ``−12.3%``."""
    return MISSING if value is None else _signed(f"{value:.{digits}%}")


def number(value: float | None, digits: int = 2) -> str:
    """Write a number with a fixed count of digits."""
    return MISSING if value is None else _signed(f"{value:,.{digits}f}")


def count(value: float | None) -> str:
    """Write a whole number with commas between thousands."""
    return MISSING if value is None else _signed(f"{int(value):,d}")


def month(value: date | None) -> str:
    """Write the month of a date, ``2020-03``."""
    return MISSING if value is None else f"{value:%Y-%m}"


def window(first: date | None, last: date | None) -> str:
    """Write a range of months, ``2010-07 to 2021-03``."""
    return MISSING if first is None else f"{month(first)} to {month(last)}"


def text(value: object) -> str:
    """Write any other value as it is."""
    return MISSING if value is None else str(value)


def bytes_of(value: float | None) -> str:
    """Write a size in bytes in the unit that suits it."""
    if value is None:
        return MISSING
    for unit in ("B", "KiB", "MiB"):
        if value < _KIB:
            return f"{value:,.0f} {unit}"
        value /= _KIB
    return f"{value:,.1f} GiB"


def _signed(written: str) -> str:
    """Use the true minus sign, and none for what rounds to zero."""
    if not written.strip("-0.,%"):
        return written.lstrip("-")
    return written.replace("-", _MINUS)
