"""Cron lines, checked as far as the schedule needs: five fields of numbers, all in range."""

import re
from itertools import product

_FIELDS = {
    "minute": (0, 59),
    "hour": (0, 23),
    "day of month": (1, 31),
    "month": (1, 12),
    "day of week": (0, 6),
}
_PART = re.compile(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?")
_LONGEST_MONTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def cron_line(value: str) -> str:
    """Return ``value`` if it is a cron line: minute, hour, day, month, weekday (0 is Sunday).

    Each field is ``*`` or a list of numbers and ranges, with a step if wanted: ``*/15``,
    ``1-5``, ``0,30``.

    Raises
    ------
    ValueError
        When it is not, or names only days that no month has.
    """
    fields = value.split(" ")
    if len(fields) != len(_FIELDS):
        raise ValueError(f'{value!r} is not a cron line of five fields, such as "30 2 * * *"')
    chosen = [
        _numbers(name, field, *bounds)
        for (name, bounds), field in zip(_FIELDS.items(), fields, strict=True)
    ]
    days, months = chosen[2], chosen[3]
    if all(day > _LONGEST_MONTHS[month - 1] for day, month in product(days, months)):
        raise ValueError(f"{value!r} never comes: no such month has such a day")
    return value


def _numbers(name: str, field: str, lowest: int, highest: int) -> set[int]:
    """Numbers a field stands for."""
    wrong = ValueError(
        f'{field!r} is not a {name}: write "*" or numbers from {lowest} to {highest}, '
        "as in 1,2 or 1-5 or */15"
    )
    chosen: set[int] = set()
    for part in field.split(","):
        match = _PART.fullmatch(part)
        if not match:
            raise wrong
        first, last, step = (int(group) if group else None for group in match.groups())
        if first is None:
            first, last = lowest, highest
        elif last is None:
            last = highest if step else first
        if not lowest <= first <= last <= highest or step == 0:
            raise wrong
        chosen.update(range(first, last + 1, step or 1))
    return chosen
