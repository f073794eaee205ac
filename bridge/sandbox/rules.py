"""Content rules of a shape, compiled once: what a create or update must keep to, and what each check means.

A rule yields findings, each with the reason the shape answers for and the element's path; never a value.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bridge.sandbox.answers import Finding
from bridge.sandbox.instants import range_of
from bridge.sandbox.parameters import literal
from bridge.sandbox.paths import Json, Path, compile_path, values
from bridge.sandbox.shape import Rule, Said
from bridge.sandbox.store import Entry, Store

Site = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being written: the resource, the entry it updates (None for a create), and the store around it."""

    resource: Json
    entry: Entry | None
    store: Store


Check = Callable[[Draft], Iterator[str]]
"""Yields the path of each element that does not keep to the rule."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule ready to run: only where `when` finds one of `cases`, if it is given."""

    reason: str
    check: Check
    says: Said | None
    when: Path = ()
    cases: frozenset[str] = frozenset()

    def findings(self, draft: Draft) -> Iterator[Finding]:
        """What is wrong with the written resource by this rule."""
        if self.when and self.cases.isdisjoint(map(str, values(draft.resource, self.when))):
            return
        for path in self.check(draft):
            yield Finding(self.reason, f"{draft.resource['resourceType']}.{path}", self.says)


def compile_rule(rule: Rule, site: Site) -> Compiled | None:
    """The rule as this site has it; None where the site does not have it.

    `ValueError` when it has no check or a path that is none, `KeyError` when it names a site value that is not there.
    """
    if rule.if_site and not site[rule.if_site]:
        return None
    for name in ("one_of_site", "mime_site"):
        if getattr(rule, name) and site[getattr(rule, name)] is None:
            return None
    made = _check(rule, site)
    if made is None:
        raise ValueError(f"a rule without a check: {rule.fact}")
    reason, check = made
    if rule.when is None:
        return Compiled(rule.reason or reason, check, rule.says)
    return Compiled(rule.reason or reason, check, rule.says, compile_path(rule.when.path), frozenset(rule.when.one_of))


def _check(rule: Rule, site: Site) -> tuple[str, Check] | None:
    path = compile_path(rule.path) if rule.path else ()
    allowed = frozenset(map(str, site[rule.one_of_site] if rule.one_of_site else rule.one_of))
    if rule.require:
        return "missing", partial(_absent, {item: compile_path(item) for item in rule.require})
    if rule.require_in:
        return "missing", partial(_absent_in, rule.require_in)
    if rule.forbid:
        return "business", partial(_present, rule.forbid)
    if rule.anywhere:
        return "business", partial(_anywhere, rule.anywhere)
    if rule.one_of or rule.one_of_site:
        return "invalid", partial(_not_among, rule.path, path, allowed, rule.any)
    if rule.none_of:
        return "invalid", partial(_among, rule.path, path, frozenset(rule.none_of))
    if rule.most:
        return "business", lambda draft: iter([rule.path] if len(values(draft.resource, path)) > rule.most else [])
    if rule.mime or rule.mime_site:
        kinds = frozenset(map(_mime, site[rule.mime_site] if rule.mime_site else rule.mime))
        return "invalid", partial(_other_mime, rule.path, path, kinds)
    if rule.base64:
        return "invalid", partial(_not_base64, rule.path, path)
    if rule.time:
        return "business", partial(_dateless, {item: compile_path(item) for item in rule.time})
    if rule.targets:
        return "business", partial(_other_target, rule.path, path, frozenset(rule.targets))
    if rule.one_system:
        return "business", partial(_mixed, rule.path, path, rule.one_system)
    if rule.same_patient:
        return "business", partial(_other_patient, rule.path, path)
    if rule.unique:
        return "duplicate", partial(_repeated, tuple(compile_path(item) for item in rule.unique), rule.unique[-1])
    if rule.not_earlier:
        return "business", partial(_backwards, rule.not_earlier, compile_path(rule.not_earlier))
    return None


def _absent(paths: dict[str, Path], draft: Draft) -> Iterator[str]:
    for text, path in paths.items():
        if all(value in ("", {}, []) for value in values(draft.resource, path)):
            yield text


def _absent_in(paths: dict[str, tuple[str, ...]], draft: Draft) -> Iterator[str]:
    for outer, inner in paths.items():
        for item in values(draft.resource, compile_path(outer)):
            yield from (f"{outer}.{text}" for text in inner if not values(item, compile_path(text)))


def _present(names: tuple[str, ...], draft: Draft) -> Iterator[str]:
    yield from (name for name in names if name in draft.resource)


def _anywhere(name: str, draft: Draft) -> Iterator[str]:
    waiting: list[Any] = [draft.resource]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if name in node:
                yield name
                return
            waiting.extend(value for value in node.values() if isinstance(value, dict | list))
        else:
            waiting.extend(value for value in node if isinstance(value, dict | list))


def _not_among(text: str, path: Path, allowed: frozenset[str], one_is_enough: bool, draft: Draft) -> Iterator[str]:
    found = [str(value) in allowed for value in values(draft.resource, path)]
    if found and not (any(found) if one_is_enough else all(found)):
        yield text


def _among(text: str, path: Path, refused: frozenset[str], draft: Draft) -> Iterator[str]:
    if any(str(value) in refused for value in values(draft.resource, path)):
        yield text


def _mime(text: str) -> str:
    return text.lower().replace(" ", "").replace('"', "")


def _other_mime(text: str, path: Path, kinds: frozenset[str], draft: Draft) -> Iterator[str]:
    """A kind listed with parameters is taken only with them; one listed without is taken with any."""
    for value in values(draft.resource, path):
        mime = _mime(str(value))
        if mime not in kinds and mime.partition(";")[0] not in kinds:
            yield text


def _not_base64(text: str, path: Path, draft: Draft) -> Iterator[str]:
    for value in values(draft.resource, path):
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError, TypeError):
            yield text


def _dateless(paths: dict[str, Path], draft: Draft) -> Iterator[str]:
    for text, path in paths.items():
        if any("T" not in str(value) or range_of(value) is None for value in values(draft.resource, path)):
            yield text


def _other_target(text: str, path: Path, types: frozenset[str], draft: Draft) -> Iterator[str]:
    if any(literal(value)[0] not in types for value in values(draft.resource, path)):
        yield text


def _mixed(text: str, path: Path, many: str, draft: Draft) -> Iterator[str]:
    """Any number of codings of the one system, or a single coding of another; never both."""
    systems = [value.get("system") for value in values(draft.resource, path) if isinstance(value, dict)]
    if any(system != many for system in systems) and len(systems) > 1:
        yield text


def _other_patient(text: str, path: Path, draft: Draft) -> Iterator[str]:
    own = literal(draft.resource.get("subject"))
    for value in values(draft.resource, path):
        entry = draft.store.get(*literal(value))
        if entry is not None and literal(entry.now.resource.get("subject")) != own:
            yield text


def _repeated(paths: tuple[Path, ...], text: str, draft: Draft) -> Iterator[str]:
    def key(resource: Json) -> list[list[Any]]:
        return [values(resource, path) for path in paths]

    own, subject = key(draft.resource), literal(draft.resource.get("subject"))[1]
    held = draft.store.of_patient(str(draft.resource["resourceType"]), subject)
    if any(own) and any(entry is not draft.entry and key(entry.now.resource) == own for entry in held):
        yield text


def _backwards(text: str, path: Path, draft: Draft) -> Iterator[str]:
    if draft.entry is None:
        return
    new, old = (
        [span for value in values(resource, path) if (span := range_of(value))]
        for resource in (draft.resource, draft.entry.now.resource)
    )
    if new and old and new[0][0] < old[0][0]:
        yield text
