"""JSON Schema of profiles: what a profile narrows, laid over its base type's schema."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from bridge.fhir.definitions import Constraint, Element, Profile, Type, choice_names
from bridge.fhir.primitives import Schema
from bridge.fhir.schema import Builder


@dataclass(slots=True)
class Node:
    """One element of a profile, its children by name and its slices by slice name."""

    id: str
    constraint: Constraint = field(default_factory=Constraint)
    children: dict[str, Node] = field(default_factory=dict)
    slices: dict[str, Node] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The element's own name, without its slice."""
        return self.id.rsplit(".", 1)[-1].split(":")[0]


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the base types a node stands: what is at `path` of `owner` ("": the type itself)."""

    owner: Type
    path: str

    def at(self, name: str) -> str:
        """The path of the child `name`."""
        return f"{self.path}.{name}" if self.path else name


class Profiles:
    """Adds profiles to a schema document; `unchecked` lists the slices it cannot tell apart."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self._definitions = builder.definitions
        self.unchecked: set[str] = set()
        self._labels = _labels(self._definitions.profiles.values())

    def schema(self, url: str) -> Schema:
        """Reference to the schema of the profile or extension definition `url`."""
        profile = self._definitions.profiles[url]
        return self._builder.named(f"profile:{self._labels[url]}", lambda: self._profile(profile))

    def _profile(self, profile: Profile) -> Schema:
        root = tree(profile)
        place = Place(self._definitions.types[profile.type], "")
        return self._value(root, place, profile.type, self._labels[profile.url]) or {"type": "object"}

    # ── one value ───────────────────────────────────────────────────────────────────────────────────────────────
    def _value(self, node: Node, place: Place | None, kind: str, profile: str) -> Schema:
        """What the node asks of one value of type `kind`."""
        held, name = node.constraint, f"{profile}:{node.id}"
        parts = self._builder.rules(held.rules)
        if held.fixed is not None:
            parts.append(self._builder.named(f"fixed:{name}", lambda: {"const": held.fixed}))
        if held.pattern is not None:
            parts.append(self._builder.named(f"pattern:{name}", lambda: pattern(held.pattern)))
        if held.binding and (binding := self._builder.binding(held.binding, kind)):
            parts.append(binding)
        if held.targets and kind == "Reference":
            parts.append({"properties": self._builder.target(held.targets)})
        if held.limits:
            parts.append(self._builder.named(f"limit:{name}", lambda: dict(held.limits)))
        if held.profile in self._definitions.profiles and self._definitions.profiles[held.profile].type == kind:
            parts.append(self.schema(held.profile))
        if place is not None and node.children:
            parts.append(self._object(node, place, profile))
        return _joined(parts)

    def _object(self, node: Node, place: Place, profile: str) -> Schema:
        properties: Schema = {}
        required: list[str] = []
        parts: list[Schema] = []
        for name, child in node.children.items():
            element = place.owner.elements.get(place.at(name))
            if element is None:
                self.unchecked.add(f"{profile} {child.id}")
                continue
            if name.endswith("[x]"):
                parts.append(self._choice(child, element, profile, properties))
                continue
            held = child.constraint
            if held.max == 0:
                properties[name] = False
                continue
            if held.min:
                required.append(name)
            single, inner = self._narrowed(child, element, place, profile)
            schema = self._list(child, single, inner, profile) if element.many else single
            if schema:
                properties[name] = schema
        if required:
            parts.append({"required": required})
        if properties:
            parts.append({"properties": properties})
        return _joined(parts)

    def _narrowed(self, child: Node, element: Element, place: Place, profile: str) -> tuple[Schema, Place | None]:
        inner = self._inside(element, place, child)
        kind = element.types[0] if element.types else ""
        return self._value(child, inner, kind, profile), inner

    def _inside(self, element: Element, place: Place, child: Node) -> Place | None:
        if element.like:
            return Place(place.owner, element.like)
        if element.types[:1] in (("BackboneElement",), ("Element",)):
            return Place(place.owner, place.at(child.name))
        return self._type(element.types[0])

    def _type(self, kind: str) -> Place | None:
        found = self._definitions.types.get(kind)
        return Place(found, "") if found and found.kind != "primitive" else None

    # ── choices ─────────────────────────────────────────────────────────────────────────────────────────────────
    def _choice(self, node: Node, element: Element, profile: str, into: Schema) -> Schema:
        held = node.constraint
        allowed = choice_names(node.name, held.types or element.types)
        names = dict(zip(choice_names(node.name, element.types), element.types, strict=True))
        open_names = [name for name in names if name in allowed and held.max != 0]
        for name, kind in names.items():
            if name not in open_names:
                into[name] = False
                continue
            parts = [self._value(node, self._type(kind), kind, profile)]
            parts += [self._value(part, self._type(kind), kind, profile) for part in _sliced(node, name, kind)]
            if schema := _joined(parts):
                into[name] = schema
        needed = [name for name in open_names for part in _sliced(node, name, names[name]) if part.constraint.min]
        if not held.min and not needed:
            return {}
        one = {"anyOf": [{"required": [name]} for name in needed or open_names]}
        return self._builder.named(f"required:{profile}:{node.id}", lambda: one)

    # ── lists and slices ────────────────────────────────────────────────────────────────────────────────────────
    def _list(self, node: Node, single: Schema, place: Place | None, profile: str) -> Schema:
        held = node.constraint
        schema: Schema = {}
        items = [single] if single else []
        counts: list[Schema] = []
        matchers: list[Schema] = []
        for name, part in node.slices.items():
            matcher = self._matcher(node, part, place)
            if matcher is None:
                self.unchecked.add(f"{profile} {part.id}")
                continue
            matchers.append(matcher)
            content = self._value(part, place, _kind(place), profile)
            if content:
                items.append({"if": matcher, "then": content})
            if count := _count(part.constraint, matcher):
                counts.append(self._builder.named(f"slice:{profile}:{node.id}:{name}", partial(dict, count)))
        if held.closed and len(matchers) == len(node.slices):
            items.append(self._builder.named(f"closed:{profile}:{node.id}", lambda: {"anyOf": matchers}))
        if items:
            schema["items"] = _joined(items)
        if held.min and held.min > 1:
            schema["minItems"] = held.min
        if held.max is not None:
            schema["maxItems"] = held.max
        return {**schema, "allOf": counts} if counts else schema

    def _matcher(self, node: Node, part: Node, place: Place | None) -> Schema | None:
        """What makes an item one of this slice; None where the definition says it in a way not known here."""
        url = part.constraint.profile or _fixed_url(part)
        if url and node.name in ("extension", "modifierExtension"):
            return {"required": ["url"], "properties": {"url": {"const": url}}}
        parts: list[Schema] = []
        for how, path in node.constraint.slicing:
            steps = [] if path == "$this" else path.split(".")
            found = self._discriminated(part, steps, place) if how in ("value", "pattern") else None
            if found is None:
                return None
            parts.append(found)
        return _joined(parts) if parts else None

    def _discriminated(self, node: Node, steps: list[str], place: Place | None) -> Schema | None:
        held = node.constraint
        if held.pattern is not None or held.fixed is not None:
            value = held.pattern if held.pattern is not None else held.fixed
            for step in steps:
                value = value.get(step) if isinstance(value, dict) else None
            whole: Any = value
            for step in reversed(steps):
                whole = {step: whole}
            return pattern(whole) if value is not None else None
        if not steps:
            return self._builder.binding(held.binding, _kind(place)) if held.binding else None
        if place is None or steps[0] not in node.children:
            return None
        element = place.owner.elements.get(place.at(steps[0]))
        if element is None:
            return None
        child = node.children[steps[0]]
        inner = self._discriminated(child, steps[1:], self._inside(element, place, child))
        if inner is None:
            return None
        return {"required": [steps[0]], "properties": {steps[0]: {"contains": inner} if element.many else inner}}


def tree(profile: Profile) -> Node:
    """The profile's elements as a tree, by element id."""
    root = Node(profile.type)
    for identity, constraint in profile.elements.items():
        node, at = root, profile.type
        for segment in identity.split(".")[1:]:
            name, _, slice_name = segment.partition(":")
            at += "." + name
            node = node.children.setdefault(name, Node(at))
            if slice_name:
                at += ":" + slice_name
                node = node.slices.setdefault(slice_name, Node(at))
        node.constraint = constraint
    return root


def pattern(value: Any) -> Schema:
    """An instance that has at least what `value` has."""
    if isinstance(value, dict):
        properties = {name: pattern(inner) for name, inner in value.items()}
        return {"type": "object", "required": list(value), "properties": properties}
    if isinstance(value, list):
        return {"type": "array", "allOf": [{"contains": pattern(item)} for item in value]}
    return {"const": value}


def _labels(profiles: Iterable[Profile]) -> dict[str, str]:
    """A short name for each profile's url: its id, numbered where two guides have one of the same id."""
    labels: dict[str, str] = {}
    seen: dict[str, int] = {}
    for profile in profiles:
        plain = re.sub(r"[^A-Za-z0-9.-]", "-", profile.id)
        seen[plain] = seen.get(plain, 0) + 1
        labels[profile.url] = plain if seen[plain] == 1 else f"{plain}#{seen[plain]}"
    return labels


def _joined(parts: list[Schema]) -> Schema:
    filled = [part for part in parts if part]
    return filled[0] if len(filled) == 1 else ({"allOf": filled} if filled else {})


def _count(held: Constraint, matcher: Schema) -> Schema:
    if not held.min and held.max is None:
        return {}
    count: Schema = {"contains": matcher, "minContains": held.min or 0}
    return count if held.max is None else {**count, "maxContains": held.max}


def _sliced(node: Node, name: str, kind: str) -> Iterator[Node]:
    for slice_name, part in node.slices.items():
        if slice_name == name or part.constraint.types == (kind,):
            yield part


def _fixed_url(part: Node) -> str:
    child = part.children.get("url")
    return str(child.constraint.fixed or "") if child else ""


def _kind(place: Place | None) -> str:
    return place.owner.name if place is not None and not place.path else ""
