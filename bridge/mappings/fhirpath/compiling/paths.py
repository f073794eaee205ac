"""Literals, variables and steps along a path. A step the schema knows becomes a plain dict look-up."""

from __future__ import annotations

from decimal import Decimal

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling.build import Build, Scope, nearest
from bridge.mappings.fhirpath.compiling.terms import MANY, NOTHING, ONE, OPT, Term, as_list
from bridge.mappings.fhirpath.moments import Moment
from bridge.mappings.fhirpath.shapes import Shape

_SHORT = 2**63
_URLS = {"ucum": "http://unitsofmeasure.org", "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
_PREFIXES = {"vs-": "http://hl7.org/fhir/ValueSet/", "ext-": "http://hl7.org/fhir/StructureDefinition/"}
ROOTS = ("context", "resource", "rootResource")


def literal(build: Build, node: tree.Literal, scope: Scope) -> Term:
    """A constant."""
    value = node.value
    if isinstance(value, bool):
        return Term(repr(value), ONE, "Boolean")
    if isinstance(value, str):
        return Term(repr(value), ONE, "String")
    if isinstance(value, int):
        if value >= _SHORT:
            raise build.error("FP03", "an Integer is below 2 to the power of 63", "write a Decimal, with .0 at its end")
        return Term(repr(value), ONE, "Integer")
    kind = "Decimal" if isinstance(value, Decimal) else "Moment" if isinstance(value, Moment) else "Quantity"
    return Term(build.code.constant(value), ONE, kind)


def nothing(build: Build, node: tree.Nothing, scope: Scope) -> Term:
    """The empty collection."""
    return NOTHING


def special(build: Build, node: tree.Special, scope: Scope) -> Term:
    """$this, $index, $total."""
    found = {"this": scope.this, "index": scope.index, "total": scope.total}[node.name]
    if found is None:
        where = "aggregate()" if node.name == "total" else "where(), select(), all(), exists(), repeat() or aggregate()"
        raise build.error("FP09", f"${node.name} has a meaning only inside {where}", "take it out")
    return found


def variable(build: Build, node: tree.Variable, scope: Scope) -> Term:
    """A variable of the template, of the caller, or one that FHIRPath itself defines."""
    name = node.name
    if scope.variables and name in scope.variables:
        return scope.variables[name]
    if build.declared is not None and name in build.declared:
        return _declared(build, name, build.declared[name])
    if name in ROOTS:
        return scope.root
    if name in _URLS:
        return Term(repr(_URLS[name]), ONE, "String")
    for prefix, url in _PREFIXES.items():
        if name.startswith(prefix):
            return Term(repr(url + name.removeprefix(prefix)), ONE, "String")
    if name in build.functions.namespaces():
        raise build.error("FP09", f"%{name} holds functions and is no value", f"call one of them: %{name}.…(…)")
    if build.declared is None:
        return Term(build.code.keep(f"variable(q, {name!r})"), MANY)
    known = (*build.declared, *(scope.variables or {}), *ROOTS)
    hint = nearest(name, known) or "define it with {% assign %} or {% for %} above"
    raise build.error("FP07", f"nothing defines %{name}", hint)


def _declared(build: Build, name: str, shape: Shape | None) -> Term:
    if shape is None or not shape.known:
        return Term(build.code.keep(f"variable(q, {name!r})"), MANY)
    if shape.many:
        return Term(build.code.keep(f"variable(q, {name!r})"), MANY, shape.kind, shape)
    return Term(build.code.keep(f"one_variable(q, {name!r})"), OPT, shape.kind, shape)


def member(build: Build, node: tree.Member, scope: Scope) -> Term:
    """A step along a path, or its head."""
    if node.target is not None:
        return step(build, build.node(node.target, scope), node.name)
    if build.strict and scope.this is scope.root:
        rule = f"{node.name} is read without a variable, which strict mode refuses"
        raise build.error("FT08", rule, f"write %context.{node.name}")
    return _head(build, scope.this, node.name)


def step(build: Build, term: Term, name: str) -> Term:
    """The children called `name`."""
    shape = term.shape
    if term.kind != "Object" or shape is None:
        if term.kind not in ("Any", "Object", "Quantity"):
            build.issue("FP13", f"a {term.kind} has no field {name}", "take the step out")
            return Term("[]", MANY)
        return _walked(build, "step", term, name)
    found = shape.member(name)
    if found is None:
        hint = nearest(name, shape.names()) or f"it has {', '.join(shape.names()[:12])}"
        build.issue("FP13", f"the source has no field {name} here", hint)
        return Term("[]", MANY)
    if not found.known:
        return _walked(build, "step", term, name)
    return _field(build, term, name, found)


def _walked(build: Build, how: str, term: Term, name: str) -> Term:
    """The children called `name` of items of which nothing is known."""
    items = as_list(build.code, term)
    if term.card == MANY:
        build.code.spend_again(items)
    return Term(build.code.keep(f"{how}({items}, {name!r}, q.model)"), MANY)


def _field(build: Build, term: Term, name: str, found: Shape) -> Term:
    code, keep = term.code, build.code.keep
    if term.card == MANY:
        build.code.spend_again(code)
        if found.many:
            items = keep(f"[v for o in {code} for v in listed(o.get({name!r}))]")
        else:
            items = keep(f"[v for o in {code} if (v := o.get({name!r})) is not None]")
        return Term(items, MANY, found.kind, found)
    value = keep(f"{code}.get({name!r})" if term.card == ONE else f"None if {code} is None else {code}.get({name!r})")
    if found.many:
        return Term(keep(f"{value} if {value}.__class__ is list else listed({value})"), MANY, found.kind, found)
    return Term(value, OPT, found.kind, found)


def _head(build: Build, this: Term, name: str) -> Term:
    shape = this.shape
    if this.kind == "Object" and shape is not None:
        if name not in shape.names() and name[:1].isupper() and "resourceType" in shape.names():
            present = "" if this.card == ONE else f"{this.code} is not None and "
            if this.card != MANY:
                test = f"{present}{this.code}.get('resourceType') == {name!r}"
                return Term(build.code.keep(f"{this.code} if {test} else None"), OPT, this.kind, shape)
        return step(build, this, name)
    if this.kind not in ("Any", "Object"):
        return step(build, this, name)
    return _walked(build, "head", this, name)


def index(build: Build, node: tree.Index, scope: Scope) -> Term:
    """target[number]."""
    target, place = build.node(node.target, scope), build.node(node.index, scope)
    items = as_list(build.code, target)
    if isinstance(node.index, tree.Literal) and place.kind == "Integer":
        condition = f"len({items}) > {place.code}"
        return Term(build.code.keep(f"{items}[{place.code}] if {condition} else None"), OPT, target.kind, target.shape)
    found = build.code.keep(f"item_at({items}, {as_list(build.code, place)})")
    return Term(build.code.keep(f"{found}[0] if {found} else None"), OPT, target.kind, target.shape)
