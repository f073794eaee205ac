"""What a JSON Schema (draft 2020-12) says of a path: one value or many, and of which type.

Only what is certain is said; everything else is "Any", and compiled code then looks at the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bridge.mappings.fhirpath.model import CHOICES

Schema = Mapping[str, object]
_TYPES = {"string": "String", "integer": "Integer", "number": "Decimal", "boolean": "Boolean", "object": "Object"}
_STAMPS = ("date", "date-time", "time")
_DEPTH = 20


@dataclass(frozen=True, slots=True)
class Shape:
    """One place of a schema.

    `kind` is Boolean, Integer, Decimal, String, Stamp (a string that is a date, date-time or time), Object or Any;
    `many` says that the value is a list of such. `schema` is the schema of one item.
    """

    kind: str
    many: bool
    schema: Schema
    document: Schema = field(repr=False)

    def member(self, name: str) -> Shape | None:
        """The shape of a field; None where the schema allows no such field. Any where it says nothing."""
        if self.kind != "Object":
            return _any(self.document) if self.kind == "Any" else None
        properties = self.schema.get("properties")
        if isinstance(properties, Mapping) and name in properties:
            return shape_of(properties[name], self.document)
        if self._open() or any(choice in self.names() for choice in _choices(name)):
            return _any(self.document)
        return None

    def names(self) -> tuple[str, ...]:
        """The fields of an object, in the schema's order."""
        properties = self.schema.get("properties")
        return tuple(properties) if isinstance(properties, Mapping) else ()

    def _open(self) -> bool:
        return self.schema.get("additionalProperties", True) is not False or "patternProperties" in self.schema

    @property
    def known(self) -> bool:
        """Does the schema say what type this is."""
        return self.kind != "Any"


def root_shape(schema: Schema) -> Shape:
    """The shape of a whole record."""
    return shape_of(schema, schema)


def shape_of(schema: object, document: Schema) -> Shape:
    """The shape a schema describes."""
    found = _resolved(schema, document)
    kinds = _kinds(found)
    if kinds == {"array"}:
        item = shape_of(found.get("items", {}), document)
        return _any(document) if item.many else Shape(item.kind, True, item.schema, document)
    if len(kinds) != 1 or any(word in found for word in ("anyOf", "oneOf", "allOf", "if", "not")):
        return _any(document)
    kind = _TYPES.get(kinds.pop(), "Any")
    if kind == "String" and found.get("format") in _STAMPS:
        kind = "Stamp"
    return Shape(kind, False, found, document)


def paths(shape: Shape, prefix: str = "", depth: int = 0) -> Iterator[str]:
    """Every path of leaf values that the schema knows, dotted, list items without index."""
    if shape.kind != "Object" or depth > _DEPTH or not shape.names():
        if prefix:
            yield prefix
        return
    for name in shape.names():
        found = shape.member(name)
        if found is not None:
            yield from paths(found, f"{prefix}.{name}" if prefix else name, depth + 1)


def _any(document: Schema) -> Shape:
    return Shape("Any", False, {}, document)


def _choices(name: str) -> Iterator[str]:
    return (f"{name}{ending}" for ending in CHOICES)


def _resolved(schema: object, document: Schema) -> Schema:
    for _ in range(_DEPTH):
        if not isinstance(schema, Mapping):
            return {}
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        schema = _pointed(reference, document)
    return {}


def _pointed(reference: str, document: Schema) -> object:
    if not reference.startswith("#"):
        return {}
    found: object = document
    for part in reference[1:].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _kinds(schema: Schema) -> set[str]:
    declared = schema.get("type")
    if isinstance(declared, str):
        return {declared} - {"null"}
    if isinstance(declared, list):
        return {str(kind) for kind in declared} - {"null"}
    values = schema.get("enum", [schema["const"]] if "const" in schema else [])
    kinds = {_json_kind(value) for value in values if value is not None} if isinstance(values, list) else set()
    return kinds or ({"object"} if "properties" in schema else set())


def _json_kind(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "integer" if isinstance(value, int) else "number" if isinstance(value, float) else "object"
