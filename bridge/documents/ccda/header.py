"""The header of a C-CDA document: US Realm Header, and what the two templates ask beyond it."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from bridge.documents.ccda.tree import code, identifier, interval, make, own_id, template, unknown, uuid
from bridge.documents.content import Document, Kind, Subject
from bridge.documents.moments import stamp

_GENDERS = {"male": ("M", "Male"), "female": ("F", "Female"), "other": ("UN", "Undifferentiated")}
_GENDER_SYSTEM = "2.16.840.1.113883.5.1"  # AdministrativeGender


def record_target(subject: Subject) -> Element:
    """Whose chart it is; what the bridge was not told is unknown, never made up."""
    name = unknown("name")
    if subject.family and subject.given:
        name = make("name", *(make("given", text=one) for one in subject.given), make("family", text=subject.family))
    gender = _GENDERS.get(subject.gender)
    born = stamp(subject.birth_date)
    patient = make(
        "patient",
        name,
        code("administrativeGenderCode", gender[0], _GENDER_SYSTEM, gender[1])
        if gender
        else unknown("administrativeGenderCode"),
        make("birthTime", value=born) if born else unknown("birthTime"),
        unknown("raceCode"),
        unknown("ethnicGroupCode"),
    )
    known = identifier(subject.system or "urn:dyad-bridge:chart", subject.id) if subject.id else unknown("id")
    return make("recordTarget", make("patientRole", known, unknown("addr"), unknown("telecom"), patient))


def authors(document: Document) -> Iterator[Element]:
    """Everyone who wrote it, the family partner as much as the clinician (R16); the agency where nobody is named."""
    when = stamp(document.date)
    for name in document.authors or (document.frame.author or document.frame.agency,):
        yield make(
            "author",
            make("time", value=when) if when else unknown("time"),
            make(
                "assignedAuthor",
                own_id("author", document.frame.agency, name),
                unknown("addr"),
                _phone(document),
                make("assignedPerson", make("name", text=name)),
                _agency(document, "representedOrganization"),
            ),
        )


def custodian(document: Document) -> Element:
    """The agency keeps the document."""
    kept = _agency(document, "representedCustodianOrganization")
    return make("custodian", make("assignedCustodian", kept))


def service(document: Document) -> Element:
    """What was done: care, by those who wrote of it, in the time the document is about."""
    plan = document.kind is Kind.CARE_PLAN
    start, end = document.period.get("start", ""), document.period.get("end", "")
    performers = [
        make(
            "performer",
            make(
                "assignedEntity",
                own_id("author", document.frame.agency, name),
                unknown("addr"),
                unknown("telecom"),
                make("assignedPerson", make("name", text=name)),
            ),
            typeCode="PRF",
        )
        for name in document.authors or (document.frame.author or document.frame.agency,)
    ]
    return make(
        "documentationOf",
        make(
            "serviceEvent",
            None if plan else template("2.16.840.1.113883.10.20.21.3.1"),
            interval(start, end if plan else end or start),
            *performers,
            classCode="PCPR",
        ),
    )


def encounter(document: Document) -> Element:
    """The contact a Progress Note must name. Its id and place are the agency's: it is never the practice's own visit
    (R12), and no admission (R18).
    """
    start, end = document.period.get("start", ""), document.period.get("end", "")
    agency = _agency(document, "serviceProviderOrganization")
    place = make("healthCareFacility", own_id("agency", document.frame.agency), agency)
    met = make(
        "encompassingEncounter",
        own_id("contact", document.reference),
        interval(start or document.date, end),
        make("location", place),
    )
    return make("componentOf", met)


def instance(document: Document, content: str) -> Element:
    """The id of exactly this document: the same content has the same, an amended one another."""
    return make("id", root=str(uuid("document", document.reference, content)))


def _agency(document: Document, tag: str) -> Element:
    return make(
        tag,
        own_id("agency", document.frame.agency),
        make("name", text=document.frame.agency),
        _phone(document),
        unknown("addr"),
    )


def _phone(document: Document) -> Element:
    number = "".join(document.frame.phone.split())
    return make("telecom", value=f"tel:{number}", use="WP") if number else unknown("telecom")
