"""Pydantic's errors in our words: what must hold and what to write, never what was written."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from dataclasses import is_dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import Problem
from bridge.settings.lines import Document, Path

UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
TYPES = {
    "string_type": ("must be text", "put it in quotes"),
    "int_type": ("must be a whole number", "write it without quotes"),
    "int_parsing": ("must be a whole number", "write it without quotes"),
    "int_from_float": ("must be a whole number", "write it without a fraction"),
    "float_type": ("must be a number", "write it without quotes"),
    "float_parsing": ("must be a number", "write it without quotes"),
    "tuple_type": ("must be a list", "write [one, two] or one a line, each with a dash"),
    "dict_type": ("must hold settings of its own", "indent them below it, or write { name: value }"),
    "model_type": ("must hold settings of its own", "indent them below it, or write { name: value }"),
    "dataclass_type": ("must hold settings of its own", "indent them below it, or write { name: value }"),
}


def nearest(name: str, known: Iterable[str]) -> str:
    """What to do about an unknown name: the nearest known one, or all of them."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {', '.join(names)}" if names else "none is known"


def problems(error: ValidationError, model: type[Any], document: Document, at: Path) -> list[Problem]:
    """One problem for each of `error`'s, with the file's line; `at` is where `model`'s value stands in the document."""
    details = error.errors(include_input=False, include_url=False)
    return [_problem(detail, model, document, at) for detail in details]


def _problem(detail: ErrorDetails, model: type[Any], document: Document, at: Path) -> Problem:
    inner = detail["loc"]
    path = (*at, *inner)
    where, field = document.where(path), ".".join(map(str, path))
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in UNKNOWN:
        known = fields_of(_type_at(model, inner[:-1]))
        return Problem("unknown-key", "is not a setting", where, field, nearest(str(inner[-1]), known))
    if "next_step" in context:
        return Problem(kind, context["rule"], where, field, context["next_step"])
    hint = _hint(model, inner)
    if kind == "missing":
        return Problem("missing", "is required", where, field, hint)
    if kind in ("too_short", "string_too_short"):
        return Problem("missing", "may not be empty", where, field, hint)
    if kind == "literal_error":
        return Problem("not-a-choice", f"must be {context['expected']}", where, field, hint)
    if kind == "string_too_long":
        return Problem("out-of-range", f"must have at most {context['max_length']} letters", where, field, hint)
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return Problem("out-of-range", f"must be {bound}", where, field, hint)
    if kind in TYPES:
        rule, next_step = TYPES[kind]
        return Problem("wrong-type", rule, where, field, next_step)
    if kind.startswith("date"):
        return Problem("not-a-date", "must be a day", where, field, hint or "write it as 2026-09-01")
    return Problem("wrong-form", "does not have the right form", where, field, hint)


def fields_of(model: Any) -> Mapping[str, str]:
    """The names a model or dataclass knows, each with its description."""
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {name: info.description or _described(info.metadata) for name, info in model.model_fields.items()}
    if isinstance(model, type) and is_dataclass(model):
        hints = get_type_hints(model, include_extras=True)
        return {field.name: _described(get_args(hints[field.name])[1:]) for field in dataclass_fields(model)}
    return {}


def _described(metadata: Iterable[Any]) -> str:
    return next((text for item in metadata if (text := getattr(item, "description", None))), "")


def _hint(model: type[Any], inner: Path) -> str:
    return fields_of(_type_at(model, inner[:-1])).get(str(inner[-1]), "") if inner else ""


def _type_at(model: Any, inner: Path) -> Any:
    """The model or dataclass that stands at `inner` below `model`; None where it is no such thing."""
    for step in inner:
        if isinstance(model, type) and issubclass(model, BaseModel) and step in model.model_fields:
            model = model.model_fields[str(step)].annotation
        elif isinstance(model, type) and is_dataclass(model):
            model = get_type_hints(model).get(str(step))
        else:
            model = get_args(model)[-1] if get_origin(model) in (dict, tuple, Mapping) else None
        model = _plain(model)
    return model


def _plain(annotation: Any) -> Any:
    """`annotation` without Annotated and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _plain(next(kind for kind in get_args(annotation) if kind is not type(None)))
    return annotation
