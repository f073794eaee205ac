"""Which function compiles which node."""

from __future__ import annotations

from typing import cast

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling import calls, operators, paths
from bridge.mappings.fhirpath.compiling.build import Build, Handler, Scope
from bridge.mappings.fhirpath.compiling.terms import Term


def _member(build: Build, node: tree.Member, scope: Scope) -> Term:
    if isinstance(node.target, tree.Call):
        found = calls.field_where(build, node.target, node.name, scope)
        if found is not None:
            return found
    return paths.member(build, node, scope)


HANDLERS: dict[type, Handler] = {
    tree.Literal: cast(Handler, paths.literal),
    tree.Nothing: cast(Handler, paths.nothing),
    tree.Special: cast(Handler, paths.special),
    tree.Variable: cast(Handler, paths.variable),
    tree.Member: cast(Handler, _member),
    tree.Index: cast(Handler, paths.index),
    tree.Call: cast(Handler, calls.call),
    tree.Polarity: cast(Handler, operators.polarity),
    tree.Binary: cast(Handler, operators.binary),
    tree.TypeCheck: cast(Handler, operators.type_check),
}
