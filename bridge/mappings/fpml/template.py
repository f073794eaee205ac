"""A template as read: what each node of the YAML or JSON tree means (FHIRPath Mapping Language)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from bridge.mappings.fhirpath.problems import Position
from bridge.mappings.fhirpath.tree import Node

Path = tuple[str | int, ...]
Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json]"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a node of a template stands in its file: its value, and the key it stands under."""

    value: Position
    key: Position


Positions = Mapping[Path, Place]


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression of a template."""

    text: str
    tree: Node = field(repr=False)
    position: Position


@dataclass(frozen=True, slots=True)
class Constant:
    """A value that is itself; None where nothing is left of it (null, {}, [])."""

    value: Json | None
    path: Path
    position: Position


@dataclass(frozen=True, slots=True)
class Single:
    """{{ expression }}: the first item."""

    expression: Expression
    keep_null: bool
    path: Path


@dataclass(frozen=True, slots=True)
class Every:
    """{[ expression ]}: all items."""

    expression: Expression
    path: Path


@dataclass(frozen=True, slots=True)
class Text:
    """Text around expressions; one empty part empties the whole, or makes it null where `keep_null`."""

    parts: tuple[str | Expression, ...]
    keep_null: bool
    path: Path
    position: Position


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list; lists in it are flattened."""

    items: tuple[Template, ...]
    path: Path
    position: Position


@dataclass(frozen=True, slots=True)
class Choice:
    """{% if %} with or without {% else %}."""

    condition: Expression
    then: Template
    otherwise: Template | None


@dataclass(frozen=True, slots=True)
class Loop:
    """{% for item in … %}, {% for index, item in … %}."""

    expression: Expression
    item: str
    index: str
    body: Template


@dataclass(frozen=True, slots=True)
class Structure:
    """An object with its blocks: names assigned first, then its own entries, then what is merged, then the choice.

    With `loop` it is a list instead; with `choice` alone it is what the choice gives.
    """

    assigned: tuple[tuple[str, Template], ...]
    entries: tuple[tuple[str, Template], ...]
    merged: tuple[Template, ...]
    choice: Choice | None
    loop: Loop | None
    path: Path
    position: Position

    @property
    def replaced(self) -> bool:
        """Is it something else than an object: a list, or whatever its choice gives."""
        return self.loop is not None or (self.choice is not None and not self.entries and not self.merged)


Template: TypeAlias = Constant | Single | Every | Text | Sequence | Structure


def trees(template: Template) -> Iterator[Node]:
    """Every expression of a template, in its order."""
    match template:
        case Single(expression=expression) | Every(expression=expression):
            yield expression.tree
        case Text(parts=parts):
            yield from (part.tree for part in parts if isinstance(part, Expression))
        case Sequence(items=items):
            for item in items:
                yield from trees(item)
        case Structure():
            yield from _trees_of(template)


def _trees_of(node: Structure) -> Iterator[Node]:
    for _, value in (*node.assigned, *node.entries):
        yield from trees(value)
    for part in node.merged:
        yield from trees(part)
    if node.loop is not None:
        yield node.loop.expression.tree
        yield from trees(node.loop.body)
    if node.choice is not None:
        yield node.choice.condition.tree
        yield from trees(node.choice.then)
        if node.choice.otherwise is not None:
            yield from trees(node.choice.otherwise)
