"""One template: compiled once, rendered for every record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bridge.mappings.fhirpath.builtins import REGISTRY
from bridge.mappings.fhirpath.compiling.assemble import ENTRY, Compiled, assemble
from bridge.mappings.fhirpath.compiling.build import Build
from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.compiling.coverage import Watch
from bridge.mappings.fhirpath.compiling.handlers import HANDLERS
from bridge.mappings.fhirpath.expression import root_scope, shapes_of
from bridge.mappings.fhirpath.model import TypeModel
from bridge.mappings.fhirpath.problems import Issue, Position
from bridge.mappings.fhirpath.registry import Registry
from bridge.mappings.fhirpath.running import NOTHING, Environment, Run
from bridge.mappings.fhirpath.shapes import Schema, Shape
from bridge.mappings.fpml.reading import read_template
from bridge.mappings.fpml.rendering import render
from bridge.mappings.fpml.runtime import NULL, TEMPLATE_RUNTIME
from bridge.mappings.fpml.template import Positions, Template


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to run: its parsed form, and what was doubtful about it (`issues`)."""

    template: Template = field(repr=False)
    issues: tuple[Issue, ...]
    compiled: Compiled = field(repr=False)
    model: TypeModel | None = field(default=None, repr=False)

    def render(self, record: object, env: Environment = NOTHING) -> object:
        """The resource as fresh JSON, None where nothing is left of it. Raises EvaluationError for this record only."""
        found = self.compiled(Run(env, self.model, record), record)
        return None if found is NULL else found


def compile_template(
    tree: object,
    *,
    schema: Schema | None = None,
    model: TypeModel | None = None,
    variables: Mapping[str, Schema | Shape | None] | None = None,
    positions: Positions | None = None,
    origin: Position | None = None,
    functions: Registry = REGISTRY,
    strict: bool = False,
    watch: Watch | None = None,
) -> CompiledTemplate:
    """The template (a parsed YAML or JSON tree) as one Python function.

    `schema`, `model` and `variables` as for `compile_expression`. `positions` says where each node stands in its
    file, `origin` where the template begins. `strict` allows reading through %variables only. With
    `watch` the template says which of its values and branches each record reached. Raises ExpressionError.
    """
    place = origin or Position()
    template = read_template(tree, positions, place)
    code = Code(place)
    build = Build(code, HANDLERS, functions, model, shapes_of(variables), strict, watch)
    with code.block(f"def {ENTRY}(q, r)"):
        out = render(build, template, root_scope(code, schema))
        code.line(f"return {out.value}")
    code.constants.update(TEMPLATE_RUNTIME)
    return CompiledTemplate(template, tuple(build.issues), assemble(code, str(place)), model)
