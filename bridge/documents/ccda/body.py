"""The body of a C-CDA document: sections whose narrative says everything, in the order of every other format."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from bridge.documents.ccda import entries, header
from bridge.documents.ccda.tree import LOINC, code, make, spoken, template
from bridge.documents.content import Document, Entry, Kind, Line, Section
from bridge.documents.words import Words


@dataclass(frozen=True, slots=True)
class Shape:
    """A section template: its ids, its LOINC code, the types told in it, and the entry template it must have.

    A document must have one that needs an entry; without that entry it says so, has none at all, and keeps its words.
    """

    templates: tuple[tuple[str, str], ...]
    code: str
    display: str
    types: tuple[str, ...] = ()
    needs: str = ""


ASSESSMENT_AND_PLAN = Shape(
    (("2.16.840.1.113883.10.20.22.2.9", ""), ("2.16.840.1.113883.10.20.22.2.9", "2014-06-09")),
    "51847-2",
    "Evaluation + Plan note",
)
CONCERNS = Shape(
    (("2.16.840.1.113883.10.20.22.2.58", ""), ("2.16.840.1.113883.10.20.22.2.58", "2015-08-01")),
    "75310-3",
    "Health concerns Document",
    ("Condition",),
    "2.16.840.1.113883.10.20.22.4.132",
)
GOALS = Shape(
    (("2.16.840.1.113883.10.20.22.2.60", ""),), "61146-7", "Goals", ("Goal",), "2.16.840.1.113883.10.20.22.4.121"
)
NOTES = Shape((("2.16.840.1.113883.10.20.22.2.65", "2016-11-01"),), "11506-3", "Progress note")
INTERVENTIONS = Shape(
    (("2.16.840.1.113883.10.20.21.2.3", ""), ("2.16.840.1.113883.10.20.21.2.3", "2015-08-01")),
    "62387-6",
    "Interventions Provided",
    ("CarePlan",),
)
SHAPES = {Kind.CARE_PLAN: (GOALS, CONCERNS, INTERVENTIONS)}


class Narrative:
    """The text of one section, with an ID for every line so that entries can refer to it."""

    def __init__(self, section: str) -> None:
        self.text = make("text", ID=section)
        self._section = section
        self._ids: dict[str, str] = {}
        self._count = 0

    def say(self, lines: Iterable[Line], caption: str = "") -> None:
        """A paragraph for each line, under a caption."""
        if caption:
            self.text.append(make("paragraph", make("content", text=caption, styleCode="Bold")))
        for line in lines:
            self._count += 1
            name = f"{self._section}-{self._count}"
            words = spoken(make("content", ID=name, language=line.language), line.text)
            label = make("content", text=f"{line.label}:", styleCode="Bold") if line.label else None
            if label is not None:
                label.tail = " "
                label.set("ID", f"{name}-label")
                self._ids.setdefault(line.label, f"{name}-label")
            self.text.append(make("paragraph", label, words))
            self._ids.setdefault(line.text, name)

    def refer(self, text: str) -> str:
        """The ID of the words that say this; "" where none do."""
        return self._ids.get(text, "")


def body(document: Document) -> Element:
    """The structured body: what is asked, what is told, what there is to know about the document."""
    say = Words(document.language)
    asked = NOTES if document.kind is Kind.CARE_PLAN else ASSESSMENT_AND_PLAN
    parts = [_written(asked, "ask", say("to-do"), (*document.ask, *document.head), document)]
    parts += _sections(document.sections, "s", document)
    parts += [_entry(entry, f"e{number}", document) for number, entry in enumerate(document.entries, 1)]
    parts.append(_written(NOTES, "foot", say("about-document"), document.foot, document))
    return make("component", make("structuredBody", *(make("component", part) for part in parts)))


def _sections(sections: Sequence[Section], key: str, document: Document) -> list[Element]:
    """The sections in their order; those of one template are one, where the first of them stands."""
    shapes = [_shape(section, document.kind) for section in sections]
    made = []
    for number, (section, shape) in enumerate(zip(sections, shapes, strict=True), 1):
        if shape is None:
            made.append(_told(section, f"{key}{number}", document))
        elif shapes.index(shape) == number - 1:
            same = [one for one, its in zip(sections, shapes, strict=True) if its is shape]
            made.append(_coded(shape, same, f"{key}{number}", document))
    absent = [shape for shape in SHAPES.get(document.kind, ()) if shape.needs and shape not in shapes]
    types = {resource["resourceType"] for section in sections for resource in section.resources}
    return made + [_absent(shape, f"{key}{shape.code}", document, types) for shape in absent]


def _absent(shape: Shape, key: str, document: Document, told: set[str]) -> Element:
    """A section that must be there and has nothing to say of its own."""
    say, narrative = Words(document.language), Narrative(key)
    narrative.say((Line(say("told-elsewhere" if told.intersection(shape.types) else "none-told")),))
    return _section(shape, say(shape.types[0]), narrative, (), empty=True)


def _shape(section: Section, kind: Kind) -> Shape | None:
    """The template this section belongs to, where the document's has one for what it tells."""
    types = {resource["resourceType"] for resource in section.resources}
    return next((shape for shape in SHAPES.get(kind, ()) if types.intersection(shape.types)), None)


def _coded(shape: Shape, sections: Sequence[Section], key: str, document: Document) -> Element:
    """A section of a template that has coded entries: one that must have them says where there are none."""
    say, narrative = Words(document.language), Narrative(key)
    found: list[Element] = []
    for section in sections:
        narrative.say(section.lines, section.heading if len(sections) > 1 else "")
        found += _entries(section, narrative)
    title = sections[0].heading if len(sections) == 1 else say(shape.types[0])
    empty = bool(shape.needs) and not any(_follows(entry, shape.needs) for entry in found)
    return _section(shape, title, narrative, () if empty else found, empty)


def _follows(entry: Element, root: str) -> bool:
    return any(one.get("root") == root for one in entry.iterfind("templateId"))


def _told(section: Section, key: str, document: Document) -> Element:
    """A section of people's words, or of facts that have no template of their own."""
    narrative = Narrative(key)
    narrative.say(section.lines)
    return _section(NOTES, section.heading, narrative, (*_entries(section, narrative), _note(key, document)))


def _written(shape: Shape, key: str, title: str, lines: Sequence[Line], document: Document) -> Element:
    narrative = Narrative(key)
    narrative.say(lines)
    return _section(shape, title, narrative, (_note(key, document),) if shape is NOTES else ())


def _entry(entry: Entry, key: str, document: Document) -> Element:
    """One record of several: a section with its own sections inside."""
    narrative = Narrative(key)
    narrative.say(entry.head)
    made = _section(NOTES, entry.title, narrative, (_note(key, document, entry.date),))
    for number, section in enumerate(entry.sections, 1):
        made.append(make("component", _told(section, f"{key}s{number}", document)))
    return made


def _entries(section: Section, narrative: Narrative) -> Iterator[Element]:
    for resource in section.resources:
        coded = entries.ENTRIES.get(resource["resourceType"])
        made = coded(resource, narrative.refer) if coded else None
        if made is not None:
            yield made


def _note(key: str, document: Document, date: str = "") -> Element:
    return entries.note(f"{document.reference}/{key}", key, date or document.date, header.authors(document))


def _section(shape: Shape, title: str, narrative: Narrative, found: Iterable[Element], empty: bool = False) -> Element:
    return make(
        "section",
        *(template(*one) for one in shape.templates),
        code("code", shape.code, LOINC, shape.display),
        make("title", text=title or shape.display),
        narrative.text,
        *(make("entry", one) for one in found),
        nullFlavor="NI" if empty else "",
    )
