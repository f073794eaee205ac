"""Released parts become a document that can stand alone: it names its patient, its practice knows by which number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import orjson

from bridge.documents.compose import compose, composition
from bridge.documents.content import Document, Frame, Line, Subject
from bridge.documents.formats import render
from bridge.documents.pdf import Unshowable
from bridge.documents.several import compose_several
from bridge.documents.words import Words
from bridge.handoff.over import HandOver, Person, control_of
from bridge.model import Action, Part, type_json
from bridge.settings.shape import Coding

MIMES: Mapping[str, str] = {"c-cda": "application/cda+xml", "pdf": "application/pdf", "text": "text/plain"}
"""The formats of hand-offs → content types of the renderers."""

DISREGARD = ("51852-2", "Letter", "http://loinc.org")
"""The type of the word that something should be disregarded."""

Format = Literal["c-cda", "pdf", "text"]


class Nameless(ValueError):
    """Name or birth date of the chart's patient is not known: nobody could file the document."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How one practice wants what is handed over."""

    practice: str
    format: Format
    language: str = "en"
    types: Mapping[str, Coding] | None = None  # the site's document types by kind


def person_of(system: str, value: str, patient: bytes) -> Person:
    """The chart's patient: the practice's number, and name, birth date and sex of the canonical Patient (JSON).

    Raises Nameless where the agency has not told name and birth date.
    """
    known: type_json = orjson.loads(patient) if patient else {}
    name: type_json = next(iter(known.get("name", [])), {})
    family, given = name.get("family", ""), tuple(name.get("given", ()))
    born = known.get("birthDate", "")
    if not family or not given or len(born) != len("2020-01-01"):
        raise Nameless("name and birth date of the patient are not known")
    return Person(system, value, family, given, born, known.get("gender", ""))


def subject(person: Person) -> Subject:
    """The person as a document names them."""
    return Subject(person.value, person.system, person.family, person.given, person.birth_date, person.gender)


def told(
    parts: Sequence[Part], records: Sequence[Sequence[Part]], frame: Frame, person: Person, replaces: str
) -> Document:
    """The document of the released parts of one record, or of several where there are `records`; it names the one whose
    place it takes. Raises ValueError where no Composition is among them.
    """
    named = replace(frame, subject=subject(person))
    made = compose_several(records, named) if records else compose(parts, named)
    if not replaces:
        return made
    return replace(made, head=(*made.head, Line(replaces, Words(made.language)("takes-place-of"))))


def made_of(
    told: Document,
    parts: Sequence[Part],
    wanted: Wanted,
    kind: str,
    action: Action,
    replaces: str,
    now: int,
    person: Person,
) -> HandOver:
    """The document made of these parts as what is handed over. A format whose fonts lack a character gives way to plain
    text, in full.
    """
    mime, body = rendered(told, MIMES[wanted.format])
    return HandOver(
        reference=told.reference,
        control=control_of(told.reference, action),
        practice=wanted.practice,
        kind=kind,
        action=action,
        title=told.name,
        mime=mime,
        body=body,
        patient=person,
        agency=told.frame.agency,
        authors=told.authors,
        type=type_of(composition(parts), wanted, kind),
        when=told.period.get("start", "") or told.date,
        made=now,
        replaces=replaces,
    )


def disregard(frame: Frame, wanted: Wanted, kind: str, now: int, person: Person) -> HandOver:
    """The word that the document with this reference should be disregarded. It carries nothing of what that said."""
    say = Words(frame.language)
    told = Document(
        language=say.language,
        title=say("handed-back-title"),
        ask=(Line(f"{say('handed-back')} {frame.reference}"),),
        head=(Line(", ".join((" ".join((*person.given, person.family)), person.birth_date)), say("about")),),
        sections=(),
        foot=(
            Line(", ".join(filter(None, (frame.agency, frame.contact, frame.phone))), say("call")),
            Line(frame.reference, say("reference")),
        ),
        reference=frame.reference,
        frame=replace(frame, subject=subject(person)),
        authors=(frame.agency,),
        amended=True,
    )
    mime, body = rendered(told, MIMES[wanted.format])
    return HandOver(
        reference=frame.reference,
        control=control_of(frame.reference, Action.RETRACT),
        practice=wanted.practice,
        kind=kind,
        action=Action.RETRACT,
        title=told.name,
        mime=mime,
        body=body,
        patient=person,
        agency=frame.agency,
        authors=told.authors,
        type=DISREGARD,
        made=now,
    )


def rendered(told: Document, mime: str) -> tuple[str, bytes]:
    """Content type and bytes; as plain text where the fonts at hand lack a character."""
    try:
        return mime, render(told, mime)
    except Unshowable:
        return "text/plain", render(told, "text/plain")


def type_of(note: type_json, wanted: Wanted, kind: str) -> tuple[str, str, str]:
    """The document's type: the site's for this kind, else the Composition's own in LOINC."""
    site = (wanted.types or {}).get(kind)
    if site is not None:
        return site.code, site.display, site.system
    codings = note.get("type", {}).get("coding", [])
    loinc: type_json = next((one for one in codings if one.get("system") == "http://loinc.org"), {})
    return loinc.get("code", ""), loinc.get("display", ""), loinc.get("system", "")
