"""One expression: compiled once, evaluated for every record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.mappings.fhirpath.builtins import REGISTRY
from bridge.mappings.fhirpath.compiling.assemble import ENTRY, Compiled, assemble
from bridge.mappings.fhirpath.compiling.build import Build, Scope
from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.compiling.coverage import Watch
from bridge.mappings.fhirpath.compiling.handlers import HANDLERS
from bridge.mappings.fhirpath.compiling.terms import MANY, ONE, PLAIN, Term, as_list
from bridge.mappings.fhirpath.model import TypeModel
from bridge.mappings.fhirpath.parser import parse
from bridge.mappings.fhirpath.problems import EvaluationError, Issue, Position
from bridge.mappings.fhirpath.registry import Registry
from bridge.mappings.fhirpath.running import NOTHING, Environment, Run
from bridge.mappings.fhirpath.shapes import Schema, Shape, root_shape
from bridge.mappings.fhirpath.tree import Node
from bridge.mappings.fhirpath.values import Items


@dataclass(frozen=True, slots=True)
class CompiledExpression:
    """An expression ready to run: its text, its tree, and what was doubtful about it (`issues`).

    `shape` describes one of its items where the schema knows it, to declare a variable that holds one.
    """

    text: str
    tree: Node = field(repr=False)
    issues: tuple[Issue, ...]
    compiled: Compiled = field(repr=False)
    model: TypeModel | None = field(default=None, repr=False)
    shape: Shape | None = field(default=None, repr=False)

    def evaluate(self, data: object, env: Environment = NOTHING) -> Items:
        """The items the expression yields for a record or resource (a list is several).

        Items are JSON values as they stand in the input, and Decimal, Moment or Quantity where they were computed.
        Raises EvaluationError for this record only.
        """
        return self.compiled(Run(env, self.model, data), data)  # type: ignore[return-value]

    def holds(self, data: object, env: Environment = NOTHING) -> bool:
        """Is the expression true, as {% if %} asks. Raises EvaluationError for this record only."""
        items = self.evaluate(data, env)
        if len(items) > 1:
            rule = "a condition is one item, and there are several"
            raise EvaluationError("FE01", self.tree.position, rule, "ask for exists() or all()")
        return bool(items) and items[0] is not False


def compile_expression(
    text: str,
    *,
    schema: Schema | None = None,
    model: TypeModel | None = None,
    variables: Mapping[str, Schema | Shape | None] | None = None,
    position: Position | None = None,
    functions: Registry = REGISTRY,
    watch: Watch | None = None,
) -> CompiledExpression:
    """The expression as Python.

    `schema` (JSON Schema of the input) makes known paths plain look-ups and unknown ones issues; `model` knows FHIR
    types instead; without either the input may be any JSON. `variables` closes the list of %names, with a schema where
    one is known. `position` is where the text begins. `watch` as for `compile_template`. Raises ExpressionError.
    """
    place = position or Position()
    node = parse(text, place)
    code = Code(place)
    build = Build(code, HANDLERS, functions, model, shapes_of(variables), watch=watch)
    with code.block(f"def {ENTRY}(q, r)"):
        term = build.node(node, root_scope(code, schema))
        code.line(f"return {_result(code, term)}")
    if term.card == MANY and term.code == "[]" and not build.issues:
        build.issue("FP14", "this can never yield a value")
    shape = None if term.shape is None else replace(term.shape, many=False)
    return CompiledExpression(text, node, tuple(build.issues), assemble(code, str(place)), model, shape)


def root_scope(code: Code, schema: Schema | None) -> Scope:
    """The scope at the head of an expression, `r` being the input."""
    if schema is not None and (shape := root_shape(schema)).kind == "Object":
        root = Term("r", ONE, "Object", shape)
    else:
        root = Term(code.keep("rooted(r, q.model)"), MANY)
    return Scope(root, root)


def shapes_of(variables: Mapping[str, Schema | Shape | None] | None) -> dict[str, Shape | None] | None:
    """The shape of each declared variable, from its schema unless it is one already."""
    if variables is None:
        return None
    return {
        name: shape if shape is None or isinstance(shape, Shape) else root_shape(shape)
        for name, shape in variables.items()
    }


def _result(code: Code, term: Term) -> str:
    items = as_list(code, term)
    if term.kind in PLAIN:
        return f"[*{items}]" if term.card == MANY else items
    return f"[v for o in {items} if (v := bare(o)) is not None]"
