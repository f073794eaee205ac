"""What the compiler knows of every node of an expression: how many items, of which type."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.mappings.fhirpath import Position
from bridge.mappings.fhirpath.compiling.assemble import ENTRY
from bridge.mappings.fhirpath.compiling.build import Build, Scope
from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.compiling.handlers import HANDLERS
from bridge.mappings.fhirpath.compiling.terms import Term
from bridge.mappings.fhirpath.expression import root_scope, shapes_of
from bridge.mappings.fhirpath.tree import Node
from bridge.mappings.fpml.rendering import render
from bridge.mappings.functions import FUNCTIONS_OF_MAPPINGS
from bridge.mappings.template import Expression, Template

Terms = Mapping[int, Term]
"""The compiled term of each node, by the node's identity."""


class _Recording(Build):
    """A compilation of which the terms are kept and the code is thrown away."""

    def __init__(self, code: Code, found: Template | Expression) -> None:
        super().__init__(code, HANDLERS, FUNCTIONS_OF_MAPPINGS, None, shapes_of(found.knowing.variables))
        self.terms: dict[int, Term] = {}

    def node(self, node: Node, scope: Scope) -> Term:
        term = super().node(node, scope)
        self.terms[id(node)] = term
        return term


def terms_of(found: Template | Expression) -> Terms:
    """The terms of a template or an expression that compiles."""
    code = Code(Position())
    build = _Recording(code, found)
    with code.block(f"def {ENTRY}(q, r)"):
        scope = root_scope(code, found.knowing.schema)
        if isinstance(found, Template):
            render(build, found.compiled.template, scope)
        else:
            build.node(found.compiled.tree, scope)
    return build.terms
