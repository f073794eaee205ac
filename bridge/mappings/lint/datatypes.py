"""Does a value fit the FHIR type of its element."""

from __future__ import annotations

import re
from functools import lru_cache

from bridge.fhir.definitions import Definitions
from bridge.mappings.lint.walking import Value

_TEXTS = frozenset({"string", "code", "id", "markdown", "uri", "url", "canonical", "uuid", "oid", "base64Binary"})
_NUMBERS = frozenset({"integer", "positiveInt", "unsignedInt", "decimal"})
_MOMENTS = frozenset({"date", "dateTime", "instant", "time"})
_FITS: dict[str, frozenset[str]] = {
    "Boolean": frozenset({"boolean"}),
    "Integer": _NUMBERS,
    "Decimal": frozenset({"decimal"}),
    "String": _TEXTS,
    "made": _TEXTS | _MOMENTS,
    "words": frozenset({"string", "markdown"}),
    "date": frozenset({"date", "dateTime", "string"}),
    "dateTime": frozenset({"dateTime", "string"}),
    "Moment": _MOMENTS | {"string"},
    "format:date": frozenset({"date", "dateTime", "string"}),
    "format:date-time": frozenset({"dateTime", "instant", "string"}),
    "format:time": frozenset({"time", "string"}),
}
"""What each kind of value can be written to; a text of any other format is a text."""
_SAID = {
    "Boolean": "true or false",
    "Integer": "a whole number",
    "Decimal": "a number",
    "String": "a text",
    "made": "a text",
    "words": "words for people",
    "Object": "an object of the record",
}


def misfit(value: Value, definitions: Definitions) -> tuple[str, str] | None:
    """What is wrong with a value for its element and what to do, None where it may fit."""
    element = value.at.element
    if element is None or len(element.types) != 1:
        return None
    wanted = element.types[0]
    known = definitions.types.get(wanted)
    primitive = known is not None and known.kind == "primitive"
    if known is None or wanted in ("Resource", "Element"):
        return None
    if value.constant is not None:
        return _constant(value.constant, wanted, known.regex) if primitive else _object_wanted("a constant", wanted)
    if value.joined:
        fits = not primitive or wanted in _TEXTS | _MOMENTS
        return None if primitive and fits else (_said("a text", wanted), _value_of(wanted))
    wrong = sorted(kind for kind in value.given.types if not _fits(kind, wanted, primitive))
    if not wrong:
        return None
    return _said(_called(wrong[0]), wanted), _step(wrong[0], wanted)


def _fits(kind: str, wanted: str, primitive: bool) -> bool:
    if kind == wanted:
        return True
    if not primitive:
        return kind == "Object" or (kind == "Quantity" and wanted in ("Age", "Duration", "Count", "Distance"))
    if wanted == "xhtml":
        return False
    if kind in _FITS:
        return wanted in _FITS[kind]
    return wanted in _TEXTS if kind.startswith("format:") or kind in _TEXTS else False


def _constant(value: object, wanted: str, regex: str) -> tuple[str, str] | None:
    if wanted == "boolean":
        fits = isinstance(value, bool)
    elif wanted in _NUMBERS:
        whole = isinstance(value, int) and not isinstance(value, bool)
        fits = whole or (wanted == "decimal" and isinstance(value, float))
    else:
        fits = isinstance(value, str)
    if fits and not isinstance(value, bool) and regex and wanted != "xhtml":
        fits = _regex(regex).fullmatch(str(value)) is not None
    return None if fits else (f"FHIR's type here is {wanted}, and what is written is none", _value_of(wanted))


@lru_cache(maxsize=64)
def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _object_wanted(what: str, wanted: str) -> tuple[str, str]:
    return _said(what, wanted), f"write an object with the elements of {wanted}"


def _said(what: str, wanted: str) -> str:
    return f"FHIR's type here is {wanted}, and this gives {what}"


def _called(kind: str) -> str:
    if kind.startswith("format:"):
        return f"a text of format {kind.removeprefix('format:')}"
    return _SAID.get(kind, f"a {kind}")


def _step(kind: str, wanted: str) -> str:
    if wanted == "xhtml" or wanted == "Narrative":
        return "write narrative(…)"
    if wanted in ("dateTime", "instant") and (kind == "format:moment" or kind == "String"):
        return "write instant(…) of a field whose format is moment"
    if wanted in ("Coding", "CodeableConcept"):
        return "look the code up: %tables.coding(…) or %tables.concept(…)"
    if wanted == "Reference":
        return "write person(…) or part(…)"
    return _value_of(wanted)


def _value_of(wanted: str) -> str:
    return f"give it a value of type {wanted}"
