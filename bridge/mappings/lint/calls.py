"""Every call of a mapping's expressions, with the conditions under which it is made."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bridge.mappings.fhirpath import tree
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import Knowing
from bridge.mappings.lint.walking import Said, Walked

_LOOPS = frozenset({"where", "select", "all", "exists", "repeat", "aggregate"})


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
            for node, around, _ in with_facts(said.tree, said.facts, said.facts):
                if isinstance(node, tree.Call):
                    yield Called(node, said.knowing, around, said, one)


def with_facts(node: tree.Node, around: Facts, here: Facts) -> Iterator[tuple[tree.Node, Facts, Facts]]:
    """Every node beneath, with what holds `around` it, and what of that is said in the same words `here`.

    iif() decides over its results. Inside where() and its like the names of fields mean something else.
    """
    yield node, around, here
    if isinstance(node, tree.Call) and node.name == "iif" and node.target is None and len(node.arguments) > 1:
        condition, then, *otherwise = node.arguments
        yield from with_facts(condition, around, here)
        yield from with_facts(then, around.given(condition), here.given(condition))
        for one in otherwise:
            yield from with_facts(one, around.without(condition), here.without(condition))
        return
    within = Facts() if isinstance(node, tree.Call) and (node.name in _LOOPS or node.name == "iif") else here
    target = getattr(node, "target", None)
    for child in tree.children(node):
        yield from with_facts(child, around, here if child is target else within)
