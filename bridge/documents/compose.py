"""Canonical parts become one document: a Composition and what it refers to, told with the same facts they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from bridge.documents import facts
from bridge.documents.content import Document, Earlier, Frame, Kind, Line, Section, Subject
from bridge.documents.facts import TELLERS
from bridge.documents.moments import moment
from bridge.documents.narrative import paragraphs
from bridge.documents.telling import Telling, concept, display
from bridge.documents.words import Words
from bridge.fhir.translation import text_in
from bridge.model import Part, type_json

__all__ = ["ASK", "SECTIONS", "Frame", "authors", "compose"]

SECTIONS = "urn:dyad-bridge:section"
ASK = "ask"
"""The code, in `SECTIONS`, of the Composition section that says what the clinician should do: it becomes the first
line. Without such a section the first line says that nothing is asked."""

PLAN_CODES = ("18776-5", "52521-2")  # LOINC: plan of care note, overall plan of care
REFERRAL_CODES = ("57133-1",)  # LOINC: referral note


def compose(parts: Sequence[Part], frame: Frame) -> Document:
    """The document made of a Composition and the parts released with it.

    The Composition's sections decide what is told and in which order: their words, and the parts they refer to. A
    section that release withheld is absent, heading and all. A Composition without sections is told by its parts, each
    type under its heading. Raises ValueError where there is no Composition.
    """
    note = composition(parts)
    say = Words(frame.language)
    ask, sections = told(parts, note, Telling(say, frame.zone, note.get("date", "")[:10]))
    return Document(
        language=say.language,
        title=title_of(note, say),
        ask=(*instead_of(frame, say), *(ask or (Line(say("nothing-asked")),))),
        head=(*about(frame, say), *head(note, frame, say)),
        sections=sections,
        foot=tuple(foot(frame, say)),
        reference=frame.reference,
        kind=kind_of(parts, note),
        date=note.get("date", ""),
        frame=replace(frame, subject=subject_of(parts, frame.subject)),
        authors=named(note),
        period=_period(parts, note),
        amended=corrects(note),
    )


def composition(parts: Sequence[Part]) -> type_json:
    """The Composition among the parts. Raises ValueError where there is none."""
    note = next((part.resource for part in parts if part.type == "Composition"), None)
    if note is None:
        raise ValueError("a document is made of a Composition and its parts")
    return note


def title_of(note: type_json, say: Words) -> str:
    """What a Composition is called in the reader's language, else as it is called, else as a note from an agency."""
    return text_in(say.language, note, "title") or say("document")


def kind_of(parts: Sequence[Part], note: type_json) -> Kind:
    """What the document of these parts is: by the Composition's code where it says so, else by the types beside it."""
    types = {part.type for part in parts}
    codes = {coding.get("code") for coding in note.get("type", {}).get("coding", [])}
    if codes.intersection(PLAN_CODES) or types & {"CarePlan", "Goal"}:
        return Kind.CARE_PLAN
    if codes.intersection(REFERRAL_CODES) or types & {"ServiceRequest", "Task"}:
        return Kind.REFERRAL
    screened = types & {"Observation", "QuestionnaireResponse"} and "Encounter" not in types
    return Kind.SCREENING if screened else Kind.CONTACT


def authors(note: type_json, frame: Frame) -> str:
    """Everyone the Composition names as its author, the family partner as much as the clinician; else the agency."""
    return ", ".join(named(note)) or frame.author or frame.agency


def named(note: type_json) -> tuple[str, ...]:
    return tuple(filter(None, (display(author) for author in note.get("author", []))))


def corrects(note: type_json) -> bool:
    return note.get("status") in ("amended", "corrected")


def told(parts: Sequence[Part], note: type_json, telling: Telling) -> tuple[tuple[Line, ...], tuple[Section, ...]]:
    """What is asked, and the sections that say anything."""
    own = {f"{part.type}/{part.resource.get('id')}": part.resource for part in parts}
    sections = note.get("section", [])
    ask = tuple(line for section in sections if _asks(section) for line in _lines(section, own, telling))
    told = (
        (_section(section, own, telling) for section in _flat(sections) if not _asks(section))
        if sections
        else _by_type(own.values(), telling)
    )
    return ask, tuple(section for section in told if section.lines)


def _flat(sections: Sequence[type_json]) -> Iterator[type_json]:
    for section in sections:
        yield section
        yield from _flat(section.get("section", []))


def _asks(section: type_json) -> bool:
    codings = section.get("code", {}).get("coding", [])
    return any(coding.get("system") == SECTIONS and coding.get("code") == ASK for coding in codings)


def _section(section: type_json, own: dict[str, type_json], telling: Telling) -> Section:
    lines = _lines(section, own, telling)
    said = {line.text for line in lines}
    referred = [own.get(entry.get("reference", "")) for entry in section.get("entry", [])]
    # A goal or concern whose very words the section says is told by it, whether or not it is referred to.
    spoken = [resource for resource in own.values() if _words(resource) in said and resource not in referred]
    return Section(
        text_in(telling.say.language, section, "title"),
        lines,
        tuple(one for one in (*referred, *spoken) if one is not None),
    )


def _words(resource: type_json) -> str | None:
    key = {"Goal": "description", "Condition": "code"}.get(resource["resourceType"])
    return concept(resource.get(key)) or None if key else None


def _lines(section: type_json, own: dict[str, type_json], telling: Telling) -> tuple[Line, ...]:
    said = paragraphs(section.get("text", {}).get("div", ""))
    referred = (own.get(entry.get("reference", "")) for entry in section.get("entry", []))
    return (*said, *(line for resource in referred if resource is not None for line in facts.lines(resource, telling)))


def _by_type(resources: Collection[type_json], telling: Telling) -> Iterator[Section]:
    for kind in TELLERS:
        same = tuple(resource for resource in resources if resource["resourceType"] == kind)
        yield Section(telling.say(kind), tuple(line for one in same for line in facts.lines(one, telling)), same)


def subject_of(parts: Sequence[Part], known: Subject) -> Subject:
    """Whose chart it is: as given, completed by the Patient that was released with the rest."""
    patient = next((part.resource for part in parts if part.type == "Patient"), {})
    name: type_json = next(iter(patient.get("name", [])), {})
    return replace(
        known,
        family=known.family or name.get("family", ""),
        given=known.given or tuple(name.get("given", ())),
        birth_date=known.birth_date or patient.get("birthDate", ""),
        gender=known.gender or patient.get("gender", ""),
    )


def _period(parts: Sequence[Part], note: type_json) -> type_json:
    """The clinical time: of the one Encounter, else the Composition's event, else the day it is about."""
    encounters = [part.resource["period"] for part in parts if part.type == "Encounter" and "period" in part.resource]
    events = [event["period"] for event in note.get("event", []) if "period" in event]
    said = encounters if len(encounters) == 1 else events
    day = note.get("date", "")
    return dict(said[0]) if said else ({"start": day} if day else {})


def instead_of(frame: Frame, say: Words) -> Iterator[Line]:
    """Which earlier document this one takes the place of, where that one cannot be changed or marked."""
    if frame.earlier is not None:
        yield Line(say("supersedes"))
        yield called(frame.earlier, frame.zone, say)


def called(earlier: Earlier, zone: str, say: Words) -> Line:
    """An earlier document by its date and delivery reference, as a reader finds it in the chart."""
    dated = [moment(earlier.date, zone)] if earlier.date else []
    return Line(", ".join((*dated, f"{say('reference')} {earlier.reference}")), say("earlier"))


def about(frame: Frame, say: Words) -> Iterator[Line]:
    """Whom it is about, where the frame names somebody: on paper no chart says it."""
    subject = frame.subject
    name = " ".join(filter(None, (*subject.given, subject.family)))
    if name:
        yield Line(", ".join(filter(None, (name, subject.birth_date))), say("about"))


def head(note: type_json, frame: Frame, say: Words) -> Iterator[Line]:
    if note.get("date"):
        yield Line(moment(note["date"], frame.zone), say("date"))
    yield Line(authors(note, frame), say("written-by"))
    if corrects(note):
        yield Line(say("corrected"))


def foot(frame: Frame, say: Words) -> Iterator[Line]:
    yield Line(", ".join(filter(None, (frame.agency, frame.contact, frame.phone))), say("call"))
    if frame.disclosure is not None:
        yield from frame.disclosure.lines(say)
    yield Line(say("incomplete"))
    yield Line(frame.reference, say("reference"))
