"""FHIR types as JSON Schema of a template: an element, or an expression, or a block of the template in its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bridge.fhir.definitions import Definitions, Element, Type, choice_names

Json = dict[str, Any]

ONE: Json = {"type": "string", "pattern": r"^(?!\{\[)(.|\n)*\{\{"}
SOME: Json = {"type": "string", "pattern": r"\{\{|^\{\["}
_NAME = "^[A-Za-z_][A-Za-z0-9_-]*$"
_ASSIGNED: Json = {"type": "object", "minProperties": 1, "maxProperties": 1, "propertyNames": {"pattern": _NAME}}
ASSIGN: Json = {"anyOf": [_ASSIGNED, {"type": "array", "items": _ASSIGNED}]}
MERGE, IF, ELSE, FOR, LET = (
    r"^\{%\s*merge\s*%\}$",
    r"^\{%\s*if\s(.|\n)+%\}$",
    r"^\{%\s*else\s*%\}$",
    r"^\{%\s*for\s+([A-Za-z_]\w*\s*,\s*)?[A-Za-z_]\w*\s+in\s(.|\n)+%\}$",
    r"^\{%\s*assign\s*%\}$",
)
_NUMBERS = {"decimal": "number", "integer": "integer", "positiveInt": "integer", "unsignedInt": "integer"}
_SPELLED = ("date", "dateTime", "instant", "time", "id", "oid", "uuid")
"""Primitives whose constants are held to FHIR's regular expression."""
_NO_LIST = r"^(?!\{\[)"
_BACKBONES = (("BackboneElement",), ("Element",))


def blocks(value: Json, loop: bool = False) -> Json:
    """The keys of a template's blocks, each with what may stand under it; a `loop` only where a list may."""
    merged = {"anyOf": [value, {"type": "array", "items": value}]}
    found = {LET: ASSIGN, MERGE: merged, IF: value, ELSE: value}
    return {**found, FOR: value} if loop else found


def ref(name: str) -> Json:
    """A reference to one of the definitions."""
    return {"$ref": f"#/definitions/{name}"}


class Types:
    """The definitions of all types that are asked for, made as they are needed."""

    def __init__(self, definitions: Definitions) -> None:
        self._known = definitions
        self.made: dict[str, Json] = {
            "one": ONE,
            "some": SOME,
            "assign": ASSIGN,
            "any": {"type": ["object", "array", "string", "number", "boolean", "null"]},
        }

    def elements(self, name: str, under: str = "") -> dict[str, Json]:
        """The elements of a type, or of one of its elements, by their JSON names."""
        owner = self._known.types[name]
        prefix = f"{under}." if under else ""
        found: dict[str, Json] = {}
        for path, element in owner.elements.items():
            last = path.removeprefix(prefix)
            if not path.startswith(prefix) or "." in last:
                continue
            if last.endswith("[x]"):
                for kind, key in zip(element.types, choice_names(path, element.types), strict=True):
                    found[key] = self._element(owner, path, Element(types=(kind,), binding=element.binding))
            else:
                found[last] = self._element(owner, path, element)
        return found

    def _element(self, owner: Type, path: str, element: Element) -> Json:
        name = self._named(owner, path, element)
        return ref(self._many(name) if element.many else name)

    def _named(self, owner: Type, path: str, element: Element) -> str:
        """The definition of one entry of an element."""
        if element.like or element.types in _BACKBONES:
            return self._object(owner.name, element.like or path)
        kind = element.types[0] if len(element.types) == 1 else ""
        known = self._known.types.get(kind)
        if known is None or known.kind == "resource":
            return "any"
        return self._primitive(kind, element.binding) if known.kind == "primitive" else self._object(kind, "")

    def _many(self, one: str) -> str:
        """The definition of a list, whose entries may be lists, loops and conditions."""
        name, entry = f"{one}-list", ref(f"{one}-entry")
        if name not in self.made:
            block: Json = {"type": "object", "patternProperties": blocks(entry, loop=True), "minProperties": 1}
            block["additionalProperties"] = False
            items: Json = {"type": "array", "items": entry}
            self.made[f"{one}-entry"] = {"anyOf": [ref(one), ref("some"), items, block]}
            self.made[name] = {"anyOf": [{"type": "null"}, ref("some"), items, block]}
        return name

    def _primitive(self, kind: str, binding: str) -> str:
        codes = self._codes(binding) if kind == "code" else None
        name = f"{kind}-{re.sub(r'[^A-Za-z0-9-]', '-', binding.rpartition('/')[2])}" if codes else kind
        if name not in self.made:
            literal: Json = {"type": _NUMBERS.get(kind, "boolean" if kind == "boolean" else "string")}
            if codes:
                literal = {"enum": codes}
            elif kind in _SPELLED:
                literal["pattern"] = f"^({self._known.types[kind].regex})$"
            elif literal["type"] == "string":
                literal["pattern"] = _NO_LIST
            block: Json = {"type": "object", "patternProperties": blocks(ref(name)), "minProperties": 1}
            block["additionalProperties"] = False
            self.made[name] = {"anyOf": [literal, ref("one"), {"type": "null"}, block]}
        return name

    def _codes(self, binding: str) -> list[str] | None:
        """The codes of a required binding, where all of them are known."""
        found = self._known.value_sets.get(binding)
        if found is None or found.open or not found.codes:
            return None
        return sorted({code for codes in found.codes.values() for code in codes})

    def _object(self, kind: str, under: str) -> str:
        name = f"{kind}.{under}" if under else kind
        if name not in self.made:
            self.made[name] = {}
            self.made[name] = {
                "anyOf": [ref("one"), {"type": "null"}, self.shape(self.elements(kind, under), ref(name))]
            }
        return name

    @staticmethod
    def shape(elements: Mapping[str, Json], within: Json, **more: Any) -> Json:
        """An object with these elements and the blocks of a template, and nothing else."""
        return {
            "type": "object",
            "properties": dict(elements),
            "patternProperties": {**blocks(within), "^_": ref("any")},
            "additionalProperties": False,
            **more,
        }
