"""The parts of a mapping: each template compiled from its file, with what it reads, ready to be rendered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.mappings.checks import Checks, place_in
from bridge.mappings.fhirpath import ExpressionError, Position, Read
from bridge.mappings.fhirpath.reads import Flow
from bridge.mappings.fpml import Leaf, Positions
from bridge.mappings.source import Path, Source
from bridge.mappings.template import (
    AGENCY_SCHEMA,
    DECISION,
    LOOP,
    Expression,
    Knowing,
    Template,
    WatchedExpression,
    calls_in,
)
from bridge.mappings.watching import MappingWatch
from bridge.model import Part

OWN_KEYS = ("about", "when", "each", "key", "person")
_NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Section:
    """One entry under a Composition's `section`, rendered alone so that its labels stay its own."""

    template: Template
    labels: frozenset[int]


@dataclass(frozen=True, slots=True)
class PartTemplate:
    """One part a mapping may make: about whom, when, of what, and which labels (by position) each element brings."""

    name: str
    about: str
    type: str
    body: Template
    elements: Mapping[str, frozenset[int]]
    always: frozenset[int]
    sections: tuple[Section, ...]
    when: Expression | None
    each: Expression | None
    key: Expression
    person: Expression | None
    resolves: bool = False  # reads what was made of the record before it

    def brings(self, others: Iterable[Part]) -> frozenset[str]:
        """The classes that come along with what resolve() may find: all there are, since nobody knows what is read."""
        if not self.resolves:
            return frozenset()
        return frozenset().union(*(labels for other in others for labels in (other.labels, *other.sections)))


class Reader:
    """Reads the parts of one mapping file. Problems are added to those of `checks`."""

    def __init__(self, checks: Checks, watch: MappingWatch | None = None) -> None:
        self.checks = checks
        self._watch = watch
        self._knowing = Knowing(checks.kind.schema.document, {"agency": AGENCY_SCHEMA}, {}, watch)

    def part(self, name: str, value: dict[str, Any], path: Path) -> PartTemplate | None:
        """The part, or None with its problems added."""
        self.checks.about = about = str(value.get("about", ""))
        self._watched(name)
        knowing, always = self._knowing, _NOTHING
        each = self._own(value, "each", path, knowing)
        if "each" in value:
            shape, origin = (each.compiled.shape, each.flow) if each is not None else (None, Flow())
            knowing = knowing.naming("item", shape, origin)
            always |= self._brought(origin.noticed(), path, "each")
        own = {key: self._own(value, key, path, knowing) for key in ("when", "key", "person")}
        for key, expression in own.items():
            if expression is not None:
                always |= self._brought(expression.flow.consumed(), path, key)
        type_ = str(value.get("resourceType", ""))
        body = {key: inner for key, inner in value.items() if key not in OWN_KEYS}
        entries: list[Any] = []
        if type_ == "Composition" and isinstance(body.get("section"), list):
            entries = body.pop("section")
        template = self._template(body, knowing, self.checks.positions(path))
        sections = [self._section(entry, (*path, "section", index), knowing) for index, entry in enumerate(entries)]
        if template is None or None in sections:
            return None
        elements: dict[str, frozenset[int]] = {}
        for leaf in template.leaves():
            element = leaf.target.partition(".")[0]
            elements[element] = elements.get(element, _NOTHING) | self._labels(leaf)
        return PartTemplate(
            name=name,
            about=about,
            type=type_,
            body=template,
            elements=elements,
            always=always | elements.pop("", _NOTHING),
            sections=tuple(section for section in sections if section is not None),
            when=own["when"],
            each=each,
            resolves=any(
                call.name == "resolve"
                for one in (template, *(section.template for section in sections if section is not None))
                for call in one.calls()
            ),
            key=own["key"] or Expression("%item.id", knowing if each is not None else None),
            person=own["person"],
        )

    def condition(self, value: Any, source: Source, path: Path) -> Expression | None:
        """An expression outside any part, written at a path of a file, or None; its problems are added."""
        self._watched("")
        return self._expression(value, place_in(source, path), self._knowing, str(path[0]))

    def _own(self, value: dict[str, Any], key: str, path: Path, knowing: Knowing) -> Expression | None:
        if key not in value:
            return None
        return self._expression(value[key], self.checks.position((*path, key), beneath=2), knowing, key)

    def _expression(self, value: Any, place: Position, knowing: Knowing, kind: str) -> Expression | None:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        try:
            if knowing.watch is not None and kind not in ("key", "person"):
                ways = LOOP if kind == "each" else DECISION
                found: Expression = WatchedExpression(text, knowing, place, kind, ways)
            else:
                found = Expression(text, knowing, place)
        except ExpressionError as error:
            self.checks.mistake(error)
            return None
        self.checks.trees = (found.compiled.tree,)
        self.checks.calls(calls_in(found.compiled.tree))
        self.checks.reads(found.flow.consumed(), place)
        self.checks.doubts(found.compiled.issues)
        return found

    def _brought(self, reads: frozenset[Read], path: Path, key: str) -> frozenset[int]:
        place = self.checks.position((*path, key))
        return self.checks.brought(frozenset(read for read in reads if read.path), place)

    def _watched(self, part: str) -> None:
        if self._watch is not None:
            self._watch.part = part

    def _section(self, entry: Any, path: Path, knowing: Knowing) -> Section | None:
        self._watched(f"{path[1]}.section[{path[-1]}]")
        template = self._template([entry], knowing, self.checks.positions(path, (0,)))
        if template is None:
            return None
        return Section(template, _NOTHING.union(*(self._labels(leaf) for leaf in template.leaves())))

    def _template(self, value: Any, knowing: Knowing, positions: Positions) -> Template | None:
        """The template, or None with all its mistakes: compiling stops at the first, so then each text is tried."""
        try:
            found = Template(value, knowing, positions)
        except ExpressionError as error:
            self.checks.mistake(error)
            for path, text in _texts(value, ()):
                lengths = range(len(path), -1, -1)
                around = next((positions[path[:length]] for length in lengths if path[:length] in positions), None)
                try:
                    Template(text, Knowing(knowing.schema), None if around is None else {(): around})
                except ExpressionError as another:
                    self.checks.mistake(another)
            return None
        self.checks.trees = found.trees
        self.checks.calls(found.calls())
        for leaf in found.leaves():
            self._labels(leaf)
        self.checks.doubts(found.compiled.issues)
        return found

    def _labels(self, leaf: Leaf) -> frozenset[int]:
        """The labels that a leaf brings, by what flows into it and by what decides over it."""
        found = _NOTHING
        for place, reads in ((leaf.position, leaf.reads), *leaf.decisions):
            found |= self.checks.brought(self.checks.reads(reads, place), place)
        return found


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        pairs: Any = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in pairs:
            yield from _texts(inner, (*path, key))
