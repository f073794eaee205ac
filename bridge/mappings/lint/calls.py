"""Every call of a mapping's expressions, with the conditions under which it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.mappings.fhirpath import tree
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import Knowing
from bridge.mappings.lint.walking import Said, Walked


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a function; `said` is the expression it stands in."""

    call: tree.Call
    knowing: Knowing
    facts: Facts
    said: Said
    walked: Walked


def called(walked: Iterable[Walked]) -> Iterator[Called]:
    """All calls, in the order of the mapping."""
    for one in walked:
        for said in one.said:
            for node, facts in with_facts(said.tree, said.facts):
                if isinstance(node, tree.Call):
                    yield Called(node, said.knowing, facts, said, one)


def with_facts(node: tree.Node, facts: Facts) -> Iterator[tuple[tree.Node, Facts]]:
    """Every node beneath with what holds there: iif() decides over its results."""
    yield node, facts
    if isinstance(node, tree.Call) and node.name == "iif" and node.target is None and len(node.arguments) > 1:
        condition, then, *otherwise = node.arguments
        yield from with_facts(condition, facts)
        yield from with_facts(then, facts.given(condition))
        for one in otherwise:
            yield from with_facts(one, facts.without(condition))
        return
    for child in tree.children(node):
        yield from with_facts(child, facts)
