"""Templates to Python: each node becomes statements that end in one name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bridge.mappings.fhirpath.compiling.build import Build, Scope
from bridge.mappings.fhirpath.compiling.loops import decision
from bridge.mappings.fhirpath.compiling.operators import bounded_text
from bridge.mappings.fhirpath.compiling.terms import MANY, ONE, OPT, PLAIN, TEXTS, Term, as_list, missing
from bridge.mappings.fhirpath.problems import Position
from bridge.mappings.fpml.template import (
    Choice,
    Constant,
    Every,
    Expression,
    Loop,
    Sequence,
    Single,
    Structure,
    Template,
    Text,
)


@dataclass(frozen=True, slots=True)
class Out:
    """A rendered node: a Python expression that is evaluated once at most.

    `test` is a Python condition that holds where something is there, "" where it always is. `form` is "value",
    "list", "object" or "" where it may be any. `null` says that it may be NULL: empty, and kept.
    """

    code: str
    test: str = ""
    form: str = ""
    null: bool = False

    @property
    def value(self) -> str:
        """The value, or None where nothing is there."""
        if self.test in ("", f"{self.code} is not None"):
            return self.code
        return f"{self.code} or None" if self.test == self.code else f"{self.code} if {self.test} else None"


def render(build: Build, node: Template, scope: Scope) -> Out:
    """The node's value as Python; its lines carry its position."""
    match node:
        case Sequence():
            return _sequence(build, node, scope)
        case Structure():
            with build.at(node.position):
                return _structure(build, node, scope)
    out = _leaf(build, node, scope)
    with build.at(place_of(node)):
        _given(build, out)
    return out


def _leaf(build: Build, node: Constant | Single | Every | Text, scope: Scope) -> Out:
    match node:
        case Constant(value=value):
            form = "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "value"
            return Out("None", "False") if value is None else Out(repr(value), "", form)
        case Single():
            return _single(build, node, scope)
        case Every():
            return _every(build, node, scope)
    with build.at(node.position):
        return _text(build, node, scope)


def _given(build: Build, out: Out) -> None:
    """Where this is watched, say that the value was given."""
    if out.code != "None":
        build.reached("value", test=out.test)


# ── expressions ───────────────────────────────────────────────────────────────────────────────────────────────────
def _first(build: Build, expression: Expression, scope: Scope) -> Term:
    term = build.node(expression.tree, scope)
    _check_yield(build, term)
    if term.card != MANY:
        return term
    if term.kind != "Any":
        build.issue("FT11", "this may be several items, and only the first is taken", "write .first(), or {[ … ]}")
    return replace(term, code=build.code.keep(f"{term.code}[0] if {term.code} else None"), card=OPT)


def _check_yield(build: Build, term: Term) -> None:
    if term.code in ("[]", "None") and not any(issue.position.path == build.code.at.path for issue in build.issues):
        build.issue("FP14", "this can never yield a value", "take it out")


def _single(build: Build, node: Single, scope: Scope) -> Out:
    with build.at(node.expression.position):
        term = _first(build, node.expression, scope)
        sure = term.card == ONE and term.kind in PLAIN
        value = term.code
        if term.kind not in PLAIN:
            value = build.code.name()
            build.code.line(f"{value} = written(q, {term.code})")
        if node.keep_null:
            return Out(build.code.keep(f"NULL if {value} is None else {value}"), "", "", null=True)
        return Out(value, "" if sure else f"{value} is not None", "value" if term.kind in PLAIN else "")


def _every(build: Build, node: Every, scope: Scope) -> Out:
    with build.at(node.expression.position):
        term = build.node(node.expression.tree, scope)
        _check_yield(build, term)
        name, items = build.code.name("l"), as_list(build.code, term)
        build.code.line(f"{name} = [*{items}]" if term.kind in PLAIN else f"{name} = written_all(q, {items})")
        return Out(name, name, "list")


def _text(build: Build, node: Text, scope: Scope) -> Out:
    parts: list[Term] = []
    for part in node.parts:
        if isinstance(part, str):
            parts.append(Term(repr(part), ONE, "String"))
            continue
        with build.at(part.position):
            term = _first(build, part, scope)
            if term.kind not in TEXTS:
                card = OPT if term.kind == "Any" else term.card
                term = Term(build.code.keep(f"spelled({term.code})"), card, "String")
            parts.append(term)
    whole = " + ".join(part.code for part in parts)
    empty = missing(*parts)
    text = bounded_text(build, f"None if {empty} else {whole}" if empty else whole, OPT if empty else ONE).code
    if node.keep_null and empty:
        return Out(build.code.keep(f"NULL if {text} is None else {text}"), "", "value", null=True)
    return Out(text, f"{text} is not None" if empty else "", "value")


# ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────────────
def _sequence(build: Build, node: Sequence, scope: Scope) -> Out:
    outs = [render(build, item, scope) for item in node.items]
    if all(out.form in ("value", "object") and (out.test == "" or len(outs) == 1) for out in outs):
        return Out(f"[{', '.join(_unnulled(out) for out in outs)}]", outs[0].test, "list")
    name = build.code.name("l")
    build.code.line(f"{name} = []")
    for out in outs:
        _append(build, name, out)
    return Out(name, "" if any(out.test == "" and out.form != "list" for out in outs) else name, "list")


def _append(build: Build, name: str, out: Out) -> None:
    code = build.code
    if out.test == "False":
        return
    call = f"{name}.append({_unnulled(out)})" if out.form else f"flatten({name}, {out.code})"
    if out.form == "list":
        call = f"{name}.extend({out.code})"
    if out.test and not (out.form == "list" and out.test == out.code):
        with code.block(f"if {out.test}"):
            code.line(call)
    else:
        code.line(call)


def _unnulled(out: Out) -> str:
    return f"None if {out.code} is NULL else {out.code}" if out.null else out.code


def _loop(build: Build, loop: Loop, scope: Scope) -> Out:
    code = build.code
    with build.at(loop.expression.position):
        term = build.node(loop.expression.tree, scope)
        items, item, place = as_list(code, term), code.name("i"), code.name("n")
        name = code.name("l")
        code.line(f"{name} = []")
        code.spend(f"len({items})")
        build.reached("for", "filled", items)
        build.reached("for", "empty", f"not {items}")
    inside = scope.naming(loop.item, Term(item, ONE, term.kind, term.shape))
    header = f"for {item} in {items}"
    if loop.index:
        inside = inside.naming(loop.index, Term(place, ONE, "Integer"))
        header = f"for {place}, {item} in enumerate({items})"
    with code.loop(header):
        _append(build, name, render(build, loop.body, inside))
    return Out(name, name, "list")


# ── objects ───────────────────────────────────────────────────────────────────────────────────────────────────────
def _structure(build: Build, node: Structure, scope: Scope) -> Out:
    inside = _assigned(build, node, scope)
    if node.loop is not None:
        return _loop(build, node.loop, inside)
    if node.replaced and node.choice is not None:
        return _choice(build, node.choice, inside)
    found = _Writing(build, build.code.name("o"))
    found.fill(node, inside)
    return found.done()


class _Writing:
    """An object being written: as one literal as long as every value is sure, then into a dict that has a name."""

    def __init__(self, build: Build, name: str) -> None:
        self.build = build
        self.name = name
        self.sure = False
        self._pairs: list[str] = []
        self._named = False
        self._waiting: tuple[str, str, str] | None = None

    def fill(self, node: Structure, scope: Scope) -> None:
        """Write the entries, then what is merged, then what the choice gives."""
        for key, value in node.entries:
            self._entry(repr(key), render(self.build, value, scope))
        for part in node.merged:
            self.merge(part, scope)
        if node.choice is not None:
            self._open()
            with self.build.code.block(f"if {_condition(self.build, node.choice, scope)}"):
                _taken(self.build, node.choice, "yes")
                self._apart(node.choice.then, scope)
            if node.choice.otherwise is not None or self.build.watch is not None:
                with self.build.code.block("else"):
                    _taken(self.build, node.choice, "no")
                    if node.choice.otherwise is not None:
                        self._apart(node.choice.otherwise, scope)

    def merge(self, part: Template, scope: Scope) -> None:
        """Write what another template gives, directly where it is an object."""
        self._open()
        if isinstance(part, Structure) and not part.replaced:
            with self.build.at(part.position):
                self.fill(part, _assigned(self.build, part, scope))
            return
        out = render(self.build, part, scope)
        if out.test != "False":
            with self.build.at(place_of(part)):
                self.build.code.line(f"merge({self.name}, {out.value})")
        self.sure = self.sure or (isinstance(part, Constant) and part.value is not None)

    def done(self) -> Out:
        """The object."""
        if self._waiting is not None:
            key, value, test = self._waiting
            return Out(f"{{{key}: {value}}}", test, "object")
        if not self._named:
            return Out(f"{{{', '.join(self._pairs)}}}", "" if self._pairs else "False", "object")
        return Out(self.name, "" if self.sure else self.name, "object")

    def _apart(self, part: Template, scope: Scope) -> None:
        sure = self.sure
        self.merge(part, scope)
        self.sure = sure

    def _entry(self, key: str, out: Out) -> None:
        if out.test == "False":
            return
        if out.test == "" and not self._named and self._waiting is None:
            self._pairs.append(f"{key}: {_unnulled(out)}")
            self.sure = True
            return
        if out.test and not self._named and not self._pairs and self._waiting is None:
            self._waiting = (key, _unnulled(out), out.test)
            return
        self._open()
        self.sure = self.sure or not out.test
        self._write(key, _unnulled(out), out.test)

    def _open(self) -> None:
        if self._named:
            return
        self._named = True
        self.build.code.line(f"{self.name} = {{{', '.join(self._pairs)}}}")
        if self._waiting is not None:
            waiting, self._waiting = self._waiting, None
            self._write(*waiting)

    def _write(self, key: str, value: str, test: str) -> None:
        line = f"{self.name}[{key}] = {value}"
        if not test:
            self.build.code.line(line)
            return
        with self.build.code.block(f"if {test}"):
            self.build.code.line(line)


def _choice(build: Build, choice: Choice, scope: Scope) -> Out:
    code = build.code
    condition = _condition(build, choice, scope)
    name = code.name()
    outs: list[Out] = []
    for header, way, node in ((f"if {condition}", "yes", choice.then), ("else", "no", choice.otherwise)):
        with code.block(header):
            _taken(build, choice, way)
            out = Out("None", "False") if node is None else render(build, node, scope)
            outs.append(out)
            with build.at(code.at if node is None else place_of(node)):
                code.line(f"{name} = {out.value}")
    forms = {out.form for out in outs if out.test != "False"}
    form = forms.pop() if len(forms) == 1 else ""
    sure = all(out.test == "" and out.form == "value" for out in outs)
    return Out(name, "" if sure else f"{name} is not None", form, any(out.null for out in outs))


def place_of(node: Template) -> Position:
    """Where a node stands."""
    return node.expression.position if isinstance(node, Single | Every) else node.position


def _condition(build: Build, choice: Choice, scope: Scope) -> str:
    with build.at(choice.condition.position):
        return decision(build, choice.condition.tree, scope)


def _taken(build: Build, choice: Choice, way: str) -> None:
    with build.at(choice.condition.position):
        build.reached("if", way)


def _assigned(build: Build, node: Structure, scope: Scope) -> Scope:
    for name, value in node.assigned:
        scope = scope.naming(name, _value_of(build, value, scope))
    return scope


def _value_of(build: Build, node: Template, scope: Scope) -> Term:
    """What a name assigned to this node holds: items, with their types where an expression gives them."""
    if isinstance(node, Single):
        with build.at(node.expression.position):
            return _named(build, _first(build, node.expression, scope))
    if isinstance(node, Every):
        with build.at(node.expression.position):
            return _named(build, build.node(node.expression.tree, scope))
    out = render(build, node, scope)
    if isinstance(node, Text) and not out.null:
        return Term(out.code, OPT if out.test else ONE, "String")
    return Term(build.code.keep(f"items_of({out.value})"), MANY)


def _named(build: Build, term: Term) -> Term:
    """The term; where this is watched, its value counts as given though no element holds it."""
    build.reached(
        "value", test="" if term.card == ONE else term.code if term.card == MANY else f"{term.code} is not None"
    )
    return term
