"""Who the families are to their agency, what they agreed to, and which of its patients a practice says they are."""

from __future__ import annotations

from collections.abc import Iterator

from bridge.demo.calendar import DAYS, Calendar
from bridge.demo.cast import Cast
from bridge.demo.contacts import Posted
from bridge.demo.families import Family, Person
from bridge.model import type_json

Row = tuple[str, ...]
LATE, REVOKED, EXPIRED, BEGINS = 125, 120, 60, DAYS + 30
"""The days on which a late consent or roster comes, one is revoked, one has expired, and one will begin."""


def people(family: Family, calendar: Calendar) -> Iterator[Posted]:
    """The children and their caregiver; languages are each one's own (R14)."""
    office, day = family.office, family.begins
    since = calendar.at(office, day, 9 * 60)
    spoken = [{"code": family.language, "preferred": True}]
    where = {"address": f"{family.words['address']} ‹{family.number:03d}-home›", "phone": f"555-{1000 + family.number}"}
    for child in family.children:
        languages = [*spoken, {"code": "en"}] if family.language == "es" else spoken
        record = named(child) | {"updated_at": since, "practice": family.site.id, "languages": languages, **where}
        record["ethnicity"] = "hispanic" if family.language == "es" else "declined"
        yield Posted(day, office.id, "child", record)
    children = [{"child": child.id, "relationship": family.relationship} for child in family.children]
    adult = named(family.caregiver) | {"updated_at": since, "children": children, "languages": spoken, **where}
    yield Posted(day, office.id, "caregiver", adult)


def named(person: Person) -> type_json:
    """What the records of children and of caregivers have in common."""
    return {
        "id": person.id,
        "status": "active",
        "name": {"family": person.family, "given": [person.given]},
        "birth_date": person.birth_date,
        "gender": person.gender,
    }


def on_paper(cast: Cast, family: Family) -> bool:
    """Whether the consent comes in a list: the last of several offices keeps them so, and one of them is for later."""
    return family.consent == "later" or (len(cast.offices) > 1 and family.office is cast.offices[-1])


def consent_rows(cast: Cast, family: Family, calendar: Calendar) -> Iterator[tuple[int, Row]]:
    """The days and rows of consents that come as a list: agency, person, practice, from, until, narrative."""
    if family.consent == "refused" or not on_paper(cast, family):
        return
    day, until = days_of(family, calendar)
    for person in agreed(family):
        words = "no" if family.consent == "facts" else "yes"
        row = (family.office.id, person.id, family.site.id, calendar.day(day), until, words)
        yield given_on(family), row
        if family.consent == "revoked":  # a list says so by an earlier last day
            yield REVOKED, (*row[:4], calendar.day(REVOKED - 1), words)


def consent_records(cast: Cast, family: Family, calendar: Calendar) -> Iterator[Posted]:
    """The consents that come as records, and a revocation as a new version of one."""
    if family.consent == "refused" or on_paper(cast, family):
        return
    office = family.office
    day, until = days_of(family, calendar)
    for person in agreed(family):
        own = {} if person is family.caregiver else {"child": person.id}
        record = {
            "id": f"CO-{person.id}", "status": "signed", "updated_at": calendar.at(office, given_on(family), 10 * 60),
            **own, "caregiver": family.caregiver.id, "practice": family.site.id, "from": calendar.day(day),
            "narrative": family.consent != "facts", "language": family.language,
            **({"until": until} if until else {}),
        }  # fmt: skip
        yield Posted(given_on(family), office.id, "consent", record)
        if family.consent == "revoked":
            since = {"updated_at": calendar.at(office, REVOKED, 600), "revoked": calendar.day(REVOKED)}
            yield Posted(REVOKED, office.id, "consent", record | since)


def agreed(family: Family) -> Iterator[Person]:
    """Whose records may go: each child's, and those of a caregiver whom the practice knows."""
    yield from family.children
    if family.caregiver.number:
        yield family.caregiver


def given_on(family: Family) -> int:
    """The day on which the signed paper reaches the bridge."""
    return LATE if family.consent == "late" else family.begins


def days_of(family: Family, calendar: Calendar) -> tuple[int, str]:
    """The first day a consent covers, and its last where it has one."""
    until = calendar.day(EXPIRED) if family.consent == "expired" else ""
    return (BEGINS if family.consent == "later" else family.begins), until


def roster_rows(family: Family) -> Iterator[tuple[int, Row]]:
    """The practice's own numbers: agency, person, practice, system, value."""
    if family.roster == "none":
        return
    for person in (*family.children, family.caregiver):
        if person.number:
            day = LATE if family.roster == "late" else 0
            yield day, (family.office.id, person.id, family.site.id, family.site.system, person.number)


def charts(family: Family) -> Iterator[type_json]:
    """The Patients the practice's EHR has; where something is wrong there, it is wrong here."""
    system = family.site.system
    for person in (*family.children, family.caregiver):
        if not person.number or (family.trait == "twins-on-one-line" and person is family.children[1]):
            continue
        found = patient(system, person.number, person)
        if family.trait == "other-birth-date":
            found["birthDate"] = f"{int(person.birth_date[:4]) - 1}{person.birth_date[4:]}"
        yield found
        if family.trait == "two-charts":
            yield patient(system, person.number, person)
    if family.number % 10 == 0:  # of the same name and birth date, and somebody else
        yield patient(system, f"7{family.children[0].number}", family.children[0])


def patient(system: str, number: str, person: Person) -> type_json:
    """One Patient."""
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": system, "value": number}],
        "name": [{"family": person.family, "given": [person.given]}],
        "gender": person.gender,
        "birthDate": person.birth_date,
    }
