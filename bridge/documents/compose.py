"""Canonical parts become one document: a Composition and what it refers to, told with the same facts they hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from bridge.documents import facts
from bridge.documents.content import Document, Line, Section
from bridge.documents.facts import TELLERS
from bridge.documents.moments import moment
from bridge.documents.narrative import paragraphs
from bridge.documents.notices import Disclosure
from bridge.documents.telling import Telling, display
from bridge.documents.words import Words
from bridge.model import Part, type_json

SECTIONS = "urn:dyad-bridge:section"
ASK = "ask"
"""The code, in `SECTIONS`, of the Composition section that says what the clinician should do: it becomes the first
line. Without such a section the first line says that nothing is asked."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a document says beside its parts: who sends it, whom to call, in which language its headings are."""

    reference: str
    agency: str
    zone: str
    language: str = "en"
    contact: str = ""
    phone: str = ""
    author: str = ""  # shown where the Composition names nobody; empty = the agency
    disclosure: Disclosure | None = None  # what accompanies substance use records


def compose(parts: Sequence[Part], frame: Frame) -> Document:
    """The document made of a Composition and the parts released with it.

    The Composition's sections decide what is told and in which order: their words, and the parts they refer to. A
    section that release withheld is absent, heading and all. A Composition without sections is told by its parts, each
    type under its heading. Raises ValueError where there is no Composition.
    """
    note = next((part.resource for part in parts if part.type == "Composition"), None)
    if note is None:
        raise ValueError("a document is made of a Composition and its parts")
    say = Words(frame.language)
    telling = Telling(say, frame.zone, note.get("date", "")[:10])
    own = {f"{part.type}/{part.resource.get('id')}": part.resource for part in parts}
    sections = note.get("section", [])
    ask = tuple(line for section in sections if _asks(section) for line in _lines(section, own, telling))
    told = (
        (
            Section(section.get("title", ""), _lines(section, own, telling))
            for section in _flat(sections)
            if not _asks(section)
        )
        if sections
        else _by_type(own.values(), telling)
    )
    return Document(
        language=say.language,
        title=note.get("title") or say("document"),
        ask=ask or (Line(say("nothing-asked")),),
        head=tuple(_head(note, frame, say)),
        sections=tuple(section for section in told if section.lines),
        foot=tuple(_foot(frame, say)),
        reference=frame.reference,
    )


def authors(note: type_json, frame: Frame) -> str:
    """Everyone the Composition names as its author, the family partner as much as the clinician; else the agency."""
    named = [display(author) for author in note.get("author", [])]
    return ", ".join(filter(None, named)) or frame.author or frame.agency


def _flat(sections: Sequence[type_json]) -> Iterator[type_json]:
    for section in sections:
        yield section
        yield from _flat(section.get("section", []))


def _asks(section: type_json) -> bool:
    codings = section.get("code", {}).get("coding", [])
    return any(coding.get("system") == SECTIONS and coding.get("code") == ASK for coding in codings)


def _lines(section: type_json, own: dict[str, type_json], telling: Telling) -> tuple[Line, ...]:
    said = paragraphs(section.get("text", {}).get("div", ""))
    referred = (own.get(entry.get("reference", "")) for entry in section.get("entry", []))
    return (*said, *(line for resource in referred if resource is not None for line in facts.lines(resource, telling)))


def _by_type(resources: Collection[type_json], telling: Telling) -> Iterator[Section]:
    for kind in TELLERS:
        same = [resource for resource in resources if resource["resourceType"] == kind]
        yield Section(telling.say(kind), tuple(line for resource in same for line in facts.lines(resource, telling)))


def _head(note: type_json, frame: Frame, say: Words) -> Iterator[Line]:
    if note.get("date"):
        yield Line(moment(note["date"], frame.zone), say("date"))
    yield Line(authors(note, frame), say("written-by"))
    if note.get("status") in ("amended", "corrected"):
        yield Line(say("corrected"))


def _foot(frame: Frame, say: Words) -> Iterator[Line]:
    yield Line(", ".join(filter(None, (frame.agency, frame.contact, frame.phone))), say("call"))
    if frame.disclosure is not None:
        yield from frame.disclosure.lines(say)
    yield Line(say("incomplete"))
    yield Line(frame.reference, say("reference"))
