"""Operators. Where both types are known they become Python's own; otherwise the runtime looks at the values."""

from __future__ import annotations

from collections.abc import Iterable

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling.build import Build, Scope, nearest
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
from bridge.mappings.fhirpath.limits import LENGTH_OF_TEXT
from bridge.mappings.fhirpath.typenames import TypeName, type_name

_ARITHMETIC = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "div": "whole_division",
    "mod": "remainder",
}
_LOGIC = {"and": "both", "or": "either", "xor": "differ", "implies": "implies"}


def binary(build: Build, node: tree.Binary, scope: Scope) -> Term:
    """left operator right: both sides are always evaluated."""
    operator = node.operator
    if operator == "in" and (members := _constants(node.right)) is not None:
        return _in_constants(build, build.node(node.left, scope), members)
    if operator in ("=", "!=", "~", "!~"):
        return combined(build, operator, *operands(build, node, scope))
    if operator == "&":
        return _joined(build, [build.node(part, scope) for part in _chain(node)])
    return combined(build, operator, build.node(node.left, scope), build.node(node.right, scope))


def operands(build: Build, node: tree.Binary, scope: Scope) -> tuple[Term, Term]:
    """Both sides of a comparison; a literal that the other side can never be is an issue."""
    left, right = build.node(node.left, scope), build.node(node.right, scope)
    for side, term in ((node.left, right), (node.right, left)):
        if isinstance(side, tree.Literal) and isinstance(side.value, str):
            _check_enumeration(build, term, {side.value})
    return left, right


def _check_enumeration(build: Build, term: Term, values: Iterable[str]) -> None:
    allowed = term.shape.schema.get("enum") if term.shape is not None and term.kind == "String" else None
    names = [str(one) for one in allowed] if isinstance(allowed, list) else []
    for value in sorted(values) if names else ():
        if value not in names:
            hint = nearest(value, names) or f"it has {', '.join(names[:12])}"
            build.issue("FP16", f"the source never has the value {value!r} here", hint)


def combined(build: Build, operator: str, left: Term, right: Term) -> Term:
    """The operator over compiled operands."""
    if operator in ("=", "!="):
        return _equality(build, operator, left, right)
    if operator in ("~", "!~"):
        pair = f"equivalent({_compared(build, left, right, '*')})"
        return Term(build.code.keep(pair if operator == "~" else f"not {pair}"), ONE, "Boolean")
    if operator in _LOGIC:
        return _logic(build, operator, as_truth(build.code, left), as_truth(build.code, right))
    if operator == "|":
        kind = left.kind if left.kind == right.kind else "Any"
        shape = left.shape if left.shape is right.shape else None
        union = f"united(q, {as_list(build.code, left)}, {as_list(build.code, right)})"
        return Term(build.code.keep(union), MANY, kind if kind != "Object" or shape else "Any", shape)
    if operator in ("in", "contains"):
        item, items = (left, right) if operator == "in" else (right, left)
        one = as_single(build.code, item)
        return Term(build.code.keep(f"membership({one.code}, {as_list(build.code, items)})"), OPT, "Boolean")
    first, second = as_single(build.code, left), as_single(build.code, right)
    if operator in ("<", ">", "<=", ">="):
        return _order(build, operator, first, second)
    return _arithmetic(build, operator, first, second)


def _compared(build: Build, left: Term, right: Term, how: str) -> str:
    """Two lists that are compared item by item, `how` many times is counted."""
    lists = as_list(build.code, left), as_list(build.code, right)
    if left.card == right.card == MANY:
        build.code.spend(f"len({lists[0]}) {how} len({lists[1]})")
    return ", ".join(lists)


def _equality(build: Build, operator: str, left: Term, right: Term) -> Term:
    sign = "==" if operator == "=" else "!="
    if left.single and right.single:
        if _same_plain(left, right):
            return guarded(build.code, f"{left.code} {sign} {right.code}", "Boolean", left, right)
        pair = f"equal_items({_moment(build, left)}, {_moment(build, right)})"
        found = guarded(build.code, pair, "Boolean", left, right, may_be_empty=True)
    else:
        pair = f"equals({_compared(build, left, right, '+')})"
        found = Term(build.code.keep(pair), OPT, "Boolean")
    if operator == "=":
        return found
    return Term(build.code.keep(f"None if {found.code} is None else not {found.code}"), OPT, "Boolean")


def _same_plain(left: Term, right: Term) -> bool:
    kinds = {left.kind, right.kind}
    return kinds == TEXTS or (len(kinds) == 1 and kinds <= {"String", "Integer", "Boolean"})


def _logic(build: Build, operator: str, left: Term, right: Term) -> Term:
    if left.card == ONE and right.card == ONE and operator in ("and", "or"):
        return Term(build.code.keep(f"{left.code} {operator} {right.code}"), ONE, "Boolean")
    card = ONE if left.card == ONE and right.card == ONE else OPT
    return Term(build.code.keep(f"{_LOGIC[operator]}({left.code}, {right.code})"), card, "Boolean")


def _order(build: Build, operator: str, left: Term, right: Term) -> Term:
    kinds = {left.kind, right.kind}
    if kinds in ({"String"}, {"Integer"}):
        return guarded(build.code, f"{left.code} {operator} {right.code}", "Boolean", left, right)
    _check_kinds(build, operator, left, right)
    found = guarded(build.code, f"order({_moment(build, left)}, {_moment(build, right)})", "Any", left, right)
    return Term(build.code.keep(f"None if {found.code} is None else {found.code} {operator} 0"), OPT, "Boolean")


def _moment(build: Build, term: Term) -> str:
    """A Stamp is a string whose order is that of the moments it stands for."""
    if term.kind != "Stamp":
        return term.code
    return build.code.keep(f"temporal({term.code})")


def _check_kinds(build: Build, operator: str, left: Term, right: Term) -> None:
    known = {left.kind, right.kind} - {"Any", "Object"}
    if len(known) == 2 and ("Boolean" in known or (known & NUMBERS and known & (TEXTS | {"Moment"}))):
        rule = f"{operator} does not take {left.kind} and {right.kind}"
        raise build.error("FP12", rule, "convert one of them, for example with toString()")


def _chain(node: tree.Node) -> list[tree.Node]:
    """The operands of a & b & c."""
    if isinstance(node, tree.Binary) and node.operator == "&":
        return [*_chain(node.left), *_chain(node.right)]
    return [node]


def _joined(build: Build, terms: list[Term]) -> Term:
    singles = [as_single(build.code, term) for term in terms]
    if all(term.kind in TEXTS for term in singles):
        parts = (term.code if term.card == ONE else f"({term.code} or '')" for term in singles)
        return bounded_text(build, " + ".join(parts), ONE)
    found = singles[0].code
    for term in singles[1:]:
        found = build.code.keep(f"concatenated({found}, {term.code})")
        build.code.spend_text(found)
    return Term(found, ONE, "String")


def bounded_text(build: Build, expression: str, card: str) -> Term:
    """A text whose length is checked when it is made."""
    name = build.code.keep(expression)
    build.code.spend_text(name)
    test = f"len({name}) > {LENGTH_OF_TEXT}"
    with build.code.block(f"if {test}" if card == ONE else f"if {name} is not None and {test}"):
        build.code.line(f"joined({name}, '')")
    return Term(name, card, "String")


def _arithmetic(build: Build, operator: str, left: Term, right: Term) -> Term:
    if operator == "+" and left.kind == "String" and right.kind == "String":
        found = guarded(build.code, f"{left.code} + {right.code}", "String", left, right)
        return bounded_text(build, found.code, found.card)
    _check_kinds(build, operator, left, right)
    kinds = {left.kind, right.kind}
    kind = "Integer" if kinds == {"Integer"} and operator != "/" else "Decimal" if kinds <= NUMBERS else "Any"
    call = f"{_ARITHMETIC[operator]}({_moment(build, left)}, {_moment(build, right)})"
    return guarded(build.code, call, kind, left, right, may_be_empty=True)


def polarity(build: Build, node: tree.Polarity, scope: Scope) -> Term:
    """+operand, -operand."""
    operand = as_single(build.code, build.node(node.operand, scope))
    if operand.kind in ("String", "Stamp", "Boolean", "Moment", "Object"):
        rule = f"a sign stands before a number, not before {operand.kind}"
        raise build.error("FP12", rule, "use brackets: (-1).abs()")
    call = "negated" if node.sign == "-" else "posited"
    return guarded(build.code, f"{call}({operand.code})", operand.kind, operand)


def type_check(build: Build, node: tree.TypeCheck, scope: Scope) -> Term:
    """operand is Type, operand as Type."""
    return typed(build, node.operator, build.node(node.operand, scope), resolved_type(build, node.type))


def resolved_type(build: Build, text: str) -> TypeName:
    """The type a specifier names. Raises ExpressionError FP08."""
    found = type_name(text, build.model)
    if found is None:
        raise build.error("FP08", f"there is no type {text}", "write String, Quantity, Patient, FHIR.code and the like")
    return found


def typed(build: Build, operator: str, term: Term, wanted: TypeName) -> Term:
    """is, as and ofType of a compiled operand."""
    constant = build.code.constant(wanted)
    if operator == "ofType":
        items = f"of_type({as_list(build.code, term)}, {constant}, q.model)"
        return Term(build.code.keep(items), MANY, term.kind, term.shape)
    one = as_single(build.code, term)
    if operator == "is":
        return guarded(build.code, f"is_of({one.code}, {constant}, q.model)", "Boolean", one)
    condition = f"is_of({one.code}, {constant}, q.model)"
    found = guarded(build.code, f"{one.code} if {condition} else None", one.kind, one, may_be_empty=True)
    return Term(found.code, OPT, one.kind, one.shape)


def _constants(node: tree.Node) -> frozenset[str] | None:
    """The strings of 'a' | 'b' | …, None where it is anything else."""
    if isinstance(node, tree.Literal):
        return frozenset({node.value}) if isinstance(node.value, str) else None
    if isinstance(node, tree.Binary) and node.operator == "|":
        left, right = _constants(node.left), _constants(node.right)
        return None if left is None or right is None else left | right
    return None


def _in_constants(build: Build, left: Term, members: frozenset[str]) -> Term:
    one = as_single(build.code, left)
    _check_enumeration(build, one, members)
    constant = build.code.constant(members)
    if one.kind in TEXTS:
        return guarded(build.code, f"{one.code} in {constant}", "Boolean", one)
    return Term(build.code.keep(f"membership({one.code}, list({constant}))"), OPT, "Boolean")
