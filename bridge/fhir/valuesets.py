"""Value sets of FHIR packages turned into plain lists of codes, as far as the packages at hand allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Compact = dict[str, Any]


class Expander:
    """Lists the codes of value sets from the code systems and value sets of some packages.

    A code system marked `flat` has all its codes and not their hierarchy.
    """

    def __init__(self, code_systems: Iterable[Mapping[str, Any]], value_sets: Iterable[Mapping[str, Any]]) -> None:
        self._systems = {str(item.get("url")): item for item in code_systems}
        self._sets = {str(item.get("url")): item for item in value_sets}

    def expand(self, url: str) -> Compact | None:
        """`{"codes": {system: [code…]}, "open": [system…]}`, or None for a value set that is not here.

        A system is open where its codes are not at hand (LOINC, SNOMED CT, …) or a filter cannot be worked out:
        then any code of it is taken.
        """
        if url not in self._sets:
            return None
        codes: dict[str, dict[str, None]] = {}
        opened: dict[str, None] = {}
        self._collect(url, codes, opened, ())
        compact: Compact = {"codes": {system: list(listed) for system, listed in codes.items() if system not in opened}}
        if opened:
            compact["open"] = list(opened)
        return compact

    def _collect(
        self, url: str, codes: dict[str, dict[str, None]], opened: dict[str, None], above: tuple[str, ...]
    ) -> None:
        compose = self._sets[url].get("compose", {})
        for include in compose.get("include", ()):
            system = include.get("system")
            if system:
                listed = self._listed(include)
                if listed is None:
                    opened[system] = None
                else:
                    codes.setdefault(system, {}).update(dict.fromkeys(listed))
                continue
            for inner in include.get("valueSet", ()):
                inner = inner.split("|")[0]
                if inner in self._sets and inner not in above:
                    self._collect(inner, codes, opened, (*above, url))
                else:
                    opened[""] = None  # nothing is known about what it holds: any system
        for exclude in compose.get("exclude", ()):
            for code in self._listed(exclude) or ():
                codes.get(exclude.get("system", ""), {}).pop(code, None)

    def _listed(self, include: Mapping[str, Any]) -> list[str] | None:
        """The codes one include names; None where they cannot be worked out from what is at hand."""
        if include.get("valueSet"):
            return None  # an intersection
        if include.get("concept"):
            return [concept["code"] for concept in include["concept"]]
        system = self._systems.get(include["system"])
        if system is None or system.get("content") != "complete":
            return None
        if system.get("flat") and include.get("filter"):
            return None  # its codes are at hand, and not which stands below which
        concepts = list(_walk(system.get("concept", ()), ()))
        for rule in include.get("filter", ()):
            if rule["property"] != "concept" or rule["op"] not in ("is-a", "descendent-of"):
                return None
            root, itself = rule["value"], rule["op"] == "is-a"
            concepts = [(code, over) for code, over in concepts if root in over or (itself and code == root)]
        return [code for code, _ in concepts]


def _walk(concepts: Iterable[Mapping[str, Any]], above: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for concept in concepts:
        yield concept["code"], above
        yield from _walk(concept.get("concept", ()), (*above, concept["code"]))
