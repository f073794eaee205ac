"""May this leave, for whom: the decision with its reason, and what it lets through.

Deny by default (R26). A consent is of one person for one practice; it lets leave the label classes it names. The rules
stand in `docs/consent.md` with the table of all cases; what a lawyer should confirm is marked there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.model import Authority, Consent, Decision, Hold, HoldReason, Owner, Part, Purpose, Released

ORDINARY = "ordinary"
SUBSTANCE_USE = "substance-use"
OF_AGE = 18
DAY = 86_400 * 1_000_000


def consent_key(agency: str, person: str, practice: str) -> str:
    """What a hold for consent waits for."""
    return f"consent:{agency}/{person}/{practice}"


@dataclass(frozen=True, slots=True)
class Subject:
    """What the decision takes into account of the person and the program.

    `adult_from` is the first instant of their 18th birthday, None where their birth date is not known.
    `minor_consented`: the program's services are those a minor consents to themselves.
    """

    adult_from: int | None = None
    minor_consented: bool = False


NOBODY = Subject()


def adult_from(birth_date: str, zone: str) -> int | None:
    """The first instant of the 18th birthday there, in microseconds; of a year or month alone the earliest it can be.

    None where no date is known. Somebody born on 29 February is of age on 1 March.
    """
    try:
        year, month, day = (int(piece) for piece in (*birth_date.split("-"), "1", "1")[:3])
        leap = (month, day) == (2, 29)
        born = datetime(year + OF_AGE, 3 if leap else month, 1 if leap else day, tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    return int(born.timestamp()) * 1_000_000


def decide(
    consents: Iterable[Consent],
    practice: str,
    now: int,
    subject: Subject = NOBODY,
    purpose: Purpose = Purpose.CARE_COORDINATION,
) -> Decision:
    """The decision at `now` for what one person's consents say about one practice, with when time alone changes it."""
    given = [consent for consent in consents if consent.practice == practice]
    found = at(given, now, subject, purpose)
    changes = [instant for instant in sorted(set(instants(given, subject))) if instant > now]
    if found.permit:
        return replace(found, until=changes[0]) if changes else found
    for instant in changes:
        if at(given, instant, subject, purpose).permit:
            reason = "begins-later" if found.reason in ("none", "expired", "revoked") else found.reason
            return replace(found, reason=reason, from_later=instant)
    return found


def instants(given: Iterable[Consent], subject: Subject) -> Iterator[int]:
    """Every instant at which a decision about these may change without anybody saying anything."""
    if subject.adult_from is not None:
        yield subject.adult_from
    for consent in given:
        yield consent.start
        yield from (end for end in (consent.until, consent.revoked, consent.suspended) if end is not None)


def at(given: Sequence[Consent], now: int, subject: Subject, purpose: Purpose) -> Decision:
    """The decision at one instant.

    Of each grantor the word of the latest begun form counts alone. One refusal denies, and so does one grantor's
    revocation; of several who permit, what all of them permit may leave.
    """
    meant = [consent for consent in given if consent.purpose == purpose]
    begun = [consent for consent in meant if consent.start <= now]
    latest: dict[Signer, Consent] = {}
    ended: dict[Signer, int] = {}
    for consent in sorted(begun, key=lambda one: (one.start, one.recorded, one.id)):
        signer = signer_of(consent, subject)
        if past(consent.revoked, now) and consent.revoked is not None:
            ended[signer] = max(consent.revoked, ended.get(signer, consent.revoked))
        if not past(consent.suspended, now):
            latest[signer] = consent
    words, why = entitled(list(latest.values()), now, subject)
    taken = {one.id: since for one in words if (since := taken_back(one, ended.get(signer_of(one, subject)), now))}
    refused = [one.id for one in words if not one.classes and one.id not in taken and not past(one.until, now)]
    if refused:
        return Decision(False, frozenset(), "refused", tuple(sorted(refused)))
    again = [one for one in begun if one.classes and not past(one.revoked, now)]
    revoked = [one for one in words if one.id in taken and not renewed(one, taken[one.id], again, subject)]
    if revoked:
        return Decision(False, frozenset(), "revoked", tuple(sorted(one.id for one in revoked if one.grantor)))
    in_force = [one for one in words if one.classes and one.id not in taken and not past(one.until, now)]
    if not in_force:
        return Decision(False, frozenset(), why or reason_of(given, meant, begun, now))
    classes = frozenset.intersection(*(one.classes for one in in_force)) | {ORDINARY}
    part2 = SUBSTANCE_USE in classes and all(written(one) for one in in_force)
    return Decision(True, classes, "in-force", tuple(sorted(one.id for one in in_force)), part2=part2)


def past(instant: int | None, now: int) -> bool:
    """Whether an end that may never come has come; the end itself is the first instant without."""
    return instant is not None and instant <= now


def authority_of(consent: Consent, subject: Subject) -> Authority:
    """By which right: where the form does not say, the person's own if they were of age on its first day."""
    if consent.authority is not Authority.UNSTATED:
        return consent.authority
    of_age = subject.adult_from is not None and consent.start >= subject.adult_from
    return Authority.SELF if of_age else Authority.UNSTATED


def entitled(begun: Sequence[Consent], now: int, subject: Subject) -> tuple[list[Consent], str]:
    """Those of these whose grantor has a say at `now`, and why the others have none ("" where all have).

    Nobody speaks for an adult, nor for a minor about what they consented to themselves. A minor's own yes is not
    enough for other services; their no counts. While the state has custody parents do not consent.
    """
    by = [(consent, authority_of(consent, subject)) for consent in begun]
    adult = past(subject.adult_from, now)
    if adult or subject.minor_consented:
        own = [consent for consent, authority in by if authority is Authority.SELF]
        own = [consent for consent in own if subject.minor_consented or of_own_age(consent, subject)]
        return own, ("adult" if adult else "own-consent") if len(own) < len(by) else ""
    minor = subject.adult_from is not None
    state = any(authority is Authority.STATE and not past(one.revoked, now) for one, authority in by)
    counted, why = [], ""
    for consent, authority in by:
        if state and authority in (Authority.PARENT, Authority.UNSTATED):
            why = "state-custody"
        elif minor and authority is Authority.SELF and consent.classes:
            why = why or "minor"
        else:
            counted.append(consent)
    return counted, why


def of_own_age(consent: Consent, subject: Subject) -> bool:
    """Whether somebody now of age was so when they permitted it; a refusal counts from any age."""
    return not consent.classes or subject.adult_from is None or consent.start >= subject.adult_from


Signer = tuple[str, Authority | None]


def signer_of(consent: Consent, subject: Subject) -> Signer:
    """Whose word a form is: the grantor's, or where nobody is named that of whoever has this authority."""
    return consent.grantor, None if consent.grantor else authority_of(consent, subject)


def taken_back(consent: Consent, ended: int | None, now: int) -> int | None:
    """When this was taken back: it, or (`ended`) a form of the same grantor on a later day than it is from.

    What is signed before a family takes its word back, and is recorded afterwards, does not bring it back.
    """
    if past(consent.revoked, now):
        return consent.revoked
    return ended if ended is not None and consent.start <= ended - DAY else None


def renewed(revoked: Consent, since: int, again: Iterable[Consent], subject: Subject) -> bool:
    """Whether somebody consented again since an unnamed grantor's form was taken back: nobody can sign in that name.

    Whoever is named, or is the person, signs again themselves. Forms carry days, so one from the day of the revocation
    is taken as later.
    """
    named = bool(revoked.grantor) or authority_of(revoked, subject) is Authority.SELF
    return not named and any(one.start > since - DAY for one in again)


def written(consent: Consent) -> bool:
    """Whether the form names who signed by which right and where it is kept, and lets substance use leave."""
    return bool(consent.document) and consent.authority is not Authority.UNSTATED and SUBSTANCE_USE in consent.classes


def reason_of(given: Sequence[Consent], meant: Sequence[Consent], begun: Sequence[Consent], now: int) -> str:
    """Why nothing is in force, where everybody who spoke had a say."""
    if any(past(consent.suspended, now) for consent in begun):
        return "suspended"
    if any(past(consent.revoked, now) for consent in begun):
        return "revoked"
    if begun:
        return "expired"
    return "other-purpose" if given and not meant else "none"


def release(parts: Sequence[Part], person: str, decision: Decision) -> Released:
    """What may leave for `person`'s chart under `decision`; nobody else's part ever does (R25).

    A Composition loses the sections that must stay, and stays whole when all of them must; so does any other part when
    one of its labels must. What leaves no longer points at what stays, so that nobody can tell that anything did: a
    title over nothing would.
    """
    about = [part for part in parts if part.about == person]
    if not decision.permit:
        return Released((), len(about), decision)
    may = decision.classes
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
            said = {index: without(resource["section"][index], gone) for index in kept}
            kept = [index for index in kept if said[index] not in (None, {}, [])]
            if not kept:
                withheld += 1
                continue
            resource = {**resource, "section": [said[index] for index in kept]}
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
    if points_at(value.get("reference"), gone):
        return None
    kept_keys = {key: without(item, gone) for key, item in value.items()}
    full = {key: item for key, item in kept_keys.items() if item not in (None, {}, [])}
    if full.keys() <= {"url", "id"} and value.keys() - full.keys():
        return None  # an extension that says nothing any more
    only_a_title = "title" in full and not full.keys() & {"text", "entry", "section"} and "resourceType" not in full
    return None if only_a_title and {"text", "entry", "section"} & value.keys() else full


def points_at(said: Any, gone: Collection[str]) -> bool:
    """Whether a reference, also one to a version or with an address before it, is to one of these."""
    if not isinstance(said, str):
        return False
    return said in gone or "/".join(said.partition("/_history/")[0].split("/")[-2:]) in gone


WHY = {
    "none": "no consent of this person for this practice is recorded",
    "expired": "this person's consent for this practice has expired",
    "revoked": "this person's consent for this practice was revoked",
    "begins-later": "this person's consent for this practice has not begun",
    "refused": "sharing this person's records with this practice was refused",
    "suspended": "who may consent for this person changed, and nobody who may has consented since",
    "adult": "this person is of age, and has not consented themselves",
    "own-consent": "only this person can consent to sharing what this program does, and has not",
    "minor": "this person is not of age, and nobody who may has consented for them",
    "state-custody": "the state has custody of this person, and nobody who may has consented since",
    "other-purpose": "the consents of this person for this practice are for other purposes",
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
