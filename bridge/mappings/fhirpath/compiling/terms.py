"""A compiled sub-expression: a Python name or literal, how many items it is, and what is known of their type."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bridge.mappings.fhirpath.compiling.code import Code
from bridge.mappings.fhirpath.shapes import Shape

ONE, OPT, MANY = "one", "opt", "many"
TEXTS = frozenset({"String", "Stamp"})
NUMBERS = frozenset({"Integer", "Decimal"})
PLAIN = frozenset({"Boolean", "Integer", "String", "Stamp"})
"""Kinds whose Python value needs no conversion to be written into a resource."""


@dataclass(frozen=True, slots=True)
class Term:
    """`code` may be repeated: it is a name or a literal.

    `card` says what it holds: ONE a value, OPT a value or None, MANY a list. `kind` is a kind of `shapes.Shape`, or
    Moment, Quantity; "Any" may also be an Element. `shape` describes one item of kind Object.
    """

    code: str
    card: str
    kind: str = "Any"
    shape: Shape | None = field(default=None, repr=False)

    @property
    def single(self) -> bool:
        """Is it at most one item."""
        return self.card != MANY


def as_list(code: Code, term: Term) -> str:
    """The items as a Python list."""
    if term.card == MANY:
        return term.code
    return f"[{term.code}]" if term.card == ONE else code.keep(f"[] if {term.code} is None else [{term.code}]")


def as_single(code: Code, term: Term) -> Term:
    """The one item or None; compiled code raises FE01 where there are several."""
    if term.single:
        return term
    return replace(term, code=code.keep(f"only({term.code})"), card=OPT)


def as_truth(code: Code, term: Term) -> Term:
    """The items as a Boolean or None (N1, "Singleton Evaluation of Collections")."""
    if term.card == MANY:
        return Term(code.keep(f"truth({term.code})"), OPT, "Boolean")
    if term.kind == "Boolean":
        return term
    if term.kind == "Any":
        return Term(code.keep(f"truth_of({term.code})"), OPT, "Boolean")
    if term.card == ONE:
        return Term("True", ONE, "Boolean")
    return Term(code.keep(f"None if {term.code} is None else True"), OPT, "Boolean")


def missing(*terms: Term) -> str:
    """A Python condition that holds where any of the single terms is empty, "" where none can be."""
    return " or ".join(dict.fromkeys(f"{term.code} is None" for term in terms if term.card == OPT))


def guarded(code: Code, expression: str, kind: str, *terms: Term, may_be_empty: bool = False) -> Term:
    """The value of a Python expression over single terms: empty where one of them is."""
    empty = missing(*terms)
    card = OPT if empty or may_be_empty else ONE
    return Term(code.keep(f"None if {empty} else {expression}" if empty else expression), card, kind)


NOTHING = Term("None", OPT, "Any")
