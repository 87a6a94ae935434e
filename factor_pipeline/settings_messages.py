"""What is wrong with a settings document, as one line a person can act on."""

from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

_SHOWN_CHARACTERS = 60


def one_line(error: ValidationError, root: type[BaseModel]) -> str:
    """Name the first wrong key of the document ``root`` was to be made of, and what it accepts."""
    first = error.errors()[0]
    location = first["loc"]
    key = _dotted(location)
    model, field = _declared(location, root)
    if first["type"] == "value_error":
        said = str(first["ctx"]["error"])
    elif first["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        close = get_close_matches(str(location[-1]), known, n=1)
        guess = f"did you mean {close[0]}? " if close else ""
        return _on_one_line(f"unknown key {key}; {guess}accepted here: {', '.join(known)}")
    elif first["type"] == "missing":
        said = f"is missing; write {_accepted(field)}"
    else:
        said = f"{_shown(first['input'])} is not accepted; write {_accepted(field)}"
    return _on_one_line(f"{key}: {said}" if key else said)


def _dotted(location: Sequence[int | str]) -> str:
    """``panel.splices[0].date`` for ``("panel", "splices", 0, "date")``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _declared(
    location: Sequence[int | str], root: type[BaseModel]
) -> tuple[type[BaseModel], FieldInfo | None]:
    """Section that ``location`` is in, and the field it names, if there is one."""
    model, field = root, None
    for part in location:
        if isinstance(part, int):
            continue
        if field and (inner := _section_of(field.annotation)):
            model = inner
        field = model.model_fields.get(part)
    return model, field


def _section_of(annotation: object) -> type[BaseModel] | None:
    """Section a field is, or is a list of."""
    plain, _ = _plain(annotation)
    for candidate in (plain, *get_args(plain)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _plain(annotation: object) -> tuple[object, tuple[object, ...]]:
    """Type without ``None`` and annotations, and the rules these hold."""
    rules: tuple[object, ...] = ()
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *found = get_args(annotation)
            rules += tuple(rule for one in found for rule in getattr(one, "metadata", [one]))
        elif get_origin(annotation) in {Union, UnionType}:
            annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
        else:
            return annotation, rules


def _accepted(field: FieldInfo | None) -> str:
    """Say what a field takes."""
    annotation, rules = _plain(field.annotation if field else None)
    rules += tuple(field.metadata) if field else ()
    if get_origin(annotation) is tuple:
        item, rules = _plain(get_args(annotation)[0])
        if inner := _section_of(item):
            return f"a list such as [{(shown := _keys(inner))}, {shown}]"
        if item is str:
            return 'a list such as ["...", "..."]'
        of_numbers = item in {int, float}
        return f"a list{' with each item' if of_numbers else ' of'} {_item(item, rules)}"
    return _item(annotation, rules)


def _item(annotation: object, rules: Sequence[object]) -> str:
    if get_origin(annotation) is Literal:
        return _either([_shown(value) for value in get_args(annotation)])
    if get_origin(annotation) is Mapping:
        return "names and numbers such as { book_to_market = 1.0 }"
    if _section_of(annotation):
        return "it as a section with keys of its own"
    if annotation in {int, float}:
        return f"{'a whole number' if annotation is int else 'a number'}{_bounds(rules)}"
    if annotation is bool:
        return "true or false"
    return "a day such as 2001-10-30" if annotation is date else "a text in quotes"


def _keys(section: type[BaseModel]) -> str:
    return f"{{{' = ..., '.join(section.model_fields)} = ...}}"


def _either(options: Sequence[str]) -> str:
    *others, last = options
    return f"{', '.join(others)} or {last}"


def _bounds(rules: Sequence[object]) -> str:
    bounds = {
        name: bound
        for rule in rules
        for name in ("ge", "gt", "le")
        if (bound := getattr(rule, name, None)) is not None
    }
    if not bounds:
        return ""
    if "gt" in bounds:
        return f" above {bounds['gt']} and up to {bounds['le']}"
    return f" from {bounds['ge']}" + (f" to {bounds['le']}" if "le" in bounds else " on")


def _shown(value: object) -> str:
    """Return a value as TOML writes it, shortened."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    if isinstance(value, bool):
        text = text.lower()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
