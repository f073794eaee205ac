"""Labels × consent × recipient → the parts and sections that leave.

Consent opens classes of content (`consent.release`); this says what no consent opens, what only the practice's settings
open, and what a Part 2 program or a safety flag closes again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from bridge import consent
from bridge.mappings.classes import GRANTABLE, LOCATION, ORDINARY, SCREENING_DONE, SUBSTANCE_USE, SUPPRESSED
from bridge.model import Decision, Part, Released, type_json
from bridge.settings import Practice, Program

OF_ADULTS = frozenset({"caregiver-health"})
CHILDREN = frozenset({"child"})
"""What is a caregiver's own never stands in a child's chart, whatever the child's consent opens (R25)."""
WAYS_TO_A_PERSON = ("telecom", "address", "contact")
PERSONS = frozenset({"Patient", "RelatedPerson", "Practitioner"})


@dataclass(frozen=True, slots=True)
class Conditions:
    """What decides beside the consent: of the record's program, of the practice, of the person."""

    part2: bool = False  # the record is a Part 2 program's
    screening_done: bool = False  # the practice's `caregiver_screening`
    flagged: bool = False  # the person, or somebody of the family, is marked unsafe to find


def opened(decision: Decision, conditions: Conditions) -> frozenset[str]:
    """The classes that leave under this decision; none where it permits nothing."""
    if not decision.permit:
        return frozenset()
    may = (decision.classes & GRANTABLE) | {ORDINARY}
    if conditions.part2 and not decision.part2:
        may -= {SUBSTANCE_USE}  # 42 CFR §2.31: the consents do not say who signed, by which right, on which form
    if conditions.screening_done:
        may |= {SCREENING_DONE}
    return may - {LOCATION} if conditions.flagged else may


def released(parts: Sequence[Part], person: str, decision: Decision, conditions: Conditions) -> Released:
    """What leaves for `person`'s chart; it points at nothing that stays and names no way to anybody's door."""
    open_now = replace(decision, classes=opened(decision, conditions))
    found = consent.release([prepared(part, conditions) for part in parts], person, open_now)
    leaving = tuple(part for part in found.parts if part.type != "Provenance" or part.resource.get("target"))
    return replace(found, parts=leaving, decision=decision)


def prepared(part: Part, conditions: Conditions) -> Part:
    """The part as it is judged: a person without address and phone, a Part 2 program's content in its class."""
    if part.type in PERSONS or "contained" in part.resource:
        part = replace(part, resource=unreachable(part.resource))
    if part.role in CHILDREN and OF_ADULTS & part.labels.union(*part.sections):
        kept_back = tuple(labels | {SUPPRESSED} if OF_ADULTS & labels else labels for labels in part.sections)
        labels = part.labels | {SUPPRESSED} if OF_ADULTS & part.labels else part.labels
        part = replace(part, labels=labels, sections=kept_back)
    if not conditions.part2:
        return part
    return replace(part, labels=also(part.labels), sections=tuple(also(labels) for labels in part.sections))


def unreachable(resource: type_json) -> type_json:
    """A person, or those within a resource, without address and phone."""
    drops = WAYS_TO_A_PERSON if resource.get("resourceType") in PERSONS else ()
    kept = {key: value for key, value in resource.items() if key not in drops}
    if "contained" in kept:
        kept["contained"] = [unreachable(inside) for inside in kept["contained"]]
    return kept


def also(labels: frozenset[str]) -> frozenset[str]:
    """The labels with the class of substance use records."""
    return (labels - {ORDINARY}) | {SUBSTANCE_USE}


def facts_only(decision: Decision) -> Decision:
    """The decision where the practice's portal shows what arrives at once: nothing but facts leaves."""
    return replace(decision, classes=decision.classes & {ORDINARY})


def facts_only_by(way: str, parts: Sequence[Part], kind: str, practice: Practice) -> bool:
    """Whether only facts leave this way (no `discrete` one), since the practice's portal shows it at once."""
    wanted = way != "discrete" and practice.document.when_released == "facts"
    return wanted and shown_at_once(parts, kind, practice)


def conditions_of(
    practice: Practice, program: Program | None, patient: bytes, *, in_danger: bool = False
) -> Conditions:
    """What decides beside consent; `patient` is the person's canonical Patient (JSON), b"" where none is known.

    `in_danger`: somebody of the family must not be found.
    """
    return Conditions(
        part2=program is not None and program.part2,
        screening_done=practice.caregiver_screening,
        flagged=in_danger or marked(patient),
    )


def marked(patient: bytes) -> bool:
    """Whether a canonical Patient (JSON, b"" = none) says that this person must not be found."""
    return SUPPRESSED.encode() in patient and flagged(orjson.loads(patient))


def shown_at_once(parts: Sequence[Part], kind: str, practice: Practice) -> bool:
    """Whether the document made of these parts is of a type that the practice's portal shows at once."""
    wants = practice.document
    if not wants.released_at_once:
        return False
    if kind in wants.types:
        return wants.types[kind].code in wants.released_at_once
    note = next((part.resource for part in parts if part.type == "Composition"), None)
    codings = note.get("type", {}).get("coding", []) if note is not None else []
    return any(coding.get("code") in wants.released_at_once for coding in codings)


def flagged(patient: type_json) -> bool:
    """Whether the canonical Patient says that this person must not be found."""
    return any(label.get("code") == SUPPRESSED for label in patient.get("meta", {}).get("security", []))


def classes_of(parts: Sequence[Part]) -> frozenset[str]:
    """Every class in these parts and their sections."""
    return frozenset[str]().union(*(labels for part in parts for labels in (part.labels, *part.sections)))
