"""The parsed expression. Every node knows its position (line and column of the token that names it)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from bridge.mappings.fhirpath.moments import Moment
from bridge.mappings.fhirpath.problems import Position
from bridge.mappings.fhirpath.quantities import Quantity

Constant: TypeAlias = bool | int | Decimal | str | Moment | Quantity


@dataclass(frozen=True, slots=True)
class Literal:
    """true, 'text', 5, 5.0, @2026, 4 days."""

    value: Constant
    position: Position


@dataclass(frozen=True, slots=True)
class Nothing:
    """The empty collection {}."""

    position: Position


@dataclass(frozen=True, slots=True)
class Special:
    """$this, $index or $total; `name` is without the dollar sign."""

    name: str
    position: Position


@dataclass(frozen=True, slots=True)
class Variable:
    """%name."""

    name: str
    position: Position


@dataclass(frozen=True, slots=True)
class Member:
    """target.name, or a name at the head of a path (`target` None)."""

    target: Node | None
    name: str
    position: Position


@dataclass(frozen=True, slots=True)
class Call:
    """target.name(arguments), or name(arguments) on the current item."""

    target: Node | None
    name: str
    arguments: tuple[Node, ...]
    position: Position


@dataclass(frozen=True, slots=True)
class Index:
    """target[index]."""

    target: Node
    index: Node
    position: Position


@dataclass(frozen=True, slots=True)
class Polarity:
    """+operand or -operand."""

    sign: str
    operand: Node
    position: Position


@dataclass(frozen=True, slots=True)
class Binary:
    """left operator right."""

    operator: str
    left: Node
    right: Node
    position: Position


@dataclass(frozen=True, slots=True)
class TypeCheck:
    """operand is Type, operand as Type."""

    operator: str
    operand: Node
    type: str
    position: Position


Node: TypeAlias = Literal | Nothing | Special | Variable | Member | Call | Index | Polarity | Binary | TypeCheck


def children(node: Node) -> tuple[Node, ...]:
    """The nodes directly beneath, in source order."""
    match node:
        case Member(target=target):
            return () if target is None else (target,)
        case Call(target=target, arguments=arguments):
            return arguments if target is None else (target, *arguments)
        case Index(target=target, index=index):
            return (target, index)
        case Polarity(operand=operand) | TypeCheck(operand=operand):
            return (operand,)
        case Binary(left=left, right=right):
            return (left, right)
    return ()


def within(node: Node) -> Iterator[Node]:
    """The node and all beneath it, in source order."""
    yield node
    for child in children(node):
        yield from within(child)
