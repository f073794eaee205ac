"""Templates and expressions of a mapping against a record, compiled once. Nothing else knows which engine runs them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.mappings.fhirpath import CompiledExpression, Environment, Position, Registry, Shape, compile_expression
from bridge.mappings.fhirpath.reads import Flow, Reading, flow
from bridge.mappings.fhirpath.shapes import Schema, root_shape
from bridge.mappings.fhirpath.tree import Call, Node, within
from bridge.mappings.fhirpath.values import as_json
from bridge.mappings.fpml import CompiledTemplate, Leaf, Positions, compile_template, leaves
from bridge.mappings.fpml.template import trees
from bridge.mappings.fpml.text import within as within_text
from bridge.mappings.functions import FUNCTIONS_OF_MAPPINGS, Functions
from bridge.mappings.watching import MappingWatch

ENGINE = "compiled 1"
"""The engine's answers; another number where the same mapping would make another resource of the same record."""

_TEXT = {"type": "string"}
AGENCY_SCHEMA: Schema = {
    "type": "object",
    "additionalProperties": False,
    "properties": {"id": _TEXT, "name": _TEXT, "phone": _TEXT, "language": _TEXT},
}
DECISION, LOOP = ("yes", "no"), ("filled", "empty")
_ALONE = FUNCTIONS_OF_MAPPINGS.alone()
_WRAPPED = re.compile(r"\{\{\s*([\s\S]+?)\s*\}\}|\{\[\s*([\s\S]+?)\s*\]\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What the expressions of one part see: the record, named values, our functions. Made by `scope_of`."""

    record: dict[str, Any] = field(repr=False)
    environment: Environment = field(repr=False)

    def with_variables(self, **more: Any) -> Scope:
        """The same with more names. What they stand for came from an expression of this scope."""
        environment = self.environment
        return Scope(
            self.record,
            Environment({**environment.variables, **more}, member=environment.member, data=environment.data),
        )

    def with_references(self, resources: Mapping[str, dict[str, Any]]) -> Scope:
        """The same in which resolve() finds these resources, by `Type/id`."""
        return Scope(self.record, replace(self.environment, references=resources))


def scope_of(record: dict[str, Any], variables: Mapping[str, Any], functions: Functions) -> Scope:
    """A scope for one record."""
    return Scope(record, Environment(dict(variables), member=functions.member, data=functions))


@dataclass(frozen=True, slots=True)
class Knowing:
    """What is known while a mapping is compiled: the record's schema, the names there are, where they come from.

    Without a schema a record may be any JSON; without names any may come. With `watch` it says what is reached.
    """

    schema: Schema | None = None
    variables: Mapping[str, Schema | Shape | None] | None = None
    origins: Mapping[str, Flow] | None = None
    watch: MappingWatch | None = None

    @property
    def functions(self) -> Registry:
        """All that an expression may call."""
        return FUNCTIONS_OF_MAPPINGS if self.watch is None else self.watch.functions

    def naming(self, name: str, shape: Shape | None, origin: Flow) -> Knowing:
        """The same with one more name."""
        variables = {**(self.variables or {}), name: shape}
        return replace(self, variables=variables, origins={**(self.origins or {}), name: Flow(origin.points)})


class Template:
    """A template (FPML) ready to be rendered any number of times. Raises ExpressionError when it cannot be."""

    def __init__(self, value: Any, knowing: Knowing | None = None, positions: Positions | None = None) -> None:
        known = knowing or Knowing()
        start = (positions or {}).get(())
        self.compiled: CompiledTemplate = compile_template(
            value,
            origin=None if start is None else start.value,
            schema=known.schema,
            variables=known.variables,
            positions=positions,
            functions=known.functions,
            watch=known.watch,
        )
        self.knowing = known
        self.trees = tuple(trees(self.compiled.template))

    def leaves(self) -> tuple[Leaf, ...]:
        """Each element of the result with the fields it tells about."""
        known = self.knowing
        return leaves(self.compiled.template, schema=known.schema, origins=known.origins, alone=_ALONE)

    def calls(self) -> Iterator[Call]:
        """Every call of a function in the template."""
        for tree in self.trees:
            yield from calls_in(tree)

    def render(self, scope: Scope) -> Any:
        """What the template makes of the scope, None where nothing is left. Raises EvaluationError."""
        return self.compiled.render(scope.record, scope.environment)


class Expression:
    """One FHIRPath expression, bare or in `{{ }}` or `{[ ]}`. Raises ExpressionError when it is none."""

    def __init__(self, text: str, knowing: Knowing | None = None, position: Position | None = None) -> None:
        known = knowing or Knowing()
        self.text, start = unwrapped(text)
        self.knowing = known
        self.compiled: CompiledExpression = compile_expression(
            self.text,
            schema=known.schema,
            variables=known.variables,
            position=None if position is None else within_text(text, start, position),
            functions=known.functions,
            watch=known.watch,
        )
        shape = None if known.schema is None else root_shape(known.schema)
        self.flow = flow(self.compiled.tree, Reading(variables=known.origins, shape=shape, alone=_ALONE))

    def evaluate(self, scope: Scope) -> list[Any]:
        """All results, as values that may be named in a scope. Raises EvaluationError."""
        return self.compiled.evaluate(scope.record, scope.environment)

    def values(self, scope: Scope) -> list[Any]:
        """All results, as JSON. Raises EvaluationError."""
        return [as_json(one) for one in self.evaluate(scope)]

    def holds(self, scope: Scope) -> bool:
        """Whether the one result is true. Raises EvaluationError."""
        return self.evaluate(scope) == [True]


class WatchedExpression(Expression):
    """An expression that decides over a part: which way it went is noted. `ways` are for true (or filled), and not."""

    def __init__(self, text: str, knowing: Knowing, position: Position, kind: str, ways: tuple[str, str]) -> None:
        super().__init__(text, knowing, position)
        watch = knowing.watch or MappingWatch(set())
        self._reached = watch.reached
        self._yes, self._no = (watch.mark(kind, position, way) for way in ways)
        self._decides = ways == DECISION

    def evaluate(self, scope: Scope) -> list[Any]:
        """As an Expression. Raises EvaluationError."""
        found = super().evaluate(scope)
        self._reached.add(self._yes if (found == [True] if self._decides else found) else self._no)
        return found


def unwrapped(text: str) -> tuple[str, int]:
    """The expression inside `{{ }}` or `{[ ]}`, or the text itself, and where in the text it begins."""
    bare = text.strip()
    start = len(text) - len(text.lstrip())
    found = _WRAPPED.fullmatch(bare)
    if found is None:
        return bare, start
    group = 1 if found[1] else 2
    return found[group], start + found.start(group)


def calls_in(node: Node) -> Iterator[Call]:
    """Every call of a function in an expression."""
    return (one for one in within(node) if isinstance(one, Call))
