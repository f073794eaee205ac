"""What a document says, before it has a format."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from bridge.documents.words import Words
from bridge.model import type_json


class Kind(StrEnum):
    """What a document is, by what it tells."""

    CONTACT = "contact-note"
    ROLL_UP = "roll-up"
    CARE_PLAN = "care-plan"
    SCREENING = "screening-summary"
    REFERRAL = "referral-answer"


@dataclass(frozen=True, slots=True)
class Line:
    """Some words, as they were said or as a fact. `label` is ours, in the document's language; `text` may have several
    lines and is in `language` ("" = the document's). `apart` says that another thing begins here.
    """

    text: str = field(repr=False)
    label: str = ""
    language: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it. `resources` are the parts its lines tell, for formats with coded entries."""

    heading: str
    lines: tuple[Line, ...]
    resources: tuple[type_json, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in a document of several; `date` as the record has it, `head` says when and by whom."""

    title: str
    date: str
    head: tuple[Line, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose chart it is. A document shows a name where it is given; a format that must name says what is unknown."""

    id: str = field(default="", repr=False)
    system: str = ""  # of the id: urn:oid:…, a URL, or "" = the receiver's own
    family: str = field(default="", repr=False)
    given: tuple[str, ...] = field(default=(), repr=False)
    birth_date: str = field(default="", repr=False)
    gender: str = ""  # http://hl7.org/fhir/administrative-gender


class Accompanying(Protocol):
    """What goes along with a document (`notices.Disclosure`)."""

    def lines(self, say: Words) -> Iterator[Line]: ...


@dataclass(frozen=True, slots=True)
class Earlier:
    """A document of ours that stands in the same chart: its delivery reference, and its date (FHIR; "" = unknown)."""

    reference: str
    date: str = ""


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
    subject: Subject = Subject()
    disclosure: Accompanying | None = None  # what accompanies substance use records
    earlier: Earlier | None = None  # what this one takes the place of, though it stays in the chart


@dataclass(frozen=True, slots=True)
class Block:
    """What every format shows alike: a heading of level 2 or 3 ("" = none) and the lines under it."""

    level: int
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """One document. Every format shows, in this order: `ask`, `title`, `head`, `sections`, `entries`, `foot`.

    `ask` is what the clinician should do, or that nothing is asked; before it, which earlier one it takes the place of
    where that stays in the chart. `head` says when and by whom, `foot` whom to call,
    that the document may be incomplete, and the delivery `reference`. A document of several records has `entries`.
    `date` (FHIR) is its own: nothing in any format comes from a clock. What follows it is for formats with a coded
    header: who wrote it, the clinical time (a FHIR Period) and whether it corrects an earlier one.
    """

    language: str
    title: str
    ask: tuple[Line, ...]
    head: tuple[Line, ...]
    sections: tuple[Section, ...]
    foot: tuple[Line, ...]
    reference: str
    kind: Kind = Kind.CONTACT
    date: str = ""
    entries: tuple[Entry, ...] = ()
    frame: Frame = Frame("", "", "UTC")
    authors: tuple[str, ...] = ()
    period: type_json = field(default_factory=dict)
    amended: bool = False

    @property
    def name(self) -> str:
        """The title with the delivery reference: what lists of documents show, and what looking for it compares."""
        return f"{self.title} [{self.reference}]"

    def blocks(self) -> Iterator[Block]:
        """What stands between head and foot, in order."""
        yield from (Block(2, section.heading, section.lines) for section in self.sections)
        for entry in self.entries:
            yield Block(2, entry.title, entry.head)
            yield from (Block(3, section.heading, section.lines) for section in entry.sections)

    def lines(self) -> Iterator[Line]:
        """Every line in order, without headings: the facts of the document, to compare formats by."""
        yield from self.ask
        yield from self.head
        for block in self.blocks():
            yield from block.lines
        yield from self.foot
