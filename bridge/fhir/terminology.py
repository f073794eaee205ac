"""Value sets and ConceptMaps of FHIR packages by canonical url, as far as their codes can be listed.

Kept apart from the definitions: validation needs none of it, and a mapping only what it names. A value set over a
terminology whose codes are not in the packages (LOINC, SNOMED CT, …) is known by name and by what it is drawn from;
its codes are nowhere guessed.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from bridge.errors import DefinitionError, Problem
from bridge.fhir.valuesets import Expander

FORMAT = 1
SHIPPED = Path(__file__).parent / "data" / "terminology" / "fhir.json"
FOLDER = "terminology"
"""The folder, beside a project's own definitions, of what they say of codes."""

Raw = dict[str, Any]
Members = Mapping[str, frozenset[str]]
_TARGET = ("code", "display", "equivalence", "comment", "dependsOn", "product")


@dataclass(frozen=True, slots=True)
class Terminology:
    """`value_sets`: codes by system. `open`: value sets that cannot be listed, with the systems they are drawn from.
    `concept_maps`: resources with their identity and groups alone.
    """

    value_sets: Mapping[str, Members] = field(default_factory=dict)
    open: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    concept_maps: Mapping[str, Raw] = field(default_factory=dict)


def terminology(documents: Iterable[Raw]) -> Terminology:
    """What several compact documents know; of two things with one url the later stands."""
    value_sets: dict[str, Members] = {}
    opened: dict[str, tuple[str, ...]] = {}
    concept_maps: dict[str, Raw] = {}
    for document in documents:
        systems = {url: frozenset(codes) for url, codes in document.get("systems", {}).items()}
        for url, raw in document.get("value_sets", {}).items():
            whole = {system: systems[system] for system in raw.get("all", ())}
            value_sets[url] = whole | {system: frozenset(codes) for system, codes in raw.get("codes", {}).items()}
        opened.update((url, tuple(drawn)) for url, drawn in document.get("open", {}).items())
        concept_maps.update(document.get("concept_maps", {}))
    return Terminology(value_sets, {url: drawn for url, drawn in opened.items() if url not in value_sets}, concept_maps)


@cache
def shipped() -> Terminology:
    """What ships with the bridge. Reads one file, once."""
    return terminology([read(SHIPPED)])


def at_hand() -> dict[str, list[Raw]]:
    """What ships, as resources that value sets of other packages may be drawn from; of code systems the codes alone."""
    systems = read(SHIPPED)["systems"]
    listed = {
        url: [
            {"system": system, "concept": [{"code": code} for code in sorted(codes)]}
            for system, codes in members.items()
        ]
        for url, members in shipped().value_sets.items()
    }
    return {
        "CodeSystem": [
            {"url": url, "content": "complete", "flat": True, "concept": [{"code": code} for code in codes]}
            for url, codes in systems.items()
        ],
        "ValueSet": [{"url": url, "compose": {"include": include}} for url, include in listed.items()],
    }


def read(path: Path) -> Raw:
    """One compact document. Raises DefinitionError naming the file that cannot be used."""
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        document = None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        rule = f"a file of value sets and ConceptMaps is JSON of format {FORMAT}"
        step = "make it again with `bridge definitions add PACKAGE.tgz`"
        raise DefinitionError(Problem("definitions-unreadable", rule, str(path), next_step=step))
    return document


def compact(package: str, resources: Mapping[str, list[Raw]], at_hand: Mapping[str, list[Raw]] | None = None) -> Raw:
    """The compact document of a package's value sets and ConceptMaps; `at_hand` are resources of other packages."""
    more: Mapping[str, list[Raw]] = at_hand or {}
    systems = [*more.get("CodeSystem", ()), *resources["CodeSystem"]]
    expander = Expander(systems, [*more.get("ValueSet", ()), *resources["ValueSet"]])
    complete = {
        str(one["url"]): _all_codes(one) for one in systems if one.get("content") == "complete" and "url" in one
    }
    used: dict[str, list[str]] = {}
    value_sets: Raw = {}
    opened: Raw = {}
    for url in sorted(str(one["url"]) for one in resources["ValueSet"] if "url" in one):
        expanded = expander.expand(url) or {"open": [""]}
        if "open" in expanded or not any(expanded["codes"].values()):
            opened[url] = sorted(filter(None, expanded.get("open", ())))
            continue
        raw: Raw = {}
        value_sets[url] = raw
        for system, codes in expanded["codes"].items():
            if complete.get(system) == codes:
                raw.setdefault("all", []).append(system)
                used[system] = codes
            else:
                raw.setdefault("codes", {})[system] = codes
    maps = {str(one["url"]): _bare(one) for one in resources["ConceptMap"] if one.get("url") and one.get("group")}
    return {
        "format": FORMAT,
        "package": package,
        "systems": dict(sorted(used.items())),
        "value_sets": value_sets,
        "open": opened,
        "concept_maps": dict(sorted(maps.items())),
    }


def picked(document: Raw, urls: Container[str]) -> Raw:
    """The part of a document that these urls name, with the code systems it needs; {} where they name none of it."""
    kept: Raw = {
        key: {url: raw for url, raw in document.get(key, {}).items() if url in urls}
        for key in ("value_sets", "open", "concept_maps")
    }
    if not any(kept.values()):
        return {}
    needed = {system for raw in kept["value_sets"].values() for system in raw.get("all", ())}
    systems = {system: codes for system, codes in document.get("systems", {}).items() if system in needed}
    return {"format": FORMAT, "package": document.get("package", ""), "systems": systems, **kept}


def _all_codes(system: Raw) -> list[str]:
    found: list[str] = []
    waiting = list(reversed(system.get("concept", ())))
    while waiting:
        concept = waiting.pop()
        found.append(concept["code"])
        waiting.extend(reversed(concept.get("concept", ())))
    return found


def _bare(concept_map: Raw) -> Raw:
    """A ConceptMap's identity and groups, without texts about it."""
    kept: Raw = {key: concept_map[key] for key in ("resourceType", "url", "version", "title") if key in concept_map}
    kept["group"] = [
        {key: group[key] for key in ("source", "target") if key in group}
        | ({"unmapped": {"mode": group["unmapped"].get("mode")}} if "unmapped" in group else {})
        | {"element": [_element(one) for one in group.get("element", ())]}
        for group in concept_map["group"]
    ]
    return kept


def _element(element: Raw) -> Raw:
    targets = [{key: one[key] for key in _TARGET if key in one} for one in element.get("target", ())]
    kept = {key: element[key] for key in ("code", "display") if key in element}
    return kept | ({"target": targets} if targets else {})
