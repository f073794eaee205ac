"""Functions whose argument is an expression evaluated for each item."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling import operators
from bridge.mappings.fhirpath.compiling.build import Build, Scope
from bridge.mappings.fhirpath.compiling.terms import MANY, NOTHING, ONE, OPT, Term, as_list, as_single, as_truth


@contextmanager
def each(build: Build, items: Term, scope: Scope, *bodies: tree.Node) -> Iterator[tuple[Scope, str]]:
    """A Python loop over the items; yields the scope inside and the name of the item."""
    code = build.code
    name = code.name("i")
    this = Term(name, ONE, items.kind, items.shape)
    source = as_list(code, items)
    if items.card == MANY:
        code.spend(f"len({source})")
    if any(_mentions_index(body) for body in bodies):
        place = code.name("n")
        with code.loop(f"for {place}, {name} in enumerate({source})"):
            yield scope.inside(this, Term(place, ONE, "Integer")), name
        return
    with code.loop(f"for {name} in {source}"):
        yield scope.inside(this, None), name


def _mentions_index(node: tree.Node) -> bool:
    if isinstance(node, tree.Special):
        return node.name == "index"
    return any(_mentions_index(child) for child in tree.children(node))


def where(build: Build, node: tree.Call, items: Term, scope: Scope, name: str = "") -> Term:
    """where(criteria); with `name`, that field of each item found, which the schema must know as a single value."""
    code = build.code
    found = code.name("l")
    code.line(f"{found} = []")
    field = items.shape.member(name) if name and items.shape is not None else None
    with each(build, items, scope, node.arguments[0]) as (inside, item):
        condition = truth(build, node.arguments[0], inside)
        with code.block(f"if {condition}"):
            collect(build, found, Term(item, ONE) if field is None else Term(code.keep(f"{item}.get({name!r})"), OPT))
    if field is not None:
        return Term(found, MANY, field.kind, field)
    return Term(found, MANY, items.kind, items.shape)


def select(build: Build, node: tree.Call, items: Term, scope: Scope) -> Term:
    """select(projection)."""
    found = build.code.name("l")
    build.code.line(f"{found} = []")
    with each(build, items, scope, node.arguments[0]) as (inside, _):
        term = build.node(node.arguments[0], inside)
        collect(build, found, term)
    return Term(found, MANY, term.kind, term.shape)


def collect(build: Build, found: str, term: Term) -> None:
    """Add the term's items to the list named `found`."""
    code = build.code
    if term.card == MANY:
        code.spend(f"len({term.code})")
        code.line(f"{found}.extend({term.code})")
    elif term.card == ONE:
        code.line(f"{found}.append({term.code})")
    else:
        with code.block(f"if {term.code} is not None"):
            code.line(f"{found}.append({term.code})")


def exists(build: Build, node: tree.Call, items: Term, scope: Scope) -> Term:
    """exists([criteria])."""
    code = build.code
    if not node.arguments:
        if items.card == ONE:
            return Term("True", ONE, "Boolean")
        test = f"{items.code} is not None" if items.card == OPT else f"len({items.code}) > 0"
        return Term(code.keep(test), ONE, "Boolean")
    return _any(build, node, items, scope, wanted=True)


def all_(build: Build, node: tree.Call, items: Term, scope: Scope) -> Term:
    """all(criteria)."""
    return _any(build, node, items, scope, wanted=False)


def _any(build: Build, node: tree.Call, items: Term, scope: Scope, wanted: bool) -> Term:
    code = build.code
    found = code.name("b")
    code.line(f"{found} = {not wanted}")
    with each(build, items, scope, node.arguments[0]) as (inside, _):
        condition = truth(build, node.arguments[0], inside)
        with code.block(f"if {condition}" if wanted else f"if not ({condition})"):
            code.line(f"{found} = {wanted}")
            code.line("break")
    return Term(found, ONE, "Boolean")


def repeat(build: Build, node: tree.Call, items: Term, scope: Scope) -> Term:
    """repeat(projection)."""
    code = build.code
    function, item, place = code.name("g"), code.name("i"), code.name("n")
    source = as_list(code, items)
    with code.block(f"def {function}({item}, {place})"):
        inside = scope.inside(Term(item, ONE), Term(place, ONE, "Integer"))
        code.line(f"return {as_list(code, build.node(node.arguments[0], inside))}")
    return Term(code.keep(f"repeated(q, {source}, {function})"), MANY)


def aggregate(build: Build, node: tree.Call, items: Term, scope: Scope) -> Term:
    """aggregate(aggregator [, init])."""
    code = build.code
    start = build.node(node.arguments[1], scope) if len(node.arguments) > 1 else NOTHING
    total = code.name("l")
    code.line(f"{total} = {as_list(code, start)}")
    with each(build, items, scope, node.arguments[0]) as (inside, _):
        term = build.node(node.arguments[0], replace(inside, total=Term(total, MANY)))
        result = as_list(code, term)
        code.spend(f"len({result})")
        code.line(f"{total} = {result}")
    return Term(total, MANY)


def iif(build: Build, node: tree.Call, items: Term | None, scope: Scope) -> Term:
    """iif(criterion, true-result [, otherwise]): only the chosen result is evaluated."""
    code = build.code
    inside = scope if items is None else scope.inside(as_single(code, items), None)
    condition = decision(build, node.arguments[0], inside)
    found, marks = code.name("t"), []
    branches: list[Term] = []
    for header, way, argument in (
        (f"if {condition}", "yes", node.arguments[1]),
        ("else", "no", (*node.arguments, None)[2]),
    ):
        with code.block(header):
            build.reached("iif", way)
            term = NOTHING if argument is None else build.node(argument, inside)
            branches.append(term)
            marks.append(len(code.lines))
            code.line(f"{found} = {term.code}")
    return _joined(build, found, branches, marks)


def _joined(build: Build, found: str, branches: list[Term], marks: list[int]) -> Term:
    """Make the assignments at `marks` agree in how many items they give."""
    first, second = branches
    kinds = {term.kind for term in branches if term is not NOTHING}
    kind = kinds.pop() if len(kinds) == 1 else "Any"
    shapes = {id(term.shape): term.shape for term in branches if term is not NOTHING}
    shape = next(iter(shapes.values())) if len(shapes) == 1 else None
    card = MANY if MANY in (first.card, second.card) else OPT if OPT in (first.card, second.card) else ONE
    if card == MANY:
        for term, mark in zip(branches, marks, strict=True):
            if term.card != MANY:
                line = build.code.lines[mark]
                value = f"[{term.code}]" if term.card == ONE else f"[] if {term.code} is None else [{term.code}]"
                build.code.lines[mark] = f"{line[: line.index('=')]}= {value}"
    return Term(found, card, "Any" if kind == "Object" and shape is None else kind, shape)


def decision(build: Build, node: tree.Node, scope: Scope) -> str:
    """As `truth`, for a branch; a condition that never changes is an issue."""
    condition = truth(build, node, scope)
    if condition in ("True", "False", "None"):
        with build.at(node.position):
            rule = f"this condition is {'always' if condition == 'True' else 'never'} true"
            build.issue("FP15", rule, "take the branch that is never reached out")
    return condition


def truth(build: Build, node: tree.Node, scope: Scope) -> str:
    """A Python condition that holds exactly where the expression is true."""
    with build.at(node.position):
        if isinstance(node, tree.Binary):
            if node.operator in ("and", "or"):
                left, right = truth(build, node.left, scope), truth(build, node.right, scope)
                return f"({left}) {node.operator} ({right})"
            if node.operator in ("=", "<", ">", "<=", ">="):
                return _comparison(build, node, scope)
    return as_truth(build.code, build.node(node, scope)).code


def _comparison(build: Build, node: tree.Binary, scope: Scope) -> str:
    left, right = operators.operands(build, node, scope)
    if left.single and right.single and left.kind == right.kind and left.kind in ("String", "Integer", "Boolean"):
        present = [f"{term.code} is not None" for term in (left, right) if term.card == OPT]
        if node.operator == "=" and len(present) < 2:
            same = "is" if left.kind == "Boolean" else "=="
            return f"{left.code} {same} {right.code}"
        if left.kind != "Boolean" or node.operator == "=":
            sign = "==" if node.operator == "=" else node.operator
            return " and ".join([*present, f"{left.code} {sign} {right.code}"])
    return operators.combined(build, node.operator, left, right).code
