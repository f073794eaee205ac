"""For one record and one practice: what would leave, what would not, and the rule and consents of each.

Pure, and about exactly what `withhold.released` does: the two are compared by a test. It names parts and sections by
number, classes and rules, never a word of what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bridge import consent
from bridge.ehr.route import NEVER_ALONE
from bridge.mappings.classes import GRANTABLE, ORDINARY, SCREENING_DONE, SUBSTANCE_USE, SUPPRESSED
from bridge.model import Decision, Part
from bridge.release import withhold
from bridge.release.withhold import Conditions

ELSEWHERE = "it is about somebody else, and goes to their chart or nowhere"
INSIDE = "it says who or where something is; no chart gets it by itself"


@dataclass(frozen=True, slots=True)
class Shown:
    """One part, or one section of it (from 1): whether it leaves, its classes, by which rule, on which consents."""

    part: str
    type: str
    section: int
    classes: tuple[str, ...]
    leaves: bool
    rule: str
    consents: tuple[int, ...] = ()


def preview(
    parts: Sequence[Part], person: str, full: Decision, conditions: Conditions, *, facts: bool = False
) -> tuple[Shown, ...]:
    """What of these parts would leave for `person`'s chart, in their order; a document's sections one by one.

    `facts`: the practice's portal shows the document at once, so nothing but facts leaves in it.
    """
    left = {part.name for part in withhold.released(parts, person, full, conditions).parts}
    shown: list[Shown] = []
    for part in parts:
        decision = withhold.facts_only(full) if facts and part.type == "Composition" else full
        ready = withhold.prepared(part, conditions)
        if part.about != person:
            shown.append(row(ready, 0, ready.labels, False, ELSEWHERE))
            continue
        why = reason(ready.labels, decision, conditions)
        if part.sections and not why:
            for number, labels in enumerate(ready.sections, 1):
                stays = reason(labels, decision, conditions)
                if stays and not reason(labels, full, conditions):
                    stays = "the practice's portal shows such a note at once: only facts leave in it"
                rule = stays or because(labels, decision)
                shown.append(row(ready, number, labels, not stays, rule, decision.consents))
        elif why or part.name not in left:
            shown.append(row(ready, 0, ready.labels, False, why or "what it speaks of stays"))
        else:
            inside = part.type in NEVER_ALONE and part.type != "Composition"
            rule = INSIDE if inside else because(ready.labels, decision)
            shown.append(row(ready, 0, ready.labels, not inside, rule, decision.consents))
    return tuple(shown)


def row(
    part: Part, section: int, labels: frozenset[str], leaves: bool, rule: str, consents: tuple[int, ...] = ()
) -> Shown:
    """One line; what stays rests on no consent."""
    classes = tuple(sorted(labels - {SUPPRESSED}))
    return Shown(part.name, part.type, section, classes, leaves, rule, consents if leaves else ())


def because(labels: frozenset[str], decision: Decision) -> str:
    """Why something with these classes leaves."""
    if decision.reason == "referral-status":
        return "the bare status of the practice's own referral"
    named = ", ".join(sorted(labels - {ORDINARY, SCREENING_DONE}))
    return f"the consent covers {named}" if named else "a consent is in force"


def reason(labels: frozenset[str], decision: Decision, conditions: Conditions) -> str:
    """Why something with these classes stays; "" where it leaves."""
    if not decision.permit:
        return consent.WHY[decision.reason]
    stays = labels - withhold.opened(decision, conditions)
    if not stays:
        return ""
    if SUPPRESSED in stays:
        return "a safety flag, or a child's chart, keeps it"
    if never := sorted(stays - GRANTABLE - {SCREENING_DONE}):
        return f"no consent opens {', '.join(never)}"
    if SCREENING_DONE in stays:
        return "the practice has not asked to hear of caregivers' screenings"
    if conditions.part2 and SUBSTANCE_USE in stays & decision.classes:
        return "a Part 2 program's records need a written consent that says who signed, by which right, on which form"
    if conditions.flagged and stays <= decision.classes:
        return "a safety flag keeps it"
    return f"the consent does not cover {', '.join(sorted(stays))}"
