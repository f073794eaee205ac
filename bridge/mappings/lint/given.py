"""What an expression may give: types, one or many, which texts, which rows of a table, what a reference points at.

Only what is certain is said; types are empty and texts None where anything may come.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling.terms import MANY, Term
from bridge.mappings.functions import FUNCTIONS
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.terms import Terms
from bridge.mappings.tables import Row

_PASSING = frozenset({"where", "tail", "skip", "take", "distinct", "ofType", "exclude", "intersect"})
_ONE = frozenset({"first", "last", "single", "as"})
_GIVES = {
    "lookup": "String",
    "coding": "Coding",
    "concept": "CodeableConcept",
    "words": "words",
    "language": "CodeableConcept",
    "narrative": "Narrative",
    "translation": "Extension",
    "wall_time": "words",
}


@dataclass(frozen=True, slots=True)
class Given:
    """What may come of an expression.

    `types` are kinds of the record's schema (String, Integer, …; `format:NAME` for a text of a format) or FHIR types;
    `texts` all that it can be as a text; `rows` the table rows it can come from; `targets` what it points at;
    `counter` says that it counts the rounds of a loop.
    """

    types: frozenset[str] = frozenset()
    many: bool = False
    texts: frozenset[str] | None = None
    rows: tuple[tuple[str, Row], ...] = ()
    targets: frozenset[str] = frozenset()
    counter: bool = False

    def __or__(self, other: Given) -> Given:
        return Given(
            self.types | other.types if self.types and other.types else frozenset(),
            self.many or other.many,
            None if self.texts is None or other.texts is None else self.texts | other.texts,
            tuple(dict.fromkeys((*self.rows, *other.rows))),
            self.targets | other.targets,
        )


ANYTHING = Given()


@dataclass(frozen=True, slots=True)
class Knowing:
    """Where an expression stands: the terms of its nodes, what the names around it stand for, and about whom it is."""

    subject: Subject
    terms: Terms
    about: str = ""
    names: Mapping[str, Given] = field(default_factory=dict)

    def naming(self, name: str, given: Given) -> Knowing:
        """The same with one more name."""
        return replace(self, names={**self.names, name: given})


def given(node: tree.Node, knowing: Knowing) -> Given:
    """What an expression may give."""
    match node:
        case tree.Literal(value=str() as value):
            return Given(frozenset({"String"}), texts=frozenset({value}))
        case tree.Variable(name=name) if name in knowing.names:
            return knowing.names[name]
        case tree.Index(target=target):
            return replace(given(target, knowing), many=False)
        case tree.Binary(operator="|", left=left, right=right):
            return replace(given(left, knowing) | given(right, knowing), many=True)
        case tree.Call():
            return _call(node, knowing)
        case tree.Member(target=target, name=name) if target is not None:
            return _member(given(target, knowing), name, knowing, _plain(node, knowing))
    return _plain(node, knowing)


def is_own(call: tree.Call) -> bool:
    """Is it one of our functions."""
    return call.name in FUNCTIONS and (
        call.target is None if not FUNCTIONS[call.name].on else isinstance(call.target, tree.Variable)
    )


def literal(node: tree.Node | None) -> str:
    """The text of a literal, "" for anything else."""
    return node.value if isinstance(node, tree.Literal) and isinstance(node.value, str) else ""


def rows_meant(call: tree.Call, knowing: Knowing) -> list[tuple[str, Row]]:
    """The rows, with their table's full name, that a table function may come upon."""
    table = knowing.subject.mapping.tables.get(literal(call.arguments[0]))
    if table is None:
        return []
    texts = given(call.arguments[1], knowing).texts
    return [(table.name, row) for row in table.every() if texts is None or row.code in texts]


def _call(call: tree.Call, knowing: Knowing) -> Given:
    name, arguments = call.name, call.arguments
    if is_own(call):
        return _own(call, knowing)
    if name == "iif":
        branches = [given(one, knowing) for one in arguments[1:]]
        return branches[0] if len(branches) == 1 else branches[0] | branches[1]
    if name == "select" and call.target is not None:
        inner = given(arguments[0], knowing)
        return replace(inner, many=inner.many or given(call.target, knowing).many)
    if call.target is not None and (name in _PASSING or name in _ONE):
        found = given(call.target, knowing)
        return replace(found, many=False) if name in _ONE else found
    return _plain(call, knowing)


def _own(call: tree.Call, knowing: Knowing) -> Given:
    subject, name = knowing.subject, call.name
    if name == "person":
        role, as_what = literal(call.arguments[0]), literal((*call.arguments, None)[1])
        many = role != knowing.about and _repeats(subject, subject.kind.people.get(role, ()))
        return Given(frozenset({"Reference"}), many, targets=frozenset({as_what or "Patient"}))
    if name == "part":
        part = next((one for one in subject.mapping.parts if one.name == literal(call.arguments[0])), None)
        if part is None:
            return ANYTHING
        many = part.each is not None and len(call.arguments) == 1
        return Given(frozenset({"Reference"}), many, targets=frozenset({part.type}))
    if name == "instant":
        found = given(call.arguments[0], knowing)
        day = found.types == {"format:date"}
        return Given(frozenset({"date" if day else "dateTime"}), found.many)
    if FUNCTIONS[name].on:
        rows = tuple(rows_meant(call, knowing))
        texts = frozenset(row.target for _, row in rows) if name == "lookup" and rows else None
        return Given(frozenset({_GIVES[name]}), given(call.arguments[1], knowing).many, texts, rows)
    many = name != "narrative" and given(call.arguments[-1 if name == "translation" else 0], knowing).many
    return Given(frozenset({_GIVES[name]}), many)


def _member(target: Given, name: str, knowing: Knowing, plain: Given) -> Given:
    """A step into what a function of ours gave."""
    kinds = {
        element.types
        for kind in target.types & knowing.subject.definitions.types.keys()
        if (element := knowing.subject.definitions.element(kind, name)) is not None
    }
    if not kinds or len(target.types) != 1:
        return plain
    (types,) = kinds
    return Given(frozenset(types) if len(types) == 1 else frozenset(), True)


def _plain(node: tree.Node, knowing: Knowing) -> Given:
    term = knowing.terms.get(id(node))
    return ANYTHING if term is None else _of_term(term)


def _of_term(term: Term) -> Given:
    many, schema = term.card == MANY, {} if term.shape is None else term.shape.schema
    if term.kind == "Any":
        return Given(many=many)
    if term.kind not in ("String", "Stamp"):
        return Given(frozenset({term.kind}), many)
    words = schema.get("enum", [schema["const"]] if "const" in schema else None)
    texts = frozenset(map(str, words)) if isinstance(words, list) else None
    form = schema.get("format") if "pattern" not in schema else None
    if texts is None and (term.shape is None or "pattern" in schema):
        return Given(frozenset({"made"}), many)
    return Given(frozenset({f"format:{form}" if isinstance(form, str) else "String"}), many, texts)


def _repeats(subject: Subject, path: tuple[str, ...]) -> bool:
    """May a record hold several values at a path."""
    place: object = subject.kind.schema.document
    for name in path:
        properties = place.get("properties", {}) if isinstance(place, dict) else {}
        place = properties.get(name, {}) if isinstance(properties, dict) else {}
        if isinstance(place, dict) and (place.get("type") == "array" or "items" in place):
            return True
    return False
