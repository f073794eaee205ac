"""Function calls: arity, refusals, and the three ways a function runs (bridge.mappings.fhirpath.registry.Style)."""

from __future__ import annotations

from collections.abc import Callable

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling import loops, operators, paths
from bridge.mappings.fhirpath.compiling.build import Build, Scope
from bridge.mappings.fhirpath.compiling.terms import (
    MANY,
    NUMBERS,
    ONE,
    OPT,
    TEXTS,
    Term,
    as_list,
    as_single,
    as_truth,
    guarded,
)
from bridge.mappings.fhirpath.patterns import pattern_of
from bridge.mappings.fhirpath.problems import Fault
from bridge.mappings.fhirpath.registry import Function, Style

_DIRECT = {
    "upper": "{0}.upper()",
    "lower": "{0}.lower()",
    "trim": "{0}.strip()",
    "length": "len({0})",
    "startsWith": "{0}.startswith({1})",
    "endsWith": "{0}.endswith({1})",
    "contains": "{1} in {0}",
}
"""Functions of strings that are Python's own."""
_WANTED = {
    "String": ("text_of", TEXTS),
    "Integer": ("integer_of", frozenset({"Integer"})),
    "Decimal": ("number_of", frozenset({"Integer"})),
    "Number": ("amount_of", frozenset({"Integer", "Quantity"})),
    "Boolean": ("boolean_of", frozenset({"Boolean"})),
    "Any": ("system", frozenset({"String", "Boolean", "Integer", "Moment", "Quantity"})),
}
"""How a value becomes the type a function takes, and the kinds that are it already."""
_NEVER = {
    "String": NUMBERS | {"Boolean", "Moment", "Quantity"},
    "Integer": TEXTS | {"Boolean", "Moment", "Quantity"},
    "Decimal": TEXTS | {"Boolean", "Moment", "Quantity"},
    "Number": TEXTS | {"Boolean", "Moment"},
    "Boolean": TEXTS | NUMBERS | {"Moment", "Quantity"},
}
_PATTERNS = ("matches", "matchesFull", "replaceMatches")


def call(build: Build, node: tree.Call, scope: Scope) -> Term:
    """target.name(arguments)."""
    on = _namespace(build, node)
    function = build.functions.find(node.name, on)
    if function is None:
        hint = build.functions.nearest(node.name, on)
        rule = f"there is no function {f'%{on}.' if on else ''}{node.name}()"
        raise build.error("FP04", rule, f"did you mean {hint}?" if hint else "see the list of functions")
    if function.style is Style.REFUSED:
        raise build.error("FP06", f"{node.name}() is refused: {function.reason}", function.next_step)
    if not function.least <= len(node.arguments) <= function.most:
        rule = f"{function.signature} does not take {len(node.arguments)} arguments"
        raise build.error("FP05", rule, f"write it as {function.signature}")
    _check_pattern(build, node)
    if function.style is Style.INLINE:
        return _inline(build, node, scope)
    if function.alone and node.target is not None:
        raise build.error("FP09", f"{node.name}() stands alone", f"write it as {function.signature}")
    if on or function.alone or node.name == "coalesce":
        target = None
    else:
        target = scope.this if node.target is None else build.node(node.target, scope)
    arguments = [build.node(argument, scope) for argument in node.arguments]
    if function.style is Style.VALUE:
        return _value(build, function, ([] if target is None else [target]) + arguments)
    return _collection(build, function, target, arguments)


def _namespace(build: Build, node: tree.Call) -> str:
    if isinstance(node.target, tree.Variable) and build.functions.find(node.name, node.target.name) is not None:
        return node.target.name
    if isinstance(node.target, tree.Variable) and node.target.name in build.functions.namespaces():
        return node.target.name
    return ""


def _check_pattern(build: Build, node: tree.Call) -> None:
    """A pattern that is written out is checked now."""
    if node.name in _PATTERNS and node.arguments and isinstance(node.arguments[0], tree.Literal):
        pattern = node.arguments[0].value
        try:
            pattern_of(str(pattern))
        except Fault as fault:
            with build.at(node.arguments[0].position):
                raise build.error(fault.code, fault.rule, fault.next_step) from None


# ── the three styles ──────────────────────────────────────────────────────────────────────────────────────────────
def _value(build: Build, function: Function, terms: list[Term]) -> Term:
    singles = [as_single(build.code, term) for term in terms]
    wanted = [_wanted(build, function, term, take) for term, take in zip(singles, function.takes, strict=False)]
    codes = [term.code for term in wanted]
    if function.takes[:1] == ("String",):
        build.code.spend_text(codes[0])
    direct = _DIRECT.get(function.name) if not function.on and function.takes[:1] == ("String",) else None
    if direct is not None:
        return guarded(build.code, direct.format(*codes), function.gives, *wanted)
    if function.name == "toString" and wanted[0].kind == "String":
        return wanted[0]
    if function.context:
        codes.insert(0, "q.data")
    expression = f"{build.code.constant(function.call)}({', '.join(codes)})"
    if function.gives in ("Strings", "Items"):
        found = guarded(build.code, expression, "Any", *wanted, may_be_empty=True)
        return Term(build.code.keep(f"listed({found.code})"), MANY, "String" if function.gives == "Strings" else "Any")
    return guarded(build.code, expression, function.gives, *wanted, may_be_empty=True)


def _wanted(build: Build, function: Function, term: Term, take: str) -> Term:
    if term.kind in _NEVER.get(take, ()):
        rule = f"{function.signature} takes {'a number' if take == 'Decimal' else take} here, not {term.kind}"
        raise build.error("FP12", rule, "convert it, for example with toString() or toInteger()")
    convert, ready = _WANTED[take]
    if term.kind in ready:
        return term
    if term.card == ONE and term.kind != "Any":
        return Term(build.code.keep(f"{convert}({term.code})"), ONE, take)
    return Term(build.code.keep(f"{convert}({term.code})"), OPT, take)


def _collection(build: Build, function: Function, target: Term | None, arguments: list[Term]) -> Term:
    terms = [target or Term("[]", MANY), *arguments]
    codes = [as_list(build.code, term) for term in terms]
    lists = [term.code for term in terms if term.card == MANY and term.code != "[]"]
    if lists:
        build.code.spend(" + ".join(f"len({name})" for name in lists))
    first = ["q"] if function.run else ["q.data"] if function.context else []
    if function.on or function.alone:
        codes = codes[1:]
    result = build.code.keep(f"{build.code.constant(function.call)}({', '.join([*first, *codes])})")
    if function.single:
        return Term(result, OPT, function.gives)
    keeps = function.name in ("tail", "skip", "take", "single", "distinct", "exclude", "intersect")
    if keeps and target is not None:
        return Term(result, MANY, target.kind, target.shape)
    return Term(build.code.keep(f"listed({result})") if function.on or function.context else result, MANY)


def _inline(build: Build, node: tree.Call, scope: Scope) -> Term:
    target = None if node.target is None else build.node(node.target, scope)
    if node.name == "iif":
        return loops.iif(build, node, target, scope)
    items = scope.this if target is None else target
    if node.name in ("is", "as", "ofType"):
        return operators.typed(build, node.name, items, operators.resolved_type(build, _type_text(build, node)))
    if node.name in _LOOPS:
        return _LOOPS[node.name](build, node, items, scope)
    return _simple(build, node.name, items)


def field_where(build: Build, node: tree.Call, name: str, scope: Scope) -> Term | None:
    """target.where(criteria).name, in one loop where the schema knows the field; None for any other call."""
    if node.name != "where" or len(node.arguments) != 1 or node.target is None:
        return None
    with build.at(node.position):
        items = build.node(node.target, scope)
        field = items.shape.member(name) if items.kind == "Object" and items.shape is not None else None
        if field is not None and field.known and not field.many:
            return loops.where(build, node, items, scope, name)
        found = loops.where(build, node, items, scope)
    return paths.step(build, found, name)


_LOOPS: dict[str, Callable[[Build, tree.Call, Term, Scope], Term]] = {
    "where": loops.where,
    "select": loops.select,
    "exists": loops.exists,
    "all": loops.all_,
    "repeat": loops.repeat,
    "aggregate": loops.aggregate,
}


def _simple(build: Build, name: str, items: Term) -> Term:
    code = build.code
    if name == "empty":
        if items.card == ONE:
            return Term("False", ONE, "Boolean")
        return Term(code.keep(f"{items.code} is None" if items.single else f"len({items.code}) == 0"), ONE, "Boolean")
    if name == "count":
        if items.card == ONE:
            return Term("1", ONE, "Integer")
        count = f"0 if {items.code} is None else 1" if items.single else f"len({items.code})"
        return Term(code.keep(count), ONE, "Integer")
    if name == "not":
        truth = as_truth(code, items)
        return guarded(code, f"not {truth.code}", "Boolean", truth)
    if items.single:
        return items
    place = 0 if name == "first" else -1
    return Term(code.keep(f"{items.code}[{place}] if {items.code} else None"), OPT, items.kind, items.shape)


def _type_text(build: Build, node: tree.Call) -> str:
    argument = node.arguments[0]
    match argument:
        case tree.Member(target=None, name=name):
            return name
        case tree.Member(target=tree.Member(target=None, name=space), name=name):
            return f"{space}.{name}"
    raise build.error("FP08", f"{node.name}() takes the name of a type", f"write {node.name}(Quantity)")
