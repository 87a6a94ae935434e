"""What is wrong with a settings document, as one line a person can act on."""

from collections.abc import Sequence
from datetime import date
from difflib import get_close_matches
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

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
    for candidate in (annotation, *get_args(annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _accepted(field: FieldInfo | None) -> str:
    """Say what a field takes."""
    annotation = field.annotation if field else None
    types = (annotation, *get_args(annotation))
    inner = _section_of(annotation)
    choices = [get_args(kind) for kind in types if get_origin(kind) is Literal]
    options = _either([_shown(value) for value in choices[0]]) if choices else ""
    if get_origin(annotation) is tuple:
        item = f"{{{' = ..., '.join(inner.model_fields)} = ...}}" if inner else '"..."'
        return f"a list of {options}" if options else f"a list such as [{item}, {item}]"
    if options:
        return options
    if inner:
        return "it as a section with keys of its own"
    plain = _unwrapped(annotation)
    if field and plain in {int, float}:
        return f"{'a whole number' if plain is int else 'a number'}{_bounds(field)}"
    if date in types:
        return "a day such as 2001-10-30"
    return "true or false" if annotation is bool else "a text in quotes"


def _unwrapped(annotation: object) -> object:
    """Type that an optional or annotated type is about."""
    inner = [kind for kind in get_args(annotation) if kind is not NoneType]
    if get_origin(annotation) is Annotated or len(inner) < len(get_args(annotation)):
        return _unwrapped(inner[0])
    return annotation


def _either(options: Sequence[str]) -> str:
    *others, last = options
    return f"{', '.join(others)} or {last}"


def _bounds(field: FieldInfo) -> str:
    bounds = {
        name: bound
        for rule in field.metadata
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
