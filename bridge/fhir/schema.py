"""JSON Schema (2020-12) of the FHIR types, strict: nothing unknown, nothing empty, every format and required binding.

Every definition that can fail as a whole has a name that says which rule it is (`kind:detail`), so that an error's
schema path is enough to tell what is wrong, without looking at the value: see `bridge.fhir.findings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from urllib.parse import quote

from bridge.fhir.definitions import Definitions, Element, Type, choice_names
from bridge.fhir.invariants import RULES
from bridge.fhir.primitives import ID, Schema, bound, primitive

DIALECT = "https://json-schema.org/draft/2020-12/schema"
VERSIONED = rf"{ID}(?:/_history/{ID})?"
RELATIVE = rf"^[A-Z][A-Za-z]+/{VERSIONED}$"
ABSOLUTE = r"^(?:https?://\S+|urn:(?:uuid:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|oid:[0-2](?:\.(?:0|[1-9][0-9]*))+))$"


class Builder:
    """Builds one schema document; definitions are made once each, on first use."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self.defs: dict[str, Schema] = {}
        self.unchecked: set[str] = set()  # value sets whose codes are not at hand
        self._every = "|".join(sorted(definitions.resources))
        self._children: dict[str, dict[str, list[str]]] = {}

    def named(self, name: str, make: Callable[[], Schema]) -> Schema:
        """A reference to the definition `name`, made now if it is not there."""
        if name not in self.defs:
            self.defs[name] = {}
            self.defs[name] = make()
        return {"$ref": "#/$defs/" + quote(name.replace("~", "~0").replace("/", "~1"))}

    def document(self, roots: Mapping[str, Schema]) -> Schema:
        """The whole schema, for instances `{root: resource, …}`: one compilation serves every type and profile."""
        return {"$schema": DIALECT, "properties": dict(roots), "additionalProperties": False, "$defs": self.defs}

    # ── types ───────────────────────────────────────────────────────────────────────────────────────────────────
    def type(self, name: str) -> Schema:
        """Reference to the schema of a resource, datatype or primitive."""
        if name == "Resource":  # what is inside is checked by its own type's schema
            return self.named("type:Resource", lambda: {"type": "object", "required": ["resourceType"]})
        found = self.definitions.types[name]
        if found.kind == "primitive":
            return self.named(f"type:{name}", lambda: primitive(name, found.regex))
        return self.named(f"type:{name}", lambda: self._object(found, ""))

    def _object(self, owner: Type, at: str) -> Schema:
        properties: Schema = {}
        required: list[str] = []
        parts: list[Schema] = self.rules(owner.elements[at].rules if at else owner.rules)
        if owner.kind == "resource" and not at:
            properties["resourceType"] = {"const": owner.name}
            required.append("resourceType")
        for path in self.children(owner)[at]:
            element = owner.elements[path]
            names = choice_names(path, element.types) if path.endswith("[x]") else (path.rsplit(".", 1)[-1],)
            for name, kind in zip(names, element.types or ("",), strict=True):
                single = self.value(owner, path, element, kind)
                properties[name] = _listed(single, element) if element.many else single
                if self._is_primitive(kind) and name != "id" and (owner.name, name) != ("Extension", "url"):
                    properties["_" + name] = self._beside(element)
            if path.endswith("[x]") and owner.name != "Extension":
                parts.append(self._choice(f"{owner.name}.{path}", names, element.min > 0))
            elif element.min:
                required.append(names[0])
        schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
        if required:
            schema["required"] = required
        if parts:
            schema["allOf"] = parts
        return schema

    def children(self, owner: Type) -> dict[str, list[str]]:
        """The paths directly under each path of a type ("" is the type itself)."""
        if owner.name not in self._children:
            under: dict[str, list[str]] = {"": []}
            for path in owner.elements:
                under.setdefault(path.rpartition(".")[0], []).append(path)
            self._children[owner.name] = under
        return self._children[owner.name]

    def _is_primitive(self, kind: str) -> bool:
        return kind in self.definitions.types and self.definitions.types[kind].kind == "primitive"

    def _beside(self, element: Element) -> Schema:
        """`_name`: the id and extensions of a primitive, in a list where the primitive is."""
        single = self.named("type:Element", self._element)
        return _listed({"anyOf": [{"type": "null"}, single]}, Element()) if element.many else single

    def _element(self) -> Schema:
        extensions = {"type": "array", "items": self.type("Extension"), "minItems": 1}
        properties = {"id": self.type("string"), "extension": extensions}
        return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}

    def value(self, owner: Type, path: str, element: Element, kind: str) -> Schema:
        """The schema of one value of an element, of one of its types."""
        if element.like:
            return self.named(f"type:{owner.name}.{element.like}", lambda: self._object(owner, element.like))
        if path in self.children(owner):
            return self.named(f"type:{owner.name}.{path}", lambda: self._object(owner, path))
        parts = self.rules(element.rules)
        binding = self.binding(element.binding, kind) if element.binding else None
        if kind == "Reference":
            parts.append(self.reference(element.targets))
        elif binding is None or kind not in ("code", "string", "uri"):
            parts.append(self.type(kind))
        if binding is not None:
            parts.append(binding)
        return parts[0] if len(parts) == 1 else {"allOf": parts}

    # ── parts ───────────────────────────────────────────────────────────────────────────────────────────────────
    def rules(self, keys: Iterable[str]) -> list[Schema]:
        """References to the invariants that a schema can check."""
        found = ((key, RULES[key].schema) for key in keys if key in RULES)
        return [self.named(f"rule:{key}", partial(dict, body)) for key, body in found if body]

    def binding(self, url: str, kind: str) -> Schema | None:
        """Reference to a required binding for an element of type `kind`; None where its codes are not at hand."""
        schema = bound(self.definitions.value_sets.get(url), url, kind)
        if schema is None:
            self.unchecked.add(url)
            return None
        return self.named(f"binding:{kind}:{url}", lambda: schema)

    def _choice(self, path: str, names: tuple[str, ...], required: bool) -> Schema:
        one = [{"required": [name]} for name in names]
        schema: Schema = {"oneOf": one} if len(one) > 1 else one[0]
        if not required:
            schema = {"anyOf": [{"not": {"anyOf": one}}, schema]} if len(one) > 1 else {}
        return self.named(f"{'choice' if not required else 'required'}:{path}", lambda: schema)

    def reference(self, targets: tuple[str, ...]) -> Schema:
        """Reference to a Reference that may point to these resource types; empty: to any."""
        name = "type:Reference" if not targets else "reference:" + "+".join(targets)
        return self.named(name, lambda: self._reference(targets))

    def _reference(self, targets: tuple[str, ...]) -> Schema:
        schema = self._object(self.definitions.types["Reference"], "")
        schema["properties"].update(self.target(targets))
        return schema

    def target(self, targets: tuple[str, ...]) -> Schema:
        """What `reference` and `type` of a Reference to one of these resource types hold.

        A relative reference, or a REST address of another server, names an allowed type; a URN or an address of
        another shape is taken as it is. A reference to something contained (#id) is not: the validator looks at those.
        """
        relative: Schema = {"allOf": [self.named("relative", lambda: {"type": "string", "pattern": RELATIVE})]}
        if targets:
            relative["anyOf"] = [{"pattern": f"^{name}/"} for name in targets]
        else:
            relative["allOf"].append(self.named("any-resource", lambda: {"pattern": f"^(?:{self._every})/"}))
        absolute = self.named("absolute", lambda: {"type": "string", "pattern": ABSOLUTE})
        rest = self.named("rest", lambda: {"pattern": rf"/(?:{self._every})/{VERSIONED}$"})
        ends: Schema = {"pattern": rf"/(?:{'|'.join(targets)})/{VERSIONED}$"} if targets else rest
        shapes: Schema = {"anyOf": [relative, {"allOf": [absolute], "anyOf": [ends, {"not": rest}]}]}
        name = "+".join(targets)
        properties = {"reference": self.named(f"target:{name}", lambda: shapes)}
        if targets:
            properties["type"] = self.named(f"target-type:{name}", lambda: {"enum": sorted(targets)})
        return properties


def _listed(single: Schema, element: Element) -> Schema:
    return {"type": "array", "items": single, "minItems": max(1, element.min)}
