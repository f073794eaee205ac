"""A TypeModel of FHIR R4 from the tables that the oracle ships (test extra only)."""

from __future__ import annotations

from typing import Any

from fhirpathpy.models import models

from bridge.mappings.fhirpath import ElementType
from bridge.mappings.fhirpath.model import PRIMITIVES

_R4: dict[str, dict[str, Any]] = models["r4"]


class R4Model:
    """Answers from path2Type, choiceTypePaths and type2Parent; cardinalities are not known there."""

    def element(self, type_name: str, name: str) -> ElementType | None:
        current: str | None = type_name
        while current:
            path = f"{current}.{name}"
            path = _R4["pathsDefinedElsewhere"].get(path, path)
            if path in _R4["choiceTypePaths"]:
                return ElementType(tuple(_typed(name) for name in _R4["choiceTypePaths"][path]), many=True, choice=True)
            if path in _R4["path2Type"]:
                kind = _R4["path2Type"][path]
                backbone = kind in ("BackboneElement", "Element")
                return ElementType((path if backbone else kind.replace("System.String", "string"),), many=True)
            current = self.parent(current)
        return None

    def parent(self, type_name: str) -> str | None:
        found = _R4["type2Parent"].get(type_name)
        return str(found) if found else None

    def is_type(self, name: str) -> bool:
        return name in _R4["type2Parent"] or name in ("Resource", "Element")


def _typed(name: str) -> str:
    lower = name[:1].lower() + name[1:]
    return lower if lower in PRIMITIVES else name
