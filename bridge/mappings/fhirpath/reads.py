"""Which paths of its input an expression reads, found without running it.

A path is dotted, without indexes ("goals.title"), "" for the whole record. What is only passed through on the way to a
child is not read. The answer never leaves out a path that could be read; where a function walks everything, the whole
sub-tree counts as read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.model import CHOICES
from bridge.mappings.fhirpath.shapes import Shape


@dataclass(frozen=True, slots=True, order=True)
class Read:
    """A path that is read: with all beneath it (`whole`), or only whether and how often it is there."""

    path: str
    whole: bool = True


Reads = frozenset[Read]
_NONE: Reads = frozenset()


@dataclass(frozen=True, slots=True)
class Flow:
    """What a sub-expression stands for: the paths its items come from, and what was read to choose or compute them."""

    points: frozenset[str] = frozenset()
    reads: Reads = _NONE

    def consumed(self) -> Reads:
        """Everything read when the items themselves are used."""
        return self.reads | {Read(point) for point in self.points}

    def noticed(self) -> Reads:
        """Everything read when only their number is used."""
        return self.reads | {Read(point, whole=False) for point in self.points}

    def __or__(self, other: Flow) -> Flow:
        return Flow(self.points | other.points, self.reads | other.reads)


EMPTY = Flow()
WHOLE = Flow(frozenset({""}))


@dataclass(frozen=True, slots=True)
class Reading:
    """Where names lead: the root, $this, $total and the variables. `shape` tells which choices a field name means.

    `alone` names functions of the caller that know their arguments only (`Registry.alone`).
    """

    this: Flow = WHOLE
    total: Flow = EMPTY
    variables: Mapping[str, Flow] | None = None
    shape: Shape | None = None
    alone: frozenset[str] = frozenset()

    def naming(self, name: str, flow: Flow) -> Reading:
        """The same with one more variable."""
        return replace(self, variables={**(self.variables or {}), name: flow})


_PASSING = frozenset({"first", "last", "tail", "skip", "take", "single", "distinct", "getValue"})
_TYPED = frozenset({"is", "as", "ofType"})
_JOINING = frozenset({"union", "combine", "coalesce"})
_CHOOSING = frozenset({"intersect", "exclude"})
_COUNTING = frozenset({"exists", "empty", "count", "all", "hasValue", "type", "isDistinct"})
_ROOTS = frozenset({"context", "resource", "rootResource"})


def reads(node: tree.Node, reading: Reading | None = None) -> Reads:
    """The paths that are read when the expression's items are used."""
    return flow(node, reading or Reading()).consumed()


def flow(node: tree.Node, reading: Reading) -> Flow:
    """Where the items of an expression come from, and what was read on the way."""
    match node:
        case tree.Literal() | tree.Nothing():
            return EMPTY
        case tree.Special(name=name):
            return {"this": reading.this, "total": reading.total}.get(name, Flow(reads=reading.this.noticed()))
        case tree.Variable(name=name):
            return WHOLE if name in _ROOTS else (reading.variables or {}).get(name, EMPTY)
        case tree.Member(target=None, name=name):
            return _head(name, reading)
        case tree.Member(target=target, name=name) if target is not None:
            return _step(flow(target, reading), name, reading)
        case tree.Index(target=target, index=index):
            return flow(target, reading) | Flow(reads=flow(index, reading).consumed())
        case tree.Binary(operator="|", left=left, right=right):
            return flow(left, reading) | flow(right, reading)
        case tree.TypeCheck(operator=operator, operand=operand):
            found = flow(operand, reading)
            return found if operator == "as" else Flow(reads=found.noticed())
        case tree.Call():
            return _call(node, reading)
    used = [flow(child, reading).consumed() for child in tree.children(node)]
    return Flow(reads=_NONE.union(*used))


def _head(name: str, reading: Reading) -> Flow:
    if name[:1].isupper() and (reading.shape is None or name not in reading.shape.names()):
        return reading.this
    return _step(reading.this, name, reading)


def _step(target: Flow, name: str, reading: Reading) -> Flow:
    points = (f"{point}.{one}" if point else one for point in target.points for one in _fields(point, name, reading))
    return Flow(frozenset(points), target.reads)


def _fields(point: str, name: str, reading: Reading) -> list[str]:
    """The field a name means at a path; for a choice (value) the fields of the schema that it may be."""
    shape = reading.shape
    for part in point.split(".") if point else ():
        shape = shape.member(part) if shape is not None else None
    if shape is None or name in shape.names():
        return [name]
    choices = [f"{name}{ending}" for ending in CHOICES if f"{name}{ending}" in shape.names()]
    return choices or [name]


def _call(node: tree.Call, reading: Reading) -> Flow:
    if node.target is None and node.name in reading.alone:
        return Flow(reads=_NONE.union(*(flow(argument, reading).consumed() for argument in node.arguments)))
    target = reading.this if node.target is None else flow(node.target, reading)
    name, arguments = node.name, node.arguments
    inside = replace(reading, this=target)
    if name in _TYPED:
        return Flow(reads=target.noticed()) if name == "is" else target
    if name in ("where", "exists", "all"):
        chosen = _NONE.union(*(flow(argument, inside).consumed() for argument in arguments))
        if name == "where":
            return Flow(target.points, target.reads | chosen)
        return Flow(reads=target.noticed() | chosen)
    if name == "select":
        found = flow(arguments[0], inside) if arguments else EMPTY
        return Flow(found.points, found.reads | target.noticed())
    if name == "repeat":
        return _repeat(arguments, target, inside)
    if name in ("children", "descendants"):
        return Flow(frozenset(f"{point}.*" if point else "*" for point in target.points), target.consumed())
    if name == "aggregate":
        return _aggregate(arguments, target, reading)
    if name == "iif":
        parts = [flow(argument, inside if node.target is not None else reading) for argument in arguments]
        return _united(parts[1:]) | Flow(reads=parts[0].consumed() if parts else _NONE)
    return _plain(node, target, [flow(argument, reading) for argument in arguments])


def _plain(node: tree.Call, target: Flow, arguments: list[Flow]) -> Flow:
    used = _NONE.union(*(argument.consumed() for argument in arguments))
    if node.name in _PASSING:
        return target | Flow(reads=used)
    if node.name in _JOINING:
        return _united(arguments) | (target if node.name != "coalesce" else EMPTY)
    if node.name in _CHOOSING:
        return target | Flow(reads=used)
    if node.name in _COUNTING:
        return Flow(reads=target.noticed() | used)
    if node.name == "extension":
        points = frozenset(f"{point}.extension" if point else "extension" for point in target.points)
        return Flow(points, target.reads | used)
    if isinstance(node.target, tree.Variable) and not target.points:
        return Flow(reads=target.reads | used)
    return Flow(reads=target.consumed() | used)


def _repeat(arguments: tuple[tree.Node, ...], target: Flow, inside: Reading) -> Flow:
    """One round is followed by its path; further rounds may go anywhere beneath."""
    if not arguments:
        return target
    first = flow(arguments[0], inside)
    again = flow(arguments[0], replace(inside, this=first))
    deeper = _NONE if again.points <= first.points | target.points else frozenset(Read(point) for point in first.points)
    return Flow(first.points | again.points, target.noticed() | first.reads | again.reads | deeper)


def _aggregate(arguments: tuple[tree.Node, ...], target: Flow, reading: Reading) -> Flow:
    start = flow(arguments[1], reading) if len(arguments) > 1 else EMPTY
    inside = replace(reading, this=target, total=start)
    once = flow(arguments[0], inside) if arguments else EMPTY
    twice = flow(arguments[0], replace(inside, total=start | once)) if arguments else EMPTY
    return start | once | twice | Flow(reads=target.noticed())


def _united(flows: list[Flow]) -> Flow:
    found = EMPTY
    for one in flows:
        found = found | one
    return found
