"""A mapping taken apart: every value with the element it fills, every object with its keys, every expression.

What the rules look at. Positions are those of the file that wrote the line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from bridge.fhir.definitions import Element
from bridge.mappings.fhirpath import Position, tree
from bridge.mappings.fpml import Place
from bridge.mappings.fpml.template import (
    Choice,
    Constant,
    Every,
    Json,
    Path,
    Sequence,
    Single,
    Structure,
    Template,
    Text,
    trees,
)
from bridge.mappings.fpml.template import Expression as Inner
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import ANYTHING, Given, Knowing, given
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.terms import terms_of
from bridge.mappings.parts import PartTemplate
from bridge.mappings.template import Expression
from bridge.mappings.template import Template as Rendered

_ASSIGNED = "%"  # the path of what is given a name: it fills no element yet


@dataclass(frozen=True, slots=True)
class At:
    """A place of a template: the element it fills, what is known there, and which conditions hold.

    `element` is None where FHIR has no such element, or nothing is known of it.
    """

    path: str
    element: Element | None
    knowing: Knowing
    facts: Facts
    companion: bool = False


@dataclass(frozen=True, slots=True)
class Value:
    """One value that is written to an element: a constant, or an expression (`tree`), or a text with some in it."""

    at: At
    place: Place
    constant: Json | None = None
    tree: tree.Node | None = None
    joined: bool = False

    @property
    def given(self) -> Given:
        """What it may be; anything for a constant."""
        return ANYTHING if self.tree is None else given(self.tree, self.at.knowing)


@dataclass(frozen=True, slots=True)
class Formed:
    """A value as a whole: `many` says that a list is written. Lists' entries have no such entry of their own."""

    at: At
    place: Place
    many: bool


@dataclass(frozen=True, slots=True)
class Object:
    """An object that is written; `opaque` where an expression gives it, or a part of it, so that keys are unknown.

    `together` are keys that are written side by side; `companion` says that it is the `_name` beside a primitive.
    """

    at: At
    place: Place
    keys: Mapping[str, Place]
    opaque: bool
    together: tuple[frozenset[str], ...] = ()
    companion: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """One expression. `role` is value, if, for, when, each, key, person, label or hold."""

    tree: tree.Node
    role: str
    knowing: Knowing
    facts: Facts
    path: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """One name that is assigned, and whether anything reads it."""

    name: str
    value: Template
    place: Place
    used: bool
    hides: bool


@dataclass(slots=True)
class Walked:
    """All that one part, or the lines outside of parts, say."""

    part: PartTemplate | None
    values: list[Value] = field(default_factory=list)
    formed: list[Formed] = field(default_factory=list)
    objects: list[Object] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)


def walk(subject: Subject) -> Iterator[Walked]:
    """Every part of a mapping, then what stands outside of them."""
    for part in subject.mapping.parts:
        yield _part(subject, part)
    outside = Walked(None)
    for role, lines in (("label", subject.mapping.labels), ("hold", subject.mapping.holds)):
        for line in lines:
            if line.when is not None:
                knowing = Knowing(subject, terms_of(line.when))
                outside.said.append(Said(line.when.compiled.tree, role, knowing, Facts()))
    yield outside


def _part(subject: Subject, part: PartTemplate) -> Walked:
    walked = Walked(part)
    knowing = Knowing(subject, {}, part.about)
    facts = Facts()
    if part.each is not None:
        own = _own(walked, "each", part.each, knowing, facts)
        knowing = knowing.naming("item", replace(given(part.each.compiled.tree, own), many=False))
    if part.when is not None:
        _own(walked, "when", part.when, knowing, facts)
        facts = facts.given(part.when.compiled.tree)
    for role, expression in (("key", part.key if part.each is not None else None), ("person", part.person)):
        if expression is not None:
            _own(walked, role, expression, knowing, facts)
    base: Path = ("emits", part.name)
    place = subject.source.place(base) or Place(Position(), Position())
    body = _Walk(subject, walked, part.type, base, 0)
    body.template(part.body, At("", None, knowing, facts), place)
    for index, section in enumerate(part.sections):
        inner = _Walk(subject, walked, part.type, (*base, "section", index), 1)
        element = subject.definitions.element(part.type, "section")
        inner.template(section.template, At("section", element, knowing, facts), place)
    return walked


def _own(walked: Walked, role: str, expression: Expression, knowing: Knowing, facts: Facts) -> Knowing:
    own = replace(knowing, terms=terms_of(expression))
    walked.said.append(Said(expression.compiled.tree, role, own, facts))
    return own


class _Walk:
    """Takes one template apart. `base` is where it stands in the file; the template's paths lack their first `cut`."""

    def __init__(self, subject: Subject, walked: Walked, type_: str, base: Path, cut: int) -> None:
        self.subject = subject
        self.walked = walked
        self.type = type_
        self.base = base
        self.cut = cut

    def template(self, rendered: Rendered, at: At, place: Place) -> None:
        """All that a template says."""
        at = replace(at, knowing=replace(at.knowing, terms=terms_of(rendered)))
        root = rendered.compiled.template
        if isinstance(root, Structure | Constant) and not at.path:
            self._object(root, at, place, written=True)
        else:
            self._entries(root, at)

    # ── places ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _place(self, path: Path) -> Place:
        return self.subject.source.place((*self.base, *path[self.cut :])) or Place(Position(), Position())

    def _under(self, at: At, key: str) -> At:
        path = f"{at.path}.{key.removeprefix('_')}" if at.path else key.removeprefix("_")
        known = at.element is not None or not at.path
        element = self.subject.definitions.element(self.type, path) if known else None
        return replace(at, path=path, element=element, companion=key.startswith("_"))

    # ── values ────────────────────────────────────────────────────────────────────────────────────────────────────
    def _value(self, node: Template, at: At, place: Place) -> None:
        """The value of an element, one or a list."""
        if isinstance(node, Structure) and node.choice is not None and node.replaced and node.loop is None:
            at = self._assigned(node, at)
            for branch, facts in self._branches(node.choice, at):
                self._value(branch, replace(at, facts=facts), place)
            return
        many = isinstance(node, Sequence | Every) or (isinstance(node, Structure) and node.loop is not None)
        if isinstance(node, Constant):
            if node.value is None:
                return
            many = isinstance(node.value, list)
        self.walked.formed.append(Formed(at, place, many))
        self._entries(node, at)

    def _entries(self, node: Template, at: At) -> None:
        """One entry of an element: of a list, every one."""
        match node:
            case Constant(value=value, path=path):
                self._constant(value, path, at)
            case Single(expression=expression, path=path) | Every(expression=expression, path=path):
                self._said(expression, "value", at)
                place = self._place(path)
                self.walked.values.append(Value(at, Place(expression.position, place.key), tree=expression.tree))
            case Text(parts=parts, path=path):
                for part in parts:
                    if not isinstance(part, str):
                        self._said(part, "value", at)
                self.walked.values.append(Value(at, self._place(path), joined=True))
            case Sequence(items=items):
                for item in items:
                    self._entries(item, at)
            case Structure():
                self._structure(node, at)

    def _structure(self, node: Structure, at: At) -> None:
        if node.loop is not None:
            at = self._assigned(node, at)
            self._said(node.loop.expression, "for", at)
            knowing = at.knowing.naming(
                node.loop.item, replace(given(node.loop.expression.tree, at.knowing), many=False)
            )
            if node.loop.index:
                knowing = knowing.naming(node.loop.index, Given(frozenset({"Integer"}), counter=True))
            self._entries(node.loop.body, replace(at, knowing=knowing))
        elif node.replaced and node.choice is not None:
            at = self._assigned(node, at)
            for branch, facts in self._branches(node.choice, at):
                self._entries(branch, replace(at, facts=facts))
        else:
            self._object(node, at, self._place(node.path), written=True)

    def _constant(self, value: Json | None, path: Path, at: At) -> None:
        if isinstance(value, list):
            for index, item in enumerate(value):
                self._constant(item, (*path, index), at)
        elif isinstance(value, dict):
            self._object(Constant(value, path, Position()), at, self._place(path), written=True)
        elif value is not None:
            self.walked.values.append(Value(at, self._place(path), constant=value))

    # ── objects ───────────────────────────────────────────────────────────────────────────────────────────────────
    def _object(self, node: Template, at: At, place: Place, *, written: bool) -> tuple[dict[str, Place], bool]:
        """The keys an object may have, and whether it may have more; `written` once for each object of the result."""
        keys: dict[str, Place] = {}
        opaque = False
        if isinstance(node, Constant) and isinstance(node.value, dict):
            for key, value in node.value.items():
                keys[key] = self._place((*node.path, key))
                self._value(Constant(value, (*node.path, key), Position()), self._under(at, key), keys[key])
        elif isinstance(node, Structure) and not node.replaced:
            at = self._assigned(node, at)
            for key, entry in node.entries:
                keys[key] = self._place((*node.path, key))
                self._value(entry, self._under(at, key), keys[key])
            for part in node.merged:
                more, unknown = self._object(part, at, place, written=False)
                keys, opaque = keys | more, opaque or unknown
            for branch, facts in self._branches(node.choice, at):
                more, unknown = self._object(branch, replace(at, facts=facts), place, written=False)
                keys, opaque = keys | more, opaque or unknown
        elif isinstance(node, Structure) and node.choice is not None:
            at = self._assigned(node, at)
            for branch, facts in self._branches(node.choice, at):
                more, unknown = self._object(branch, replace(at, facts=facts), place, written=False)
                keys, opaque = keys | more, opaque or unknown
        elif not isinstance(node, Constant):
            opaque = True
            if isinstance(node, Single):
                self._said(node.expression, "value", at)
        if written:
            together = (frozenset(key for key, _ in node.entries) if isinstance(node, Structure) else frozenset(keys),)
            self.walked.objects.append(Object(at, place, keys, opaque, together, at.companion))
        return keys, opaque

    def _branches(self, choice: Choice | None, at: At) -> Iterator[tuple[Template, Facts]]:
        if choice is None:
            return
        self._said(choice.condition, "if", at)
        yield choice.then, at.facts.given(choice.condition.tree)
        if choice.otherwise is not None:
            yield choice.otherwise, at.facts.without(choice.condition.tree)

    # ── names and expressions ─────────────────────────────────────────────────────────────────────────────────────
    def _assigned(self, node: Structure, at: At) -> At:
        for index, (name, value) in enumerate(node.assigned):
            rest = replace(node, assigned=node.assigned[index + 1 :])
            place = self._place(value.path)
            hides = name in at.knowing.names or name in ("agency", "item")
            self.walked.named.append(Named(name, value, place, _reads(rest, name), hides))
            found = ANYTHING
            if isinstance(value, Single | Every):
                self._said(value.expression, "value", at)
                found = given(value.expression.tree, at.knowing)
                found = replace(found, many=False) if isinstance(value, Single) else found
            else:
                self._entries(value, replace(at, path=_ASSIGNED, element=None))
            at = replace(at, knowing=at.knowing.naming(name, found))
        return at

    def _said(self, expression: Inner, role: str, at: At) -> None:
        self.walked.said.append(Said(expression.tree, role, at.knowing, at.facts, at.path))


def _reads(node: Template, name: str) -> bool:
    """Does anything in a template read a name."""
    return any(
        isinstance(one, tree.Variable) and one.name == name for found in trees(node) for one in tree.within(found)
    )
