"""What a part writes against what its FHIR type has: elements, one or many, types, and what must be there."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from bridge.fhir.definitions import Constraint, Profile, choice_names
from bridge.mappings.canonical import profile_of
from bridge.mappings.fhirpath import Position
from bridge.mappings.lint.datatypes import misfit
from bridge.mappings.lint.subject import Subject, listed
from bridge.mappings.lint.walking import Object, Walked
from bridge.mappings.parts import OWN_KEYS, PartTemplate

_ENGINE = frozenset({"id", "meta", "identifier", "resourceType"})  # what the engine adds where a part does not
_CONTENT = ("Resource", "xhtml")


def check_elements(subject: Subject, walked: Walked) -> None:
    """Elements that there are not, in the wrong number, of the wrong type, or missing."""
    part = walked.part
    if part is None:
        return
    if part.type not in subject.definitions.types:
        _unknown_type(subject, part)
        return
    for one in walked.objects:
        _known(subject, one, part.type)
    for formed in walked.formed:
        element = formed.at.element
        if element is None or element.types == ("xhtml",):
            continue
        where = formed.place.key
        if formed.many and not element.many:
            rule = "FHIR takes one value here, and a list is written"
            subject.say("element-list", where, rule, f"{part.type}.{formed.at.path}", "write one value: {{ … }}")
        elif element.many and not formed.many:
            rule = "FHIR takes a list here, and one value is written"
            subject.say("element-single", where, rule, f"{part.type}.{formed.at.path}", "put it in a list: [ … ]")
    for value in walked.values:
        wrong = misfit(value, subject.definitions)
        if wrong is not None:
            rule, step = wrong
            subject.say("element-type", value.place.value, rule, f"{part.type}.{value.at.path}", step)
    for one in walked.objects:
        _required(subject, one, part)
    _supported(subject, walked, part)


def profiles_of(subject: Subject, part: PartTemplate) -> Iterator[Profile]:
    """The profiles that a part declares or is given."""
    meta = subject.source.value["emits"][part.name].get("meta")
    named = meta.get("profile") if isinstance(meta, dict) else None
    for url in named if isinstance(named, list) else [profile_of(part.type)]:
        if (known := subject.definitions.profiles.get(str(url))) is not None and known.type == part.type:
            yield known


def _unknown_type(subject: Subject, part: PartTemplate) -> None:
    known = subject.definitions.resources
    if part.type and part.type not in known:
        near = difflib.get_close_matches(part.type, known, 1)
        place = subject.source.place(("emits", part.name, "resourceType"))
        step = f"did you mean {near[0]}?" if near else "see hl7.org/fhir/R4/resourcelist.html"
        subject.say("resource-unknown", place.value if place else "", "FHIR R4 has no such resource", part.type, step)


def _known(subject: Subject, one: Object, type_: str) -> None:
    """Is every key of an object an element of its type."""
    if (one.at.path and one.at.element is None) or (one.at.element and one.at.element.types[:1] == ("Resource",)):
        return
    there = list(_elements(subject, type_, one.at.path))
    kind = one.at.element.types[0] if one.at.element is not None and len(one.at.element.types) == 1 else ""
    known = subject.definitions.types.get(kind)
    if known is not None and known.kind == "primitive" and not one.companion:
        rule = f"FHIR's type here is {kind}, and this is an object"
        subject.say("element-type", one.place.value, rule, f"{type_}.{one.at.path}", f"give it a value of type {kind}")
        return
    if not there:
        return
    for key, place in one.keys.items():
        name = key.removeprefix("_")
        if name in there or (not one.at.path and key == "resourceType"):
            continue
        near = difflib.get_close_matches(name, [*there, *(() if one.at.path else OWN_KEYS)], 1)
        step = f"did you mean {near[0]}?" if near else f"there are {listed(there)}"
        what = f"{type_}.{one.at.path}" if one.at.path else type_
        subject.say("element-unknown", place.key, f"FHIR's {what} has no such element", name, step)
    names = [key for keys in one.together for key in keys]
    for stem, choices in _choices(subject, type_, one.at.path):
        both = [key for key in names if key in choices]
        if len(both) > 1:
            rule = f"FHIR takes one {stem}[x], and {' and '.join(sorted(both))} are written"
            subject.say("element-choice", one.keys[sorted(both)[1]].key, rule, stem, "keep one")


def _elements(subject: Subject, type_: str, path: str) -> Iterator[str]:
    """The JSON names of the elements beneath a path of a type."""
    for name, types in _beneath(subject, type_, path):
        yield from choice_names(name, types) if name.endswith("[x]") else (name,)


def _choices(subject: Subject, type_: str, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for name, types in _beneath(subject, type_, path):
        if name.endswith("[x]"):
            yield name.removesuffix("[x]"), choice_names(name, types)


def _beneath(subject: Subject, type_: str, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The elements directly beneath a path, choices as `value[x]`, with their types."""
    owner, prefix = _owner(subject, type_, path)
    known = subject.definitions.types.get(owner)
    for name, element in known.elements.items() if known is not None else ():
        head, _, last = name.rpartition(".")
        if head == prefix:
            yield last, element.types


def _owner(subject: Subject, type_: str, path: str) -> tuple[str, str]:
    """The type, and the path in it, that describes what stands at a path."""
    if not path:
        return type_, ""
    head, _, last = path.rpartition(".")
    element = subject.definitions.element(type_, path)
    owner, prefix = _owner(subject, type_, head)
    if element is None:
        return "", ""
    if element.like:
        return owner, element.like
    if element.types[:1] in (("BackboneElement",), ("Element",)):
        return owner, f"{prefix}.{last}" if prefix else last
    return element.types[0] if len(element.types) == 1 else "", ""


def _required(subject: Subject, one: Object, part: PartTemplate) -> None:
    """Does an object have what FHIR and its profiles ask of it."""
    if one.opaque or (one.at.path and one.at.element is None) or "_" in one.at.path:
        return
    owner, prefix = _owner(subject, part.type, one.at.path)
    known = subject.definitions.types.get(owner)
    if known is None or owner in _CONTENT:
        return
    needed: dict[str, str] = {}
    for name, element in known.elements.items():
        head, _, last = name.rpartition(".")
        if head == prefix and element.min:
            needed[last] = "FHIR"
    for profile in profiles_of(subject, part):
        for identity, constraint in profile.elements.items():
            head, _, last = identity.partition(".")[2].rpartition(".")
            if head == one.at.path and last and ":" not in identity and _asked(constraint):
                needed.setdefault(last, profile.id)
    for last, asker in needed.items():
        if not _there(subject, part, one, last):
            rule = f"{asker} requires {last} here, and nothing can produce it"
            place = one.place.key if one.at.path else _part_place(subject, part)
            what = f"{part.type}.{one.at.path}" if one.at.path else part.type
            subject.say("element-required", place, rule, f"{what}.{last}", "map it")


def _asked(constraint: Constraint) -> bool:
    return bool(constraint.min)


def _there(subject: Subject, part: PartTemplate, one: Object, name: str) -> bool:
    if not one.at.path and (name in _ENGINE or (name == "section" and part.sections)):
        return True
    names: tuple[str, ...] = (name,)
    if name.endswith("[x]"):
        path = f"{one.at.path}.{name}" if one.at.path else name
        element = subject.definitions.element(part.type, path)
        names = choice_names(name, element.types) if element is not None else ()
    return any(known in one.keys or f"_{known}" in one.keys for known in names)


def _supported(subject: Subject, walked: Walked, part: PartTemplate) -> None:
    """Elements that a profile marks must-support and no object of the part can have."""
    by_path: dict[str, list[Object]] = {}
    for one in walked.objects:
        by_path.setdefault(one.at.path, []).append(one)
    left_out = {line.name for line in subject.mapping.not_mapped if line.key == "element"}
    for profile in profiles_of(subject, part):
        missing = []
        for path in profile.must_support:
            head, _, last = path.rpartition(".")
            here = by_path.get(head, [])
            if not here or any(one.opaque or _there(subject, part, one, last) for one in here):
                continue
            if not any(f"{part.name}.{path}.".startswith(f"{name}.") for name in left_out):
                missing.append(path)
        if missing:
            rule = f"{profile.id} marks as must-support what nothing can produce: {', '.join(missing)}"
            step = "map it where the agency has it, or list it under `not_mapped` with the reason"
            subject.say("element-support", _part_place(subject, part), rule, part.name, step)


def _part_place(subject: Subject, part: PartTemplate) -> Position:
    place = subject.source.place(("emits", part.name))
    return place.key if place is not None else Position()
