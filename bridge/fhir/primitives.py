"""JSON Schemas of FHIR's primitive types, and of required bindings on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.fhir.definitions import ValueSet

Schema = dict[str, Any]

# The expressions below are the standard's (R4 §2.24.0.1, hl7.org/fhir/R4/datatypes.html), in the shapes that
# jsonschema-rs runs without its regex engine where there is one ("^\S*$" and plain words take 17 ns instead of 130).
SOLID: Schema = {"type": "string", "pattern": r"^\S*$", "minLength": 1}
ID = r"[A-Za-z0-9\-.]{1,64}"
ZONE = r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
INSTANT: Schema = {"format": "date-time", "pattern": rf"^[0-9-]{{10}}T[0-9:]{{8}}(?:\.[0-9]+)?{ZONE}$"}
PARTIAL: Schema = {"pattern": r"^[0-9]{4}(?:-(?:0[1-9]|1[0-2]))?$"}
# A format checks what no expression can: that the month has that day.
WRITTEN: Mapping[str, Schema] = {
    "string": {"type": "string", "pattern": r"\S"},  # control characters: `Validator` sees them in the encoded text
    "markdown": {"type": "string", "pattern": r"\S"},
    "uri": SOLID,
    "url": SOLID,
    "canonical": SOLID,
    "code": {"type": "string", "anyOf": [SOLID, {"pattern": r"^[^\s]+(?:\s[^\s]+)*$"}]},
    "id": {"type": "string", "pattern": f"^{ID}$"},
    "date": {"type": "string", "anyOf": [{"format": "date"}, PARTIAL]},
    "dateTime": {"type": "string", "anyOf": [INSTANT, {"format": "date"}, PARTIAL]},
    "instant": {"type": "string", **INSTANT},
    "xhtml": {"type": "string", "minLength": 1},
}
NUMBERS: Mapping[str, Schema] = {
    "decimal": {"type": "number"},
    "integer": {"type": "integer", "minimum": -(2**31), "maximum": 2**31 - 1, "calls": "whole"},
    "unsignedInt": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1, "calls": "whole"},
    "positiveInt": {"type": "integer", "minimum": 1, "maximum": 2**31 - 1, "calls": "whole"},
    "boolean": {"type": "boolean"},
}
# Code systems that are rules, not lists.
GRAMMARS: Mapping[str, str] = {
    "urn:ietf:bcp:47": r"^[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*$",
    "urn:ietf:bcp:13": r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*;.+)?$",
    "http://www.rfc-editor.org/bcp/bcp13.txt": r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(?:\s*;.+)?$",
    "urn:iso:std:iso:4217": r"^[A-Z]{3}$",
}


def primitive(name: str, regex: str) -> Schema:
    """The schema of one primitive type; `regex` is the standard's own expression for it."""
    known = NUMBERS.get(name) or WRITTEN.get(name)
    return known or {"type": "string", "pattern": f"^(?:{regex})$", "minLength": 1}


def bound(value_set: ValueSet | None, url: str, kind: str) -> Schema | None:
    """What a required binding to `url` asks of an element of type `kind`; None where the codes are not at hand."""
    if value_set is None:
        return {"type": "string", "pattern": GRAMMARS[url]} if url in GRAMMARS else None
    if kind in ("code", "string", "uri"):
        if value_set.open:
            grammar = GRAMMARS.get(value_set.open[0]) if len(value_set.open) == 1 else None
            return {"type": "string", "pattern": grammar} if grammar else None
        return {"enum": sorted({code for codes in value_set.codes.values() for code in codes})}
    if "" in value_set.open or kind not in ("Coding", "CodeableConcept", "Quantity"):
        return None
    systems: list[Schema] = [
        {"properties": {"system": {"const": system}, "code": {"enum": list(codes)}}}
        for system, codes in value_set.codes.items()
    ]
    systems += [{"properties": {"system": {"const": system}}} for system in value_set.open]
    coding: Schema = {"type": "object", "required": ["system", "code"]}
    coding |= systems[0] if len(systems) == 1 else {"anyOf": systems}
    if kind == "CodeableConcept":
        return {"required": ["coding"], "properties": {"coding": {"contains": coding}}}
    return coding
