"""Resources inside resources, and references between resources checked together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.fhir.invariants import RULES
from bridge.model import Finding, Severity, type_json

REFERENCE = re.compile(rb'"reference":"([A-Za-z]+/[^"]*)"')  # a quote inside a string is escaped: no false match
CONTROL = re.compile("[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]")


def inner_resources(resource: type_json) -> Iterator[tuple[str, Any]]:
    """(path, resource) of what is contained, of a Bundle's entries and of Parameters."""
    kind = resource["resourceType"]
    for index, inner in _items(resource.get("contained")):
        yield f"{kind}.contained[{index}]", inner
    if kind == "Bundle":
        for index, entry in _items(resource.get("entry")):
            yield from _present(f"Bundle.entry[{index}]", entry, "resource")
            yield from _present(f"Bundle.entry[{index}].response", entry.get("response"), "outcome")
    elif kind == "Parameters":
        yield from _parameters("Parameters.parameter", resource.get("parameter"))


def contained_types(resource: type_json) -> dict[str, str]:
    """id → type of the contained resources."""
    return {
        inner["id"]: str(inner.get("resourceType"))
        for _, inner in _items(resource.get("contained"))
        if isinstance(inner.get("id"), str)
    }


def contained_findings(resource: type_json) -> Iterator[Finding]:
    """dom-2 to dom-5 of what the resource contains."""
    if "contained" not in resource:
        return
    used = set(_references({name: value for name, value in resource.items() if name != "contained"}))
    listed = list(_items(resource["contained"]))
    for _, inner in listed:
        used.update(_references(inner))
    for index, inner in listed:
        meta = inner.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        broken = {
            "dom-2": "contained" in inner,
            "dom-3": f"#{inner.get('id')}" not in used and "#" not in set(_references(inner)),
            "dom-4": "versionId" in meta or "lastUpdated" in meta,
            "dom-5": "security" in meta,
        }
        for key, is_broken in broken.items():
            if is_broken:
                path = f"{resource['resourceType']}.contained[{index}]"
                yield Finding(key, Severity.ERROR, path, RULES[key].text)


def all_lead_here(texts: Sequence[bytes], parts: Sequence[tuple[str, str, type_json]], outside: frozenset[str]) -> bool:
    """Whether `local_reference_findings` has nothing to say, told from the encoded parts in a tenth of its time."""
    here = {f"{kind}/{resource.get('id')}".encode() for _, kind, resource in parts if isinstance(resource, dict)}
    if len(here) != len(parts):
        return False
    apart = tuple(f"{kind}/".encode() for kind in outside)
    return all(
        reference in here or reference.startswith(apart) for text in texts for reference in REFERENCE.findall(text)
    )


def local_reference_findings(
    parts: Sequence[tuple[str, str, type_json]], outside: frozenset[str], names: frozenset[str]
) -> Iterator[Finding]:
    """Relative references that lead to none of the parts, and ids that two of them share.

    `parts` are (part's name, type, resource). References to the types in `outside` may lead elsewhere. Only elements
    called by one of `names` are looked into.
    """
    here: set[str] = set()
    for name, kind, resource in parts:
        local = f"{kind}/{resource.get('id') if isinstance(resource, dict) else ''}"
        if local in here:
            rule = "has an id of its own among the parts"
            yield Finding("fhir-duplicate-id", Severity.ERROR, f"{kind}.id", rule, name)
        here.add(local)
    for name, kind, resource in parts:
        for path, reference in _located(resource, kind, names):
            target, slash, _ = reference.partition("/")
            if slash and target.isalpha() and target not in outside and reference not in here:
                rule = "leads to one of the parts made with it"
                yield Finding("fhir-reference-local", Severity.ERROR, path, rule, name)


def _located(value: Any, path: str, names: frozenset[str]) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name == "reference" and isinstance(inner, str):
                yield f"{path}.reference", inner
            elif isinstance(inner, (dict, list)) and name in names:
                yield from _located(inner, f"{path}.{name}", names)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            if isinstance(inner, (dict, list)):
                yield from _located(inner, f"{path}[{index}]", names)


def control_characters(value: Any, path: str, names: frozenset[str]) -> Iterator[Finding]:
    """Strings with a character below U+0020 that is no tab, line feed or carriage return (R4 §2.24.0.1).

    Below an element that is not called by one of `names`, the path stops: a name can be somebody's words too.
    """
    if isinstance(value, str):
        if CONTROL.search(value):
            yield Finding("fhir-format", Severity.ERROR, path, "has no control characters")
    elif isinstance(value, dict):
        for name, inner in value.items():
            below = f"{path}.{name.removeprefix('_')}" if name in names else path
            yield from control_characters(inner, below, names)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from control_characters(inner, f"{path}[{index}]", names)


def _references(value: Any) -> Iterator[str]:
    """Every string starting with #: a reference, uri, url or canonical to something contained."""
    if isinstance(value, str):
        if value.startswith("#"):
            yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _parameters(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    for index, parameter in _items(value):
        yield from _present(f"{path}[{index}]", parameter, "resource")
        yield from _parameters(f"{path}[{index}].part", parameter.get("part"))


def _present(path: str, value: Any, name: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and name in value:
        yield f"{path}.{name}", value[name]


def _items(value: Any) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield index, item
