"""Conditions that are always the same: by themselves, by the conditions around them, or because they are none."""

from __future__ import annotations

from bridge.mappings.fhirpath import tree
from bridge.mappings.fhirpath.compiling.terms import MANY
from bridge.mappings.lint.calls import with_facts
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import Knowing
from bridge.mappings.lint.subject import Subject
from bridge.mappings.lint.walking import Said, Walked

_WHEN = ("when", "label", "hold")
_CONSTANT = {"True": "always", "False": "never", "None": "never", "[]": "never"}


def check_conditions(subject: Subject, walked: Walked) -> None:
    """The conditions of a part, and of the lines outside of parts."""
    for said in walked.said:
        if said.role in _WHEN:
            _check_when(subject, said)
        if said.role == "if":
            _check_known(subject, said.tree, said.facts, said.knowing)
        for node, _, here in with_facts(said.tree, said.facts, said.facts):
            if isinstance(node, tree.Call) and node.name == "iif" and node.target is None:
                _check_known(subject, node.arguments[0], here, said.knowing)


def _check_when(subject: Subject, said: Said) -> None:
    term = said.knowing.terms.get(id(said.tree))
    if term is None:
        return
    fixed = _fixed(said.tree)
    if term.code in _CONSTANT or fixed is not None:
        rule = f"this condition is {_CONSTANT.get(term.code if fixed is None else str(fixed))} true"
        subject.say("condition-constant", said.tree.position, rule, "", "correct it, or take it out")
    elif term.kind not in ("Any", "Boolean"):
        rule = "this is no condition: only true counts as true here, and it is never that"
        subject.say("condition-type", said.tree.position, rule, "", "compare it, or ask for exists()")


def _check_known(subject: Subject, condition: tree.Node, facts: Facts, knowing: Knowing) -> None:
    if _several(condition, knowing):
        return
    verdict = facts.verdict(condition)
    fixed = _fixed(condition)
    if fixed is not None and not isinstance(condition, tree.Literal):
        rule = f"this condition is {'always' if fixed else 'never'} true"
        subject.say("condition-constant", condition.position, rule, "", "correct it, or take it out")
    if verdict is not None:
        rule = f"the conditions around this one decide it already: here it is {'always' if verdict else 'never'} true"
        subject.say("condition-known", condition.position, rule, "", "take it out, or correct it")


def _fixed(node: tree.Node) -> bool | None:
    """Whether literals in a condition decide it, whatever the record holds."""
    match node:
        case tree.Literal(value=bool() as value):
            return value
        case tree.Binary(operator="and" | "or" as operator, left=left, right=right):
            sides = (_fixed(left), _fixed(right))
            if (operator == "or") in sides:
                return operator == "or"
            return None if None in sides else operator == "and"
        case tree.Call(name="not", target=target, arguments=()) if target is not None:
            inner = _fixed(target)
            return None if inner is None else not inner
    return None


def _several(condition: tree.Node, knowing: Knowing) -> bool:
    """Does it compare with something of which there may be several: then nothing follows for another comparison."""
    return any(
        isinstance(node, tree.Binary)
        and node.operator == "="
        and (term := knowing.terms.get(id(node.left))) is not None
        and term.card == MANY
        for node in tree.within(condition)
    )
