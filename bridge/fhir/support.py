"""Must-support: which elements a profile asks for are not there. Told as information, never an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bridge.fhir.definitions import Definitions, Profile, choice_names
from bridge.model import Finding, Severity

NOTHING: frozenset[str] = frozenset()


class MustSupport:
    """Compiled once for a profile; `missing` is a few set operations per resource."""

    def __init__(self, definitions: Definitions, profile: Profile) -> None:
        self._plan = _Level()
        for path in profile.must_support:
            alternatives: Iterable[str] = (path.rsplit(".", 1)[-1],)
            if path.endswith("[x]"):
                element = definitions.element(profile.type, path)
                alternatives = choice_names(path, element.types) if element else ()
            rule = f"{profile.id} marks it must-support: send it where the agency has it"
            finding = Finding("fhir-must-support", Severity.INFORMATION, f"{profile.type}.{path}", rule)
            self._plan.add(path.split(".")[:-1], tuple(alternatives), finding)
        self._plan.seal()

    def missing(self, resource: Mapping[str, Any]) -> tuple[Finding, ...]:
        """One finding for each must-support element that is absent though its parent is there."""
        return self._plan.missing(resource)


class _Level:
    """The must-support elements of one object, and the levels below it."""

    __slots__ = ("_below", "_choices", "_known", "_plain", "_simple")

    def __init__(self) -> None:
        self._simple: dict[str, Finding] = {}
        self._choices: list[tuple[frozenset[str], Finding]] = []
        self._below: dict[str, _Level] = {}
        self._plain: frozenset[str] = NOTHING
        self._known: dict[frozenset[str], tuple[Finding, ...]] = {}

    def add(self, above: list[str], alternatives: tuple[str, ...], finding: Finding) -> None:
        if above:
            self._below.setdefault(above[0], _Level()).add(above[1:], alternatives, finding)
        elif len(alternatives) == 1:
            self._simple[alternatives[0]] = finding
        else:
            self._choices.append((frozenset(alternatives), finding))

    def seal(self) -> None:
        self._plain = frozenset(self._simple)
        for level in self._below.values():
            level.seal()

    def missing(self, value: Mapping[str, Any]) -> tuple[Finding, ...]:
        absent = self._plain.difference(value)
        found = self._known.get(absent)
        if found is None:
            found = self._known[absent] = tuple(item for name, item in self._simple.items() if name in absent)
        for names, finding in self._choices:
            if names.isdisjoint(value):
                found = (*found, finding)
        for name, level in self._below.items():
            inner = value.get(name)
            if inner is not None:
                found += level.missing_in(inner)
        return found

    def missing_in(self, value: Any) -> tuple[Finding, ...]:
        """Of a list, what no item has: one complete item is enough."""
        if isinstance(value, dict):
            return self.missing(value)
        if not isinstance(value, list):
            return ()
        found: tuple[Finding, ...] | None = None
        for item in value:
            if isinstance(item, dict):
                here = self.missing(item)
                found = here if found is None else tuple(finding for finding in found if finding in here)
                if not found:
                    return ()
        return found or ()
