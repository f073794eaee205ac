"""Synthetic documents: a contact and a care plan, in two languages, long, minimal and amended."""

from __future__ import annotations

from html import escape
from typing import Any

from bridge.documents.compose import ASK, SECTIONS, Frame, compose
from bridge.documents.content import Document
from bridge.model import Part, type_json

REFERENCE = "DB-ABCDEFGHIJ23"
GOAL_ES = "Que mi niña duerma toda la noche — “sin miedo”,\ny que vaya a la escuelita   con <gusto> & calma."
GOAL_EN = 'We want her to say "mama" again.'


def part(name: str, resource: type_json) -> Part:
    return Part(name, "child-1", "child", resource)


def section(title: str, *texts: str, language: str = "", ask: bool = False, entry: tuple[str, ...] = ()) -> type_json:
    """A Composition section with our narrative, references, or both."""
    found: type_json = {"title": title}
    if ask:
        found["code"] = {"coding": [{"system": SECTIONS, "code": ASK}]}
    if texts:
        spoken = f' xml:lang="{language}" lang="{language}"' if language else ""
        lines = (escape(text, quote=False).replace("\r", "&#13;").replace("\n", "<br/>") for text in texts)
        div = "".join(f"<p>{line}</p>" for line in lines)
        found["text"] = {
            "status": "additional",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"{spoken}>{div}</div>',
        }
    if entry:
        found["entry"] = [{"reference": reference} for reference in entry]
    return found


def note(*sections: type_json, **more: Any) -> Part:
    return part(
        "note",
        {
            "resourceType": "Composition",
            "id": "n",
            "status": "final",
            "date": "2026-03-04T17:00:00-05:00",
            "title": "Contact with the family",
            "author": [{"display": "Family partner (parent peer support)"}, {"display": "Intensive care coordinator"}],
            "section": list(sections),
            **more,
        },
    )


ENCOUNTER = part(
    "encounter",
    {
        "resourceType": "Encounter",
        "id": "e",
        "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
        "type": [{"text": "Joint home visit"}],
        "period": {"start": "2026-03-04T20:30:00Z", "end": "2026-03-04T21:10:00Z"},
        "participant": [
            {"type": [{"text": "parent"}], "individual": {"display": "Mother"}},
            {"individual": {"display": "Family partner"}},
        ],
    },
)
GOALS = (
    part(
        "goal-1",
        {
            "resourceType": "Goal",
            "id": "g1",
            "language": "es",
            "lifecycleStatus": "active",
            "description": {"text": GOAL_ES},
            "expressedBy": {"display": "la mamá"},
            "startDate": "2025-09-01",
            "target": [{"dueDate": "2026-02-01"}],
            "achievementStatus": {"text": "improving"},
        },
    ),
    part(
        "goal-2",
        {
            "resourceType": "Goal",
            "id": "g2",
            "lifecycleStatus": "completed",
            "description": {"text": GOAL_EN},
            "target": [{"dueDate": "2026-01-01"}],
        },
    ),
)
PLAN = part(
    "plan",
    {
        "resourceType": "CarePlan",
        "id": "cp",
        "status": "active",
        "title": "Individual care plan",
        "period": {"start": "2025-09-01", "end": "2026-02-28"},
        "activity": [
            {"detail": {"description": "Weekly home visits"}},
            {"reference": {"display": "Referral to Head Start"}},
        ],
    },
)
TEAM = part(
    "team",
    {
        "resourceType": "CareTeam",
        "id": "t",
        "status": "active",
        "name": "Roble dyad",
        "participant": [
            {"role": [{"text": "Care coordinator"}], "member": {"display": "Ana Robles"}},
            {"role": [{"text": "Family partner"}]},
            {"role": [{"text": "Clinician"}], "member": {"display": "Lee Moss"}, "period": {"end": "2026-01-15"}},
        ],
    },
)


def frame(language: str = "en") -> Frame:
    return Frame(REFERENCE, "Roble Family Services", "America/New_York", language, "Ana Robles", "555-0100")


def contact(language: str) -> Document:
    """A contact whose narrative was released."""
    said = section("What happened", "Mom said the nights are better.\nShe cried.", "Next visit on Friday.")
    wish = section("In the family's words", "“Ya duerme”, dijo la mamá.", language="es")
    ask = section("For the clinician", "Please check her hearing at the next visit.", ask=True)
    facts = section("The contact", entry=("Encounter/e",))
    return compose([note(ask, facts, said, wish), ENCOUNTER], frame(language))


def plan(language: str) -> Document:
    """A care plan with goals in the family's words, a team with a vacancy, and dates that have passed."""
    goals = section("Metas de la familia", entry=("Goal/g1", "Goal/g2", "Goal/withheld"))
    sections = (section("The plan", entry=("CarePlan/cp",)), goals, section("Who", entry=("CareTeam/t",)))
    return compose([note(*sections, title="Care plan"), PLAN, *GOALS, TEAM], frame(language))


def parts(language: str) -> Document:
    """A Composition without sections: its parts tell it."""
    return compose([note(title="Summary"), ENCOUNTER, PLAN, *GOALS, TEAM], frame(language))


def minimal(language: str) -> Document:
    """Next to nothing, as an agency without times or narrative sends it."""
    bare = part("note", {"resourceType": "Composition", "date": "2026-03-04", "section": [{"title": "Withheld"}]})
    return compose([bare], Frame(REFERENCE, "Roble", "America/New_York", language))


def amended(language: str) -> Document:
    """A correction."""
    return compose([note(section("What happened", "The visit was on Thursday."), status="amended")], frame(language))


def long(language: str) -> Document:
    """Many paragraphs in both languages, with what breaks careless renderers."""
    texts = [f"{number}. <b>No</b> &amp; 'so' \"on\" — ñandú 😀\ttab  two  spaces" for number in range(60)]
    return compose([note(section("Largo", *texts, language="es"))], frame(language))


DOCUMENTS = {"contact": contact, "plan": plan, "parts": parts, "minimal": minimal, "amended": amended, "long": long}
