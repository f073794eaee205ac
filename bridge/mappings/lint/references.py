"""References: does what is pointed at have a type the element takes, and is it there whenever it is pointed at."""

from __future__ import annotations

from bridge.mappings.lint.calls import called
from bridge.mappings.lint.elements import profiles_of
from bridge.mappings.lint.facts import Facts
from bridge.mappings.lint.given import literal
from bridge.mappings.lint.subject import Subject, listed
from bridge.mappings.lint.walking import Value, Walked
from bridge.mappings.parts import PartTemplate

_ASKING = frozenset({"exists", "empty", "count"})


def check_references(subject: Subject, walked: Walked) -> None:
    """What a part points at."""
    if walked.part is None:
        return
    for value in walked.values:
        _check_target(subject, walked.part, value)
    asked_for = {id(one.call.target) for one in called([walked]) if one.call.name in _ASKING}
    for one in called([walked]):
        if one.call.name == "part" and one.call.target is None and id(one.call) not in asked_for:
            other = next((part for part in subject.mapping.parts if part.name == literal(one.call.arguments[0])), None)
            asked = f"part({other.name!r}).exists()" if other is not None else ""
            if (
                other is not None
                and other.each is None
                and asked not in one.facts.true
                and not _there(other, one.facts)
            ):
                rule = f"the part {other.name} comes about only where its `when` holds, and here it may not"
                step = f"point at it under the same condition, or say that it may be missing: iif({asked}, …)"
                subject.say("part-conditional", one.call.position, rule, other.name, step)


def _there(other: PartTemplate, facts: Facts) -> bool:
    return other.when is None or facts.verdict(other.when.compiled.tree) is True


def _check_target(subject: Subject, part: PartTemplate, value: Value) -> None:
    element = value.at.element
    if element is None or element.types != ("Reference",):
        return
    targets = [element.targets] if element.targets else []
    for profile in profiles_of(subject, part):
        constraint = profile.elements.get(f"{part.type}.{value.at.path}")
        if constraint is not None and constraint.targets:
            targets.append(constraint.targets)
    for allowed in targets:
        wrong = sorted(value.given.targets - set(allowed))
        if wrong and "Resource" not in allowed:
            rule = f"this points at a {wrong[0]}, and the element takes {listed(allowed)}"
            subject.say("reference-target", value.place.value, rule, f"{part.type}.{value.at.path}")
            return
