"""A kind's JSON Schema: what is wrong with a record, in words without its values, and which fields there can be."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from typing import Any

import jsonschema_rs

from bridge.errors import Problem

Field = tuple[str, ...]
"""The names on the way to a field; lists add nothing: `goals.words` is the words of every goal."""

FORMATS: dict[str, str] = {
    # One token or a few words, as FHIR's `code`, and short enough never to be a sentence.
    "code": r"[^\s]{1,64}|(?=.{1,64}$)[^\s]+( [^\s]+){1,5}",
    "id": r"[^\s\x00-\x1f]{1,128}",
    "language": r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*",
    # A day, or a day and time of day; without an offset it is the agency's own wall clock.
    "moment": r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])"
    r"([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4]):[0-5]\d)?)?",
}
_RULES = {
    "additionalProperties": "holds a field that this kind does not know",
    "anyOf": "fits none of the shapes that this kind allows",
    "const": "is not the one value that is allowed here",
    "contains": "lacks an entry that must be among them",
    "dependentRequired": "lacks a field that another one calls for",
    "enum": "is not one of the values that this kind lists",
    "exclusiveMaximum": "is too large",
    "exclusiveMinimum": "is too small",
    "falseSchema": "must not be there",
    "maxItems": "holds too many entries",
    "maxLength": "is too long",
    "maximum": "is too large",
    "minItems": "holds too few entries",
    "minLength": "is too short",
    "minimum": "is too small",
    "multipleOf": "is not a step of the scale",
    "not": "must not be as it is",
    "oneOf": "fits none, or more than one, of the shapes of which exactly one is allowed",
    "pattern": "is not written the way this kind asks for",
    "uniqueItems": "holds the same entry twice",
}
_CLOSING = {"enum", "const", "format"}  # with one of these a text is not free
_NESTING = {"properties", "additionalProperties", "items", "enum", "const", "$ref", "allOf", "anyOf", "oneOf"}
_FEW = 12  # fields that can be told in one line
_DEEPEST = 16  # where a schema that contains itself is no longer followed
_Place = tuple[Any, bool]
"""A schema, and whether it holds for certain (not only as an alternative or under a condition)."""
_CAPITAL = re.compile(r"[A-Z]")
_TYPES_AS_WORDS = {"array": "a list", "boolean": "true or false", "object": "an object", "string": "text"}


class NoSchemaError(ValueError):
    """This is no JSON Schema; `path` is the place in it that is wrong, as far as that is known."""

    def __init__(self, rule: str, path: tuple[str | int, ...]) -> None:
        super().__init__(rule)
        self.path = path


class Schema:
    """A compiled JSON Schema (draft 2020-12). Raises NoSchemaError, without a value of a record, when it is not one."""

    def __init__(self, schema: dict[str, Any]) -> None:
        formats = {name: matcher(name) for name in FORMATS}
        try:
            self._validator = jsonschema_rs.Draft202012Validator(
                schema, formats=formats, validate_formats=True, ignore_unknown_formats=False, offline=True
            )
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            raise NoSchemaError(str(error).splitlines()[0], tuple(getattr(error, "instance_path", ()))) from None
        self.document = schema
        self.fields = {field.path: field for field in _fields([(schema, True)], schema, (), 0)}

    def problems(self, record: Any) -> list[Problem]:
        """What is wrong with a record: a JSON pointer and a rule each, never a value."""
        if self._validator.is_valid(record):
            return []
        return [self._problem(error) for error in self._validator.iter_errors(record)]

    def field(self, path: Field) -> SchemaField | None:
        """What the schema says of a path; None where no record can have it."""
        known = self.fields.get(path)
        if known is not None or not path:
            return known
        above = self.field(path[:-1])
        return self.fields.get((*above.path, "*")) if above is not None else None

    def _problem(self, error: jsonschema_rs.ValidationError) -> Problem:
        """What is wrong, by names of the schema's own: a name that it does not have can be somebody's name."""
        keyword = error.kind.name
        details = error.kind.as_dict()
        path, pointer = self._place(error.instance_path)
        field = ".".join(path)
        rule, step = _RULES.get(keyword, "does not fit the shape of this kind"), ""
        if keyword == "required":
            field = ".".join(filter(None, (field, str(details["property"]))))
            rule = "is missing"
        elif keyword == "additionalProperties":
            known = [name[-1] for name in self.fields if name[:-1] == path and name]
            near = {match for name in details["unexpected"] for match in get_close_matches(name, known, 1)}
            rule += f"; nearest: {', '.join(sorted(near))}" if near else ""
            step = f"the fields there are {', '.join(sorted(known))}" if len(known) <= _FEW else ""
        elif keyword == "format":
            rule = f"is not a {details['format']}"
        elif keyword == "type":
            rule = f"is not {_words(details.get('types') or details.get('type'))}"
        code = _CAPITAL.sub(lambda found: "-" + found[0].lower(), keyword)
        return Problem(f"record-{code}", rule, pointer, field, step)

    def _place(self, steps: Sequence[str | int]) -> tuple[Field, str]:
        """The path of a place and its JSON pointer; a key that the schema does not name is `*`."""
        path: Field = ()
        pointer = ""
        for step in steps:
            if isinstance(step, int):
                pointer += f"/{step}"
                continue
            path = (*path, step) if (*path, step) in self.fields else (*path, "*")
            pointer += "/" + path[-1].replace("~", "~0").replace("/", "~1")
        return path, pointer or "/"

    def below(self, path: Field) -> Iterator[Field]:
        """The path itself and every path under it."""
        return (known for known in self.fields if known[: len(path)] == path)


@dataclass(frozen=True, slots=True)
class SchemaField:
    """What a schema says of one field: its JSON types, and whether anything may be written there."""

    path: Field
    types: frozenset[str]
    free_text: bool


def matcher(name: str) -> Callable[[str], bool]:
    """The test of one of our own formats: whether a text is written that way."""
    compiled = re.compile(FORMATS[name])

    def matches(value: str) -> bool:
        if compiled.fullmatch(value) is None:
            return False
        try:
            return name != "moment" or bool(datetime.fromisoformat(value))
        except ValueError:  # the 30th of February
            return False

    return matches


def _fields(places: Sequence[_Place], root: dict[str, Any], path: Field, depth: int) -> Iterator[SchemaField]:
    """The field at `path`, which these places of the schema describe, and every field below it."""
    types: set[str] = set()
    free_text = False
    below: dict[str, list[_Place]] = {}
    level = list(places)
    while level:
        described = [found for place in level for found in _described(place, root, 0)]
        named = {name for schema, _ in described for name in _types(schema)}
        types |= named
        closed = any(certain and _CLOSING & schema.keys() for schema, certain in described)
        untyped = not named and not any(_NESTING & schema.keys() for schema, _ in described)
        free_text = free_text or (("string" in named or untyped) and not closed)
        for schema, certain in described:
            for name, inner in schema.get("properties", {}).items():
                below.setdefault(name, []).append((inner, certain))
            if isinstance(schema.get("additionalProperties"), dict):
                below.setdefault("*", []).append((schema["additionalProperties"], certain))
        level = [(schema["items"], certain) for schema, certain in described if "items" in schema]
    yield SchemaField(path, frozenset(types), free_text)
    if depth < _DEEPEST:
        for name, inner_places in below.items():
            yield from _fields(inner_places, root, (*path, name), depth + 1)


def _described(place: _Place, root: dict[str, Any], depth: int) -> Iterator[_Place]:
    """A place and all that it takes in: references and, without certainty that they hold, its alternatives."""
    schema, certain = place
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return
    yield schema, certain
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        target: Any = root
        for step in reference[2:].split("/"):
            target = target.get(step, {}) if isinstance(target, dict) else {}
        yield from _described((target, certain), root, depth + 1)
    for inner in schema.get("allOf", []):
        yield from _described((inner, certain), root, depth + 1)
    for inner in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
        yield from _described((inner, False), root, depth + 1)
    for keyword in ("if", "then", "else"):
        yield from _described((schema.get(keyword), False), root, depth + 1)


def _types(schema: dict[str, Any]) -> tuple[str, ...]:
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def _words(types: Any) -> str:
    names = [types] if isinstance(types, str) else list(types or ["what this kind asks for"])
    return " or ".join(_TYPES_AS_WORDS.get(name, f"a {name}" if name != "integer" else "an integer") for name in names)
