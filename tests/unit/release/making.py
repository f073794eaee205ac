"""Parts with labels, consents and decisions to release by. Nobody here is real."""

from __future__ import annotations

from typing import Any

from bridge.documents.narrative import paragraphs
from bridge.model import Decision, Part, type_json

PERSON = "c-1"


def div(text: str) -> str:
    return f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'


def note(*sections: tuple[str, str], about: str = PERSON, role: str = "child", labels: str = "ordinary") -> Part:
    """A Composition with sections of (classes, words)."""
    resource: type_json = {
        "resourceType": "Composition",
        "id": f"note-{about}",
        "meta": {"source": "urn:dyad-bridge:harbor", "tag": [{"system": "urn:dyad-bridge:program", "code": "p"}]},
        "status": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34109-9"}]},
        "subject": {"reference": f"Patient/{about}"},
        "date": "2026-03-01",
        "author": [{"display": "Rosa Vega, Family partner"}, {"display": "Dana Lund, Clinician"}],
        "section": [{"title": "Section", "text": {"status": "additional", "div": div(words)}} for _, words in sections],
    }
    classes = tuple(frozenset(one.split()) for one, _ in sections)
    return Part("note", about, role, resource, frozenset(labels.split()), classes)


def part(name: str, type: str, labels: str = "ordinary", about: str = PERSON, role: str = "child", **more: Any) -> Part:
    """A part of this type about somebody."""
    resource: type_json = {"resourceType": type, "id": f"{name}-{about}", "subject": {"reference": f"Patient/{about}"}}
    return Part(name, about, role, {**resource, **more}, frozenset(labels.split()))


def permit(*classes: str, part2: bool = False) -> Decision:
    """A permit of these classes, on consent 7."""
    return Decision(True, frozenset({"ordinary", *classes}), "in-force", (7,), part2=part2)


DENIED = Decision(False, frozenset(), "none")


def words(part: Part) -> list[str]:
    """What the sections of a note say."""
    return [line.text for one in part.resource["section"] for line in paragraphs(one["text"]["div"])]
