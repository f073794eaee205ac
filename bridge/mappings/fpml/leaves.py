"""What each element of a template's result is made of: the ground on which labels stand.

For every leaf: the element it fills, the source paths its value is computed from, and the paths that decide whether
and how often it is there (if, for). Variables carry what they were assigned to all their uses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bridge.mappings.fhirpath.problems import Position
from bridge.mappings.fhirpath.reads import EMPTY, Flow, Read, Reading, Reads, flow
from bridge.mappings.fhirpath.shapes import Schema, root_shape
from bridge.mappings.fpml.template import (
    Constant,
    Every,
    Expression,
    Path,
    Sequence,
    Single,
    Structure,
    Template,
    Text,
)

_NONE: Reads = frozenset()


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of the result.

    `target` is the FHIR element (dotted, no indexes), `path` its place in the template tree. `reads` flow into the
    value; `control` decides whether it is there, `decisions` are the same by where they stand. `expression` is "" for a
    constant.
    """

    target: str
    path: Path
    position: Position
    reads: Reads
    control: Reads
    expression: str = ""
    decisions: tuple[tuple[Position, Reads], ...] = ()

    @property
    def sources(self) -> Reads:
        """All that the element tells about the record."""
        return self.reads | self.control


@dataclass(frozen=True, slots=True)
class _At:
    target: str
    reading: Reading
    control: Reads
    decisions: tuple[tuple[Position, Reads], ...] = ()

    def under(self, key: str) -> _At:
        return replace(self, target=f"{self.target}.{key}" if self.target else key)

    def deciding(self, reads: Reads, position: Position) -> _At:
        return replace(self, control=self.control | reads, decisions=(*self.decisions, (position, reads)))


def leaves(
    template: Template,
    *,
    schema: Schema | None = None,
    origins: Mapping[str, str | Flow] | None = None,
    alone: frozenset[str] = frozenset(),
) -> tuple[Leaf, ...]:
    """Every leaf of a parsed template, in order. `origins` tells which path a variable of the caller comes from.

    `alone` as for `Reading`.
    """
    flows = {name: Flow(frozenset({of})) if isinstance(of, str) else of for name, of in (origins or {}).items()}
    reading = Reading(variables=flows, shape=None if schema is None else root_shape(schema), alone=alone)
    return tuple(_leaves(template, _At("", reading, _NONE)))


def _leaves(node: Template, at: _At) -> Iterator[Leaf]:
    match node:
        case Constant(value=value, path=path, position=position):
            if value is not None:
                yield from _constant(value, path, position, at)
        case Single(expression=expression, path=path) | Every(expression=expression, path=path):
            yield _leaf([expression], path, expression.position, at)
        case Text(parts=parts, path=path, position=position):
            yield _leaf([part for part in parts if not isinstance(part, str)], path, position, at)
        case Sequence(items=items):
            for item in items:
                yield from _leaves(item, at)
        case Structure():
            yield from _structure(node, at)


def _constant(value: object, path: Path, position: Position, at: _At) -> Iterator[Leaf]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _constant(part, (*path, key), position, at.under(key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _constant(part, (*path, place), position, at)
    else:
        yield Leaf(at.target, path, position, _NONE, at.control, "", at.decisions)


def _leaf(expressions: list[Expression], path: Path, position: Position, at: _At) -> Leaf:
    found = [flow(expression.tree, at.reading).consumed() for expression in expressions]
    text = " … ".join(expression.text for expression in expressions)
    return Leaf(at.target, path, position, _NONE.union(*found), at.control, text, at.decisions)


def _structure(node: Structure, at: _At) -> Iterator[Leaf]:
    for name, value in node.assigned:
        at = replace(at, reading=at.reading.naming(name, _value(value, at)))
    if node.loop is not None:
        items = flow(node.loop.expression.tree, at.reading)
        reading = at.reading.naming(node.loop.item, items)
        if node.loop.index:
            reading = reading.naming(node.loop.index, Flow(reads=items.noticed()))
        inside = replace(at, reading=reading).deciding(items.noticed(), node.loop.expression.position)
        yield from _leaves(node.loop.body, inside)
        return
    for key, value in node.entries:
        yield from _leaves(value, at.under(key))
    for part in node.merged:
        yield from _leaves(part, at)
    if node.choice is not None:
        condition = node.choice.condition
        inside = at.deciding(flow(condition.tree, at.reading).consumed(), condition.position)
        yield from _leaves(node.choice.then, inside)
        if node.choice.otherwise is not None:
            yield from _leaves(node.choice.otherwise, inside)


def _value(node: Template, at: _At) -> Flow:
    """What a name stands for: the paths of an expression, or everything that flows into an assembled value."""
    if isinstance(node, Single | Every):
        return flow(node.expression.tree, at.reading)
    found = [leaf.sources for leaf in _leaves(node, replace(at, target="", control=_NONE, decisions=()))]
    return Flow(reads=_NONE.union(*found)) if found else EMPTY


def covers(label: str, read: Read) -> bool:
    """Does what is read at a path include what a label stands on: the same path, one above it or one beneath it."""
    if label == read.path or read.path.startswith(f"{label}."):
        return True
    return read.whole and (read.path == "" or label.startswith(f"{read.path}."))
