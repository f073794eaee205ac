"""Which fields of a record an expression reads, found without running it.

The answer is never too small: a field counts as read whether it is emitted or compared, and as asked for where only its
presence matters. So labels that follow from it cannot be lost by a clever expression; functions that would hide a path
(`children`, `descendants`, `repeat`, `aggregate`) are refused, and so are those that leak, are wrong in fhirpathpy, or
read the clock.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.mappings.expressions import Node
from bridge.mappings.schema import Field

Paths = frozenset[Field]
NOTHING: Paths = frozenset()
ROOT: Paths = frozenset({()})

# What comes out is some of what went in.
_PASSING = frozenset(
    ("first", "last", "tail", "skip", "take", "single", "distinct", "ofType", "as", "where", "exclude", "intersect")
)
# What comes out is made from what went in.
_MAKING = frozenset(
    re.findall(
        r"\w+",
        """
        exists empty not all allTrue anyTrue allFalse anyFalse count isDistinct subsetOf supersetOf is type
        toInteger toBoolean toDecimal toString toDate toDateTime toTime toQuantity
        convertsToBoolean convertsToInteger convertsToDecimal convertsToString
        convertsToDate convertsToDateTime convertsToTime convertsToQuantity
        indexOf substring startsWith endsWith contains upper lower replace matches replaceMatches length toChars join
        split trim abs ceiling floor round truncate min max
        """,
    )
)
_COMBINING = frozenset(("union", "combine", "iif", "coalesce", "select"))
_TAKES_CRITERION = frozenset(("where", "exists", "all"))
_ASKING = frozenset(("exists", "empty", "count"))
REFUSED = {
    "trace": "it prints what the record holds",
    "sum": "fhirpathpy answers wrong",
    "avg": "fhirpathpy answers wrong",
    "now": "a mapping knows no clock",
    "today": "a mapping knows no clock",
    "timeOfDay": "a mapping knows no clock",
}


@dataclass(frozen=True, slots=True)
class Variable:
    """What `%name` stands for: fields it passes on, and fields that went into it."""

    passes: Paths = NOTHING
    made_of: Paths = NOTHING


@dataclass(frozen=True, slots=True)
class Call:
    """One use of one of our own functions; an argument is its text where it is a literal, else None."""

    name: str
    arguments: tuple[str | None, ...]


@dataclass(slots=True)
class Reads:
    """What one expression reads, asks for, passes on and calls, and what is wrong with it."""

    variables: Mapping[str, Variable]
    own_functions: frozenset[str]
    booleans: Paths
    read: set[Field] = field(default_factory=set)
    asked: set[Field] = field(default_factory=set)
    passes: Paths = NOTHING
    calls: list[Call] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def of(self, tree: Node) -> Reads:
        """The same, filled from an expression's syntax tree."""
        self.passes = self._walk(tree["children"][0], ROOT, ROOT)
        self.read |= self.passes
        if () in self.read:
            self.wrong.append("this reads the whole record: name the field")
            self.read.remove(())
        return self

    def _walk(self, node: Node, data: Paths, this: Paths) -> Paths:
        """The fields that a node passes on, given those that flow into it and those that `$this` stands for."""
        name = node["type"]
        children: list[Node] = node.get("children", [])
        if name == "InvocationExpression":
            for child in children:
                data = self._walk(child, data, this)
            return data
        if name == "MemberInvocation":
            step = children[0]["text"].strip("`")
            return frozenset((*path, step) for path in data)
        if name == "FunctionInvocation":
            return self._function(children[0], data, this)
        if name == "ThisInvocation":
            return this
        if name == "ExternalConstantTerm":
            return self._variable(children[0]["children"][0]["text"].strip("`'"))
        if name == "IndexerExpression":
            self._consume(children[1], data, this)
            return self._walk(children[0], data, this)
        if name == "UnionExpression":
            return self._walk(children[0], data, this) | self._walk(children[1], data, this)
        if name == "TypeExpression":
            passed = self._walk(children[0], data, this)
            return passed if node["terminalNodeText"][0] == "as" else self._used(passed)
        if name.endswith("Expression") and name != "TermExpression":
            for child in children:
                self._consume(child, data, this)
            return NOTHING
        if name in {"TermExpression", "InvocationTerm", "ParenthesizedTerm"}:
            return self._walk(children[0], data, this)
        return NOTHING  # literals, $index

    def _consume(self, node: Node, data: Paths, this: Paths) -> None:
        self._used(self._walk(node, data, this))

    def _used(self, paths: Paths) -> Paths:
        self.read |= paths
        return NOTHING

    def _variable(self, name: str) -> Paths:
        variable = self.variables.get(name)
        if variable is None:
            self.wrong.append(f"nothing here is called %{name}")
            return NOTHING
        self.read |= variable.made_of
        return variable.passes

    def _function(self, node: Node, data: Paths, this: Paths) -> Paths:
        name = node["children"][0]["text"]
        arguments: list[Node] = node["children"][1]["children"] if len(node["children"]) > 1 else []
        if name in self.own_functions:
            self.calls.append(Call(name, tuple(map(_literal, arguments))))
            for argument in arguments:
                self._consume(argument, this, this)
            return self._used(data - ROOT)
        if name not in _PASSING | _MAKING | _COMBINING:
            refused = (
                f"{name}() may not be used: {REFUSED[name]}" if name in REFUSED else f"there is no function {name}()"
            )
            self.wrong.append(refused)
            return NOTHING
        if name in {"select", "iif", "coalesce"}:
            return self._branches(name, arguments, data)
        if name in {"union", "combine"}:
            return data.union(*(self._walk(argument, this, this) for argument in arguments))
        for argument in arguments:
            each = data if name in _TAKES_CRITERION else this
            passed = self._walk(argument, each, each)
            if name in _TAKES_CRITERION and passed & self.booleans:
                self.wrong.append(f"{name}() by a bare true/false field keeps the false ones: write `field = true`")
            self._used(passed)
        if name in _ASKING:
            self.asked |= data
            return NOTHING
        return data if name in _PASSING else self._used(data)

    def _branches(self, name: str, arguments: list[Node], data: Paths) -> Paths:
        if name == "iif" and arguments:
            self._consume(arguments[0], data, data)
            arguments = arguments[1:]
        return NOTHING.union(*(self._walk(argument, data, data) for argument in arguments))


def _literal(node: Node) -> str | None:
    """The text of a string literal, None for any other expression."""
    while node["type"] in {"TermExpression", "LiteralTerm"} and node.get("children"):
        node = node["children"][0]
    return str(node["text"])[1:-1] if node["type"] == "StringLiteral" else None
