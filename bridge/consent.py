"""May this leave, for whom: the decision with its reason, and what it lets through.

Deny by default (R26). A consent is of one person for one practice; it lets what is ordinary leave, and narrative only
where it says so. Every other class stays with the agency until consent to it by class can be recorded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from bridge.model import Consent, Decision, Hold, HoldReason, Owner, Part, Released

ORDINARY = "ordinary"
NARRATIVE = "narrative"


def consent_key(agency: str, person: str, practice: str) -> str:
    """What a hold for consent waits for."""
    return f"consent:{agency}/{person}/{practice}"


def decide(consents: Iterable[Consent], practice: str, now: int) -> Decision:
    """The decision at `now` for what one person's consents say about one practice.

    Permit only while a consent is in force: begun, not expired (`until` is exclusive), not revoked. Of several in force
    the narrower narrative rule holds, since they are not ranked.
    """
    given = [consent for consent in consents if consent.practice == practice]
    in_force = [
        consent
        for consent in given
        if consent.start <= now
        and (consent.until is None or now < consent.until)
        and (consent.revoked is None or now < consent.revoked)
    ]
    if in_force:
        narrowest = min(in_force, key=lambda consent: (consent.narrative, consent.id))
        return Decision(True, narrowest.narrative, "in-force", narrowest.id)
    later = [consent.start for consent in given if consent.start > now and consent.revoked is None]
    if later:
        return Decision(False, False, "begins-later", from_later=min(later))
    if any(consent.revoked is not None for consent in given):
        return Decision(False, False, "revoked")
    return Decision(False, False, "expired" if given else "none")


def release(parts: Sequence[Part], person: str, decision: Decision) -> Released:
    """What may leave for `person`'s chart under `decision`; nobody else's part ever does (R25).

    A Composition loses the sections that must stay, and stays whole when all of them must; so does any other part when
    one of its labels must. What leaves no longer points at what stays, so that nobody can tell that anything did: a
    title over nothing would.
    """
    about = [part for part in parts if part.about == person]
    if not decision.permit:
        return Released((), len(about), decision)
    may = {ORDINARY, NARRATIVE} if decision.narrative else {ORDINARY}
    leaving = [part for part in about if part.labels <= may and says_something(part, may)]
    gone = {reference(part) for part in about if not part.labels <= may}
    released, withheld = [], len(about) - len(leaving)
    for part in leaving:
        kept = [index for index, labels in enumerate(part.sections) if labels <= may]
        if not gone and len(kept) == len(part.sections):
            released.append(part)
            continue
        withheld += len(part.sections) - len(kept)
        resource = part.resource
        if part.sections:
            sections = [resource["section"][index] for index in kept]
            resource = {**{key: value for key, value in resource.items() if key != "section"}, "section": sections}
        resource = without(resource, gone)
        released.append(replace(part, resource=resource, sections=tuple(part.sections[index] for index in kept)))
    return Released(tuple(released), withheld, decision)


def says_something(part: Part, may: Collection[str]) -> bool:
    """Whether a part that is written in sections keeps one of them."""
    return not part.sections or any(labels <= set(may) for labels in part.sections)


def reference(part: Part) -> str:
    """How other parts of the record point at this one."""
    return f"{part.type}/{part.resource.get('id')}"


def without(value: Any, gone: Collection[str]) -> Any:
    """The resource without what points at `gone`, and without what is empty then (a section, a list, an activity)."""
    if isinstance(value, list):
        kept = [without(item, gone) for item in value]
        return [item for item in kept if item not in (None, {}, [])]
    if not isinstance(value, dict):
        return value
    if value.get("reference") in gone:
        return None
    kept_keys = {key: without(item, gone) for key, item in value.items()}
    full = {key: item for key, item in kept_keys.items() if item not in (None, {}, [])}
    only_a_title = "title" in full and not full.keys() & {"text", "entry", "section"} and "resourceType" not in full
    return None if only_a_title and {"text", "entry"} & value.keys() else full


WHY = {
    "none": "no consent of this person for this practice is recorded",
    "expired": "this person's consent for this practice has expired",
    "revoked": "this person's consent for this practice was revoked",
    "begins-later": "this person's consent for this practice has not begun",
}


def hold_for(decision: Decision, agency: str, person: str, practice: str) -> Hold:
    """The hold of what may not leave under `decision`."""
    return Hold(
        HoldReason.CONSENT,
        consent_key(agency, person, practice),
        Owner.AGENCY,
        WHY[decision.reason],
        "record the signed consent (page, or `bridge consents import`); it is sent then by itself",
    )
